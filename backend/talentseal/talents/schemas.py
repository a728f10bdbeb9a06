"""What a talent enters and what the office decides."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Final, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from talentseal.accounts.schemas import Command, clean_text
from talentseal.policy.tiers import HIGH, Tier
from talentseal.talents.models import ApplicationState, CodeState, DocumentKind, Purpose
from talentseal.talents.tiers import RecognitionState


def clean_lines(text: str) -> str:
    """As `clean_text`, for text of several lines."""
    lines = text.strip().replace("\r\n", "\n").split("\n")
    return "\n".join(clean_text(line) if line.strip() or len(lines) == 1 else "" for line in lines)


def _clean_or_empty(text: str) -> str:
    return clean_lines(text) if text else ""


T = TypeVar("T")
Line = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(clean_text)]
Paragraphs = Annotated[
    str, StringConstraints(max_length=4000, strip_whitespace=True), AfterValidator(_clean_or_empty)
]
"""May be empty."""
Phone = Annotated[
    str,
    StringConstraints(pattern=r"^\+?[0-9][0-9 -]{4,18}[0-9]$"),
    Field(description="Digits, blanks and hyphens, with + and country code when not Chinese"),
]


class IdentityDocument(StrEnum):
    """Which document shows who somebody is; a resident identity card is not needed (scenario 29)."""

    RESIDENT_ID = "RESIDENT_ID"
    PASSPORT = "PASSPORT"
    HK_MACAO_PERMIT = "HK_MACAO_PERMIT"
    TAIWAN_PERMIT = "TAIWAN_PERMIT"
    HMT_RESIDENCE_PERMIT = "HMT_RESIDENCE_PERMIT"
    FOREIGN_PERMANENT_RESIDENCE = "FOREIGN_PERMANENT_RESIDENCE"


_FORMS: Final = {
    IdentityDocument.RESIDENT_ID: r"[1-9][0-9]{16}[0-9X]",
    IdentityDocument.PASSPORT: r"[A-Z0-9]{5,20}",
    IdentityDocument.HK_MACAO_PERMIT: r"[HM][0-9]{8}([0-9]{2})?",
    IdentityDocument.TAIWAN_PERMIT: r"[0-9]{8}([0-9]{2})?",
    IdentityDocument.HMT_RESIDENCE_PERMIT: r"8[0-9]{16}[0-9X]",
    IdentityDocument.FOREIGN_PERMANENT_RESIDENCE: r"([A-Z]{3}[0-9]{12}|9[0-9]{16}[0-9X])",
}
_CITIZEN_NUMBER: Final = 18
_WEIGHTS: Final = tuple(2**power % 11 for power in range(17, 0, -1))


def check_citizen_number(number: str) -> bool:
    """Whether the last of 18 characters fits the others (GB 11643, ISO 7064 MOD 11-2)."""
    total = sum(int(digit) * weight for digit, weight in zip(number[:17], _WEIGHTS, strict=True))
    return "10X98765432"[total % 11] == number[17]


class Basic(Command):
    """Who applies."""

    full_name: Line
    document: IdentityDocument
    document_number: Annotated[str, StringConstraints(min_length=5, max_length=20, strip_whitespace=True)]
    phone: Phone

    @field_validator("document_number")
    @classmethod
    def _number_fits(cls, typed: str, info: ValidationInfo) -> str:
        number, document = typed.upper(), info.data.get("document")
        fits = document is None or re.fullmatch(_FORMS[document], number)
        if not fits or (len(number) == _CITIZEN_NUMBER and not check_citizen_number(number)):
            raise PydanticCustomError(
                "document_number_malformed", "the number does not fit the kind of document; compare them"
            )
        return number

    @property
    def identity(self) -> str:
        """The text under whose keyed digest the person is found again."""
        return f"{self.document.value}|{self.document_number}"


class ScopeGround(StrEnum):
    """Why somebody is within the science city's support (Article 6)."""

    WORKS_IN_AREA = "WORKS_IN_AREA"
    FOUNDED_IN_AREA = "FOUNDED_IN_AREA"
    SERVES_AREA = "SERVES_AREA"


class Work(Command):
    """Where and since when the applicant works in the area."""

    ground: ScopeGround
    organisation: Line
    started_on: date
    """First day of work or registration in the area."""


class Education(Command):
    """The highest degree. certificate_number: of the graduation certificate."""

    school: Line
    degree: Line
    graduated_on: date
    certificate_number: Line


class RecognisingBody(StrEnum):
    """Who recognised a high-level talent (Article 7): either suffices."""

    ZHENGZHOU = "ZHENGZHOU"
    SCIENCE_CITY = "SCIENCE_CITY"


PROOFS: Final[Mapping[Tier, frozenset[DocumentKind]]] = {
    **{tier: frozenset({DocumentKind.RECOGNITION}) for tier in HIGH},
    Tier.YOUTH: frozenset({DocumentKind.GRADUATION}),
    Tier.SOCIALISED: frozenset({DocumentKind.ECONOMIC_CONTRIBUTION, DocumentKind.INNOVATION}),
}
"""Which documents prove a claimed tier, all of them together (Article 7: 和 asks for both elements)."""


class Claim(Command):
    """The tier that the applicant claims. body, number, recognised_on: of the certificate, HIGH_… only."""

    tier: Tier
    body: RecognisingBody | None = Field(default=None, validate_default=True)
    number: Line | None = Field(default=None, validate_default=True)
    recognised_on: date | None = Field(default=None, validate_default=True)
    valid_through: date | None = None

    @field_validator("tier")
    @classmethod
    def _is_claimed(cls, tier: Tier) -> Tier:
        if tier is Tier.RESERVE:
            raise PydanticCustomError("claim_needless", "RESERVE comes without a claim; leave it out")
        return tier

    @field_validator("body", "number", "recognised_on")
    @classmethod
    def _as_certified(cls, value: T, info: ValidationInfo) -> T:
        if value is None and info.data.get("tier") in HIGH:
            raise PydanticCustomError(
                "claim_incomplete", "a recognition needs its body, number and date; enter them as certified"
            )
        return value

    @field_validator("valid_through")
    @classmethod
    def _ends_after_it_begins(cls, value: date | None, info: ValidationInfo) -> date | None:
        begins = info.data.get("recognised_on")
        if value is not None and begins is not None and value < begins:
            raise PydanticCustomError("dates_reversed", "the last day is before the first one")
        return value

    @property
    def wanted(self) -> frozenset[DocumentKind]:
        """The documents that prove it, all of them together."""
        return PROOFS[self.tier]


class Content(BaseModel):
    """All that is entered, part by part; parts that are missing are asked for on submission."""

    basic: Basic | None = None
    work: Work | None = None
    education: Education | None = None
    claim: Claim | None = None
    research: Paragraphs = ""
    honours: Paragraphs = ""

    def missing(self, purpose: Purpose, documents: frozenset[DocumentKind]) -> "list[Part | DocumentKind]":
        """Parts and documents that are still wanted."""
        wanted, proofs = self.parts_wanted(purpose), self.documents_wanted(purpose)
        parts = [part for part in Part if part in wanted and getattr(self, part.value) is None]
        return [*parts, *(kind for kind in DocumentKind if kind in proofs - documents)]

    def parts_wanted(self, purpose: Purpose) -> "frozenset[Part]":
        """Which parts have to be filled in."""
        always = {Part.BASIC, Part.WORK} if purpose is Purpose.CODE else {Part.CLAIM}
        graduate = DocumentKind.GRADUATION in self.documents_wanted(purpose)
        return frozenset(always | {Part.EDUCATION} if graduate else always)

    def documents_wanted(self, purpose: Purpose) -> frozenset[DocumentKind]:
        """What has to be proved by a document (Article 7). Who already has a code proved himself once."""
        always = frozenset({DocumentKind.IDENTITY, DocumentKind.WORK_IN_AREA})
        claimed = self.claim.wanted if self.claim else frozenset[DocumentKind]()
        return always | claimed if purpose is Purpose.CODE else claimed


class Part(StrEnum):
    """A page of the application: what can be saved, and objected to, by itself."""

    BASIC = "basic"
    WORK = "work"
    EDUCATION = "education"
    CLAIM = "claim"
    RESEARCH = "research"
    HONOURS = "honours"


class SavePart(Command):
    """Keep one part of an application. value: None to clear it; text for research and honours."""

    part: Part
    value: Basic | Work | Education | Claim | Paragraphs | None

    @model_validator(mode="after")
    def _value_is_of_the_part(self) -> Self:
        wanted = _OF_PART[self.part]
        if self.value is not None and not isinstance(self.value, wanted):
            raise PydanticCustomError("part_mismatch", "the value is that of another part; send it there")
        return self


_OF_PART: Final[Mapping[Part, type[Command] | type[str]]] = {
    Part.BASIC: Basic,
    Part.WORK: Work,
    Part.EDUCATION: Education,
    Part.CLAIM: Claim,
    Part.RESEARCH: str,
    Part.HONOURS: str,
}


class AddDocument(Command):
    """What a document that is sent along proves."""

    kind: DocumentKind


class Defect(Command):
    """One thing to be put right: in a part, or in a document."""

    part: Part | DocumentKind
    text: Annotated[str, StringConstraints(min_length=1, max_length=500), AfterValidator(clean_lines)]


class Return(Command):
    """Send an application back with everything that is wanted, once."""

    defects: Annotated[tuple[Defect, ...], Field(min_length=1, max_length=50)]


Reason = Annotated[str, StringConstraints(min_length=1, max_length=2000), AfterValidator(clean_lines)]


class Approve(Command):
    """Approve an application. reason: what was found, for the talent.

    proved: kinds of the documents that prove the claimed tier; None when no tier is claimed, or it is not
    proved and the talent stays RESERVE.
    """

    proved: frozenset[DocumentKind] | None = None
    reason: Reason


class RejectionGround(StrEnum):
    """Why an application is rejected."""

    OUT_OF_SCOPE = "OUT_OF_SCOPE"
    NOT_PROVED = "NOT_PROVED"
    FALSE_MATERIALS = "FALSE_MATERIALS"


class Reject(Command):
    """Reject an application. reason: for the applicant, who may appeal."""

    ground: RejectionGround
    reason: Reason


class Confirm(Command):
    """Let a verified recognition count. reason: what the second person looked at."""

    reason: Reason


class Refuse(Command):
    """Refuse to confirm a verified recognition. reason: for the talent, who may object."""

    reason: Reason


class Ending(StrEnum):
    """How a confirmed recognition is ended by decision."""

    ADJUSTED = "ADJUSTED"
    REVOKED = "REVOKED"


class End(Command):
    """Adjust or revoke a confirmed recognition. reason: for the talent."""

    state: Ending
    reason: Reason


class RowFault(StrEnum):
    """What is wrong with a line of a register."""

    CELLS = "CELLS"
    KIND = "KIND"
    NUMBER = "NUMBER"


class RefusedRow(BaseModel):
    """A line that was not taken. line: its number in the file, the header being 1."""

    line: int
    fault: RowFault


class ImportReport(BaseModel):
    """What became of a register's lines. known: were there before."""

    added: int
    known: int
    refused: list[RefusedRow]


class BasisView(BaseModel):
    """What a decision stands on."""

    instrument: str
    number: int
    title: str
    article: int


class StepView(BaseModel):
    """One step of an application or a recognition. defects: of a return alone. by_office: who took it.

    refused: it is the second person's refusal to confirm a recognition.
    """

    state: str
    at: datetime
    by_office: bool
    reason: str = ""
    ground: RejectionGround | None = None
    defects: list[Defect] = []
    proved: list[DocumentKind] = []
    refused: bool = False
    basis: BasisView | None = None


class DocumentView(BaseModel):
    """A document without its bytes."""

    id: str
    kind: DocumentKind
    media_type: str
    size: int
    added_at: datetime


class ApplicationView(BaseModel):
    """An application with all that was entered, for whoever may open it.

    missing: parts and documents that are still wanted. steps: the first first.
    """

    id: str
    purpose: Purpose
    state: ApplicationState
    begun_at: datetime
    submitted_at: datetime | None
    due_on: date | None
    content: Content
    documents: list[DocumentView]
    missing: list[Part | DocumentKind]
    steps: list[StepView]

    @property
    def defects(self) -> list[Defect]:
        """What is to be put right; empty unless it is returned."""
        return self.steps[-1].defects if self.steps and self.state is ApplicationState.RETURNED else []

    @property
    def decision(self) -> StepView | None:
        """The step by which it was approved or rejected."""
        decided = {ApplicationState.APPROVED, ApplicationState.REJECTED}
        return self.steps[-1] if self.state in decided else None


class ReviewView(ApplicationView):
    """An application as the office opens it.

    taken_up_by: name of the account that took it up. recognition: id of what its claim led to. ready: defects
    that the registers show. closed: parts and documents that cannot be objected to any more.
    certificate_shared: whether another office's register has the certificate's number; None: it cannot tell.
    """

    taken_up_by: str | None
    recognition: str | None
    ready: list[Defect]
    closed: list[str]
    certificate_shared: bool | None


class ApplicationRow(BaseModel):
    """An application on the office's work list: nothing that tells who applies."""

    id: str
    purpose: Purpose
    state: ApplicationState
    submitted_at: datetime
    due_on: date | None
    overdue: bool
    taken_up_by: str | None
    """Name of the account that took it up."""


class WorkList(BaseModel):
    """The office's applications, the most urgent first. next: cursor of the following page."""

    items: list[ApplicationRow]
    counts: dict[ApplicationState, int]
    overdue: int
    next: str | None


class RecognitionView(BaseModel):
    """A recognition for its holder or for whoever confirms it. last_day: None for one without a term.

    live: whether it counts today. refused: it is REVOKED because the second person did not confirm it.
    """

    id: str
    tier: Tier
    state: RecognitionState
    refused: bool
    starts_on: date
    last_day: date | None
    live: bool
    claim: Claim
    steps: list[StepView]


class ConfirmationView(RecognitionView):
    """A recognition as the second person opens it, with the application's documents that prove it.

    own: whether the caller decided on it before, and so cannot be the second person.
    """

    application: str | None
    documents: list[DocumentView]
    own: bool


class RecognitionRow(BaseModel):
    """A recognition that waits for its second person: nothing that tells whose it is."""

    id: str
    tier: Tier
    verified_at: datetime
    verified_by: str
    """Name of the account that verified it."""
    own: bool


class CodeView(BaseModel):
    """A talent's code for himself."""

    state: CodeState
    tier: Tier
    issued_at: datetime


class TierView(BaseModel):
    """A talent's code, whose tier counts today, and every recognition he has or had, the newest first.

    code: None before the first, and when the last one ended.
    """

    code: CodeView | None
    day: date
    recognitions: list[RecognitionView]
