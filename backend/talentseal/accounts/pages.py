"""Pages of signing in and out."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from talentseal.accounts import demonstration, sessions
from talentseal.accounts.access import Db, Rules, signed_in_of
from talentseal.accounts.arrival import Arriving
from talentseal.accounts.destination import local_path
from talentseal.accounts.models import SignInMethod
from talentseal.web.pages import Pages, see_other

pages = APIRouter(include_in_schema=False)
demonstration_pages = APIRouter(include_in_schema=False)
"""Mounted in demonstration mode alone."""

Next = Annotated[str, Form(max_length=4000)]


@pages.get("/sign-in")
def sign_in(request: Request, database: Db, next: str = "") -> Response:  # noqa: A002 - the address names it
    """Who are you? Whoever is signed in already goes on."""
    destination = local_path(next)
    if signed_in_of(request) is not None:
        return RedirectResponse(destination, 303)
    site: Pages = request.app.state.pages
    return site.render(
        request,
        "accounts/sign-in.html",
        next=destination,
        returns=bool(next),
        people=database.read(demonstration.people),
    )


@pages.post("/sign-out")
def sign_out(request: Request, database: Db, rules: Rules) -> Response:
    """End this session. Nothing is wrong when there is none."""
    if token := rules.cookie.read(request):
        database.write(lambda session: sessions.end(session, sessions.token_hash(token)))
    response = see_other("/", "signed-out")
    rules.cookie.take(response)
    return response


@demonstration_pages.post("/sign-in/demonstration")
def play(
    account: Annotated[str, Form(max_length=32)],
    arriving: Arriving,
    next: Next = "",  # noqa: A002 - the form names it
) -> Response:
    """Sign in as one of the demonstration's invented people."""
    person = arriving.database.read(lambda session: demonstration.person(session, account))
    return arriving.admit(person.account, SignInMethod.DEMONSTRATION, local_path(next))
