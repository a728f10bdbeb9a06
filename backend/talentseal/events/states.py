"""What is told, and what becomes of a webhook and of each delivery to it."""

from enum import StrEnum
from typing import Final

from talentseal.states import Transitions


class EventKind(StrEnum):
    """What happened; the values are what receivers switch on, and are never changed."""

    REDEMPTION_COMPLETED = "redemption.completed"
    REDEMPTION_RELEASED = "redemption.released"
    REDEMPTION_REVERSED = "redemption.reversed"
    BENEFIT_PUBLISHED = "benefit.published"
    BENEFIT_PAUSED = "benefit.paused"
    BENEFIT_EXHAUSTED = "benefit.exhausted"
    BENEFIT_WITHDRAWN = "benefit.withdrawn"
    BENEFIT_EXPIRED = "benefit.expired"
    SETTLEMENT_CLOSED = "settlement.closed"
    COMPLAINT_FILED = "complaint.filed"
    COMPLAINT_ESCALATED = "complaint.escalated"
    COMPLAINT_DECIDED = "complaint.decided"
    BREACH_ALLEGED = "breach.alleged"
    BREACH_CONFIRMED = "breach.confirmed"
    BREACH_DISMISSED = "breach.dismissed"
    BREACH_CURED = "breach.cured"
    BREACH_WAIVED = "breach.waived"


class HookState(StrEnum):
    """Whether deliveries go to a webhook."""

    ACTIVE = "ACTIVE"
    DISABLED = "DISABLED"
    """Nothing was taken for days; its owner enables it again."""
    REMOVED = "REMOVED"


class DeliveryState(StrEnum):
    """Where a delivery stands. DEAD: given up, until somebody sends it again."""

    DUE = "DUE"
    DELIVERED = "DELIVERED"
    DEAD = "DEAD"


class Failure(StrEnum):
    """Why an attempt failed; nothing of what the receiver answered is kept but its status."""

    ADDRESS_REFUSED = "ADDRESS_REFUSED"
    """The name leads to an address that is not public."""
    UNREACHABLE = "UNREACHABLE"
    TIMEOUT = "TIMEOUT"
    REDIRECTED = "REDIRECTED"
    STATUS = "STATUS"
    """Any other status than 2xx."""
    HOOK_ENDED = "HOOK_ENDED"
    """The webhook was disabled or removed while the delivery waited."""


_H = HookState
HOOK: Final = Transitions(
    {
        _H.ACTIVE: frozenset({_H.DISABLED, _H.REMOVED}),
        _H.DISABLED: frozenset({_H.ACTIVE, _H.REMOVED}),
        _H.REMOVED: frozenset(),
    }
)

_D = DeliveryState
DELIVERY: Final = Transitions(
    {
        _D.DUE: frozenset({_D.DELIVERED, _D.DEAD}),
        _D.DELIVERED: frozenset(),
        _D.DEAD: frozenset({_D.DUE}),
    }
)
