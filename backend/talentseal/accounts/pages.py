"""Pages of signing in and out."""

from typing import Annotated

from fastapi import APIRouter, Form
from pydantic import BaseModel
from starlette.responses import JSONResponse, RedirectResponse, Response

from talentseal.accounts import demonstration, key_sign_in, sessions, signing_in
from talentseal.accounts.access import Db, Rules, signed_in_of
from talentseal.accounts.arrival import Arriving
from talentseal.accounts.counter import AtCounter, Counter
from talentseal.accounts.destination import HOME, home_of, local_path, with_next
from talentseal.accounts.models import SignInMethod
from talentseal.accounts.schemas import Address, Command, Signature
from talentseal.accounts.signing_in import Known
from talentseal.errors import TalentSealError
from talentseal.web.pages import see_other

pages = APIRouter(include_in_schema=False)
demonstration_pages = APIRouter(include_in_schema=False)
"""Mounted in demonstration mode alone."""

Next = Annotated[str, Form(max_length=4000)]
Typed = Annotated[str, Form(max_length=1000)]


@pages.get("/sign-in")
def sign_in(counter: AtCounter, next: str = "") -> Response:  # noqa: A002 - the address names it
    """Who are you? Whoever is signed in already goes on."""
    destination, known = local_path(next), signed_in_of(counter.request)
    if known is not None:
        return RedirectResponse(destination or home_of(known.actor.role), 303)
    people = counter.arrival.database.read(demonstration.people)
    return counter.show("accounts/sign-in.html", next=destination, returns=bool(next), people=people, name="")


@pages.post("/sign-in")
def enter(
    counter: AtCounter,
    name: Typed,
    password: Typed,
    next: Next = "",  # noqa: A002 - the form names it
) -> Response:
    """The first factor by password."""
    destination = local_path(next)
    try:
        known = signing_in.check_password(counter.door, counter.arrival, name, password)
        return _go_on(counter, known, SignInMethod.PASSWORD, destination)
    except TalentSealError as error:
        people = counter.arrival.database.read(demonstration.people)
        values = {"next": destination, "returns": False, "people": people, "name": name}
        return counter.refuse("accounts/sign-in.html", error, **values)


def _go_on(counter: Counter, known: Known, method: SignInMethod, destination: str) -> Response:
    """On to the second factor, or in when there is none to show. destination: empty for one's home."""
    arrival, half = counter.arrival, counter.arrival.rules.half_cookie
    going_on = destination or home_of(known.role)
    if not signing_in.needs_second_factor(known, method):
        counter.door.throttle.succeeded(known.name, arrival.address)
        return arrival.admit(known.account_id, method, going_on)
    response = see_other(with_next("/sign-in/second-factor", going_on))
    half.give(response, signing_in.wait_for_code(arrival, known, method))
    return response


@pages.get("/sign-in/second-factor")
def second_factor(counter: AtCounter, next: str = "") -> Response:  # noqa: A002 - the address names it
    """Ask for the six digits, or a recovery code."""
    return counter.show("accounts/second-factor.html", next=local_path(next))


@pages.post("/sign-in/second-factor")
def confirm(
    counter: AtCounter,
    code: Typed,
    next: Next = "",  # noqa: A002 - the form names it
) -> Response:
    """The second factor."""
    destination, half = local_path(next), counter.arrival.rules.half_cookie
    try:
        token = signing_in.check_code(counter.door, counter.arrival, half.read(counter.request), code)
    except TalentSealError as error:
        return counter.refuse("accounts/second-factor.html", error, next=destination)
    response = counter.arrival.leave_with(token, see_other(destination or HOME, "signed-in"))
    half.take(response)
    return response


class AskChallenge(Command):
    """Ask for what the key of an address is to sign."""

    address: Address


class AnswerChallenge(Command):
    """The key's signature over the challenge. next: the page to go on to."""

    address: Address
    signature: Signature
    next: str = ""


class WayOn(BaseModel):
    """Where the browser goes on."""

    location: str


@pages.get("/sign-in/key")
def by_key(counter: AtCounter, next: str = "") -> Response:  # noqa: A002 - the address names it
    """Sign in by a wallet, or by a signature made elsewhere."""
    return counter.show("accounts/sign-in-key.html", next=local_path(next))


@pages.post("/sign-in/key/challenge")
def ask_challenge(command: AskChallenge, counter: AtCounter) -> Response:
    """Typed data for the wallet; the cookie with it lets this browser alone answer."""
    asked = key_sign_in.ask(counter.door, counter.arrival, command.address)
    response = JSONResponse(asked.challenge.typed_data())
    counter.arrival.rules.half_cookie.give(response, asked.token)
    return response


@pages.post("/sign-in/key")
def answer_challenge(command: AnswerChallenge, counter: AtCounter) -> Response:
    """Sign in the account that signs in by this key."""
    token = counter.arrival.rules.half_cookie.read(counter.request)
    known = key_sign_in.answer(counter.door, counter.arrival, token, command.address, command.signature)
    going = _go_on(counter, known, SignInMethod.KEY, local_path(command.next))
    response = JSONResponse(WayOn(location=going.headers["location"]).model_dump())
    response.headers["set-cookie"] = going.headers["set-cookie"]
    return response


@pages.post("/sign-out")
def sign_out(counter: AtCounter, database: Db, rules: Rules) -> Response:
    """End this session. Nothing is wrong when there is none."""
    if token := rules.cookie.read(counter.request):
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
    destination = local_path(next) or home_of(person.role)
    return arriving.admit(person.account, SignInMethod.DEMONSTRATION, destination)
