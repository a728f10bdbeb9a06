"""A long past for a database: the rows of one real redemption, multiplied in SQL.

One redemption is made for real, and every table that has grown by it is known by its count. Each of its rows
is a template: a past redemption has rows of its own in all these tables, with keys of its own, about people
of its own, one every thirty seconds up to now. Their evidence stands in the log by its index, so that nothing
waits for the sealer. Nothing is pruned, as it would be in service, and each counts in a row of its own: so
this past is a little longer than a real one.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, Self

import psycopg
from sqlalchemy import inspect, text

from talentseal.db import Base, Database, sqlite_driver

EACH: Final = 20
"""Redemptions of one person."""
APART: Final = 30_000_000
"""Microseconds from one to the next: a million take a year."""

_NOW: Final = "{now} - (CAST({count} AS BIGINT) - p.i) * " + str(APART)
_PEOPLE: Final = MappingProxyType(
    {
        "account": {"id": "p.account"},
        "talent": {"id": "p.talent", "account_id": "p.account"},
        "talent_code": {
            "id": "p.code",
            "talent_id": "p.talent",
            "code_ref": "p.code_ref",
            "identity_digest": "p.account || p.talent",
        },
        "device": {"id": "p.device", "talent_id": "p.talent", "token_hash": "p.device || p.code"},
        "talent_consent": {"id": "p.ref", "talent_id": "p.talent"},
    }
)
"""Of a person: table, and the columns that are his own."""
_PAST: Final = MappingProxyType(
    {
        "minted_token": {
            "digest": "p.digest",
            "number_digest": "p.number",
            "device_id": "p.device",
            "code_id": "p.code",
            "minted_at": _NOW,
        },
        "token_burn": {
            "digest": "p.digest",
            "request": "p.answer || p.redemption",
            "presentation_id": "p.presentation",
            "burnt_at": _NOW,
        },
        "presentation": {
            "id": "p.presentation",
            "code_id": "p.code",
            "presented_at": _NOW,
            "expires_at": _NOW,
            "token_digest": "p.digest",
        },
        "evidence_record": {
            "id": "p.record",
            "leaf_hash": "p.leaf",
            "recorded_at": _NOW,
            "deadline": _NOW,
            "log_index": "{sealed} + p.i",
        },
        "evidence_disclosure": {"record_id": "p.record"},
        "redemption": {
            "id": "p.redemption",
            "talent_id": "p.talent",
            "talent_ref": "p.ref",
            "code_id": "p.code",
            "presentation_id": "p.presentation",
            "period": "'P' || p.turn",
            "made_at": _NOW,
            "completed_at": _NOW,
            "record_id": "p.record",
        },
        "quota_use": {"talent_id": "p.talent", "period": "'P' || p.turn"},
        "exclusion_use": {"talent_id": "p.talent", "period": "'P' || p.turn"},
        "idempotent_answer": {"key": "p.answer", "fingerprint": "p.answer || p.record", "created_at": _NOW},
    }
)
"""Of a redemption: the same."""

_HEX: Final = {
    "sqlite": "lower(hex(randomblob(16)))",
    "postgresql": "replace(CAST(gen_random_uuid() AS text), '-', '')",
}
_BYTES: Final = {
    "sqlite": "randomblob(32)",
    "postgresql": "sha256(CAST(CAST(gen_random_uuid() AS text) AS bytea))",
}
_NUMBERS: Final = "WITH RECURSIVE g(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM g WHERE i < {last}) "


def counts(database: Database) -> dict[str, int]:
    """How many rows each table has."""
    tables = sorted(Base.metadata.tables)
    query = text(" UNION ALL ".join(f"SELECT '{each}', count(*) FROM \"{each}\"" for each in tables))
    return dict(database.read(lambda session: session.execute(query).all()))


def check(before: Mapping[str, int], after: Mapping[str, int]) -> None:
    """That one redemption leaves a row in each of the tables that are given a past, and in no other."""
    left = {table: after[table] - before[table] for table in after if after[table] != before[table]}
    if left != dict.fromkeys(_PAST, 1):
        raise RuntimeError(f"one redemption left {left}, and the past is made of {sorted(_PAST)}")


def give(url: str, count: int, *, now: int) -> None:
    """Give a database that nobody has open, with one redemption in it, `count` more before `now` (µs)."""
    database = Database(url)
    kind = database.dialect
    columns = database.read(
        lambda session: {
            table: [column["name"] for column in inspect(session.connection()).get_columns(table)]
            for table in (*_PEOPLE, *_PAST)
        }
    )
    database.close()
    with _Loader(url, kind) as loader:
        _make(loader, columns, count, now)


def _make(loader: "_Loader", columns: Mapping[str, list[str]], count: int, now: int) -> None:
    values = {
        "now": now,
        "count": count,
        "sealed": loader.one("SELECT max(log_index) + 1 FROM evidence_record"),
    }
    for table, which in _templates(loader).items():
        loader.do(f"CREATE TABLE bench_{table} AS SELECT * FROM {table} WHERE {which}")
        if loader.one(f"SELECT count(*) FROM bench_{table}") != 1:
            raise RuntimeError(f"there is not one row of {table} to multiply")
    loader.people(max(1, count // EACH))
    _multiply(loader, "people", _PEOPLE, columns, values)
    loader.past(count)
    _multiply(loader, "past", _PAST, columns, values)
    for name in ("people", "past", *_PEOPLE, *_PAST):
        loader.do(f"DROP TABLE bench_{name}")


def _templates(loader: "_Loader") -> dict[str, str]:
    """Which rows are those of the one redemption and of the person who made it."""
    query = (
        "SELECT r.talent_id, t.account_id, r.record_id FROM redemption r JOIN talent t ON t.id = r.talent_id"
    )
    talent, account, record = loader.row(query)
    theirs = dict.fromkeys(("talent_code", "device", "talent_consent"), f"talent_id = '{talent}'")
    recorded = {"evidence_record": f"id = '{record}'", "evidence_disclosure": f"record_id = '{record}'"}
    answered = "created_at = (SELECT made_at FROM redemption) AND route = 'POST /redemptions'"
    own = {"account": f"id = '{account}'", "talent": f"id = '{talent}'", **theirs}
    return {**dict.fromkeys(_PAST, "true"), **own, **recorded, "idempotent_answer": answered}


def _multiply(
    loader: "_Loader",
    of: str,
    tables: Mapping[str, Mapping[str, str]],
    columns: Mapping[str, list[str]],
    values: Mapping[str, Any],
) -> None:
    for table, own in tables.items():
        given = ", ".join(
            own[name].format(**values) if name in own else f"t.{name}" for name in columns[table]
        )
        loader.do(
            f"INSERT INTO {table} ({', '.join(columns[table])}) "
            f"SELECT {given} FROM bench_{of} p CROSS JOIN bench_{table} t"
        )


class _Loader:
    """A connection that writes in bulk: nothing is waited for, no reference is checked, no trigger runs."""

    def __init__(self, url: str, kind: str) -> None:
        self._kind = kind
        if kind == "sqlite":
            self._raw = sqlite_driver().connect(url.removeprefix("sqlite:///"), isolation_level=None)
            for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-1000000"):
                self._raw.execute(f"PRAGMA {pragma}").fetchall()
        else:
            self._raw = psycopg.connect(url, autocommit=True)
            self.do("SET synchronous_commit = off")
            self.do("SET session_replication_role = replica")

    def __enter__(self) -> Self:
        self.do("BEGIN")
        return self

    def __exit__(self, failed: type[BaseException] | None, *_rest: object) -> None:
        if failed is None:
            self.do("COMMIT")
            self._settle()
        self._raw.close()

    def _settle(self) -> None:
        """Leave the database as one that has been in service for long: PostgreSQL counts and cleans by itself
        meanwhile, SQLite does neither.
        """
        if self._kind == "postgresql":
            self.do(f"VACUUM (ANALYZE) {', '.join((*_PEOPLE, *_PAST))}")
            self.do("CHECKPOINT")

    def do(self, statement: str) -> None:
        self._raw.execute(statement)

    def row(self, query: str) -> Any:
        return self._raw.execute(query).fetchone()

    def one(self, query: str) -> Any:
        return self.row(query)[0]

    def people(self, count: int) -> None:
        """`bench_people`: so many, with random keys."""
        keys = ("account", "talent", "code", "device", "ref")
        made = ", ".join(f"{_HEX[self._kind]} AS {key}" for key in keys)
        self.do(
            f"CREATE TABLE bench_people AS {_NUMBERS.format(last=count - 1)}"
            f"SELECT i, {made}, substr({_BYTES[self._kind]}, 1, 8) AS code_ref FROM g"
        )

    def past(self, count: int) -> None:
        """`bench_past`: so many redemptions of these people and of those who are there for real."""
        self.do(
            "INSERT INTO bench_people SELECT (SELECT count(*) FROM bench_people) - 1 + row_number() OVER (), "
            f"t.account_id, t.id, c.id, d.id, {_HEX[self._kind]}, c.code_ref FROM talent t "
            "JOIN talent_code c ON c.talent_id = t.id JOIN device d ON d.talent_id = t.id "
            "WHERE t.id NOT IN (SELECT talent FROM bench_people)"
        )
        self.do("CREATE UNIQUE INDEX bench_one_of_people ON bench_people (i)")
        people = self.one("SELECT count(*) FROM bench_people")
        words = ", ".join(
            f"{_HEX[self._kind]} AS {key}" for key in ("redemption", "presentation", "record", "answer")
        )
        bytes_ = ", ".join(f"{_BYTES[self._kind]} AS {key}" for key in ("digest", "number", "leaf"))
        self.do(
            f"CREATE TABLE bench_past AS {_NUMBERS.format(last=count - 1)}"
            f"SELECT g.i, g.i / {people} AS turn, q.account, q.talent, q.code, q.device, q.ref, {words}, "
            f"{bytes_} FROM g JOIN bench_people q ON q.i = g.i % {people}"
        )
