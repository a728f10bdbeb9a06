"""Banks that issue cards, and people who hold them, for the tests of cards."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from talentseal.accounts.roles import Actor
from talentseal.clock import legal_date
from talentseal.credentials import card_days, card_reading, cards, holding, issuing, offers, profiles
from talentseal.credentials.card_models import CardProof, DeclineCategory, DeliveryWay, TalentCard
from talentseal.credentials.card_schemas import (
    ActivateCard,
    CardView,
    DeclineCard,
    DeliverCard,
    PersonaliseCard,
    ReplaceCard,
    RequestCards,
    RequestRow,
    RequestView,
    SetOffer,
    Stage,
)
from talentseal.credentials.card_states import CardStanding, CardState
from talentseal.credentials.cards import CardFound
from talentseal.credentials.master_keys import MasterKey, MasterKeys
from talentseal.credentials.refusals import Refusal
from talentseal.talents import codes
from talentseal.talents.models import CodeState
from tests.talents.conftest import People
from tests.world import Member

KEYS = MasterKeys((MasterKey(1, date(2026, 11, 1), bytes(range(2, 34))),))
T = TypeVar("T")
MAIL = "XG-2026-000001"


class Issuer:
    """A bank that offers a card; every act is a transaction of its own."""

    def __init__(
        self,
        crowd: People,
        name: str = "虚构星河银行",
        *,
        proof: CardProof = CardProof.STATIC,
        member: Member | None = None,
    ) -> None:
        self.crowd, self.world = crowd, crowd.world
        self.member: Member = member or crowd.world.joined(name)
        if self.world.database.read(lambda session: offers.own_offer(session, self.actor)) is None:
            self.offer(proof=proof)

    @property
    def actor(self) -> Actor:
        return self.member.actor

    def offer(self, **changes: Any) -> int:
        """The issuer's number."""
        fields: dict[str, Any] = {
            "name": "星河人才卡（虚构）",
            "description": "虚构的人才卡",
            "proof": CardProof.STATIC,
            "is_open": True,
        }
        command = SetOffer(**{**fields, **changes})
        return self.write(lambda session, now: offers.set_offer(session, self.actor, command, now=now).number)

    def take_up(self, card: TalentCard) -> TalentCard:
        return self.write(lambda session, now: issuing.take_up(session, self.actor, card.id, now=now))

    def approve(self, card: TalentCard) -> TalentCard:
        return self.write(lambda session, now: issuing.approve(session, self.actor, card.id, now=now))

    def decline(
        self, card: TalentCard, category: DeclineCategory = DeclineCategory.TERMS_NOT_MET
    ) -> TalentCard:
        command = DeclineCard(category=category, reason="暂不符合本行条件（虚构）")
        return self.write(
            lambda session, now: issuing.decline(
                session, self.actor, self.crowd.vault, card.id, command, now=now
            )
        )

    def personalise(self, card: TalentCard, **changes: Any) -> TalentCard:
        today = legal_date(self.world.clock.now())
        command = PersonaliseCard(**{"valid_through": today + timedelta(days=1095), **changes})
        return self.write(
            lambda session, now: issuing.personalise(
                session, self.actor, self.crowd.vault, card.id, command, now=now
            )
        )

    def deliver(self, card: TalentCard) -> TalentCard:
        command = DeliverCard(way=DeliveryWay.BY_MAIL, mail_reference=MAIL)
        return self.write(
            lambda session, now: issuing.deliver(session, self.actor, card.id, command, now=now)
        )

    def reissue(self, card: TalentCard) -> TalentCard:
        return self.write(lambda session, now: issuing.reissue(session, self.actor, card.id, now=now))

    def delivered(self, card: TalentCard) -> TalentCard:
        """A card that was asked for, through the issuer's hands."""
        for act in (self.take_up, self.approve, self.personalise, self.deliver):
            card = act(card)
        return card

    def waiting(self, stage: Stage) -> list[RequestRow]:
        now = self.world.clock.now()
        return self.world.database.read(
            lambda session: (
                card_reading.work_list(session, self.actor, self.crowd.vault, stage, limit=50, now=now).items
            )
        )

    def sees(self, card: TalentCard) -> RequestView:
        now = self.world.clock.now()
        return self.world.database.read(
            lambda session: card_reading.request_of(session, self.actor, self.crowd.vault, card.id, now=now)
        )

    def write(self, act: Callable[[Session, datetime], T]) -> T:
        now = self.world.clock.now()
        return self.world.database.write(lambda session: act(session, now))


class Holder:
    """A talent with an active code."""

    def __init__(self, crowd: People, actor: Actor | None = None) -> None:
        self.crowd, self.world = crowd, crowd.world
        self.actor = actor or crowd.holder()

    def ask(self, *issuers: Issuer) -> list[TalentCard]:
        command = RequestCards(issuers=tuple(each.member.id for each in issuers), agreed=True)
        return self.write(lambda session, now: holding.request(session, self.actor, command, now=now))

    def activate(self, card: TalentCard, last_digits: str = "") -> TalentCard:
        command = ActivateCard(last_digits=last_digits or (number(card)[-4:] if card.serial else "0000"))
        return self.write(
            lambda session, now: holding.activate(session, self.actor, card.id, command, now=now)
        )

    def active(self, issuer: Issuer) -> TalentCard:
        """A card of his that is in use."""
        return self.activate(issuer.delivered(self.ask(issuer)[0]))

    def report_lost(self, card: TalentCard) -> TalentCard:
        return self.write(lambda session, now: holding.report_lost(session, self.actor, card.id, now=now))

    def put_back(self, card: TalentCard) -> TalentCard:
        return self.write(lambda session, now: holding.put_back(session, self.actor, card.id, now=now))

    def close(self, card: TalentCard) -> TalentCard:
        return self.write(lambda session, now: holding.close(session, self.actor, card.id, now=now))

    def replace(self, card: TalentCard) -> TalentCard:
        command = ReplaceCard(agreed=True)
        return self.write(
            lambda session, now: holding.replace(session, self.actor, card.id, command, now=now)
        )

    def sees(self, card: TalentCard) -> CardView:
        now = self.world.clock.now()
        return self.world.database.read(
            lambda session: card_reading.own_card(session, self.actor, self.crowd.vault, card.id, now=now)
        )

    def standing(self, card: TalentCard) -> CardStanding:
        return self.sees(card).standing

    def code_becomes(self, state: CodeState) -> None:
        code = self.crowd.code(self.actor)
        self.write(
            lambda session, now: codes.move(session, code.id, state, by="office-1", cause=None, now=now)
        )

    def write(self, act: Callable[[Session, datetime], T]) -> T:
        now = self.world.clock.now()
        return self.world.database.write(lambda session: act(session, now))


def number(card: TalentCard) -> str:
    """The 16 digits on a card that is personalised."""
    return str(cards.number_of(card))


def swiped(crowd: People, text: str) -> CardFound | Refusal:
    """What a counter is told of a card."""
    now, presented = crowd.world.clock.now(), profiles.presented(text)
    if isinstance(presented, Refusal):
        return presented
    return crowd.world.database.write(lambda session: cards.find_for_swipe(session, KEYS, presented, now=now))


def nightly(crowd: People) -> int:
    """What the date brings to cards today."""
    now = crowd.world.clock.now()
    return crowd.world.database.write(lambda session: card_days.apply_day(session, legal_date(now), now))


def state_of(crowd: People, card: TalentCard) -> CardState:
    """What stands in the row."""
    query = select(TalentCard.state).where(TalentCard.id == card.id)
    return crowd.world.database.read(lambda session: session.scalars(query).one())
