"""Load shedding: what comes beyond what can be served soon is told to come back, before it costs anything.

A queue without an end serves nobody: whoever waits in it has gone when his turn comes, and the work is done
for nothing. So a request is taken while there is room, and is then answered within a fraction of a second;
any other is refused (503, Retry-After), with nothing read of its body and nothing changed. The refusal comes
after a pause, which costs the service nothing: told at once, whoever repeats at once would take up with
refusals the time in which others are served.
"""

import asyncio
from functools import cache
from typing import ClassVar, Final

import structlog
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from talentseal.errors import Unavailable
from talentseal.web import problems
from talentseal.web.language import prefers_english

log = structlog.get_logger(__name__)

ROOM: Final = 64
"""Requests of one process that are being served or wait for one of its forty threads."""

PAUSE: Final = 1.0
"""Seconds before a refusal. With half as many, under ten times its load one process kept 0.79 of its peak,
with this 0.86.
"""

PAUSING: Final = 1000
"""Refusals that wait at most; any other is told at once."""

_ALWAYS: Final = frozenset({"/healthz", "/readyz", "/metrics"})
"""Those who watch the service have to see it when it is busiest."""


class ServiceBusy(Unavailable):
    code: ClassVar[str] = "service-busy"
    zh: ClassVar[str] = "当前请求过多，本次请求未受理，没有任何改动。请稍后重试。"
    en: ClassVar[str] = (
        "Too many requests at the moment: this one was not taken, nothing was changed; try again."
    )


class LoadShedding:
    """Takes as many requests at once as there is `room` for, and refuses those beyond.

    pause: seconds before a refusal.
    """

    def __init__(self, app: ASGIApp, room: int = ROOM, pause: float = PAUSE) -> None:
        self.app = app
        self._room = room
        self._pause = pause
        self._taken = 0
        self._pausing = 0
        self._refused = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in _ALWAYS:
            await self.app(scope, receive, send)
        elif self._taken >= self._room:
            await self._refuse(scope, receive, send)
        else:
            self._taken += 1
            try:
                await self.app(scope, receive, send)
            finally:
                self._taken -= 1
                self._tell_when_eased()

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._refused:
            log.warning("load.shedding", at_once=self._room)
        self._refused += 1
        if self._pausing < PAUSING:
            self._pausing += 1
            try:
                await asyncio.sleep(self._pause)
            finally:
                self._pausing -= 1
        english = prefers_english(Headers(scope=scope).get("accept-language"))
        await _refusal(english=english)(scope, receive, send)

    def _tell_when_eased(self) -> None:
        if self._refused and self._taken <= self._room // 2:
            log.warning("load.eased", refused=self._refused)
            self._refused = 0


@cache
def _refusal(*, english: bool) -> Response:
    """Made once: to refuse must cost next to nothing."""
    return problems.of_error(ServiceBusy(), english=english)
