"""States of a complaint, and what may follow what (domain specification §1.2)."""

from enum import StrEnum
from typing import Final

from talentseal.states import Transitions


class ComplaintState(StrEnum):
    """Where a complaint stands."""

    FILED = "FILED"
    ACCEPTED = "ACCEPTED"
    PROCESSING = "PROCESSING"
    ANSWERED = "ANSWERED"
    CLOSED = "CLOSED"
    REOPENED = "REOPENED"
    ESCALATED = "ESCALATED"
    DECIDED = "DECIDED"


_C = ComplaintState
COMPLAINT: Final = Transitions(
    {
        _C.FILED: frozenset({_C.ACCEPTED, _C.REOPENED}),
        _C.ACCEPTED: frozenset({_C.PROCESSING, _C.REOPENED}),
        _C.PROCESSING: frozenset({_C.ANSWERED, _C.REOPENED}),
        _C.ANSWERED: frozenset({_C.CLOSED, _C.REOPENED}),
        _C.CLOSED: frozenset(),
        _C.REOPENED: frozenset({_C.ESCALATED}),
        _C.ESCALATED: frozenset({_C.DECIDED}),
        _C.DECIDED: frozenset(),
    }
)
"""Nothing leads back to ANSWERED: a complaint is reopened once, and then the talent office decides it.

What leads from no answer to REOPENED is open once the answer is late.
"""

UNANSWERED: Final = frozenset({_C.FILED, _C.ACCEPTED, _C.PROCESSING})
DISPUTED: Final = frozenset({_C.REOPENED, _C.ESCALATED})
"""The talent office owes a decision."""
OVER: Final = frozenset({_C.CLOSED, _C.DECIDED})


class ComplaintKind(StrEnum):
    """What it is about."""

    SERVICE_REFUSED = "SERVICE_REFUSED"
    """Somebody entitled was not served; the talent office accepts it."""
    WRONG_RECEIPT = "WRONG_RECEIPT"
    """A use of a benefit was not as its receipt says; it is in dispute until the complaint is over."""
    SLOW = "SLOW"
    QUALITY = "QUALITY"
    OTHER = "OTHER"


class ComplaintAct(StrEnum):
    """What is done with a complaint."""

    FILED = "FILED"
    ACCEPTED = "ACCEPTED"
    PROCESSING = "PROCESSING"
    TIME_MISSED = "TIME_MISSED"
    ANSWERED = "ANSWERED"
    CLOSED = "CLOSED"
    CLOSED_BY_DATE = "CLOSED_BY_DATE"
    REOPENED = "REOPENED"
    ESCALATED = "ESCALATED"
    STATED = "STATED"
    UPHELD = "UPHELD"
    DISMISSED = "DISMISSED"
