"""Tables of what partners are told, and of the webhooks that it is sent to.

Nothing here names a person: identifiers, states and amounts alone.
"""

from datetime import datetime

from sqlalchemy import BigInteger, Enum, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from talentseal.db import Base, Instant
from talentseal.events.states import DeliveryState, EventKind, Failure, HookState

_STANDING = text("state <> 'REMOVED'")
_DUE = text("state = 'DUE'")


class PartnerEvent(Base):
    """One event, in the order in which its organisation reads them."""

    __tablename__ = "partner_event"
    __table_args__ = (UniqueConstraint("organisation_id", "kind", "subject_id"),)

    organisation_id: Mapped[str] = mapped_column(ForeignKey("organisation.id"), primary_key=True)
    cursor: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    """From 1, without gaps, the organisation's own. Given in one step at a time, so that whoever has read
    up to one has missed none before it.
    """
    kind: Mapped[EventKind] = mapped_column(Enum(EventKind, native_enum=False, length=32))
    subject_id: Mapped[str] = mapped_column(String(48))
    """What it happened to; with the kind it names the event."""
    at: Mapped[datetime] = mapped_column(Instant)
    body: Mapped[str] = mapped_column(Text)
    """JSON object."""


class EventProgress(Base):
    """One row: up to when everything that happened has been told. Whoever tells holds it."""

    __tablename__ = "event_progress"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    through: Mapped[datetime] = mapped_column(Instant)


class Webhook(Base):
    """Where an organisation wants its events sent."""

    __tablename__ = "webhook"
    __table_args__ = (
        Index(
            "uq_webhook_organisation_standing",
            "organisation_id",
            unique=True,
            sqlite_where=_STANDING,
            postgresql_where=_STANDING,
        ),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    organisation_id: Mapped[str] = mapped_column(ForeignKey("organisation.id"))
    url: Mapped[str] = mapped_column(String(500))
    """May hold a secret of the receiver's: shown to its organisation alone, never logged."""
    state: Mapped[HookState] = mapped_column(Enum(HookState, native_enum=False, length=16))
    created_by: Mapped[str] = mapped_column(String(32))
    created_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    """When it was disabled or removed."""
    failing_since: Mapped[datetime | None] = mapped_column(Instant)
    """The first failure since the last success; None while it takes what is sent."""
    resting_until: Mapped[datetime | None] = mapped_column(Instant)
    """Nothing is sent before: so that what follows a failed delivery does not overtake it at once."""
    claimed_until: Mapped[datetime | None] = mapped_column(Instant)
    """One worker sends to it at a time, and another takes over when that one died."""


class WebhookSecret(Base):
    """A key by which deliveries are signed. Two are live while one replaces the other."""

    __tablename__ = "webhook_secret"

    webhook_id: Mapped[str] = mapped_column(ForeignKey("webhook.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(Instant)
    retires_at: Mapped[datetime | None] = mapped_column(Instant)
    """From when on nothing is signed with it; None for the newest."""


class WebhookDelivery(Base):
    """One event, or a test, on its way to a webhook."""

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        UniqueConstraint("webhook_id", "number"),
        Index(
            "ix_webhook_delivery_due",
            "webhook_id",
            "number",
            sqlite_where=_DUE,
            postgresql_where=_DUE,
        ),
        Index("ix_webhook_delivery_ended", "ended_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    """The same in every attempt: by it a receiver knows what it has already taken."""
    webhook_id: Mapped[str] = mapped_column(ForeignKey("webhook.id"))
    number: Mapped[int] = mapped_column(BigInteger)
    """Order within the webhook."""
    cursor: Mapped[int | None] = mapped_column(BigInteger)
    """The organisation's event; None for a test."""
    kind: Mapped[str] = mapped_column(String(32))
    """As the receiver sees it."""
    body: Mapped[str] = mapped_column(Text)
    """The very bytes that are signed and sent."""
    state: Mapped[DeliveryState] = mapped_column(Enum(DeliveryState, native_enum=False, length=16))
    attempts: Mapped[int] = mapped_column(default=0)
    """Since it was last made due; guards against two who note the outcome of one attempt."""
    due_since: Mapped[datetime] = mapped_column(Instant)
    next_at: Mapped[datetime] = mapped_column(Instant)
    tried_at: Mapped[datetime | None] = mapped_column(Instant)
    status: Mapped[int | None] = mapped_column()
    """HTTP status of the last answer; None without any."""
    failure: Mapped[Failure | None] = mapped_column(Enum(Failure, native_enum=False, length=16))
    """Of the last attempt."""
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    """When it was delivered or given up."""
