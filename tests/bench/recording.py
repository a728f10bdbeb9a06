"""Records made durable per second, against a bare insert of the same bytes with the same commit pattern.

Bare means: rows made beforehand, the driver's own connection with the service's settings, the same two tables
with all their indexes and triggers, the same number of threads. On SQLite one bare thread commits what waits,
as the service does; a single writer commits each record by itself. On PostgreSQL each thread has a connection
and commits each record, and the server groups.
"""

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import text
from sqlalchemy.orm import Session

from talentseal import evidence
from talentseal.db import GROUP_LIMIT, Database, sqlite_driver
from tests.bench.figures import Budget, Figure, against, interleaved, say, seconds
from tests.bench.places import KINDS, Databases, databases, event, fill, workplace

HALF = Budget("ratio", ">=", 0.5)
RECORD_COLUMNS = "id, kind, entry, leaf_hash, recorded_at, relation, refers_to, deadline"
RECORD = f"INSERT INTO evidence_record ({RECORD_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
DISCLOSURE = "INSERT INTO evidence_disclosure (record_id, disclosures) VALUES (?, ?)"
SETTINGS = ("journal_mode", "synchronous", "secure_delete", "temp_store", "foreign_keys")

Rows = tuple[Any, ...]
"""The columns of one record, then its disclosures."""
Insert = Callable[[Sequence[Rows]], None]
"""Makes rows durable, as one commit."""


def measure(tiny: bool) -> list[Figure]:
    """Both databases, one writer and many."""
    return [figure for kind in KINDS for figure in _measure(kind, tiny)]


def _measure(kind: str, tiny: bool) -> Iterator[Figure]:
    rounds, each = (2, 2) if tiny else (9, 60)
    with databases(kind) as place:
        for writers in (1, 4) if tiny else (1, 8, 32):
            say(f"  {kind}, {writers} writers")
            # On one disk and with one server, but not in one file: neither waits for the other's locks.
            service = Database(place.make())
            with bare_insert(place, service, writers) as inserts:
                rows = prepared((rounds + 1) * writers * each)
                count = writers * each
                met = interleaved(
                    rounds,
                    own=lambda: count / seconds(lambda: _record(service, writers, each)),
                    bare=lambda: count / seconds(lambda: _share(inserts, rows, each)),
                )
            service.close()
            yield against(
                f"records a second, {kind}, {writers} writer{'s' * (writers > 1)}",
                "records/s",
                met["own"],
                "bare insert",
                met["bare"],
                HALF,
            )


def prepared(count: int) -> list[Rows]:
    """The rows of `count` records as the service writes them: written by it elsewhere and read back."""
    with workplace() as folder:
        database = Database(f"sqlite:///{folder / 'prepared.sqlite'}")
        database.upgrade()
        fill(database, count)
        query = text(
            f"SELECT {RECORD_COLUMNS}, disclosures "
            "FROM evidence_record JOIN evidence_disclosure ON id = record_id"
        )
        rows = database.read(lambda session: [tuple(row) for row in session.execute(query)])
        database.close()
        return rows


def _record(database: Database, writers: int, each: int) -> None:
    """`each` records by each writer, each a write of its own."""

    def run() -> None:
        for _ in range(each):
            now = datetime.now(UTC)
            happened = event(now)
            database.write(lambda session: evidence.record(session, happened, now=now))

    _together([run] * writers)


def _share(inserts: Sequence[Insert], rows: list[Rows], each: int) -> None:
    """Each writer inserts `each` of the rows, one by one."""
    portions = [[rows.pop() for _ in range(each)] for _ in inserts]

    def run(insert: Insert, portion: list[Rows]) -> None:
        for one in portion:
            insert([one])

    _together([partial(run, *pair) for pair in zip(inserts, portions, strict=True)])


def _together(works: Sequence[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@contextmanager
def bare_insert(place: Databases, service: Database, writers: int) -> Iterator[list[Insert]]:
    """An insert for each writer, in a database of its own."""
    url = place.make()
    if place.kind == "sqlite":
        file = Path(url.removeprefix("sqlite:///"))
        with _sqlite(file, service) as commit, _grouped(commit) as grouped:
            yield [commit] if writers == 1 else [grouped] * writers
        return
    connections = [psycopg.connect(url) for _ in range(writers)]
    yield [_postgresql(connection) for connection in connections]
    for connection in connections:
        connection.close()


@contextmanager
def _sqlite(file: Path, service: Database) -> Iterator[Insert]:
    connection = sqlite_driver().connect(file, isolation_level=None, check_same_thread=False)
    for setting in SETTINGS:
        query = text(f"PRAGMA {setting}")
        value = service.write(partial(Session.scalar, statement=query))
        connection.execute(f"PRAGMA {setting}={value}")

    def commit(group: Sequence[Rows]) -> None:
        connection.execute("BEGIN IMMEDIATE")
        for row in group:
            connection.execute(RECORD, row[:-1])
            connection.execute(DISCLOSURE, (row[0], row[-1]))
        connection.execute("COMMIT")

    yield commit
    connection.close()


@contextmanager
def _grouped(commit: Insert) -> Iterator[Insert]:
    """One thread commits whatever waits, up to the service's own limit."""
    waiting: queue.SimpleQueue[tuple[Sequence[Rows], threading.Lock] | None] = queue.SimpleQueue()

    def run() -> None:
        while (first := waiting.get()) is not None:
            group = [first]
            while len(group) < GROUP_LIMIT and not waiting.empty() and (more := waiting.get()) is not None:
                group.append(more)
            commit([row for rows, _ in group for row in rows])
            for _, done in group:
                done.release()

    def insert(rows: Sequence[Rows]) -> None:
        done = threading.Lock()
        done.acquire()
        waiting.put((rows, done))
        done.acquire()

    writer = threading.Thread(target=run)
    writer.start()
    yield insert
    waiting.put(None)
    writer.join()


def _postgresql(connection: psycopg.Connection[Any]) -> Insert:
    record, disclosure = (statement.replace("?", "%s").encode() for statement in (RECORD, DISCLOSURE))

    def commit(group: Sequence[Rows]) -> None:
        for row in group:
            connection.execute(record, row[:-1])
            connection.execute(disclosure, (row[0], row[-1]))
        connection.commit()

    return commit
