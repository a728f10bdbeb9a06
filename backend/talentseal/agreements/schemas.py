"""Commands and read models of agreements."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, Field, StringConstraints, model_validator

from talentseal.accounts.schemas import Address, Command, OrganisationId, Signature, clean_text
from talentseal.agreements.documents import SIZE_LIMIT, Digests, MediaType
from talentseal.agreements.models import Category
from talentseal.agreements.states import AgreementState
from talentseal.evidence.status import RecordState


class Tier(StrEnum):
    """Tiers of talent (measures, Art. 7)."""

    HIGH_A = "HIGH_A"
    HIGH_B = "HIGH_B"
    HIGH_C = "HIGH_C"
    HIGH_D = "HIGH_D"
    HIGH_E = "HIGH_E"
    YOUTH = "YOUTH"
    SOCIALISED = "SOCIALISED"
    RESERVE = "RESERVE"


class Period(StrEnum):
    """How often a duty falls due."""

    EVENT = "EVENT"
    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"
    QUARTER = "QUARTER"
    YEAR = "YEAR"
    TERM = "TERM"


ShortText = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(clean_text)]
Title = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(clean_text)]
LongText = Annotated[str, StringConstraints(min_length=1, max_length=500), AfterValidator(clean_text)]
Hex32 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class PartyInput(Command):
    """A party to be. signer: which of the organisation's keys signs; its only valid one when left out."""

    organisation: OrganisationId
    role: ShortText = Field(description="The signatory's role, such as 甲方")
    signer: Address | None = None


class StipulationInput(Command):
    """One duty under the agreement."""

    clause: ShortText
    duty_holder: OrganisationId = Field(description="One of the parties")
    beneficiary_tiers: Annotated[tuple[Tier, ...], Field(min_length=1, max_length=len(Tier))]
    measure: LongText = Field(description="What is to be done and how it is measured")
    period: Period
    threshold: ShortText
    remedy: LongText


class DocumentDigests(Command):
    """A document that stays with the partner: what identifies it."""

    sha256: Hex32
    sm3: Hex32
    size: int = Field(ge=1, le=SIZE_LIMIT, strict=True)
    media_type: MediaType

    def to_digests(self) -> Digests:
        return Digests(self.sha256, self.sm3, self.size, self.media_type)


class Submission(Command):
    """An agreement, or its next version, without its document."""

    number: ShortText
    title: Title
    category: Category
    effective_from: date = Field(description="First day in force, Asia/Shanghai")
    valid_through: date = Field(description="Last day in force, Asia/Shanghai")
    parties: Annotated[tuple[PartyInput, ...], Field(min_length=2, max_length=8)]
    stipulations: Annotated[tuple[StipulationInput, ...], Field(min_length=1, max_length=100)]
    deadline: AwareDatetime | None = Field(
        default=None, description="All must have signed by then and the contract have it; default: in 30 days"
    )
    draft: bool = Field(default=False, description="Keep it to oneself until submitted")

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        named = [party.organisation for party in self.parties]
        if len(set(named)) != len(named):
            raise ValueError("parties: each organisation may stand there once")
        if self.valid_through < self.effective_from:
            raise ValueError("valid_through lies before effective_from")
        if not (self.effective_from.year >= 1970 and self.valid_through.year <= 2200):
            raise ValueError("expected dates from 1970 to 2200")
        for stipulation in self.stipulations:
            if stipulation.duty_holder not in named:
                raise ValueError("duty_holder: expected one of the parties")
            if len(set(stipulation.beneficiary_tiers)) != len(stipulation.beneficiary_tiers):
                raise ValueError("beneficiary_tiers: each tier may stand there once")
        return self


class HashOnlySubmission(Submission):
    """A submission whose document stays with the partner."""

    document: DocumentDigests


class UploadedSubmission(Submission):
    """The JSON part beside an uploaded document."""

    keep_document: bool = Field(
        default=True, description="Keep it encrypted; otherwise only its digests are kept"
    )


class TerminationInput(Command):
    """End a version before its last day."""

    reason: LongText
    notice: LongText = Field(description="How and when notice was given")
    effective_at: AwareDatetime = Field(description="Last moment in force")
    deadline: AwareDatetime | None = Field(default=None, description="Default: in 30 days")


class ReturnInput(Command):
    """Send a version back before all have signed."""

    reason: LongText


class SignatureInput(Command):
    """One party's EIP-712 signature over the typed data."""

    signature: Signature


class PartyView(BaseModel):
    """One party and whether it has signed."""

    organisation: str
    role: str
    signer: str
    signed: bool


class AgreementReceipt(BaseModel):
    """Answer to every unsafe request about an agreement: identifiers, state, promise; no content."""

    agreement: str
    version: int
    state: AgreementState
    digest: str
    commitment: str
    signed: int
    parties: int
    record: str | None = Field(description="Evidence record of the agreement; null until all have signed")
    promise: str | None = Field(description="Signed note: by when the log covers the record")


class Discarded(BaseModel):
    """The draft that is no more."""

    agreement: str
    version: int


class AgreementSummary(BaseModel):
    """One version in a list."""

    agreement: str
    version: int
    state: AgreementState
    number: str | None
    title: str | None
    category: Category
    effective_from: date
    valid_through: date
    created_at: datetime


class AgreementView(AgreementSummary):
    """One version in full."""

    submitter: str
    digest: str
    commitment: str
    chain_id: int
    contract: str
    deadline: datetime
    document: DocumentDigests
    document_kept: bool
    parties: list[PartyView]
    terms: str
    terms_disclosures: list[str] | None = Field(description="null after erasure")
    stipulations: list[str | None] = Field(
        description="RFC 9901 disclosures in clause order; null after erasure"
    )
    statement: dict[str, Any]
    return_reason: str | None
    record: str | None
    record_state: RecordState | None
    act_transaction: str | None
    termination: "TerminationView | None"


class TerminationView(BaseModel):
    """A version's termination, proposed or signed by all."""

    digest: str
    terms: str
    terms_disclosures: list[str] | None
    statement: dict[str, Any]
    effective_at: datetime
    deadline: datetime
    signed: int
    record: str | None


class TypedData(BaseModel):
    """What a wallet signs by eth_signTypedData_v4."""

    digest: str
    typed_data: dict[str, Any]
