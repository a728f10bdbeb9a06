"""Reading redemptions: a partner's own, by references that are his alone; a holder's own receipts."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, and_, bindparam, or_, select, union_all
from sqlalchemy.orm import Session

from talentseal.accounts.models import Organisation
from talentseal.accounts.roles import Actor, Permission
from talentseal.benefits.models import Benefit, BenefitVersion, Category
from talentseal.credentials import tcr
from talentseal.db import only_row, rows
from talentseal.errors import Conflict
from talentseal.evidence import status
from talentseal.evidence.models import EvidenceRecord
from talentseal.evidence.status import LogSizes, RecordState
from talentseal.partners.counter import Place, counter_of
from talentseal.partners.models import Outlet
from talentseal.redemptions.models import Redemption, RedemptionState, Reversal
from talentseal.redemptions.schemas import RedemptionPage, RedemptionView
from talentseal.redemptions.service import RedemptionNotFound
from talentseal.talents import attempts, people

PAGE: Final = 50


class NotCompletedYet(Conflict):
    code = "redemption-not-completed"
    zh = "该笔尚未完成，没有存证。完成后再查看回执。"
    en = "This one is not completed and has no evidence; look again once it is."


@dataclass(frozen=True, slots=True)
class Undone:
    """One reversal, as its holder sees it."""

    id: str
    quantity: int
    value_fen: int
    reason: str
    at: datetime
    record: str
    evidence: RecordState


@dataclass(frozen=True, slots=True)
class OwnReceipt:
    """A use of a benefit, as its holder sees it. in_force: units that still count after reversals."""

    id: str
    state: RedemptionState
    benefit: str
    title: str
    category: Category
    partner: str
    outlet: str
    quantity: int
    value_fen: int
    made_at: datetime
    completed_at: datetime | None
    reserved_until: datetime | None
    record: str | None
    evidence: RecordState | None
    reversed_units: int
    reversed_fen: int

    @property
    def in_force(self) -> int:
        return self.quantity - self.reversed_units


@dataclass(frozen=True, slots=True)
class Given:
    """A redemption as the counter sees it. reversible_until: None when the counter can reverse no more."""

    view: RedemptionView
    reversible_until: datetime | None


DISCLOSABLE: Final = (
    *("at", "partner", "benefit", "quantity", "value_fen", "tier", "outlet", "list_value_fen"),
    *("subsidy_fen", "partner_fen", "period", "channel", "redemption"),
)
"""Fields of a receipt that a holder may choose to show, the plainest first."""


def _selected(*conditions: ColumnElement[bool]) -> Select[Any]:
    return (
        select(
            *Redemption.__table__.c,
            BenefitVersion.benefit_id,
            BenefitVersion.title,
            BenefitVersion.number,
            BenefitVersion.reversal_minutes,
            Benefit.category,
            Organisation.name.label("partner"),
            Outlet.name.label("outlet_name"),
            EvidenceRecord.log_index,
            EvidenceRecord.leaf_hash,
        )
        .join(BenefitVersion, BenefitVersion.id == Redemption.version_id)
        .join(Benefit, Benefit.id == BenefitVersion.benefit_id)
        .join(Organisation, Organisation.id == Redemption.organisation_id)
        .outerjoin(Outlet, Outlet.id == Redemption.outlet_id)
        .outerjoin(EvidenceRecord, EvidenceRecord.id == Redemption.record_id)
        .where(*conditions)
    )


def _listed(whose: ColumnElement[bool]) -> Select[Any]:
    """A page, the newest first, from after the redemption `after` that was made at `at`."""
    made, key = Redemption.made_at, Redemption.id
    at = bindparam("at", type_=Redemption.__table__.c.made_at.type)
    later = or_(made < at, and_(made == at, key < bindparam("after")))
    return _selected(whose, later).order_by(made.desc(), key.desc()).limit(PAGE + 1)


_OF_PARTNER: Final = _listed(Redemption.organisation_id == bindparam("organisation"))
_OF_TALENT: Final = _listed(Redemption.talent_id == bindparam("talent"))
_ONE: Final = _selected(Redemption.id == bindparam("redemption"))
_UNDONE: Final[Select[Any]] = (
    select(*Reversal.__table__.c, EvidenceRecord.log_index)
    .join(EvidenceRecord, EvidenceRecord.id == Reversal.record_id)
    .where(Reversal.redemption_id == bindparam("redemption"))
    .order_by(Reversal.at, Reversal.id)
)
_END_OF_TIME: Final = datetime.fromisoformat("9999-01-01T00:00:00+00:00")


def of_partner(session: Session, actor: Actor, *, after: str = "") -> RedemptionPage:
    """The redemptions at the organisation's counters (scenario 85). Raises NotPermitted."""
    actor.require(Permission.OUTLET_MANAGE)
    found, more = _page(session, _OF_PARTNER, after, organisation=actor.organisation_id)
    sizes = status.log_sizes(session)
    return RedemptionPage(items=[_view(row, sizes) for row in found], next=more)


def one_of_partner(session: Session, actor: Actor, redemption_id: str) -> RedemptionView:
    """One of them. Raises NotPermitted, RedemptionNotFound."""
    actor.require(Permission.OUTLET_MANAGE)
    row = _found(session, actor, redemption_id, lambda row: row.organisation_id == actor.organisation_id)
    return _view(row, status.log_sizes(session))


def one_at_counter(
    session: Session, actor: Actor, place: Place, redemption_id: str, *, now: datetime
) -> Given:
    """One that was given at a counter of the organisation. Only within a write.

    Raises NotPermitted, TerminalUnknown, RedemptionNotFound.
    """
    counter = counter_of(session, actor, place)
    row = _found(session, actor, redemption_id, lambda row: row.organisation_id == counter.organisation)
    left = row.completed_at + timedelta(minutes=row.reversal_minutes) if row.completed_at else None
    open_ = left is not None and now <= left and row.settlement_id is None
    return Given(_view(row, status.log_sizes(session)), left if open_ else None)


def own(session: Session, actor: Actor, *, after: str = "") -> tuple[list[OwnReceipt], str | None]:
    """A holder's own, and where the next page begins. Raises NotPermitted."""
    talent = people.of_account(session, actor)
    found, more = _page(session, _OF_TALENT, after, talent=talent.id)
    sizes = status.log_sizes(session)
    return [_own(row, sizes) for row in found], more


def own_one(session: Session, actor: Actor, redemption_id: str) -> tuple[OwnReceipt, list[Undone]]:
    """One of them with what came back of it. Raises NotPermitted, RedemptionNotFound (scenario 84)."""
    talent = people.of_account(session, actor)
    row = _found(session, actor, redemption_id, lambda row: row.talent_id == talent.id)
    sizes = status.log_sizes(session)
    undone = [_undone(each, sizes) for each in rows(session, _UNDONE, redemption=redemption_id)]
    return _own(row, sizes), undone


def own_record(session: Session, actor: Actor, redemption_id: str) -> str:
    """The evidence of one of the holder's own. Raises NotPermitted, RedemptionNotFound, NotCompletedYet."""
    return str(_completed(session, actor, redemption_id).record_id)


def own_check(session: Session, actor: Actor, redemption_id: str) -> str:
    """Its TCR: the record's number and leaf, by which anybody finds it. Raises as `own_record`."""
    row = _completed(session, actor, redemption_id)
    return tcr.ReceiptCheck(bytes.fromhex(row.record_id), bytes(row.leaf_hash)).write()


def _completed(session: Session, actor: Actor, redemption_id: str) -> Row[Any]:
    talent = people.of_account(session, actor)
    row = _found(session, actor, redemption_id, lambda row: row.talent_id == talent.id)
    if row.record_id is None:
        raise NotCompletedYet
    return row


def _page(
    session: Session, query: Select[Any], after: str, **whose: str
) -> tuple[list[Row[Any]], str | None]:
    at, key = _END_OF_TIME, ""
    if after and (row := session.get(Redemption, after)) is not None:
        at, key = row.made_at, row.id
    found = list(rows(session, query, at=at, after=key, **whose))
    return found[:PAGE], found[PAGE - 1].id if len(found) > PAGE else None


def _found(session: Session, actor: Actor, redemption: str, is_his: Callable[[Row[Any]], bool]) -> Row[Any]:
    row = only_row(session, _ONE, redemption=redemption)
    if row is None or not is_his(row):
        attempts.note(actor, "redemption", redemption)
        raise RedemptionNotFound
    return row


def _view(row: Row[Any], sizes: LogSizes) -> RedemptionView:
    return RedemptionView(
        id=row.id,
        state=row.state,
        benefit=row.benefit_id,
        benefit_title=row.title,
        benefit_version=row.number,
        outlet=row.outlet_id,
        terminal=row.terminal_id,
        staff=row.staff_id,
        talent_ref=row.talent_ref,
        quantity=row.quantity,
        list_value_fen=row.list_value_fen,
        value_fen=row.value_fen,
        partner_fen=row.value_fen - row.subsidy_fen,
        subsidy_fen=row.subsidy_fen,
        reversed_units=row.reversed_units,
        reversed_fen=row.reversed_fen,
        made_at=row.made_at,
        completed_at=row.completed_at,
        release=row.release,
        settlement=row.settlement_id,
        record=row.record_id,
        evidence=sizes.state_at(row.log_index) if row.record_id else None,
    )


def _own(row: Row[Any], sizes: LogSizes) -> OwnReceipt:
    return OwnReceipt(
        id=row.id,
        state=row.state,
        benefit=row.benefit_id,
        title=row.title,
        category=row.category,
        partner=row.partner,
        outlet=row.outlet_name or "",
        quantity=row.quantity,
        value_fen=row.value_fen,
        made_at=row.made_at,
        completed_at=row.completed_at,
        reserved_until=row.reserved_until,
        record=row.record_id,
        evidence=sizes.state_at(row.log_index) if row.record_id else None,
        reversed_units=row.reversed_units,
        reversed_fen=row.reversed_fen,
    )


def _undone(row: Row[Any], sizes: LogSizes) -> Undone:
    return Undone(
        row.id, row.quantity, row.value_fen, row.reason, row.at, row.record_id, sizes.state_at(row.log_index)
    )


_WHOSE: Final = union_all(
    select(Redemption.organisation_id).where(Redemption.record_id == bindparam("record")),
    select(Reversal.organisation_id).where(Reversal.record_id == bindparam("record")),
)


def is_of_organisation(session: Session, actor: Actor, record: str) -> bool:
    """Whether a record is of a use that the actor's organisation gave, or of its reversal."""
    return session.scalars(_WHOSE, {"record": record}).first() == actor.organisation_id
