"""The state of an instrument's version, derived from the acts taken on it and from the date; never stored.

DRAFT → JOINT_MEETING_PASSED → APPROVED → ISSUED → IN_FORCE → EXPIRED | SUPERSEDED | REPEALED (domain
specification §1.2). Dates are Shanghai dates; the last day counts.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum


class InstrumentState(StrEnum):
    """Where a version stands on a day."""

    DRAFT = "DRAFT"
    JOINT_MEETING_PASSED = "JOINT_MEETING_PASSED"
    APPROVED = "APPROVED"
    ISSUED = "ISSUED"
    IN_FORCE = "IN_FORCE"
    EXPIRED = "EXPIRED"
    SUPERSEDED = "SUPERSEDED"
    REPEALED = "REPEALED"


class Step(StrEnum):
    """What happens to a version: people take the first five, the date brings the rest."""

    PASSED = "PASSED"
    APPROVED = "APPROVED"
    ISSUED = "ISSUED"
    ENTERED = "ENTERED"
    """Issued outside this system, and entered from the published text."""
    REPEALED = "REPEALED"
    IN_FORCE = "IN_FORCE"
    EXPIRED = "EXPIRED"
    SUPERSEDED = "SUPERSEDED"


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything the state follows from.

    issued: by its body, whether in this system or before it. repealed_from: first day out of force by its
    repeal. successor_from: first day of the next issued version.
    """

    passed: bool
    approved: bool
    issued: bool
    effective_from: date
    valid_through: date
    repealed_from: date | None = None
    successor_from: date | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """What the date brings or has brought to a version. on: the first day of it."""

    step: Step
    on: date


_STATE_AFTER = {
    Step.REPEALED: InstrumentState.REPEALED,
    Step.SUPERSEDED: InstrumentState.SUPERSEDED,
    Step.EXPIRED: InstrumentState.EXPIRED,
}


def end_of(facts: Facts) -> Turn:
    """How the version's time in force ends, as known by now.

    Whatever comes first ends it for good: a version that ran out is not superseded by one that comes after a
    gap. On the same day a repeal counts before a successor, and a successor before the end of the term.
    """
    ends = [Turn(Step.EXPIRED, facts.valid_through + timedelta(days=1))]
    if facts.successor_from is not None:
        ends.insert(0, Turn(Step.SUPERSEDED, facts.successor_from))
    if facts.repealed_from is not None:
        ends.insert(0, Turn(Step.REPEALED, facts.repealed_from))
    return min(ends, key=lambda turn: turn.on)


def state_of(facts: Facts, day: date) -> InstrumentState:
    """The one state of a version on a day."""
    if not facts.issued:
        return _before_issue(facts)
    if day < facts.effective_from:
        return InstrumentState.ISSUED
    end = end_of(facts)
    return InstrumentState.IN_FORCE if day < end.on else _STATE_AFTER[end.step]


def _before_issue(facts: Facts) -> InstrumentState:
    if facts.approved:
        return InstrumentState.APPROVED
    return InstrumentState.JOINT_MEETING_PASSED if facts.passed else InstrumentState.DRAFT


def turns_until(facts: Facts, day: date) -> list[Turn]:
    """What the date has brought by the end of `day`; a repeal left its evidence when it was decided."""
    if not facts.issued:
        return []
    end = end_of(facts)
    turns = [Turn(Step.IN_FORCE, facts.effective_from), end]
    return [turn for turn in turns if turn.on <= day and turn.step is not Step.REPEALED]
