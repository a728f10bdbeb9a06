"""Sending: due deliveries go to their webhooks, each webhook's in their order, by one worker at a time.

At least once: what crashes between the request and the note of its outcome sends again under the same id.
"""

import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import structlog
from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.orm import Session

from talentseal import failpoints
from talentseal.clock import Clock
from talentseal.db import Database
from talentseal.events import signing
from talentseal.events.models import Webhook, WebhookDelivery, WebhookSecret
from talentseal.events.reaching import Answer, Reach
from talentseal.events.states import DELIVERY, HOOK, DeliveryState, Failure, HookState
from talentseal.talents.models import place_of
from talentseal.vault import Vault

log = structlog.get_logger(__name__)

GIVEN_UP: Final = timedelta(hours=24)
"""How long a delivery is tried."""

DISABLED_AFTER: Final = timedelta(days=3)
"""How long a webhook may fail without a success between."""

FIRST_WAIT: Final = timedelta(seconds=5)
FACTOR: Final = 4
LONGEST_WAIT: Final = timedelta(hours=4)
LONGEST_REST: Final = timedelta(minutes=1)
"""How long a failed delivery holds up those behind it; later ones may overtake it then."""

CLAIM: Final = timedelta(seconds=120)
BUSY: Final = 60.0
"""Seconds after which a worker leaves a webhook that is still claimed for it."""

IN_A_ROW: Final = 50
HOOKS_AT_ONCE: Final = 8
SEND_EVERY: Final = 1.0
"""Seconds between two looks for what is due."""


@dataclass(frozen=True, slots=True)
class Courier:
    """What sends. Each process may have one."""

    database: Database
    clock: Clock
    vault: Vault = field(repr=False)
    reach: Reach

    def tick(self) -> float:
        """Send what is due; seconds until the next look."""
        due = self.database.read(partial(_due_hooks, now=self.clock.now()))
        if not due:
            return SEND_EVERY
        with ThreadPoolExecutor(HOOKS_AT_ONCE, "webhook") as pool:
            sent = sum(pool.map(self._serve, due))
        return 0.0 if sent else SEND_EVERY

    def _serve(self, hook: str) -> int:
        """Send what one webhook is due, unless another worker does; how many attempts that took."""
        begun, done = time.monotonic(), 0
        claim = self.database.write(partial(_claim, hook=hook, now=self.clock.now()))
        if claim is None:
            return 0
        while done < IN_A_ROW and time.monotonic() - begun < BUSY:
            parcel = self.database.read(partial(self._next, hook=hook, now=self.clock.now()))
            if parcel is None:
                break
            done += 1
            if not self._attempt(parcel):
                break
        self.database.write(partial(_release, hook=hook, claim=claim))
        return done

    def _attempt(self, parcel: "Parcel") -> bool:
        """One attempt, and its outcome noted. Whether it was taken."""
        now = self.clock.now()
        headers = signing.headers(parcel.secrets, parcel.delivery, parcel.body, now=now)
        answer = self.reach.post(parcel.url, headers, parcel.body)
        # A crash here sends the delivery again, under the same id.
        failpoints.reach("events.sent")
        self.database.write(partial(_note, parcel=parcel, answer=answer, now=self.clock.now()))
        log.info(
            "webhook.attempted",
            webhook=parcel.hook,
            delivery=parcel.delivery,
            attempt=parcel.attempts + 1,
            status=answer.status,
            failure=answer.failure.value if answer.failure else None,
        )
        return answer.failure is None

    def _next(self, session: Session, *, hook: str, now: datetime) -> "Parcel | None":
        """The webhook's first delivery that is due."""
        query = (
            select(WebhookDelivery, Webhook)
            .join(Webhook, Webhook.id == WebhookDelivery.webhook_id)
            .where(
                WebhookDelivery.webhook_id == hook,
                WebhookDelivery.state == DeliveryState.DUE,
                WebhookDelivery.next_at <= now,
                Webhook.state == HookState.ACTIVE,
            )
            .order_by(WebhookDelivery.number)
            .limit(1)
        )
        met = session.execute(query).one_or_none()
        if met is None:
            return None
        row, owner = met
        live = live_secrets(session, self.vault, hook, now=now)
        return Parcel(hook, row.id, row.attempts, owner.url, row.body.encode(), live)


@dataclass(frozen=True, slots=True)
class Parcel:
    """One attempt. attempts: how many went before."""

    hook: str
    delivery: str
    attempts: int
    url: str = field(repr=False)
    body: bytes = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)


def live_secrets(session: Session, vault: Vault, hook: str, *, now: datetime) -> tuple[str, ...]:
    """What the webhook's deliveries are signed with, the newest first."""
    query = select(WebhookSecret).where(
        WebhookSecret.webhook_id == hook,
        or_(WebhookSecret.retires_at.is_(None), WebhookSecret.retires_at > now),
    )
    rows = session.scalars(query.order_by(WebhookSecret.number.desc()))
    return tuple(
        vault.open(place_of("webhook_secret", row.webhook_id, row.number), row.sealed).decode()
        for row in rows
    )


def pause_after(attempts: int) -> timedelta:
    """How long to wait after so many attempts: 5 s, 20 s, 80 s … 4 h, give or take a fifth."""
    exponent: int = min(attempts - 1, 10)
    wait = min(FIRST_WAIT * int(FACTOR**exponent), LONGEST_WAIT)
    return wait * (0.8 + 0.4 * secrets.randbelow(1000) / 1000)


def end_waiting(session: Session, hook: str, *, now: datetime) -> None:
    """Make dead letters of what waits for a webhook that takes nothing any more."""
    session.execute(
        update(WebhookDelivery)
        .where(WebhookDelivery.webhook_id == hook, WebhookDelivery.state == DeliveryState.DUE)
        .values(state=DeliveryState.DEAD, failure=Failure.HOOK_ENDED, ended_at=now)
    )


def _due_hooks(session: Session, *, now: datetime) -> list[str]:
    waits = (
        select(WebhookDelivery.id)
        .where(
            WebhookDelivery.webhook_id == Webhook.id,
            WebhookDelivery.state == DeliveryState.DUE,
            WebhookDelivery.next_at <= now,
        )
        .exists()
    )
    query = select(Webhook.id).where(Webhook.state == HookState.ACTIVE, *_free(now), waits)
    return list(session.scalars(query.order_by(Webhook.claimed_until, Webhook.id).limit(4 * HOOKS_AT_ONCE)))


def _free(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        or_(Webhook.claimed_until.is_(None), Webhook.claimed_until <= now),
        or_(Webhook.resting_until.is_(None), Webhook.resting_until <= now),
    )


def _claim(session: Session, *, hook: str, now: datetime) -> datetime | None:
    """Until when the webhook is ours; None when another worker has it: of several one is told so."""
    claim = (
        update(Webhook)
        .where(Webhook.id == hook, Webhook.state == HookState.ACTIVE, *_free(now))
        .values(claimed_until=now + CLAIM)
    )
    return session.scalar(claim.returning(Webhook.claimed_until))


def _release(session: Session, *, hook: str, claim: datetime) -> None:
    """Give the claim back, if it has not lapsed and gone to another worker."""
    ours = update(Webhook).where(Webhook.id == hook, Webhook.claimed_until == claim)
    session.execute(ours.values(claimed_until=None))


def _note(session: Session, *, parcel: Parcel, answer: Answer, now: datetime) -> None:
    """Note an attempt's outcome, unless another worker or its owner has moved the delivery meanwhile."""
    hook = session.get_one(Webhook, parcel.hook, with_for_update=True, populate_existing=True)
    row = session.get_one(WebhookDelivery, parcel.delivery, with_for_update=True, populate_existing=True)
    if row.state is not DeliveryState.DUE or row.attempts != parcel.attempts:
        return
    row.attempts, row.tried_at = row.attempts + 1, now
    row.status, row.failure = answer.status, answer.failure
    if answer.failure is None:
        DELIVERY.require(row.state, DeliveryState.DELIVERED)
        row.state, row.ended_at = DeliveryState.DELIVERED, now
        hook.failing_since = hook.resting_until = None
        return
    hook.failing_since = hook.failing_since or now
    row.next_at = now + pause_after(row.attempts)
    hook.resting_until = min(row.next_at, now + LONGEST_REST)
    if row.next_at > row.due_since + GIVEN_UP:
        DELIVERY.require(row.state, DeliveryState.DEAD)
        row.state, row.ended_at = DeliveryState.DEAD, now
    if hook.state is HookState.ACTIVE and hook.failing_since <= now - DISABLED_AFTER:
        HOOK.require(hook.state, HookState.DISABLED)
        hook.state, hook.ended_at = HookState.DISABLED, now
        session.flush()
        end_waiting(session, hook.id, now=now)
