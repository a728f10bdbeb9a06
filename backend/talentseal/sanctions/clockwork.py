"""What time brings in cases: facts are looked at, provisional suspensions lapse, terms begin, codes end.

`tick` is for the worker, every minute; `apply_day` for the night, which looks at the dates and at the
service's own records as well. Both may be repeated at any time and by several at once: each thing is held,
looked at again, and moved only if it still has to be.
"""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import Select, exists, select
from sqlalchemy.orm import Session

from talentseal.sanctions import cases, detecting, restrictions, sources, terminations
from talentseal.sanctions.events import Lifting
from talentseal.sanctions.models import CaseFact, Fact, SuspensionCase, TerminationCase
from talentseal.sanctions.states import RESTING, CaseState, TerminationState

_ENDING = frozenset({TerminationState.DECIDED, TerminationState.APPEALED, TerminationState.UPHELD})


def tick(session: Session, now: datetime) -> int:
    """What cannot wait for the night: new facts, provisional suspensions that are over; how much it was."""
    detecting.search(session, sources.AT_ONCE, now)
    return _lapse(session, now) + detecting.look(session, now)


def apply_day(session: Session, day: date, now: datetime) -> int:
    """What the date brings by `day`; how much there was to do. For `talentseal.nightly`."""
    detecting.search(session, sources.FOUND, now)
    sources.cure(session, now)
    done = tick(session, now)
    done += _open_hearings(session, day, now)
    done += _lift(session, day, now)
    done += _end_codes(session, day, now)
    for code, case in restrictions.unsettled(session, now):
        done += restrictions.settle(session, code, by=None, cause=case, now=now)
    return done


def _lapse(session: Session, now: datetime) -> int:
    over = select(SuspensionCase.id).where(
        SuspensionCase.state == CaseState.PROVISIONAL, SuspensionCase.provisional_until <= now
    )
    lapsed = 0
    for case in _each(session, over):
        if case.state is CaseState.PROVISIONAL:
            cases.lapse(session, case, now=now)
            lapsed += 1
    return lapsed


def _open_hearings(session: Session, day: date, now: datetime) -> int:
    come = select(SuspensionCase.id).where(
        SuspensionCase.state == CaseState.NOTIFIED, SuspensionCase.statement_from <= day
    )
    opened = 0
    for case in _each(session, come):
        if case.state is CaseState.NOTIFIED:
            cases.open_hearing(session, case, now=now)
            opened += 1
    proposed = select(TerminationCase.id).where(
        TerminationCase.state == TerminationState.NOTIFIED, TerminationCase.statement_from <= day
    )
    for row in _each_termination(session, proposed):
        if row.state is TerminationState.NOTIFIED:
            terminations.open_hearing(session, row, now=now)
            opened += 1
    return opened


def _lift(session: Session, day: date, now: datetime) -> int:
    """Lift what has lasted its time, and what was to last until its facts were put right."""
    over = select(SuspensionCase.id).where(
        SuspensionCase.state.in_(RESTING), SuspensionCase.suspended_through < day
    )
    lifted = _lift_each(session, over, Lifting.TERM_OVER, now)
    uncured = exists().where(
        CaseFact.case_id == SuspensionCase.id, Fact.id == CaseFact.fact_id, Fact.cured_at.is_(None)
    )
    cured = select(SuspensionCase.id).where(
        SuspensionCase.state.in_(RESTING), SuspensionCase.until_cured, ~uncured
    )
    return lifted + _lift_each(session, cured, Lifting.CURED, now)


def _lift_each(session: Session, query: Select[str], cause: Lifting, now: datetime) -> int:
    lifted = 0
    for case in _each(session, query):
        if case.state in RESTING:
            cases.lift(session, case, cause, now=now)
            lifted += 1
    return lifted


def _end_codes(session: Session, day: date, now: datetime) -> int:
    come = select(TerminationCase.id).where(
        TerminationCase.state.in_(_ENDING),
        TerminationCase.ended_at.is_(None),
        TerminationCase.effective_on <= day,
    )
    ended = 0
    for row in _each_termination(session, come):
        if row.state in _ENDING and row.ended_at is None:
            terminations.end_code(session, None, row, now=now)
            ended += row.ended_at is not None
    return ended


def _each(session: Session, query: Select[str]) -> Sequence[SuspensionCase]:
    return [
        cases.held(session, case) for case in session.scalars(query.order_by(SuspensionCase.code_id)).all()
    ]


def _each_termination(session: Session, query: Select[str]) -> Sequence[TerminationCase]:
    found = session.scalars(query.order_by(TerminationCase.code_id)).all()
    return [terminations.held(session, row) for row in found]
