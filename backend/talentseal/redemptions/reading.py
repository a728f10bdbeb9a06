"""Reading redemptions: a partner's own, by references that are his alone; a holder's own receipts."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, and_, bindparam, or_, select
from sqlalchemy.orm import Session

from talentseal.accounts.models import Organisation
from talentseal.accounts.roles import Actor, Permission
from talentseal.benefits.models import Benefit, BenefitVersion, Category
from talentseal.db import only_row, rows
from talentseal.evidence import status
from talentseal.evidence.models import EvidenceRecord
from talentseal.evidence.status import LogSizes, RecordState
from talentseal.partners.models import Outlet
from talentseal.redemptions.models import Redemption, RedemptionState, Reversal
from talentseal.redemptions.schemas import RedemptionPage, RedemptionView
from talentseal.redemptions.service import RedemptionNotFound
from talentseal.talents import attempts, people

PAGE: Final = 50


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


def _selected(*conditions: ColumnElement[bool]) -> Select[Any]:
    return (
        select(
            *Redemption.__table__.c,
            BenefitVersion.benefit_id,
            BenefitVersion.title,
            BenefitVersion.number,
            Benefit.category,
            Organisation.name.label("partner"),
            Outlet.name.label("outlet_name"),
            EvidenceRecord.log_index,
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
