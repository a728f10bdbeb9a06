"""The nightly step of reviews over many people: its time, and how far the process grows meanwhile.

People are written straight into the tables; codes are as old as chance has it, so that a day finds some
twelfth of a year's reviews to announce, the rest to look at. A second run of the day finds nothing to do.
"""

import resource
import secrets
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from sqlalchemy import insert
from sqlalchemy.orm import Session

from talentseal.accounts.models import Account
from talentseal.accounts.roles import Role
from talentseal.clock import legal_date
from talentseal.db import Database
from talentseal.nightly import Nightly
from talentseal.policy.tiers import Tier
from talentseal.talents.models import CodeState, Talent, TalentCode
from talentseal.worker import NIGHTLY
from tests.bench.figures import Budget, Figure, say
from tests.bench.places import KINDS, databases

PEOPLE: Final = 100_000
TIME: Final = Budget("value", "<=", 60.0)
GROWTH: Final = Budget("value", "<=", 64.0)
NOW: Final = datetime(2026, 11, 23, 16, 5, tzinfo=UTC)
"""Soon after midnight in Shanghai."""

_AT_ONCE: Final = 500


def measure(tiny: bool) -> list[Figure]:
    """Figures for each kind of database that is there."""
    people = 200 if tiny else PEOPLE
    figures: list[Figure] = []
    for kind in KINDS:
        with databases(kind) as place:
            figures += _on(kind, place.make(), people)
    return figures


def _on(kind: str, url: str, people: int) -> list[Figure]:
    database = Database(url)
    try:
        say(f"  {people} people on {kind}")
        for rows in _crowd(people):
            database.write(partial(_enter, rows))
        nightly = Nightly(database, NIGHTLY)
        before = _megabytes()
        took, found = _timed(nightly)
        again, nothing = _timed(nightly)
        if nothing["reviews"]:
            raise RuntimeError("a day that was run again found something to do")
        say(f"  {found['reviews']} things to do")
        return [
            Figure(f"nightly over {people} people, {kind}", took, "s", budget=TIME),
            Figure(f"the same day again, {kind}", again, "s", budget=TIME),
            Figure(f"the process's growth by both, {kind}", _megabytes() - before, "MB", budget=GROWTH),
        ]
    finally:
        database.close()


def _timed(nightly: Nightly) -> tuple[float, dict[str, int]]:
    begun = time.perf_counter()
    found = nightly.run(legal_date(NOW), now=NOW)
    return time.perf_counter() - begun, found


def _crowd(people: int) -> Iterator[list[tuple[str, str, str, datetime]]]:
    """Account, talent, code and day of issue of everybody, in parts."""
    for first in range(0, people, _AT_ONCE):
        yield [
            (
                secrets.token_hex(16),
                secrets.token_hex(16),
                secrets.token_hex(16),
                NOW - timedelta(days=secrets.randbelow(365)),
            )
            for _ in range(first, min(first + _AT_ONCE, people))
        ]


def _enter(rows: list[tuple[str, str, str, datetime]], session: Session) -> None:
    session.execute(
        insert(Account),
        [
            {"id": account, "organisation_id": None, "name": "虚构", "role": Role.TALENT, "created_at": at}
            for account, _talent, _code, at in rows
        ],
    )
    session.execute(
        insert(Talent),
        [{"id": talent, "account_id": account, "registered_at": at} for account, talent, _code, at in rows],
    )
    session.execute(
        insert(TalentCode),
        [
            {
                "id": code,
                "talent_id": talent,
                "code_ref": secrets.token_bytes(8),
                "identity_digest": secrets.token_hex(32),
                "state": CodeState.ACTIVE,
                "tier": Tier.RESERVE,
                "issued_at": at,
            }
            for _account, talent, code, at in rows
        ],
    )


def _megabytes() -> float:
    """What the process held at most so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
