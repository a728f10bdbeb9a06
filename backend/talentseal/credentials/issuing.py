"""Cards from their issuer's side: decided, personalised, delivered, issued anew (Articles 2, 6, 12).

An issuer sees of a holder his masked surname and his tier, and to whom the card goes for as long as it has to
be delivered. Another issuer's card does not exist for it.
"""

import secrets
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from talentseal.accounts.roles import Actor, Permission
from talentseal.clock import legal_date
from talentseal.credentials import cards, challenges, holding, offers, tc3
from talentseal.credentials.card_models import CardProof, DeliveryWay, TalentCard
from talentseal.credentials.card_schemas import (
    DeclineCard,
    DeliverCard,
    PersonaliseCard,
    PrintData,
    Recipient,
)
from talentseal.credentials.card_states import IN_USE, MOVES, CardState
from talentseal.credentials.master_keys import MasterKeys
from talentseal.credentials.tc1 import REF_SIZE
from talentseal.errors import Conflict, Invalid
from talentseal.partners.models import Outlet
from talentseal.partners.outlets import OutletClosed, OutletNotFound
from talentseal.talents import people
from talentseal.talents.models import AccessPurpose, FieldGroup, TalentCode
from talentseal.vault import Vault

LONGEST_TERM: Final = timedelta(days=3653)
"""Ten years: our own default for the last day of a card."""

_SHOWS_RECIPIENT: Final = frozenset({CardState.ISSUER_REVIEW, CardState.APPROVED, CardState.PERSONALISED})
"""While these last the issuer may open to whom the card goes: from taking it up until it is delivered."""


class RecipientClosed(Conflict):
    code = "card-recipient-closed"
    zh = "姓名和电话只在受理之后、交付之前供贵单位办理时查看。"
    en = "Name and telephone are shown from taking a request up until the card is delivered, and not after."


class PrintDataClosed(Conflict):
    code = "card-print-data-closed"
    zh = "制卡数据只在个人化之后、交付之前提供。需要时请补换新卡。"
    en = "Print data are given between personalisation and delivery only; issue another card if need be."


class LastDayRefused(Invalid):
    code = "card-last-day-refused"
    zh = "有效期须晚于今日，且不超过 {latest}。"
    en = "The last day must be after today and no later than {latest}."


class ReissueNeedless(Conflict):
    code = "card-reissue-needless"
    zh = "该卡不在使用中，或卡面层次与持卡人现有层次一致，无需重制。"
    en = "The card is not in use, or the tier printed on it is its holder's; there is nothing to issue anew."


def take_up(session: Session, actor: Actor, card_id: str, *, now: datetime) -> TalentCard:
    """Take a request up. Raises NotPermitted, CardNotFound, TransitionRefused."""
    card = own(session, actor, card_id, held=True)
    cards.move(session, card, CardState.ISSUER_REVIEW, by=actor.account_id, now=now)
    return card


def approve(session: Session, actor: Actor, card_id: str, *, now: datetime) -> TalentCard:
    """Agree to issue the card. Raises NotPermitted, CardNotFound, TransitionRefused, CodeNotActive."""
    card = own(session, actor, card_id, held=True)
    MOVES.require(card.state, CardState.APPROVED)
    cards.code_for(session, card)
    cards.move(session, card, CardState.APPROVED, by=actor.account_id, now=now)
    return card


def decline(
    session: Session, actor: Actor, vault: Vault, card_id: str, command: DeclineCard, *, now: datetime
) -> TalentCard:
    """Give no card, and say why. Raises NotPermitted, CardNotFound, TransitionRefused."""
    card = own(session, actor, card_id, held=True)
    MOVES.require(card.state, CardState.DECLINED)
    card.state, card.changed_at = CardState.DECLINED, now
    sealed = vault.seal(cards.reason_place(card.id), command.reason.encode())
    cards.enter_step(session, card, by=actor.account_id, category=command.category, sealed=sealed, now=now)
    return card


def personalise(
    session: Session, actor: Actor, vault: Vault, card_id: str, command: PersonaliseCard, *, now: datetime
) -> TalentCard:
    """Give a card its number, its last day and its secret; it bears the tier that its holder has now.

    Raises NotPermitted, CardNotFound, TransitionRefused, CodeNotActive, LastDayRefused, OfferMissing,
    NumbersSpent.
    """
    card = own(session, actor, card_id, held=True)
    MOVES.require(card.state, CardState.PERSONALISED)
    today = legal_date(now)
    if not today < command.valid_through <= today + LONGEST_TERM:
        raise LastDayRefused(latest=(today + LONGEST_TERM).isoformat())
    code = cards.code_for(session, card)
    offer = offers.of_issuer(session, card.organisation_id)
    number = offers.next_number(session, offer)
    card.issuer, card.serial = number.issuer, number.serial
    card.card_ref = secrets.token_bytes(REF_SIZE)
    card.sealed_secret = vault.seal(cards.secret_place(card), challenges.new())
    card.proof, card.printed_tier = offer.proof, code.tier
    card.valid_through, card.reference = command.valid_through, command.reference
    cards.move(session, card, CardState.PERSONALISED, by=actor.account_id, now=now)
    return card


def deliver(
    session: Session, actor: Actor, card_id: str, command: DeliverCard, *, now: datetime
) -> TalentCard:
    """Note how the card was handed over or sent. From here on nobody is shown to whom.

    Raises NotPermitted, CardNotFound, TransitionRefused, OutletNotFound, OutletClosed.
    """
    card = own(session, actor, card_id, held=True)
    if command.way is DeliveryWay.AT_OUTLET:
        outlet = session.get(Outlet, command.outlet)
        if outlet is None or outlet.organisation_id != actor.organisation_id:
            raise OutletNotFound
        if outlet.closed_at is not None:
            raise OutletClosed
    card.delivery = command.way
    card.outlet_id, card.mail_reference = command.outlet, command.mail_reference
    cards.move(session, card, CardState.DELIVERED, by=actor.account_id, now=now)
    return card


def reissue(session: Session, actor: Actor, card_id: str, *, now: datetime) -> TalentCard:
    """Begin another card in place of one whose printed tier is its holder's no more. It needs no request: the
    holder has his card at hand until the new one is activated, under the consent that he gave for it.

    Raises NotPermitted, CardNotFound, ReissueNeedless, CodeNotActive, CardExists.
    """
    card = own(session, actor, card_id, held=True)
    code = cards.code_for(session, card)
    if card.state not in IN_USE or card.printed_tier is code.tier:
        raise ReissueNeedless
    anew = TalentCard(
        id=secrets.token_hex(16),
        code_id=card.code_id,
        organisation_id=card.organisation_id,
        state=CardState.APPROVED,
        requested_at=now,
        due_on=legal_date(now),
        changed_at=now,
        replaces_id=card.id,
    )
    holding.enter(session, anew)
    cards.enter_step(session, anew, by=actor.account_id, now=now)
    return anew


def recipient(session: Session, actor: Actor, vault: Vault, card_id: str, *, now: datetime) -> Recipient:
    """To whom the card goes. Only within a write: each opening is kept.

    Raises NotPermitted, CardNotFound, RecipientClosed.
    """
    card = own(session, actor, card_id)
    code = session.get_one(TalentCode, card.code_id)
    if not shows_recipient(card, code):
        raise RecipientClosed
    basic = people.fields_of(session, vault, code.talent_id, FieldGroup.BASIC)
    people.note_access(
        session, actor, code.talent_id, AccessPurpose.CARD_DELIVERY, {FieldGroup.BASIC}, now=now
    )
    return Recipient(name=basic["full_name"], phone=basic["phone"])


def shows_recipient(card: TalentCard, code: TalentCode) -> bool:
    """Whether the issuer may open to whom the card goes."""
    return card.state in _SHOWS_RECIPIENT and code.ended_at is None


def print_data(
    session: Session, actor: Actor, vault: Vault, keys: MasterKeys, card_id: str, *, now: datetime
) -> PrintData:
    """What goes on and into a card that is being made.

    Raises NotPermitted, CardNotFound, PrintDataClosed, KeyMissing.
    """
    card = own(session, actor, card_id)
    number = cards.number_of(card)
    if card.state is not CardState.PERSONALISED or number is None or card.card_ref is None:
        raise PrintDataClosed
    secret = cards.secret_of(vault, card).hex() if card.proof is CardProof.CHIP else None
    return PrintData(
        number=number.grouped,
        tier=card.printed_tier,
        valid_through=card.valid_through,
        code=tc3.write(keys, card.card_ref, now=now),
        card_ref=card.card_ref.hex(),
        secret=secret,
    )


def own(session: Session, actor: Actor, card_id: str, *, held: bool = False) -> TalentCard:
    """A card that the actor's organisation issues. held: against change until the commit.

    Raises NotPermitted, CardNotFound.
    """
    actor.require(Permission.CARD_ISSUE)
    card = session.get(TalentCard, card_id, with_for_update=held or None, populate_existing=held)
    if card is None or card.organisation_id != actor.organisation_id:
        raise cards.CardNotFound
    return card
