"""The demonstration's cards: the bank offers one, and the invented holder of a code has it in use."""

from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import select
from sqlalchemy.orm import Session

from talentseal.accounts.models import Account
from talentseal.accounts.roles import PERMISSIONS, Actor
from talentseal.clock import legal_date
from talentseal.credentials import card_reading, cards, holding, issuing, offers
from talentseal.credentials.card_models import CardProof, DeliveryWay
from talentseal.credentials.card_schemas import (
    ActivateCard,
    DeliverCard,
    PersonaliseCard,
    RequestCards,
    SetOffer,
)
from talentseal.db import Database
from talentseal.demonstration.scheme import Cast
from talentseal.demonstration.talents import HOLDER
from talentseal.partners import outlets
from talentseal.vault import Vault

_OFFER = SetOffer(
    name="星河人才卡（虚构）",
    description="虚构的实体人才卡：核验身份，享受人才专属金融与消费服务。审核通过后到网点领取。",
    proof=CardProof.STATIC,
    is_open=True,
)
_TERM = timedelta(days=5 * 365)


def enter(database: Database, vault: Vault, cast: Cast, *, now: datetime) -> None:
    """Let the bank offer its card and the holder have one, as far as that is missing."""
    database.write(partial(_enter, vault=vault, bank=cast.bank.organisation, now=now))


def _enter(session: Session, vault: Vault, bank: str, now: datetime) -> None:
    of_bank = select(Account).where(Account.organisation_id == bank).order_by(Account.created_at)
    clerk = _actor(session.scalars(of_bank.limit(1)).one())
    holder = _actor(session.scalars(select(Account).where(Account.sign_in_name == HOLDER.sign_in_name)).one())
    if offers.own_offer(session, clerk) is None:
        offers.set_offer(session, clerk, _OFFER, now=now)
    if card_reading.own_cards(session, holder, vault, now=now):
        return
    asked = holding.request(session, holder, RequestCards(issuers=(bank,), agreed=True), now=now)[0]
    issuing.take_up(session, clerk, asked.id, now=now)
    issuing.approve(session, clerk, asked.id, now=now)
    printed = PersonaliseCard(valid_through=legal_date(now) + _TERM, reference="XH-DEMO-0001")
    made = issuing.personalise(session, clerk, vault, asked.id, printed, now=now)
    outlet = outlets.outlets_of(session, clerk, limit=1)[0]
    handed = DeliverCard(way=DeliveryWay.AT_OUTLET, outlet=outlet.id)
    issuing.deliver(session, clerk, asked.id, handed, now=now)
    digits = ActivateCard(last_digits=str(cards.number_of(made))[-4:])
    holding.activate(session, holder, asked.id, digits, now=now)


def _actor(account: Account) -> Actor:
    return Actor(account.id, account.organisation_id or "", account.role, PERMISSIONS[account.role])
