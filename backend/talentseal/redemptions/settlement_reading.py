"""What each may read of settlements: a partner its own, who bears a subsidy those in which it does.

Acts in a settlement are shown without the person, by the numbers of their evidence.
"""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    and_,
    bindparam,
    exists,
    func,
    literal,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.orm import Session, aliased

from talentseal.accounts.models import Organisation
from talentseal.accounts.roles import Actor, Permission
from talentseal.benefits.models import BenefitVersion
from talentseal.clock import legal_date
from talentseal.db import only_row, rows
from talentseal.partners import service as partners
from talentseal.partners.models import Outlet
from talentseal.redemptions import confirming, ledger
from talentseal.redemptions.ledger import Sums
from talentseal.redemptions.models import Redemption, Reversal
from talentseal.redemptions.settlement_models import (
    Cycle,
    Settlement,
    SettlementLine,
    SettlementSignature,
    SettlementState,
    SettlementStatement,
    SettlementStep,
    SettlementTerm,
    Side,
)
from talentseal.redemptions.settlement_refusals import SettlementNotFound
from talentseal.redemptions.settlement_schemas import (
    ActPage,
    ActView,
    LineView,
    OpenPeriod,
    SettlementLineUp,
    SettlementPage,
    SettlementStatementView,
    SettlementStepView,
    SettlementView,
    SignatureView,
    SumsView,
)
from talentseal.redemptions.settlement_states import SETTLEMENT, SIGNABLE, Period

PAGE: Final = 50
ACTS: Final = 200
"""Acts of a page."""

_NEWEST: Final = and_(
    SettlementStatement.settlement_id == Settlement.id, SettlementStatement.number == Settlement.statement
)


def _signed(side: Side) -> ColumnElement[bool]:
    return exists().where(
        SettlementSignature.settlement_id == Settlement.id,
        SettlementSignature.statement == Settlement.statement,
        SettlementSignature.side == side,
    )


_SELECTED: Final = (
    select(
        *Settlement.__table__.c,
        Organisation.name,
        SettlementStatement.sha256,
        SettlementStatement.net_fen,
        SettlementStatement.made_by,
        _signed(Side.PARTNER).label("partner_signed"),
        _signed(Side.PAYER).label("payer_signed"),
    )
    .join(Organisation, Organisation.id == Settlement.organisation_id)
    .join(SettlementStatement, _NEWEST)
)
_ONE: Final = _SELECTED.where(Settlement.id == bindparam("settlement"))
_PAYER: Final = aliased(Organisation)
_LINES: Final = (
    select(*SettlementLine.__table__.c, _PAYER.name.label("payer_name"))
    .outerjoin(_PAYER, _PAYER.id == SettlementLine.payer_id)
    .where(SettlementLine.settlement_id == bindparam("settlement"))
    .order_by(SettlementLine.number)
)
_SIGNATURES: Final = (
    select(*SettlementSignature.__table__.c, Organisation.name)
    .join(Organisation, Organisation.id == SettlementSignature.organisation_id)
    .join(Settlement, Settlement.id == SettlementSignature.settlement_id)
    .where(Settlement.id == bindparam("settlement"), SettlementSignature.statement == Settlement.statement)
    .order_by(SettlementSignature.side)
)
_STEPS: Final = (
    select(*SettlementStep.__table__.c)
    .where(SettlementStep.settlement_id == bindparam("settlement"))
    .order_by(SettlementStep.number)
)


def listed(session: Session, actor: Actor, *, after: str = "") -> SettlementPage:
    """The settlements in which the actor has a part, the newest first. Raises NotPermitted."""
    actor.require(Permission.SETTLEMENT_SIGN)
    query = _SELECTED.where(_visible(actor))
    if after and (row := session.get(Settlement, after)) is not None:
        query = query.where(
            or_(
                Settlement.closed_at < row.closed_at,
                and_(Settlement.closed_at == row.closed_at, Settlement.id < row.id),
            )
        )
    query = query.order_by(Settlement.closed_at.desc(), Settlement.id.desc()).limit(PAGE + 1)
    found = session.execute(query).all()
    items = [SettlementLineUp(**_line_up(row)) for row in found[:PAGE]]
    return SettlementPage(items=items, next=items[-1].id if len(found) > PAGE else None)


def open_periods(session: Session, actor: Actor, *, now: datetime) -> list[OpenPeriod]:
    """What no settlement has taken in: of every partner for whoever closes, one's own otherwise.

    Raises NotPermitted.
    """
    actor.require(Permission.SETTLEMENT_SIGN)
    own = "" if actor.may(Permission.SETTLEMENT_CLOSE) else actor.organisation_id
    sums = ledger.open_by_partner(session, organisation=own)
    query = (
        select(
            Organisation.id,
            Organisation.name,
            SettlementTerm.cycle,
            select(func.max(Settlement.ends_on))
            .where(Settlement.organisation_id == Organisation.id)
            .correlate(Organisation)
            .scalar_subquery()
            .label("closed"),
        )
        .outerjoin(SettlementTerm, SettlementTerm.organisation_id == Organisation.id)
        .where(Organisation.id.in_(sums))
        .order_by(Organisation.name, Organisation.id)
    )
    return [_open(row, sums[row.id], now) for row in session.execute(query)]


def view(session: Session, actor: Actor, settlement: str) -> SettlementView:
    """One settlement with its newest statement. Raises NotPermitted, SettlementNotFound."""
    side = confirming.side_of(session, actor, confirming.find(session, actor, settlement))
    row = only_row(session, _ONE, settlement=settlement)
    if row is None:
        raise SettlementNotFound
    lines = [_line(each) for each in rows(session, _LINES, settlement=settlement)]
    signatures = [_signature(each) for each in rows(session, _SIGNATURES, settlement=settlement)]
    return SettlementView(
        **_line_up(row),
        sha256=row.sha256,
        sums=_sums(lines),
        lines=lines,
        signatures=signatures,
        steps=[_step(each) for each in rows(session, _STEPS, settlement=settlement)],
        paid_on=row.paid_on,
        payment=row.payment,
        mine=side,
        may_sign=_may_sign(actor, row, side, signatures),
    )


def acts(session: Session, actor: Actor, settlement: str, *, after: str = "", limit: int = ACTS) -> ActPage:
    """The redemptions and reversals in a settlement, in the order of their evidence's numbers.

    after: the record of the last one before. Raises NotPermitted, SettlementNotFound.
    """
    confirming.find(session, actor, settlement)
    found = rows(session, _ACTS, settlement=settlement, after=after, limit=limit + 1)
    items = [_act(row) for row in found[:limit]]
    return ActPage(items=items, next=items[-1].record if len(found) > limit else None)


def statement(session: Session, actor: Actor, settlement: str, *, now: datetime) -> SettlementStatementView:
    """What the actor's organisation signs. Raises NotPermitted, SettlementNotFound."""
    row = confirming.find(session, actor, settlement)
    newest = confirming.current(session, row)
    return SettlementStatementView(
        settlement=row.id,
        number=newest.number,
        period=row.period,
        text=newest.text,
        text_sha256=newest.sha256,
        organisation=actor.organisation_id,
        statement=confirming.statement_text(newest, actor.organisation_id),
        signers=partners.valid_addresses(session, now=now).get(actor.organisation_id, []),
    )


def _visible(actor: Actor) -> ColumnElement[bool]:
    own = Settlement.organisation_id == actor.organisation_id
    if not actor.may(Permission.SETTLEMENT_RECONCILE):
        return own
    if actor.role in confirming.OVERSEERS:
        return true()
    bears = exists().where(
        SettlementLine.settlement_id == Settlement.id, SettlementLine.payer_id == actor.organisation_id
    )
    return or_(own, bears)


def _line_up(row: Any) -> dict[str, Any]:
    return {
        "id": row.id,
        "organisation": row.organisation_id,
        "name": row.name,
        "period": row.period,
        "starts_on": row.starts_on,
        "ends_on": row.ends_on,
        "state": row.state,
        "statement": row.statement,
        "net_fen": row.net_fen,
        "closed_at": row.closed_at,
        "record": row.record_id,
        "signed": [
            side
            for side, is_signed in ((Side.PARTNER, row.partner_signed), (Side.PAYER, row.payer_signed))
            if is_signed
        ],
    }


def _open(row: Any, sums: Sums, now: datetime) -> OpenPeriod:
    cycle = row.cycle or Cycle.MONTH
    newest = Period.before(cycle, legal_date(now))
    return OpenPeriod(
        organisation=row.id,
        name=row.name,
        cycle=cycle,
        units=sums.units,
        value_fen=sums.value_fen,
        subsidy_fen=sums.subsidy_fen,
        reversed_units=sums.reversed_units,
        reversed_value_fen=sums.reversed_value_fen,
        closable=None if row.closed is not None and row.closed >= newest.last else newest.key,
    )


def _line(row: Any) -> LineView:
    return LineView(
        number=row.number,
        statement=row.statement,
        benefit=row.benefit_id,
        title=row.title,
        payer=row.payer_id,
        payer_name=row.payer_name,
        units=row.units,
        value_fen=row.value_fen,
        partner_fen=row.value_fen - row.subsidy_fen,
        subsidy_fen=row.subsidy_fen,
        reversed_units=row.reversed_units,
        reversed_value_fen=row.reversed_value_fen,
        reversed_partner_fen=row.reversed_value_fen - row.reversed_subsidy_fen,
        reversed_subsidy_fen=row.reversed_subsidy_fen,
        net_fen=row.net_fen,
        corrects=row.corrects,
        reason=row.reason,
    )


def _sums(lines: list[LineView]) -> SumsView:
    summed = (
        "units",
        "value_fen",
        "partner_fen",
        "subsidy_fen",
        "reversed_units",
        "reversed_value_fen",
        "reversed_partner_fen",
        "reversed_subsidy_fen",
        "net_fen",
    )
    sums = {name: sum(getattr(each, name) for each in lines) for name in summed}
    return SumsView(**sums, adjusted_fen=sum(each.net_fen for each in lines if each.reason is not None))


def _signature(row: Any) -> SignatureView:
    return SignatureView(
        side=row.side,
        organisation=row.organisation_id,
        name=row.name,
        signer=row.signer,
        signature=row.signature,
        received_at=row.received_at,
    )


def _step(row: Any) -> SettlementStepView:
    return SettlementStepView(
        state=row.state,
        at=row.at,
        reason=row.reason,
        lines=[int(each) for each in (row.lines or "").split()],
    )


def _may_sign(actor: Actor, row: Any, side: Side | None, signatures: list[SignatureView]) -> bool:
    if side is None or side in {each.side for each in signatures}:
        return False
    if actor.account_id in {row.closed_by, row.made_by}:
        return False
    if side is Side.PARTNER:
        return SETTLEMENT.allows(row.state, SettlementState.CONFIRMED)
    return row.state in SIGNABLE


def _acts() -> Select[Any]:
    settlement = bindparam("settlement", type_=String)
    used = select(
        Redemption.id,
        Redemption.id.label("redemption"),
        literal(0).label("is_reversal"),
        Redemption.completed_at.label("at"),
        Redemption.version_id,
        Redemption.outlet_id,
        Redemption.quantity,
        Redemption.value_fen,
        Redemption.subsidy_fen,
        Redemption.record_id,
    ).where(Redemption.settlement_id == settlement)
    back = (
        select(
            Reversal.id,
            Reversal.redemption_id,
            literal(1),
            Reversal.at,
            Redemption.version_id,
            Redemption.outlet_id,
            -Reversal.quantity,
            -Reversal.value_fen,
            -Reversal.subsidy_fen,
            Reversal.record_id,
        )
        .join(Redemption, Redemption.id == Reversal.redemption_id)
        .where(Reversal.settlement_id == settlement)
    )
    both = union_all(used, back).subquery()
    columns = [each for each in both.c if each.name not in {"version_id", "outlet_id"}]
    return (
        select(*columns, BenefitVersion.title, Outlet.name)
        .join(BenefitVersion, BenefitVersion.id == both.c.version_id)
        .outerjoin(Outlet, Outlet.id == both.c.outlet_id)
        .where(both.c.record_id > bindparam("after"))
        .order_by(both.c.record_id)
        .limit(bindparam("limit"))
    )


_ACTS: Final = _acts()


def _act(row: Any) -> ActView:
    return ActView(
        id=row.id,
        redemption=row.redemption,
        reversal=bool(row.is_reversal),
        at=row.at,
        benefit_title=row.title,
        outlet=row.name,
        quantity=row.quantity,
        value_fen=row.value_fen,
        partner_fen=row.value_fen - row.subsidy_fen,
        subsidy_fen=row.subsidy_fen,
        record=row.record_id,
    )
