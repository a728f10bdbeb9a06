"""A lease has one holder at a time, also when it is taken for the very first time."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from talentseal.db import Database
from talentseal.evidence import leases
from talentseal.evidence.leases import Held

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
WAIT = 30


def take(holder: str) -> Callable[[Session], Held | None]:
    return lambda session: leases.take(session, "sealer", holder, now=NOW)


def test_of_twenty_that_take_a_new_lease_at_once_one_holds_it(database: Database) -> None:
    with ThreadPoolExecutor(20) as pool:
        held = list(pool.map(lambda number: database.write(take(f"worker-{number}")), range(20)))

    assert [one.fence for one in held if one] == [1]


@pytest.mark.parametrize(
    ("holder", "seconds", "waits"), [("first", 1, False), ("second", 1, True), ("second", 10, False)]
)
def test_whoever_does_not_hold_the_lease_waits_for_the_end_of_its_term(
    database: Database, holder: str, seconds: int, waits: bool
) -> None:
    later = NOW + timedelta(seconds=seconds)

    def is_anothers(session: Session) -> bool:
        return leases.is_anothers(session, "sealer", holder, now=later)

    before = database.read(is_anothers)
    database.write(take("first"))

    assert (before, database.read(is_anothers)) == (False, waits)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_who_comes_while_another_creates_the_lease_waits_and_goes_without(database: Database) -> None:
    is_created, may_commit = threading.Event(), threading.Event()

    def slowly(session: Session) -> Held | None:
        held = take("first")(session)
        is_created.set()
        assert may_commit.wait(WAIT)
        return held

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(database.write, slowly)
        assert is_created.wait(WAIT)
        second = pool.submit(database.write, take("second"))
        threading.Timer(0.3, may_commit.set).start()

        assert first.result(WAIT) == Held("sealer", "first", 1)
        assert second.result(WAIT) is None
