"""Commands and read models of signing keys."""

from datetime import datetime

from pydantic import AwareDatetime, BaseModel, Field

from talentseal.accounts.schemas import Address, Command, Signature
from talentseal.partners.models import KeyState, OrganisationKey


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
