"""Commands and read models of signing keys, and of outlets, terminals and staff."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, Field, StringConstraints

from talentseal.accounts.models import Account
from talentseal.accounts.schemas import Address, Command, Name, Signature, clean_text
from talentseal.partners.models import (
    KeyState,
    OrganisationKey,
    Outlet,
    OutletState,
    Staff,
    Terminal,
    TerminalKind,
    TerminalState,
)

Identifier = Annotated[
    str, StringConstraints(pattern=r"^[0-9a-f]{32}$"), Field(description="32 lower-case hex digits")
]
PostalAddress = Annotated[
    str,
    StringConstraints(min_length=1, max_length=300),
    AfterValidator(clean_text),
    Field(description="Where talents go"),
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


class OpenOutlet(Command):
    """Open an outlet of one's own organisation."""

    name: Name
    address: PostalAddress


class AddTerminal(Command):
    """Add a device to an outlet."""

    name: Name


class BindStaff(Command):
    """Let somebody of one's own organisation serve at an outlet."""

    account: Identifier


class OutletReceipt(BaseModel):
    """Answer to an unsafe request about an outlet or its staff: identifiers alone."""

    id: str


class TerminalReceipt(BaseModel):
    """Names a new or revoked terminal. key: its key, in the first answer to its adding alone."""

    id: str
    key: str | None = None


class OutletView(BaseModel):
    """An outlet as its organisation sees it."""

    id: str
    name: str
    address: str
    state: OutletState
    opened_at: datetime
    closed_at: datetime | None

    @classmethod
    def of(cls, row: Outlet) -> "OutletView":
        return cls(
            id=row.id,
            name=row.name,
            address=row.address,
            state=row.state,
            opened_at=row.opened_at,
            closed_at=row.closed_at,
        )


class OutletPage(BaseModel):
    """A page of outlets by name. next: cursor of the following page, null on the last."""

    items: list[OutletView]
    next: str | None


class TerminalView(BaseModel):
    """A terminal without its key. last_used_at: when its key was last verified, to within five minutes."""

    id: str
    kind: TerminalKind
    name: str
    state: TerminalState
    added_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None

    @classmethod
    def of(cls, row: Terminal, last_used_at: datetime | None) -> "TerminalView":
        return cls(
            id=row.id,
            kind=row.kind,
            name=row.name,
            state=row.state,
            added_at=row.added_at,
            last_used_at=last_used_at,
            revoked_at=row.revoked_at,
        )


class StaffView(BaseModel):
    """Somebody who serves or served at an outlet. is_disabled: the account is shut out of the service."""

    account: str
    name: str
    is_disabled: bool
    bound_at: datetime
    ended_at: datetime | None

    @classmethod
    def of(cls, row: Staff, person: Account) -> "StaffView":
        return cls(
            account=person.id,
            name=person.name,
            is_disabled=person.disabled_at is not None,
            bound_at=row.bound_at,
            ended_at=row.ended_at,
        )


class OutletSheet(OutletView):
    """An outlet with its terminals and staff, former ones included, in order of their coming."""

    terminals: list[TerminalView]
    staff: list[StaffView]


class Person(BaseModel):
    """An account by its name."""

    account: str
    name: str


class PostView(BaseModel):
    """Where the terminal that asks stands. staff: whoever may be named as working at it."""

    organisation: str
    outlet: str
    outlet_name: str
    terminal: str
    terminal_name: str
    staff: list[Person]

    @classmethod
    def of(cls, outlet: Outlet, terminal: Terminal, staff: Sequence[Account]) -> "PostView":
        return cls(
            organisation=outlet.organisation_id,
            outlet=outlet.id,
            outlet_name=outlet.name,
            terminal=terminal.id,
            terminal_name=terminal.name,
            staff=[Person(account=each.id, name=each.name) for each in staff],
        )
