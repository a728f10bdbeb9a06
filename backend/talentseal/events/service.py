"""What an organisation does about its events: reads them, and has them sent to an address of its own."""

import json
import secrets
from datetime import datetime, timedelta
from typing import ClassVar, Final

from sqlalchemy import Select, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from talentseal.accounts.roles import Actor, Permission
from talentseal.errors import Conflict, NotFound, NotPermitted
from talentseal.events import gathering, sending
from talentseal.events.models import PartnerEvent, Webhook, WebhookDelivery, WebhookSecret
from talentseal.events.reaching import Reach
from talentseal.events.schemas import (
    DeliveryPage,
    DeliveryView,
    EventPage,
    EventView,
    RegisterWebhook,
    WebhookView,
)
from talentseal.events.states import DELIVERY, HOOK, DeliveryState, HookState
from talentseal.talents.models import place_of
from talentseal.vault import Vault

MOST: Final = 100
"""Events of one page at most."""

BOTH_LIVE: Final = timedelta(days=3)
"""How long the former secret signs beside the new one, unless it is retired before."""

TESTS_WAITING: Final = 5
TEST: Final = "test"
"""What a test is called to the receiver."""


class WebhookNotFound(NotFound):
    code: ClassVar[str] = "webhook-not-found"
    zh: ClassVar[str] = "贵单位没有登记推送地址。请先登记。"
    en: ClassVar[str] = "Your organisation has no webhook; register one first."


class WebhookExists(Conflict):
    code: ClassVar[str] = "webhook-exists"
    zh: ClassVar[str] = "贵单位已登记推送地址。如需更换，请先移除原地址。"
    en: ClassVar[str] = "Your organisation has a webhook; to change its address, remove it first."


class WebhookNotActive(Conflict):
    code: ClassVar[str] = "webhook-not-active"
    zh: ClassVar[str] = "推送已停用。请先恢复推送。"
    en: ClassVar[str] = "The webhook is disabled; enable it first."


class SecretsOverlap(Conflict):
    code: ClassVar[str] = "webhook-secrets-overlap"
    zh: ClassVar[str] = "新旧两个签名密钥都在使用。请先停用旧密钥，再次更换。"
    en: ClassVar[str] = "Two secrets are live already; retire the former one before you rotate again."


class NoFormerSecret(Conflict):
    code: ClassVar[str] = "webhook-no-former-secret"
    zh: ClassVar[str] = "只有一个签名密钥在使用，没有可停用的旧密钥。"
    en: ClassVar[str] = "One secret alone is live; there is no former one to retire."


class DeliveryNotFound(NotFound):
    code: ClassVar[str] = "webhook-delivery-not-found"
    zh: ClassVar[str] = "没有这一次推送，或已超过保存期。请刷新列表。"
    en: ClassVar[str] = "No such delivery, or it was kept no longer; reload the list."


class TooManyTests(Conflict):
    code: ClassVar[str] = "webhook-too-many-tests"
    zh: ClassVar[str] = "还有测试推送在等待发送。请等它们完成后再试。"
    en: ClassVar[str] = "Tests are still waiting to be sent; try again when they are done."


def feed(session: Session, actor: Actor, *, after: int, limit: int) -> EventPage:
    """Up to `limit` of the organisation's events behind the cursor `after`, in their order.

    Raises NotPermitted.
    """
    if not actor.may(Permission.OUTLET_MANAGE):
        actor.require(Permission.EVIDENCE_READ)
    query = (
        select(PartnerEvent)
        .where(PartnerEvent.organisation_id == actor.organisation_id, PartnerEvent.cursor > after)
        .order_by(PartnerEvent.cursor)
        .limit(min(limit, MOST))
    )
    items = [
        EventView(
            cursor=row.cursor, kind=row.kind, subject=row.subject_id, at=row.at, data=json.loads(row.body)
        )
        for row in session.scalars(query)
    ]
    return EventPage(items=items, next=items[-1].cursor if items else after)


def register(
    session: Session,
    actor: Actor,
    vault: Vault,
    command: RegisterWebhook,
    *,
    reach: Reach,
    secret: str,
    now: datetime,
) -> Webhook:
    """Have the organisation's events sent to an address from now on, signed with `secret`.

    Raises NotPermitted, AddressNotUsable, WebhookExists.
    """
    actor.require(Permission.OUTLET_MANAGE)
    if not actor.organisation_id:
        raise NotPermitted(permission=Permission.OUTLET_MANAGE.value)
    reach.check(command.url)
    hook = Webhook(
        id=secrets.token_hex(16),
        organisation_id=actor.organisation_id,
        url=command.url,
        state=HookState.ACTIVE,
        created_by=actor.account_id,
        created_at=now,
    )
    try:
        with session.begin_nested():
            session.add(hook)
    except IntegrityError:
        raise WebhookExists from None
    _add_secret(session, vault, hook.id, 1, secret=secret, now=now)
    return hook


def rotate(session: Session, actor: Actor, vault: Vault, secret: str, *, now: datetime) -> Webhook:
    """Sign with `secret` too, and with the former one for BOTH_LIVE more.

    Raises NotPermitted, WebhookNotFound, SecretsOverlap.
    """
    hook = _held(session, actor)
    live = _live(session, hook.id, now)
    if len(live) > 1:
        raise SecretsOverlap
    for each in live:
        each.retires_at = now + BOTH_LIVE
    newest = session.scalar(select(func.max(WebhookSecret.number)).where(WebhookSecret.webhook_id == hook.id))
    _add_secret(session, vault, hook.id, (newest or 0) + 1, secret=secret, now=now)
    return hook


def retire_secret(session: Session, actor: Actor, *, now: datetime) -> Webhook:
    """Sign with the newest secret alone. Raises NotPermitted, WebhookNotFound, NoFormerSecret."""
    hook = _held(session, actor)
    former = [each for each in _live(session, hook.id, now) if each.retires_at is not None]
    if not former:
        raise NoFormerSecret
    for each in former:
        each.retires_at = now
    session.flush()
    return hook


def enable(session: Session, actor: Actor) -> Webhook:
    """Send to a disabled webhook again what happens from now on.

    Raises NotPermitted, WebhookNotFound, TransitionRefused.
    """
    hook = _held(session, actor)
    HOOK.require(hook.state, HookState.ACTIVE)
    hook.state = HookState.ACTIVE
    hook.ended_at = hook.failing_since = hook.resting_until = None
    session.flush()
    return hook


def remove(session: Session, actor: Actor, *, now: datetime) -> Webhook:
    """Send nothing more. Raises NotPermitted, WebhookNotFound."""
    hook = _held(session, actor)
    HOOK.require(hook.state, HookState.REMOVED)
    hook.state, hook.ended_at = HookState.REMOVED, now
    session.flush()
    sending.end_waiting(session, hook.id, now=now)
    return hook


def send_test(session: Session, actor: Actor, *, now: datetime) -> WebhookDelivery:
    """Make a delivery that says nothing.

    Raises NotPermitted, WebhookNotFound, WebhookNotActive, TooManyTests.
    """
    hook = _active(session, actor)
    waiting = select(func.count()).where(
        WebhookDelivery.webhook_id == hook.id,
        WebhookDelivery.state == DeliveryState.DUE,
        WebhookDelivery.cursor.is_(None),
    )
    if (session.scalar(waiting) or 0) >= TESTS_WAITING:
        raise TooManyTests
    number = gathering.newest_number(session, hook.id) + 1
    row = gathering.enqueue(
        session, hook.id, TEST, gathering.payload(TEST, now, {}), cursor=None, number=number, now=now
    )
    session.flush()
    return row


def redeliver(session: Session, actor: Actor, delivery_id: str, *, now: datetime) -> WebhookDelivery:
    """Try a dead letter again, under its own id, as if it were new.

    Raises NotPermitted, WebhookNotFound, WebhookNotActive, DeliveryNotFound, TransitionRefused.
    """
    hook = _active(session, actor)
    query = select(WebhookDelivery).where(
        WebhookDelivery.id == delivery_id, WebhookDelivery.webhook_id == hook.id
    )
    row = session.scalars(
        query.with_for_update(), execution_options={"populate_existing": True}
    ).one_or_none()
    if row is None:
        raise DeliveryNotFound
    DELIVERY.require(row.state, DeliveryState.DUE)
    row.state, row.attempts = DeliveryState.DUE, 0
    row.due_since = row.next_at = now
    row.ended_at = None
    hook.resting_until = None
    session.flush()
    return row


def view(session: Session, actor: Actor, *, now: datetime) -> WebhookView:
    """The organisation's webhook. Raises NotPermitted, WebhookNotFound."""
    actor.require(Permission.OUTLET_MANAGE)
    hook = session.scalars(_standing(actor)).one_or_none()
    if hook is None:
        raise WebhookNotFound
    counted = (
        select(WebhookDelivery.state, func.count())
        .where(WebhookDelivery.webhook_id == hook.id, WebhookDelivery.state != DeliveryState.DELIVERED)
        .group_by(WebhookDelivery.state)
    )
    counts = dict(session.execute(counted).all())
    return WebhookView(
        id=hook.id,
        url=hook.url,
        state=hook.state,
        created_at=hook.created_at,
        ended_at=hook.ended_at,
        failing_since=hook.failing_since,
        secrets=len(_live(session, hook.id, now)),
        waiting=counts.get(DeliveryState.DUE, 0),
        dead=counts.get(DeliveryState.DEAD, 0),
    )


def deliveries(
    session: Session, actor: Actor, *, state: DeliveryState | None, before: int = 0, limit: int
) -> DeliveryPage:
    """Deliveries to the organisation's webhook, the newest first, behind the number `before`.

    Raises NotPermitted, WebhookNotFound.
    """
    actor.require(Permission.OUTLET_MANAGE)
    hook = session.scalars(_standing(actor)).one_or_none()
    if hook is None:
        raise WebhookNotFound
    query = select(WebhookDelivery).where(WebhookDelivery.webhook_id == hook.id)
    if state is not None:
        query = query.where(WebhookDelivery.state == state)
    if before:
        query = query.where(WebhookDelivery.number < before)
    rows = session.scalars(query.order_by(WebhookDelivery.number.desc()).limit(limit + 1)).all()
    following = rows[limit - 1].number if len(rows) > limit else None
    return DeliveryPage(items=[_seen(row) for row in rows[:limit]], next=following)


def _seen(row: WebhookDelivery) -> DeliveryView:
    return DeliveryView(
        id=row.id,
        kind=row.kind,
        cursor=row.cursor,
        state=row.state,
        attempts=row.attempts,
        due_since=row.due_since,
        next_at=row.next_at if row.state is DeliveryState.DUE else None,
        tried_at=row.tried_at,
        ended_at=row.ended_at,
        status=row.status,
        failure=row.failure,
    )


def _standing(actor: Actor) -> Select[Webhook]:
    return select(Webhook).where(
        Webhook.organisation_id == actor.organisation_id, Webhook.state != HookState.REMOVED
    )


def _held(session: Session, actor: Actor) -> Webhook:
    """The organisation's webhook, held until the commit."""
    actor.require(Permission.OUTLET_MANAGE)
    query = _standing(actor).with_for_update()
    hook = session.scalars(query, execution_options={"populate_existing": True}).one_or_none()
    if hook is None:
        raise WebhookNotFound
    return hook


def _active(session: Session, actor: Actor) -> Webhook:
    hook = _held(session, actor)
    if hook.state is not HookState.ACTIVE:
        raise WebhookNotActive
    return hook


def _live(session: Session, hook: str, now: datetime) -> list[WebhookSecret]:
    query = select(WebhookSecret).where(
        WebhookSecret.webhook_id == hook,
        or_(WebhookSecret.retires_at.is_(None), WebhookSecret.retires_at > now),
    )
    return list(session.scalars(query.order_by(WebhookSecret.number)))


def _add_secret(
    session: Session, vault: Vault, hook: str, number: int, *, secret: str, now: datetime
) -> None:
    sealed = vault.seal(place_of("webhook_secret", hook, number), secret.encode())
    session.add(WebhookSecret(webhook_id=hook, number=number, sealed=sealed, created_at=now))
    session.flush()
