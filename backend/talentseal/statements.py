"""Constant statements, handed to the driver as it takes them.

SQLAlchemy compiles a statement once, and then looks it up, binds its values, asks the driver what the columns
are and wraps the rows, each time anew: of a short query's time that was half. Here all of it is kept with the
statement. Its types are SQLAlchemy's, so that a value is written and read as everywhere else.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from operator import itemgetter
from typing import Any, Final

from psycopg.adapt import Transformer
from sqlalchemy import Connection, Dialect, Row
from sqlalchemy.engine.result import IteratorResult, SimpleResultMetaData
from sqlalchemy.exc import DBAPIError

KEPT: Final = 1024
"""Statements that are kept; there are some hundreds."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A statement as a driver takes it.

    fetch: takes its values, in order, out of those that are given; given: its own, for those that nobody
    names; fits: what makes of the value at that place the driver's. columns: of its rows, None for one that
    has none; reads: what makes of the value at that place the type's.
    """

    text: str
    fetch: Callable[[Mapping[str, Any]], Iterable[Any]]
    given: Mapping[str, Any]
    fits: tuple[tuple[int, Callable[[Any], Any]], ...]
    columns: SimpleResultMetaData | None
    reads: tuple[tuple[int, Callable[[Any], Any]], ...]

    @staticmethod
    @lru_cache(maxsize=KEPT)
    def of(statement: Any, dialect: Dialect) -> "Prepared | None":
        """None when its text depends on its values, as with a list of them.

        dialect: one whose parameters stand in order.
        """
        made = statement.compile(dialect=dialect)
        if made.post_compile_params or made.literal_execute_params:
            return None
        bound = [made.binds[name] for name in made.positiontup]
        columns = statement.exported_columns
        fits = (each.type.dialect_impl(dialect).bind_processor(dialect) for each in bound)
        reads = (each.type.dialect_impl(dialect).result_processor(dialect, None) for each in columns)
        return Prepared(
            str(made),
            _fetching([each.key for each in bound]),
            {each.key: each.effective_value for each in bound if not each.required},
            tuple((at, fit) for at, fit in enumerate(fits) if fit),
            SimpleResultMetaData(columns.keys()) if len(columns) else None,
            tuple((at, read) for at, read in enumerate(reads) if read),
        )

    def bound(self, values: Mapping[str, Any]) -> list[Any]:
        """All its values, in order. Raises KeyError when one is missing."""
        made = list(self.fetch({**self.given, **values} if self.given else values))
        for at, fit in self.fits:
            made[at] = fit(made[at])
        return made

    def carry_out(self, connection: Connection, values: Mapping[str, Any]) -> Sequence[Row[Any]]:
        """Execute it in the connection's transaction; its rows. Raises DBAPIError as SQLAlchemy would."""
        try:
            return self.rows(raw_of(connection).execute(self.text, self.bound(values)))
        except connection.dialect.loaded_dbapi.Error as error:
            raise of_sqlalchemy(error, self.text, connection) from error

    def rows(self, cursor: Any) -> Sequence[Row[Any]]:
        """What the driver found with it; none when it has no rows."""
        if self.columns is None:
            return []
        found: list[tuple[Any, ...]] = cursor.fetchall()
        read = map(self._read, found) if self.reads else iter(found)
        met: Sequence[Any] = IteratorResult(self.columns, read).all()
        return met

    def _read(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        values = list(row)
        for at, read in self.reads:
            values[at] = read(values[at])
        return tuple(values)


def carry_out(connection: Connection, statement: Any, values: Mapping[str, Any]) -> Sequence[Row[Any]]:
    """Execute a constant statement in the connection's transaction; its rows, none when it returns none.

    values: of its parameters; what it needs and is not given raises KeyError. Raises DBAPIError.
    """
    prepared = Prepared.of(statement, connection.dialect)
    if prepared is not None:
        return prepared.carry_out(connection, values)
    result = connection.execute(statement, values)
    return result.all() if result.returns_rows else []


def raw_of(connection: Connection) -> Any:
    """The driver's own connection."""
    return connection.connection.dbapi_connection


class Named:
    """Statements that a connection to PostgreSQL knows by name: any number of them go to the server as one
    request, which plans none of them anew.
    """

    def __init__(self, connection: Connection) -> None:
        self._raw = raw_of(connection)
        self._dialect = connection.dialect
        self._names: dict[Any, bytes] = {}
        self._literal = Transformer(self._raw).as_literal

    def execute(
        self, calls: Sequence[tuple[Any, Mapping[str, Any]]], *, before: str = "", after: str = ""
    ) -> list[Sequence[Row[Any]]]:
        """Execute constant statements with their values, one after the other until one fails, between two
        commands of the transaction; the rows of each. Raises the driver's own errors, TypeError for a
        statement whose text depends on its values.
        """
        made = [(self._prepared(statement), statement, values) for statement, values in calls]
        parts = [self._call(prepared, statement, values) for prepared, statement, values in made]
        request = [part for part in (before.encode(), *parts, after.encode()) if part]
        cursor = self._raw.execute(b";".join(request), prepare=False)
        found = []
        for number, (prepared, _, _) in enumerate(made):
            if before or number:
                cursor.nextset()
            found.append(prepared.rows(cursor))
        return found

    def _prepared(self, statement: Any) -> Prepared:
        prepared = Prepared.of(statement, self._dialect)
        if prepared is None:
            raise TypeError("expected a constant statement, met one whose text depends on its values")
        return prepared

    def _call(self, prepared: Prepared, statement: Any, values: Mapping[str, Any]) -> bytes:
        name = self._names.get(statement)
        if name is None:
            # Never the same again: after a rollback the server may know it still or not.
            name = b"own_%d" % next(_NUMBERS)
            self._raw.execute(b"PREPARE %b AS %b" % (name, prepared.text.encode()), prepare=False)
            self._names[statement] = name
        literals = b",".join(map(self._literal, prepared.bound(values)))
        return b"EXECUTE %b(%b)" % (name, literals) if literals else b"EXECUTE " + name


_NUMBERS: Final = count()


def _fetching(keys: list[str]) -> Callable[[Mapping[str, Any]], Iterable[Any]]:
    """What takes the values of those keys out of a mapping."""
    if len(keys) > 1:
        return itemgetter(*keys)
    return lambda values: [values[key] for key in keys]


def of_sqlalchemy(error: Exception, text: str | None, connection: Connection) -> Exception:
    """The driver's error as SQLAlchemy tells it. A connection that was lost is taken out of the pool."""
    dialect, pooled = connection.dialect, connection.connection
    lost = dialect.is_disconnect(error, pooled, None)  # type: ignore[arg-type]  # the driver's own classes
    told = DBAPIError.instance(
        text,
        None,
        error,
        dialect.loaded_dbapi.Error,
        hide_parameters=True,
        connection_invalidated=lost,
        dialect=dialect,
    )
    if lost:
        connection.invalidate(error)
    return told
