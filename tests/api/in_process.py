"""An HTTP client of an application in this process, without a socket.

Starlette's own starts a thread with a fresh event loop for every request and crosses to it eight times, which
is most of a short request's time. Here the loop runs on the caller's thread and stays.
"""

import asyncio
import atexit
import threading
from typing import Any, Final

import httpx2
from starlette.types import ASGIApp

BASE: Final = "http://testserver"
CLIENT: Final = ("testclient", 50000)


class InProcess(httpx2.BaseTransport):
    """Hands requests to an application. raises: whether an exception that it did not answer is the test's."""

    def __init__(self, app: ASGIApp, *, raises: bool) -> None:
        self._transport = httpx2.ASGITransport(app, raise_app_exceptions=raises, client=CLIENT)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        if threading.current_thread() is threading.main_thread():
            return _runner().run(self._answer(request))
        with asyncio.Runner() as runner:
            return runner.run(self._answer(request))

    async def _answer(self, request: httpx2.Request) -> httpx2.Response:
        content = request.read()
        sent = httpx2.Request(request.method, request.url, headers=request.headers, content=content)
        answer = await self._transport.handle_async_request(sent)
        body = b"".join([part async for part in answer.aiter_raw()])
        return httpx2.Response(answer.status_code, headers=answer.headers.raw, stream=httpx2.ByteStream(body))


def client_of(app: ASGIApp, *, raises: bool = True, **options: Any) -> httpx2.Client:
    """A client with cookies of its own, which follows redirects unless told otherwise."""
    return httpx2.Client(
        transport=InProcess(app, raises=raises), base_url=BASE, **{"follow_redirects": True, **options}
    )


_RUNNERS: Final[list[asyncio.Runner]] = []


def _runner() -> asyncio.Runner:
    """That of the main thread, until the process ends."""
    if not _RUNNERS:
        _RUNNERS.append(asyncio.Runner())
        atexit.register(_RUNNERS[0].close)
    return _RUNNERS[0]
