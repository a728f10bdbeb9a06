"""`python -m tests.crash.answering URL COUNT [--synchronous-off]`: records, each answered on stdout."""

import os
import sys
from datetime import UTC, datetime
from functools import partial

from sqlalchemy.orm import Session

from talentseal import db, evidence
from talentseal.db import Database
from tests.crash.life import Requested


def write(session: Session, number: int) -> None:
    evidence.record(session, Requested(f"request {number}"), now=datetime.now(UTC))


def main(url: str, count: int, *, is_synchronous: bool) -> None:
    """Record `count` times; answer each after its write returned."""
    if not is_synchronous:
        pragmas = db._pragmas
        db._pragmas = lambda driver, *, writing: [  # the planted bug
            pragma.replace("=FULL", "=OFF") for pragma in pragmas(driver, writing=writing)
        ]
    database = Database(url)
    for number in range(count):
        database.write(partial(write, number=number))
        os.write(1, f"answer {number}\n".encode())
    database.close()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), is_synchronous=len(sys.argv) == 3)
