"""A scan over HTTP (verify, burn, answer) against a bare transaction over the same HTTP stack and database.

Bare means: a route of the same application, for the same terminal's key, that takes the same body and inserts
one row. Requests go to the application itself, without a socket, whose time would flatter the ratio.
"""

import asyncio
import json
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from sqlalchemy import BigInteger, Column, MetaData, String, Table, insert

from talentseal.accounts.access import ApiActor, Db, Now
from talentseal.accounts.roles import Permission
from talentseal.credentials import qr
from talentseal.credentials.profiles import Profile
from talentseal.credentials.schemas import Present
from talentseal.db import Database, microseconds
from talentseal.web.idempotency import IdempotencyKey
from tests.api.conftest import Api
from tests.bench.figures import Budget, Figure, against, interleaved, say, seconds
from tests.bench.places import KINDS, Databases, databases
from tests.credentials.counters import Phone, Street, Till
from tests.talents.conftest import in_force
from tests.world import SetClock, make_world

TWICE: Final = Budget("ratio", "<=", 2.0)
FIVE: Final = Budget("value", "<=", 5.0)
SCAN: Final = "/api/v1/presentations"
BARE: Final = "/bench/row"
_ROWS: Final = Table(
    "bench_row", MetaData(), Column("id", String(32), primary_key=True), Column("at", BigInteger)
)

_INSERT: Final = insert(_ROWS)


def measure(tiny: bool) -> list[Figure]:
    """Both databases."""
    return [figure for kind in KINDS for figure in _measure(kind, tiny)]


def _measure(kind: str, tiny: bool) -> Iterator[Figure]:
    rounds, phones = (1, 2) if tiny else (15, 24)
    with databases(kind) as place, _stage(place, phones) as stage:
        say(f"  {kind}: {rounds} rounds of {phones} scans")
        met = interleaved(rounds + 1, own=stage.scans, bare=stage.rows)
        for times in met.values():
            del times[0]
        yield against(f"a scan, {kind}", "ms", met["own"], "a bare insert", met["bare"], TWICE)
        met = interleaved(rounds, own=stage.mints, bare=partial(stage.mints, drawn=False))
        name = f"a code minted and drawn, processor, {kind}"
        yield against(name, "ms", met["own"], "minted alone", met["bare"], FIVE)


@dataclass(slots=True)
class Stage:
    """An application with a till and phones that are bound."""

    api: Api
    till: Till
    phones: list[Phone]
    runner: asyncio.Runner = field(default_factory=asyncio.Runner)

    def scans(self) -> float:
        """Milliseconds that each phone's fresh code takes."""
        self.api.world.clock.advance(seconds=5)
        texts = [phone.mint().text for phone in self.phones]
        return seconds(lambda: self._send(SCAN, texts)) * 1000 / len(texts)

    def rows(self) -> float:
        """Milliseconds that a bare row takes."""
        texts = ["0" * 46 for _ in self.phones]
        return seconds(lambda: self._send(BARE, texts)) * 1000 / len(texts)

    def mints(self, *, drawn: bool = True) -> float:
        """Milliseconds of processor time for a code, with its picture or without."""
        self.api.world.clock.advance(seconds=5)
        begun = time.process_time()
        for phone in self.phones:
            minted = phone.mint()
            if drawn:
                qr.svg(Profile.TC1, minted.text, "人才码")
        return (time.process_time() - begun) * 1000 / len(self.phones)

    def _send(self, path: str, texts: list[str]) -> None:
        for text in texts:
            body = json.dumps({"sent": text, "staff": self.till.clerk.account_id}).encode()
            status = self.runner.run(posted(self.api.app, path, body, self.till.device.key.text))
            if status != 201:
                raise RuntimeError(f"{path} answered {status}")


@contextmanager
def _stage(place: Databases, phones: int) -> Iterator[Stage]:
    with contextmanager(make_world)(place.make(), SetClock(), place.folder) as world:
        street = Street(in_force(world))
        api = Api(world, place.folder)
        make_bare_rows(world.database)
        serve_a_bare_insert(api)
        stage = Stage(api, street.tills[0], [street.phone() for _ in range(phones)])
        yield stage
        stage.runner.close()


def make_bare_rows(database: Database) -> None:
    """Make the table that the peer writes to."""
    database.write(lambda session: _ROWS.create(session.connection()))


def serve_a_bare_insert(api: Api) -> None:
    """The peer: the same stack, body and key, and one row."""

    @api.app.post(BARE, status_code=201, include_in_schema=False)
    def keep(
        command: Present, actor: ApiActor, database: Db, now: Now, _key: IdempotencyKey
    ) -> Mapping[str, str]:
        row: dict[str, Any] = {"id": secrets.token_hex(16), "at": microseconds(now)}
        database.write(lambda session: session.execute(_INSERT, row).close())
        return {"id": row["id"], "staff": command.staff, "account": actor.account_id}

    api.app.state.needs["POST", keep] = (Permission.COUNTER_SERVE,)


async def posted(app: Any, path: str, body: bytes, key: str) -> int:
    """The status of one request, once the whole answer is there."""
    statuses: list[int] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Mapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    headers = {
        "host": "127.0.0.1",
        "authorization": f"Bearer {key}",
        "content-type": "application/json",
        "content-length": str(len(body)),
        "idempotency-key": secrets.token_hex(8),
    }
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    await app(scope, receive, send)
    return statuses[0]
