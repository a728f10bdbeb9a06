"""A talent's pages of his cards: what he has, what can be asked for, and one card with its acts."""

from collections.abc import Callable
from typing import Any, Final

from fastapi import APIRouter
from sqlalchemy.orm import Session
from starlette.responses import Response

from talentseal.credentials import card_reading, holding, offers
from talentseal.credentials.card_desk import AtCardDesk, CardDesk, CardId
from talentseal.credentials.card_models import TalentCard
from talentseal.credentials.card_schemas import ActivateCard, ReplaceCard, RequestCards
from talentseal.credentials.card_states import IN_USE, MAKING
from talentseal.errors import TalentSealError
from talentseal.web.forms import Form, Typed, command_of, nested, texts
from talentseal.web.pages import see_other

pages = APIRouter(include_in_schema=False, prefix="/cards")

_UNDER_WAY: Final = frozenset(state.value for state in MAKING | IN_USE)


@pages.get("")
def list_cards(desk: AtCardDesk) -> Response:
    """My cards, and whom I can ask for another."""
    return _list(desk)


@pages.post("")
def request_cards(desk: AtCardDesk, form: Form) -> Response:
    """Ask the issuers that were ticked."""
    typed = nested(texts(form), lists=frozenset({"issuers"}))

    def work(session: Session) -> list[TalentCard]:
        asked = {"issuers": tuple(typed["issuers"]), "agreed": bool(typed["agreed"])}
        return holding.request(session, desk.actor, command_of(RequestCards, asked), now=desk.now)

    return desk.act(
        work,
        lambda: see_other("/cards", "cards-requested"),
        lambda refusal: _list(desk, refusal, typed),
    )


def _list(desk: CardDesk, refusal: TalentSealError | None = None, typed: Typed | None = None) -> Response:
    def read(session: Session) -> dict[str, Any]:
        mine = card_reading.own_cards(session, desk.actor, desk.vault, now=desk.now)
        held = {card.issuer for card in mine if card.steps[-1].state.value in _UNDER_WAY}
        offered = offers.open_offers(session, desk.actor)
        return {"cards": mine, "offers": [each for each in offered if each.issuer not in held]}

    met = desk.database.read(read)
    return desk.show("cards/mine.html", refusal=refusal, typed=typed or Typed(), **met)


@pages.get("/{card}")
def show_card(desk: AtCardDesk, card: CardId) -> Response:
    """One card."""
    return _show(desk, card)


def _show(desk: CardDesk, card: str, refusal: TalentSealError | None = None) -> Response:
    def read(session: Session) -> dict[str, Any]:
        seen = card_reading.own_card(session, desk.actor, desk.vault, card, now=desk.now)
        return {"card": seen, "offers": offers.open_offers(session, desk.actor)}

    return desk.show("cards/card.html", refusal=refusal, **desk.database.read(read))


def _act(desk: CardDesk, card: str, notice: str, work: Callable[[Session], TalentCard]) -> Response:
    return desk.act(
        work,
        lambda: see_other(f"/cards/{card}", notice),
        lambda refusal: _show(desk, card, refusal),
    )


@pages.post("/{card}/activation")
def activate(desk: AtCardDesk, card: CardId, form: Form) -> Response:
    """Take it into use."""
    typed = nested(texts(form))

    def work(session: Session) -> TalentCard:
        command = command_of(ActivateCard, {"last_digits": typed["last_digits"]})
        return holding.activate(session, desk.actor, card, command, now=desk.now)

    return _act(desk, card, "card-activated", work)


@pages.post("/{card}/loss")
def report_lost(desk: AtCardDesk, card: CardId) -> Response:
    """Freeze it at once."""
    return _act(
        desk,
        card,
        "card-frozen",
        lambda session: holding.report_lost(session, desk.actor, card, now=desk.now),
    )


@pages.post("/{card}/return")
def put_back(desk: AtCardDesk, card: CardId) -> Response:
    """It was found."""
    return _act(
        desk,
        card,
        "card-put-back",
        lambda session: holding.put_back(session, desk.actor, card, now=desk.now),
    )


@pages.post("/{card}/replacement")
def replace(desk: AtCardDesk, card: CardId, form: Form) -> Response:
    """Ask for another in its place."""
    agreed = bool(nested(texts(form))["agreed"])
    return _act(
        desk,
        card,
        "card-replacement-requested",
        lambda session: holding.replace(
            session, desk.actor, card, command_of(ReplaceCard, {"agreed": agreed}), now=desk.now
        ),
    )


@pages.post("/{card}/closure")
def close(desk: AtCardDesk, card: CardId) -> Response:
    """End it for good."""
    return _act(
        desk, card, "card-closed", lambda session: holding.close(session, desk.actor, card, now=desk.now)
    )


@pages.get("/{card}/{_act:path}")
def back_to_card(card: CardId, _act: str) -> Response:
    """Whoever loads the answer to a form again comes back to where the form is."""
    return see_other(f"/cards/{card}")
