"""Commands and read models of organisations, accounts and keys."""

import unicodedata
from datetime import datetime
from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from sealproof import secp256k1
from sealproof.errors import ProofError
from talentseal.accounts import credit_code
from talentseal.accounts.models import Account, Organisation, OrganisationKind
from talentseal.accounts.roles import Role


def clean_text(text: str) -> str:
    """`text` in Unicode NFC without surrounding blanks.

    Raises ValueError for control characters or no text at all.
    """
    text = unicodedata.normalize("NFC", text).strip()
    if not text:
        raise PydanticCustomError("text_blank", "expected some text")
    if any(unicodedata.category(character) in {"Cc", "Cs", "Co", "Cn", "Cf"} for character in text):
        raise PydanticCustomError(
            "text_unprintable", "expected text without control, format or unassigned characters"
        )
    return text


Name = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(clean_text)]
SignInName = Annotated[
    str,
    StringConstraints(min_length=3, max_length=64, strip_whitespace=True, pattern=r"^[\w.@+-]+$"),
    Field(description="3 to 64 letters, digits, dots, hyphens, @ and +; capitals do not matter"),
]
CreditCode = Annotated[
    str, StringConstraints(min_length=18, max_length=18), AfterValidator(credit_code.parse)
]
BureauCode = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{1,31}$"),
    Field(
        description="ORG_HRSS, SCI_TECH, EDU_CULTURE_SPORTS, SOCIAL_AFFAIRS, TALENT_WORK, or another bureau's"
    ),
]
OrganisationId = Annotated[
    str,
    StringConstraints(pattern=r"^0x[0-9a-f]{64}$"),
    Field(description="0x and 64 lower-case hex digits"),
]


def checksum_address(text: str) -> str:
    """`text` as EIP-55 address. Raises ValueError when mixed case does not match the checksum."""
    try:
        address = secp256k1.checksum_address(bytes.fromhex(text[2:]))
    except ProofError as error:
        raise ValueError(str(error)) from None
    if text[2:] not in {address[2:], address[2:].lower(), address[2:].upper()}:
        raise ValueError("the capital letters of the address do not match its checksum; copy it again")
    return address


Address = Annotated[
    str,
    StringConstraints(pattern=r"^0x[0-9a-fA-F]{40}$"),
    AfterValidator(checksum_address),
    Field(description="Ethereum address, EIP-55 checksum when in mixed case"),
]
Signature = Annotated[
    str,
    StringConstraints(pattern=r"^0x[0-9a-fA-F]{130}$"),
    Field(description="0x and 65 bytes r, s, v; s in the lower half, v 27 or 28"),
]


class Command(BaseModel):
    """Base of everything taken in: unknown fields are refused, values are not coerced."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class AddOrganisation(Command):
    """Enter an organisation into the scheme. bureau_code: of a bureau, which is GOVERNMENT."""

    name: Name
    credit_code: CreditCode
    kind: OrganisationKind
    bureau_code: BureauCode | None = None

    @model_validator(mode="after")
    def _only_a_bureau_has_its_code(self) -> Self:
        if self.bureau_code is not None and self.kind is not OrganisationKind.GOVERNMENT:
            raise PydanticCustomError("code_of_no_bureau", "expected no bureau code: the kind is no bureau's")
        return self


class AddAccount(Command):
    """Enter someone who acts for an organisation."""

    organisation: OrganisationId
    name: Name
    role: Role

    @field_validator("role")
    @classmethod
    def _acts_for_an_organisation(cls, role: Role) -> Role:
        if role is Role.TALENT:
            raise PydanticCustomError("role_of_nobody", "expected a body's role; talents sign up themselves")
        return role


class OrganisationView(BaseModel):
    """An organisation as other parties see it."""

    id: str
    name: str
    credit_code: str
    kind: OrganisationKind
    bureau_code: str | None
    created_at: datetime

    @classmethod
    def of(cls, row: Organisation) -> "OrganisationView":
        return cls(
            id=row.id,
            name=row.name,
            credit_code=row.credit_code,
            kind=row.kind,
            bureau_code=row.bureau_code,
            created_at=row.created_at,
        )


class OrganisationReceipt(BaseModel):
    """Answer to an unsafe request about an organisation: identifiers only."""

    id: str


class AccountView(BaseModel):
    """An account without its keys."""

    id: str
    organisation: str | None
    """None for a talent."""
    name: str
    role: Role
    created_at: datetime
    disabled_at: datetime | None

    @classmethod
    def of(cls, row: Account) -> "AccountView":
        return cls(
            id=row.id,
            organisation=row.organisation_id,
            name=row.name,
            role=row.role,
            created_at=row.created_at,
            disabled_at=row.disabled_at,
        )
