"""A talent's pages: signing up, what is open for him, his tier and why."""

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from talentseal.accounts.access import signed_in_of
from talentseal.accounts.counter import AtCounter, Counter
from talentseal.accounts.destination import home_of
from talentseal.errors import TalentSealError
from talentseal.talents import people, reading
from talentseal.talents.desk import AtDesk, Desk
from talentseal.talents.signing_up import SignUp, sign_up
from talentseal.web.forms import Form, Typed, command_of, errors_of, nested, said, texts
from talentseal.web.pages import Pages, see_other

pages = APIRouter(include_in_schema=False)


@pages.get("/sign-up")
def show_sign_up(counter: AtCounter) -> Response:
    """Who would like an account? Whoever is signed in has one."""
    known = signed_in_of(counter.request)
    if known is not None:
        return RedirectResponse(home_of(known.actor.role), 303)
    return _sign_up(counter, Typed())


@pages.post("/sign-up")
def open_account(counter: AtCounter, form: Form) -> Response:
    """Open a talent's account, and sign him in."""
    values = nested(texts(form))
    try:
        token = sign_up(counter.door, counter.arrival, _command(values))
    except TalentSealError as refusal:
        return _sign_up(counter, values, refusal)
    return counter.arrival.leave_with(token, see_other("/me", "signed-up"))


def _command(values: Typed) -> SignUp:
    return command_of(SignUp, {name: values[name] for name in SignUp.model_fields})


def _sign_up(counter: Counter, values: Typed, refusal: TalentSealError | None = None) -> Response:
    page = counter.site.render(
        counter.request,
        "talents/sign-up.html",
        status=refusal.status if refusal else 200,
        refusal=said(refusal, counter.request) if refusal else "",
        errors=errors_of(refusal, counter.request),
        name=values["name"],
        version=people.NOTICE_VERSION,
    )
    if refusal is not None and "retry_after" in refusal.params:
        page.headers["Retry-After"] = str(refusal.params["retry_after"])
    return page


@pages.get("/privacy")
def show_notice(request: Request) -> Response:
    """The privacy notice of today, for everyone."""
    site: Pages = request.app.state.pages
    return site.render(request, "talents/privacy.html", version=people.NOTICE_VERSION)


@pages.get("/me")
def show_me(desk: AtDesk) -> Response:
    """What I have, and what is open."""
    return _own(desk, "talents/me.html")


@pages.get("/me/tier")
def show_tier(desk: AtDesk) -> Response:
    """My tier today, and every recognition with what it stands on."""
    return _own(desk, "talents/tier.html")


def _own(desk: Desk, template: str) -> Response:
    application, standing = desk.database.read(
        lambda session: reading.own_standing(session, desk.actor, desk.vault, now=desk.now)
    )
    return desk.show(template, application=application, standing=standing)
