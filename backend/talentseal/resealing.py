"""Replacing the key that seals what is kept of people: every sealed column is sealed anew, in small parts.

Safe to break off and to repeat: the key number in front of each content says what is still to do, and a
content that somebody else writes meanwhile is left as he wrote it. Nothing is lost while both keys are there.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

from sqlalchemy import ColumnElement, LargeBinary, Table, and_, func, literal, select, update
from sqlalchemy.orm import Session

from talentseal.db import Database
from talentseal.tables import METADATA
from talentseal.talents.models import place_of
from talentseal.vault import KEY_NUMBER_BYTES, Vault

PART: Final = 200
"""Rows of one transaction. Documents are up to 10 MB each; they go one by one."""

_HEAVY: Final = frozenset({"application_document", "talent_paper"})


def sealed_tables() -> list[Table]:
    """Every table with contents of the vault: they lie in a column named `sealed`, bound to table and key."""
    return [
        table
        for table in METADATA.sorted_tables
        if "sealed" in table.columns and isinstance(table.columns["sealed"].type, LargeBinary)
    ]


def reseal(database: Database, vault: Vault, told: Callable[[str, int], None]) -> int:
    """Seal every content under the newest key of `vault` that is not yet; how many those were.

    told: called after each part with the table and how many of its contents are done.
    """
    return sum(_table(database, vault, table, told) for table in sealed_tables())


def outstanding(session: Session, vault: Vault) -> int:
    """How many contents lie under another key than the newest."""
    counts = (
        session.scalar(select(func.count()).select_from(table).where(_is_old(table, vault)))
        for table in sealed_tables()
    )
    return sum(count or 0 for count in counts)


def _table(database: Database, vault: Vault, table: Table, told: Callable[[str, int], None]) -> int:
    done = 0
    while rows := database.read(partial(_rows, table, vault)):
        done += database.write(partial(_seal, table, vault, rows))
        told(table.name, done)
    return done


def _rows(table: Table, vault: Vault, session: Session) -> list[tuple[Any, ...]]:
    """Some rows under an older key: key columns, then what is sealed."""
    query = select(*table.primary_key.columns, table.columns["sealed"]).where(_is_old(table, vault))
    return [tuple(row) for row in session.execute(query.limit(1 if table.name in _HEAVY else PART))]


def _seal(table: Table, vault: Vault, rows: Sequence[tuple[Any, ...]], session: Session) -> int:
    """Seal rows anew. What somebody has changed since it was read is met again in the next part."""
    done = 0
    for row in rows:
        *key, sealed = row
        place = place_of(table.name, *(getattr(part, "value", part) for part in key))
        again = vault.seal(place, vault.open(place, sealed))
        same = [column == value for column, value in zip(table.primary_key.columns, key, strict=True)]
        unchanged = and_(*same, table.columns["sealed"] == sealed)
        changed = session.execute(update(table).where(unchanged).values(sealed=again).returning(literal(1)))
        done += changed.first() is not None
    return done


def _is_old(table: Table, vault: Vault) -> ColumnElement[bool]:
    sealed = table.columns["sealed"]
    number = func.substr(sealed, 1, KEY_NUMBER_BYTES, type_=LargeBinary)
    return sealed.is_not(None) & (number != max(vault.keys).to_bytes(KEY_NUMBER_BYTES))
