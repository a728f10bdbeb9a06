"""What may happen while no version is in force (domain specification §1.3, "Effect of expiry")."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Deed(StrEnum):
    """What is done under the measures, as far as their expiry may touch it."""

    NEW_CODE = "NEW_CODE"
    NEW_TIER = "NEW_TIER"
    GOVERNMENT_BENEFIT = "GOVERNMENT_BENEFIT"
    GOVERNMENT_REDEMPTION = "GOVERNMENT_REDEMPTION"
    NEW_SUSPENSION_RULE = "NEW_SUSPENSION_RULE"
    FINANCIAL_REDEMPTION = "FINANCIAL_REDEMPTION"
    CONSUMPTION_REDEMPTION = "CONSUMPTION_REDEMPTION"
    READING = "READING"
    VERIFICATION = "VERIFICATION"
    EVIDENCE = "EVIDENCE"
    COMPLAINT = "COMPLAINT"
    CORRECTION = "CORRECTION"
    SETTLEMENT = "SETTLEMENT"
    DATA_SUBJECT_RIGHTS = "DATA_SUBJECT_RIGHTS"
    FALSE_MATERIALS_TERMINATION = "FALSE_MATERIALS_TERMINATION"


class Verdict(StrEnum):
    """Whether a deed may be done now.

    BY_AGREEMENT: only where the agreement itself is in force and says that it survives the instrument.
    ALWAYS: whatever becomes of the instrument.
    """

    ALLOWED = "ALLOWED"
    BY_AGREEMENT = "BY_AGREEMENT"
    BLOCKED = "BLOCKED"
    ALWAYS = "ALWAYS"


_WITHOUT: Final[Mapping[Deed, Verdict]] = MappingProxyType(
    {
        Deed.NEW_CODE: Verdict.BLOCKED,
        Deed.NEW_TIER: Verdict.BLOCKED,
        Deed.GOVERNMENT_BENEFIT: Verdict.BLOCKED,
        Deed.GOVERNMENT_REDEMPTION: Verdict.BLOCKED,
        Deed.NEW_SUSPENSION_RULE: Verdict.BLOCKED,
        Deed.FINANCIAL_REDEMPTION: Verdict.BY_AGREEMENT,
        Deed.CONSUMPTION_REDEMPTION: Verdict.BY_AGREEMENT,
        Deed.READING: Verdict.ALWAYS,
        Deed.VERIFICATION: Verdict.ALWAYS,
        Deed.EVIDENCE: Verdict.ALWAYS,
        Deed.COMPLAINT: Verdict.ALWAYS,
        Deed.CORRECTION: Verdict.ALWAYS,
        Deed.SETTLEMENT: Verdict.ALWAYS,
        Deed.DATA_SUBJECT_RIGHTS: Verdict.ALWAYS,
        Deed.FALSE_MATERIALS_TERMINATION: Verdict.ALWAYS,
    }
)


def verdict_on(deed: Deed, *, in_force: bool) -> Verdict:
    """in_force: whether a version that provides for the deed is in force."""
    without = _WITHOUT[deed]
    return Verdict.ALLOWED if in_force and without is not Verdict.ALWAYS else without
