"""Why nothing is redeemed: the codes of the check order (domain specification §4), and their articles."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from talentseal.credentials.refusals import Refusal as Unestablished


class Refusal(StrEnum):
    """The first check that fails gives the code. Those before CODE_SUSPENDED are a presentation's alone."""

    CODE_SUSPENDED = "CODE_SUSPENDED"
    CODE_TERMINATED = "CODE_TERMINATED"
    REVIEW_OVERDUE = "REVIEW_OVERDUE"
    CARD_FROZEN = "CARD_FROZEN"
    INSTRUMENT_EXPIRED = "INSTRUMENT_EXPIRED"
    AGREEMENT_NOT_IN_FORCE = "AGREEMENT_NOT_IN_FORCE"
    BENEFIT_NOT_PUBLISHED = "BENEFIT_NOT_PUBLISHED"
    OUTLET_NOT_COVERED = "OUTLET_NOT_COVERED"
    TIER_NOT_ELIGIBLE = "TIER_NOT_ELIGIBLE"
    CHANNEL_NOT_ALLOWED = "CHANNEL_NOT_ALLOWED"
    CONSENT_MISSING = "CONSENT_MISSING"
    EXCLUSION_CONFLICT = "EXCLUSION_CONFLICT"
    QUOTA_EXHAUSTED = "QUOTA_EXHAUSTED"
    BUDGET_EXHAUSTED = "BUDGET_EXHAUSTED"
    VALUE_OVER_LIMIT = "VALUE_OVER_LIMIT"
    SECOND_FACTOR_REQUIRED = "SECOND_FACTOR_REQUIRED"


CHECK_ORDER: Final[tuple[str, ...]] = (
    Unestablished.TERMINAL_UNKNOWN,
    Unestablished.TOKEN_MALFORMED,
    Unestablished.TOKEN_FORGED,
    Unestablished.TOKEN_EXPIRED,
    Unestablished.TOKEN_USED,
    *Refusal,
)
"""All 21, the first first."""

ARTICLES: Final[Mapping[Refusal, int]] = MappingProxyType(
    {
        Refusal.CODE_SUSPENDED: 13,
        Refusal.CODE_TERMINATED: 14,
        Refusal.REVIEW_OVERDUE: 15,
        Refusal.CARD_FROZEN: 13,
        Refusal.INSTRUMENT_EXPIRED: 22,
        Refusal.AGREEMENT_NOT_IN_FORCE: 20,
        Refusal.BENEFIT_NOT_PUBLISHED: 8,
        Refusal.OUTLET_NOT_COVERED: 11,
        Refusal.TIER_NOT_ELIGIBLE: 7,
        Refusal.CHANNEL_NOT_ALLOWED: 10,
        Refusal.CONSENT_MISSING: 9,
        Refusal.EXCLUSION_CONFLICT: 8,
        Refusal.QUOTA_EXHAUSTED: 8,
        Refusal.BUDGET_EXHAUSTED: 8,
        Refusal.VALUE_OVER_LIMIT: 8,
        Refusal.SECOND_FACTOR_REQUIRED: 11,
    }
)
"""What of the measures it stands on."""
