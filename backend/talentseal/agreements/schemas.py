"""Commands and read models of agreements."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import AfterValidator, AwareDatetime, BaseModel, Field, StringConstraints, field_validator
from pydantic_core import PydanticCustomError
from pydantic_core.core_schema import ValidationInfo

from talentseal.accounts.schemas import Address, Command, OrganisationId, Signature, clean_text
from talentseal.agreements.documents import SIZE_LIMIT, Digests, MediaType
from talentseal.agreements.models import Category
from talentseal.agreements.states import AgreementState
from talentseal.evidence.status import RecordState
from talentseal.policy.tiers import Tier


class Period(StrEnum):
    """How often a duty falls due."""

    EVENT = "EVENT"
    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"
    QUARTER = "QUARTER"
    YEAR = "YEAR"
    TERM = "TERM"


EARLIEST_YEAR: Final = 1970
LATEST_YEAR: Final = 2200

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

    @field_validator("beneficiary_tiers")
    @classmethod
    def _each_tier_once(cls, tiers: tuple[Tier, ...]) -> tuple[Tier, ...]:
        if len(set(tiers)) != len(tiers):
            raise PydanticCustomError("tier_repeated", "each tier may stand there once")
        return tiers


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
    survives_instrument: bool = Field(
        default=False, description="What it grants goes on when the instrument has expired"
    )
    parties: Annotated[tuple[PartyInput, ...], Field(min_length=2, max_length=8)]
    stipulations: Annotated[tuple[StipulationInput, ...], Field(min_length=1, max_length=100)]
    deadline: AwareDatetime | None = Field(
        default=None, description="All must have signed by then and the contract have it; default: in 30 days"
    )
    draft: bool = Field(default=False, description="Keep it to oneself until submitted")

    @field_validator("effective_from", "valid_through")
    @classmethod
    def _within_the_contract(cls, day: date) -> date:
        if not EARLIEST_YEAR <= day.year <= LATEST_YEAR:
            raise PydanticCustomError("date_out_of_range", "expected a date from 1970 to 2200")
        return day

    @field_validator("valid_through")
    @classmethod
    def _ends_after_it_begins(cls, last: date, info: ValidationInfo) -> date:
        if last < info.data.get("effective_from", last):
            raise PydanticCustomError("dates_reversed", "lies before effective_from")
        return last

    @field_validator("parties")
    @classmethod
    def _each_party_once(cls, parties: tuple[PartyInput, ...]) -> tuple[PartyInput, ...]:
        if len({party.organisation for party in parties}) != len(parties):
            raise PydanticCustomError("party_repeated", "each organisation may stand there once")
        return parties

    @field_validator("stipulations")
    @classmethod
    def _duties_of_parties(
        cls, stipulations: tuple[StipulationInput, ...], info: ValidationInfo
    ) -> tuple[StipulationInput, ...]:
        named = {party.organisation for party in info.data.get("parties", ())}
        if named and any(each.duty_holder not in named for each in stipulations):
            raise PydanticCustomError("duty_holder_no_party", "duty_holder: expected one of the parties")
        return stipulations


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


class SignatureFile(BaseModel):
    """What `talentseal sign-file` writes: the digest that was signed, by which address, and the signature."""

    digest: str
    signer: str
    signature: str


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
    survives_instrument: bool
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
