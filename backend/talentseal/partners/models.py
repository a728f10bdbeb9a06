"""Table of the organisations' signing keys."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, Enum, ForeignKey, String
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
