"""The tiers of talent (measures, Art. 7), in their order."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final


class Tier(StrEnum):
    """Tiers of talent, the highest first."""

    HIGH_A = "HIGH_A"
    HIGH_B = "HIGH_B"
    HIGH_C = "HIGH_C"
    HIGH_D = "HIGH_D"
    HIGH_E = "HIGH_E"
    YOUTH = "YOUTH"
    SOCIALISED = "SOCIALISED"
    RESERVE = "RESERVE"


HIGH: Final = frozenset({Tier.HIGH_A, Tier.HIGH_B, Tier.HIGH_C, Tier.HIGH_D, Tier.HIGH_E})
"""高层次人才. HIGH_E is 优秀青年人才, which is high-level and not YOUTH."""

_RANK: Final = {tier: rank for rank, tier in enumerate(Tier)}


def highest(tiers: Iterable[Tier]) -> Tier:
    """The highest of `tiers`; RESERVE, which everyone in scope has, when there is none."""
    return min(tiers, key=_RANK.__getitem__, default=Tier.RESERVE)
