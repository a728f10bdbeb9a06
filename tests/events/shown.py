"""A webhook with something to see, for the tests of every page."""

from typing import Final

from sqlalchemy.orm import Session

from talentseal.accounts.roles import Actor
from talentseal.events import gathering, service, signing
from talentseal.events.models import WebhookDelivery
from talentseal.events.reaching import Reach
from talentseal.events.schemas import RegisterWebhook
from talentseal.events.states import DeliveryState, EventKind, Failure
from tests.talents.conftest import People

NOBODY: Final = "http://127.0.0.1:9/invented"
"""An address of this machine at which nobody listens."""


def pushed(crowd: People, partner: Actor) -> dict[str, str]:
    """The partner's webhook, with a delivery that was taken and one that was given up; no names."""
    now, secret = crowd.world.clock.now(), signing.new_secret()
    command, reach = RegisterWebhook(url=NOBODY), Reach(loopback=True)

    def ended(session: Session, hook: str, number: int, kind: EventKind) -> WebhookDelivery:
        body = gathering.payload(kind.value, now, {})
        row = gathering.enqueue(session, hook, kind.value, body, cursor=number, number=number, now=now)
        row.tried_at = row.ended_at = now
        return row

    def work(session: Session) -> None:
        hook = service.register(session, partner, crowd.vault, command, reach=reach, secret=secret, now=now)
        taken = ended(session, hook.id, 1, EventKind.BENEFIT_PUBLISHED)
        taken.state, taken.attempts, taken.status = DeliveryState.DELIVERED, 1, 204
        dead = ended(session, hook.id, 2, EventKind.REDEMPTION_COMPLETED)
        dead.state, dead.attempts, dead.status = DeliveryState.DEAD, 11, 503
        dead.failure = Failure.STATUS

    crowd.world.database.write(work)
    return {}
