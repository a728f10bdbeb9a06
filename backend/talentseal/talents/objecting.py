"""Objections to a decision: a rejected application, a recognition that was refused or ended.

Made within fifteen days in the holder's own words, once for each decision, and answered by somebody of the
office who did not make it. A decision that is set aside is as if it had not been made: the application is
under review again, the recognition stands where it stood. Both steps stay.
"""

import json
import secrets
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from talentseal.accounts.models import Account
from talentseal.accounts.roles import Actor, Permission
from talentseal.clock import legal_date
from talentseal.errors import Conflict, NotFound
from talentseal.policy import calendar
from talentseal.policy.tiers import Tier
from talentseal.states import Transitions
from talentseal.talents import applications, attempts, codes, people, recognitions
from talentseal.talents.codes import CodeNotFound
from talentseal.talents.models import (
    AccessPurpose,
    Application,
    ApplicationState,
    ApplicationStep,
    FieldGroup,
    RecognitionStep,
    TierRecognition,
    place_of,
)
from talentseal.talents.objection_models import Objection, ObjectionState
from talentseal.talents.objection_schemas import (
    Against,
    AnswerObjection,
    FileObjection,
    ObjectionList,
    ObjectionRow,
    ObjectionView,
    OfficeObjection,
    OpenDecision,
    OwnObjections,
)
from talentseal.talents.terms import OBJECTION_ANSWER_WORKING_DAYS, OBJECTION_DAYS
from talentseal.talents.tiers import RecognitionState
from talentseal.vault import Vault

_S = ObjectionState
MOVES: Final = Transitions(
    {
        _S.FILED: frozenset({_S.STANDS, _S.SET_ASIDE, _S.WITHDRAWN}),
        _S.STANDS: frozenset(),
        _S.SET_ASIDE: frozenset(),
        _S.WITHDRAWN: frozenset(),
    }
)
_ENDED: Final = frozenset({RecognitionState.ADJUSTED, RecognitionState.REVOKED})


class ObjectionNotFound(NotFound):
    code = "objection-not-found"
    zh = "没有找到该异议，或您无权查看。请核对编号。"
    en = "There is no such objection, or it is not yours to see; check the number."


class NothingDecided(NotFound):
    code = "objection-nothing-decided"
    zh = "没有找到可以提出异议的决定。请从“我的异议”中选择。"
    en = "There is no such decision to object to; choose one of those listed under my objections."


class ObjectionMade(Conflict):
    code = "objection-made"
    zh = "您已对这一决定提出过异议，每项决定只能提出一次。"
    en = "You have objected to this decision; that can be done once."


class ObjectionTooLate(Conflict):
    code = "objection-too-late"
    zh = "提出异议的期限已于 {closes_on} 届满。可以补齐材料后重新申请。"
    en = "The term for objections ended on {closes_on}; you can apply again with what was missing."


class ObjectionToOwnDecision(Conflict):
    code = "objection-own-decision"
    zh = "异议所针对的决定由您作出，须由没有作出该决定的另一账户答复。"
    en = "The objection is to a decision of yours; another account must answer it."


class ApplicantElsewhere(Conflict):
    code = "objection-other-application"
    zh = "申请人另有申请正在办理，原申请不能恢复审核。请先办结该申请，或维持原决定。"
    en = "The applicant has another application under way; decide that first, or let the decision stand."


class ObjectionMoot(Conflict):
    code = "objection-moot"
    zh = "该人才码已终止或注销，认定无从恢复，只能维持原决定。"
    en = "The code has ended, so there is no recognition to restore; the decision can only stand."


@dataclass(frozen=True, slots=True)
class _Decision:
    """A decision that holds now. step: its number among the steps. made_by: account."""

    against: Against
    id: str
    step: int
    made_by: str
    at: datetime
    state: str
    tier: Tier | None = None
    refused: bool = False


def file(session: Session, actor: Actor, vault: Vault, command: FileObjection, *, now: datetime) -> Objection:
    """Object to a decision about oneself. Raises NotPermitted, NothingDecided, ObjectionTooLate,
    ObjectionMade.
    """
    talent = people.of_account(session, actor)
    made = _decisions_of(session, talent.id).get((command.against, command.id))
    if made is None:
        attempts.note(actor, "decision", command.id)
        raise NothingDecided
    days = calendar.imported(session)
    closes_on = days.days_after(legal_date(made.at), OBJECTION_DAYS).day
    if legal_date(now) > closes_on:
        raise ObjectionTooLate(closes_on=closes_on.isoformat())
    identifier, of_application = secrets.token_hex(16), made.against is Against.APPLICATION
    row = Objection(
        id=identifier,
        talent_id=talent.id,
        application_id=made.id if of_application else None,
        recognition_id=None if of_application else made.id,
        step=made.step,
        made_by=made.made_by,
        state=_S.FILED,
        sealed=_sealed(vault, identifier, {"text": command.text}),
        filed_at=now,
        due_on=days.working_days_after(legal_date(now), OBJECTION_ANSWER_WORKING_DAYS).day,
    )
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        raise ObjectionMade from None
    return row


def answer(
    session: Session,
    actor: Actor,
    vault: Vault,
    objection_id: str,
    command: AnswerObjection,
    *,
    now: datetime,
) -> Objection:
    """Let the decision stand, or set it aside, for a reason.

    Raises NotPermitted, ObjectionNotFound, TransitionRefused, ObjectionToOwnDecision, ApplicantElsewhere,
    ObjectionMoot, SocialisedExcluded.
    """
    actor.require(Permission.OBJECTION_DECIDE)
    row = _held(session, objection_id)
    after = _S.SET_ASIDE if command.set_aside else _S.STANDS
    MOVES.require(row.state, after)
    if row.made_by == actor.account_id:
        raise ObjectionToOwnDecision
    if command.set_aside:
        _set_aside(session, actor, vault, row, command.reason, now=now)
    row.sealed = _sealed(vault, row.id, {**said_in(vault, row), "reason": command.reason})
    row.state, row.answered_at, row.answered_by = after, now, actor.account_id
    session.flush()
    return row


def own(session: Session, actor: Actor, vault: Vault, *, now: datetime) -> OwnObjections:
    """What one can object to now, and one's objections. Raises NotPermitted."""
    talent = people.of_account(session, actor)
    made, rows = _decisions_of(session, talent.id), of_talent(session, talent.id)
    done = {(row.application_id or row.recognition_id, row.step) for row in rows}
    left = [each for each in made.values() if (each.id, each.step) not in done]
    return OwnObjections(
        open=_open(session, left, legal_date(now)),
        items=[ObjectionView(**_view(vault, row, _tier_of(session, row))) for row in rows],
    )


def waiting(session: Session, actor: Actor, *, now: datetime) -> ObjectionList:
    """Objections that await an answer, the most urgent first; nothing of who objects. Raises NotPermitted."""
    actor.require(Permission.OBJECTION_DECIDE)
    day = legal_date(now)
    query = select(Objection).where(Objection.state == _S.FILED)
    rows = session.scalars(query.order_by(Objection.due_on, Objection.filed_at, Objection.id))
    return ObjectionList(
        items=[
            ObjectionRow(
                id=row.id,
                against=_against(row),
                filed_at=row.filed_at,
                due_on=row.due_on,
                overdue=row.due_on < day,
                own=row.made_by == actor.account_id,
            )
            for row in rows
        ]
    )


def for_answer(
    session: Session, actor: Actor, vault: Vault, objection_id: str, *, now: datetime
) -> OfficeObjection:
    """An objection as the office opens it, with the trace of that for whoever made it.

    Raises NotPermitted, ObjectionNotFound.
    """
    actor.require(Permission.OBJECTION_DECIDE)
    row = session.get(Objection, objection_id)
    if row is None:
        raise ObjectionNotFound
    at, said = _decided(session, vault, row)
    groups = {FieldGroup.BASIC if row.application_id else FieldGroup.HONOUR}
    people.note_access(
        session,
        actor,
        row.talent_id,
        AccessPurpose.OBJECTION,
        groups,
        application_id=row.application_id,
        now=now,
    )
    return OfficeObjection(
        **_view(vault, row, _tier_of(session, row)),
        decided_at=at,
        decided_by=session.scalar(select(Account.name).where(Account.id == row.made_by)) or "",
        decision_reason=said.get("reason", ""),
        ground=said.get("ground"),
        own=row.made_by == actor.account_id,
    )


def of_talent(session: Session, talent_id: str) -> list[Objection]:
    """Everything somebody objected to, the newest first."""
    query = select(Objection).where(Objection.talent_id == talent_id)
    return list(session.scalars(query.order_by(Objection.filed_at.desc(), Objection.id)))


def said_in(vault: Vault, row: Objection) -> dict[str, Any]:
    """What was said against it and answered; empty once it was erased."""
    said: dict[str, Any] = json.loads(vault.open(place_of("objection", row.id), row.sealed))
    return said


def _sealed(vault: Vault, identifier: str, said: dict[str, Any]) -> bytes:
    return vault.seal(place_of("objection", identifier), json.dumps(said, ensure_ascii=False).encode())


def _decisions_of(session: Session, talent_id: str) -> dict[tuple[Against, str], _Decision]:
    """What was decided against somebody and holds: the last step of each application and recognition."""
    rejected = (
        select(ApplicationStep)
        .join(Application, Application.id == ApplicationStep.application_id)
        .where(
            Application.talent_id == talent_id,
            Application.state == ApplicationState.REJECTED,
            ApplicationStep.state == ApplicationState.REJECTED,
        )
        .order_by(ApplicationStep.number)
    )
    ended = (
        select(RecognitionStep, TierRecognition.tier, TierRecognition.confirmed_at)
        .join(TierRecognition, TierRecognition.id == RecognitionStep.recognition_id)
        .where(
            TierRecognition.talent_id == talent_id,
            TierRecognition.state.in_(_ENDED),
            RecognitionStep.state == TierRecognition.state,
        )
        .order_by(RecognitionStep.number)
    )
    found = [
        _Decision(
            Against.APPLICATION, step.application_id, step.number, step.account_id, step.at, step.state.value
        )
        for step in session.scalars(rejected)
    ]
    for step, tier, confirmed_at in session.execute(ended):
        made_by = step.account_id or ""
        state, refused = step.state.value, confirmed_at is None
        about = step.recognition_id
        found.append(
            _Decision(Against.RECOGNITION, about, step.number, made_by, step.at, state, tier, refused)
        )
    return {(each.against, each.id): each for each in found}


def _open(session: Session, made: list[_Decision], day: date) -> list[OpenDecision]:
    if not made:
        return []
    days = calendar.imported(session)
    shown = [
        OpenDecision(
            against=each.against,
            id=each.id,
            tier=each.tier,
            state=each.state,
            refused=each.refused,
            decided_at=each.at,
            through=days.days_after(legal_date(each.at), OBJECTION_DAYS).day,
        )
        for each in made
    ]
    return sorted((each for each in shown if day <= each.through), key=lambda each: each.through)


def _against(row: Objection) -> Against:
    return Against.APPLICATION if row.application_id else Against.RECOGNITION


def _tier_of(session: Session, row: Objection) -> Tier | None:
    return recognitions.find(session, row.recognition_id).tier if row.recognition_id else None


def _view(vault: Vault, row: Objection, tier: Tier | None) -> dict[str, Any]:
    """The fields of an ObjectionView."""
    said = said_in(vault, row)
    return {
        "id": row.id,
        "against": _against(row),
        "about": row.application_id or row.recognition_id,
        "tier": tier,
        "state": row.state,
        "filed_at": row.filed_at,
        "due_on": row.due_on,
        "answered_at": row.answered_at,
        "text": said.get("text", ""),
        "reason": said.get("reason", ""),
    }


def _decided(session: Session, vault: Vault, row: Objection) -> tuple[datetime, dict[str, Any]]:
    """When it was decided, and what was said with it."""
    if row.application_id is not None:
        step = session.get_one(ApplicationStep, (row.application_id, row.step))
        return step.at, applications.said_in(vault, step)
    taken = session.get_one(RecognitionStep, (row.recognition_id, row.step))
    return taken.at, recognitions.said_in(vault, taken)


def _held(session: Session, objection_id: str) -> Objection:
    """An objection, held until the commit after what it is about, which everybody holds first."""
    found = session.get(Objection, objection_id)
    if found is None:
        raise ObjectionNotFound
    if found.application_id is not None:
        session.get_one(Application, found.application_id, with_for_update=True, populate_existing=True)
    else:
        codes.hold_of(session, found.talent_id)
    return session.get_one(Objection, objection_id, with_for_update=True, populate_existing=True)


def _set_aside(
    session: Session, actor: Actor, vault: Vault, row: Objection, reason: str, *, now: datetime
) -> None:
    if row.recognition_id is not None:
        try:
            recognitions.restore(session, actor, vault, row.recognition_id, reason, now=now)
        except CodeNotFound:
            raise ObjectionMoot from None
        return
    about = session.get_one(Application, row.application_id)
    due_on = calendar.working_days_after(session, legal_date(now), applications.ANSWER_WORKING_DAYS).day
    try:
        with session.begin_nested():
            about.reviewer_id, about.due_on = actor.account_id, due_on
            applications.move(
                session,
                about,
                ApplicationState.UNDER_REVIEW,
                actor,
                vault=vault,
                said={"reason": reason},
                moves=applications.SET_ASIDE,
                now=now,
            )
    except IntegrityError:
        raise ApplicantElsewhere from None
