"""A constant statement handed to the driver does what SQLAlchemy makes of it: values, rows, errors."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from enum import Enum as PythonEnum
from functools import partial
from typing import Any, Final

import pytest
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Enum,
    LargeBinary,
    MetaData,
    Row,
    Select,
    String,
    Table,
    bindparam,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from talentseal.db import Ahead, Database, Instant, at_end, connection_of, only_row, rows
from talentseal.statements import Prepared, carry_out


class Colour(PythonEnum):
    RED = "RED"
    GREEN = "GREEN"


THINGS: Final = Table(
    "test_things",
    MetaData(),
    Column("id", String(32), primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("colour", Enum(Colour, native_enum=False)),
    Column("at", Instant()),
    Column("day", Date),
    Column("is_new", Boolean, nullable=False),
    Column("raw", LargeBinary),
)
KEEP: Final = insert(THINGS)
ONE: Final[dict[str, Any]] = {
    "id": "一",
    "number": 2**53,
    "colour": Colour.GREEN,
    "at": datetime(2026, 11, 23, 8, 0, 0, 123456, tzinfo=UTC),
    "day": date(2026, 11, 23),
    "is_new": True,
    "raw": bytes(range(256)),
}
EMPTY: Final[dict[str, Any]] = {
    **dict.fromkeys(ONE),
    "id": "it's %s $1 ? :id",
    "number": -1,
    "is_new": False,
}
ALL: Final = select(THINGS).order_by(THINGS.c.number)
NAMED: Final = ALL.where(THINGS.c.id == bindparam("named"))


@pytest.fixture
def things(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    database.write(lambda session: THINGS.create(session.connection()))
    database.write(lambda session: [carry_out(connection_of(session), KEEP, row) for row in (ONE, EMPTY)])
    yield database
    database.close()


def test_values_and_rows_of_every_type_are_as_through_sqlalchemy(things: Database) -> None:
    found = things.read(lambda session: rows(session, ALL))

    assert [dict(row._mapping) for row in found] == [EMPTY, ONE]
    assert found == things.read(lambda session: session.execute(ALL).all())
    assert all(isinstance(row, Row) for row in found)


def test_a_value_of_the_statement_itself_may_be_given_or_left(things: Database) -> None:
    query: Select[Any, Any] = select(
        literal("own").label("said"), bindparam("either", "left").label("either")
    )

    assert things.read(lambda session: only_row(session, query)) == ("own", "left")
    assert things.read(lambda session: only_row(session, query, either="given")) == ("own", "given")


def test_what_a_statement_returns_is_read_and_what_returns_nothing_has_no_rows(things: Database) -> None:
    paint = update(THINGS).where(THINGS.c.id == bindparam("named")).values(colour=bindparam("paint"))
    told = paint.returning(THINGS.c.colour, THINGS.c.at)

    def work(session: Session) -> tuple[Any, Any]:
        connection, values = connection_of(session), {"named": "一", "paint": Colour.RED}
        return carry_out(connection, paint, values), carry_out(connection, told, values)

    assert things.write(work) == ([], [(Colour.RED, ONE["at"])])


def test_what_a_write_asks_ahead_is_found_where_it_asks(things: Database) -> None:
    met: list[tuple[Any, ...]] = []

    def work(session: Session) -> None:
        for named in ("一", "一", "nobody"):
            met.append((rows(session, ALL), only_row(session, NAMED, named=named)))
            session.execute(update(THINGS).values(number=9))

    things.write(work, [Ahead(ALL, {}), Ahead(NAMED, {"named": "一"})])

    before, after, other = met
    assert [dict(row._mapping) for row in before[0]] == [EMPTY, ONE]
    assert (dict(before[1]._mapping), other[1]) == (ONE, None)
    # Only once: what the write altered since is read anew.
    assert dict(after[1]._mapping) == {**ONE, "number": 9}


def test_what_it_asks_ahead_with_other_values_is_asked_anew(things: Database) -> None:
    ahead = [Ahead(NAMED, {"named": "nobody"})]

    found = things.write(lambda session: only_row(session, NAMED, named="一"), ahead)

    assert found == tuple(ONE.values())


def test_values_of_every_type_are_written_at_the_end_of_a_write(things: Database) -> None:
    written = [{**row, "id": f"{row['id']} again"} for row in (EMPTY, ONE)]

    for row in written:
        things.write(partial(at_end, statement=KEEP, values=row))

    found = things.read(lambda session: rows(session, ALL))
    assert [dict(row._mapping) for row in found if row.id.endswith("again")] == written


def test_a_list_of_values_cannot_be_asked_ahead(postgres_url: str) -> None:
    database, listed = Database(postgres_url), NAMED.where(THINGS.c.number.in_([7]))

    with pytest.raises(TypeError, match="depends on its values"):
        database.write(lambda _session: None, [Ahead(listed, {"named": "一"})])

    assert database.write(lambda _session: "after") == "after"
    database.close()


def test_a_list_of_values_is_left_to_sqlalchemy(things: Database) -> None:
    listed = ALL.where(THINGS.c.number.in_(bindparam("numbers", expanding=True)))

    def find(session: Session) -> Any:
        assert Prepared.of(listed, session.connection().dialect) is None
        return [row.id for row in rows(session, listed, numbers=[-1, 7])]

    assert things.read(find) == [EMPTY["id"]]


def test_a_value_that_is_missing_is_named(things: Database) -> None:
    with pytest.raises(KeyError, match="named"):
        things.read(lambda session: rows(session, NAMED))
    with pytest.raises(KeyError, match="number"):
        things.write(lambda session: carry_out(connection_of(session), KEEP, {"id": "half"}))

    assert things.read(lambda session: len(rows(session, ALL))) == 2


def test_a_broken_constraint_is_told_as_sqlalchemy_tells_it_without_the_values(things: Database) -> None:
    with pytest.raises(IntegrityError) as met:
        things.write(lambda session: carry_out(connection_of(session), KEEP, ONE))

    assert "INSERT INTO test_things" in str(met.value)
    assert str(ONE["number"]) not in str(met.value)
    assert things.write(lambda session: len(rows(session, ALL))) == 2
