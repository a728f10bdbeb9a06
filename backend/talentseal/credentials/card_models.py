"""Tables of talent cards, of what issuers offer, of the challenges for chip cards and of notices to issuers.

A card belongs to a code, and through it to a person; no row here says who that is. What the card's code does
to it is derived (`card_states.standing_of`) and stands nowhere.
"""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import Enum, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from talentseal.credentials.card_states import CardState
from talentseal.db import Base, Instant
from talentseal.policy.tiers import Tier

_MAKING = text("state IN ('REQUESTED', 'ISSUER_REVIEW', 'APPROVED', 'PERSONALISED', 'DELIVERED')")
_IN_USE = text("state IN ('ACTIVE', 'FROZEN')")


class CardForm(StrEnum):
    """What a card is made of: a talent card is a physical credential (Article 2), never a picture alone."""

    PHYSICAL = "PHYSICAL"


class CardProof(StrEnum):
    """How a card shows at the counter that it is the card."""

    STATIC = "STATIC"
    """By what is printed on it, which can be copied."""
    CHIP = "CHIP"
    """By answering a challenge under its own secret."""


class CardOffer(Base):
    """What an organisation offers to issue, and its part of the card numbers."""

    __tablename__ = "card_offer"

    number: Mapped[int] = mapped_column(primary_key=True)
    """The issuer's number on its cards, 1 to 999: given by the database, once and for good."""
    organisation_id: Mapped[str] = mapped_column(ForeignKey("organisation.id"), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(Text)
    form: Mapped[CardForm] = mapped_column(Enum(CardForm, native_enum=False, length=16))
    proof: Mapped[CardProof] = mapped_column(Enum(CardProof, native_enum=False, length=16))
    is_open: Mapped[bool] = mapped_column()
    """Whether talents may ask for one now; cards that were issued are not touched by it."""
    serials: Mapped[int] = mapped_column(default=0)
    """The last serial that was given; only ever raised."""
    changed_at: Mapped[datetime] = mapped_column(Instant)
    changed_by: Mapped[str] = mapped_column(String(32))


class DeclineCategory(StrEnum):
    """Why an issuer gives no card."""

    IDENTITY_NOT_CONFIRMED = "IDENTITY_NOT_CONFIRMED"
    TERMS_NOT_MET = "TERMS_NOT_MET"
    NOT_REACHED = "NOT_REACHED"
    ISSUING_PAUSED = "ISSUING_PAUSED"
    OTHER = "OTHER"


class DeliveryWay(StrEnum):
    """How a card gets to its holder."""

    AT_OUTLET = "AT_OUTLET"
    BY_MAIL = "BY_MAIL"


class TalentCard(Base):
    """A talent card from its request on; a replacement is a card of its own with a number of its own."""

    __tablename__ = "talent_card"
    __table_args__ = (
        UniqueConstraint("issuer", "serial"),
        Index(
            "uq_talent_card_making",
            "code_id",
            "organisation_id",
            unique=True,
            sqlite_where=_MAKING,
            postgresql_where=_MAKING,
        ),
        Index(
            "uq_talent_card_in_use",
            "code_id",
            "organisation_id",
            unique=True,
            sqlite_where=_IN_USE,
            postgresql_where=_IN_USE,
        ),
        Index("ix_talent_card_worklist", "organisation_id", "state", "changed_at"),
        Index("ix_talent_card_valid_through", "valid_through"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    code_id: Mapped[str] = mapped_column(ForeignKey("talent_code.id"), index=True)
    organisation_id: Mapped[str] = mapped_column(ForeignKey("organisation.id"))
    """The issuer."""
    state: Mapped[CardState] = mapped_column(Enum(CardState, native_enum=False, length=16))
    requested_at: Mapped[datetime] = mapped_column(Instant)
    """When the holder asked, and agreed that this issuer sees his name and telephone for the delivery."""
    due_on: Mapped[date] = mapped_column()
    """Last day for the issuer's decision."""
    changed_at: Mapped[datetime] = mapped_column(Instant)
    """When it came to its state."""
    replaces_id: Mapped[str | None] = mapped_column(ForeignKey("talent_card.id"))
    """The card of the same issuer whose place it takes once it is activated."""
    issuer: Mapped[int | None] = mapped_column()
    serial: Mapped[int | None] = mapped_column()
    """What the card number is made of, with the issuer's; None until personalised, as all below."""
    card_ref: Mapped[bytes | None] = mapped_column(LargeBinary(8), unique=True)
    """8 random bytes that the printed code carries."""
    sealed_secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    """16 bytes under which a chip answers challenges."""
    proof: Mapped[CardProof | None] = mapped_column(Enum(CardProof, native_enum=False, length=16))
    printed_tier: Mapped[Tier | None] = mapped_column(Enum(Tier, native_enum=False, length=16))
    valid_through: Mapped[date | None] = mapped_column()
    """Last day."""
    reference: Mapped[str | None] = mapped_column(String(64))
    """The issuer's own name for the card or its account; opaque, and no account number."""
    delivery: Mapped[DeliveryWay | None] = mapped_column(Enum(DeliveryWay, native_enum=False, length=16))
    outlet_id: Mapped[str | None] = mapped_column(ForeignKey("outlet.id"))
    mail_reference: Mapped[str | None] = mapped_column(String(64))
    """The carrier's number of the letter; never an address."""


class CardStep(Base):
    """One step of a card, with who took it and why."""

    __tablename__ = "card_step"

    card_id: Mapped[str] = mapped_column(ForeignKey("talent_card.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """From 1."""
    state: Mapped[CardState] = mapped_column(Enum(CardState, native_enum=False, length=16))
    """The state after it."""
    at: Mapped[datetime] = mapped_column("taken_at", Instant)
    account_id: Mapped[str | None] = mapped_column(String(32))
    """Who took it; None for what the date brought."""
    category: Mapped[DeclineCategory | None] = mapped_column(
        Enum(DeclineCategory, native_enum=False, length=32)
    )
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    """The issuer's words to the holder; None where there are none."""


class CardChallenge(Base):
    """A challenge that a terminal put to a chip card; it is answered once, right or wrong."""

    __tablename__ = "card_challenge"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    card_id: Mapped[str] = mapped_column(ForeignKey("talent_card.id"))
    terminal_id: Mapped[str] = mapped_column(ForeignKey("terminal.id"))
    challenge: Mapped[bytes] = mapped_column(LargeBinary(16))
    issued_at: Mapped[datetime] = mapped_column(Instant, index=True)
    answered_at: Mapped[datetime | None] = mapped_column(Instant)


class CardNotice(Base):
    """That a card's issuer was told of a change of its holder's tier; once for each."""

    __tablename__ = "card_notice"

    card_id: Mapped[str] = mapped_column(ForeignKey("talent_card.id"), primary_key=True)
    tier_change_id: Mapped[str] = mapped_column(ForeignKey("tier_change.id"), primary_key=True)
    told_at: Mapped[datetime] = mapped_column(Instant)
