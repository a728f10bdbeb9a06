"""Mandates of the operator (Article 5): drafted, made live by another person, ended or run out.

Of mandates that are live no two may cover the same day: whoever makes one live holds all of them meanwhile.
"""

import secrets
from datetime import date, datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from talentseal.accounts import service as accounts
from talentseal.accounts.models import OrganisationKind
from talentseal.accounts.roles import Actor, Permission
from talentseal.clock import legal_date
from talentseal.errors import Conflict, Invalid, NotFound
from talentseal.partners.access_models import MandateState, MandateStep, OperatorMandate
from talentseal.partners.access_schemas import DraftMandate, MandateView
from talentseal.policy.service import OwnProposal
from talentseal.states import Transitions

_M = MandateState
MANDATE: Final = Transitions(
    {
        _M.DRAFT: frozenset({_M.LIVE, _M.ENDED}),
        _M.LIVE: frozenset({_M.EXPIRED, _M.ENDED}),
        _M.EXPIRED: frozenset(),
        _M.ENDED: frozenset(),
    }
)


class MandateNotFound(NotFound):
    code = "mandate-not-found"
    zh = "没有找到该委托运营协议。请核对编号。"
    en = "There is no such mandate; check the identifier."


class MandateOverlaps(Conflict):
    code = "mandate-overlaps"
    zh = "委托期限与已生效的委托 {reference}（{starts_on} 至 {ends_on}）重叠，同一日只能有一项委托生效。"
    en = (
        "The term overlaps that of the live mandate {reference} ({starts_on} to {ends_on}); "
        "no day has two of them."
    )


class MandateOver(Invalid):
    code = "mandate-over"
    zh = "委托期限已于 {ends_on} 届满，不能再生效。请重新起草。"
    en = "The term was over on {ends_on}, so it cannot be made live; draft another."


class MandateOperator(Invalid):
    code = "mandate-operator-refused"
    zh = "受托方须为运营机构。请改选机构。"
    en = "A mandate is the operator's; choose an operating institution."


class MandateNotLive(Conflict):
    code = "mandate-not-live"
    zh = "运营机构现无生效的委托，不能办理。请先由人才办使委托生效。"
    en = "The operator has no live mandate now; the talent office has to make one live first."


class OutsideMandate(Conflict):
    code = "outside-mandate"
    zh = "该单位类别（{kind}）不在现行委托的范围内。"
    en = "Partners of kind {kind} lie outside the live mandate's scope."


def draft(session: Session, actor: Actor, command: DraftMandate, *, now: datetime) -> OperatorMandate:
    """Draft a mandate. Raises NotPermitted, OrganisationNotFound, MandateOperator."""
    actor.require(Permission.MANDATE_DRAFT)
    if accounts.organisation(session, command.operator).kind is not OrganisationKind.OPERATOR:
        raise MandateOperator
    row = OperatorMandate(
        id=secrets.token_hex(16),
        operator_id=command.operator,
        state=_M.DRAFT,
        reference=command.reference,
        starts_on=command.starts_on,
        ends_on=command.ends_on,
        scope=" ".join(command.scope),
        drafted_by=actor.account_id,
        drafted_at=now,
    )
    session.add(row)
    session.flush()
    _note(session, row, actor.account_id, now=now)
    return row


def activate(session: Session, actor: Actor, mandate_id: str, *, now: datetime) -> OperatorMandate:
    """Make a drafted mandate live: on its first day, or at once when that is past.

    Raises NotPermitted, MandateNotFound, TransitionRefused, OwnProposal, MandateOver, MandateOverlaps.
    """
    actor.require(Permission.MANDATE_DECIDE)
    # All of them, in one order: two that are made live at once queue up here, whichever two they are.
    every = session.scalars(select(OperatorMandate).order_by(OperatorMandate.id).with_for_update()).all()
    row = next((each for each in every if each.id == mandate_id), None)
    if row is None:
        raise MandateNotFound
    MANDATE.require(row.state, _M.LIVE)
    if row.drafted_by == actor.account_id:
        raise OwnProposal
    if row.ends_on < legal_date(now):
        raise MandateOver(ends_on=row.ends_on.isoformat())
    for other in every:
        if other.state is _M.LIVE and row.starts_on <= other.ends_on and other.starts_on <= row.ends_on:
            raise MandateOverlaps(
                reference=other.reference,
                starts_on=other.starts_on.isoformat(),
                ends_on=other.ends_on.isoformat(),
            )
    row.state = _M.LIVE
    _note(session, row, actor.account_id, now=now)
    return row


def end(session: Session, actor: Actor, mandate_id: str, reason: str, *, now: datetime) -> OperatorMandate:
    """End a mandate before its last day, or drop a draft.

    Raises NotPermitted, MandateNotFound, TransitionRefused.
    """
    actor.require(Permission.MANDATE_DECIDE)
    row = find(session, mandate_id)
    MANDATE.require(row.state, _M.ENDED)
    row.state = _M.ENDED
    _note(session, row, actor.account_id, reason, now=now)
    return row


def apply_day(session: Session, day: date, now: datetime) -> int:
    """Let live mandates expire whose last day is past; answers how many. Safe to repeat."""
    due = select(OperatorMandate).where(OperatorMandate.state == _M.LIVE, OperatorMandate.ends_on < day)
    found = list(session.scalars(due.order_by(OperatorMandate.id).with_for_update()))
    for row in found:
        row.state = _M.EXPIRED
        _note(session, row, None, now=now)
    return len(found)


def find(session: Session, mandate_id: str) -> OperatorMandate:
    """One mandate, held until the commit. Raises MandateNotFound."""
    row = session.get(OperatorMandate, mandate_id, with_for_update=True)
    if row is None:
        raise MandateNotFound
    return row


def live(session: Session, operator_id: str, *, now: datetime) -> OperatorMandate:
    """The operator's mandate of today. Raises MandateNotLive."""
    today = legal_date(now)
    query = select(OperatorMandate).where(
        OperatorMandate.operator_id == operator_id,
        OperatorMandate.state == _M.LIVE,
        OperatorMandate.starts_on <= today,
        OperatorMandate.ends_on >= today,
    )
    row = session.scalars(query).one_or_none()
    if row is None:
        raise MandateNotLive
    return row


def require_scope(session: Session, operator_id: str, kind: OrganisationKind, *, now: datetime) -> str:
    """The id of the mandate of today, which covers partners of that kind.

    Raises MandateNotLive, OutsideMandate.
    """
    mandate = live(session, operator_id, now=now)
    if kind.value not in mandate.scope.split():
        raise OutsideMandate(kind=kind.value)
    return mandate.id


def views(session: Session, actor: Actor) -> list[MandateView]:
    """Every mandate, newest first; the operator's own for the operator. Raises NotPermitted."""
    query = select(OperatorMandate).order_by(OperatorMandate.drafted_at.desc(), OperatorMandate.id)
    if not actor.may(Permission.MANDATE_DRAFT):
        actor.require(Permission.ACCESS_NEGOTIATE)
        query = query.where(OperatorMandate.operator_id == actor.organisation_id)
    found = list(session.scalars(query))
    steps: dict[str, list[MandateStep]] = {row.id: [] for row in found}
    taken = select(MandateStep).where(MandateStep.mandate_id.in_(steps)).order_by(MandateStep.number)
    for step in session.scalars(taken):
        steps[step.mandate_id].append(step)
    return [MandateView.of(row, steps[row.id]) for row in found]


def _note(
    session: Session, row: OperatorMandate, by: str | None, reason: str | None = None, *, now: datetime
) -> None:
    count = select(func.count()).select_from(MandateStep).where(MandateStep.mandate_id == row.id)
    session.add(
        MandateStep(
            mandate_id=row.id,
            number=(session.scalar(count) or 0) + 1,
            state=row.state,
            by=by,
            at=now,
            reason=reason,
        )
    )
    session.flush()
