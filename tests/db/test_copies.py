"""A test finds its PostgreSQL database as the migrations made it, whatever an earlier test left in it."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from psycopg import Connection

from tests.postgres import Copies, Postgres

SEEDED = "INSERT INTO kept (id, word) VALUES (DEFAULT, 'of the template')"


@pytest.fixture(scope="module")
def template(postgres: Postgres) -> Iterator[str]:
    postgres.execute("CREATE DATABASE to_be_copied")
    with psycopg.connect(postgres.url("to_be_copied")) as connection:
        connection.execute("CREATE TABLE kept (id serial PRIMARY KEY, word text)")
        connection.execute("CREATE TABLE empty (id serial PRIMARY KEY, kept integer REFERENCES kept)")
        connection.execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''append only''; END'"
        )
        connection.execute(
            "CREATE TRIGGER no_delete BEFORE DELETE ON empty FOR EACH ROW EXECUTE FUNCTION refuse()"
        )
        connection.execute(SEEDED)
    yield "to_be_copied"
    postgres.execute("DROP DATABASE to_be_copied WITH (FORCE)")


@pytest.fixture(scope="module")
def copies(postgres: Postgres, template: str) -> Copies:
    return Copies(postgres, template)


@contextmanager
def opened(copies: Copies) -> Iterator[tuple[str, Connection]]:
    with copies.one() as url, psycopg.connect(url, autocommit=True) as connection:
        yield url, connection


def test_what_a_test_left_is_gone_and_what_the_template_has_is_back(copies: Copies) -> None:
    with opened(copies) as (first, connection):
        connection.execute("UPDATE kept SET word = 'altered'")
        connection.execute("INSERT INTO empty (kept) SELECT id FROM kept")

    with opened(copies) as (second, connection):
        assert second == first
        assert connection.execute("SELECT id, word FROM kept").fetchall() == [(1, "of the template")]
        assert connection.execute("SELECT id FROM empty").fetchall() == []
        assert connection.execute("INSERT INTO empty (kept) VALUES (1) RETURNING id").fetchall() == [(1,)]


def test_what_another_connection_holds_is_taken_from_it(copies: Copies) -> None:
    with copies.one() as url:
        left = psycopg.connect(url)
        left.execute("INSERT INTO empty (kept) VALUES (1)")

    with opened(copies) as (_, connection):
        assert connection.execute("SELECT count(*) FROM empty").fetchone() == (0,)
    left.close()


def test_a_copy_whose_tables_were_altered_is_not_used_again(copies: Copies) -> None:
    with opened(copies) as (first, connection):
        connection.execute("ALTER TABLE empty DISABLE TRIGGER no_delete")

    with opened(copies) as (second, connection):
        assert second != first
        connection.execute("INSERT INTO empty (kept) VALUES (1)")
        with pytest.raises(psycopg.errors.RaiseException, match="append only"):
            connection.execute("DELETE FROM empty")


def test_a_copy_is_not_used_for_ever(copies: Copies) -> None:
    met = set()
    for _ in range(Copies.USES + 2):
        with copies.one() as url:
            met.add(url)

    assert len(met) == 2
