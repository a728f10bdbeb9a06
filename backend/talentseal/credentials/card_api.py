"""JSON API of talent cards: the holder's, the issuer's, and the terminal's before a chip."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from sqlalchemy.orm import Session
from starlette.responses import Response

from talentseal.accounts.access import ApiActor, Db, Now, TheVault
from talentseal.accounts.calls import Call, UnsafeCall
from talentseal.accounts.roles import Actor
from talentseal.clock import legal_date
from talentseal.credentials import card_reading, cards, chips, holding, issuing, offers, presenting
from talentseal.credentials.api import AtTerminal
from talentseal.credentials.card_models import TalentCard
from talentseal.credentials.card_schemas import (
    ActivateCard,
    AnswerChallenge,
    CardList,
    CardReceipt,
    CardReceipts,
    CardView,
    ChallengeView,
    DeclineCard,
    DeliverCard,
    OfferList,
    OfferReceipt,
    OwnOffer,
    PersonaliseCard,
    PrintData,
    PutChallenge,
    Recipient,
    ReplaceCard,
    RequestCards,
    RequestPage,
    RequestView,
    SetOffer,
    Stage,
)
from talentseal.credentials.master_keys import MasterKeys
from talentseal.credentials.presenting import ChipAnswer, Credentials
from talentseal.credentials.schemas import PresentationView
from talentseal.db import Database
from talentseal.partners.counter import AtDevice
from talentseal.partners.schemas import Identifier
from talentseal.talents.models import TalentCode
from talentseal.vault import Vault

api = APIRouter(tags=["talent cards"])

CardPath = Annotated[Identifier, Path()]
ChallengePath = Annotated[Identifier, Path()]


async def _keys(request: Request) -> MasterKeys:
    credentials: Credentials = request.app.state.credentials
    return credentials.keys


Keys = Annotated[MasterKeys, Depends(_keys)]


@dataclass(frozen=True, slots=True)
class Looking:
    """One request that reads, and what it reads with."""

    database: Database
    actor: Actor
    vault: Vault = field(repr=False)
    now: datetime


async def _looking(actor: ApiActor, database: Db, vault: TheVault, now: Now) -> Looking:
    return Looking(database, actor, vault, now)


Look = Annotated[Looking, Depends(_looking)]


def _receipt(session: Session, card: TalentCard, call: UnsafeCall) -> CardReceipt:
    code = session.get_one(TalentCode, card.code_id)
    return CardReceipt(id=card.id, standing=cards.standing(card, code, legal_date(call.now)))


def _act(
    call: UnsafeCall,
    route: str,
    card_id: str,
    act: Callable[[Session], TalentCard],
    *,
    command: DeclineCard | DeliverCard | PersonaliseCard | ReplaceCard | None = None,
    status: int = 200,
) -> Response:
    meaning = {"card": card_id, **(command.model_dump(mode="json") if command else {})}
    return call.perform(route, meaning, lambda session: _receipt(session, act(session), call), status=status)


@api.get("/card-offers")
def list_card_offers(actor: ApiActor, database: Db) -> OfferList:
    """The cards that can be asked for now."""
    return database.read(lambda session: OfferList(items=offers.open_offers(session, actor)))


@api.get("/cards")
def list_cards(look: Look) -> CardList:
    """All my cards and requests."""
    return look.database.read(
        lambda session: CardList(items=card_reading.own_cards(session, look.actor, look.vault, now=look.now))
    )


@api.post("/cards", status_code=201, response_model=CardReceipts)
def request_cards(command: RequestCards, call: Call) -> Response:
    """Ask one or several issuers for a card each."""

    def work(session: Session) -> CardReceipts:
        asked = holding.request(session, call.actor, command, now=call.now)
        return CardReceipts(items=[_receipt(session, card, call) for card in asked])

    return call.perform("POST cards", command.model_dump(mode="json"), work, status=201)


@api.get("/cards/{card_id}")
def get_card(card_id: CardPath, look: Look) -> CardView:
    """One of my cards."""
    return look.database.read(
        lambda session: card_reading.own_card(session, look.actor, look.vault, card_id, now=look.now)
    )


@api.post("/cards/{card_id}/activation", response_model=CardReceipt)
def activate_card(card_id: CardPath, command: ActivateCard, call: Call, vault: TheVault) -> Response:
    """Take a card into use that has arrived."""
    meaning = {"card": card_id, "digits": vault.digest("card-digits", command.last_digits)}

    def work(session: Session) -> CardReceipt:
        return _receipt(session, holding.activate(session, call.actor, card_id, command, now=call.now), call)

    return call.perform("POST card activation", meaning, work)


@api.post("/cards/{card_id}/loss", response_model=CardReceipt)
def report_card_lost(card_id: CardPath, call: Call) -> Response:
    """Report a card lost: it is frozen at once."""
    return _act(
        call,
        "POST card loss",
        card_id,
        lambda session: holding.report_lost(session, call.actor, card_id, now=call.now),
    )


@api.post("/cards/{card_id}/return", response_model=CardReceipt)
def put_card_back(card_id: CardPath, call: Call) -> Response:
    """Use a card again that was reported lost and found."""
    return _act(
        call,
        "POST card return",
        card_id,
        lambda session: holding.put_back(session, call.actor, card_id, now=call.now),
    )


@api.post("/cards/{card_id}/replacement", status_code=201, response_model=CardReceipt)
def replace_card(card_id: CardPath, command: ReplaceCard, call: Call) -> Response:
    """Ask for another card in place of one in use or lost."""
    return _act(
        call,
        "POST card replacement",
        card_id,
        lambda session: holding.replace(session, call.actor, card_id, command, now=call.now),
        command=command,
        status=201,
    )


@api.post("/cards/{card_id}/closure", response_model=CardReceipt)
def close_card(card_id: CardPath, call: Call) -> Response:
    """End a card for good, or take a request back."""
    return _act(
        call,
        "POST card closure",
        card_id,
        lambda session: holding.close(session, call.actor, card_id, now=call.now),
    )


@api.get("/card-offer")
def get_card_offer(actor: ApiActor, database: Db) -> OwnOffer:
    """The card that my organisation offers."""
    return database.read(lambda session: OwnOffer(offer=offers.own_offer(session, actor)))


@api.post("/card-offer", response_model=OfferReceipt)
def set_card_offer(command: SetOffer, call: Call) -> Response:
    """Say what card my organisation offers."""

    def work(session: Session) -> OfferReceipt:
        return OfferReceipt(number=offers.set_offer(session, call.actor, command, now=call.now).number)

    return call.perform("POST card offer", command.model_dump(mode="json"), work)


@api.get("/card-requests")
def list_card_requests(
    stage: Stage,
    look: Look,
    after: Annotated[str, Query(pattern=r"^([0-9a-f]{32})?$")] = "",
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
) -> RequestPage:
    """My organisation's cards that wait for one thing, the longest first."""
    return look.database.read(
        lambda session: card_reading.work_list(
            session, look.actor, look.vault, stage, after=after, limit=limit, now=look.now
        )
    )


@api.get("/card-requests/{card_id}")
def get_card_request(card_id: CardPath, look: Look) -> RequestView:
    """One of my organisation's cards."""
    return look.database.read(
        lambda session: card_reading.request_of(session, look.actor, look.vault, card_id, now=look.now)
    )


@api.get("/card-requests/{card_id}/recipient")
def get_card_recipient(card_id: CardPath, look: Look) -> Recipient:
    """To whom the card goes, until it is delivered. Each opening is kept, and shown to the holder."""
    return look.database.write(
        lambda session: issuing.recipient(session, look.actor, look.vault, card_id, now=look.now)
    )


@api.get("/card-requests/{card_id}/print-data")
def get_card_print_data(card_id: CardPath, look: Look, keys: Keys) -> PrintData:
    """What goes on and into a card, until it is delivered."""
    return look.database.read(
        lambda session: issuing.print_data(session, look.actor, look.vault, keys, card_id, now=look.now)
    )


@api.post("/card-requests/{card_id}/review", response_model=CardReceipt)
def take_card_request_up(card_id: CardPath, call: Call) -> Response:
    """Take a request up."""
    return _act(
        call,
        "POST card review",
        card_id,
        lambda session: issuing.take_up(session, call.actor, card_id, now=call.now),
    )


@api.post("/card-requests/{card_id}/approval", response_model=CardReceipt)
def approve_card(card_id: CardPath, call: Call) -> Response:
    """Agree to issue a card."""
    return _act(
        call,
        "POST card approval",
        card_id,
        lambda session: issuing.approve(session, call.actor, card_id, now=call.now),
    )


@api.post("/card-requests/{card_id}/decline", response_model=CardReceipt)
def decline_card(card_id: CardPath, command: DeclineCard, call: Call, vault: TheVault) -> Response:
    """Give no card, and say why."""
    return _act(
        call,
        "POST card decline",
        card_id,
        lambda session: issuing.decline(session, call.actor, vault, card_id, command, now=call.now),
        command=command,
    )


@api.post("/card-requests/{card_id}/personalisation", response_model=CardReceipt)
def personalise_card(card_id: CardPath, command: PersonaliseCard, call: Call, vault: TheVault) -> Response:
    """Give a card its number and its last day."""
    return _act(
        call,
        "POST card personalisation",
        card_id,
        lambda session: issuing.personalise(session, call.actor, vault, card_id, command, now=call.now),
        command=command,
    )


@api.post("/card-requests/{card_id}/delivery", response_model=CardReceipt)
def deliver_card(card_id: CardPath, command: DeliverCard, call: Call) -> Response:
    """Note how a card was handed over or sent."""
    return _act(
        call,
        "POST card delivery",
        card_id,
        lambda session: issuing.deliver(session, call.actor, card_id, command, now=call.now),
        command=command,
    )


@api.post("/card-requests/{card_id}/reissue", status_code=201, response_model=CardReceipt)
def reissue_card(card_id: CardPath, call: Call) -> Response:
    """Begin another card in place of one with a former tier."""
    return _act(
        call,
        "POST card reissue",
        card_id,
        lambda session: issuing.reissue(session, call.actor, card_id, now=call.now),
        status=201,
    )


@api.post("/card-challenges", status_code=201)
def put_card_challenge(command: PutChallenge, terminal: AtTerminal) -> ChallengeView:
    """Get a challenge for a chip card at this terminal; it is answered once, within a minute."""
    place = AtDevice(command.staff)
    row = terminal.durably(
        lambda session: presenting.challenge(
            session, terminal.actor, terminal.credentials, place, command.presented, now=terminal.now
        )
    )
    return ChallengeView(id=row.id, challenge=row.challenge.hex(), expires_at=row.issued_at + chips.LIFETIME)


@api.post("/card-challenges/{challenge_id}/answer", status_code=201)
def answer_card_challenge(
    challenge_id: ChallengePath, command: AnswerChallenge, terminal: AtTerminal
) -> PresentationView:
    """Establish the holder of a card by its chip's answer; right or wrong, it uses the challenge up."""
    place, answer = AtDevice(command.staff), ChipAnswer(challenge_id, bytes.fromhex(command.response))
    return PresentationView.of(
        terminal.durably(
            lambda session: presenting.present_chip(
                session, terminal.actor, terminal.credentials, place, answer, now=terminal.now
            )
        )
    )
