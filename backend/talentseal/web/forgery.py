"""Requests that change something come from our own pages, or from programs that show their own key.

A browser says where a request comes from and no page can make it lie: Sec-Fetch-Site, or Origin in browsers
that are older. What says neither comes from no browser and brings no cookie that it was not given by hand.
"""

from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from talentseal.web import problems
from talentseal.web.language import prefers_english

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})

CODE: Final = "cross-site-request"
ZH: Final = "该请求来自其他网站，已拒绝，没有任何改动。请在本网站的页面上重新操作。"
EN: Final = (
    "The request came from another site and was refused; nothing was changed. Act from this site's own page."
)


class SameSiteOnly:
    """Refuses unsafe requests of other sites (403), whatever the route."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in _SAFE or _is_own(Headers(scope=scope)):
            await self.app(scope, receive, send)
            return
        english = prefers_english(Headers(scope=scope).get("accept-language"))
        await problems.answer(403, CODE, ZH, EN, english=english)(scope, receive, send)


def _is_own(headers: Headers) -> bool:
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == headers.get("host")
