"""The application under test in processes of its own, over loopback sockets, and clients that load it.

Each process has a port of its own: the clients are dealt out to them in turn, as a balancer would do. The
first of them seals, as in service. All take their time from one clock that the measurement moves.
"""

import asyncio
import json
import multiprocessing
import secrets
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from talentseal.commands.running import settle
from talentseal.db import Database
from talentseal.evidence.headstore import HeadStore
from talentseal.evidence.signing import LogSigner
from talentseal.worker import Worker, sealing
from tests.api.conftest import Api
from tests.bench.presentations import serve_a_bare_insert
from tests.processes import processor, resident
from tests.world import ORIGIN, SharedClock, World

CONNECTIONS: Final = 400
"""Open at once at most: a request that finds none free waits, and its wait is counted."""


@dataclass(frozen=True, slots=True)
class Served:
    """The processes that serve, each by its port and number."""

    ports: list[int]
    pids: list[int]

    @property
    def resident(self) -> float:
        """MiB of memory that they have in use together."""
        return sum(map(resident, self.pids))

    @property
    def processor(self) -> float:
        """Seconds of processor that they have used together."""
        return sum(map(processor, self.pids))


@contextmanager
def serving(count: int, serve: Callable[[socket.socket, bool], None]) -> Iterator[Served]:
    """`count` processes until the end of the block. serve: what each does, given its socket and whether it is
    the first.
    """
    context = multiprocessing.get_context("spawn")
    places = [socket.create_server(("127.0.0.1", 0), backlog=1024) for _ in range(count)]
    started = [
        context.Process(target=serve, args=(place, number == 0), daemon=True)
        for number, place in enumerate(places)
    ]
    for process in started:
        process.start()
    ports: list[int] = [place.getsockname()[1] for place in places]
    try:
        asyncio.run(_until_they_answer(ports))
        yield Served(ports, [process.pid or 0 for process in started])
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.join(30)
        for place in places:
            place.close()


def serve_all(url: str, folder: Path, clock: SharedClock, place: socket.socket, seals: bool) -> None:
    """Serve the application on a socket, until ended."""
    import logging

    import structlog
    import uvicorn

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    signer = LogSigner(ORIGIN, Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
    head_store, chain = HeadStore(folder / "head" / "head.json"), None
    world = World(Database(url), clock, signer, head_store, chain, {})  # type: ignore[arg-type]  # nothing here asks a chain
    api = Api(world, folder)
    serve_a_bare_insert(api)
    worker = Worker([sealing(world.database, head_store, signer, clock, holder="bench")] if seals else [])
    settle()
    worker.start()
    uvicorn.Server(uvicorn.Config(api.app, log_config=None)).run(sockets=[place])
    worker.stop()
    world.database.close()


async def _until_they_answer(ports: Sequence[int]) -> None:
    for port in ports:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")
        await reader.read()
        writer.close()


@dataclass(frozen=True, slots=True)
class Request:
    """A POST, as it goes over the wire."""

    wire: bytes

    @classmethod
    def of(cls, path: str, body: dict[str, Any], key: str) -> "Request":
        content = json.dumps(body).encode()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {key}\r\n"
            f"Content-Type: application/json\r\nIdempotency-Key: {secrets.token_hex(8)}\r\n"
            f"Content-Length: {len(content)}\r\n\r\n"
        )
        return cls(head.encode() + content)


@dataclass(slots=True)
class Answer:
    """What a client met. seconds: since the request was due."""

    status: int
    seconds: float
    body: bytes
    says_when: bool
    """Whether it said when to come back."""


@dataclass(slots=True)
class Clients:
    """Connections to the ports, dealt out in turn; a request takes the one that was free longest."""

    ports: Sequence[int]
    _free: "asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]]" = field(
        default_factory=asyncio.Queue
    )
    _made: int = 0

    async def send(self, request: Request, due: float) -> Answer:
        """Send it now and read the whole answer. due: on time.perf_counter."""
        reader, writer = await self._connection()
        writer.write(request.wire)
        head = await reader.readuntil(b"\r\n\r\n")
        lowered = head.lower()
        length = int(lowered.split(b"content-length: ", 1)[1].split(b"\r\n", 1)[0])
        body = await reader.readexactly(length)
        self._free.put_nowait((reader, writer))
        return Answer(int(head[9:12]), time.perf_counter() - due, body, b"\r\nretry-after: " in lowered)

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._free.empty() and self._made < CONNECTIONS:
            port = self.ports[self._made % len(self.ports)]
            self._made += 1
            return await asyncio.open_connection("127.0.0.1", port)
        return await self._free.get()

    async def close(self) -> None:
        while not self._free.empty():
            _, writer = self._free.get_nowait()
            writer.close()


@asynccontextmanager
async def clients(ports: Sequence[int]) -> AsyncIterator[Clients]:
    """Connections, closed afterwards."""
    made = Clients(ports)
    try:
        yield made
    finally:
        await made.close()


async def one_after_the_other(crowd: Clients, requests: Sequence[Request], at_once: int) -> list[Answer]:
    """Closed load: so many clients send each their next request once the last is answered."""
    waiting = iter(requests)

    async def client() -> list[Answer]:
        return [await crowd.send(request, time.perf_counter()) for request in waiting]

    parts = await asyncio.gather(*(client() for _ in range(at_once)))
    return [answer for part in parts for answer in part]


async def at_a_rate(crowd: Clients, requests: Sequence[Request], rate: float) -> list[Answer]:
    """Open load: each request is due at its time, however late the others are."""
    begun, sent = time.perf_counter() + 0.05, []
    for number, request in enumerate(requests):
        due = begun + number / rate
        if (wait := due - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        sent.append(asyncio.create_task(crowd.send(request, due)))
    return list(await asyncio.gather(*sent))


def run(work: Callable[[Clients], Any], ports: Sequence[int]) -> Any:
    """Run what clients do, on the fastest loop there is."""
    if sys.platform == "win32":
        factory = None
    else:
        import uvloop

        factory = uvloop.new_event_loop

    async def whole() -> Any:
        async with clients(ports) as crowd:
            return await work(crowd)

    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(whole())
