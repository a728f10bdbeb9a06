"""The counter in a browser: one outlet, one input, one answer after the other."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends
from sqlalchemy.orm import Session
from starlette.responses import Response

from talentseal.accounts.access import Rules
from talentseal.accounts.roles import Permission
from talentseal.accounts.sessions import Cookie
from talentseal.clock import legal_date
from talentseal.credentials import inspecting, proofs, showing
from talentseal.credentials.api import WithCredentials, named_request
from talentseal.credentials.inspecting import Seen
from talentseal.credentials.presenting import Credentials, Established, Refused, Sent, present
from talentseal.credentials.proofs import ProofTrust
from talentseal.errors import TalentSealError
from talentseal.partners import counter
from talentseal.partners.counter import AtBrowser, TerminalUnknown
from talentseal.partners.models import Outlet
from talentseal.talents.desk import AtDesk, Desk, Identifier, photo_answer
from talentseal.talents.models import FieldGroup
from talentseal.web.forms import Form, said
from talentseal.web.pages import Pages, see_other
from talentseal.web.security import CAMERA

pages = APIRouter(include_in_schema=False, prefix="/counter")

_LONGEST_NAME: Final = 64


async def _served(desk: AtDesk) -> Desk:
    desk.actor.require(Permission.COUNTER_SERVE)
    return desk


async def _cookie(rules: Rules) -> Cookie:
    return Cookie("talentseal-outlet", rules.secure)


AtCounter = Annotated[Desk, Depends(_served)]
OutletCookie = Annotated[Cookie, Depends(_cookie)]


@pages.get("")
def choose_outlet(desk: AtCounter, cookie: OutletCookie, choose: bool = False) -> Response:
    """Where do I serve? Once that is known, on to it."""
    served = desk.database.read(lambda session: counter.served_by(session, desk.actor))
    last = cookie.read(desk.request)
    known = [each.id for each in served if each.id == last or len(served) == 1]
    if known and not choose:
        return see_other(f"/counter/{known[0]}")
    return desk.show("credentials/outlets.html", served=served)


@pages.get("/proof-trust")
def fetch_proof_trust(desk: AtCounter, credentials: WithCredentials) -> ProofTrust:
    """By what the page looks at offline proofs while it has no network itself."""
    return desk.database.read(
        lambda session: proofs.trust(session, desk.actor, credentials.keys, now=desk.now)
    )


@pages.get("/{outlet}")
def show_counter(outlet: Identifier, desk: AtCounter, cookie: OutletCookie) -> Response:
    """The screen of one outlet."""
    page = _screen(desk, outlet, None)
    cookie.give(page, outlet)
    return page


@pages.post("/{outlet}")
def present_here(outlet: Identifier, desk: AtCounter, credentials: WithCredentials, form: Form) -> Response:
    """Establish whoever shows this: for the page that stays what it exchanges, else the page anew."""
    values = {name: value for name, value in form.items() if isinstance(value, str)}
    name = values.get("request", "")[:_LONGEST_NAME]
    sent = Sent(values.get("sent", ""), named_request(name) if name else "")
    met = _met(desk, credentials, outlet, sent)
    if desk.request.headers.get("hx-request") == "true":
        site: Pages = desk.request.app.state.pages
        return site.fragment(desk.request, "credentials/counter.html", "outcome", **_told(desk, outlet, met))
    return _screen(desk, outlet, met)


@pages.get("/{outlet}/presentations/{presentation}/photo")
def open_photo(outlet: Identifier, presentation: Identifier, desk: AtCounter) -> Response:
    """The photo of whoever was established, as far as he lets us see it."""
    return photo_answer(
        desk.database.write(
            lambda session: showing.picture(
                session, desk.actor, desk.vault, AtBrowser(outlet), presentation, now=desk.now
            )
        )
    )


@pages.get("/{outlet}/{_act:path}")
def back_to_counter(outlet: Identifier, _act: str) -> Response:
    """Whoever loads the answer to a form again comes back to where the form is."""
    return see_other(f"/counter/{outlet}")


@pages.post("/{outlet}/presentations/{presentation}/fields")
def open_fields(outlet: Identifier, presentation: Identifier, desk: AtCounter) -> Response:
    """What whoever was established lets us read: for the page that stays a piece, else all of it."""
    fields = desk.database.write(
        lambda session: showing.fields(
            session, desk.actor, desk.vault, AtBrowser(outlet), presentation, now=desk.now
        )
    )
    if desk.request.headers.get("hx-request") == "true":
        site: Pages = desk.request.app.state.pages
        return site.fragment(desk.request, "credentials/counter.html", "fields", fields=fields)
    return _screen(desk, outlet, None, fields=fields)


def _met(
    desk: Desk, credentials: Credentials, outlet: str, sent: Sent
) -> Established | Seen | TalentSealError:
    place = AtBrowser(outlet)

    def work(session: Session) -> Established | Seen | Refused:
        if inspecting.is_proof(sent.text):
            return inspecting.inspect(session, desk.actor, credentials, place, sent.text, now=desk.now)
        return present(session, desk.actor, credentials, place, sent, now=desk.now)

    try:
        met = desk.database.write(work)
    except TerminalUnknown as unknown:
        return unknown
    return met.error if isinstance(met, Refused) else met


def _screen(
    desk: Desk,
    outlet: str,
    met: Established | Seen | TalentSealError | None,
    fields: Mapping[FieldGroup, Mapping[str, Any]] | None = None,
) -> Response:
    def find(session: Session) -> tuple[Outlet | None, bool]:
        served = counter.served_by(session, desk.actor)
        return next((each for each in served if each.id == outlet), None), len(served) > 1

    found, others = desk.database.read(find)
    if found is None:
        raise TerminalUnknown
    page = desk.show(
        "credentials/counter.html", outlet=found, others=others, fields=fields, **_told(desk, outlet, met)
    )
    page.headers["Permissions-Policy"] = CAMERA
    if isinstance(met, TalentSealError):
        page.status_code = met.status
    return page


def _told(desk: Desk, outlet: str, met: Established | Seen | TalentSealError | None) -> dict[str, Any]:
    """What the clerk is told. met: None before the first."""
    refusal = met if isinstance(met, TalentSealError) else None
    return {
        "place": f"/counter/{outlet}",
        "established": met if isinstance(met, Established) else None,
        "seen": met if isinstance(met, Seen) else None,
        "key_days": (legal_date(desk.now) - met.key_first_day).days if isinstance(met, Seen) else 0,
        "why": said(refusal, desk.request) if refusal else "",
        "code": refusal.code.upper().replace("-", "_") if refusal else "",
        "now": desk.now,
    }
