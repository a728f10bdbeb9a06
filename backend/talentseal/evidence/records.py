"""Recording: the entry of an act, written in the act's own transaction, and what may be done with it
afterwards.
"""

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Final

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import Session

from sealproof import canonical, disclosure, merkle
from sealproof.entry import Entry, Relation
from talentseal.db import at_end, connection_of, is_sqlite, table_of
from talentseal.errors import NotFound
from talentseal.evidence.events import Event
from talentseal.evidence.models import EvidenceDisclosure, EvidenceRecord
from talentseal.statements import carry_out

MERGE_DELAY = timedelta(seconds=10)
"""The promise: a signed checkpoint covers every record at most this long after it was recorded."""

_ID_BYTES = 16

_KEPT: Final = ("id", "kind", "entry", "leaf_hash", "recorded_at", "relation", "refers_to", "deadline")
_KEEP: Final = insert(table_of(EvidenceRecord)).values({name: bindparam(name) for name in _KEPT})
_SHOW: Final = insert(table_of(EvidenceDisclosure)).values(
    record_id=bindparam("id"), disclosures=bindparam("disclosures")
)
_BOTH: Final = _SHOW.add_cte(_KEEP.cte("record"))
"""For PostgreSQL: one trip to the server."""


class RecordNotFound(NotFound):
    code = "record-not-found"
    zh = "没有编号为 {record} 的存证记录。请核对编号。"
    en = "There is no evidence record {record}; check the number."


class ErasureReason(StrEnum):
    """Why content was destroyed."""

    DATA_SUBJECT_REQUEST = "DATA_SUBJECT_REQUEST"
    RETENTION_ENDED = "RETENTION_ENDED"


@dataclass(frozen=True, slots=True)
class ContentErased(Event):
    """The content of the record referred to was destroyed; its proofs stay."""

    kind: ClassVar[int] = 82
    reason: ErasureReason


@dataclass(frozen=True, slots=True)
class Recorded:
    """What `record` answers: enough to promise, to look up and to refer to."""

    id: str
    kind: int
    leaf_hash: bytes
    recorded_at: datetime
    deadline: datetime
    disclosures: tuple[str, ...]


def record(
    session: Session,
    event: Event,
    *,
    now: datetime,
    relation: Relation | None = None,
    refers_to: str | None = None,
    last: bool = False,
) -> Recorded:
    """Write the evidence of `event` beside the act itself; both commit or roll back together.

    now: the aware time that becomes `recorded_at`. relation, refers_to: given together, how this entry stands
    to an earlier record. last: at the end of the write (`db.at_end`), with the rows that refer to it. Raises
    TypeError for a field without canonical form, EntryError when the entry would be invalid.
    """
    # Drawn at once: between writers that wait, each call to the system's source is a change of threads.
    random = secrets.token_bytes(_ID_BYTES + event.salt_bytes())
    disclosures = event.disclose(random[_ID_BYTES:])
    entry = Entry(
        kind=event.kind,
        id=random[:_ID_BYTES].hex(),
        recorded_at=now,
        relation=relation,
        refers_to=refers_to,
        digests=tuple(disclosures),
    )
    raw = entry.encode()
    recorded = Recorded(
        entry.id, entry.kind, merkle.leaf_hash(raw), now, now + MERGE_DELAY, tuple(disclosures.values())
    )
    row = {
        "id": recorded.id,
        "kind": recorded.kind,
        "entry": raw,
        "leaf_hash": recorded.leaf_hash,
        "recorded_at": recorded.recorded_at,
        "relation": None if relation is None else relation.value,
        "refers_to": refers_to,
        "deadline": recorded.deadline,
        "disclosures": canonical.encode(recorded.disclosures).decode("ascii"),
    }
    statements = (_KEEP, _SHOW) if last or is_sqlite(session) else (_BOTH,)
    for each in statements:
        if last:
            at_end(session, each, row)
        else:
            carry_out(connection_of(session), each, row)
    return recorded


def find(session: Session, record_id: str) -> EvidenceRecord:
    """The record of that number. Raises RecordNotFound."""
    row = session.get(EvidenceRecord, record_id)
    if row is None:
        raise RecordNotFound(record=record_id)
    return row


def disclosures_of(session: Session, record_id: str) -> list[str]:
    """All disclosures of a record in the order of their digests; none once they were erased."""
    stored = session.scalar(
        select(EvidenceDisclosure.disclosures).where(EvidenceDisclosure.record_id == record_id)
    )
    return [] if stored is None else [str(item) for item in json.loads(stored)]


def disclose(session: Session, record_id: str, names: Sequence[str]) -> list[str]:
    """The disclosures of the named fields only."""
    wanted = set(names)
    return [item for item in disclosures_of(session, record_id) if disclosure.read(item).name in wanted]


def erase(session: Session, record_id: str, reason: ErasureReason, *, now: datetime) -> Recorded | None:
    """Destroy the content and salts of a record. Its entry, index and proofs stay and still verify.

    The erasure is itself recorded (kind 82), so that content missing without such an entry shows as
    tampering. Repeating it changes nothing and returns None. Raises RecordNotFound.
    """
    find(session, record_id)
    erased = session.execute(
        update(EvidenceDisclosure)
        .where(EvidenceDisclosure.record_id == record_id, EvidenceDisclosure.erased_at.is_(None))
        .values(disclosures=None, erased_at=now)
        .returning(EvidenceDisclosure.record_id)
    ).all()
    if not erased:
        return None
    return record(session, ContentErased(reason), now=now, relation=Relation.ERASES, refers_to=record_id)
