"""Reviews (Article 15): reported, answered by the holder, decided by the office.

A review takes nothing by itself. Only when nobody answers within the grace does the code go REVIEW_OVERDUE,
and it comes back with the review that is confirmed, however late (`review_days` holds what the date brings).
Whoever works on a review holds its code first, as everybody does, and then the review.
"""

import json
import secrets
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import bindparam, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from talentseal.accounts.roles import Actor, Permission
from talentseal.clock import legal_date
from talentseal.errors import Conflict, NotFound
from talentseal.states import Transitions
from talentseal.talents import attempts, codes, fields, papers, people, review_terms
from talentseal.talents.models import CodeState, FieldGroup, TalentCode, place_of
from talentseal.talents.review_models import ReviewCause, ReviewState, ReviewStep, ReviewTask
from talentseal.talents.review_schemas import AnswerReview, DecideReview, ReportHappening, Verdict
from talentseal.vault import Vault

State = ReviewState
MOVES: Final = Transitions(
    {
        State.SCHEDULED: frozenset({State.DUE}),
        State.DUE: frozenset({State.SUBMITTED, State.OVERDUE}),
        State.OVERDUE: frozenset({State.SUBMITTED}),
        State.SUBMITTED: frozenset({State.CONFIRMED, State.CHANGES_REQUIRED, State.FAILED}),
        State.CHANGES_REQUIRED: frozenset({State.SUBMITTED, State.OVERDUE}),
        State.CONFIRMED: frozenset(),
        State.FAILED: frozenset(),
    }
)
"""Domain specification §1.2. CHANGES_REQUIRED → OVERDUE: else an empty answer would hold the grace off."""

OPEN: Final = frozenset(State) - {State.CONFIRMED, State.FAILED}
ANSWERABLE: Final = frozenset({State.SCHEDULED, State.DUE, State.OVERDUE, State.CHANGES_REQUIRED})
EVENT_NOTICE: Final = timedelta(days=30)
"""From a report until its review is due: long enough for the first reminder."""


class ReviewNotFound(NotFound):
    code = "review-not-found"
    zh = "没有找到该复核，或您无权查看。请核对编号。"
    en = "There is no such review, or it is not yours to see; check the number."


class ReviewMoot(Conflict):
    code = "review-moot"
    zh = "该人才码已终止或注销，无须再复核。"
    en = "The code has ended, so there is nothing left to review."


class ReporterDecides(Conflict):
    code = "reporter-decides"
    zh = "此复核由您本人报告，须由另一账户决定。"
    en = "You reported what this review is about, so another account must decide it."


def report(session: Session, actor: Actor, vault: Vault, command: ReportHappening, *, now: datetime) -> None:
    """Take what happened to a person: a review of his opens, and nothing else changes (scenario 54).

    Says nothing of whether he is known here, nor whether the same was reported before. Raises NotPermitted.
    """
    actor.require(Permission.REVIEW_REPORT)
    digest = vault.digest("identity", command.identity)
    alive = (TalentCode.identity_digest == digest) & TalentCode.ended_at.is_(None)
    code = session.scalars(select(TalentCode).where(alive).with_for_update()).one_or_none()
    if code is None:
        return
    day, cause = legal_date(now), ReviewCause(command.happening.value)
    occasion = vault.digest("report", f"{actor.organisation_id}|{command.reference}")[:32]
    grace = review_terms.in_force(session).grace_days
    row = make(code, cause, occasion, due_on=day + EVENT_NOTICE, day=day, grace_days=grace)
    row.opened_by = actor.account_id
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        # Reported before, which says nothing new; or one of that cause is open, which takes this up as well.
        open_one = _open_of(session, code, cause)
        if open_one is None or open_one.occasion == occasion:
            return
        row = open_one
    step(session, row, actor, vault=vault, said={"note": command.note}, now=now)


def _open_of(session: Session, code: TalentCode, cause: ReviewCause) -> ReviewTask | None:
    query = select(ReviewTask).where(ReviewTask.code_id == code.id, ReviewTask.cause == cause)
    return session.scalars(query.where(ReviewTask.state.in_(OPEN))).one_or_none()


def make(
    code: TalentCode, cause: ReviewCause, occasion: str, *, due_on: date, day: date, grace_days: int
) -> ReviewTask:
    """A review of that code, not yet in the session. day: the legal date on which it is opened."""
    grace = timedelta(days=grace_days)
    return ReviewTask(
        id=secrets.token_hex(16),
        talent_id=code.talent_id,
        code_id=code.id,
        cause=cause,
        occasion=occasion,
        state=State.SCHEDULED,
        steps=0,
        opened_on=day,
        due_on=due_on,
        answer_by=due_on + grace,
    )


def answer(
    session: Session,
    actor: Actor,
    vault: Vault,
    review_id: str,
    command: AnswerReview,
    *,
    proofs: Sequence[bytes] = (),
    now: datetime,
) -> ReviewTask:
    """Confirm one's fields, or say what has changed. Possible before the day, and after the grace as well.

    proofs: documents of what has changed. Raises NotPermitted, ReviewNotFound, ReviewMoot, TransitionRefused,
    DocumentRefused.
    """
    talent = people.of_account(session, actor)
    row, _code = _held(session, actor, review_id, of=talent.id)
    if row.state is State.SCHEDULED:
        # Whoever answers ahead of time makes it due himself.
        move(session, row, State.DUE, actor, now=now)
    move(session, row, State.SUBMITTED, actor, vault=vault, said=command.model_dump(mode="json"), now=now)
    papers.add(session, vault, talent.id, proofs, review_id=row.id, now=now)
    return row


def decide(
    session: Session, actor: Actor, vault: Vault, review_id: str, command: DecideReview, *, now: datetime
) -> ReviewTask:
    """Decide an answered review, for a reason. Confirmed, it takes the corrections over and frees the code.

    Raises NotPermitted, ReviewNotFound, ReviewMoot, TransitionRefused, ReporterDecides.
    """
    actor.require(Permission.REVIEW_DECIDE)
    row, code = _held(session, actor, review_id)
    after, day = State(command.verdict.value), legal_date(now)
    MOVES.require(row.state, after)
    if row.opened_by == actor.account_id:
        raise ReporterDecides
    said: dict[str, Any] = {"reason": command.reason}
    if command.verdict is Verdict.CONFIRMED:
        said["before"] = _take_over(session, actor, vault, row, now=now)
    if command.verdict is Verdict.CHANGES_REQUIRED:
        row.answer_by = day + timedelta(days=review_terms.in_force(session).grace_days)
    else:
        row.concluded_on = day
    move(session, row, after, actor, vault=vault, said=said, now=now)
    if command.verdict is Verdict.CONFIRMED and code.state is CodeState.REVIEW_OVERDUE:
        _free(session, actor, row, now=now)
    return row


def of_code(session: Session, code_id: str) -> list[ReviewTask]:
    """Every review of a code, the newest first."""
    query = select(ReviewTask).where(ReviewTask.code_id == code_id)
    return list(session.scalars(query.order_by(ReviewTask.opened_on.desc(), ReviewTask.id)))


_STEPS: Final = (
    select(ReviewStep).where(ReviewStep.review_id == bindparam("review")).order_by(ReviewStep.number)
)


def steps_of(session: Session, review_id: str) -> list[ReviewStep]:
    """What has happened to a review, the first first."""
    return list(session.scalars(_STEPS, {"review": review_id}))


def said_in(vault: Vault, row: ReviewStep) -> dict[str, Any]:
    """What was said with a step: note, answer or reason; empty when nothing, or when it was erased."""
    if row.sealed is None:
        return {}
    said: dict[str, Any] = json.loads(
        vault.open(place_of("review_step", row.review_id, row.number), row.sealed)
    )
    return said


def answer_in(vault: Vault, steps: Sequence[ReviewStep]) -> AnswerReview | None:
    """The holder's latest answer in the steps of a review; None before the first, or when it was erased."""
    given = [each for each in steps if each.state is State.SUBMITTED and each.sealed]
    return AnswerReview.model_validate(said_in(vault, given[-1])) if given else None


def step(
    session: Session,
    row: ReviewTask,
    actor: Actor | None,
    *,
    vault: Vault | None = None,
    said: dict[str, Any] | None = None,
    now: datetime,
) -> None:
    """Leave a step at the state that the review has now. actor: None for what the date brought."""
    row.steps += 1
    sealed = None
    if vault is not None and said:
        place = place_of("review_step", row.id, row.steps)
        sealed = vault.seal(place, json.dumps(said, ensure_ascii=False).encode())
    left = ReviewStep(
        review_id=row.id,
        number=row.steps,
        state=row.state,
        at=now,
        account_id=actor.account_id if actor else None,
        organisation_id=actor.organisation_id if actor else None,
        role=actor.role if actor else None,
        sealed=sealed,
    )
    session.add(left)


def move(
    session: Session,
    row: ReviewTask,
    after: State,
    actor: Actor | None,
    *,
    vault: Vault | None = None,
    said: dict[str, Any] | None = None,
    now: datetime,
) -> None:
    """Take a held review to another state and leave the step. Raises TransitionRefused."""
    MOVES.require(row.state, after)
    row.state = after
    step(session, row, actor, vault=vault, said=said, now=now)


def _held(
    session: Session, actor: Actor, review_id: str, *, of: str | None = None
) -> tuple[ReviewTask, TalentCode]:
    """A review and its code, both held until the commit. of: the talent whose it must be."""
    found = session.get(ReviewTask, review_id)
    if found is None or (of is not None and found.talent_id != of):
        attempts.note(actor, "review", review_id)
        raise ReviewNotFound
    code = session.get_one(TalentCode, found.code_id, with_for_update=True, populate_existing=True)
    row = session.get_one(ReviewTask, review_id, with_for_update=True, populate_existing=True)
    if code.ended_at is not None:
        raise ReviewMoot
    return row, code


def _take_over(
    session: Session, actor: Actor, vault: Vault, row: ReviewTask, *, now: datetime
) -> dict[FieldGroup, Any]:
    """Enter the holder's corrections; what stood there before."""
    given = answer_in(vault, steps_of(session, row.id))
    changes = given.changes if given else {}
    return {
        group: fields.change(session, vault, row.talent_id, group, values, by=actor.account_id, now=now)
        for group, values in changes.items()
    }


def _free(session: Session, actor: Actor, row: ReviewTask, *, now: datetime) -> None:
    """Make a code ACTIVE again unless another review of it lapsed and is open still."""
    lapsed = ReviewTask.lapsed_on.is_not(None) & ReviewTask.state.in_(OPEN)
    other = select(ReviewTask.id).where(ReviewTask.code_id == row.code_id, lapsed).limit(1)
    if session.scalar(other) is None:
        codes.move(session, row.code_id, CodeState.ACTIVE, by=actor.account_id, cause=row.id, now=now)
