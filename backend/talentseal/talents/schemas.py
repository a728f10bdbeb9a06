"""What a talent enters and what the office decides."""

import re
from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import AfterValidator, BaseModel, Field, StringConstraints, field_validator, model_validator
from pydantic_core import PydanticCustomError

from talentseal.accounts.schemas import Command, clean_text
from talentseal.policy.tiers import HIGH, Tier
from talentseal.talents.models import DocumentKind, Purpose

Line = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(clean_text)]
Paragraphs = Annotated[str, StringConstraints(max_length=4000, strip_whitespace=True)]
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
    def _capitals(cls, number: str) -> str:
        return number.upper()

    @model_validator(mode="after")
    def _number_fits(self) -> Self:
        number = self.document_number
        fits = re.fullmatch(_FORMS[self.document], number)
        if not fits or (len(number) == _CITIZEN_NUMBER and not check_citizen_number(number)):
            raise PydanticCustomError(
                "document_number_malformed", "the number does not fit the kind of document; compare them"
            )
        return self

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
    body: RecognisingBody | None = None
    number: Line | None = None
    recognised_on: date | None = None
    valid_through: date | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.tier is Tier.RESERVE:
            raise PydanticCustomError("claim_needless", "RESERVE comes without a claim; leave it out")
        if self.tier in HIGH and None in (self.body, self.number, self.recognised_on):
            raise PydanticCustomError(
                "claim_incomplete", "a recognition needs its body, number and date; enter them as certified"
            )
        return self

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

    def missing(self, purpose: Purpose, documents: frozenset[DocumentKind]) -> list[str]:
        """Names of parts and documents that are still wanted."""
        wanted = ("basic", "work") if purpose is Purpose.CODE else ("work", "claim")
        parts = [name for name in wanted if getattr(self, name) is None]
        if self.education is None and DocumentKind.GRADUATION in self.documents_wanted:
            parts.append("education")
        return [*parts, *sorted(self.documents_wanted - documents)]

    @property
    def documents_wanted(self) -> frozenset[DocumentKind]:
        """What has to be proved by a document (Article 7)."""
        always = frozenset({DocumentKind.IDENTITY, DocumentKind.WORK_IN_AREA})
        return always | self.claim.wanted if self.claim else always


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


class Defect(Command):
    """One thing to be put right: in a part, or in a document."""

    part: Part | DocumentKind
    text: Annotated[str, StringConstraints(min_length=1, max_length=500), AfterValidator(clean_text)]


class Return(Command):
    """Send an application back with everything that is wanted, once."""

    defects: Annotated[tuple[Defect, ...], Field(min_length=1, max_length=50)]


class Approve(Command):
    """Approve an application.

    proved: kinds of the documents that prove the claimed tier; None when no tier is claimed, or it is not
    proved and the talent stays RESERVE.
    """

    proved: frozenset[DocumentKind] | None = None
    remark: Paragraphs = ""


class RejectionGround(StrEnum):
    """Why an application is rejected."""

    OUT_OF_SCOPE = "OUT_OF_SCOPE"
    NOT_PROVED = "NOT_PROVED"
    FALSE_MATERIALS = "FALSE_MATERIALS"


class Reject(Command):
    """Reject an application. reason: for the applicant, who may appeal."""

    ground: RejectionGround
    reason: Annotated[str, StringConstraints(min_length=1, max_length=2000), AfterValidator(clean_text)]
