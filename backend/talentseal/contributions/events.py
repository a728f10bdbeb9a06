"""Evidence kinds of contribution value (domain specification §2.1); about organisations."""

from dataclasses import dataclass
from typing import ClassVar

from talentseal.contributions.models import RewardKind
from talentseal.evidence import Event


@dataclass(frozen=True, slots=True)
class ContributionPeriodClosed(Event):
    """A quarter's ledger was closed. text_sha256: 64 hex digits over its canonical text."""

    kind: ClassVar[int] = 60
    period: str
    text_sha256: str
    organisations: int
    entries: int
    concession_fen: str
    contribution: str


@dataclass(frozen=True, slots=True)
class RewardDecided(Event):
    """The talent office granted a reward, by two persons and with a reason; nothing grants one by itself."""

    kind: ClassVar[int] = 61
    reward: str
    organisation: str
    period: str
    reward_kind: RewardKind
    title: str
    amount_fen: str | None
    reason: str
    decision: str
