"""Tables of organisations, the accounts that act for them, their API keys, and how their people sign in."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, Enum, ForeignKey, LargeBinary, String, Text
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
    bureau_code: Mapped[str | None] = mapped_column(String(32))
    """Which bureau it is (domain specification §1.1, whose list is open); None for whoever is none."""
    created_at: Mapped[datetime] = mapped_column(Instant)


class Account(Base):
    """A person or a machine that acts for one organisation in one role, or a talent, who acts for himself."""

    __tablename__ = "account"
    __table_args__ = (
        CheckConstraint("(organisation_id IS NULL) = (role = 'TALENT')", name="organisation_unless_talent"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    organisation_id: Mapped[str | None] = mapped_column(ForeignKey("organisation.id"), index=True)
    """None for talents alone, which the database itself checks."""
    name: Mapped[str] = mapped_column(String(200))
    """Of a talent the sign-in name that he chose: his own name is sealed, and not here."""
    role: Mapped[Role] = mapped_column(Enum(Role, native_enum=False, length=32))
    created_at: Mapped[datetime] = mapped_column(Instant)
    disabled_at: Mapped[datetime | None] = mapped_column(Instant)
    """None while the account may act."""
    sign_in_name: Mapped[str | None] = mapped_column(String(64), index=True, unique=True)
    """What its person types to sign in, in one spelling; None for machines and before an invitation."""
    signing_address: Mapped[str | None] = mapped_column(String(42), index=True, unique=True)
    """EIP-55 address of the organisation's signing key that signs this account in; None when none does."""


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


class SignInMethod(StrEnum):
    """How a person showed who he is."""

    PASSWORD = "PASSWORD"  # noqa: S105 - the name of a way, not a secret
    KEY = "KEY"
    INVITATION = "INVITATION"
    DEMONSTRATION = "DEMONSTRATION"


class WebSession(Base):
    """One signed-in browser. To end a session is to delete its row."""

    __tablename__ = "web_session"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    """SHA-256 hex of the 256-bit token in the browser's cookie."""
    id: Mapped[str] = mapped_column(String(32), unique=True)
    """Names the session on the account's page; opens nothing."""
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"), index=True)
    method: Mapped[SignInMethod] = mapped_column(Enum(SignInMethod, native_enum=False, length=16))
    browser: Mapped[str] = mapped_column(String(40))
    """Browser and system, so that a person can tell his sessions apart; no more is kept of the device."""
    created_at: Mapped[datetime] = mapped_column(Instant)
    last_seen_at: Mapped[datetime] = mapped_column(Instant)
    """To within a minute."""


class HalfSignIn(Base):
    """A person whose first factor held and whose second is awaited."""

    __tablename__ = "half_sign_in"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    """SHA-256 hex of the token in the browser's cookie."""
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"), index=True)
    method: Mapped[SignInMethod] = mapped_column(Enum(SignInMethod, native_enum=False, length=16))
    failures: Mapped[int] = mapped_column()
    """Wrong codes so far."""
    expires_at: Mapped[datetime] = mapped_column(Instant)


class KeyChallenge(Base):
    """What a wallet is asked to sign so that its holder is signed in; answered once."""

    __tablename__ = "key_challenge"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    """SHA-256 hex of the token in the browser's cookie: only the browser that asked can answer."""
    address: Mapped[str] = mapped_column(String(42))
    """EIP-55 address that is to sign."""
    typed_data: Mapped[str] = mapped_column(Text)
    """JSON of the EIP-712 typed data."""
    expires_at: Mapped[datetime] = mapped_column(Instant)


class Credential(Base):
    """What an account's person knows and has. Kept apart so that no query for an account brings secrets."""

    __tablename__ = "credential"

    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"), primary_key=True)
    password_hash: Mapped[str] = mapped_column(String(200))
    """PHC string of Argon2id."""
    password_set_at: Mapped[datetime] = mapped_column(Instant)
    totp_secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Encrypted; None while there is no second factor."""
    next_totp_secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Encrypted; the secret shown for enrolment, which a first code is to confirm."""
    totp_step: Mapped[int] = mapped_column(BigInteger)
    """The last time step whose code was used; a code counts only in a later one."""


class RecoveryCode(Base):
    """One unused recovery code. To use it is to delete its row."""

    __tablename__ = "recovery_code"

    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"), primary_key=True)
    code_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    """SHA-256 hex; a code has 80 random bits, which need no slow hash."""


class Invitation(Base):
    """A one-time invitation to set a password and a second factor. To accept it is to delete its row."""

    __tablename__ = "invitation"

    code_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    """SHA-256 hex; a code has 160 random bits."""
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"), unique=True)
    totp_secret: Mapped[bytes] = mapped_column(LargeBinary)
    """Encrypted; the secret that the person is shown for his second factor."""
    expires_at: Mapped[datetime] = mapped_column(Instant)


class DemonstrationPerson(Base):
    """An invented person of the demonstration, who may be signed in without a password there."""

    __tablename__ = "demonstration_person"

    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"), primary_key=True)
    position: Mapped[int] = mapped_column()
    """Order on the sign-in page."""
