"""What the parts measure on: databases of both kinds that sync to disk, a log, a chain with the registry on
it.
"""

import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.orm import Session

from chainkit.anvil_accounts import DEMO_ACCOUNTS
from chainkit.compile import Artifact
from chainkit.deploy import Deployment, deploy
from chainkit.node import Anvil
from talentseal import evidence
from talentseal.clock import SystemClock
from talentseal.db import Database
from talentseal.evidence import Event
from talentseal.evidence.headstore import HeadStore
from talentseal.evidence.sealing import Sealer
from talentseal.evidence.signing import LogSigner
from tests.postgres import Postgres

KINDS = ("sqlite", "postgresql")
DURABLE = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}
ADMIN, ANCHOR, REGISTRAR, ARBITER = DEMO_ACCOUNTS[:4]
ORIGIN = "log.bench.example/1"


@dataclass(frozen=True, slots=True)
class Redeemed(Event):
    """Evidence of the size and shape that the service will mostly record: five fields."""

    kind: ClassVar[int] = 30
    benefit: str
    venue: str
    holder: str
    quantity: int
    at: datetime


def event(now: datetime) -> Redeemed:
    """An event as of `now`."""
    return Redeemed("公共交通免费乘车", "地铁一号线人民广场站", secrets.token_hex(16), 1, now)


@contextmanager
def workplace() -> Iterator[Path]:
    """A folder that is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="talentseal-bench-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@dataclass(slots=True)
class Databases:
    """Makes databases of one kind, with all tables."""

    kind: str
    folder: Path
    server: Postgres | None

    def make(self) -> str:
        """The address of a fresh one."""
        name = f"bench_{secrets.token_hex(6)}"
        url = f"sqlite:///{self.folder / name}.sqlite"
        if self.server is not None:
            self.server.execute(f"CREATE DATABASE {name}")
            url = self.server.url(name)
        database = Database(url)
        database.upgrade()
        database.close()
        return url

    def copy(self, url: str) -> str:
        """The address of a copy of a database that nobody has open."""
        if self.server is None:
            source = Path(url.removeprefix("sqlite:///"))
            target = source.with_suffix(f".{secrets.token_hex(6)}")
            shutil.copyfile(source, target)
            return f"sqlite:///{target}"
        name = f"bench_{secrets.token_hex(6)}"
        self.server.execute(f"CREATE DATABASE {name} TEMPLATE {urlsplit(url).path[1:]}")
        return self.server.url(name)


@contextmanager
def databases(kind: str) -> Iterator[Databases]:
    """A place for databases of that kind which sync every commit, as they do in service."""
    with workplace() as folder:
        if kind == "sqlite":
            yield Databases(kind, folder, None)
            return
        server = Postgres(**DURABLE).start()
        try:
            yield Databases(kind, folder, server)
        finally:
            server.stop()


def signer() -> LogSigner:
    """A log's key."""
    return LogSigner(ORIGIN, Ed25519PrivateKey.generate())


def sealer(database: Database, folder: Path) -> Sealer:
    """A sealer with a head store of its own under `folder`."""
    store = HeadStore(folder / f"head-{secrets.token_hex(6)}" / "head.json")
    return Sealer(database, store, signer(), SystemClock(), "bench")


def fill(database: Database, count: int) -> None:
    """Record `count` events, many to a transaction."""

    def record(session: Session, some: int, now: datetime) -> None:
        for _ in range(some):
            evidence.record(session, event(now), now=now)

    for first in range(0, count, 1000):
        database.write(partial(record, some=min(1000, count - first), now=datetime.now(UTC)))


def put_registry(node: Anvil) -> Deployment:
    """The shipped registry on the node; its roles are held by Anvil's own accounts."""
    return deploy(
        node.url,
        Artifact.load(),
        sender_key=ADMIN.key,
        admin=ADMIN.address,
        admin_delay=172_800,
        deployment_id="0x" + secrets.token_hex(32),
        predecessor="0x" + "00" * 32,
        roles={"ANCHOR": ANCHOR.address, "REGISTRAR": REGISTRAR.address, "ARBITER": ARBITER.address},
    )
