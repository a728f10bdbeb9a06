"""The audit trail of an organisation: every record that concerns it, the newest first.

A record concerns the parties of the agreement it is about and the owner of the key it is about, and with them
every later record that refers to it: corrections, retractions, erasures.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Select, or_, select, union
from sqlalchemy.orm import Session

from sealproof import disclosure
from talentseal.accounts.roles import Actor, Permission
from talentseal.agreements.models import (
    AgreementParty,
    AgreementTermination,
    AgreementVersion,
    Stipulation,
)
from talentseal.audit.models import RecordClosure
from talentseal.clock import SHANGHAI
from talentseal.evidence import status
from talentseal.evidence.models import EvidenceRecord
from talentseal.evidence.status import RecordState
from talentseal.partners.events import KeyAct
from talentseal.partners.models import KeyChange

KINDS: Final = (10, 11, 13, 20, 90, 80, 81, 82)
"""Those that can concern an organisation, in the order in which a filter offers them."""


_EARLIEST: Final = date(1970, 1, 1)
_LATEST: Final = date(9998, 12, 31)

PORTION: Final = 500
"""Lines read at once for an export."""


class Topic(StrEnum):
    """What a record is about."""

    AGREEMENT = "AGREEMENT"
    TERMINATION = "TERMINATION"
    STIPULATION = "STIPULATION"
    KEY = "KEY"


@dataclass(frozen=True, slots=True)
class Period:
    """Which records are wanted: of one kind, of some days (Asia/Shanghai, the last one included)."""

    kind: int | None = None
    first: date | None = None
    last: date | None = None


ALL: Final = Period()


@dataclass(frozen=True, slots=True)
class Subject:
    """An agreement's version or a key. title, number, clause: None once erased, or where there is none."""

    topic: Topic
    agreement: str | None = None
    version: int | None = None
    number: str | None = None
    title: str | None = None
    clause: str | None = None
    address: str | None = None
    act: KeyAct | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One record of the trail. closed: whether a later record corrects or retracts it."""

    record: str
    kind: int
    state: RecordState
    recorded_at: datetime
    leaf_hash: str
    index: int | None
    relation: str | None
    refers_to: str | None
    subject: Subject | None
    closed: bool


@dataclass(frozen=True, slots=True)
class Trail:
    """A page of lines. next: the record after which the following page begins; None on the last."""

    lines: tuple[Line, ...]
    next: str | None


def trail_of(session: Session, actor: Actor, *, after: str | None, limit: int, period: Period = ALL) -> Trail:
    """Up to `limit` records that concern the actor's organisation, following the record `after`.

    Raises NotPermitted.
    """
    actor.require(Permission.EVIDENCE_READ)
    query = select(EvidenceRecord).where(EvidenceRecord.id.in_(_concerning(actor.organisation_id)))
    query = _within(query, period).order_by(EvidenceRecord.recorded_at.desc(), EvidenceRecord.id.desc())
    last = session.get(EvidenceRecord, after) if after else None
    if last is not None:
        same = (EvidenceRecord.recorded_at == last.recorded_at) & (EvidenceRecord.id < last.id)
        query = query.where(or_(EvidenceRecord.recorded_at < last.recorded_at, same))
    rows = list(session.scalars(query.limit(limit + 1)))
    shown = rows[:limit]
    return Trail(tuple(_lines(session, shown)), shown[-1].id if len(rows) > limit else None)


def whole(session: Session, actor: Actor, *, limit: int, period: Period = ALL) -> list[Line]:
    """The lines of all pages, up to `limit` or the end of the page on which it is reached."""
    found = trail_of(session, actor, after=None, limit=PORTION, period=period)
    lines = list(found.lines)
    while found.next is not None and len(lines) < limit:
        found = trail_of(session, actor, after=found.next, limit=PORTION, period=period)
        lines += found.lines
    return lines


def _concerning(organisation: str) -> Select[Any]:
    """Ids of all records that concern an organisation, found by index."""
    mine = select(AgreementParty.version_id).where(AgreementParty.organisation_id == organisation)
    roots = union(
        select(AgreementVersion.record_id).where(AgreementVersion.id.in_(mine)),
        select(AgreementTermination.record_id).where(AgreementTermination.version_id.in_(mine)),
        select(Stipulation.record_id).where(Stipulation.version_id.in_(mine)),
        select(KeyChange.record_id).where(KeyChange.organisation_id == organisation),
    ).subquery()
    found = select(roots.c.record_id).where(roots.c.record_id.is_not(None)).cte("concerning", recursive=True)
    later = select(EvidenceRecord.id).join(found, EvidenceRecord.refers_to == found.c.record_id)
    return select(found.union(later).c.record_id)


def _within(query: Select[Any], period: Period) -> Select[Any]:
    if period.kind is not None:
        query = query.where(EvidenceRecord.kind == period.kind)
    if period.first is not None:
        query = query.where(EvidenceRecord.recorded_at >= _midnight(period.first))
    if period.last is not None:
        query = query.where(
            EvidenceRecord.recorded_at < _midnight(min(period.last, _LATEST) + timedelta(days=1))
        )
    return query


def _midnight(day: date) -> datetime:
    """When the day begins; no day before the log's time or after the calendar's end is told apart."""
    within = min(max(day, _EARLIEST), _LATEST)
    return datetime.combine(within, time(), SHANGHAI).astimezone(UTC)


def _lines(session: Session, rows: Sequence[EvidenceRecord]) -> list[Line]:
    log = status.log_sizes(session)
    subjects = _subjects(session, {each for row in rows for each in (row.id, row.refers_to) if each})
    closed = select(RecordClosure.target_id).where(RecordClosure.target_id.in_([row.id for row in rows]))
    closed_ids = set(session.scalars(closed))
    return [
        Line(
            record=row.id,
            kind=row.kind,
            state=log.state_at(row.log_index),
            recorded_at=row.recorded_at,
            leaf_hash=bytes(row.leaf_hash).hex(),
            index=row.log_index,
            relation=row.relation,
            refers_to=row.refers_to,
            subject=subjects.get(row.id) or subjects.get(row.refers_to or ""),
            closed=row.id in closed_ids,
        )
        for row in rows
    ]


def _subjects(session: Session, records: Collection[str]) -> dict[str, Subject]:
    """What each of the records is about, for those that are about something themselves."""
    found: dict[str, Subject] = {}
    for change in session.scalars(select(KeyChange).where(KeyChange.record_id.in_(records))):
        found[change.record_id] = Subject(Topic.KEY, address=change.address, act=change.act)
    for version in session.scalars(select(AgreementVersion).where(AgreementVersion.record_id.in_(records))):
        found[version.record_id or ""] = _about(Topic.AGREEMENT, version)
    ended = (
        select(AgreementTermination.record_id, AgreementVersion)
        .join(AgreementVersion, AgreementVersion.id == AgreementTermination.version_id)
        .where(AgreementTermination.record_id.in_(records))
    )
    for record, version in session.execute(ended):
        found[record or ""] = _about(Topic.TERMINATION, version)
    declared = (
        select(Stipulation.record_id, Stipulation.disclosure, AgreementVersion)
        .join(AgreementVersion, AgreementVersion.id == Stipulation.version_id)
        .where(Stipulation.record_id.in_(records))
    )
    for record, stored, version in session.execute(declared):
        found[record or ""] = _about(Topic.STIPULATION, version, _clause(stored))
    return found


def _about(topic: Topic, version: AgreementVersion, clause: str | None = None) -> Subject:
    return Subject(
        topic,
        agreement=version.agreement_id,
        version=version.version,
        number=version.number,
        title=version.title,
        clause=clause,
    )


def _clause(stored: str | None) -> str | None:
    if stored is None:
        return None
    value = json.loads(json.dumps(disclosure.read(stored).value))
    return str(value["clause"])
