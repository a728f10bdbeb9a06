"""The page of events: where they are sent, how that goes, dead letters, and the newest of the feed."""

import re
from collections.abc import Callable
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends
from sqlalchemy.orm import Session
from starlette.responses import Response

from talentseal.accounts.roles import Permission
from talentseal.errors import TalentSealError
from talentseal.events import service, signing
from talentseal.events.reaching import Reach
from talentseal.events.schemas import RegisterWebhook
from talentseal.events.service import DeliveryNotFound, WebhookNotFound
from talentseal.events.states import DeliveryState
from talentseal.sanctions.desk import AtDesk, Desk
from talentseal.web.forms import SHOWN_ELSEWHERE, Form, Typed, command_of, nested, texts
from talentseal.web.pages import see_other

PAGE_LENGTH: Final = 20

_IDENTIFIER: Final = re.compile(r"[0-9a-f]{32}\Z")

pages = APIRouter(include_in_schema=False, prefix="/events")


async def _delivery(delivery: str) -> str:
    if not _IDENTIFIER.match(delivery):
        raise DeliveryNotFound
    return delivery


DeliveryId = Annotated[str, Depends(_delivery)]


@pages.get("")
def show(desk: AtDesk) -> Response:
    """Where events are sent, and how that goes."""
    return _show(desk)


@pages.post("")
def register(desk: AtDesk, form: Form) -> Response:
    """Register an address, and show its secret once."""
    typed, secret = nested(texts(form)), signing.new_secret()
    reach: Reach = desk.request.app.state.reach

    def work(session: Session) -> Any:
        command = command_of(RegisterWebhook, dict(typed))
        return service.register(
            session, desk.actor, desk.vault, command, reach=reach, secret=secret, now=desk.now
        )

    return _once(desk, work, secret, typed)


@pages.post("/secret")
def rotate(desk: AtDesk) -> Response:
    """Make another secret, and show it once."""
    secret = signing.new_secret()
    return _once(
        desk,
        lambda session: service.rotate(session, desk.actor, desk.vault, secret, now=desk.now),
        secret,
        Typed(),
    )


@pages.post("/former-secret")
def retire(desk: AtDesk) -> Response:
    """Retire the former secret."""
    return _act(
        desk, lambda session: service.retire_secret(session, desk.actor, now=desk.now), "secret-retired"
    )


@pages.post("/test")
def send_test(desk: AtDesk) -> Response:
    """Send a test."""
    return _act(desk, lambda session: service.send_test(session, desk.actor, now=desk.now), "test-queued")


@pages.post("/enabling")
def enable(desk: AtDesk) -> Response:
    """Send again."""
    return _act(desk, lambda session: service.enable(session, desk.actor), "webhook-enabled")


@pages.post("/removal")
def remove(desk: AtDesk) -> Response:
    """Send nothing more."""
    return _act(desk, lambda session: service.remove(session, desk.actor, now=desk.now), "webhook-removed")


@pages.post("/deliveries/{delivery}/redelivery")
def redeliver(desk: AtDesk, delivery: DeliveryId) -> Response:
    """Try a dead letter again."""
    return _act(
        desk,
        lambda session: service.redeliver(session, desk.actor, delivery, now=desk.now),
        "redelivery-queued",
    )


@pages.get("/{_act:path}")
def back(_act: str) -> Response:
    """Whoever loads the answer to a form again comes back to where the form is."""
    return see_other("/events")


def _act(desk: Desk, work: Callable[[Session], Any], notice: str) -> Response:
    return desk.act(work, lambda _row: ("/events", notice), lambda refusal: _show(desk, refusal))


def _once(desk: Desk, work: Callable[[Session], Any], secret: str, typed: Typed) -> Response:
    """One act, and the page that shows the secret; it is kept nowhere that could show it again."""
    try:
        desk.database.write(work)
    except TalentSealError as refusal:
        if refusal.status in SHOWN_ELSEWHERE:
            raise
        return _show(desk, refusal, typed)
    return desk.show("events/secret.html", secret=secret)


def _show(desk: Desk, refusal: TalentSealError | None = None, typed: Typed | None = None) -> Response:
    desk.actor.require(Permission.OUTLET_MANAGE)

    def read(session: Session) -> dict[str, Any]:
        try:
            hook = service.view(session, desk.actor, now=desk.now)
        except WebhookNotFound:
            return {"hook": None, "dead": None, "latest": None}

        def listed(state: DeliveryState | None) -> Any:
            return service.deliveries(session, desk.actor, state=state, limit=PAGE_LENGTH)

        dead = listed(DeliveryState.DEAD) if hook.dead else None
        return {"hook": hook, "dead": dead, "latest": listed(None)}

    return desk.show("events/events.html", refusal, typed=typed or Typed(), **desk.database.read(read))
