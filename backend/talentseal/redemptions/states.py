"""What may follow each state of a redemption (domain specification §1.2)."""

from typing import Final

from talentseal.redemptions.models import RedemptionState
from talentseal.states import Transitions

_S = RedemptionState

MOVES: Final = Transitions(
    {
        _S.RESERVED: frozenset({_S.COMPLETED, _S.RELEASED}),
        _S.COMPLETED: frozenset({_S.PARTIALLY_REVERSED, _S.REVERSED, _S.DISPUTED, _S.SETTLED}),
        _S.PARTIALLY_REVERSED: frozenset({_S.PARTIALLY_REVERSED, _S.REVERSED, _S.DISPUTED, _S.SETTLED}),
        _S.DISPUTED: frozenset({_S.COMPLETED, _S.PARTIALLY_REVERSED, _S.REVERSED}),
        # A correction after the settlement falls into the next period.
        _S.SETTLED: frozenset({_S.PARTIALLY_REVERSED, _S.REVERSED}),
        _S.REVERSED: frozenset(),
        _S.RELEASED: frozenset(),
    }
)
