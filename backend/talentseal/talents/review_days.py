"""What the date brings to reviews: announced, reminded of, due, overdue; for every living code, in parts.

Everything follows from the dates in the tables and from the day, never from what ran before: a day may be
run again, and one that was missed is made up for by the next. A review that is announced late is due when it
is announced, so that nobody loses time to a service that stood still.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from talentseal.clock import legal_date
from talentseal.nightly import Part
from talentseal.policy.tiers import Tier
from talentseal.talents import codes, reviews
from talentseal.talents import review_terms as terms
from talentseal.talents.models import CodeState, TalentCode, TierRecognition
from talentseal.talents.review_models import ReviewCause, ReviewReminder, ReviewState, ReviewTask
from talentseal.talents.tiers import RecognitionState

PART: Final = 500
"""Codes of one transaction."""

ANNOUNCED: Final = timedelta(days=max(terms.REMINDERS))
"""How long before its day a review is opened."""

_AWAITED: Final = frozenset({ReviewState.SCHEDULED, ReviewState.DUE})
_UNANSWERED: Final = frozenset({ReviewState.DUE, ReviewState.CHANGES_REQUIRED})


@dataclass(slots=True)
class Known:
    """A living code with what its reviews hang on.

    counted_from: day of the last concluded review, else the code's first one. youth: live recognitions of
    that tier, with their last days.
    """

    code: TalentCode
    counted_from: date
    tasks: list[ReviewTask] = field(default_factory=list)
    occasions: set[tuple[ReviewCause, str]] = field(default_factory=set)
    youth: list[tuple[str, date]] = field(default_factory=list)

    def is_open(self, cause: ReviewCause) -> bool:
        return any(task.cause is cause for task in self.tasks)


@dataclass(frozen=True, slots=True)
class Opening:
    """A review that the day calls for."""

    cause: ReviewCause
    occasion: str
    due_on: date


def next_due(session: Session, code: TalentCode) -> date:
    """The day on which the code's next periodic review is due, whether it is announced or not."""
    concluded = session.scalar(select(func.max(ReviewTask.concluded_on)).where(ReviewTask.code_id == code.id))
    return terms.in_force(session).due_after(code.tier, concluded or legal_date(code.issued_at))


def openings(known: Known, day: date, in_force: terms.Terms) -> list[Opening]:
    """Which reviews the day calls for: the periodic one, and one before the youth tier ends."""
    due = in_force.due_after(known.code.tier, known.counted_from)
    found = [Opening(ReviewCause.PERIODIC, due.isoformat(), max(due, day))] if due <= day + ANNOUNCED else []
    if known.code.tier is Tier.YOUTH:
        found += [
            Opening(ReviewCause.GRADUATION_LIMIT, recognition, last) for recognition, last in known.youth
        ]
    return [
        each
        for each in found
        if not known.is_open(each.cause) and (each.cause, each.occasion) not in known.occasions
    ]


def reminders(task: ReviewTask, day: date) -> list[tuple[date, int]]:
    """The days until `day` on which the holder was to be reminded, since the review was opened."""
    if task.state not in _AWAITED:
        return []
    days = [(task.due_on - timedelta(days=left), left) for left in terms.REMINDERS]
    return [(on, left) for on, left in days if task.opened_on <= on <= day]


def apply_day(session: Session, day: date, now: datetime, after: str) -> Part:
    """Bring what the date brings to the codes behind the id `after`, PART of them."""
    living = select(TalentCode).where(TalentCode.ended_at.is_(None), TalentCode.id > after)
    held = session.scalars(living.order_by(TalentCode.id).limit(PART).with_for_update()).all()
    if not held:
        return Part(0, None)
    known, in_force = _known(session, held, day), terms.in_force(session)
    done = _open(session, known, day, in_force, now)
    done += _remind(session, known, day)
    done += sum(_turn(session, task, day, now) for each in known for task in each.tasks)
    done += sum(_lapse(session, each, now) for each in known)
    session.flush()
    return Part(done, held[-1].id if len(held) == PART else None)


def _known(session: Session, held: Sequence[TalentCode], day: date) -> list[Known]:
    """What the codes' reviews hang on, in three questions whatever their number."""
    by_id = {code.id: Known(code, legal_date(code.issued_at)) for code in held}
    made = select(ReviewTask).where(ReviewTask.code_id.in_(by_id)).order_by(ReviewTask.id)
    for task in session.scalars(made.with_for_update()):
        each = by_id[task.code_id]
        each.occasions.add((task.cause, task.occasion))
        if task.state in reviews.OPEN:
            each.tasks.append(task)
        elif task.concluded_on is not None:
            each.counted_from = max(each.counted_from, task.concluded_on)
    ending: dict[str, list[tuple[str, date]]] = defaultdict(list)
    youth = select(TierRecognition.talent_id, TierRecognition.id, TierRecognition.valid_through).where(
        TierRecognition.talent_id.in_([code.talent_id for code in held if code.tier is Tier.YOUTH]),
        TierRecognition.tier == Tier.YOUTH,
        TierRecognition.state == RecognitionState.CONFIRMED,
        TierRecognition.valid_through.between(day, day + ANNOUNCED),
    )
    for talent_id, recognition, last in session.execute(youth):
        if last is not None:
            ending[talent_id].append((recognition, last))
    for each in by_id.values():
        each.youth = ending[each.code.talent_id]
    return list(by_id.values())


def _open(session: Session, known: Sequence[Known], day: date, in_force: terms.Terms, now: datetime) -> int:
    made: list[ReviewTask] = []
    for each in known:
        for found in openings(each, day, in_force):
            row = reviews.make(
                each.code,
                found.cause,
                found.occasion,
                due_on=found.due_on,
                day=day,
                grace_days=in_force.grace_days,
            )
            each.tasks.append(row)
            made.append(row)
    session.add_all(made)
    session.flush()
    for row in made:
        reviews.step(session, row, None, now=now)
    return len(made)


def _remind(session: Session, known: Iterable[Known], day: date) -> int:
    wanted = {
        (task.id, on): left for each in known for task in each.tasks for on, left in reminders(task, day)
    }
    made = select(ReviewReminder.review_id, ReviewReminder.on)
    there = {
        tuple(row)
        for row in session.execute(made.where(ReviewReminder.review_id.in_({k[0] for k in wanted})))
    }
    rows = [
        {"review_id": review, "on": on, "days_left": left}
        for (review, on), left in wanted.items()
        if (review, on) not in there
    ]
    if rows:
        session.flush()
        session.execute(insert(ReviewReminder), rows)
    return len(rows)


def _turn(session: Session, task: ReviewTask, day: date, now: datetime) -> int:
    """Let a review be due, and overdue."""
    before = task.steps
    if task.state is ReviewState.SCHEDULED and task.due_on <= day:
        reviews.move(session, task, ReviewState.DUE, None, now=now)
    if task.state in _UNANSWERED and task.answer_by < day:
        task.lapsed_on = task.lapsed_on or task.answer_by + timedelta(days=1)
        reviews.move(session, task, ReviewState.OVERDUE, None, now=now)
    return task.steps - before


def _lapse(session: Session, known: Known, now: datetime) -> int:
    """Let a code that may be used be used no more: also one whose suspension ended after the grace did."""
    lapsed = next((task for task in known.tasks if task.lapsed_on is not None), None)
    if lapsed is None or known.code.state is not CodeState.ACTIVE:
        return 0
    codes.move(session, known.code.id, CodeState.REVIEW_OVERDUE, by=None, cause=lapsed.id, now=now)
    return 1
