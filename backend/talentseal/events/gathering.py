"""Telling: what concerns a partner becomes an event of his, found in what is stored already.

No service knows of it. A step looks for what has happened since all was told last, and some time before,
since a transaction's time is taken at its beginning and it may end later. Whoever tells holds one row until
his commit: so cursors become visible in their order, and a reader misses none. To repeat it changes nothing.
"""

import json
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from functools import partial
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, String, cast, exists, func, select
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Session

from talentseal.accounts.models import Organisation
from talentseal.agreements.duty_models import Breach, BreachStep
from talentseal.agreements.duty_states import BreachAct
from talentseal.agreements.models import AgreementVersion, Stipulation
from talentseal.benefits.models import Benefit, BenefitState, BenefitStep, BenefitVersion
from talentseal.complaints.models import Complaint, ComplaintStep
from talentseal.complaints.states import ComplaintAct
from talentseal.db import is_sqlite
from talentseal.events.models import EventProgress, PartnerEvent, Webhook, WebhookDelivery
from talentseal.events.states import DeliveryState, EventKind, HookState
from talentseal.redemptions.models import Redemption, RedemptionState, Reversal
from talentseal.redemptions.service import RESERVED
from talentseal.redemptions.settlement_models import Settlement, SettlementStatement

LATE: Final = timedelta(minutes=15)
"""How long after its time a transaction may still end; one waits at most a minute or two for its turn."""

LOOK_BACK: Final = timedelta(days=3)
"""How far the nightly step looks: for what came in later still."""

STEADY: Final = timedelta(minutes=1)
"""How often the progress is written when there is nothing to tell."""

PART: Final = 200
"""Events of one kind that one step tells at most."""

KEPT: Final = timedelta(days=30)
"""How long it is shown what was delivered. Dead letters stay until they are sent again."""

_BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Found:
    """What is to be told. at: when it happened."""

    organisation: str
    kind: EventKind
    subject: str
    at: datetime
    says: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Source:
    """Where events of one kind are found: rows of organisation, subject, time, and what the event says."""

    kind: EventKind
    query: Callable[[datetime], Select[*tuple[Any, ...]]]

    def find(self, session: Session, since: datetime) -> list[Found]:
        """What has happened since then and is untold, the oldest first, PART at most."""
        rows = session.execute(self.query(since).limit(PART)).all()
        return [self._found(row) for row in rows]

    def _found(self, row: Row[*tuple[Any, ...]]) -> Found:
        organisation, subject, at = row[:3]
        names = row._fields[3:]
        says = {name: _plain(value) for name, value in zip(names, row[3:], strict=True)}
        return Found(organisation, self.kind, subject, at, says)


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    return value.isoformat() if isinstance(value, (date, datetime)) else value


def _untold(organisation: Any, kind: EventKind, subject: Any) -> ColumnElement[bool]:
    return ~exists().where(
        PartnerEvent.organisation_id == organisation,
        PartnerEvent.kind == kind,
        PartnerEvent.subject_id == subject,
    )


def _redeemed(state: RedemptionState) -> Select[*tuple[Any, ...]]:
    return (
        select(
            Redemption.organisation_id,
            Redemption.id,
            Redemption.completed_at if state is RedemptionState.COMPLETED else Redemption.released_at,
            Redemption.id.label("redemption"),
            Redemption.talent_ref,
            Benefit.id.label("benefit"),
            BenefitVersion.number.label("version"),
            Redemption.outlet_id.label("outlet"),
            Redemption.quantity,
            Redemption.value_fen,
            Redemption.subsidy_fen,
        )
        .join(BenefitVersion, BenefitVersion.id == Redemption.version_id)
        .join(Benefit, Benefit.id == BenefitVersion.benefit_id)
    )


def _completed(since: datetime) -> Select[*tuple[Any, ...]]:
    # Through the organisations, since the index is by organisation and the time when it was reserved.
    kind = EventKind.REDEMPTION_COMPLETED
    return (
        _redeemed(RedemptionState.COMPLETED)
        .add_columns(Redemption.record_id.label("record"))
        .join(Organisation, Organisation.id == Redemption.organisation_id)
        .where(
            Redemption.made_at >= max(since, _BEGINNING + RESERVED) - RESERVED,
            Redemption.completed_at >= since,
            _untold(Redemption.organisation_id, kind, Redemption.id),
        )
        .order_by(Redemption.completed_at, Redemption.id)
    )


def _released(since: datetime) -> Select[*tuple[Any, ...]]:
    kind = EventKind.REDEMPTION_RELEASED
    return (
        _redeemed(RedemptionState.RELEASED)
        .add_columns(Redemption.release)
        .where(
            Redemption.released_at >= since,
            _untold(Redemption.organisation_id, kind, Redemption.id),
        )
        .order_by(Redemption.released_at, Redemption.id)
    )


def _reversed(since: datetime) -> Select[*tuple[Any, ...]]:
    kind = EventKind.REDEMPTION_REVERSED
    return (
        select(
            Reversal.organisation_id,
            Reversal.id,
            Reversal.at,
            Reversal.redemption_id.label("redemption"),
            Redemption.talent_ref,
            Reversal.id.label("reversal"),
            Reversal.quantity,
            Reversal.value_fen,
            Reversal.subsidy_fen,
            Reversal.record_id.label("record"),
        )
        .join(Redemption, Redemption.id == Reversal.redemption_id)
        .where(Reversal.at >= since, _untold(Reversal.organisation_id, kind, Reversal.id))
        .order_by(Reversal.at, Reversal.id)
    )


def _settled(since: datetime) -> Select[*tuple[Any, ...]]:
    """Periods that were closed, with the first statement's sum."""
    kind = EventKind.SETTLEMENT_CLOSED
    return (
        select(
            Settlement.organisation_id,
            Settlement.id,
            Settlement.closed_at,
            Settlement.id.label("settlement"),
            Settlement.period,
            SettlementStatement.net_fen,
        )
        .join(SettlementStatement, SettlementStatement.settlement_id == Settlement.id)
        .where(
            SettlementStatement.number == 1,
            Settlement.closed_at >= since,
            _untold(Settlement.organisation_id, kind, Settlement.id),
        )
        .order_by(Settlement.closed_at, Settlement.id)
    )


def _moved(kind: EventKind, state: BenefitState, since: datetime) -> Select[*tuple[Any, ...]]:
    """Versions of benefits that came into a state, each time they did."""
    subject = BenefitStep.version_id + "." + cast(BenefitStep.number, String)
    return (
        select(
            Benefit.organisation_id,
            subject.label("subject"),
            BenefitStep.at,
            Benefit.id.label("benefit"),
            BenefitVersion.number.label("version"),
            BenefitStep.state,
        )
        .join(BenefitVersion, BenefitVersion.id == BenefitStep.version_id)
        .join(Benefit, Benefit.id == BenefitVersion.benefit_id)
        .where(
            BenefitStep.state == state,
            BenefitStep.at >= since,
            _untold(Benefit.organisation_id, kind, subject),
        )
        .order_by(BenefitStep.at, subject)
    )


def _complained(kind: EventKind, acts: frozenset[ComplaintAct], since: datetime) -> Select[*tuple[Any, ...]]:
    """Steps of complaints. Of which redemption is left out: it would say who complained."""
    return (
        select(
            Complaint.organisation_id,
            Complaint.id,
            ComplaintStep.at,
            Complaint.id.label("complaint"),
            Complaint.kind.label("about"),
            ComplaintStep.state,
            ComplaintStep.act,
            Complaint.answer_due,
            Complaint.decide_through,
        )
        .join(Complaint, Complaint.id == ComplaintStep.complaint_id)
        .where(
            ComplaintStep.act.in_(acts),
            ComplaintStep.at >= since,
            _untold(Complaint.organisation_id, kind, Complaint.id),
        )
        .order_by(ComplaintStep.at, Complaint.id)
    )


def _breached(kind: EventKind, act: BreachAct, to: Any, since: datetime) -> Select[*tuple[Any, ...]]:
    """Steps of breaches. to: the column of the organisation that is told, of whoever owes or alleges it."""
    return (
        select(
            to,
            Breach.id,
            BreachStep.at,
            Breach.id.label("breach"),
            BreachStep.state,
            Breach.source,
            Breach.organisation_id.label("owed_by"),
            AgreementVersion.agreement_id.label("agreement"),
            AgreementVersion.version,
            Stipulation.position,
        )
        .join(Breach, Breach.id == BreachStep.breach_id)
        .join(Stipulation, Stipulation.id == Breach.stipulation_id)
        .join(AgreementVersion, AgreementVersion.id == Stipulation.version_id)
        .join(Organisation, Organisation.id == to)
        .where(BreachStep.act == act, BreachStep.at >= since, _untold(to, kind, Breach.id))
        .order_by(BreachStep.at, Breach.id)
    )


_BENEFITS: Final = {
    EventKind.BENEFIT_PUBLISHED: BenefitState.PUBLISHED,
    EventKind.BENEFIT_PAUSED: BenefitState.PAUSED,
    EventKind.BENEFIT_EXHAUSTED: BenefitState.EXHAUSTED,
    EventKind.BENEFIT_WITHDRAWN: BenefitState.WITHDRAWN,
    EventKind.BENEFIT_EXPIRED: BenefitState.EXPIRED,
}
_COMPLAINTS: Final = {
    EventKind.COMPLAINT_FILED: frozenset({ComplaintAct.FILED}),
    EventKind.COMPLAINT_ESCALATED: frozenset({ComplaintAct.ESCALATED}),
    EventKind.COMPLAINT_DECIDED: frozenset({ComplaintAct.UPHELD, ComplaintAct.DISMISSED}),
}
_BREACHES: Final = {
    EventKind.BREACH_ALLEGED: BreachAct.ALLEGED,
    EventKind.BREACH_CONFIRMED: BreachAct.CONFIRMED,
    EventKind.BREACH_DISMISSED: BreachAct.DISMISSED,
    EventKind.BREACH_CURED: BreachAct.CURED,
    EventKind.BREACH_WAIVED: BreachAct.WAIVED,
}
SOURCES: Final = (
    Source(EventKind.REDEMPTION_COMPLETED, _completed),
    Source(EventKind.REDEMPTION_RELEASED, _released),
    Source(EventKind.REDEMPTION_REVERSED, _reversed),
    Source(EventKind.SETTLEMENT_CLOSED, _settled),
    *(Source(kind, partial(_moved, kind, state)) for kind, state in _BENEFITS.items()),
    *(Source(kind, partial(_complained, kind, acts)) for kind, acts in _COMPLAINTS.items()),
    *(
        Source(kind, partial(_breached, kind, act, to))
        for to in (Breach.organisation_id, Breach.alleged_for)
        for kind, act in _BREACHES.items()
    ),
)


def is_due(session: Session, *, now: datetime) -> bool:
    """Whether `gather` has something to do: a look that holds nothing."""
    through = session.scalar(select(EventProgress.through))
    if through is None or through <= now - STEADY:
        return True
    return any(source.find(session, through - LATE) for source in SOURCES)


def gather(session: Session, *, now: datetime) -> int:
    """Tell what has happened since the last time; how many events that made."""
    progress = _held(session)
    since = max(progress.through - LATE, _BEGINNING)
    found, through = _look(session, since, now)
    progress.through = max(progress.through, through)
    return _tell(session, found, now)


def apply_day(session: Session, _day: date, now: datetime) -> int:
    """Tell what came in too late to be told before, and forget deliveries of long ago: `nightly`."""
    _held(session)
    told = _tell(session, _look(session, now - LOOK_BACK, now)[0], now)
    old = (
        select(WebhookDelivery)
        .where(
            WebhookDelivery.state == DeliveryState.DELIVERED,
            WebhookDelivery.ended_at < now - KEPT,
        )
        .limit(5 * PART)
    )
    for row in session.scalars(old).all():
        session.delete(row)
    return told


def payload(kind: str, at: datetime, says: Mapping[str, Any]) -> str:
    """A delivery's body: JSON of type, timestamp, data (Standard Webhooks)."""
    return _json({"type": kind, "timestamp": at.isoformat(), "data": dict(says)})


def enqueue(
    session: Session, hook: str, kind: str, body: str, *, cursor: int | None, number: int, now: datetime
) -> WebhookDelivery:
    """Make a delivery that is due now. number: its place behind the others of its webhook."""
    row = WebhookDelivery(
        id=f"{secrets.token_hex(16)}",
        webhook_id=hook,
        number=number,
        cursor=cursor,
        kind=kind,
        body=body,
        state=DeliveryState.DUE,
        attempts=0,
        due_since=now,
        next_at=now,
    )
    session.add(row)
    return row


def newest_number(session: Session, hook: str) -> int:
    """The number of the webhook's newest delivery; the caller holds the webhook's row."""
    query = select(func.max(WebhookDelivery.number)).where(WebhookDelivery.webhook_id == hook)
    return session.scalar(query) or 0


def _held(session: Session) -> EventProgress:
    """The progress, held until the commit: one tells at a time."""
    insert = insert_sqlite if is_sqlite(session) else insert_postgresql
    first = insert(EventProgress).values(id=1, through=_BEGINNING)
    session.execute(first.on_conflict_do_nothing(index_elements=["id"]))
    query = select(EventProgress).with_for_update()
    return session.scalars(query, execution_options={"populate_existing": True}).one()


def _look(session: Session, since: datetime, now: datetime) -> tuple[list[Found], datetime]:
    """What is untold, the oldest first, and up to when that is all there is."""
    met = [source.find(session, since) for source in SOURCES]
    # What one source has beyond its part comes before what another has after that time.
    ends = [part[-1].at for part in met if len(part) == PART]
    through = min(ends) if ends else None
    told = {
        (each.organisation, each.kind, each.subject): each
        for part in met
        for each in part
        if through is None or each.at <= through
    }
    # Of what happened at one time, the sources stand in the order in which things can follow.
    found = sorted(told.values(), key=lambda each: each.at)
    return found, min(now, through or now)


def _tell(session: Session, found: Sequence[Found], now: datetime) -> int:
    organisations = {each.organisation for each in found}
    cursors = _newest_cursors(session, organisations)
    hooks = _hooks(session, organisations)
    numbers = {hook: newest_number(session, hook) for hook in hooks.values()}
    for each in found:
        cursor = cursors[each.organisation] = cursors.get(each.organisation, 0) + 1
        says = {**each.says, "cursor": cursor}
        session.add(
            PartnerEvent(
                organisation_id=each.organisation,
                cursor=cursor,
                kind=each.kind,
                subject_id=each.subject,
                at=each.at,
                body=_json(each.says),
            )
        )
        if hook := hooks.get(each.organisation):
            numbers[hook] += 1
            body = payload(each.kind.value, each.at, says)
            enqueue(session, hook, each.kind.value, body, cursor=cursor, number=numbers[hook], now=now)
    session.flush()
    return len(found)


def _newest_cursors(session: Session, organisations: Iterable[str]) -> dict[str, int]:
    query = (
        select(PartnerEvent.organisation_id, func.max(PartnerEvent.cursor))
        .where(PartnerEvent.organisation_id.in_(organisations))
        .group_by(PartnerEvent.organisation_id)
    )
    return {row[0]: row[1] for row in session.execute(query)}


def _hooks(session: Session, organisations: Iterable[str]) -> dict[str, str]:
    """The active webhook of each that has one, held so that no test takes a number at the same time."""
    query = (
        select(Webhook)
        .where(Webhook.organisation_id.in_(organisations), Webhook.state == HookState.ACTIVE)
        .order_by(Webhook.id)
        .with_for_update()
    )
    return {row.organisation_id: row.id for row in session.scalars(query)}


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
