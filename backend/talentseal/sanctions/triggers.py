"""What a rule of suspension may watch for (domain specification §1.6), and how far a suspension reaches."""

from enum import StrEnum
from typing import Final


class Trigger(StrEnum):
    """What facts are of. …_GE_N: the rule's threshold counts how often."""

    CREDENTIAL_SHARED = "CREDENTIAL_SHARED"
    CREDENTIAL_TAMPERED = "CREDENTIAL_TAMPERED"
    TOKEN_REPLAY_GE_N = "TOKEN_REPLAY_GE_N"  # noqa: S105 - the name of a trigger, not a secret
    PRESENTER_MISMATCH = "PRESENTER_MISMATCH"
    DEVICE_COUNT_GE_N = "DEVICE_COUNT_GE_N"
    QUOTA_ABUSE = "QUOTA_ABUSE"
    NO_SHOW_GE_N = "NO_SHOW_GE_N"
    REVIEW_OVERDUE = "REVIEW_OVERDUE"
    UNVERIFIED_DATA = "UNVERIFIED_DATA"


PERSONAL_USE: Final = frozenset(
    {
        Trigger.CREDENTIAL_SHARED,
        Trigger.CREDENTIAL_TAMPERED,
        Trigger.TOKEN_REPLAY_GE_N,
        Trigger.PRESENTER_MISMATCH,
        Trigger.DEVICE_COUNT_GE_N,
    }
)
"""Transfer, gift, alteration (Article 13): the only ones on which a termination may be built."""

REPORTED: Final = frozenset(
    {
        Trigger.CREDENTIAL_SHARED,
        Trigger.CREDENTIAL_TAMPERED,
        Trigger.PRESENTER_MISMATCH,
        Trigger.QUOTA_ABUSE,
        Trigger.NO_SHOW_GE_N,
    }
)
"""What whoever serves talents reports; the others are found in the service's own records."""

CURABLE: Final = frozenset({Trigger.REVIEW_OVERDUE, Trigger.UNVERIFIED_DATA})
"""Facts that the holder can put right, so that a suspension may last until he has."""


class Reach(StrEnum):
    """How far a suspension reaches: everything, or one category, partner or benefit."""

    ALL = "ALL"
    CATEGORY = "CATEGORY"
    PARTNER = "PARTNER"
    BENEFIT = "BENEFIT"
