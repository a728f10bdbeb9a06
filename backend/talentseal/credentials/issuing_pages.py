"""An issuer's pages: what waits, one card with the one decision that is due, and what card it offers."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Query
from sqlalchemy.orm import Session
from starlette.responses import Response

from talentseal.accounts.roles import Permission
from talentseal.credentials import card_reading, issuing, offers, qr
from talentseal.credentials.card_desk import AtCardDesk, CardDesk, CardId
from talentseal.credentials.card_models import CardProof, DeclineCategory, DeliveryWay, TalentCard
from talentseal.credentials.card_schemas import (
    DeclineCard,
    DeliverCard,
    PersonaliseCard,
    PrintData,
    SetOffer,
    Stage,
)
from talentseal.credentials.profiles import Profile
from talentseal.errors import TalentSealError
from talentseal.partners import outlets
from talentseal.web.forms import Form, Typed, command_of, nested, texts
from talentseal.web.pages import see_other

PAGE_LENGTH = 50
_MOST_OUTLETS = 500

pages = APIRouter(include_in_schema=False)


@pages.get("/card-requests")
def list_requests(
    desk: AtCardDesk,
    stage: Stage | None = None,
    after: Annotated[str, Query(pattern=r"^([0-9a-f]{32})?$")] = "",
) -> Response:
    """What waits for one thing; without one being named, for the first for which anything waits."""

    def read(session: Session) -> dict[str, Any]:
        counts = card_reading.waiting(session, desk.actor)
        chosen = stage or next((each for each, count in counts.items() if count), Stage.NEW)
        page = card_reading.work_list(
            session, desk.actor, desk.vault, chosen, after=after, limit=PAGE_LENGTH, now=desk.now
        )
        offer = offers.own_offer(session, desk.actor)
        return {"counts": counts, "stage": chosen, "page": page, "after": after, "offer": offer}

    return desk.show("cards/requests.html", **desk.database.read(read))


@pages.get("/card-requests/{card}")
def show_request(desk: AtCardDesk, card: CardId) -> Response:
    """One card, and what is to be decided."""
    return _show(desk, card)


def _show(
    desk: CardDesk, card: str, refusal: TalentSealError | None = None, typed: Typed | None = None
) -> Response:
    def read(session: Session) -> dict[str, Any]:
        seen = card_reading.request_of(session, desk.actor, desk.vault, card, now=desk.now)
        own = (
            outlets.outlets_of(session, desk.actor, limit=_MOST_OUTLETS)
            if desk.actor.may(Permission.OUTLET_MANAGE)
            else []
        )
        return {"card": seen, "outlets": [each for each in own if each.closed_at is None]}

    return desk.show(
        "cards/request.html",
        refusal=refusal,
        typed=Typed() if typed is None else typed,
        categories=list(DeclineCategory),
        **desk.database.read(read),
    )


def _act(
    desk: CardDesk,
    card: str,
    notice: str,
    work: Callable[[Session], TalentCard],
    typed: Typed | None = None,
) -> Response:
    return desk.act(
        work,
        lambda: see_other(f"/card-requests/{card}", notice),
        lambda refusal: _show(desk, card, refusal, typed),
    )


@pages.get("/card-requests/{card}/recipient")
def show_recipient(desk: AtCardDesk, card: CardId) -> Response:
    """To whom it goes. Each opening is kept."""
    met = desk.database.write(
        lambda session: issuing.recipient(session, desk.actor, desk.vault, card, now=desk.now)
    )
    return desk.show("cards/recipient.html", recipient=met, card=card)


@pages.get("/card-requests/{card}/print")
def show_print_data(desk: AtCardDesk, card: CardId) -> Response:
    """What goes on and into it."""
    return desk.show("cards/print.html", data=_print_data(desk, card), card=card)


@pages.get("/card-requests/{card}/print.png")
def draw_printed_code(desk: AtCardDesk, card: CardId) -> Response:
    """The code that goes on it, as a picture."""
    return Response(qr.png(Profile.TC3, _print_data(desk, card).code), media_type="image/png")


def _print_data(desk: CardDesk, card: str) -> PrintData:
    return desk.database.read(
        lambda session: issuing.print_data(session, desk.actor, desk.vault, desk.keys, card, now=desk.now)
    )


@pages.post("/card-requests/{card}/review")
def take_up(desk: AtCardDesk, card: CardId) -> Response:
    """Take it up."""
    return _act(
        desk, card, "card-taken-up", lambda session: issuing.take_up(session, desk.actor, card, now=desk.now)
    )


@pages.post("/card-requests/{card}/approval")
def approve(desk: AtCardDesk, card: CardId) -> Response:
    """Agree to issue it."""
    return _act(
        desk, card, "card-approved", lambda session: issuing.approve(session, desk.actor, card, now=desk.now)
    )


@pages.post("/card-requests/{card}/decline")
def decline(desk: AtCardDesk, card: CardId, form: Form) -> Response:
    """Give none, and say why."""
    typed = nested(texts(form))

    def work(session: Session) -> TalentCard:
        command = command_of(DeclineCard, dict(typed))
        return issuing.decline(session, desk.actor, desk.vault, card, command, now=desk.now)

    return _act(desk, card, "card-declined", work, typed)


@pages.post("/card-requests/{card}/personalisation")
def personalise(desk: AtCardDesk, card: CardId, form: Form) -> Response:
    """Give it its number and its last day."""
    typed = nested(texts(form))

    def work(session: Session) -> TalentCard:
        command = command_of(PersonaliseCard, dict(typed))
        return issuing.personalise(session, desk.actor, desk.vault, card, command, now=desk.now)

    return _act(desk, card, "card-personalised", work, typed)


@pages.post("/card-requests/{card}/delivery")
def deliver(desk: AtCardDesk, card: CardId, form: Form) -> Response:
    """Note how it was handed over or sent."""
    typed = nested(texts(form))

    def work(session: Session) -> TalentCard:
        wanted = "outlet" if typed["way"] == DeliveryWay.AT_OUTLET else "mail_reference"
        fields = {name: typed[name] for name in ("way", wanted) if name in typed}
        return issuing.deliver(session, desk.actor, card, command_of(DeliverCard, fields), now=desk.now)

    return _act(desk, card, "card-delivered", work, typed)


@pages.post("/card-requests/{card}/reissue")
def reissue(desk: AtCardDesk, card: CardId) -> Response:
    """Begin another in its place, and go on to that one."""
    made: list[str] = []

    def work(session: Session) -> None:
        made[:] = [issuing.reissue(session, desk.actor, card, now=desk.now).id]

    return desk.act(
        work,
        lambda: see_other(f"/card-requests/{made[0]}", "card-reissue-begun"),
        lambda refusal: _show(desk, card, refusal),
    )


@pages.get("/card-requests/{card}/{_act:path}")
def back_to_request(card: CardId, _act: str) -> Response:
    """Whoever loads the answer to a form again comes back to where the form is."""
    return see_other(f"/card-requests/{card}")


@pages.get("/card-offer")
def show_offer(desk: AtCardDesk) -> Response:
    """What card my organisation offers."""
    return _offer(desk)


@pages.post("/card-offer")
def set_offer(desk: AtCardDesk, form: Form) -> Response:
    """Say what card my organisation offers."""
    typed = nested(texts(form))

    def work(session: Session) -> None:
        said = {**typed, "is_open": bool(typed["is_open"])}
        offers.set_offer(session, desk.actor, command_of(SetOffer, said), now=desk.now)

    return desk.act(
        work,
        lambda: see_other("/card-offer", "card-offer-set"),
        lambda refusal: _offer(desk, refusal, typed),
    )


def _offer(desk: CardDesk, refusal: TalentSealError | None = None, typed: Typed | None = None) -> Response:
    offer = desk.database.read(lambda session: offers.own_offer(session, desk.actor))
    shown = (
        typed if typed is not None else Typed(offer.model_dump() if offer else {"proof": CardProof.STATIC})
    )
    return desk.show("cards/offer.html", refusal=refusal, offer=offer, typed=shown)
