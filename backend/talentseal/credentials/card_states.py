"""The states of a talent card, and how the card stands: what follows from its holder's code is derived, so
that nothing has to be carried from the code to its cards.
"""

from datetime import date
from enum import StrEnum
from typing import Final

from talentseal.policy.tiers import Tier
from talentseal.states import Transitions
from talentseal.talents.models import CodeState


class CardState(StrEnum):
    """What has become of the card itself (domain specification §1.2)."""

    REQUESTED = "REQUESTED"
    ISSUER_REVIEW = "ISSUER_REVIEW"
    APPROVED = "APPROVED"
    DECLINED = "DECLINED"
    PERSONALISED = "PERSONALISED"
    DELIVERED = "DELIVERED"
    ACTIVE = "ACTIVE"
    FROZEN = "FROZEN"
    REPLACED = "REPLACED"
    EXPIRED = "EXPIRED"
    CLOSED = "CLOSED"


MOVES: Final = Transitions(
    {
        CardState.REQUESTED: frozenset({CardState.ISSUER_REVIEW, CardState.CLOSED}),
        CardState.ISSUER_REVIEW: frozenset({CardState.APPROVED, CardState.DECLINED, CardState.CLOSED}),
        CardState.APPROVED: frozenset({CardState.PERSONALISED, CardState.CLOSED}),
        CardState.DECLINED: frozenset(),
        CardState.PERSONALISED: frozenset({CardState.DELIVERED, CardState.EXPIRED, CardState.CLOSED}),
        CardState.DELIVERED: frozenset({CardState.ACTIVE, CardState.EXPIRED, CardState.CLOSED}),
        CardState.ACTIVE: frozenset(
            {CardState.FROZEN, CardState.REPLACED, CardState.EXPIRED, CardState.CLOSED}
        ),
        CardState.FROZEN: frozenset(
            {CardState.ACTIVE, CardState.REPLACED, CardState.EXPIRED, CardState.CLOSED}
        ),
        CardState.REPLACED: frozenset(),
        CardState.EXPIRED: frozenset(),
        CardState.CLOSED: frozenset(),
    }
)
"""Domain specification §1.2; the holder may close a card, or take his request back, until it has ended."""

MAKING: Final = frozenset(
    {
        CardState.REQUESTED,
        CardState.ISSUER_REVIEW,
        CardState.APPROVED,
        CardState.PERSONALISED,
        CardState.DELIVERED,
    }
)
"""On its way to the holder; one of each issuer at a time."""

IN_USE: Final = frozenset({CardState.ACTIVE, CardState.FROZEN})
"""With the holder; one of each issuer at a time."""

PRINTED: Final = frozenset({CardState.PERSONALISED, CardState.DELIVERED, *IN_USE})
"""There is a piece of plastic, which will run out on its last day."""


class CardStanding(StrEnum):
    """How a card stands for its holder and its issuer: its own state, and what its code makes of it."""

    REQUESTED = "REQUESTED"
    ISSUER_REVIEW = "ISSUER_REVIEW"
    APPROVED = "APPROVED"
    DECLINED = "DECLINED"
    PERSONALISED = "PERSONALISED"
    DELIVERED = "DELIVERED"
    ACTIVE = "ACTIVE"
    REISSUE_REQUIRED = "REISSUE_REQUIRED"
    """Works; the tier printed on it is no longer its holder's (Article 12)."""
    FROZEN = "FROZEN"
    SUSPENDED = "SUSPENDED"
    """Its code is suspended, or its review overdue."""
    TERMINATED = "TERMINATED"
    """Its code has ended, or ends for as long as nobody annuls that."""
    REPLACED = "REPLACED"
    EXPIRED = "EXPIRED"
    CLOSED = "CLOSED"


_CODE_ENDED: Final = frozenset({CodeState.TERMINATED, CodeState.CANCELLED})


def standing_of(
    state: CardState,
    code: CodeState,
    *,
    printed: Tier | None,
    tier: Tier,
    valid_through: date | None,
    today: date,
) -> CardStanding:
    """How a card in that state stands under a code in that state.

    printed: the tier on the card, None before there is one. tier: the code's. valid_through: last day.
    """
    if state not in MAKING | IN_USE:
        return CardStanding(state.value)
    if code in _CODE_ENDED:
        return CardStanding.TERMINATED
    if valid_through is not None and valid_through < today:
        return CardStanding.EXPIRED
    if state is not CardState.ACTIVE:
        return CardStanding(state.value)
    if code is not CodeState.ACTIVE:
        return CardStanding.SUSPENDED
    return CardStanding.ACTIVE if printed is tier else CardStanding.REISSUE_REQUIRED
