"""Every way in which this suite alters stored evidence: column by column, row by row, and back in time."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from sqlalchemy import Column, Date, Integer, LargeBinary, Table, delete, insert, select, update
from sqlalchemy.orm import Session

from talentseal.db import Base, Instant

Change = Callable[[Session], object]


@dataclass(frozen=True, slots=True)
class Mutation:
    """One alteration. what: for the report of those that nobody noticed."""

    what: str
    change: Change


def mutations(
    session: Session, table_name: str, rows: int, without: Collection[str] = ()
) -> Iterator[Mutation]:
    """All mutations of a table but for the columns `without`, on up to `rows` of its rows."""
    table = Base.metadata.tables[table_name]
    keys = [tuple(row) for row in session.execute(select(*table.primary_key).order_by(*table.primary_key))]
    chosen = [
        keys[position * (len(keys) - 1) // max(rows - 1, 1)] for position in range(min(rows, len(keys)))
    ]
    for key in chosen:
        row = dict(session.execute(select(table).where(*_is(table, key))).mappings().one())
        yield Mutation(f"{table_name} {key}: delete", _delete(table, key))
        yield from _duplicates(table, key, row)
        for column in (column for column in table.columns if column.name not in without):
            for name, value in _values(column, row[column.name]):
                yield Mutation(
                    f"{table_name} {key}: {column.name} {name}", _set(table, key, {column.name: value})
                )
    for left, right in pairwise(chosen):
        yield from _swaps(session, table, left, right, without)


def _is(table: Table, key: tuple[Any, ...]) -> list[Any]:
    return [column == value for column, value in zip(table.primary_key, key, strict=True)]


def _delete(table: Table, key: tuple[Any, ...]) -> Change:
    return lambda session: session.execute(delete(table).where(*_is(table, key)))


def _set(table: Table, key: tuple[Any, ...], values: dict[str, Any]) -> Change:
    return lambda session: session.execute(update(table).where(*_is(table, key)).values(values))


def _insert(table: Table, row: dict[str, Any]) -> Change:
    return lambda session: session.execute(insert(table), [row])


def _duplicates(table: Table, key: tuple[Any, ...], row: dict[str, Any]) -> Iterator[Mutation]:
    last = list(table.primary_key)[-1]
    for name, value in _values(last, row[last.name]):
        if value is not None:
            yield Mutation(
                f"{table.name} {key}: duplicate as {name}", _insert(table, row | {last.name: value})
            )


def _swaps(
    session: Session, table: Table, left: tuple[Any, ...], right: tuple[Any, ...], without: Collection[str]
) -> Iterator[Mutation]:
    first, second = (
        dict(session.execute(select(table).where(*_is(table, key))).mappings().one()) for key in (left, right)
    )
    for column in table.columns:
        name = column.name
        if column.primary_key or column.unique or name in without or first[name] == second[name]:
            continue

        def swap(session: Session, name: str = name) -> None:
            _set(table, left, {name: second[name]})(session)
            _set(table, right, {name: first[name]})(session)

        yield Mutation(f"{table.name} {left} {right}: swap {name}", swap)


def _values(column: Column[Any], value: Any) -> Iterator[tuple[str, Any]]:
    """Other values for a column: near ones, far ones, none."""
    if value is not None and column.nullable:
        yield "to nothing", None
    if isinstance(column.type, Date):
        yield "a day on", value + timedelta(days=1)
    elif isinstance(column.type, Instant):
        yield from _moments(value)
    elif isinstance(column.type, Integer):
        yield from (
            (f"to {other}", other)
            for other in {0 if value is None else value + 1, (value or 2) - 1, 7} - {value}
        )
    elif isinstance(column.type, LargeBinary):
        yield from _bytes(bytes(value))
    else:
        yield from _texts(column, value)


def _moments(value: Any) -> Iterator[tuple[str, Any]]:
    if value is None:
        yield "to a time", datetime(2026, 11, 23, 8, 0, 1, tzinfo=UTC)
    else:
        yield "a microsecond on", value + timedelta(microseconds=1)
        yield "a year back", value - timedelta(days=365)


def _bytes(value: bytes) -> Iterator[tuple[str, bytes]]:
    yield "first bit", bytes([value[0] ^ 0x80]) + value[1:]
    yield "last bit", value[:-1] + bytes([value[-1] ^ 1])
    yield "cut", value[:-1]
    yield "longer", value + b"\x00"


def _texts(column: Column[Any], value: Any) -> Iterator[tuple[str, Any]]:
    choices = getattr(column.type, "enums", None)
    if choices:
        yield from ((f"to {choice}", choice) for choice in choices if choice != value)
    elif value is None:
        yield "to text", "CORRECTS"
    else:
        yield "first character", ("b" if value[0] == "a" else "a") + value[1:]
        yield "cut", value[:-1]
