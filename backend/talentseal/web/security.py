"""Security headers on every response, pages of this service being self-contained."""

from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_NOTHING: Final = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"


def page_policy(*, connect: str = "'self'") -> str:
    """What a page may load: this service's own files, nothing inline. data: Tabler's arrows and ticks.

    connect: where its scripts may ask. A handler whose page needs more sets the header itself.
    """
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self';"
        f" connect-src {connect}; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )


_OWN_FILES: Final = page_policy()

HEADERS: Final = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

CAMERA: Final = HEADERS["Permissions-Policy"].replace("camera=()", "camera=(self)")
"""That of a page that reads QR codes."""

TRANSPORT: Final = "max-age=31536000; includeSubDomains"


class SecurityHeaders:
    """Adds HEADERS, and forbids caching wherever the route has not allowed it.

    https: whether the service's public address is https, in which case browsers are told to stay there.
    """

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self.app = app
        self.headers = HEADERS | ({"Strict-Transport-Security": TRANSPORT} if https else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
                is_page = headers.get("content-type", "").startswith("text/html")
                headers.setdefault("Content-Security-Policy", _OWN_FILES if is_page else _NOTHING)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self.app(scope, receive, add)
