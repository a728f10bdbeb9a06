"""What one write undoes, itself or by failing, touches no other: of its group or before it."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from talentseal.db import Database, _GroupWriter
from talentseal.evidence.models import Lease

MOMENT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def put(session: Session, name: str) -> None:
    session.execute(insert(Lease).values(name=name, holder="test", fence=1, expires_at=MOMENT))


def names(database: Database) -> set[str]:
    return set(database.read(lambda session: session.scalars(select(Lease.name)).all()))


@pytest.fixture
def database(sqlite_url: str) -> Iterator[Database]:
    opened = Database(sqlite_url)
    yield opened
    opened.close()


@pytest.fixture
def either(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    yield opened
    opened.close()


def as_a_group(database: Database, works: list[Callable[[Session], Any]]) -> list[Future[Any]]:
    """Queue all of `works` behind a write that waits for them; their futures, ended."""
    entered, go_on = threading.Event(), threading.Event()

    def hold(session: Session) -> None:
        entered.set()
        assert go_on.wait(30)
        put(session, "gate")

    with ThreadPoolExecutor(len(works) + 1) as pool:
        pool.submit(database.write, hold)
        assert entered.wait(30)
        assert isinstance(database._writer, _GroupWriter)
        futures = [pool.submit(database.write, work) for work in works]
        while len(database._writer._line) < len(works):
            pass
        go_on.set()
    return futures


def undo_and_go_on(session: Session) -> str:
    put(session, "undone")
    session.rollback()
    put(session, "kept")
    return "done"


def fail_after_writing(session: Session) -> None:
    put(session, "half")
    raise LookupError("refused by the feature")


def test_a_write_that_undoes_and_goes_on_keeps_what_came_after(either: Database) -> None:
    either.write(lambda session: put(session, "before"))

    assert either.write(undo_and_go_on) == "done"

    assert names(either) == {"before", "kept"}


def test_the_writes_around_one_that_fails_are_all_there(database: Database) -> None:
    futures = as_a_group(
        database,
        [
            lambda session: put(session, "first"),
            fail_after_writing,
            lambda session: put(session, "gate"),
            undo_and_go_on,
            lambda session: put(session, "last"),
        ],
    )

    assert [type(future.exception()) for future in futures] == [
        type(None),
        LookupError,
        IntegrityError,
        type(None),
        type(None),
    ]
    assert names(database) == {"gate", "first", "kept", "last"}
