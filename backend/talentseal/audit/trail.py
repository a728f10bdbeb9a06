"""The audit trail of an organisation: every record that concerns it, the newest first.

A record concerns the parties of the agreement it is about, the owner of the key it is about and whoever
signed the rule of suspension it is about, and with them every later record that refers to it: corrections,
retractions, erasures. Records about persons (41 to 44) concern no organisation; his export tells the person.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import BindParameter, Row, Select, String, and_, bindparam, or_, select, union
from sqlalchemy.orm import Session

from sealproof import disclosure
from talentseal.accounts.roles import Actor, Permission
from talentseal.agreements.duty_models import Breach
from talentseal.agreements.events import (
    AgreementAmended,
    AgreementEvidenced,
    AgreementTerminated,
    BreachAlleged,
    BreachClosed,
    BreachConfirmed,
    BreachDismissed,
    StipulationDeclared,
)
from talentseal.agreements.models import (
    AgreementParty,
    AgreementTermination,
    AgreementVersion,
    Stipulation,
)
from talentseal.audit.models import RecordClosure
from talentseal.clock import SHANGHAI
from talentseal.db import Instant, only_row, rows
from talentseal.evidence import status
from talentseal.evidence.models import EvidenceRecord
from talentseal.evidence.status import RecordState
from talentseal.partners.events import KeyAct, SigningKeyChanged
from talentseal.partners.models import KeyChange
from talentseal.sanctions.events import SuspensionRuleApproved
from talentseal.sanctions.models import RuleSignature, SuspensionRule
from talentseal.sanctions.schemas import RuleText

KINDS: Final = (10, 11, 13, 20, 22, 23, 24, 25, 40, 90, 80, 81, 82)
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
    RULE = "RULE"


@dataclass(frozen=True, slots=True)
class Period:
    """Which records are wanted: of one kind, of some days (Asia/Shanghai, the last one included)."""

    kind: int | None = None
    first: date | None = None
    last: date | None = None


ALL: Final = Period()


@dataclass(frozen=True, slots=True)
class Subject:
    """An agreement's version, a key, or a rule's version.

    title, number, clause: None once erased, or where there is none.
    """

    topic: Topic
    rule: str | None = None
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
    at, record = _place(session, after)
    given = {
        "organisation": actor.organisation_id,
        "first": _midnight(period.first or _EARLIEST),
        "end": _midnight(min(period.last or _LATEST, _LATEST) + timedelta(days=1)),
        "at": at,
        "record": record,
        "limit": limit + 1,
    }
    found = (
        rows(session, _RECORDS, **given)
        if period.kind is None
        else rows(session, _OF_KIND, kind=period.kind, **given)
    )
    shown = found[:limit]
    return Trail(tuple(_lines(session, shown)), shown[-1].id if len(found) > limit else None)


def _place(session: Session, after: str | None) -> tuple[datetime, str]:
    """The time and id that the lines come before: those of the record `after`, else later than any."""
    last = only_row(session, _PLACE, record=after) if after else None
    return (last.recorded_at, last.id) if last else (_midnight(_LATEST), "")


def whole(session: Session, actor: Actor, *, limit: int, period: Period = ALL) -> list[Line]:
    """The lines of all pages, up to `limit` or the end of the page on which it is reached."""
    found = trail_of(session, actor, after=None, limit=PORTION, period=period)
    lines = list(found.lines)
    while found.next is not None and len(lines) < limit:
        found = trail_of(session, actor, after=found.next, limit=PORTION, period=period)
        lines += found.lines
    return lines


def _concerning() -> Select[Any]:
    """Ids of all records that concern the organisation, found by index."""
    organisation = bindparam("organisation", type_=String)
    mine = select(AgreementParty.version_id).where(AgreementParty.organisation_id == organisation)
    roots = union(
        select(AgreementVersion.record_id).where(AgreementVersion.id.in_(mine)),
        select(AgreementTermination.record_id).where(AgreementTermination.version_id.in_(mine)),
        select(Stipulation.record_id).where(Stipulation.version_id.in_(mine)),
        select(KeyChange.record_id).where(KeyChange.organisation_id == organisation),
        select(SuspensionRule.record_id)
        .join(RuleSignature, RuleSignature.rule_version_id == SuspensionRule.id)
        .where(RuleSignature.organisation_id == organisation),
    ).subquery()
    found = select(roots.c.record_id).where(roots.c.record_id.is_not(None)).cte("concerning", recursive=True)
    later = select(EvidenceRecord.id).join(found, EvidenceRecord.refers_to == found.c.record_id)
    return select(found.union(later).c.record_id)


_AT: Final[BindParameter[datetime]] = bindparam("at", type_=Instant)
_RECORDS: Final = (
    select(
        EvidenceRecord.id,
        EvidenceRecord.kind,
        EvidenceRecord.leaf_hash,
        EvidenceRecord.recorded_at,
        EvidenceRecord.relation,
        EvidenceRecord.refers_to,
        EvidenceRecord.log_index,
    )
    .where(
        EvidenceRecord.id.in_(_concerning()),
        EvidenceRecord.recorded_at >= bindparam("first"),
        EvidenceRecord.recorded_at < bindparam("end"),
        or_(
            EvidenceRecord.recorded_at < _AT,
            and_(EvidenceRecord.recorded_at == _AT, EvidenceRecord.id < bindparam("record")),
        ),
    )
    .order_by(EvidenceRecord.recorded_at.desc(), EvidenceRecord.id.desc())
    .limit(bindparam("limit"))
)
_OF_KIND: Final = _RECORDS.where(EvidenceRecord.kind == bindparam("kind"))
_PLACE: Final = select(EvidenceRecord.recorded_at, EvidenceRecord.id).where(
    EvidenceRecord.id == bindparam("record")
)


def _midnight(day: date) -> datetime:
    """When the day begins; no day before the log's time or after the calendar's end is told apart."""
    within = min(max(day, _EARLIEST), _LATEST)
    return datetime.combine(within, time(), SHANGHAI).astimezone(UTC)


def _lines(session: Session, shown: Sequence[Row[*tuple[Any, ...]]]) -> list[Line]:
    log = status.log_sizes(session)
    subjects = _subjects(session, [(row.id, row.kind) for row in shown])
    # What is about nothing itself, as a correction, is about what the record is that it refers to.
    others = {row.refers_to for row in shown if row.refers_to and row.id not in subjects} - subjects.keys()
    if others:
        subjects |= _subjects(session, rows(session, _KINDS, records=list(others)))
    closed = {target for (target,) in rows(session, _CLOSED, records=[row.id for row in shown])}
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
            closed=row.id in closed,
        )
        for row in shown
    ]


_AMONG: Final[BindParameter[str]] = bindparam("records", expanding=True)
_VERSION: Final = (
    AgreementVersion.agreement_id,
    AgreementVersion.version,
    AgreementVersion.number,
    AgreementVersion.title,
)
_KINDS: Final = select(EvidenceRecord.id, EvidenceRecord.kind).where(EvidenceRecord.id.in_(_AMONG))
_CLOSED: Final = select(RecordClosure.target_id).where(RecordClosure.target_id.in_(_AMONG))
_CHANGES: Final = select(KeyChange.record_id, KeyChange.address, KeyChange.act).where(
    KeyChange.record_id.in_(_AMONG)
)
_RULES: Final = select(
    SuspensionRule.record_id, SuspensionRule.rule, SuspensionRule.number, SuspensionRule.text
).where(SuspensionRule.record_id.in_(_AMONG))
_VERSIONS: Final = select(AgreementVersion.record_id, *_VERSION).where(AgreementVersion.record_id.in_(_AMONG))
_TERMINATIONS: Final = (
    select(AgreementTermination.record_id, *_VERSION)
    .join(AgreementVersion, AgreementVersion.id == AgreementTermination.version_id)
    .where(AgreementTermination.record_id.in_(_AMONG))
)
_STIPULATIONS: Final = (
    select(Stipulation.record_id, *_VERSION, Stipulation.disclosure)
    .join(AgreementVersion, AgreementVersion.id == Stipulation.version_id)
    .where(Stipulation.record_id.in_(_AMONG))
)
_BREACHES: Final = (
    select(
        Breach.record_id,
        Breach.decision_record_id,
        Breach.closing_record_id,
        *_VERSION,
        Stipulation.disclosure,
    )
    .join(Stipulation, Stipulation.id == Breach.stipulation_id)
    .join(AgreementVersion, AgreementVersion.id == Stipulation.version_id)
    .where(
        or_(
            Breach.record_id.in_(_AMONG),
            Breach.decision_record_id.in_(_AMONG),
            Breach.closing_record_id.in_(_AMONG),
        )
    )
)
"""What was alleged, found and closed of a stipulation, each a record of its own."""


def _subjects(session: Session, records: Iterable[tuple[str, int]]) -> dict[str, Subject]:
    """What each of the records (with its kind) is about, for those that are about something themselves."""
    asked: dict[Reader, list[str]] = {}
    for record, kind in records:
        if kind in _READERS:
            asked.setdefault(_READERS[kind], []).append(record)
    found: dict[str, Subject] = {}
    for read, given in asked.items():
        found |= read(session, given)
    return found


def _keys(session: Session, records: list[str]) -> dict[str, Subject]:
    return {
        record: Subject(Topic.KEY, address=address, act=act)
        for record, address, act in rows(session, _CHANGES, records=records)
    }


def _rules(session: Session, records: list[str]) -> dict[str, Subject]:
    found = {}
    for row in rows(session, _RULES, records=records):
        title = RuleText.model_validate_json(row.text).title
        found[row.record_id] = Subject(Topic.RULE, rule=row.rule, version=row.number, title=title)
    return found


def _agreements(session: Session, records: list[str]) -> dict[str, Subject]:
    met = rows(session, _VERSIONS, records=records)
    return {row.record_id: _subject(Topic.AGREEMENT, row, None) for row in met}


def _terminations(session: Session, records: list[str]) -> dict[str, Subject]:
    met = rows(session, _TERMINATIONS, records=records)
    return {row.record_id: _subject(Topic.TERMINATION, row, None) for row in met}


def _stipulations(session: Session, records: list[str]) -> dict[str, Subject]:
    met = rows(session, _STIPULATIONS, records=records)
    return {row.record_id: _subject(Topic.STIPULATION, row, row.disclosure) for row in met}


def _breaches(session: Session, records: list[str]) -> dict[str, Subject]:
    found: dict[str, Subject] = {}
    for breach in rows(session, _BREACHES, records=records):
        about = _subject(Topic.STIPULATION, breach, breach.disclosure)
        told = (breach.record_id, breach.decision_record_id, breach.closing_record_id)
        found |= {record: about for record in told if record is not None}
    return found


Reader = Callable[[Session, list[str]], dict[str, Subject]]
_READERS: Final[Mapping[int, Reader]] = {
    SigningKeyChanged.kind: _keys,
    SuspensionRuleApproved.kind: _rules,
    AgreementEvidenced.kind: _agreements,
    AgreementAmended.kind: _agreements,
    AgreementTerminated.kind: _terminations,
    StipulationDeclared.kind: _stipulations,
    BreachAlleged.kind: _breaches,
    BreachConfirmed.kind: _breaches,
    BreachDismissed.kind: _breaches,
    BreachClosed.kind: _breaches,
}
"""By kind, where a record says itself what it is about."""


def _subject(topic: Topic, row: Row[*tuple[Any, ...]], stored: str | None) -> Subject:
    """stored: the disclosure of a stipulation; None for what is none, or once erased."""
    return Subject(
        topic,
        agreement=row.agreement_id,
        version=row.version,
        number=row.number,
        title=row.title,
        clause=_clause(stored),
    )


def _clause(stored: str | None) -> str | None:
    if stored is None:
        return None
    stipulation: Any = disclosure.read(stored).value
    return str(stipulation["clause"])
