"""`python -m tests.db.writing URL PREFIX COUNT`: another process that writes the same database."""

import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from sqlalchemy import insert
from sqlalchemy.orm import Session

from talentseal.db import Database
from talentseal.evidence.models import Lease


def write_many(url: str, prefix: str, count: int) -> None:
    """Write `count` rows, eight writers at a time."""
    database = Database(url)

    def put(number: int) -> None:
        values = {"name": f"{prefix}{number}", "holder": "other", "fence": 1, "expires_at": datetime.now(UTC)}

        def work(session: Session) -> None:
            session.execute(insert(Lease).values(values))

        database.write(work)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(put, range(count)))
    database.close()


if __name__ == "__main__":
    write_many(sys.argv[1], sys.argv[2], int(sys.argv[3]))
