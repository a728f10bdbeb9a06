"""What may follow each state of a reward."""

from typing import Final

from talentseal.contributions.models import RewardState
from talentseal.states import Transitions

REWARD: Final = Transitions(
    {
        RewardState.PROPOSED: frozenset({RewardState.GRANTED, RewardState.DECLINED}),
        RewardState.GRANTED: frozenset(),
        RewardState.DECLINED: frozenset(),
    }
)
