"""A partner with a webhook, and a system of his that takes what is sent."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import pytest
from sqlalchemy.orm import Session

from talentseal.accounts.roles import Actor
from talentseal.events import gathering, service, signing
from talentseal.events.models import Webhook, WebhookDelivery
from talentseal.events.reaching import Reach
from talentseal.events.schemas import DeliveryView, EventView, RegisterWebhook, WebhookView
from talentseal.events.sending import Courier
from talentseal.events.states import DeliveryState
from tests.complaints.conftest import Counter, counter, sqlite_counter
from tests.events.receiver import Receiver, receiving
from tests.redemptions.conftest import sqlite_market
from tests.talents.conftest import VAULT
from tests.world import Member, World, clock, sqlite_world, world

__all__ = ["Counter", "clock", "counter", "sqlite_counter", "sqlite_market", "sqlite_world", "world"]

T = TypeVar("T")
NEAR = Reach(loopback=True)


def told(world: World, actor: Actor, after: int = 0, limit: int = 100) -> list[EventView]:
    """What somebody's organisation reads behind a cursor."""
    return world.database.read(lambda session: service.feed(session, actor, after=after, limit=limit)).items


def gather(world: World) -> int:
    """One round of the worker."""
    return world.database.write(partial(gathering.gather, now=world.clock.now()))


@dataclass(slots=True)
class Post:
    """Hands of the partner and of the worker; each call is a transaction of its own."""

    world: World
    partner: Member
    receiver: Receiver
    secret: str = ""

    @property
    def courier(self) -> Courier:
        return Courier(self.world.database, self.world.clock, VAULT, NEAR)

    def write(self, work: Callable[[Session], T]) -> T:
        return self.world.database.write(work)

    def register(self, url: str = "", reach: Reach = NEAR) -> Webhook:
        self.secret = signing.new_secret()
        command = RegisterWebhook(url=url or self.receiver.url)
        act = partial(service.register, actor=self.partner.actor, vault=VAULT, command=command)
        return self.write(partial(act, reach=reach, secret=self.secret, now=self.world.clock.now()))

    def rotate(self) -> str:
        """The new secret."""
        secret, now = signing.new_secret(), self.world.clock.now()
        self.write(lambda session: service.rotate(session, self.partner.actor, VAULT, secret, now=now))
        return secret

    def test(self) -> WebhookDelivery:
        now = self.world.clock.now()
        return self.write(lambda session: service.send_test(session, self.partner.actor, now=now))

    def redeliver(self, delivery: str) -> WebhookDelivery:
        now = self.world.clock.now()
        return self.write(lambda session: service.redeliver(session, self.partner.actor, delivery, now=now))

    def send(self, **passed: float) -> None:
        """A round of sending, after so much time has passed."""
        self.world.clock.advance(**passed)
        self.courier.tick()

    def view(self) -> WebhookView:
        now = self.world.clock.now()
        return self.world.database.read(lambda session: service.view(session, self.partner.actor, now=now))

    def deliveries(self, state: DeliveryState | None = None) -> list[DeliveryView]:
        """The oldest first."""
        page = self.world.database.read(
            lambda session: service.deliveries(session, self.partner.actor, state=state, limit=100)
        )
        return page.items[::-1]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as opened:
        yield opened


@pytest.fixture
def post(world: World, receiver: Receiver) -> Post:
    """On both kinds of database."""
    return Post(world, world.joined("虚构银行"), receiver)


@pytest.fixture
def sqlite_post(sqlite_world: World, receiver: Receiver) -> Post:
    """On SQLite alone, for what does not depend on the database."""
    return Post(sqlite_world, sqlite_world.joined("虚构银行"), receiver)
