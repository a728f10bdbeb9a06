"""What the date brings to reviews: announced, reminded of, due, overdue; for every living code, in parts.

Everything follows from the dates in the tables and from the day, never from what ran before: a day may be
run again, and one that was missed is made up for by the next. A review that is announced late is due when it
is announced, so that nobody loses time to a service that stood still.
"""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final

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

PART: Final = 1000
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
    """Bring what the date brings to the codes behind the id `after`, PART of them.

    All are looked at without being held; those for which there is something to do are held and looked at
    once more. On most days that is one in a dozen.
    """
    living = select(*_CODE).where(TalentCode.ended_at.is_(None), TalentCode.id > after)
    seen = session.execute(living.order_by(TalentCode.id).limit(PART)).all()
    in_force = terms.in_force(session)
    known = _known(session, seen, session.execute(_tasks_of(select(*_TASK), seen)), day)
    reminded = _reminded(session, known)
    wanted = [each.code.id for each in known if _is_wanted(each, day, in_force, reminded)]
    done = _bring(session, wanted, day, in_force, now) if wanted else 0
    return Part(done, seen[-1].id if len(seen) == PART else None)


_CODE: Final = (
    TalentCode.id,
    TalentCode.talent_id,
    TalentCode.tier,
    TalentCode.state,
    TalentCode.issued_at,
)
_TASK: Final = (
    ReviewTask.id,
    ReviewTask.code_id,
    ReviewTask.cause,
    ReviewTask.occasion,
    ReviewTask.state,
    ReviewTask.opened_on,
    ReviewTask.due_on,
    ReviewTask.answer_by,
    ReviewTask.lapsed_on,
    ReviewTask.concluded_on,
)


def _is_wanted(
    known: Known, day: date, in_force: terms.Terms, reminded: AbstractSet[tuple[str, date]]
) -> bool:
    """Whether the day brings anything to a code."""
    return bool(openings(known, day, in_force)) or any(
        _turns(task, day)
        or (task.lapsed_on is not None and known.code.state is CodeState.ACTIVE)
        or any((task.id, on) not in reminded for on, _left in reminders(task, day))
        for task in known.tasks
    )


def _turns(task: ReviewTask, day: date) -> bool:
    """Whether the day takes a review to another state."""
    if task.state is ReviewState.SCHEDULED:
        return task.due_on <= day
    return task.state in _UNANSWERED and task.answer_by < day


def _bring(session: Session, wanted: Sequence[str], day: date, in_force: terms.Terms, now: datetime) -> int:
    """Hold those codes and their reviews, and do what the day brings; how much that was."""
    living = select(TalentCode).where(TalentCode.id.in_(wanted), TalentCode.ended_at.is_(None))
    held = session.scalars(living.order_by(TalentCode.id).with_for_update()).all()
    tasks = session.scalars(_tasks_of(select(ReviewTask), held).with_for_update())
    known = _known(session, held, tasks, day)
    done = _open(session, known, day, in_force, now)
    done += _remind(session, known, day)
    done += sum(_turn(session, task, day, now) for each in known for task in each.tasks)
    done += sum(_lapse(session, each, now) for each in known)
    session.flush()
    return done


def _tasks_of(query: Any, held: Sequence[Any]) -> Any:
    """The reviews of those codes, in the order in which they are held."""
    return query.where(ReviewTask.code_id.in_([code.id for code in held])).order_by(ReviewTask.id)


def _known(session: Session, held: Sequence[Any], tasks: Iterable[Any], day: date) -> list[Known]:
    """What the codes' reviews hang on. held, tasks: rows, or columns of their names."""
    by_id = {code.id: Known(code, legal_date(code.issued_at)) for code in held}
    for task in tasks:
        each = by_id[task.code_id]
        each.occasions.add((task.cause, task.occasion))
        if task.state in reviews.OPEN:
            each.tasks.append(task)
        elif task.concluded_on is not None:
            each.counted_from = max(each.counted_from, task.concluded_on)
    of_youth = {code.talent_id: by_id[code.id] for code in held if code.tier is Tier.YOUTH}
    if of_youth:
        for talent_id, recognition, last in session.execute(_ending(of_youth.keys(), day)):
            of_youth[talent_id].youth.append((recognition, last))
    return list(by_id.values())


def _ending(talents: Iterable[str], day: date) -> Any:
    """Recognitions as youth whose five years end soon."""
    return select(TierRecognition.talent_id, TierRecognition.id, TierRecognition.valid_through).where(
        TierRecognition.talent_id.in_(list(talents)),
        TierRecognition.tier == Tier.YOUTH,
        TierRecognition.state == RecognitionState.CONFIRMED,
        TierRecognition.valid_through.between(day, day + ANNOUNCED),
    )


def _reminded(session: Session, known: Iterable[Known]) -> set[tuple[str, date]]:
    """Which reminders there are of open reviews."""
    awaited = [task.id for each in known for task in each.tasks if task.state in _AWAITED]
    made = select(ReviewReminder.review_id, ReviewReminder.on)
    rows = session.execute(made.where(ReviewReminder.review_id.in_(awaited))) if awaited else ()
    return {(review, on) for review, on in rows}


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
    there = _reminded(session, known)
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
