"""Evidence kinds of signing keys (domain specification §2.1)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from talentseal.evidence import Event
from talentseal.partners.modules import Module


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


@dataclass(frozen=True, slots=True)
class ModuleAdmitted(Event):
    """An organisation was admitted to a module (Article 18).

    licence_type, licence_number: of a financial enterprise. agreement: what was signed for the other one.
    """

    kind: ClassVar[int] = 14
    access: str
    module: Module
    organisation: str
    licence_type: str | None
    licence_number: str | None
    agreement: str | None
