"""What becomes of an allegation that a stipulation was not kept (domain specification §1.2, Article 20)."""

from enum import StrEnum
from typing import Final

from talentseal.states import Transitions


class BreachState(StrEnum):
    """Where an allegation stands."""

    BREACH_ALLEGED = "BREACH_ALLEGED"
    BREACH_CONFIRMED = "BREACH_CONFIRMED"
    DISMISSED = "DISMISSED"
    CURED = "CURED"
    WAIVED = "WAIVED"


_B = BreachState
BREACH: Final = Transitions(
    {
        _B.BREACH_ALLEGED: frozenset({_B.BREACH_CONFIRMED, _B.DISMISSED}),
        _B.BREACH_CONFIRMED: frozenset({_B.CURED, _B.WAIVED}),
        _B.DISMISSED: frozenset(),
        _B.CURED: frozenset(),
        _B.WAIVED: frozenset(),
    }
)
"""Every step is a person's decision; time alone confirms nothing (scenario 65)."""


class BreachSource(StrEnum):
    """How an allegation came up."""

    PARTY = "PARTY"
    """Another party of the agreement, or the talent office, says so."""
    COMPLAINT = "COMPLAINT"
    """A talent's complaint that the talent office took up."""
    MEASURED = "MEASURED"
    """The clock found a time missed."""


class BreachAct(StrEnum):
    """What is done with an allegation."""

    ALLEGED = "ALLEGED"
    STATED = "STATED"
    CONFIRMED = "CONFIRMED"
    DISMISSED = "DISMISSED"
    CURE_OFFERED = "CURE_OFFERED"
    CURE_ACKNOWLEDGED = "CURE_ACKNOWLEDGED"
    CURED = "CURED"
    WAIVED = "WAIVED"
