"""JSON API of events and of the webhook that carries them."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from sqlalchemy.orm import Session
from starlette.responses import Response

from talentseal.accounts.access import ApiActor, Db, Now, TheVault
from talentseal.accounts.calls import Call
from talentseal.events import service, signing
from talentseal.events.models import Webhook
from talentseal.events.reaching import Reach
from talentseal.events.schemas import (
    DeliveryPage,
    DeliveryReceipt,
    EventPage,
    RegisterWebhook,
    WebhookReceipt,
    WebhookView,
)
from talentseal.events.states import DeliveryState
from talentseal.partners.schemas import Identifier

api = APIRouter(tags=["events"])

DeliveryPath = Annotated[Identifier, Path()]
Cursor = Annotated[int, Query(ge=0, le=2**63 - 1)]
Limit = Annotated[int, Query(ge=1, le=service.MOST)]


async def _reach(request: Request) -> Reach:
    reach: Reach = request.app.state.reach
    return reach


TheReach = Annotated[Reach, Depends(_reach)]


@api.get("/events")
def list_events(actor: ApiActor, database: Db, after: Cursor = 0, limit: Limit = service.MOST) -> EventPage:
    """My organisation's events behind a cursor, in their order. Ask again after `next`: none is missed."""
    return database.read(lambda session: service.feed(session, actor, after=after, limit=limit))


@api.get("/webhook")
def get_webhook(actor: ApiActor, database: Db, now: Now) -> WebhookView:
    """Where my organisation's events are sent, and how that goes."""
    return database.read(lambda session: service.view(session, actor, now=now))


@api.post("/webhook", status_code=201, response_model=WebhookReceipt)
def register_webhook(command: RegisterWebhook, call: Call, vault: TheVault, reach: TheReach) -> Response:
    """Have events sent to an address. Its secret is answered once; the same request again is not told it."""
    secret = signing.new_secret()
    return _with_secret(
        call,
        "POST webhook",
        command.model_dump(mode="json"),
        lambda session: service.register(
            session, call.actor, vault, command, reach=reach, secret=secret, now=call.now
        ),
        secret,
    )


@api.post("/webhook/secrets", status_code=201, response_model=WebhookReceipt)
def rotate_secret(call: Call, vault: TheVault) -> Response:
    """Make another secret, answered once; deliveries carry signatures by both for three days."""
    secret = signing.new_secret()
    return _with_secret(
        call,
        "POST webhook secret",
        {},
        lambda session: service.rotate(session, call.actor, vault, secret, now=call.now),
        secret,
    )


@api.post("/webhook/secrets/retirement", response_model=WebhookReceipt)
def retire_secret(call: Call) -> Response:
    """Sign with the newest secret alone from now on."""
    return _perform(
        call,
        "POST webhook secret retirement",
        lambda session: service.retire_secret(session, call.actor, now=call.now),
    )


@api.post("/webhook/enabling", response_model=WebhookReceipt)
def enable_webhook(call: Call) -> Response:
    """Send to a disabled webhook again what happens from now on; the feed has what it missed."""
    return _perform(call, "POST webhook enabling", lambda session: service.enable(session, call.actor))


@api.post("/webhook/removal", response_model=WebhookReceipt)
def remove_webhook(call: Call) -> Response:
    """Send nothing more to the address."""
    return _perform(
        call, "POST webhook removal", lambda session: service.remove(session, call.actor, now=call.now)
    )


@api.post("/webhook/tests", status_code=201, response_model=DeliveryReceipt)
def send_test(call: Call) -> Response:
    """Send a test, signed like every delivery."""

    def work(session: Session) -> DeliveryReceipt:
        row = service.send_test(session, call.actor, now=call.now)
        return DeliveryReceipt(id=row.id, state=row.state)

    return call.perform("POST webhook test", {}, work, status=201)


@api.get("/webhook/deliveries")
def list_deliveries(
    actor: ApiActor,
    database: Db,
    state: DeliveryState | None = None,
    before: Cursor = 0,
    limit: Limit = 50,
) -> DeliveryPage:
    """Deliveries to my organisation's webhook, the newest first. state DEAD: those given up."""
    return database.read(
        lambda session: service.deliveries(session, actor, state=state, before=before, limit=limit)
    )


@api.post("/webhook/deliveries/{delivery_id}/redelivery", response_model=DeliveryReceipt)
def redeliver(delivery_id: DeliveryPath, call: Call) -> Response:
    """Try a dead letter again, under the same id."""

    def work(session: Session) -> DeliveryReceipt:
        row = service.redeliver(session, call.actor, delivery_id, now=call.now)
        return DeliveryReceipt(id=row.id, state=row.state)

    return call.perform("POST webhook redelivery", {"delivery": delivery_id}, work)


def _perform(call: Call, route: str, work: Callable[[Session], Webhook]) -> Response:
    def answer(session: Session) -> WebhookReceipt:
        row = work(session)
        return WebhookReceipt(id=row.id, state=row.state)

    return call.perform(route, {}, answer)


def _with_secret(
    call: Call, route: str, meaning: object, work: Callable[[Session], Webhook], secret: str
) -> Response:
    """The answer with the secret, which is not kept with it: a repeated request is answered without."""

    def answer(session: Session) -> WebhookReceipt:
        row = work(session)
        return WebhookReceipt(id=row.id, state=row.state)

    given = call.perform(route, meaning, answer, status=201)
    if "Idempotency-Replayed" in given.headers:
        return given
    entered = WebhookReceipt.model_validate_json(bytes(given.body))
    shown = entered.model_copy(update={"secret": secret})
    return Response(shown.model_dump_json(), 201, media_type="application/json")
