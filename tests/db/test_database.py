"""Writes commit together and fail alone, and an acknowledgement comes after the commit, on both databases."""

import gc
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import (
    CheckConstraint,
    Column,
    Connection,
    Integer,
    MetaData,
    String,
    Table,
    bindparam,
    create_engine,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, ProgrammingError, StatementError
from sqlalchemy.orm import Session

from talentseal import failpoints
from talentseal.db import (
    GROUP_LIMIT,
    RETRIES,
    WRITERS,
    Database,
    DatabaseAway,
    DatabaseBusy,
    LostRace,
    OutcomeUnknown,
    StorageFailed,
    _GroupWriter,
    at_end,
    only_row,
    rows,
    sqlite_driver,
    wal_is_safe,
)
from talentseal.errors import Conflict, TalentSealError
from talentseal.evidence.models import Lease
from talentseal.tables import METADATA
from tests.postgres import Postgres

ROOT = Path(__file__).resolve().parents[2]
WAIT = 30
"""Seconds after which a thread that should have ended is a failure."""

MOMENT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def put(name: str) -> Callable[[Session], str]:
    """A write of one row."""

    def work(session: Session) -> str:
        session.execute(insert(Lease).values(name=name, holder="test", fence=1, expires_at=MOMENT))
        return name

    return work


def names(database: Database) -> set[str]:
    return set(database.read(lambda session: session.scalars(select(Lease.name)).all()))


def raise_it(_session: Session) -> None:
    raise LookupError("refused by the feature")


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    yield opened
    opened.close()


@pytest.fixture
def sqlite(sqlite_url: str) -> Iterator[Database]:
    opened = Database(sqlite_url)
    yield opened
    opened.close()


@pytest.fixture
def armed() -> Iterator[Callable[[Callable[[str], None]], None]]:
    """Arms the failure points for one test."""
    yield failpoints.arm
    failpoints.arm(None)


@pytest.fixture
def commits(armed: Callable[[Callable[[str], None]], None]) -> list[str]:
    """A list that grows by one with each commit."""
    seen: list[str] = []
    armed(lambda name: seen.append(name) if name == "write.committed" else None)
    return seen


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(64) as threads:
        yield threads


class Gate:
    """A write that stands in the writer's thread until the test lets it go: the others queue up meanwhile."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.open = threading.Event()

    def work(self, session: Session) -> str:
        self.entered.set()
        assert self.open.wait(WAIT)
        return put("gate")(session)


def queue_behind_a_gate(
    database: Database, pool: ThreadPoolExecutor, works: list[Callable[[Session], Any]]
) -> list[Future[Any]]:
    """Make all of `works` wait in the queue, in order, then let them go as one group; their futures."""
    gate = Gate()
    pool.submit(database.write, gate.work)
    assert gate.entered.wait(WAIT)
    assert isinstance(database._writer, _GroupWriter)
    line = database._writer._line
    futures = []
    for work in works:
        before = len(line)
        futures.append(pool.submit(database.write, work))
        while len(line) == before:
            pass
    gate.open.set()
    return futures


def test_a_write_returns_the_result_of_its_work_and_is_there_for_the_next_read(database: Database) -> None:
    assert database.write(put("one")) == "one"
    assert names(database) == {"one"}


def test_what_a_write_raises_comes_out_and_nothing_of_it_stays(database: Database) -> None:
    def half(session: Session) -> None:
        put("half")(session)
        raise LookupError("refused")

    with pytest.raises(LookupError, match="refused"):
        database.write(half)

    assert names(database) == set()


def test_a_constraint_violation_rolls_back_its_own_write_and_the_next_goes_on(database: Database) -> None:
    database.write(put("one"))

    with pytest.raises(IntegrityError):
        database.write(put("one"))

    database.write(put("two"))
    assert names(database) == {"one", "two"}


def test_what_one_write_put_in_its_session_is_not_in_the_next(database: Database) -> None:
    def add(session: Session) -> Lease:
        lease = Lease(name="one", holder="test", fence=1, expires_at=MOMENT)
        session.add(lease)
        return lease

    lease = database.write(add)

    assert lease not in database.write(list)


def test_a_constant_query_finds_what_its_own_write_has_yet_to_store(database: Database) -> None:
    named = select(Lease.name, Lease.expires_at).where(Lease.name == bindparam("name"))

    def work(session: Session) -> Any:
        before = only_row(session, named, name="one")
        session.add(Lease(name="one", holder="test", fence=1, expires_at=MOMENT))
        return before, only_row(session, named, name="one"), rows(session, named, name="other")

    assert database.write(work) == (None, ("one", MOMENT), [])


def test_fifty_writers_at_once_are_all_acknowledged_and_all_there(
    database: Database, pool: ThreadPoolExecutor
) -> None:
    wanted = {f"writer-{number}" for number in range(50)}

    done = list(pool.map(lambda name: database.write(put(name)), sorted(wanted)))

    assert set(done) == wanted
    assert names(database) == wanted


def test_of_fifty_writers_of_one_row_one_wins(database: Database, pool: ThreadPoolExecutor) -> None:
    def attempt(_number: int) -> bool:
        try:
            database.write(put("only"))
        except IntegrityError:
            return False
        return True

    assert sum(pool.map(attempt, range(50))) == 1


def test_a_read_cannot_write(database: Database) -> None:
    with pytest.raises((OperationalError, DBAPIError, ProgrammingError), match=r"(?i)readonly|read-only"):
        database.read(put("sneaked"))

    assert names(database) == set()


def test_a_snapshot_sees_one_state_throughout(database: Database) -> None:
    def twice(session: Session) -> tuple[int, int]:
        first = session.scalar(select(func.count()).select_from(Lease))
        database.write(put("meanwhile"))
        return first or 0, session.scalar(select(func.count()).select_from(Lease)) or 0

    assert database.snapshot(twice) == (0, 0)
    assert names(database) == {"meanwhile"}


def test_listeners_hear_of_a_write_after_it_is_durable(database: Database) -> None:
    heard: SimpleQueue[set[str]] = SimpleQueue()
    database.after_commit(lambda: heard.put(names(database)))

    database.write(put("one"))
    assert heard.get(timeout=WAIT) == {"one"}
    database.write(put("two"))
    assert heard.get(timeout=WAIT) == {"one", "two"}


def test_upgrading_again_changes_nothing(blank_database_url: str) -> None:
    for _ in range(2):
        database = Database(blank_database_url)
        database.upgrade()
        database.write(lambda session: session.execute(text("DELETE FROM lease")))
        database.write(put("kept"))
        database.upgrade()
        assert names(database) == {"kept"}
        database.close()


def test_the_migrations_make_the_tables_that_the_models_describe(database_url: str) -> None:
    def differences(connection: Connection) -> list[Any]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, METADATA))

    engine = create_engine(
        database_url.replace("postgresql://", "postgresql+psycopg://"),
        **({"module": sqlite_driver()} if database_url.startswith("sqlite") else {}),
    )
    with engine.connect() as connection:
        met = differences(connection)
    engine.dispose()

    assert met == []


def test_another_kind_of_address_is_refused() -> None:
    with pytest.raises(ValueError, match="mysql"):
        Database("mysql://localhost/x")


def test_a_naive_time_is_refused(database: Database) -> None:
    with pytest.raises(StatementError, match="naive"):
        database.write(
            lambda session: session.execute(
                insert(Lease).values(name="x", holder="x", fence=1, expires_at=MOMENT.replace(tzinfo=None))
            )
        )


# ------------------------------------------------------------------------------------------ the SQLite writer


def test_writers_that_wait_share_one_commit(
    sqlite: Database, pool: ThreadPoolExecutor, commits: list[str]
) -> None:

    futures = queue_behind_a_gate(sqlite, pool, [put(f"w{number}") for number in range(20)])

    assert [future.result(WAIT) for future in futures] == [f"w{number}" for number in range(20)]
    assert len(commits) == 2  # the gate's own, and one for the twenty


def test_a_failing_write_in_a_group_rolls_back_alone(sqlite: Database, pool: ThreadPoolExecutor) -> None:
    def half(session: Session) -> None:
        put("half")(session)
        raise LookupError("refused")

    first, broken, twin, last = queue_behind_a_gate(sqlite, pool, [put("a"), half, put("a"), put("z")])

    assert (first.result(WAIT), last.result(WAIT)) == ("a", "z")
    with pytest.raises(LookupError):
        broken.result(WAIT)
    with pytest.raises(IntegrityError):
        twin.result(WAIT)
    assert names(sqlite) == {"gate", "a", "z"}


def test_a_group_has_a_limit(sqlite: Database, commits: list[str]) -> None:
    with ThreadPoolExecutor(GROUP_LIMIT + 8) as many:
        futures = queue_behind_a_gate(sqlite, many, [put(f"w{number}") for number in range(GROUP_LIMIT + 2)])
        for future in futures:
            future.result(WAIT)

    assert len(commits) == 3


def test_a_write_inside_a_write_is_refused_rather_than_waiting_for_ever(sqlite: Database) -> None:
    with pytest.raises(RuntimeError, match="may not start another write"):
        sqlite.write(lambda _session: sqlite.write(put("inner")))

    assert sqlite.write(put("after")) == "after"


@pytest.mark.parametrize("point", ["write.before-commit", "write.committed"])
def test_a_failure_around_the_commit_stops_all_writing_until_a_restart(
    sqlite_url: str, point: str, armed: Callable[[Callable[[str], None]], None]
) -> None:
    sqlite = Database(sqlite_url)

    def fail(name: str) -> None:
        if name == point:
            raise OSError(5, "Input/output error")

    armed(fail)
    with pytest.raises(StorageFailed):
        sqlite.write(put("in doubt"))
    armed(lambda _name: None)
    with pytest.raises(StorageFailed):
        sqlite.write(put("later"))
    sqlite.close()

    reopened = Database(sqlite_url)
    assert names(reopened) == ({"in doubt"} if point == "write.committed" else set())
    assert reopened.write(put("later")) == "later"
    reopened.close()


def test_when_a_commit_fails_the_whole_group_is_told(
    sqlite: Database, pool: ThreadPoolExecutor, armed: Callable[[Callable[[str], None]], None]
) -> None:
    seen: list[str] = []

    def fail_the_second(name: str) -> None:
        seen.append(name)
        if seen.count("write.before-commit") == 2:
            raise OSError(28, "No space left on device")

    armed(fail_the_second)
    futures = queue_behind_a_gate(sqlite, pool, [put("a"), raise_it, put("b")])

    for future in futures:
        with pytest.raises(StorageFailed):
            future.result(WAIT)
    assert names(sqlite) == {"gate"}


def test_a_rollback_by_sqlite_itself_is_never_acknowledged(
    sqlite: Database, pool: ThreadPoolExecutor
) -> None:
    """On a full disk SQLite ends the whole transaction: what follows must not commit on its own."""

    def full_disk(session: Session) -> None:
        session.connection().exec_driver_sql("ROLLBACK")
        raise OSError(28, "No space left on device")

    futures = queue_behind_a_gate(sqlite, pool, [put("before"), full_disk, put("after")])

    for future in futures:
        with pytest.raises(StorageFailed):
            future.result(WAIT)
    assert names(sqlite) == {"gate"}


def test_two_processes_write_one_database(database_url: str) -> None:
    commands = [
        [sys.executable, "-m", "tests.db.writing", database_url, f"p{number}-", "40"] for number in (1, 2)
    ]
    processes = [subprocess.Popen(command, cwd=ROOT) for command in commands]

    assert [process.wait(WAIT) for process in processes] == [0, 0]

    database = Database(database_url)
    assert len(names(database)) == 80
    database.close()


def test_a_file_that_stays_locked_is_busy_and_not_broken(sqlite_url: str, tmp_path: Path) -> None:
    other = sqlite_driver().connect(str(tmp_path / "talentseal.sqlite"), isolation_level=None)
    database = Database(sqlite_url)
    database.write(lambda session: session.connection().exec_driver_sql("PRAGMA busy_timeout=50"))
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(DatabaseBusy):
        database.write(put("refused"))
    other.execute("ROLLBACK")
    other.close()

    assert database.write(put("taken")) == "taken"
    database.close()


def test_a_work_that_ends_the_program_ends_its_own_caller_only(sqlite: Database) -> None:
    def leave(_session: Session) -> None:
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        sqlite.write(leave)

    assert sqlite.write(put("after")) == "after"


def test_a_closed_database_refuses_to_write(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    database.write(put("one"))

    database.close()

    with pytest.raises(StorageFailed):
        database.write(put("two"))


def test_closing_finishes_what_was_asked_before(sqlite_url: str, pool: ThreadPoolExecutor) -> None:
    database = Database(sqlite_url)
    futures = queue_behind_a_gate(database, pool, [put(f"w{number}") for number in range(10)])

    database.close()

    assert [future.result(WAIT) for future in futures] == [f"w{number}" for number in range(10)]


class ClosedMeanwhile(deque[Any]):
    """The writer's line, with a `close` that comes just as a write is about to join it."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self.closing = threading.Thread(target=database.close)

    def append(self, waiting: Any) -> None:
        self.closing.start()
        self.closing.join(0.3)
        super().append(waiting)


def test_a_write_that_meets_the_closing_is_answered(
    sqlite_url: str, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database(sqlite_url)
    line = ClosedMeanwhile(database)
    monkeypatch.setattr(database._writer, "_line", line)
    monkeypatch.setattr(database._writer, "_is_quiet", False)

    future = pool.submit(database.write, put("last"))

    assert future.result(WAIT) == "last"
    line.closing.join(WAIT)


def test_every_writer_gets_an_answer_when_the_database_is_closed_under_them(sqlite_url: str) -> None:
    database = Database(sqlite_url)

    def attempt(number: int) -> str:
        try:
            return database.write(put(f"w{number}"))
        except StorageFailed:
            return "refused"

    with ThreadPoolExecutor(16) as pool:
        futures = [pool.submit(attempt, number) for number in range(400)]
        database.close()
        answers = [future.result(WAIT) for future in futures]

    reopened = Database(sqlite_url)
    assert names(reopened) == {answer for answer in answers if answer != "refused"}
    reopened.close()


def test_the_file_is_synced_at_every_commit_and_erased_pages_are_overwritten(sqlite: Database) -> None:
    def pragma(session: Session, name: str) -> object:
        return session.execute(text(f"PRAGMA {name}")).scalar()

    met = sqlite.write(
        lambda session: {
            name: pragma(session, name) for name in ("synchronous", "secure_delete", "foreign_keys")
        }
    )

    assert met == {"synchronous": 2, "secure_delete": 1, "foreign_keys": 1}


@pytest.mark.parametrize(
    ("version", "is_safe"),
    [
        ((3, 7, 0), False),
        ((3, 40, 1), False),
        ((3, 44, 5), False),
        ((3, 44, 6), True),
        ((3, 45, 0), False),
        ((3, 50, 6), False),
        ((3, 50, 7), True),
        ((3, 51, 0), False),
        ((3, 51, 2), False),
        ((3, 51, 3), True),
        ((3, 53, 4), True),
        ((4, 0, 0), True),
    ],
)
def test_wal_is_used_only_where_it_cannot_lose_a_commit(version: tuple[int, int, int], is_safe: bool) -> None:
    assert wal_is_safe(version) is is_safe


def test_an_affected_sqlite_runs_with_a_rollback_journal(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("talentseal.db.wal_is_safe", lambda _version: False)
    database = Database(sqlite_url)

    mode = database.write(lambda session: session.execute(text("PRAGMA journal_mode")).scalar())

    assert mode == "persist"
    assert database.write(put("one")) == "one"
    database.close()


# ------------------------------------------------------------------------------------------------- PostgreSQL


@pytest.fixture
def postgresql(postgres_url: str) -> Iterator[Database]:
    opened = Database(postgres_url)
    yield opened
    opened.close()


@pytest.fixture
def server() -> Iterator[Postgres]:
    """A server of the test's own, which it may kill."""
    started = Postgres().start()
    yield started
    started.stop()


@pytest.fixture
def alone(server: Postgres) -> Iterator[Database]:
    """A database on that server. What it leaves open is told in this test, not in a later one."""
    opened = Database(server.url())
    opened.upgrade()
    yield opened
    opened.close()
    gc.collect()


class Clash:
    """A write that loses a race `times` times, as the database reports it, then succeeds."""

    def __init__(self, times: int, sqlstate: str = "40001") -> None:
        self.runs = 0
        self._times = times
        self._sqlstate = sqlstate

    def __call__(self, session: Session) -> str:
        self.runs += 1
        put("clashed")(session)
        if self.runs <= self._times:
            session.execute(text(f"DO $$ BEGIN RAISE SQLSTATE '{self._sqlstate}'; END $$"))
        return "clashed"


@pytest.mark.parametrize("sqlstate", ["40001", "40P01"], ids=["serialisation failure", "deadlock"])
def test_a_lost_race_is_run_again_from_the_start(postgresql: Database, sqlstate: str) -> None:
    work = Clash(RETRIES - 1, sqlstate)

    assert postgresql.write(work) == "clashed"
    assert (work.runs, names(postgresql)) == (RETRIES, {"clashed"})


def test_a_race_lost_too_often_is_busy_and_leaves_nothing(postgresql: Database) -> None:
    with pytest.raises(DatabaseBusy):
        postgresql.write(Clash(RETRIES))

    assert names(postgresql) == set()


def test_another_error_of_the_database_is_not_run_again(postgresql: Database) -> None:
    work = Clash(1, "22012")

    with pytest.raises(DBAPIError):
        postgresql.write(work)

    assert work.runs == 1


def test_two_writers_that_deadlock_both_get_through(postgresql: Database, pool: ThreadPoolExecutor) -> None:
    for name in ("a", "b"):
        postgresql.write(put(name))
    both = threading.Barrier(2)

    def lock(first: str, second: str) -> Callable[[Session], None]:
        runs: list[int] = []

        def work(session: Session) -> None:
            runs.append(1)
            raise_fence(session, first)
            if len(runs) == 1:
                both.wait(WAIT)
            raise_fence(session, second)

        return work

    for future in [
        pool.submit(postgresql.write, lock("a", "b")),
        pool.submit(postgresql.write, lock("b", "a")),
    ]:
        future.result(WAIT)

    fences = postgresql.read(lambda session: session.scalars(select(Lease.fence)).all())
    assert list(fences) == [3, 3]


def raise_fence(session: Session, name: str) -> None:
    session.execute(text("UPDATE lease SET fence = fence + 1 WHERE name = :name"), {"name": name})


def test_what_writers_were_told_is_there_after_the_server_was_killed_under_them(
    server: Postgres, alone: Database, pool: ThreadPoolExecutor
) -> None:
    told: set[str] = set()

    def keep_writing(run: int, writer: int) -> None:
        with suppress(DatabaseAway, OutcomeUnknown):
            for number in range(10_000):
                told.add(alone.write(put(f"{run}-{writer}-{number}")))

    for run in range(3):
        writers = [pool.submit(keep_writing, run, writer) for writer in range(8)]
        time.sleep(0.4)
        server.kill()
        for writer in writers:
            writer.result(WAIT)
        server.start()
        assert told <= names(alone)
    assert len(told) > 50


class Cut:
    """A write that ends its own connection in its first `times` runs, once it has written."""

    def __init__(self, times: int) -> None:
        self.runs = 0
        self._times = times

    def __call__(self, session: Session) -> str:
        self.runs += 1
        put("cut")(session)
        if self.runs <= self._times:
            session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        return "cut"


def test_a_write_that_loses_its_connection_is_run_again(postgresql: Database) -> None:
    work = Cut(1)

    assert postgresql.write(work) == "cut"
    assert (work.runs, names(postgresql)) == (2, {"cut"})


def test_a_write_that_loses_its_connection_again_is_given_up(postgresql: Database) -> None:
    work = Cut(RETRIES)

    with pytest.raises(DatabaseAway):
        postgresql.write(work)

    assert (work.runs, names(postgresql)) == (2, set())


def test_a_write_whose_connection_is_lost_in_the_commit_is_not_run_again(postgresql: Database) -> None:
    """What became of it only the server knows: run again, it might be there twice."""
    postgresql.write(at_every_commit("PERFORM pg_terminate_backend(pg_backend_pid())"))
    runs: list[str] = []

    with pytest.raises(OutcomeUnknown):
        postgresql.write(lambda session: runs.append(put("in doubt")(session)))

    assert len(runs) == 1


@pytest.mark.parametrize(("sqlstate", "error"), [("40001", DatabaseBusy), ("23503", IntegrityError)])
def test_what_the_server_finds_at_the_commit_is_as_if_found_before(
    postgresql: Database, sqlstate: str, error: type[Exception]
) -> None:
    postgresql.write(at_every_commit(f"RAISE SQLSTATE '{sqlstate}'"))

    with pytest.raises(error):
        postgresql.write(put("refused"))

    assert names(postgresql) == set()


def at_every_commit(statement: str) -> Callable[[Session], None]:
    """A write after which the server runs `statement` at the commit of every new lease."""
    function = f"CREATE FUNCTION at_commit() RETURNS trigger AS $$ BEGIN {statement}; RETURN NULL; END $$"
    trigger = "CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON lease DEFERRABLE INITIALLY DEFERRED"

    def work(session: Session) -> None:
        session.execute(text(f"{function} LANGUAGE plpgsql"))
        session.execute(text(f"{trigger} FOR EACH ROW EXECUTE FUNCTION at_commit()"))

    return work


def test_a_write_that_gets_no_turn_is_busy(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("talentseal.db.WRITERS", 1)
    monkeypatch.setattr("talentseal.db.PATIENCE", 0.01)
    database = Database(postgres_url)

    def hold(session: Session) -> str:
        with pytest.raises(DatabaseBusy):
            database.write(put("late"))
        return put("first")(session)

    assert database.write(hold) == "first"
    assert names(database) == {"first"}
    database.close()


def test_no_write_notices_that_the_server_was_started_anew(
    server: Postgres, alone: Database, pool: ThreadPoolExecutor
) -> None:
    together = threading.Barrier(WRITERS)

    def write_with_the_others(name: str) -> str:
        met: list[str] = []

        def work(session: Session) -> str:
            if not met:
                together.wait(WAIT)
            met.append(name)
            session.add(Lease(name=name, holder="test", fence=1, expires_at=MOMENT))
            return name

        return alone.write(work)

    told: set[str] = set()
    for run in range(2):
        told |= set(pool.map(write_with_the_others, [f"{run}-{writer}" for writer in range(WRITERS)]))
        server.kill()
        server.start()
        told.add(alone.write(put(f"{run}-alone")))
    assert names(alone) == told


def test_no_read_notices_that_the_server_was_started_anew(
    server: Postgres, alone: Database, pool: ThreadPoolExecutor
) -> None:
    alone.write(put("kept"))
    together = threading.Barrier(8)

    def read_with_the_others(_reader: int) -> set[str]:
        together.wait(WAIT)
        return names(alone)

    for _ in range(2):
        assert list(pool.map(read_with_the_others, range(8))) == [{"kept"}] * 8
        server.kill()
        server.start()
    assert names(alone) == {"kept"}
    assert alone.snapshot(lambda session: session.scalar(select(Lease.name))) == "kept"


def test_a_killed_server_is_reconnected_to_and_has_lost_nothing(server: Postgres, alone: Database) -> None:
    for round_number in range(3):
        alone.write(put(f"kept-{round_number}"))
        server.kill()
        with pytest.raises(DatabaseAway):
            alone.write(put("never"))
        with pytest.raises(DatabaseAway):
            names(alone)
        server.start()
    assert alone.write(put("after")) == "after"
    assert names(alone) == {"kept-0", "kept-1", "kept-2", "after"}


class Refused(Conflict):
    """By what comes last."""

    code = "refused-at-the-end"
    zh = "至多两席。"
    en = "There are two seats."


SEATS = Table(
    "test_seats",
    MetaData(),
    Column("name", String, primary_key=True),
    Column("taken", Integer, CheckConstraint("taken <= 2"), nullable=False),
)
ADD = insert(SEATS).values(name=bindparam("seat"), taken=bindparam("more"))
TAKE = update(SEATS).where(SEATS.c.name == bindparam("seat")).values(taken=SEATS.c.taken + bindparam("more"))


@pytest.fixture
def seats(database: Database) -> Database:
    """Two seats, none of which is taken."""

    def work(session: Session) -> None:
        SEATS.create(session.connection(), checkfirst=True)
        session.execute(insert(SEATS).values(name="hall", taken=0))

    database.write(work)
    return database


def take(count: int, *before: Callable[[Session], object]) -> Callable[[Session], str]:
    """A write that takes seats at its end, although it says so first."""

    def work(session: Session) -> str:
        at_end(session, TAKE, {"seat": "hall", "more": count}, forbidden=Refused)
        for each in before:
            each(session)
        return "taken"

    return work


def taken(database: Database) -> int:
    found: int = database.read(lambda session: session.scalars(select(SEATS.c.taken)).one())
    return found


def test_what_has_to_come_last_comes_after_all_else_and_is_committed_with_it(seats: Database) -> None:
    met: list[int] = []

    def look(session: Session) -> None:
        met.append(session.scalars(select(SEATS.c.taken)).one())

    assert seats.write(take(2, put("first"), look)) == "taken"
    assert (met, taken(seats), names(seats)) == ([0], 2, {"first"})


def test_what_a_check_forbids_at_the_end_undoes_the_write_and_is_not_left_for_the_next(
    seats: Database,
) -> None:
    with pytest.raises(Refused):
        seats.write(take(3, put("never")))
    seats.write(put("after"))

    assert (taken(seats), names(seats)) == (0, {"after"})


def add(seat: str, more: int | None, forbidden: type[TalentSealError]) -> Callable[[Session], None]:
    """A write that makes a seat at its end."""
    return lambda session: at_end(session, ADD, {"seat": seat, "more": more}, forbidden=forbidden)


def test_so_does_what_a_key_forbids(seats: Database) -> None:
    with pytest.raises(Refused):
        seats.write(add("hall", 1, Refused))

    assert seats.write(take(2)) == "taken"


def test_other_constraints_at_the_end_are_told_as_they_are(seats: Database) -> None:
    with pytest.raises(IntegrityError):
        seats.write(add("box", None, Refused))

    assert seats.write(take(1)) == "taken"


def test_a_write_that_loses_a_race_at_its_end_is_run_again_and_reads_what_the_other_wrote(
    postgresql: Database,
) -> None:
    postgresql.write(lambda session: SEATS.create(session.connection()))
    found: list[set[str]] = []

    def work(session: Session) -> None:
        found.append(set(session.scalars(select(SEATS.c.name))))
        if "box" not in found[-1]:
            add("box", 1, LostRace)(session)
            with ThreadPoolExecutor() as other:
                other.submit(postgresql.write, add("box", 2, Refused)).result()

    postgresql.write(work)

    assert (found, taken(postgresql)) == ([set(), {"box"}], 2)


def test_what_comes_last_comes_after_a_rollback_to_a_savepoint_too(seats: Database) -> None:
    def work(session: Session) -> str:
        with suppress(LookupError), session.begin_nested():
            put("undone")(session)
            raise LookupError
        return take(1)(session)

    assert [seats.write(take(0)), seats.write(work), seats.write(work)] == ["taken"] * 3
    assert (taken(seats), names(seats)) == (2, set())


def test_what_a_failed_write_wanted_last_is_forgotten(seats: Database) -> None:
    with pytest.raises(LookupError):
        seats.write(take(1, raise_it))
    seats.write(put("after"))

    assert (taken(seats), names(seats)) == (0, {"after"})


def test_of_many_at_once_as_many_get_a_seat_as_there_are(seats: Database, pool: ThreadPoolExecutor) -> None:
    def try_it(number: int) -> bool:
        try:
            return bool(seats.write(take(1, put(str(number)))))
        except Refused:
            return False

    met = list(pool.map(try_it, range(64)))

    assert (met.count(True), taken(seats), len(names(seats))) == (2, 2, 2)
