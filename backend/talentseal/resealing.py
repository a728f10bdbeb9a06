"""Replacing the key that seals what is kept of people: every sealed column is sealed anew, in small parts.

Safe to break off and to repeat: the key number in front of each content says what is still to do, and a
content that somebody else writes meanwhile is left as he wrote it. Nothing is lost while both keys are there.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, LargeBinary, Table, and_, func, literal, select, update
from sqlalchemy.orm import Session

from talentseal.db import Database
from talentseal.tables import METADATA
from talentseal.talents.models import place_of
from talentseal.vault import KEY_NUMBER_BYTES, Vault

PART: Final = 200
"""Rows of one transaction. Documents are up to 10 MB each; they go one by one."""

_HEAVY: Final = frozenset({"application_document", "talent_paper", "talent_photo", "termination_finding"})


@dataclass(frozen=True, slots=True)
class Sealed:
    """A column with contents of the vault. place: what a content is bound to, by its row's key."""

    table: Table
    column: Column[Any]
    place: Callable[..., str]


_ELSEWHERE: Final[Mapping[tuple[str, str], Callable[..., str]]] = {
    ("card_step", "sealed"): lambda card, _number: place_of("card_step", card, "reason"),
    ("talent_card", "sealed_secret"): lambda card: place_of("talent_card", card, "secret"),
    ("termination_finding", "sealed_about"): lambda row: place_of("termination_finding", row, "about"),
}
"""What is bound to something else than its table and its row's key."""


def sealed_columns() -> list[Sealed]:
    """Every column with contents of the vault: its name begins with `sealed`."""
    return [
        Sealed(table, column, _ELSEWHERE.get((table.name, column.name), partial(place_of, table.name)))
        for table in METADATA.sorted_tables
        for column in table.columns
        if column.name.startswith("sealed") and isinstance(column.type, LargeBinary)
    ]


def reseal(database: Database, vault: Vault, told: Callable[[str, int], None]) -> int:
    """Seal every content under the newest key of `vault` that is not yet; how many those were.

    told: called after each part with the table and how many of its contents are done.
    """
    return sum(_column(database, vault, each, told) for each in sealed_columns())


def outstanding(session: Session, vault: Vault) -> int:
    """How many contents lie under another key than the newest."""
    counts = (
        session.scalar(select(func.count()).select_from(each.table).where(_is_old(each, vault)))
        for each in sealed_columns()
    )
    return sum(count or 0 for count in counts)


def _column(database: Database, vault: Vault, each: Sealed, told: Callable[[str, int], None]) -> int:
    done = 0
    while rows := database.read(partial(_rows, each, vault)):
        done += database.write(partial(_seal, each, vault, rows))
        told(each.table.name, done)
    return done


def _rows(each: Sealed, vault: Vault, session: Session) -> list[tuple[Any, ...]]:
    """Some rows under an older key: key columns, then what is sealed."""
    query = select(*each.table.primary_key.columns, each.column).where(_is_old(each, vault))
    return [tuple(row) for row in session.execute(query.limit(1 if each.table.name in _HEAVY else PART))]


def _seal(each: Sealed, vault: Vault, rows: Sequence[tuple[Any, ...]], session: Session) -> int:
    """Seal rows anew. What somebody has changed since it was read is met again in the next part."""
    done = 0
    for *key, sealed in rows:
        place = each.place(*(getattr(part, "value", part) for part in key))
        again = vault.seal(place, vault.open(place, sealed))
        same = [column == value for column, value in zip(each.table.primary_key.columns, key, strict=True)]
        unchanged = and_(*same, each.column == sealed)
        change = update(each.table).where(unchanged).values({each.column: again}).returning(literal(1))
        done += session.execute(change).first() is not None
    return done


def _is_old(each: Sealed, vault: Vault) -> ColumnElement[bool]:
    number = func.substr(each.column, 1, KEY_NUMBER_BYTES, type_=LargeBinary)
    return each.column.is_not(None) & (number != max(vault.keys).to_bytes(KEY_NUMBER_BYTES))
