"""Evidence kinds of sanctions (domain specification §2.1): rules named openly, cases by random ids alone."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar

from talentseal.evidence import Event
from talentseal.sanctions.states import Ground
from talentseal.sanctions.triggers import Reach


@dataclass(frozen=True, slots=True)
class SuspensionRuleApproved(Event):
    """All sides signed a version of a rule (Article 13).

    text_sha256: 64 hex digits, what they signed. in_force_from: from when facts count. signatures: one line
    a side, "organisation address signature". instrument, instrument_version, article: what it stands on.
    """

    kind: ClassVar[int] = 40
    rule: str
    version: int
    text_sha256: str
    in_force_from: datetime
    signatures: tuple[str, ...]
    instrument: str
    instrument_version: int
    article: int


@dataclass(frozen=True, slots=True)
class SuspensionDecided(Event):
    """A person decided that a code rests, in full or as far as `reach` says. through: the last day."""

    kind: ClassVar[int] = 41
    case: str
    code: str
    rule: str
    version: int
    reach: Reach
    on: date
    through: date


class Lifting(StrEnum):
    """Why a suspension ended."""

    APPEAL = "APPEAL"
    TERM_OVER = "TERM_OVER"
    CURED = "CURED"


@dataclass(frozen=True, slots=True)
class SuspensionLifted(Event):
    """A suspension ended; refers to its decision, which it resolves."""

    kind: ClassVar[int] = 42
    case: str
    code: str
    cause: Lifting
    on: date


class Outcome(StrEnum):
    """What was decided of a termination."""

    TERMINATED = "TERMINATED"
    ANNULLED = "ANNULLED"


@dataclass(frozen=True, slots=True)
class TerminationDecided(Event):
    """Two persons decided to terminate a code, or its termination was annulled, which reverses that record.

    effective_on: first day of the end, or of the return.
    """

    kind: ClassVar[int] = 43
    case: str
    code: str
    ground: Ground
    article: int
    outcome: Outcome
    effective_on: date
