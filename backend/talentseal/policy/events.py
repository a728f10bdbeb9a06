"""Evidence kinds of instruments and their interpretations (domain specification §2.1)."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from talentseal.accounts.roles import Role
from talentseal.evidence import Event
from talentseal.policy.states import Step


@dataclass(frozen=True, slots=True)
class InstrumentInForce(Event):
    """A step of a version on its way into force and out of it.

    on: the day from which it holds. text_sha256: 64 hex digits, over the canonical form of the whole text.
    reference: minutes, decision or document number; reference and role are None for what the date brought.
    """

    kind: ClassVar[int] = 50
    instrument: str
    version: int
    step: Step
    on: date
    text_sha256: str
    effective_from: date
    valid_through: date
    reference: str | None
    role: Role | None


@dataclass(frozen=True, slots=True)
class InterpretationIssued(Event):
    """The body that interprets the instrument said what an article means."""

    kind: ClassVar[int] = 52
    instrument: str
    version: int
    article: int
    question: str
    answer: str
    valid_from: date


@dataclass(frozen=True, slots=True)
class MeasureApproved(Event):
    """The leading group approved a measure that the joint meeting had passed (Article 16).

    text_sha256: 64 hex digits, over the canonical form of the whole. on: the day of the decision.
    """

    kind: ClassVar[int] = 51
    measure: str
    version: int
    text_sha256: str
    organisation: str
    reference: str | None
    on: date
    effective_from: date
