"""What routes take from the application: the database, the time, and whoever is calling.

Programs show an API key and pages a session, each where the other counts for nothing: `ApiActor` reads the
Authorization header alone, `WebActor` the session cookie alone.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, ClassVar, Final

from fastapi import Depends, FastAPI, Request
from fastapi.routing import iter_route_contexts
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Match
from starlette.types import ASGIApp, Receive, Scope, Send

from talentseal.accounts import sessions
from talentseal.accounts.api_keys import Authenticator, ConfirmedWrites
from talentseal.accounts.destination import local_path, with_next
from talentseal.accounts.operations import OPERATIONS, Audience, Need
from talentseal.accounts.roles import Actor
from talentseal.accounts.sessions import SEEN_EVERY, SessionRules, SignedIn
from talentseal.clock import Clock
from talentseal.db import Database, Writes
from talentseal.errors import NotPermitted, TalentSealError, Unavailable
from talentseal.vault import Vault
from talentseal.web import problems
from talentseal.web.language import prefers_english
from talentseal.web.pages import Pages, Visitor

_SCHEMES: Final = {"ApiKey": {"type": "http", "scheme": "bearer", "bearerFormat": "ts_<id>_<secret>"}}
"""What the OpenAPI document calls the key that the Authenticator reads."""

_PROGRAMS: Final = ("/api/v1/", "/log/", "/static/", "/metrics", "/healthz", "/readyz", "/version")
"""What is served alike to everyone, whoever is signed in."""


class SignInNeeded(TalentSealError):
    code: ClassVar[str] = "sign-in-needed"
    status: ClassVar[int] = 401
    zh: ClassVar[str] = "请先登录。登录后会回到此处。"
    en: ClassVar[str] = "Sign in first; you will come back here."


@dataclass(frozen=True, slots=True)
class Access:
    """Set as `app.state.access` by the composition root."""

    database: Database
    clock: Clock
    authenticator: Authenticator
    sessions: SessionRules


def access_of(request: Request) -> Access:
    access: Access = request.app.state.access
    return access


# Each takes the application's Access by itself: as a dependency of theirs it took longer than a short query.
async def _database(request: Request) -> Database:
    return access_of(request).database


async def _now(request: Request) -> datetime:
    return access_of(request).clock.now()


async def _vault(request: Request) -> Vault:
    vault: Vault = request.app.state.vault
    return vault


async def _session_rules(request: Request) -> SessionRules:
    return access_of(request).sessions


def _actor(request: Request) -> Actor:
    address = request.client.host if request.client else ""
    actor = access_of(request).authenticator.authenticate(request.headers.get("authorization"), address)
    _check(request, actor)
    return actor


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever calls by an API key, and the database as he writes to it."""

    actor: Actor
    database: Writes


async def _caller(request: Request) -> Caller:
    # To read the key before the act, on a thread of its own, cost a twelfth of a redemption.
    access = access_of(request)
    recalled = access.authenticator.recall(request.headers.get("authorization"))
    if recalled is None:
        return Caller(await run_in_threadpool(_actor, request), access.database)
    _check(request, recalled.actor)
    return Caller(recalled.actor, ConfirmedWrites(access.database, recalled))


def _check(request: Request, actor: Actor) -> None:
    """Raises NotPermitted unless the actor has a permission that the operation takes."""
    need = request.app.state.needs[request.method, request.scope["endpoint"]]
    if isinstance(need, tuple) and not any(actor.may(each) for each in need):
        raise NotPermitted(permission=" / ".join(each.value for each in need))


def signed_in_of(request: Request) -> SignedIn | None:
    """Whose session the request's cookie opened, as `Recognition` found it."""
    known: SignedIn | None = getattr(request.state, "signed_in", None)
    return known


def recognise(request: Request, access: Access, token: str) -> None:
    """Let the rest of the request belong to the session of `token`; to none when it opens none."""
    now = access.clock.now()
    known = access.database.read(lambda session: sessions.signed_in(session, token, access.sessions, now=now))
    request.state.signed_in = known
    # A page that renews itself is no sign that anybody sits before it.
    is_somebody = request.method not in {"GET", "HEAD"} or not _is_exchange(request)
    if known is not None and is_somebody and now - known.last_seen_at >= SEEN_EVERY:
        # Whoever only reads is served even while nothing can be written.
        with suppress(Unavailable):
            access.database.write(lambda session: sessions.note_seen(session, known.token_hash, now=now))


def visitor_of(request: Request) -> Visitor | None:
    """Who is signed in, as pages name him."""
    known = signed_in_of(request)
    if known is None:
        return None
    permissions = frozenset(permission.value for permission in known.actor.scopes)
    return Visitor(known.name, known.organisation, known.actor.role.value, permissions)


async def _maybe_actor(request: Request) -> Actor | None:
    known = signed_in_of(request)
    return known.actor if known else None


async def _present(request: Request) -> SignedIn:
    known = signed_in_of(request)
    if known is None:
        raise SignInNeeded
    _check(request, known.actor)
    return known


async def _web_actor(request: Request) -> Actor:
    return (await _present(request)).actor


Db = Annotated[Database, Depends(_database)]
TheVault = Annotated[Vault, Depends(_vault)]
"""What opens and seals what is kept of people; set as `app.state.vault`."""
Now = Annotated[datetime, Depends(_now)]
Rules = Annotated[SessionRules, Depends(_session_rules)]
ApiActor = Annotated[Actor, Depends(_actor)]
ApiCaller = Annotated[Caller, Depends(_caller)]
"""For what reads and writes through the caller's `database` alone: in it he is known to be who he is."""
WebActor = Annotated[Actor, Depends(_web_actor)]
"""Whoever is signed in; raises SignInNeeded when nobody is."""
MaybeActor = Annotated[Actor | None, Depends(_maybe_actor)]
Present = Annotated[SignedIn, Depends(_present)]
"""The session in use; raises SignInNeeded when there is none."""


class Recognition:
    """Reads once per page request whose session it belongs to, so that refusals name the visitor as well."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not scope["path"].startswith(_PROGRAMS):
            request = Request(scope)
            access: Access = scope["app"].state.access
            if token := access.sessions.cookie.read(request):
                await run_in_threadpool(recognise, request, access, token)
        await self.app(scope, receive, send)


def declare(app: FastAPI) -> None:
    """Let every route be what `OPERATIONS` says of it. Call it when all are there.

    Raises ValueError for one of which the table says nothing, and for a function that serves two with
    different needs.
    """
    needs: dict[tuple[str, Any], Need] = {}
    closed: set[tuple[str, str | None]] = set()
    for context in iter_route_contexts(app.routes):
        for method in context.methods or ():
            # HEAD is answered by what answers GET.
            need = OPERATIONS.get(f"{'GET' if method == 'HEAD' else method} {context.path}")
            if need is None:
                raise ValueError(f"operations.toml says nothing of {method} {context.path}: declare it")
            if needs.setdefault((method, context.endpoint), need) != need:
                raise ValueError(f"{context.endpoint} serves operations with different needs: part them")
            if need is not Audience.EVERYONE:
                closed.add((method.lower(), context.path_format))
    app.state.needs, app.state.closed = needs, closed


def document_keys(app: FastAPI, schema: dict[str, Any]) -> dict[str, Any]:
    """The OpenAPI document with the need of a key on every operation that `declare` found closed.

    From the table, not by a dependency of each route, which took 2 of 100 parts of a redemption.
    """
    schema["components"]["securitySchemes"] = _SCHEMES
    for path, operations in schema["paths"].items():
        for verb, operation in operations.items():
            if (verb, path) in app.state.closed:
                operation["security"] = [{name: []} for name in _SCHEMES]
    return schema


def install(app: FastAPI) -> None:
    """Let `app` know its visitors and send those away to sign in who have to."""
    app.add_exception_handler(SignInNeeded, _on_sign_in_needed)
    app.add_middleware(Recognition)


async def _on_sign_in_needed(request: Request, error: Exception) -> Response:
    """For a page the way to sign in; for a form a page that says what has become of what was typed."""
    if not isinstance(error, SignInNeeded):
        raise error
    if "text/html" not in request.headers.get("accept", "") and not _is_exchange(request):
        english = prefers_english(request.headers.get("accept-language"))
        return problems.of_error(error, english=english)
    address = with_next("/sign-in", _page_of(request))
    if _is_exchange(request):
        # The answer to an exchange would be put in the middle of the page; the whole page has to go.
        return HTMLResponse(status_code=401, headers={"HX-Redirect": address})
    if request.method in {"GET", "HEAD"}:
        return RedirectResponse(address, 303)
    pages: Pages = request.app.state.pages
    return pages.render(request, "accounts/session-ended.html", status=401, sign_in=address)


def _is_exchange(request: Request) -> bool:
    return request.headers.get("hx-request") == "true"


def _page_of(request: Request) -> str:
    """The page on which the request was made: itself, or the nearest one above that can be shown."""
    if _is_exchange(request):
        shown = request.headers.get("hx-current-url", "")
        return local_path(shown.removeprefix(str(request.base_url).rstrip("/")))
    if request.method in {"GET", "HEAD"}:
        query = f"?{request.url.query}" if request.url.query else ""
        return local_path(request.url.path + query)
    path = request.url.path
    while path and not _is_page(request, path):
        path = path.rpartition("/")[0]
    return local_path(path or "/")


def _is_page(request: Request, path: str) -> bool:
    asked = {**request.scope, "method": "GET", "path": path}
    return any(route.matches(asked)[0] is Match.FULL for route in request.app.routes)
