"""Measures (Article 16): drafted and passed by the talent office, approved by the leading group.

DRAFT → ON_AGENDA → PASSED_BY_JOINT_MEETING → SUBMITTED → APPROVED | RETURNED | REJECTED, and from APPROVED
into force on its day. A returned measure comes again as another version.
"""

import hashlib
import secrets
from collections.abc import Mapping
from datetime import date, datetime
from typing import Final

from sqlalchemy import bindparam, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from sealproof import canonical
from talentseal import evidence
from talentseal.accounts import service as accounts
from talentseal.accounts.models import OrganisationKind
from talentseal.accounts.roles import Actor, Permission
from talentseal.clock import legal_date
from talentseal.errors import Conflict, Invalid, NotFound
from talentseal.policy.events import MeasureApproved
from talentseal.policy.measure_models import Measure, MeasureState, MeasureStep
from talentseal.policy.measure_schemas import DraftMeasure, MeasureMove, MeasureView
from talentseal.policy.service import OwnProposal
from talentseal.states import Transitions

_M = MeasureState
MEASURE: Final = Transitions(
    {
        _M.DRAFT: frozenset({_M.ON_AGENDA}),
        _M.ON_AGENDA: frozenset({_M.PASSED_BY_JOINT_MEETING, _M.DRAFT}),
        _M.PASSED_BY_JOINT_MEETING: frozenset({_M.SUBMITTED}),
        _M.SUBMITTED: frozenset({_M.APPROVED, _M.RETURNED, _M.REJECTED}),
        _M.APPROVED: frozenset({_M.IN_FORCE}),
        _M.RETURNED: frozenset(),
        _M.REJECTED: frozenset(),
        _M.IN_FORCE: frozenset(),
    }
)
"""The last step is the clock's."""

CARRIES: Final = frozenset({_M.APPROVED, _M.IN_FORCE})
"""In these a benefit may stand on it."""

DECISIONS: Final[Mapping[MeasureState, Permission]] = {
    _M.DRAFT: Permission.MEASURE_DRAFT,
    _M.ON_AGENDA: Permission.MEASURE_DRAFT,
    _M.PASSED_BY_JOINT_MEETING: Permission.MEASURE_ADOPT,
    _M.SUBMITTED: Permission.MEASURE_DRAFT,
    _M.APPROVED: Permission.MEASURE_APPROVE,
    _M.RETURNED: Permission.MEASURE_APPROVE,
    _M.REJECTED: Permission.MEASURE_APPROVE,
}
"""Who takes each step."""

_JUDGED: Final = frozenset({_M.PASSED_BY_JOINT_MEETING, _M.APPROVED, _M.RETURNED, _M.REJECTED})
"""Steps that are never the drafter's."""


class MeasureNotFound(NotFound):
    code = "measure-not-found"
    zh = "没有找到该措施，或您无权查看。请核对编号。"
    en = "There is no such measure, or it is not yours to see; check the number."


class MeasureAtOnce(Conflict):
    code = "measure-version-at-once"
    zh = "另有人刚起草了该措施的新版本。请刷新后再办。"
    en = "Someone else has just drafted a version of this measure; reload and decide again."


class MeasureNotReturned(Conflict):
    code = "measure-not-returned"
    zh = "该措施最新一版现为 {state}，只有被退回的措施才能另起一版。请刷新核对。"
    en = "The newest version is {state}; only a returned measure comes again as another version."


class MeasureBody(Invalid):
    code = "measure-body-refused"
    zh = "承办单位须为政府部门。请改选承办单位。"
    en = "A measure is carried out by a body of government; choose one."


class ReasonNeeded(Invalid):
    code = "measure-reason-needed"
    zh = "退回或否决须写明理由。"
    en = "Whoever returns or rejects a measure has to say why."


def draft(
    session: Session, actor: Actor, command: DraftMeasure, *, measure: str | None = None, now: datetime
) -> Measure:
    """Enter a measure; with `measure` the next version of one that was returned.

    Raises NotPermitted, OrganisationNotFound, MeasureBody, MeasureNotFound, MeasureNotReturned,
    MeasureAtOnce.
    """
    actor.require(Permission.MEASURE_DRAFT)
    if accounts.organisation(session, command.organisation).kind is not OrganisationKind.GOVERNMENT:
        raise MeasureBody
    row = Measure(
        id=secrets.token_hex(16),
        measure=measure or secrets.token_hex(16),
        number=_next_number(session, measure),
        state=_M.DRAFT,
        organisation_id=command.organisation,
        title=command.title,
        text=command.text,
        effective_from=command.effective_from,
        drafted_by=actor.account_id,
        drafted_at=now,
    )
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        raise MeasureAtOnce from None
    _note(session, row, actor.account_id, now=now)
    return row


def redraft(
    session: Session, actor: Actor, measure_id: str, command: DraftMeasure, *, now: datetime
) -> Measure:
    """Draft the next version of the measure of which `measure_id` is a version. Raises as `draft`."""
    return draft(session, actor, command, measure=find(session, measure_id).measure, now=now)


def move(session: Session, actor: Actor, measure_id: str, command: MeasureMove, *, now: datetime) -> Measure:
    """Take a version a step further; its approval leaves evidence.

    Raises NotPermitted, MeasureNotFound, TransitionRefused, OwnProposal, ReasonNeeded.
    """
    actor.require(DECISIONS[command.to])
    row = find(session, measure_id, lock=True)
    MEASURE.require(row.state, command.to)
    if command.to in _JUDGED and actor.account_id == row.drafted_by:
        raise OwnProposal
    if command.to in {_M.RETURNED, _M.REJECTED} and command.reason is None:
        raise ReasonNeeded
    row.state = command.to
    if command.to in {_M.APPROVED, _M.RETURNED, _M.REJECTED}:
        row.decided_at = now
    if command.to is _M.APPROVED:
        row.record_id = evidence.record(session, _approved(row, command, now), now=now).id
    _note(session, row, actor.account_id, command.reference, command.reason, now=now)
    if row.state is _M.APPROVED and row.effective_from <= legal_date(now):
        _enter_into_force(session, row, now)
    return row


def apply_day(session: Session, day: date, now: datetime) -> int:
    """Let approved measures whose day has come be in force; answers how many. Safe to repeat."""
    due = select(Measure).where(Measure.state == _M.APPROVED, Measure.effective_from <= day)
    found = list(session.scalars(due.with_for_update()))
    for row in found:
        _enter_into_force(session, row, now)
    return len(found)


def find(session: Session, measure_id: str, *, lock: bool = False) -> Measure:
    """One version. Raises MeasureNotFound."""
    row = session.get(Measure, measure_id, with_for_update=lock or None)
    if row is None:
        raise MeasureNotFound
    return row


_LISTED: Final = select(Measure).order_by(Measure.drafted_at.desc(), Measure.id)
_LISTED_OWN: Final = _LISTED.where(Measure.organisation_id == bindparam("organisation"))


def listed(session: Session, actor: Actor) -> list[Measure]:
    """Every version, newest first, for those who have a part in measures; a provider's own for a provider.

    Raises NotPermitted.
    """
    query = _LISTED
    if not (actor.may(Permission.MEASURE_DRAFT) or actor.may(Permission.MEASURE_APPROVE)):
        actor.require(Permission.BENEFIT_OWN)
        query = _LISTED_OWN
    return list(session.scalars(query, {"organisation": actor.organisation_id}))


def view(session: Session, actor: Actor, measure_id: str) -> MeasureView:
    """One version with its steps. Raises NotPermitted, MeasureNotFound."""
    row = next((each for each in listed(session, actor) if each.id == measure_id), None)
    if row is None:
        raise MeasureNotFound
    query = select(MeasureStep).where(MeasureStep.measure_id == row.id).order_by(MeasureStep.number)
    return MeasureView.with_steps(row, session.scalars(query).all())


def text_sha256(row: Measure) -> str:
    """64 hex digits over the canonical form of everything that was decided on."""
    content: dict[str, canonical.Json] = {
        "organisation": row.organisation_id,
        "title": row.title,
        "text": row.text,
        "effective_from": row.effective_from.isoformat(),
    }
    return hashlib.sha256(canonical.encode(content)).hexdigest()


def _next_number(session: Session, measure: str | None) -> int:
    if measure is None:
        return 1
    newest = select(Measure).where(Measure.measure == measure).order_by(Measure.number.desc()).limit(1)
    row = session.scalars(newest).one_or_none()
    if row is None:
        raise MeasureNotFound
    if row.state is not _M.RETURNED:
        raise MeasureNotReturned(state=row.state.value)
    return row.number + 1


def _approved(row: Measure, command: MeasureMove, now: datetime) -> MeasureApproved:
    return MeasureApproved(
        row.measure,
        row.number,
        text_sha256(row),
        row.organisation_id,
        command.reference,
        legal_date(now),
        row.effective_from,
    )


def _enter_into_force(session: Session, row: Measure, now: datetime) -> None:
    row.state = _M.IN_FORCE
    _note(session, row, None, now=now)


def _note(
    session: Session,
    row: Measure,
    by: str | None,
    reference: str | None = None,
    reason: str | None = None,
    *,
    now: datetime,
) -> None:
    count = select(func.count()).select_from(MeasureStep).where(MeasureStep.measure_id == row.id)
    session.add(
        MeasureStep(
            measure_id=row.id,
            number=(session.scalar(count) or 0) + 1,
            state=row.state,
            by=by,
            at=now,
            reference=reference,
            reason=reason,
        )
    )
    session.flush()
