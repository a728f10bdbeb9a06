"""Evidence kinds of redemptions (domain specification §2.1, §2.2); about persons, hence in batch mode.

Every field is a salted disclosure of its own: the holder may show date, partner and benefit without tier or
value. Amounts are decimal strings of whole fen.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from talentseal.credentials.models import Channel
from talentseal.evidence import Event
from talentseal.policy.tiers import Tier


@dataclass(frozen=True, slots=True)
class RedemptionCompleted(Event):
    """A benefit was given; the observance of its stipulation (Articles 11 and 20).

    occurred_at: when the counter says it was, where it entered it afterwards; `at` is when it was recorded.

    talent_ref: how this partner knows the person, another with each. agreement, stipulation: record numbers
    and position; instrument: version id, None when the agreement alone carried it. token: SHA-256 hex of what
    was burnt for the presentation, None for a card.
    """

    kind: ClassVar[int] = 30
    redemption: str
    at: datetime
    partner: str
    outlet: str | None
    terminal: str | None
    benefit: str
    benefit_version: int
    channel: Channel | None
    talent_ref: str
    tier: Tier
    quantity: int
    list_value_fen: str | None
    value_fen: str
    partner_fen: str
    subsidy_fen: str
    period: str
    agreement: str | None
    stipulation: int | None
    instrument: str | None
    token: str | None
    occurred_at: datetime | None


@dataclass(frozen=True, slots=True)
class RedemptionReversed(Event):
    """Some or all units of it were undone. Refers to it by REVERSES."""

    kind: ClassVar[int] = 31
    redemption: str
    reversal: str
    at: datetime
    quantity: int
    value_fen: str
    subsidy_fen: str
    reason: str


@dataclass(frozen=True, slots=True)
class SettlementClosed(Event):
    """Both sides have signed a settlement's statement. About organisations.

    statement_sha256: 64 hex digits over its text. net_fen: what the partner is paid. signatures: of each side
    organisation, address and EIP-191 signature, the partner first.
    """

    kind: ClassVar[int] = 62
    settlement: str
    organisation: str
    period: str
    statement: int
    statement_sha256: str
    net_fen: str
    signatures: tuple[str, ...]
