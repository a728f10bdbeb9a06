"""Tables of what shows codes and of whom they were shown to: devices, tokens, presentations, refusals.

Tokens lie here by digests alone. `minted_token` is forgotten after a day; `token_burn`, `presentation` and
`presentation_refusal` are history, which the database lets nobody alter.
"""

from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import (
    CheckConstraint,
    Enum,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    String,
    false,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from talentseal.credentials.refusals import Refusal
from talentseal.db import Base, Instant
from talentseal.policy.tiers import Tier

DEVICES: Final = 3
"""Devices that may show a talent's code at one time."""

_STILL_BOUND = text("revoked_at IS NULL")
_IS_REPLAY = text("refusal = 'TOKEN_USED'")


class Device(Base):
    """A browser on which a talent shows his code.

    Each stands in one of the talent's three places, and the database lets one live device have a place: so
    a fourth is refused however many ask at once.
    """

    __tablename__ = "device"
    __table_args__ = (
        CheckConstraint(f"place BETWEEN 1 AND {DEVICES}", name="place"),
        Index(
            "uq_device_place",
            "talent_id",
            "place",
            unique=True,
            sqlite_where=_STILL_BOUND,
            postgresql_where=_STILL_BOUND,
        ),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    talent_id: Mapped[str] = mapped_column(ForeignKey("talent.id"), index=True)
    place: Mapped[int] = mapped_column(SmallInteger)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    """SHA-256 hex of the 256-bit token in the browser's cookie."""
    name: Mapped[str] = mapped_column(String(40))
    """Browser and system by which its owner knows it again; empty when unknown."""
    bound_at: Mapped[datetime] = mapped_column(Instant)
    revoked_at: Mapped[datetime | None] = mapped_column(Instant)
    """None while it may show the code."""
    current: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    """Digest of the token that was minted last, the only one of the device that counts."""


class MintedToken(Base):
    """A token that was minted: both its forms are one, so that using either uses both."""

    __tablename__ = "minted_token"
    __table_args__ = (Index("ix_minted_token_device", "device_id", "minted_at"),)

    digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    """SHA-256 of the text of the QR code."""
    number_digest: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    """Keyed digest of the numeric form (`tcn.digest`)."""
    device_id: Mapped[str] = mapped_column(ForeignKey("device.id"))
    code_id: Mapped[str] = mapped_column(ForeignKey("talent_code.id"))
    session_id: Mapped[str] = mapped_column(String(32))
    """Public id of the session it was minted in; when that has been ended, so has the token."""
    minted_at: Mapped[datetime] = mapped_column(Instant, index=True)
    offline: Mapped[bool] = mapped_column(server_default=false())
    """Whether it was minted to be shown without a network, and so lives ten minutes instead of one."""


class Channel(StrEnum):
    """How somebody was established at the counter."""

    SCAN = "SCAN"
    """The code on the phone."""
    NUMERIC = "NUMERIC"
    """Its number, by an old reader or typed."""
    SWIPE = "SWIPE"
    """A talent card."""


class TokenBurn(Base):
    """A token that was used up. The insert is the burn: of any number that present it, one succeeds."""

    __tablename__ = "token_burn"

    digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    terminal_id: Mapped[str] = mapped_column(String(32))
    request: Mapped[str] = mapped_column(String(64))
    """SHA-256 hex of the terminal's own name for the request, by which it may ask again for the answer."""
    presentation_id: Mapped[str | None] = mapped_column(String(32))
    """What came of it; None when it was refused."""
    refusal: Mapped[Refusal | None] = mapped_column(Enum(Refusal, native_enum=False, length=32))
    burnt_at: Mapped[datetime] = mapped_column(Instant)


class Presentation(Base):
    """Somebody was established at a counter (Article 11). What is redeemed there stands on it."""

    __tablename__ = "presentation"
    __table_args__ = (Index("ix_presentation_code", "code_id", "presented_at"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    code_id: Mapped[str] = mapped_column(ForeignKey("talent_code.id"))
    channel: Mapped[Channel] = mapped_column(Enum(Channel, native_enum=False, length=16))
    organisation_id: Mapped[str] = mapped_column(String(66))
    """The outlet's."""
    outlet_id: Mapped[str] = mapped_column(ForeignKey("outlet.id"))
    terminal_id: Mapped[str] = mapped_column(ForeignKey("terminal.id"))
    staff_id: Mapped[str] = mapped_column(String(32))
    """Account of the person who served."""
    presented_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)
    tier: Mapped[Tier] = mapped_column(Enum(Tier, native_enum=False, length=16))
    """The tier that was shown. The masked surname was shown too; nothing else was."""
    card_id: Mapped[str | None] = mapped_column(String(32))
    """The card that was swiped; None for a token."""
    second_factor_required: Mapped[bool] = mapped_column()
    """Whether nothing but what can be copied was shown, so that beyond a limit more has to be."""
    token_digest: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    """Of the token that was burnt for it; None for a card."""
    offline: Mapped[bool] = mapped_column(server_default=false())
    """Whether the token was minted to be shown without a network: good for what is of low risk alone."""


class PresentationRefusal(Base):
    """Somebody was not established. Never holds what was presented."""

    __tablename__ = "presentation_refusal"
    __table_args__ = (
        Index("ix_presentation_refusal_code", "code_id", "refused_at"),
        Index(
            "ix_presentation_refusal_replays",
            "refused_at",
            sqlite_where=_IS_REPLAY,
            postgresql_where=_IS_REPLAY,
        ),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    terminal_id: Mapped[str] = mapped_column(ForeignKey("terminal.id"))
    code_id: Mapped[str | None] = mapped_column(ForeignKey("talent_code.id"))
    """The code that was presented, known only when the token was genuine: a forged one names nobody."""
    refusal: Mapped[Refusal] = mapped_column(Enum(Refusal, native_enum=False, length=32))
    refused_at: Mapped[datetime] = mapped_column(Instant)
