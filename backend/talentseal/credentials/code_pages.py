"""A talent's code on his own screen, and the devices that may show it."""

from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends
from markupsafe import Markup
from sqlalchemy.orm import Session
from starlette.responses import Response

from talentseal.accounts import sessions
from talentseal.accounts.access import Present, Rules
from talentseal.accounts.sessions import Cookie
from talentseal.credentials import bars, devices, minting, presentations, qr
from talentseal.credentials.api import WithCredentials
from talentseal.credentials.minting import Minted, Stock
from talentseal.credentials.profiles import Profile
from talentseal.errors import TalentSealError
from talentseal.talents import people
from talentseal.talents.codes import CodeNotFound
from talentseal.talents.desk import AtDesk, Desk, Identifier
from talentseal.web.language import Language, language_of
from talentseal.web.pages import Pages, see_other
from talentseal.web.security import page_policy

pages = APIRouter(include_in_schema=False, prefix="/code")

_POLICY: Final = page_policy() + "; manifest-src 'self'"
"""The app that a phone may install begins on this page."""

_TITLES: Final = {
    Language.ZH: ("人才码二维码", "人才码条形码", "离线证明二维码，仅供出示"),
    Language.EN: (
        "QR code of the talent code",
        "Bar code of the talent code",
        "QR code of the offline proof, display only",
    ),
}
"""What a screen reader says of the pictures: the code, its bar code, the offline proof."""


async def _cookie(rules: Rules) -> Cookie:
    return devices.cookie(secure=rules.secure)


DeviceCookie = Annotated[Cookie, Depends(_cookie)]


@pages.get("")
def show_code(desk: AtDesk, cookie: DeviceCookie) -> Response:
    """My code, full screen; or why it cannot be shown here."""
    token = cookie.read(desk.request)
    return _screen(desk, desk.database.read(lambda session: _hindrance(session, desk, token)))


@pages.post("/token")
def mint(desk: AtDesk, known: Present, credentials: WithCredentials, cookie: DeviceCookie) -> Response:
    """The next token: for the page that renews itself what it exchanges, else the page with it."""
    token = cookie.read(desk.request)

    def work(session: Session) -> Minted:
        return minting.mint(
            session,
            desk.actor,
            credentials.keys,
            device_token=token,
            session_id=known.session,
            now=desk.now,
        )

    minted = desk.database.write(work)
    shown = _shown(desk, minted)
    if desk.request.headers.get("hx-request") == "true":
        site: Pages = desk.request.app.state.pages
        return site.fragment(desk.request, "credentials/code.html", "token", **shown)
    return _screen(desk, None, **shown)


@pages.post("/offline")
def mint_offline(
    desk: AtDesk, known: Present, credentials: WithCredentials, cookie: DeviceCookie
) -> Response:
    """What the page keeps for a time without a network, in pieces that it puts away."""
    token = cookie.read(desk.request)

    def work(session: Session) -> Stock:
        return minting.mint_offline(
            session,
            desk.actor,
            credentials.keys,
            device_token=token,
            session_id=known.session,
            now=desk.now,
        )

    stock = desk.database.write(work)
    titles = _TITLES[language_of(desk.request)]
    site: Pages = desk.request.app.state.pages
    return site.fragment(
        desk.request,
        "credentials/code.html",
        "stock",
        tokens=[_shown(desk, each) for each in stock.tokens],
        proof=Markup(qr.svg(Profile.TC2, stock.proof, titles[2])),  # noqa: S704 - segno's, of 181 characters
        tier=stock.tier,
        lasts=_milliseconds(stock.expires_at, desk.now),
    )


@pages.get("/devices")
def show_devices(desk: AtDesk, cookie: DeviceCookie) -> Response:
    """The devices that may show my code, and where it was shown lately."""
    return _devices(desk, cookie)


@pages.post("/devices")
def bind_device(desk: AtDesk, cookie: DeviceCookie) -> Response:
    """Let this browser show my code."""
    token, browser = sessions.new_token(), desk.request.headers.get("user-agent", "")

    def work(session: Session) -> None:
        devices.bind(session, desk.actor, token=token, browser=browser, now=desk.now)

    def bound() -> Response:
        answer = see_other("/code")
        devices.give(answer, token, secure=cookie.secure)
        return answer

    return desk.act(work, bound, lambda refusal: _devices(desk, cookie, refusal))


@pages.post("/devices/{device}/revocation")
def revoke_device(device: Identifier, desk: AtDesk) -> Response:
    """Let a device show my code no more."""
    desk.database.write(lambda session: devices.revoke(session, desk.actor, device, now=desk.now).id)
    return see_other("/code/devices", "device-revoked")


@pages.get("/devices/{_act:path}")
def back_to_devices(_act: str) -> Response:
    """Whoever loads the answer to a form again comes back to where the form is."""
    return see_other("/code/devices")


@pages.get("/offline")
@pages.get("/token")
def back_to_code() -> Response:
    """Likewise."""
    return see_other("/code")


def _hindrance(session: Session, desk: Desk, token: str) -> TalentSealError | None:
    """Why no code can be shown in this browser; None when one can."""
    talent = people.of_account(session, desk.actor)
    try:
        minting.require_usable(minting.own_code(session, talent.id))
        devices.bound(session, desk.actor, token)
    except (CodeNotFound, devices.DeviceNotBound, minting.OwnCodeUnusable) as refusal:
        return refusal
    return None


def _screen(desk: Desk, hindrance: TalentSealError | None, **shown: Any) -> Response:
    nothing: dict[str, Any] = {"picture": "", "bars": "", "number": "", "tier": "", "lasts": 0, "proof": ""}
    why = "" if hindrance is None else desk.said(hindrance)
    code = "" if hindrance is None else hindrance.code
    page = desk.show("credentials/code.html", why=why, hindrance=code, **(nothing | shown))
    page.headers["Content-Security-Policy"] = _POLICY
    return page


def _shown(desk: Desk, minted: Minted) -> dict[str, Any]:
    """What the page shows of a token. lasts: milliseconds, by the server's own clock."""
    titles = _TITLES[language_of(desk.request)]
    return {
        "picture": Markup(qr.svg(Profile.TC1, minted.text, titles[0])),  # noqa: S704 - segno's, of 46 characters
        "bars": Markup(bars.svg(minted.number, titles[1])),  # noqa: S704 - drawn of 19 digits
        "number": minted.grouped,
        "tier": minted.tier,
        "lasts": _milliseconds(minted.expires_at, desk.now),
    }


def _milliseconds(until: datetime, now: datetime) -> int:
    return int((until - now).total_seconds() * 1000)


def _devices(desk: Desk, cookie: Cookie, refusal: TalentSealError | None = None) -> Response:
    own = sessions.token_hash(cookie.read(desk.request))

    def read(session: Session) -> dict[str, Any]:
        bound = devices.devices_of(session, desk.actor)
        return {
            "devices": bound,
            "own": next((each.id for each in bound if each.token_hash == own), ""),
            "shown": presentations.shown_of(session, desk.actor),
        }

    return desk.show("credentials/devices.html", refusal=refusal, **desk.database.read(read))
