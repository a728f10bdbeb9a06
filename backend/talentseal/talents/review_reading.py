"""Reading reviews: the holder his own, the office those of living codes."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from talentseal.accounts.roles import Actor, Permission
from talentseal.db import rows
from talentseal.talents import attempts, codes, papers, people, review_days, review_terms, reviews
from talentseal.talents.codes import CodeNotFound
from talentseal.talents.models import AccessPurpose, FieldGroup, TalentCode
from talentseal.talents.privacy_models import TalentPaper
from talentseal.talents.review_models import (
    ReviewReminder,
    ReviewState,
    ReviewStep,
    ReviewTask,
    ReviewTerms,
)
from talentseal.talents.review_schemas import (
    HolderReview,
    OfficeReview,
    OwnReviews,
    ReviewList,
    ReviewRow,
    ReviewStepView,
    StepBy,
    TermsBook,
    TermsView,
)
from talentseal.talents.reviews import ReviewNotFound
from talentseal.vault import Vault

PAGE: Final = 50
Known = dict[FieldGroup, dict[str, Any]]


def own(session: Session, actor: Actor, vault: Vault) -> OwnReviews:
    """One's own reviews, the newest first, and when the next is due. Raises NotPermitted."""
    talent = people.of_account(session, actor)
    try:
        code = codes.live_of(session, talent.id)
    except CodeNotFound:
        return OwnReviews(items=[], next_due=None, months=None)
    rows = reviews.of_code(session, code.id)
    months = review_terms.in_force(session).months[code.tier]
    return OwnReviews(
        items=[_view(session, vault, row) for row in rows],
        next_due=review_days.next_due(session, code),
        months=months,
    )


def own_one(session: Session, actor: Actor, vault: Vault, review_id: str) -> HolderReview:
    """One's own review. Raises NotPermitted, ReviewNotFound."""
    row = _own_row(session, actor, review_id)
    return _view(session, vault, row, people.groups_of(session, vault, row.talent_id))


def work_list(
    session: Session, actor: Actor, *, state: ReviewState = ReviewState.SUBMITTED, after: str = ""
) -> ReviewList:
    """Reviews of living codes in one state, the most urgent first. after: `next` of the page before.

    Raises NotPermitted.
    """
    actor.require(Permission.REVIEW_DECIDE)
    place = int(after) if after.isdecimal() else 0
    alive = select(ReviewTask).join(TalentCode, TalentCode.id == ReviewTask.code_id)
    alive = alive.where(TalentCode.ended_at.is_(None))
    order = (ReviewTask.due_on, ReviewTask.id)
    wanted = alive.where(ReviewTask.state == state).order_by(*order).offset(place).limit(PAGE + 1)
    found = session.scalars(wanted).all()
    counting = alive.with_only_columns(ReviewTask.state, func.count()).group_by(ReviewTask.state)
    return ReviewList(
        items=[_row(row) for row in found[:PAGE]],
        counts=dict(session.execute(counting).all()),
        next=str(place + PAGE) if len(found) > PAGE else None,
    )


def for_decision(
    session: Session, actor: Actor, vault: Vault, review_id: str, *, now: datetime
) -> OfficeReview:
    """A review as the office opens it, with the trace of that for the holder.

    Raises NotPermitted, ReviewNotFound.
    """
    actor.require(Permission.REVIEW_DECIDE)
    row = session.get(ReviewTask, review_id)
    if row is None:
        raise ReviewNotFound
    known = people.groups_of(session, vault, row.talent_id)
    people.note_access(session, actor, row.talent_id, AccessPurpose.REVIEW, known.keys(), now=now)
    own_report = row.opened_by == actor.account_id
    return OfficeReview(**_fields(session, vault, row, known), own_report=own_report)


def open_paper(
    session: Session, actor: Actor, vault: Vault, review_id: str, paper_id: str, *, now: datetime
) -> tuple[TalentPaper, bytes]:
    """A document of a review as its holder or the office opens it.

    Raises NotPermitted, ReviewNotFound, PaperNotFound.
    """
    if actor.may(Permission.TALENT_OWN):
        row = _own_row(session, actor, review_id)
        return _paper(session, vault, row, paper_id)
    actor.require(Permission.REVIEW_DECIDE)
    found = session.get(ReviewTask, review_id)
    if found is None:
        raise ReviewNotFound
    opened = _paper(session, vault, found, paper_id)
    groups = {FieldGroup.BASIC}
    people.note_access(
        session, actor, found.talent_id, AccessPurpose.REVIEW, groups, document_id=opened[0].id, now=now
    )
    return opened


def terms_book(session: Session, actor: Actor) -> TermsBook:
    """Every version of the terms. Raises NotPermitted."""
    rows, counting = review_terms.every(session, actor), review_terms.in_force(session).number
    shipped = TermsView(
        number=0,
        months=dict(review_terms.DEFAULT.months),
        grace_days=review_terms.DEFAULT.grace_days,
        reason="",
        proposed_at=None,
        approved_at=None,
        in_force=counting == 0,
        own=False,
    )
    return TermsBook(items=[*(_terms(row, actor, counting) for row in rows), shipped])


def _own_row(session: Session, actor: Actor, review_id: str) -> ReviewTask:
    talent, row = people.of_account(session, actor), session.get(ReviewTask, review_id)
    if row is None or row.talent_id != talent.id:
        attempts.note(actor, "review", review_id)
        raise ReviewNotFound
    return row


def _paper(session: Session, vault: Vault, row: ReviewTask, paper_id: str) -> tuple[TalentPaper, bytes]:
    found = papers.one(session, paper_id, review_id=row.id)
    return found, papers.plain_of(vault, found)


def _row(row: ReviewTask) -> ReviewRow:
    return ReviewRow(id=row.id, cause=row.cause, state=row.state, due_on=row.due_on, answer_by=row.answer_by)


_REMINDED: Final = (
    select(ReviewReminder.on)
    .where(ReviewReminder.review_id == bindparam("review"))
    .order_by(ReviewReminder.on)
)


def _view(session: Session, vault: Vault, row: ReviewTask, known: Known | None = None) -> HolderReview:
    return HolderReview(**_fields(session, vault, row, known))


def _fields(session: Session, vault: Vault, row: ReviewTask, known: Known | None) -> dict[str, Any]:
    """The fields of a HolderReview."""
    steps = reviews.steps_of(session, row.id)
    return {
        "id": row.id,
        "cause": row.cause,
        "state": row.state,
        "due_on": row.due_on,
        "answer_by": row.answer_by,
        "lapsed_on": row.lapsed_on,
        "answerable": row.state in reviews.ANSWERABLE,
        "reminders": [day for (day,) in rows(session, _REMINDED, review=row.id)],
        "steps": [_step(vault, step) for step in steps],
        "answer": reviews.answer_in(vault, steps),
        "papers": papers.of(session, review_id=row.id),
        "known": known or {},
    }


def _step(vault: Vault, step: ReviewStep) -> ReviewStepView:
    said = reviews.said_in(vault, step)
    by = StepBy.DATE if step.account_id is None else StepBy.OFFICE if step.organisation_id else StepBy.HOLDER
    text = said.get("note") or said.get("remark") or said.get("reason") or ""
    return ReviewStepView(state=step.state, at=step.at, by=by, text=text)


def _terms(row: ReviewTerms, actor: Actor, counting: int) -> TermsView:
    terms = review_terms.terms_of(row)
    return TermsView(
        number=row.number,
        months=dict(terms.months),
        grace_days=terms.grace_days,
        reason=row.reason,
        proposed_at=row.proposed_at,
        approved_at=row.approved_at,
        in_force=row.number == counting,
        own=row.proposed_by == actor.account_id,
    )
