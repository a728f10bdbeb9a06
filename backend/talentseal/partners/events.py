"""Evidence kinds of signing keys (domain specification §2.1)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from talentseal.evidence import Event


class KeyAct(StrEnum):
    """What happened to a signing key."""

    REGISTERED = "REGISTERED"
    REVOKED = "REVOKED"


@dataclass(frozen=True, slots=True)
class SigningKeyChanged(Event):
    """An organisation's key was registered or revoked.

    Addresses are pseudonyms of organisations, not of people.
    """

    kind: ClassVar[int] = 90
    organisation: str
    address: str
    act: KeyAct
    valid_from: datetime
    valid_until: datetime
