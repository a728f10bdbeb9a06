"""The state of an agreement's version, derived from what is stored and from the date; never stored itself.

DRAFT → SUBMITTED → SIGNING → SIGNED → ANCHORING → EVIDENCED → IN_FORCE → SUPERSEDED | EXPIRED | TERMINATED,
and RETURNED from wherever not all have signed, or when the contract refused (domain specification §1.2).
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from talentseal.clock import legal_date
from talentseal.evidence.models import ActState
from talentseal.evidence.status import RecordState


class AgreementState(StrEnum):
    DRAFT = "DRAFT"
    SUBMITTED = "SUBMITTED"
    SIGNING = "SIGNING"
    SIGNED = "SIGNED"
    ANCHORING = "ANCHORING"
    EVIDENCED = "EVIDENCED"
    IN_FORCE = "IN_FORCE"
    SUPERSEDED = "SUPERSEDED"
    EXPIRED = "EXPIRED"
    TERMINATED = "TERMINATED"
    RETURNED = "RETURNED"


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything the state follows from.

    signed: signatures given, of `parties`. act: the registry act, None while there is none. record: how far
    the evidence record has come, None while there is none. superseded_from: first day of a successor whose
    act is final. terminated_at: when a termination whose act is final takes effect.
    """

    submitted: bool
    returned: bool
    signed: int
    parties: int
    deadline: datetime
    effective_from: date
    valid_through: date
    act: ActState | None
    record: RecordState | None
    superseded_from: date | None
    terminated_at: datetime | None


def state_of(facts: Facts, *, now: datetime) -> AgreementState:
    """The one state in which a version is shown at `now`."""
    if facts.returned or facts.act is ActState.REFUSED:
        return AgreementState.RETURNED
    if facts.signed < facts.parties:
        return _before_signed(facts, now)
    if facts.act is ActState.FINAL and facts.record is RecordState.FINAL:
        return _evidenced(facts, now)
    if facts.act is None or facts.act is ActState.QUEUED:
        return AgreementState.SIGNED
    return AgreementState.ANCHORING


def _before_signed(facts: Facts, now: datetime) -> AgreementState:
    if not facts.submitted:
        return AgreementState.DRAFT
    if now > facts.deadline:
        # The contract would refuse these signatures: the submission has lapsed.
        return AgreementState.RETURNED
    return AgreementState.SIGNING if facts.signed else AgreementState.SUBMITTED


def _evidenced(facts: Facts, now: datetime) -> AgreementState:
    today = legal_date(now)
    if facts.terminated_at is not None and now >= facts.terminated_at:
        return AgreementState.TERMINATED
    if facts.superseded_from is not None and today >= facts.superseded_from:
        return AgreementState.SUPERSEDED
    if today > facts.valid_through:
        return AgreementState.EXPIRED
    return AgreementState.IN_FORCE if today >= facts.effective_from else AgreementState.EVIDENCED
