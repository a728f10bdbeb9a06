"""What time brings in complaints: answers that did not come, and answers that nobody contested.

Both may be repeated at any time and by several at once: each complaint is held, looked at again, and moved
only if it still has to be.
"""

from datetime import date, datetime

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from talentseal.complaints import service, terms
from talentseal.complaints.models import Complaint
from talentseal.complaints.states import UNANSWERED, ComplaintKind, ComplaintState


def tick(session: Session, now: datetime) -> int:
    """Note answers that are missing; how many there were. A refusal that the talent office has not accepted
    yet is not the organisation's to answer.
    """
    return sum(
        service.note_missed(session, each, now=now)
        for each in _each(session, _late(now))
        if each.state in UNANSWERED and each.answer_due < now
    )


def is_anything_late(session: Session, now: datetime) -> bool:
    """Whether `tick` has something to do: a look that holds nothing."""
    return session.scalar(_late(now).limit(1)) is not None


def apply_day(session: Session, _day: date, now: datetime) -> int:
    """The same, and close what was answered long ago. For `talentseal.nightly`."""
    done = tick(session, now)
    silent = select(Complaint.id).where(
        Complaint.state == ComplaintState.ANSWERED, Complaint.answered_at <= now - terms.SILENCE
    )
    for each in _each(session, silent):
        if each.state is ComplaintState.ANSWERED:
            service.close_by_date(session, each, now=now)
            done += 1
    return done


def _late(now: datetime) -> Select[str]:
    owed = or_(Complaint.kind != ComplaintKind.SERVICE_REFUSED, Complaint.state != ComplaintState.FILED)
    return select(Complaint.id).where(
        Complaint.state.in_(UNANSWERED), Complaint.answer_due < now, Complaint.missed_at.is_(None), owed
    )


def _each(session: Session, query: Select[str]) -> list[Complaint]:
    found = session.scalars(query.order_by(Complaint.id)).all()
    return [service.held(session, each) for each in found]
