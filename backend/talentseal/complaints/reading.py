"""What complainants, organisations and the talent office read of complaints; an organisation never learns
from here who complained.
"""

from datetime import datetime

from sqlalchemy import ColumnElement, Row, Select, and_, or_, select, tuple_
from sqlalchemy.orm import Session

from talentseal.accounts.models import Organisation
from talentseal.accounts.roles import Actor, Permission
from talentseal.agreements import duties
from talentseal.agreements import reading as agreements
from talentseal.agreements.duty_models import Breach
from talentseal.agreements.models import AgreementParty, AgreementVersion, Stipulation
from talentseal.agreements.states import AgreementState
from talentseal.clock import legal_date
from talentseal.complaints import ratings, service, terms
from talentseal.complaints.models import Complaint
from talentseal.complaints.schemas import (
    ComplaintLine,
    ComplaintList,
    ComplaintStepView,
    ComplaintView,
    PromiseView,
    TargetView,
)
from talentseal.complaints.service import ComplaintNotFound
from talentseal.complaints.states import DISPUTED, UNANSWERED, ComplaintState
from talentseal.errors import NotPermitted
from talentseal.talents import people
from talentseal.vault import Vault


def own_complaints(session: Session, actor: Actor, *, now: datetime) -> list[ComplaintLine]:
    """The actor's own, the newest first. Raises NotPermitted."""
    actor.require(Permission.COMPLAINT_OWN)
    mine = Complaint.talent_id == people.of_account(session, actor).id
    query = _lines().where(mine).order_by(Complaint.filed_at.desc(), Complaint.id.desc())
    return [_line(row, now) for row in session.execute(query)]


def own_complaint(
    session: Session, actor: Actor, vault: Vault, complaint_id: str, *, now: datetime
) -> ComplaintView:
    """One of the actor's own. Raises NotPermitted, ComplaintNotFound."""
    actor.require(Permission.COMPLAINT_OWN)
    mine = Complaint.talent_id == people.of_account(session, actor).id
    return _view(session, vault, _lines().where(Complaint.id == complaint_id, mine), own=True, now=now)


def complaint_list(
    session: Session,
    actor: Actor,
    *,
    state: ComplaintState | None = None,
    overdue: bool = False,
    after: str = "",
    limit: int,
    now: datetime,
) -> ComplaintList:
    """Those against the actor's organisation, or all for the talent office, the newest first, behind the one
    of id `after`. overdue: only those on which somebody's term is over. Raises NotPermitted.
    """
    query = _lines().where(*_visible(actor))
    if state is not None:
        query = query.where(Complaint.state == state)
    if overdue:
        query = query.where(_overdue(now))
    if last := session.get(Complaint, after) if after else None:
        query = query.where(tuple_(Complaint.filed_at, Complaint.id) < (last.filed_at, last.id))
    ordered = query.order_by(Complaint.filed_at.desc(), Complaint.id.desc())
    rows = session.execute(ordered.limit(limit + 1)).all()
    return ComplaintList(
        items=[_line(row, now) for row in rows[:limit]],
        next=rows[limit - 1][0].id if len(rows) > limit else None,
    )


def complaint_view(
    session: Session, actor: Actor, vault: Vault, complaint_id: str, *, now: datetime
) -> ComplaintView:
    """One complaint as the organisation or the talent office sees it. Raises NotPermitted,
    ComplaintNotFound.
    """
    query = _lines().where(Complaint.id == complaint_id, *_visible(actor))
    return _view(session, vault, query, own=False, now=now)


def targets(session: Session, actor: Actor) -> list[TargetView]:
    """Organisations that can be complained of. Raises NotPermitted."""
    actor.require(Permission.COMPLAINT_OWN)
    return [TargetView(id=each.id, name=each.name) for each in service.targets(session)]


def promises(session: Session, actor: Actor, organisation_id: str, *, now: datetime) -> list[PromiseView]:
    """What an organisation owes under its agreements in force; those to whom it is owed may know it.

    Raises NotPermitted.
    """
    actor.require(Permission.COMPLAINT_OWN)
    query = (
        select(AgreementVersion)
        .join(AgreementParty, AgreementParty.version_id == AgreementVersion.id)
        .where(
            AgreementParty.organisation_id == organisation_id,
            AgreementVersion.signed_at.is_not(None),
            *agreements.of_its_days(legal_date(now)),
        )
        .order_by(AgreementVersion.created_at.desc())
        .limit(_MOST_AGREEMENTS)
    )
    versions = session.scalars(query).all()
    in_force = [
        each.version.id
        for each in agreements.standings(session, versions, now=now)
        if each.state is AgreementState.IN_FORCE
    ]
    found = select(Stipulation).where(
        Stipulation.version_id.in_(in_force), Stipulation.record_id.is_not(None)
    )
    rows = session.scalars(found.order_by(Stipulation.version_id, Stipulation.position))
    return [_promise(row) for row in rows if duties.duty_holder(row) == organisation_id]


_MOST_AGREEMENTS = 50
"""Newest agreements of an organisation whose promises are offered."""


def _visible(actor: Actor) -> list[ColumnElement[bool]]:
    if actor.may(Permission.COMPLAINT_DECIDE):
        return []
    if not actor.may(Permission.COMPLAINT_ANSWER):
        raise NotPermitted(permission=Permission.COMPLAINT_ANSWER.value)
    return [Complaint.organisation_id == actor.organisation_id]


def _overdue(now: datetime) -> ColumnElement[bool]:
    unanswered = and_(Complaint.state.in_(UNANSWERED), Complaint.answer_due < now)
    undecided = and_(Complaint.state.in_(DISPUTED), Complaint.decide_through < legal_date(now))
    return or_(unanswered, undecided)


def is_overdue(row: Complaint, now: datetime) -> bool:
    """Whether somebody has to act on it whose term is over."""
    if row.state in UNANSWERED:
        return row.answer_due < now
    return row.state in DISPUTED and row.decide_through is not None and row.decide_through < legal_date(now)


def _lines() -> Select[Complaint, str]:
    return select(Complaint, Organisation.name).join(
        Organisation, Organisation.id == Complaint.organisation_id
    )


def _line(row: Row[Complaint, str], now: datetime) -> ComplaintLine:
    complaint, organisation = row
    return ComplaintLine(
        id=complaint.id,
        kind=complaint.kind,
        state=complaint.state,
        organisation=organisation,
        filed_at=complaint.filed_at,
        answer_due=complaint.answer_due,
        decide_through=complaint.decide_through,
        overdue=is_overdue(complaint, now),
    )


def _view(
    session: Session, vault: Vault, query: Select[Complaint, str], *, own: bool, now: datetime
) -> ComplaintView:
    """own: for the complainant, who is told of his redemption and mark, and of no allegation."""
    found = session.execute(query).one_or_none()
    if found is None:
        raise ComplaintNotFound
    row: Complaint = found[0]
    promised = session.get_one(Stipulation, row.stipulation_id) if row.stipulation_id else None
    mark = ratings.of_complaint(session, row) if own else None
    is_answered = row.state is ComplaintState.ANSWERED and row.answered_at is not None
    return ComplaintView(
        **_line(found, now).model_dump(),
        promise=_promise(promised) if promised else None,
        redemption=row.redemption_id if own else None,
        upheld=row.upheld,
        refusal_record=row.refusal_record_id,
        breach=None if own else _breach_of(session, row),
        answered_at=row.answered_at,
        closes_on=legal_date(row.answered_at + terms.SILENCE) if is_answered and row.answered_at else None,
        rating=ratings.view(vault, mark, now=now) if mark else None,
        steps=_steps(session, vault, row),
    )


def _steps(session: Session, vault: Vault, row: Complaint) -> list[ComplaintStepView]:
    return [
        ComplaintStepView(act=step.act, at=step.at, role=step.role, said=service.said_in(vault, step))
        for step in service.steps_of(session, row.id)
    ]


def _breach_of(session: Session, row: Complaint) -> str | None:
    """The allegation that came of it; None when none did."""
    if row.stipulation_id is None:
        return None
    named = service.reference_of(row.id)
    query = select(Breach.id).where(
        Breach.stipulation_id == row.stipulation_id, Breach.reference.in_((named, f"{named}/answer"))
    )
    return session.scalars(query.order_by(Breach.reference).limit(1)).one_or_none()


def _promise(row: Stipulation) -> PromiseView:
    content = duties.content_of(row)
    return PromiseView(
        id=row.id, measure=str(content.get("measure", "")), threshold=str(content.get("threshold", ""))
    )
