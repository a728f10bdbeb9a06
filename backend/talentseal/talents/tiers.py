"""Which tier somebody has on a day: recognitions, their states, and the highest of the live ones.

CLAIMED → VERIFIED → CONFIRMED → ADJUSTED | EXPIRED | REVOKED (domain specification §1.2, §1.4). All
recognitions are kept; none is altered because another one outranks it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from talentseal.errors import Conflict
from talentseal.policy.tiers import HIGH, Tier, highest
from talentseal.states import Transitions
from talentseal.talents.terms import youth_last_day


class RecognitionState(StrEnum):
    """How far a recognition has come."""

    CLAIMED = "CLAIMED"
    VERIFIED = "VERIFIED"
    CONFIRMED = "CONFIRMED"
    ADJUSTED = "ADJUSTED"
    EXPIRED = "EXPIRED"
    REVOKED = "REVOKED"


_NOTHING: Final = frozenset[RecognitionState]()

RECOGNITION: Final = Transitions(
    MappingProxyType(
        {
            RecognitionState.CLAIMED: frozenset({RecognitionState.VERIFIED}),
            RecognitionState.VERIFIED: frozenset({RecognitionState.CONFIRMED, RecognitionState.REVOKED}),
            RecognitionState.CONFIRMED: frozenset(
                {RecognitionState.ADJUSTED, RecognitionState.EXPIRED, RecognitionState.REVOKED}
            ),
            RecognitionState.ADJUSTED: _NOTHING,
            RecognitionState.EXPIRED: _NOTHING,
            RecognitionState.REVOKED: _NOTHING,
        }
    )
)
"""What may become of a recognition; everything else is `transition-refused`. VERIFIED → REVOKED: the second
person refuses to confirm it."""

SET_ASIDE: Final = Transitions(
    MappingProxyType(
        {
            **dict.fromkeys(RecognitionState, _NOTHING),
            RecognitionState.ADJUSTED: frozenset({RecognitionState.CONFIRMED}),
            RecognitionState.REVOKED: frozenset({RecognitionState.VERIFIED, RecognitionState.CONFIRMED}),
        }
    )
)
"""Where an objection takes it when the decision is set aside, and nothing else does."""

_GRANTED: Final = frozenset({RecognitionState.CONFIRMED, RecognitionState.EXPIRED})
"""States in which the dates alone decide: EXPIRED says nothing that the last day does not say."""


_EXCLUDES_SOCIALISED: Final = HIGH | {Tier.YOUTH}
"""非高层次、非青年人才 (measures, Art. 7)."""


class SocialisedExcluded(Conflict):
    code = "socialised-excluded"
    zh = "已有未到期的高层次人才或青年人才认定，依定义不属于社会化人才。请待该认定到期后再申报。"
    en = (
        "A high-level or youth recognition has not expired, which rules out SOCIALISED by definition; claim "
        "it once that has ended."
    )


@dataclass(frozen=True, slots=True)
class Recognition:
    """The facts of one recognition.

    starts_on: first day. For YOUTH that is the day on which the five years start, or a later one.
    valid_through: last day; None where no term was set.
    """

    tier: Tier
    state: RecognitionState
    starts_on: date
    valid_through: date | None = None

    @property
    def last_day(self) -> date | None:
        """The last day on which it may count; None when no day is. YOUTH never outlasts its five years."""
        if self.tier is not Tier.YOUTH:
            return self.valid_through
        limit = youth_last_day(self.starts_on)
        return limit if self.valid_through is None else min(limit, self.valid_through)

    def is_unexpired(self, day: date) -> bool:
        """Whether it was granted and its last day has not passed, whether or not it has begun."""
        return self.state in _GRANTED and (self.last_day is None or day <= self.last_day)

    def is_live(self, day: date) -> bool:
        """Whether it counts on `day`, going by the state that it has now.

        What was ADJUSTED or REVOKED counts on no day: acts done under it keep the tier they were done under.
        """
        return self.starts_on <= day and self.is_unexpired(day)


def effective_tier(recognitions: Iterable[Recognition], day: date) -> Tier:
    """The highest of the live recognitions; RESERVE without any.

    Going by dates, so that the answer is the same whether or not the nightly job has been.
    """
    return highest(each.tier for each in recognitions if each.is_live(day))


def require_may_be_socialised(recognitions: Iterable[Recognition], day: date) -> None:
    """Raises SocialisedExcluded while a high-level or youth recognition is unexpired."""
    if any(each.tier in _EXCLUDES_SOCIALISED and each.is_unexpired(day) for each in recognitions):
        raise SocialisedExcluded
