"""A prepared market of which every run has a copy, and the lives of the service that are played on it."""

import ctypes
import os
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.sharedctypes import RawValue
from pathlib import Path
from random import Random
from typing import Final

import uvicorn
from sqlalchemy import update
from sqlalchemy.orm import Session
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from talentseal.accounts.models import WebSession
from talentseal.benefits.models import Budget, QuotaPeriod
from talentseal.commands.running import settle
from talentseal.credentials import devices
from talentseal.db import Database
from talentseal.policy.tiers import Tier
from talentseal.worker import Worker, releasing, sealing
from tests.api.conftest import Api
from tests.crash.faults import NO_FAULT, DoorDatabase
from tests.crash.forks import in_child
from tests.postgres import Postgres
from tests.redemptions.market import Market
from tests.redemptions.patrons import Patron, Place, Told
from tests.world import SharedClock, world_on

MEMORY_DISK: Final = Path("/dev/shm")
"""A SIGKILL keeps the page cache, so nothing is lost by keeping the files off the disk."""

PATRONS: Final = 5
QUOTA: Final = 10
"""Units a person and day."""

SESSION_HOURS: Final = 24
WARMING: Final = 60
"""Acts before the first fork: its children find imports and statements ready."""


class Counted:
    """Counts the requests that were answered as they ought to be, where all processes see it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.answered = RawValue(ctypes.c_int64, 0)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        statuses: list[int] = []

        async def tell(message: Message) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])
            await send(message)

        await self.app(scope, receive, tell)
        self.answered.value += sum(status < 500 for status in statuses)


class Stage:
    """kind: sqlite or postgresql. Made in the one thread of the process that forks."""

    def __init__(self, kind: str) -> None:
        disk = MEMORY_DISK if os.access(MEMORY_DISK, os.W_OK) else None
        self.folder = Path(tempfile.mkdtemp(prefix="talentseal-struck-", dir=disk))
        self.server = Postgres().start() if kind == "postgresql" else None
        self.clock = SharedClock()
        self._made = 0
        url = self._create("prepared")
        in_child(lambda: _migrate(url))
        self.database = DoorDatabase(url)
        self.market = Market.of(world_on(self.database, self.clock, self.folder))
        self._settle_in()
        self._begins_at = self.clock.now()
        self._head = self.market.world.head_store.path.read_bytes()
        self.database.close()
        self.app = Counted(self.api.app)
        self._warm_up()
        settle()

    def _settle_in(self) -> None:
        """One benefit, one till, and people with phones who may use it."""
        market = self.market
        version = market.shelf.published(
            tiers={Tier.RESERVE: QUOTA}, period=QuotaPeriod.DAY, budget_units=1, subsidy_bp=3_333
        )
        till = market.till(version)
        guests = [market.guest(version) for _ in range(PATRONS)]
        self.api = Api(market.world, self.folder, session_hours=SESSION_HOURS)
        device = devices.cookie(secure=False).name
        self.phones = [
            f"{'='.join(self.api.session_of(guest.talent.account_id))}; {device}={guest.token}"
            for guest in guests
        ]
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=128)
        port = self.socket.getsockname()[1]
        self.place = Place(port, till.device.key.text, till.clerk.account_id, version.benefit_id)

    def _warm_up(self) -> None:
        with self.copy() as url:
            self.come_back(url, 1_000)
            server = self._server(self.app)
            thread = threading.Thread(target=server.run, args=([self.socket.dup()],))
            thread.start()
            patron = Patron(self.place, self.phones[0], Told(), Random(0), lambda: False)
            for _ in range(WARMING):
                patron.act()
                self.clock.advance(seconds=2)
            self.market.world.settle()
            server.should_exit = True
            thread.join()
            self.database.close()
        # What a process remembers of who asked ends with it.
        self.api.app.state.access.authenticator._noted.clear()
        while threading.active_count() > 1:
            time.sleep(0.01)

    def _server(self, app: ASGIApp) -> uvicorn.Server:
        return uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", ws="none"))

    @contextmanager
    def copy(self) -> Iterator[str]:
        """The address of a copy of the prepared market; head store and clock are as they were then."""
        self._made += 1
        name = f"run{self._made}"
        url = self._create(name, "prepared")
        self.market.world.head_store.path.write_bytes(self._head)
        self.clock.set(self._begins_at)
        yield url
        if self.server is not None:
            self.server.execute(f"DROP DATABASE {name} WITH (FORCE)")
        for file in self.folder.glob(f"{name}.sqlite*"):
            file.unlink()

    def _create(self, name: str, template: str = "") -> str:
        if self.server is not None:
            copied = f" TEMPLATE {template} STRATEGY FILE_COPY" if template else ""
            self.server.execute(f"CREATE DATABASE {name}{copied}")
            return self.server.url(name)
        if template:
            shutil.copyfile(self.folder / f"{template}.sqlite", self.folder / f"{name}.sqlite")
        return f"sqlite:///{self.folder / name}.sqlite"

    def close(self) -> None:
        """Remove everything."""
        if self.server is not None:
            self.server.stop()
        shutil.rmtree(self.folder)

    def live(self, url: str, name: str) -> None:
        """Serve, seal and give back what lapsed, until killed. In a child."""
        self.database.at(url, NO_FAULT)
        world = self.market.world
        sealer = sealing(self.database, world.head_store, world.signer, self.clock, holder=name)
        Worker([sealer, releasing(self.database, self.clock)]).start()
        self._server(self.app).run([self.socket])

    def come_back(self, url: str, left: int) -> None:
        """In a child: so many units are left in the budget, and people are signed in as if they just came."""
        self.database.at(url, NO_FAULT)
        now = self.clock.now()

        def work(session: Session) -> None:
            session.execute(update(Budget).values(limit_units=Budget.used_units + left))
            session.execute(update(WebSession).values(created_at=now, last_seen_at=now))

        self.database.write(work)


def _migrate(url: str) -> None:
    database = Database(url)
    database.upgrade()
    database.close()
