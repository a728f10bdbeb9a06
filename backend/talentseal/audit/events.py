"""Evidence kinds that correct the record itself (domain specification §2.1, §2.4)."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from talentseal.evidence import Event


class CorrectionReason(StrEnum):
    """Why an earlier record is wrong."""

    WRONG_CONTENT = "WRONG_CONTENT"
    WRONG_SUBJECT = "WRONG_SUBJECT"
    DUPLICATE = "DUPLICATE"
    TECHNICAL_FAULT = "TECHNICAL_FAULT"
    DECIDED_BY_AUTHORITY = "DECIDED_BY_AUTHORITY"


@dataclass(frozen=True, slots=True)
class Correction(Event):
    """The record referred to was wrong from the start; explanation says what is right."""

    kind: ClassVar[int] = 80
    reason: CorrectionReason
    explanation: str
    role: str


@dataclass(frozen=True, slots=True)
class Retraction(Event):
    """The record referred to should never have been made."""

    kind: ClassVar[int] = 81
    reason: CorrectionReason
    explanation: str
    role: str
