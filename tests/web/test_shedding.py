"""Beyond what can be served soon, requests are told to come back, and nothing is kept of them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx2
import pytest
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send
from structlog.testing import capture_logs

from talentseal.web.shedding import ROOM, LoadShedding
from tests.api.conftest import Api


@dataclass(slots=True)
class Slow:
    """An application that answers when the test says so."""

    may_answer: asyncio.Event = field(default_factory=asyncio.Event)
    arrived: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.arrived.release()
        await self.may_answer.wait()
        await PlainTextResponse("done")(scope, receive, send)

    async def arrivals(self, count: int) -> None:
        """Return once that many more requests are held."""
        for _ in range(count):
            await self.arrived.acquire()


@asynccontextmanager
async def crowd(slow: Slow, room: int) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of the application behind a door for `room`, which is full."""
    transport = httpx2.ASGITransport(LoadShedding(slow, room, pause=0))
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
        waiting = [asyncio.create_task(client.get("/api/v1/me")) for _ in range(room)]
        await slow.arrivals(room)
        yield client
        slow.may_answer.set()
        assert {answer.status_code for answer in await asyncio.gather(*waiting)} == {200}


def test_a_request_beyond_the_room_is_refused_and_says_when_to_come_back() -> None:
    async def visit() -> httpx2.Response:
        async with crowd(Slow(), room=3) as client:
            return await client.post("/api/v1/redemptions", headers={"Accept-Language": "en"})

    refused = asyncio.run(visit())

    assert (refused.status_code, refused.json()["code"]) == (503, "service-busy")
    assert int(refused.headers["Retry-After"]) >= 1
    assert "nothing was changed" in refused.json()["detail"]


def test_whoever_repeats_at_once_waits_for_his_refusal_and_takes_up_no_room() -> None:
    async def visit() -> tuple[float, int]:
        loop, slow = asyncio.get_running_loop(), Slow()
        door = LoadShedding(slow, room=0, pause=0.2)
        transport = httpx2.ASGITransport(door)
        async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
            begun = loop.time()
            told = await asyncio.gather(*(client.get("/") for _ in range(10)))
            return loop.time() - begun, len([each for each in told if each.status_code == 503])

    took, refused = asyncio.run(visit())

    assert refused == 10
    assert took >= 0.2


def test_what_was_taken_is_answered_and_makes_room_for_the_next() -> None:
    async def visit() -> list[int]:
        slow = Slow()
        async with crowd(slow, room=3) as client:
            before = await client.get("/")
            slow.may_answer.set()
            await asyncio.sleep(0.01)
            return [before.status_code, (await client.get("/")).status_code]

    assert asyncio.run(visit()) == [503, 200]


def test_a_request_that_crashed_leaves_its_room() -> None:
    async def crash(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise RuntimeError("a fault of the application")

    async def visit() -> None:
        door = LoadShedding(crash, room=1)
        for _ in range(3):
            with pytest.raises(RuntimeError):
                await door({"type": "http", "path": "/", "headers": []}, _nothing, _nowhere)

    asyncio.run(visit())


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_who_watches_the_service_gets_through(path: str) -> None:
    async def visit() -> int:
        slow = Slow()
        async with crowd(slow, room=2) as client:
            watching = asyncio.create_task(client.get(path))
            await slow.arrivals(1)
            slow.may_answer.set()
            return (await watching).status_code

    assert asyncio.run(visit()) == 200


def test_the_operator_reads_when_it_began_and_how_many_were_refused() -> None:
    async def visit() -> None:
        async with crowd(Slow(), room=2) as client:
            for _ in range(5):
                await client.get("/")

    with capture_logs() as lines:
        asyncio.run(visit())

    assert [(line["event"], line.get("refused")) for line in lines] == [
        ("load.shedding", None),
        ("load.eased", 5),
    ]


def test_the_service_itself_sheds_and_tells_people_in_words(api: Api) -> None:
    """All of its room is held by requests that wait for a route of the test."""

    async def visit() -> tuple[list[int], httpx2.Response, httpx2.Response]:
        slow = Slow()

        async def wait() -> Response:
            slow.arrived.release()
            await slow.may_answer.wait()
            return PlainTextResponse("done")

        api.app.get("/wait", include_in_schema=False)(wait)
        transport = httpx2.ASGITransport(api.app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://testserver") as client:
            waiting = [asyncio.create_task(client.get("/wait")) for _ in range(ROOM)]
            await slow.arrivals(ROOM)
            program = await client.get("/api/v1/me")
            person = await client.get("/verify", headers={"Accept": "text/html"})
            slow.may_answer.set()
            return [answer.status_code for answer in await asyncio.gather(*waiting)], program, person

    served, program, person = asyncio.run(visit())

    assert served == [200] * ROOM
    assert (program.status_code, program.json()["code"]) == (503, "service-busy")
    assert program.headers["X-Content-Type-Options"] == "nosniff"
    assert (person.status_code, person.headers["Retry-After"]) == (503, program.headers["Retry-After"])
    assert "当前请求过多" in person.text


async def _nothing() -> dict[str, object]:
    return {"type": "http.request"}


async def _nowhere(_message: object) -> None:
    return
