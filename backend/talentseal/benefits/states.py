"""What may follow what in a benefit's version (domain specification §1.2)."""

from typing import Final

from talentseal.benefits.models import BenefitState
from talentseal.states import Transitions

_B = BenefitState
VERSION: Final = Transitions(
    {
        _B.DRAFT: frozenset({_B.REVIEW, _B.WITHDRAWN}),
        _B.REVIEW: frozenset({_B.DRAFT, _B.PUBLISHED, _B.WITHDRAWN}),
        _B.PUBLISHED: frozenset({_B.PAUSED, _B.EXHAUSTED, _B.WITHDRAWN, _B.EXPIRED}),
        _B.PAUSED: frozenset({_B.PUBLISHED, _B.WITHDRAWN, _B.EXPIRED}),
        _B.EXHAUSTED: frozenset({_B.PUBLISHED, _B.PAUSED, _B.WITHDRAWN, _B.EXPIRED}),
        _B.WITHDRAWN: frozenset(),
        _B.EXPIRED: frozenset(),
    }
)
"""EXPIRED is the clock's, EXHAUSTED and the way back from it the budget's."""

OUT: Final = frozenset({_B.PUBLISHED, _B.PAUSED, _B.EXHAUSTED})
"""Published, and not over."""
