"""Commands and read models of signing keys."""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, Field, StringConstraints

from sealproof import secp256k1
from sealproof.errors import ProofError
from talentseal.accounts.schemas import Command
from talentseal.partners.models import KeyState, OrganisationKey


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


class RequestKey(Command):
    """Ask for a signing key of one's own organisation."""

    address: Address
    valid_from: AwareDatetime | None = Field(default=None, description="Default: now")
    valid_until: AwareDatetime | None = Field(default=None, description="Default: two years after valid_from")


class ProveKey(Command):
    """Give the key's EIP-191 signature over the challenge."""

    signature: Signature


class KeyView(BaseModel):
    """A signing key as its organisation and the operator see it."""

    organisation: str
    address: str
    state: KeyState
    challenge: str
    challenge_expires_at: datetime
    valid_from: datetime
    valid_until: datetime
    nonce: int
    requested_at: datetime
    decided_at: datetime | None
    revoked_at: datetime | None

    @classmethod
    def of(cls, row: OrganisationKey) -> "KeyView":
        return cls(
            organisation=row.organisation_id,
            address=row.address,
            state=row.state,
            challenge=row.challenge,
            challenge_expires_at=row.challenge_expires_at,
            valid_from=row.valid_from,
            valid_until=row.valid_until,
            nonce=row.nonce,
            requested_at=row.requested_at,
            decided_at=row.decided_at,
            revoked_at=row.revoked_at,
        )
