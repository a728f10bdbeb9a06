"""Evidence kinds of talents (domain specification §2.1); all about persons, hence in batch mode."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from talentseal.evidence import Event
from talentseal.policy.tiers import Tier


@dataclass(frozen=True, slots=True)
class TierChanged(Event):
    """The effective tier of a code changed (Article 12).

    code: random id of the code, which names nobody. before: None for a new code. on: the Shanghai date from
    which it holds. instrument, version, article: what it stands on; None for what the date brought.
    """

    kind: ClassVar[int] = 44
    code: str
    before: Tier | None
    after: Tier
    on: date
    instrument: str | None
    version: int | None
    article: int | None
