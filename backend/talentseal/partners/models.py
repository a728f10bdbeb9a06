"""Tables of the organisations' signing keys, and of their outlets, terminals and staff."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, Enum, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from talentseal.db import Base, Instant
from talentseal.partners.events import KeyAct


class KeyState(StrEnum):
    """Where a signing key stands; whether it is valid now depends on its dates too."""

    REQUESTED = "REQUESTED"
    PROVEN = "PROVEN"
    REGISTERED = "REGISTERED"
    REFUSED = "REFUSED"
    REVOKED = "REVOKED"


class OrganisationKey(Base):
    """A secp256k1 key by which an organisation signs; the private half never comes here."""

    __tablename__ = "organisation_key"

    organisation_id: Mapped[str] = mapped_column(ForeignKey("organisation.id"), primary_key=True)
    address: Mapped[str] = mapped_column(String(42), primary_key=True)
    """EIP-55 address."""
    state: Mapped[KeyState] = mapped_column(Enum(KeyState, native_enum=False, length=16))
    challenge: Mapped[str] = mapped_column(String(500))
    """The text that the key must sign (EIP-191) to prove that the organisation holds it."""
    challenge_expires_at: Mapped[datetime] = mapped_column(Instant)
    proof: Mapped[str | None] = mapped_column(String(132))
    """0x and 65 bytes: the signature over the challenge. None until it was given."""
    valid_from: Mapped[datetime] = mapped_column(Instant)
    valid_until: Mapped[datetime] = mapped_column(Instant)
    nonce: Mapped[int] = mapped_column(BigInteger, default=0)
    """The key's nonce on the contract as last read; the key raises it to void signatures it gave out."""
    requested_by: Mapped[str] = mapped_column(String(32))
    """Account that asked; another one must approve."""
    requested_at: Mapped[datetime] = mapped_column(Instant)
    decided_by: Mapped[str | None] = mapped_column(String(32))
    decided_at: Mapped[datetime | None] = mapped_column(Instant)
    revoked_at: Mapped[datetime | None] = mapped_column(Instant)


class KeyChange(Base):
    """Which key of which organisation a record of kind 90 is about, for the organisation's audit trail."""

    __tablename__ = "key_change"

    record_id: Mapped[str] = mapped_column(ForeignKey("evidence_record.id"), primary_key=True)
    organisation_id: Mapped[str] = mapped_column(ForeignKey("organisation.id"), index=True)
    address: Mapped[str] = mapped_column(String(42))
    act: Mapped[KeyAct] = mapped_column(Enum(KeyAct, native_enum=False, length=16))


_STILL_OPEN = text("closed_at IS NULL")
_STILL_LIVE = text("revoked_at IS NULL")
_STILL_BOUND = text("ended_at IS NULL")


class OutletState(StrEnum):
    """Whether anybody is served there; a closed outlet stays closed."""

    OPEN = "OPEN"
    CLOSED = "CLOSED"


class TerminalKind(StrEnum):
    """What asks at the counter."""

    BROWSER = "BROWSER"
    """This service's pages, before somebody who is signed in; each outlet has one from its opening on."""
    DEVICE = "DEVICE"
    """A program with a key of its own: a till, a gate, a bank's counter system."""


class TerminalState(StrEnum):
    """Whether it may still ask; a revoked terminal stays revoked."""

    LIVE = "LIVE"
    REVOKED = "REVOKED"


class Outlet(Base):
    """A place where an organisation serves talents."""

    __tablename__ = "outlet"
    __table_args__ = (
        Index(
            "uq_outlet_organisation_id",
            "organisation_id",
            "name",
            unique=True,
            sqlite_where=_STILL_OPEN,
            postgresql_where=_STILL_OPEN,
        ),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    organisation_id: Mapped[str] = mapped_column(ForeignKey("organisation.id"), index=True)
    name: Mapped[str] = mapped_column(String(200))
    """One of its organisation's open outlets alone has it."""
    address: Mapped[str] = mapped_column(String(300))
    opened_at: Mapped[datetime] = mapped_column(Instant)
    opened_by: Mapped[str] = mapped_column(String(32))
    closed_at: Mapped[datetime | None] = mapped_column(Instant)
    """None while open; from then on its terminals are revoked and its staff released."""
    closed_by: Mapped[str | None] = mapped_column(String(32))

    @property
    def state(self) -> OutletState:
        return OutletState.OPEN if self.closed_at is None else OutletState.CLOSED


class Terminal(Base):
    """What asks at the counter of an outlet. A device's key is the API key of an account of its own."""

    __tablename__ = "terminal"
    __table_args__ = (
        Index(
            "uq_terminal_outlet_id",
            "outlet_id",
            "name",
            unique=True,
            sqlite_where=_STILL_LIVE,
            postgresql_where=_STILL_LIVE,
        ),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    outlet_id: Mapped[str] = mapped_column(ForeignKey("outlet.id"), index=True)
    kind: Mapped[TerminalKind] = mapped_column(Enum(TerminalKind, native_enum=False, length=16))
    name: Mapped[str] = mapped_column(String(200))
    """One of its outlet's live terminals alone has it; empty for the browser's."""
    account_id: Mapped[str | None] = mapped_column(ForeignKey("account.id"), unique=True)
    """The device's account; None for the browser's terminal, at which people have their own."""
    added_at: Mapped[datetime] = mapped_column(Instant)
    added_by: Mapped[str] = mapped_column(String(32))
    revoked_at: Mapped[datetime | None] = mapped_column(Instant)
    revoked_by: Mapped[str | None] = mapped_column(String(32))

    @property
    def state(self) -> TerminalState:
        return TerminalState.LIVE if self.revoked_at is None else TerminalState.REVOKED


class Staff(Base):
    """Somebody who serves at an outlet, from when to when. Whoever is bound again has another row."""

    __tablename__ = "outlet_staff"
    __table_args__ = (
        Index(
            "uq_outlet_staff_outlet_id",
            "outlet_id",
            "account_id",
            unique=True,
            sqlite_where=_STILL_BOUND,
            postgresql_where=_STILL_BOUND,
        ),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    outlet_id: Mapped[str] = mapped_column(ForeignKey("outlet.id"), index=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"), index=True)
    bound_at: Mapped[datetime] = mapped_column(Instant)
    bound_by: Mapped[str] = mapped_column(String(32))
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    """None while bound."""
    ended_by: Mapped[str | None] = mapped_column(String(32))
