"""Cards from their holder's side: asked for, activated, reported lost, replaced, closed (Articles 6, 10)."""

import secrets
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from talentseal.accounts.roles import Actor, Permission
from talentseal.clock import legal_date
from talentseal.credentials import cards, offers
from talentseal.credentials.card_models import TalentCard
from talentseal.credentials.card_schemas import ActivateCard, ReplaceCard, RequestCards
from talentseal.credentials.card_states import IN_USE, CardState
from talentseal.errors import Conflict, Invalid
from talentseal.policy import calendar
from talentseal.states import TransitionRefused
from talentseal.talents import codes, people
from talentseal.talents.codes import CodeNotFound
from talentseal.talents.models import CodeState, TalentCode

DECISION_DAYS: Final = 10
"""Working days that an issuer has for its decision; our own default, the measures name no time."""


class CardExists(Conflict):
    code = "card-exists"
    zh = "该单位已有您的人才卡，或您的申请正在办理。需要换卡时，请在该卡页面申请补换。"
    en = "You have a card of this issuer, or a request under way; ask for a replacement on that card's page."


class CardDigitsWrong(Invalid):
    code = "card-digits-wrong"
    zh = "与卡面号码的末四位不符。请核对卡片后重新输入。"
    en = "These are not the last four digits of the number on the card; compare and enter them again."


class CardNotInUse(Conflict):
    code = "card-not-in-use"
    zh = "只有使用中或已挂失的卡可以申请补换。请核对该卡的状态。"
    en = "Only a card that is in use or reported lost can be replaced; check how it stands."


def request(session: Session, actor: Actor, command: RequestCards, *, now: datetime) -> list[TalentCard]:
    """Ask each of the issuers for a card; all are asked, or none.

    Raises NotPermitted, CodeNotActive, OfferNotFound, CardExists.
    """
    code = _active_code(session, actor)
    return [_ask(session, actor, code, issuer, None, now=now) for issuer in command.issuers]


def replace(
    session: Session, actor: Actor, card_id: str, _command: ReplaceCard, *, now: datetime
) -> TalentCard:
    """Ask for another card in place of one in use or lost; that one ends when the new one is activated.

    Raises NotPermitted, CardNotFound, CardNotInUse, CodeNotActive, OfferNotFound, CardExists.
    """
    card = own(session, actor, card_id, held=True)
    if card.state not in IN_USE:
        raise CardNotInUse
    code = _active_code(session, actor)
    if card.code_id != code.id:
        raise CardNotInUse  # its own code ended, and he has another
    return _ask(session, actor, code, card.organisation_id, card, now=now)


def activate(
    session: Session, actor: Actor, card_id: str, command: ActivateCard, *, now: datetime
) -> TalentCard:
    """Take a card into use that has arrived; the one of the same issuer that was in use is REPLACED.

    Raises NotPermitted, CardNotFound, TransitionRefused, CodeNotActive, CardDigitsWrong.
    """
    card = own(session, actor, card_id, held=True)
    _require_state(card, CardState.DELIVERED)
    in_use = _in_use(session, card)  # cards are held before their code, here as everywhere
    cards.code_for(session, card)
    if not str(cards.number_of(card)).endswith(command.last_digits):
        raise CardDigitsWrong
    for former in in_use:
        cards.move(session, former, CardState.REPLACED, by=actor.account_id, now=now)
    cards.move(session, card, CardState.ACTIVE, by=actor.account_id, now=now)
    return card


def report_lost(session: Session, actor: Actor, card_id: str, *, now: datetime) -> TalentCard:
    """Freeze a card at once. Asked again, nothing changes. Raises NotPermitted, CardNotFound,
    TransitionRefused.
    """
    card = own(session, actor, card_id, held=True)
    if card.state is not CardState.FROZEN:
        cards.move(session, card, CardState.FROZEN, by=actor.account_id, now=now)
    return card


def put_back(session: Session, actor: Actor, card_id: str, *, now: datetime) -> TalentCard:
    """Use a card again that was reported lost and found. Raises NotPermitted, CardNotFound,
    TransitionRefused.
    """
    card = own(session, actor, card_id, held=True)
    _require_state(card, CardState.FROZEN)
    cards.move(session, card, CardState.ACTIVE, by=actor.account_id, now=now)
    return card


def close(session: Session, actor: Actor, card_id: str, *, now: datetime) -> TalentCard:
    """End a card for good, or take a request back. Raises NotPermitted, CardNotFound, TransitionRefused."""
    card = own(session, actor, card_id, held=True)
    cards.move(session, card, CardState.CLOSED, by=actor.account_id, now=now)
    return card


def own(session: Session, actor: Actor, card_id: str, *, held: bool = False) -> TalentCard:
    """A card of the talent who acts. held: against change until the commit.

    Raises NotPermitted, CardNotFound.
    """
    actor.require(Permission.CARD_OWN)
    talent = people.of_account(session, actor)
    mine = (
        select(TalentCard)
        .join(TalentCode, TalentCode.id == TalentCard.code_id)
        .where(TalentCard.id == card_id, TalentCode.talent_id == talent.id)
    )
    card = session.scalars(mine.with_for_update(of=TalentCard) if held else mine).one_or_none()
    if card is None:
        raise cards.CardNotFound
    return card


def _require_state(card: TalentCard, before: CardState) -> None:
    """Raises TransitionRefused in any other state: two come to ACTIVE, by different acts."""
    if card.state is not before:
        raise TransitionRefused(before=card.state.value, after=CardState.ACTIVE.value)


def _active_code(session: Session, actor: Actor) -> TalentCode:
    """The actor's code, held against change until the commit. Raises NotPermitted, CodeNotActive."""
    actor.require(Permission.CARD_OWN)
    try:
        code = codes.live_of(session, people.of_account(session, actor).id, lock=True)
    except CodeNotFound:
        raise cards.CodeNotActive from None
    if code.state is not CodeState.ACTIVE:
        raise cards.CodeNotActive
    return code


def _ask(
    session: Session,
    actor: Actor,
    code: TalentCode,
    issuer: str,
    replaced: TalentCard | None,
    *,
    now: datetime,
) -> TalentCard:
    offers.require_open(session, issuer)
    used = select(TalentCard.id).where(
        TalentCard.code_id == code.id,
        TalentCard.organisation_id == issuer,
        TalentCard.state.in_(IN_USE),
    )
    if replaced is None and session.scalar(used.limit(1)) is not None:
        raise CardExists
    card = TalentCard(
        id=secrets.token_hex(16),
        code_id=code.id,
        organisation_id=issuer,
        state=CardState.REQUESTED,
        requested_at=now,
        due_on=calendar.working_days_after(session, legal_date(now), DECISION_DAYS).day,
        changed_at=now,
        replaces_id=replaced.id if replaced else None,
    )
    enter(session, card)
    cards.enter_step(session, card, by=actor.account_id, now=now)
    return card


def enter(session: Session, card: TalentCard) -> None:
    """Enter a fresh card. Raises CardExists when one of this issuer is on its way to the holder already."""
    try:
        with session.begin_nested():
            session.add(card)
    except IntegrityError:
        raise CardExists from None


def _in_use(session: Session, card: TalentCard) -> list[TalentCard]:
    """The holder's card of the same issuer that is in use, held; the database allows one."""
    query = select(TalentCard).where(
        TalentCard.code_id == card.code_id,
        TalentCard.organisation_id == card.organisation_id,
        TalentCard.state.in_(IN_USE),
    )
    return list(session.scalars(query.with_for_update().execution_options(populate_existing=True)))
