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


@dataclass(frozen=True, slots=True)
class BreachAlleged(Event):
    """Somebody, or the clock, says that a stipulation was not kept; belongs to the stipulation's record.

    breach: random id of the allegation. source: `duty_states.BreachSource`. Never names a person, nor says
    what happened.
    """

    kind: ClassVar[int] = 22
    breach: str
    agreement: str
    version: int
    position: int
    source: str


@dataclass(frozen=True, slots=True)
class BreachConfirmed(Event):
    """The deciding body found that the stipulation was not kept; RESOLVES the allegation.

    role: of the deciding body. The contract holds the SHA-256 of this very entry as the finding.
    """

    kind: ClassVar[int] = 23
    breach: str
    agreement: str
    version: int
    position: int
    role: str


@dataclass(frozen=True, slots=True)
class BreachDismissed(Event):
    """The deciding body found no breach; RESOLVES the allegation."""

    kind: ClassVar[int] = 24
    breach: str
    agreement: str
    version: int
    position: int
    role: str


@dataclass(frozen=True, slots=True)
class BreachClosed(Event):
    """A confirmed breach was cured, which CURES the finding, or waived, which RESOLVES it.

    outcome: CURED or WAIVED. acknowledged_for: organisation of the receiving side that saw the cure.
    """

    kind: ClassVar[int] = 25
    breach: str
    agreement: str
    version: int
    position: int
    role: str
    outcome: str
    acknowledged_for: str | None
