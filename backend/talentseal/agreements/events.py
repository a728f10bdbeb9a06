"""Evidence kinds of agreements (domain specification §2.1); all parties' signatures stand behind 10, 11 and
13.
"""

from dataclasses import dataclass
from typing import ClassVar

from talentseal.evidence import Event


@dataclass(frozen=True, slots=True)
class AgreementEvidenced(Event):
    """All parties signed version 1. commitment, digest: 0x and 64 hex digits."""

    kind: ClassVar[int] = 10
    agreement: str
    version: int
    commitment: str
    digest: str


@dataclass(frozen=True, slots=True)
class AgreementAmended(Event):
    """All parties signed a later version, which AMENDS the one before."""

    kind: ClassVar[int] = 11
    agreement: str
    version: int
    commitment: str
    digest: str


@dataclass(frozen=True, slots=True)
class AgreementTerminated(Event):
    """All parties signed the end of a version, which it SUPERSEDES from its date."""

    kind: ClassVar[int] = 13
    agreement: str
    version: int
    commitment: str
    digest: str


@dataclass(frozen=True, slots=True)
class StipulationDeclared(Event):
    """One duty of a signed version. position: of its leaf; leaf: 0x and 64 hex digits of the leaf hash."""

    kind: ClassVar[int] = 20
    agreement: str
    version: int
    position: int
    leaf: str
