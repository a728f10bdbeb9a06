"""Two databases, one way to use them: `read` and `write` run a function in a session and return its result.

`write` returns only after the commit is durable. On PostgreSQL every write is a transaction of its own, run
again when the database says it lost a race or the connection broke before its COMMIT. On SQLite there is one
writing connection: a lone writer uses it on its own thread, several queue in order of arrival and all that
wait share one commit (group commit), so nobody sleeps in SQLite's busy handler; when one of them fails the
group is run again, each write in a savepoint. A write function may therefore be run more than once and must
have no effect outside its session; what has to follow a commit is registered with `after_commit`.
"""

import importlib
import re
import secrets
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from types import ModuleType
from typing import Any, Final, Protocol, TypeVar, TypeVarTuple, cast

import psycopg
import structlog
from sqlalchemy import (
    BigInteger,
    Connection,
    Dialect,
    Engine,
    MetaData,
    Row,
    Table,
    UpdateBase,
    create_engine,
    event,
    text,
)
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.sql.selectable import TypedReturnsRows
from sqlalchemy.types import TypeDecorator

from talentseal import migrations
from talentseal.errors import TalentSealError, Unavailable
from talentseal.failpoints import reach
from talentseal.statements import Named, carry_out, of_sqlalchemy, raw_of

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
log = structlog.get_logger(__name__)

GROUP_LIMIT = 128
"""Writes that share one commit at most: bounds how long the first of them waits for the last."""

WRITERS = 4
"""PostgreSQL connections on which a process writes at once: what waits for its turn waits here, where it
holds no row and no processor. With 32, four processes under ten times the peak kept 0.44 of it, with 8 about
0.75; with 4 the latest of 100 redemptions at an even 300 a second took 48 to 68 ms, with 8 54 to 112.
"""

READERS = 10
"""PostgreSQL connections on which a process reads at once."""

SPARE = 4
"""PostgreSQL connections for snapshots while all WRITERS write."""

PATIENCE = 30.0
"""Seconds that one waits for his turn at PostgreSQL before he is told to come back."""

RETRIES = 5
"""Runs of one PostgreSQL transaction before the caller is told to come back."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_RETRYABLE_SQLSTATES = frozenset({"40001", "40P01", "26000"})
"""Not serialisable, deadlock; and a statement's name is gone, as after a rollback to a savepoint."""


class DatabaseBusy(Unavailable):
    code = "database-busy"
    zh = "系统繁忙，本次操作未生效，请稍后重试。"
    en = "The database is busy and nothing was changed; try again shortly."


class StorageFailed(Unavailable):
    """A commit failed in a way that leaves the disk in doubt. The process writes nothing more until
    restarted.
    """

    code = "storage-failed"
    zh = "存储出现故障，系统已停止写入，本次操作未确认。请联系运营机构。"
    en = "Storage failed; nothing is written until the operator restarts and checks the service."


class DatabaseAway(Unavailable):
    """The server cannot be reached, or was lost before a COMMIT was sent."""

    code = "database-away"
    zh = "暂时无法连接数据库，本次操作未生效，请稍后重试。"
    en = "The database cannot be reached and nothing was changed; try again shortly."


class OutcomeUnknown(Unavailable):
    """The server was lost while it committed: only it knows what became of the write."""

    code = "outcome-unknown"
    zh = "提交时与数据库的连接中断，是否生效尚不确定。请以同一 Idempotency-Key 重新提交，或先查询结果。"
    en = (
        "The database was lost while it committed, so whether this took effect is not known; "
        "send it again under the same Idempotency-Key, or look first."
    )


class LostRace(Unavailable):
    """Somebody else changed what the write had read; it is run again."""

    code = "lost-race"
    zh = "同时办理的人较多，请稍后重试。"
    en = "Too many act on this at once; try again shortly."


class ReferencesBroken(TalentSealError):
    code = "references-broken"
    zh = "数据库升级未生效：{table} 中有记录引用了 {parent} 中不存在的记录。请先恢复备份或联系运营机构。"
    en = "The upgrade was undone: a row of {table} refers to one missing from {parent}; restore a backup."


class Base(DeclarativeBase):
    """All tables. The naming convention makes constraints addressable by name in migrations."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def microseconds(instant: datetime) -> int:
    """An aware time as columns of type `Instant` store it. Raises ValueError for a naive one."""
    if instant.tzinfo is None:
        raise ValueError("expected an aware time, met a naive one; take it from the clock")
    return (instant - _EPOCH) // _MICROSECOND


class Instant(TypeDecorator[datetime]):
    """An aware UTC time, stored as microseconds since 1970: exact, ordered and the same in both databases."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> int | None:
        return None if value is None else microseconds(value)

    def process_result_value(self, value: int | None, _dialect: Dialect) -> datetime | None:
        return None if value is None else _EPOCH + timedelta(microseconds=value)


@dataclass(frozen=True, slots=True)
class Ahead:
    """A constant statement with which a write begins, and its values; its rows are those of `rows`."""

    statement: Any
    values: Mapping[str, Any] = field(repr=False)


def rows(session: Session, query: TypedReturnsRows[*Ts], **values: object) -> Sequence[Row[*Ts]]:
    """What a query for columns finds. It is a constant, and `values` are those of its parameters.

    What waits in the session is written before, as in a query through it.
    """
    session.flush()
    ahead: dict[Any, tuple[Mapping[str, Any], Sequence[Row[Any]]]] | None = session.info.get(_AHEAD)
    if ahead and query in ahead:
        asked, found = ahead.pop(query)
        if asked == values:
            return found
    return carry_out(connection_of(session), query, values)


_AHEAD: Final = "ahead"


def connection_of(session: Session) -> Connection:
    """What the session's transaction runs on, looked up once in it: to do so takes as long as a statement."""
    found: Connection | None = session.info.get(_CONNECTION)
    if found is None:
        found = session.info[_CONNECTION] = session.connection()
    return found


_CONNECTION: Final = "connection"


def only_row(session: Session, query: TypedReturnsRows[*Ts], **values: object) -> Row[*Ts] | None:
    """The one row of a query that finds no more than one; None when it finds none. Otherwise as `rows`."""
    return next(iter(rows(session, query, **values)), None)


def table_of(model: type[Base]) -> Table:
    """The table behind a model, for statements of which no object is wanted."""
    return cast("Table", model.__table__)


def is_sqlite(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"


class Writes(Protocol):
    """What can be written to as to a `Database`."""

    @property
    def dialect(self) -> str: ...

    def write(self, work: Callable[[Session], T], ahead: Sequence[Ahead] = ()) -> T: ...


class Database:
    """An open database. `close` ends the writer thread and the pools; after it nothing may be used.

    url: `sqlite:///path` or `postgresql://…`. Raises ValueError for any other kind.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._listeners: list[Callable[[], None]] = []
        if url.startswith("sqlite:"):
            self._writer: _GroupWriter | _ManyWriters = _GroupWriter(
                _sqlite_engine(url, writing=True, grouped=True), self._notify
            )
            self._reading = _sqlite_engine(url, writing=False)
        elif url.startswith("postgresql"):
            for_all = {"pool_size": WRITERS, "max_overflow": SPARE, "pool_pre_ping": True}
            self._writer = _ManyWriters(_postgresql_engine(url, writing=True, **for_all), self._notify)
            for_reads = {"pool_size": READERS, "max_overflow": 0, "isolation_level": "AUTOCOMMIT"}
            self._reading = _postgresql_engine(url, writing=False, **for_reads)
            self._readers = _Readers(self._reading)
        else:
            raise ValueError(f"expected a sqlite:/// or postgresql:// address, met {url.partition(':')[0]!r}")

    @property
    def dialect(self) -> str:
        return self._reading.dialect.name

    def after_commit(self, listener: Callable[[], None]) -> None:
        """Call `listener` (quick, never raising) after each durable write, on the thread that wrote."""
        self._listeners.append(listener)

    def read(self, work: Callable[[Session], T]) -> T:
        """Run `work` in a session that cannot write; one snapshot on SQLite, statement by statement on
        PostgreSQL. Done again when it meets a connection that was lost. Raises DatabaseBusy when all
        connections are taken for too long, DatabaseAway.
        """
        if self.dialect == "sqlite":
            return self.snapshot(work)
        try:
            return self._readers.read(work)
        except DatabaseAway:
            # To ask of each connection whether it lives, and to begin and end a transaction around a single
            # query, were three trips to the server of four. The connection of a snapshot is asked.
            return self.snapshot(work)

    def snapshot(self, work: Callable[[Session], T]) -> T:
        """Run `work` in a session that cannot write and sees one state of the database throughout.

        Raises DatabaseAway.
        """
        engine = self._reading
        if self.dialect == "postgresql":
            kept = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
            engine = self._writer.engine.execution_options(**kept)
        with _telling_when_away(), Session(engine, expire_on_commit=False) as session:
            return work(session)

    def write(self, work: Callable[[Session], T], ahead: Sequence[Ahead] = ()) -> T:
        """Run `work` in one transaction and return its result once the commit is durable.

        ahead: what `work` asks by `rows` before it changes anything, in that order, and what may be as it was
        at the begin: held, confirmed by a guard at the end, or true as of then. On PostgreSQL it goes to the
        server together with the BEGIN.

        Whatever `work` raises rolls back this write alone. Raises DatabaseBusy after lost races, DatabaseAway
        when the server cannot be reached, OutcomeUnknown when it was lost at the COMMIT, StorageFailed when
        the outcome on disk is in doubt.
        """
        return self._writer.submit(work, ahead)

    def _notify(self) -> None:
        for listener in self._listeners:
            listener()

    def upgrade(self) -> None:
        """Bring the tables to the newest version, in one transaction. Idempotent."""
        # Not the engine of the SQLite writer, on which a transaction is one write of a group.
        is_sqlite = self.dialect == "sqlite"
        engine = _sqlite_engine(self.url, writing=True) if is_sqlite else self._writer.engine
        with engine.connect() as connection:
            if is_sqlite:
                # SQLite alters a column by making the table anew: rows that refer to it must stay.
                raw_of(connection).execute("PRAGMA foreign_keys=OFF")
            with connection.begin():
                migrations.upgrade(connection)
                if is_sqlite:
                    _check_references(connection)
        if is_sqlite:
            engine.dispose()

    def close(self) -> None:
        self._writer.close()
        if self.dialect == "postgresql":
            self._readers.close()
        self._reading.dispose()


def _taken_lock() -> threading.Lock:
    lock = threading.Lock()
    lock.acquire()
    return lock


@dataclass(slots=True)
class _Waiting:
    """One write in the queue: what to run and where its result goes."""

    work: Callable[[Session], Any]
    result: Any = None
    error: BaseException | None = None
    _answered: threading.Lock = field(default_factory=_taken_lock)

    def wait(self) -> Any:
        """The result, or the error raised, once `answer` was called."""
        # A bare lock, not a Future: with many writers that was a fifth of each write's time.
        self._answered.acquire()
        if self.error is not None:
            raise self.error
        return self.result

    def answer(self, failure: BaseException | None) -> None:
        """Let the writer go on: with `failure` when the whole group failed."""
        self.error = failure or self.error
        self._answered.release()


class _GroupWriter:
    """The one writer of a SQLite file in this process. Other processes are kept out by BEGIN IMMEDIATE.

    A lone writer carries out its write on its own thread, since handing it to another costs as much as the
    commit. Once two meet, they queue for a thread that commits all that wait at once.
    """

    def __init__(self, engine: Engine, notify: Callable[[], None]) -> None:
        self.engine = engine
        self._notify = notify
        self._failed = False
        self._closed = False
        self._line: deque[_Waiting] = deque()
        self._door = threading.Condition()
        """Guards the line; told when a write joins it, and at the end."""
        self._turn = threading.Lock()
        """Held by the thread that writes."""
        self._at_work: int | None = None
        """Which thread that is."""
        self._is_quiet = True
        """Whether nobody waited when the last write was done."""
        self._thread = threading.Thread(target=self._run, name="database-writer", daemon=True)
        self._thread.start()

    @cached_property
    def _connection(self) -> Connection:
        return self.engine.connect()

    @cached_property
    def _session(self) -> Session:
        """One for all writes, empty before each: to make a new one is a fifth of a short write's time."""
        return Session(self._connection, expire_on_commit=False)

    def submit(self, work: Callable[[Session], T], _ahead: Sequence[Ahead]) -> T:
        if self._at_work == threading.get_ident():
            raise RuntimeError("a write may not start another write: pass the session along instead")
        waiting = _Waiting(work)
        if not self._write_alone(waiting):
            with self._door:
                if self._failed or self._closed:
                    raise StorageFailed
                self._line.append(waiting)
                self._door.notify()
        result: T = waiting.wait()
        return result

    def close(self) -> None:
        with self._door:
            self._closed = True
            self._door.notify()
        self._thread.join(timeout=30)
        if self._turn.acquire(timeout=30):
            self._connection.close()
        self.engine.dispose()

    def _write_alone(self, waiting: _Waiting) -> bool:
        """Carry out a write on its own thread; False, and nothing done, when others write or wait."""
        if not self._is_quiet or not self._turn.acquire(blocking=False):
            self._is_quiet = False
            return False
        try:
            if self._closed:
                raise StorageFailed
            is_committed = self._carry_out([waiting])
        finally:
            self._turn.release()
        if is_committed:
            self._notify()
        return True

    def _run(self) -> None:
        while self._wait():
            with self._turn:
                group = self._next_group()
                is_committed = self._carry_out(group)
                self._is_quiet = len(group) == 1 and not self._line
            if is_committed:
                self._notify()

    def _wait(self) -> bool:
        """Wait for a write; False when none will come."""
        with self._door:
            self._door.wait_for(lambda: self._line or self._closed)
            return bool(self._line)

    def _next_group(self) -> list[_Waiting]:
        with self._door:
            return [self._line.popleft() for _ in range(min(len(self._line), GROUP_LIMIT))]

    def _carry_out(self, group: list[_Waiting]) -> bool:
        """Commit the group and answer each of it. Whether it was committed. Never raises."""
        failure: BaseException | None = StorageFailed() if self._failed else None
        self._at_work = threading.get_ident()
        try:
            if failure is None:
                self._commit(group)
        except BaseException as error:
            # No failure may pass, a SystemExit neither, or the rest of the group would wait for ever.
            log.exception("commit.failed")
            failure = self._in_doubt(error)
        self._at_work = None
        for waiting in group:
            waiting.answer(failure)
        return failure is None

    def _commit(self, group: list[_Waiting]) -> None:
        if not self._attempt(group, apart=False):
            self._attempt(group, apart=True)
        reach("write.committed")

    def _attempt(self, group: list[_Waiting], *, apart: bool) -> bool:
        """Run and commit the group, each write `apart` in a savepoint or all in the bare transaction.

        False when a write of several failed that cannot be undone alone: then nothing of the group is kept.
        """
        raw, session = raw_of(self._connection), self._session
        if apart:
            # Ends the transaction of SQLAlchemy, which otherwise spans writes and groups: in a bare group it
            # does nothing, and beginning and ending one takes as long as the statements of a write.
            session.close()
        with _immediate(raw, apart=apart):
            for waiting in group:
                self._run_one(raw, session, waiting)
                if raw.is_doomed and (len(group) > 1 or waiting.error is None):
                    raw.execute("ROLLBACK")
                    return False
            if raw.is_doomed:
                raw.execute("ROLLBACK")
                return True
            reach("write.before-commit")
        return True

    def _run_one(self, raw: Any, session: Session, waiting: _Waiting) -> None:
        waiting.error = None
        session.info.clear()
        try:
            waiting.result = waiting.work(session)
            _end(session)
            if raw.is_apart:
                session.commit()
            session.expunge_all()
        except BaseException as error:
            waiting.error = error
            session.close()
            # On a full disk or an I/O error SQLite rolls back the whole transaction by itself: going on would
            # commit the later writes of the group and acknowledge the earlier, lost ones.
            if not raw.in_transaction:
                raise

    def _in_doubt(self, error: BaseException) -> BaseException:
        """A busy file is worth a retry by the caller; after any other failure the disk's state is unknown."""
        if isinstance(error, sqlite_driver().OperationalError) and "locked" in str(error):
            return DatabaseBusy()
        # After a failed fsync the page cache may show as durable what the disk never took: only a restart,
        # which re-reads and re-verifies, may write again.
        self._failed = True
        log.error("storage.failed", error=type(error).__name__)
        return StorageFailed()


class _Readers:
    """Those who read a PostgreSQL database: connections that stay open, each with the one session of its own.

    For every read to make a session took as long as its query.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._turns = threading.Semaphore(READERS)
        self._idle: deque[Session] = deque()

    def read(self, work: Callable[[Session], T]) -> T:
        with _turn(self._turns), _telling_when_away():
            session = self._kept()
            try:
                result = work(session)
            except BaseException:
                _give_back(session)
                raise
            session.expunge_all()
            self._idle.append(session)
            return result

    def close(self) -> None:
        while self._idle:
            _give_back(self._idle.pop())

    def _kept(self) -> Session:
        try:
            return self._idle.pop()
        except IndexError:
            connection = self._engine.connect()
            return Session(connection, expire_on_commit=False, info={_CONNECTION: connection})


@contextmanager
def _turn(turns: threading.Semaphore) -> Iterator[None]:
    """Raises DatabaseBusy when none comes."""
    if not turns.acquire(timeout=PATIENCE):
        raise DatabaseBusy
    try:
        yield
    finally:
        turns.release()


@contextmanager
def _telling_when_away() -> Iterator[None]:
    """Raises DatabaseAway for what the server's absence brings."""
    try:
        yield
    except DBAPIError as error:
        if _is_away(error):
            raise DatabaseAway from error
        raise


class _ManyWriters:
    """The writers of a PostgreSQL database, as its readers.

    That the pool asks the server whether the connection lives took a quarter of a short write's time. So
    nobody asks, and a write that meets a dead connection is run again. SQLAlchemy's transaction spans the
    writes of a session, for beginning and ending one took another fifth: the transactions are begun and ended
    here, each in one request with what is known to come first and last.
    """

    def __init__(self, engine: Engine, notify: Callable[[], None]) -> None:
        self.engine = engine
        self._by_hand = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._notify = notify
        self._turns = threading.Semaphore(WRITERS)
        self._idle: deque[_Writer] = deque()

    def submit(self, work: Callable[[Session], T], ahead: Sequence[Ahead]) -> T:
        with _turn(self._turns), _telling_when_away():
            result = self._run(work, ahead)
        self._notify()
        return result

    def close(self) -> None:
        while self._idle:
            _give_back(self._idle.pop().session)
        self.engine.dispose()

    def _run(self, work: Callable[[Session], T], ahead: Sequence[Ahead]) -> T:
        for attempt in range(RETRIES):
            writer = self._new() if attempt else self._kept()
            try:
                writer.begin(ahead)
                result = work(writer.session)
                writer.commit()
            except BaseException as error:
                _give_back(writer.session)
                if not (_lost_race(error) or (attempt == 0 and _lost_connection(error))):
                    raise
                time.sleep(_pause(attempt))
            else:
                self._idle.append(writer)
                return result
        raise DatabaseBusy

    def _kept(self) -> "_Writer":
        try:
            return self._idle.pop()
        except IndexError:
            return self._new()

    def _new(self) -> "_Writer":
        connection = self._by_hand.connect()
        return _Writer(Session(connection, expire_on_commit=False), connection, Named(connection))


@dataclass(frozen=True, slots=True)
class _Writer:
    """A session on a connection of its own, and the statements that the server knows there by name."""

    session: Session
    connection: Connection
    named: Named

    def begin(self, ahead: Sequence[Ahead]) -> None:
        """Begin a transaction, and ask what is known to be asked first in it."""
        self.session.info.clear()
        self.session.info[_CONNECTION] = self.connection
        try:
            found = self.named.execute([(each.statement, each.values) for each in ahead], before="BEGIN")
        except psycopg.Error as error:
            raise of_sqlalchemy(error, None, self.connection) from error
        met = zip(ahead, found, strict=True)
        self.session.info[_AHEAD] = {each.statement: (each.values, its) for each, its in met}

    def commit(self) -> None:
        """Write what waits in the session, then what has to come last, and commit."""
        self.session.flush()
        reach("write.before-commit")
        last = _kept_for_the_end(self.session)
        try:
            self.named.execute([(each.statement, each.values) for each in last], after="COMMIT")
        except psycopg.Error as error:
            if isinstance(error, _FORBIDDING):
                for each in last:
                    if each.forbidden and each.statement.entity_description["name"] == error.diag.table_name:
                        raise each.forbidden from error
            if raw_of(self.connection).closed or _is_of_no_server(error):
                raise OutcomeUnknown from error
            raise DBAPIError.instance(None, None, error, psycopg.Error) from error
        reach("write.committed")
        self.session.expunge_all()


_FORBIDDING: Final = (psycopg.errors.CheckViolation, psycopg.errors.UniqueViolation)


def _give_back(session: Session) -> None:
    """Roll back what is open and return the connection to the pool, which tests it before its next use."""
    # What cannot be rolled back is dead, and the pool drops it: then the error to tell is the first.
    with suppress(DBAPIError), cast("Connection", session.bind):
        session.close()


def _lost_race(error: BaseException) -> bool:
    if isinstance(error, DBAPIError):
        return getattr(error.orig, "sqlstate", None) in _RETRYABLE_SQLSTATES
    return isinstance(error, LostRace)


def _lost_connection(error: BaseException) -> bool:
    """Whether it was lost before the COMMIT, so that nothing can have been committed."""
    return isinstance(error, DBAPIError) and error.connection_invalidated


def _is_away(error: DBAPIError) -> bool:
    """Whether PostgreSQL did not answer, or said that it is going down or coming up."""
    return isinstance(error, OperationalError) and _is_of_no_server(error.orig)


def _is_of_no_server(error: BaseException | None) -> bool:
    """Whether a driver's error is its own (no state), of a connection, or of a server going down or up."""
    state = getattr(error, "sqlstate", "")
    return state is None or state.startswith(("08", "57P0"))


def _pause(attempt: int) -> float:
    """Seconds before the next attempt: doubling, and spread so that two losers do not meet again."""
    return float(0.01 * 2**attempt * (0.5 + secrets.randbelow(1000) / 1000))


@contextmanager
def _immediate(raw: Any, *, apart: bool) -> Iterator[None]:
    """The transaction of a group, held by the driver; it is committed unless it was rolled back inside."""
    raw.execute("BEGIN IMMEDIATE")
    raw.is_apart, raw.is_doomed = apart, False
    try:
        yield
        if raw.in_transaction:
            raw.execute("COMMIT")
    except BaseException:
        if raw.in_transaction:
            raw.execute("ROLLBACK")
        raise


def _grouped(driver: ModuleType) -> type:
    """A class of connections on which a transaction of SQLAlchemy is one write of a group.

    A savepoint makes it possible to undo one write alone, but keeps a copy of every page that it touches:
    numbering 4,096 records took 115 ms in one and 30 ms without. Nearly all writes succeed. So a group is
    first run without, and a rollback only dooms it; then it is rolled back and run again, each write apart.
    """

    class Grouped(driver.Connection):  # type: ignore[misc, name-defined]  # the driver is chosen at run time
        is_apart = False
        is_doomed = False

        def begin_write(self) -> None:
            if self.is_apart:
                self.execute("SAVEPOINT one_write")

        def commit(self) -> None:
            if self.is_apart:
                self.execute("RELEASE one_write")

        def rollback(self) -> None:
            if not self.is_apart:
                self.is_doomed = True
            elif self.in_transaction:
                self.execute("ROLLBACK TO one_write")
                self.execute("RELEASE one_write")

    return Grouped


def _postgresql_engine(url: str, *, writing: bool, **options: Any) -> Engine:
    # The driver's own marks for parameters, which it need not look for in the text of each statement.
    engine = create_engine(
        re.sub(r"^postgresql(\+\w+)?://", "postgresql+psycopg://", url),
        hide_parameters=True,
        paramstyle="numeric_dollar",
        connect_args={"cursor_factory": psycopg.RawCursor},
        **options,
    )

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: object) -> None:
        connection.server_cursor_factory = psycopg.RawServerCursor
        if not writing:
            connection.autocommit = True
            connection.execute("SET default_transaction_read_only = on")

    return engine


def _sqlite_engine(url: str, *, writing: bool, grouped: bool = False) -> Engine:
    driver = sqlite_driver()
    arguments: dict[str, Any] = {"timeout": 10.0, "check_same_thread": False}
    if grouped:
        arguments["factory"] = _grouped(driver)
    # The driver's rollback on return to the pool would meet no savepoint: a group ends its own transaction.
    reset = None if grouped else "rollback"
    engine = create_engine(
        url, module=driver, connect_args=arguments, pool_reset_on_return=reset, hide_parameters=True
    )

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        for pragma in _pragmas(driver, writing=writing):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if grouped:
            raw_of(connection).begin_write()
        else:
            raw_of(connection).execute("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine


def _pragmas(driver: ModuleType, *, writing: bool) -> list[str]:
    journal = "WAL" if wal_is_safe(driver.sqlite_version_info) else "PERSIST"
    common = ["foreign_keys=ON", "trusted_schema=OFF"]
    if not writing:
        return [*common, "query_only=ON"]
    # secure_delete: an erased disclosure must not linger in a free page.
    # temp_store: what a savepoint might have to undo stays in memory, where it was a file written by pages.
    return [f"journal_mode={journal}", "synchronous=FULL", "secure_delete=ON", "temp_store=MEMORY", *common]


def sqlite_driver() -> ModuleType:
    """pysqlite3's own recent SQLite where there is a wheel for the machine, else the one Python was built
    with.
    """
    try:
        return importlib.import_module("pysqlite3.dbapi2")
    except ImportError:
        return sqlite3


def wal_is_safe(version: tuple[int, ...]) -> bool:
    """False for SQLite 3.7.0 to 3.51.2 but the two repaired branches: their WAL can lose a commit in a race.

    Those run with a rollback journal, which is slower and not affected.
    """
    repaired = (version[:2] == (3, 50) and version >= (3, 50, 7)) or (
        version[:2] == (3, 44) and version >= (3, 44, 6)
    )
    return version >= (3, 51, 3) or repaired


def _check_references(connection: Connection) -> None:
    """Raises ReferencesBroken, which undoes the migration, when a row refers to one that is not there."""
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if broken is not None:
        raise ReferencesBroken(table=str(broken[0]), parent=str(broken[2]))


@dataclass(frozen=True, slots=True)
class _AtEnd:
    """A statement for the end of a write, and what to raise when a CHECK or a key forbids it."""

    statement: UpdateBase
    values: Mapping[str, Any]
    forbidden: type[TalentSealError] | None


def at_end(
    session: Session,
    statement: UpdateBase,
    values: Mapping[str, Any],
    *,
    forbidden: type[TalentSealError] | None = None,
) -> None:
    """Execute `statement`, a constant of which no row is read, in this write after all else. What a CHECK or
    a key then forbids undoes the write and raises `forbidden`; statements that name such an error come last.

    On PostgreSQL they go to the server together with the COMMIT: a row that everybody waits for is then held
    for no longer than that takes. When our thread had to hear of it first and to get its turn again, with 32
    clients all waited for that.
    """
    session.info.setdefault(_AT_END, []).append(_AtEnd(statement, values, forbidden))


def _kept_for_the_end(session: Session) -> list[_AtEnd]:
    kept: list[_AtEnd] = session.info.pop(_AT_END, [])
    return sorted(kept, key=lambda each: each.forbidden is not None)


def _end(session: Session) -> None:
    """Write what waits in the session, then what has to come last."""
    session.flush()
    for each in _kept_for_the_end(session):
        try:
            carry_out(connection_of(session), each.statement, each.values)
        except IntegrityError as error:
            if each.forbidden is None or not str(error.orig).startswith(_FORBIDDEN):
                raise
            raise each.forbidden from error


_AT_END: Final = "at end"
_FORBIDDEN: Final = ("CHECK constraint failed", "UNIQUE constraint failed")


def defer_foreign_keys(session: Session) -> None:
    """Check the deferrable foreign keys of this transaction at its commit: for copying tables that refer to
    themselves.
    """
    session.execute(
        text("PRAGMA defer_foreign_keys=ON" if is_sqlite(session) else "SET CONSTRAINTS ALL DEFERRED")
    )


def ping(session: Session) -> None:
    """Raise when the database does not answer."""
    session.execute(text("SELECT 1"))
