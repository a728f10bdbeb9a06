"""What the interfaces of events take and give. Times are UTC, amounts integer fen."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field, StringConstraints

from talentseal.accounts.schemas import Command
from talentseal.events.states import DeliveryState, EventKind, Failure, HookState

Url = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=500),
    Field(description="https, public, without user name, password or #"),
]


class RegisterWebhook(Command):
    """Have events sent to an address."""

    url: Url


class EventView(BaseModel):
    """One event. subject: what it happened to; with the kind it names the event."""

    cursor: int
    kind: EventKind
    subject: str
    at: datetime
    data: dict[str, Any]


class EventPage(BaseModel):
    """Events in order. next: what to ask after next time; the same as before when nothing has come."""

    items: list[EventView]
    next: int


class WebhookView(BaseModel):
    """A webhook without its secrets. secrets: how many are live; waiting, dead: deliveries."""

    id: str
    url: str
    state: HookState
    created_at: datetime
    ended_at: datetime | None
    failing_since: datetime | None
    secrets: int
    waiting: int
    dead: int


class WebhookReceipt(BaseModel):
    """secret: answered once, when it is made; null in every other answer."""

    id: str
    state: HookState
    secret: str | None = None


class DeliveryView(BaseModel):
    """One delivery. cursor: its event, null for a test. next_at: when it is tried next, null when over."""

    id: str
    kind: str
    cursor: int | None
    state: DeliveryState
    attempts: int
    due_since: datetime
    next_at: datetime | None
    tried_at: datetime | None
    ended_at: datetime | None
    status: int | None
    failure: Failure | None


class DeliveryPage(BaseModel):
    """Deliveries, the newest first. next: cursor of the following page, null on the last."""

    items: list[DeliveryView]
    next: int | None


class DeliveryReceipt(BaseModel):
    """Where a delivery stands."""

    id: str
    state: DeliveryState
