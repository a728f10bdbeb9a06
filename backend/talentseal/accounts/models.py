"""Tables of organisations, the accounts that act for them, and the accounts' API keys."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Enum, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from talentseal.accounts.roles import Role
from talentseal.db import Base, Instant


class OrganisationKind(StrEnum):
    """What an organisation is in the scheme (domain specification §1.1)."""

    FINANCIAL = "FINANCIAL"
    UTILITY = "UTILITY"
    STATE_OWNED = "STATE_OWNED"
    STRATEGIC = "STRATEGIC"
    MERCHANT = "MERCHANT"
    THIRD_PARTY = "THIRD_PARTY"
    OPERATOR = "OPERATOR"
    GOVERNMENT = "GOVERNMENT"
    AUDITOR = "AUDITOR"


class Organisation(Base):
    """A legal person of the scheme. Its name and credit code stay in this table; the chain sees only `id`."""

    __tablename__ = "organisation"

    id: Mapped[str] = mapped_column(String(66), primary_key=True)
    """0x and 64 lower-case hex digits: 32 random bytes, also the contract's organisation id."""
    name: Mapped[str] = mapped_column(String(200))
    credit_code: Mapped[str] = mapped_column(String(18), unique=True)
    """Unified social credit code (GB 32100), 18 characters."""
    kind: Mapped[OrganisationKind] = mapped_column(Enum(OrganisationKind, native_enum=False, length=24))
    created_at: Mapped[datetime] = mapped_column(Instant)


class Account(Base):
    """A person or a machine that acts for one organisation in one role."""

    __tablename__ = "account"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    organisation_id: Mapped[str] = mapped_column(ForeignKey("organisation.id"), index=True)
    name: Mapped[str] = mapped_column(String(200))
    role: Mapped[Role] = mapped_column(Enum(Role, native_enum=False, length=32))
    created_at: Mapped[datetime] = mapped_column(Instant)
    disabled_at: Mapped[datetime | None] = mapped_column(Instant)
    """None while the account may act."""


class ApiKey(Base):
    """One API key of an account; only an Argon2id hash of its secret is kept."""

    __tablename__ = "api_key"

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"), index=True)
    secret_hash: Mapped[str] = mapped_column(String(200))
    """PHC string of Argon2id."""
    scopes: Mapped[str] = mapped_column(String(1000))
    """Permission values, sorted, parted by one space."""
    created_at: Mapped[datetime] = mapped_column(Instant)
    last_used_at: Mapped[datetime | None] = mapped_column(Instant)
    """To within five minutes; None while never used."""
    revoked_at: Mapped[datetime | None] = mapped_column(Instant)
    """None while the key opens the service."""
