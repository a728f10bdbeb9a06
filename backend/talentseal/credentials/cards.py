"""Talent cards at the counter, and what holder's and issuer's side share: steps, numbers, how a card stands.

Whoever changes a card holds its row until the commit, and its code's row after it if he asks for that. A
swipe shares both, so that a card reported lost passes nowhere once the report is answered.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from talentseal.clock import legal_date
from talentseal.credentials import profiles, tc3
from talentseal.credentials.card_models import CardStep, DeclineCategory, TalentCard
from talentseal.credentials.card_numbers import CardNumber
from talentseal.credentials.card_states import MOVES, CardStanding, CardState, standing_of
from talentseal.credentials.master_keys import MasterKeys
from talentseal.credentials.profiles import Profile
from talentseal.credentials.refusals import Refusal
from talentseal.errors import Conflict, NotFound
from talentseal.talents.models import CodeState, TalentCode, place_of
from talentseal.vault import Vault

STATIC_CAP: Final = 50_000
"""Fen that a static card is good for in a day, per person, before a second factor is asked for; our own
default, after the People's Bank's 500 yuan a day for static bar codes.
"""


class CardNotFound(NotFound):
    code = "card-not-found"
    zh = "没有找到该人才卡，或您无权查看。请核对编号。"
    en = "There is no such talent card, or it is not yours to see; check the identifier."


class CodeNotActive(Conflict):
    code = "code-not-active"
    zh = "办理人才卡需要可以使用的人才码：尚未申领，或已暂停、逾期未复核。请先办妥人才码。"
    en = "A talent card needs a code that is active: there is none, or it is suspended or its review overdue."


@dataclass(frozen=True, slots=True)
class CardFound:
    """A card in use whose code is active; both are held against change until the commit.

    second_factor_required: nothing but what can be copied was shown, so that beyond the day's cap a second
    factor is needed (`second_factor`).
    """

    card: TalentCard
    code: TalentCode
    second_factor_required: bool


_CODE_REFUSALS: Final = {
    CodeState.SUSPENDED: Refusal.CODE_SUSPENDED,
    CodeState.REVIEW_OVERDUE: Refusal.REVIEW_OVERDUE,
    CodeState.TERMINATED: Refusal.CODE_TERMINATED,
    CodeState.CANCELLED: Refusal.CODE_TERMINATED,
}


def find_for_swipe(
    session: Session, keys: MasterKeys, presented: profiles.Presented, *, now: datetime
) -> CardFound | Refusal:
    """The card that was swiped or typed at a counter. Only within a write: card and code are held until its
    commit, and lost cards, suspensions and terminations wait for it or are seen.

    What cannot be one of our cards is refused before any card is looked for.
    """
    named = _named(keys, presented)
    if isinstance(named, Refusal):
        return named
    return usable(session, named, now=now, proved=False)


def _named(keys: MasterKeys, presented: profiles.Presented) -> ColumnElement[bool] | Refusal:
    if presented.profile is Profile.TC3:
        card_ref = tc3.verify(keys, presented.text)
        return card_ref if isinstance(card_ref, Refusal) else TalentCard.card_ref == card_ref
    if presented.profile is not Profile.CARD:
        return Refusal.TOKEN_MALFORMED
    number = CardNumber.read(presented.text)
    if isinstance(number, Refusal):
        return number
    return (TalentCard.issuer == number.issuer) & (TalentCard.serial == number.serial)


def usable(
    session: Session, named: ColumnElement[bool], *, now: datetime, proved: bool
) -> CardFound | Refusal:
    """The card of which `named` holds, if it can be used now. proved: its chip answered a challenge.

    The card's own state comes before its code's: whoever found a lost card learns nothing of its holder.
    """
    held = select(TalentCard).where(named).with_for_update(read=True)
    card = session.scalars(held.execution_options(populate_existing=True)).one_or_none()
    if card is None:
        return Refusal.CARD_NOT_VALID
    code = session.get_one(TalentCode, card.code_id, with_for_update={"read": True}, populate_existing=True)
    if card.state is CardState.FROZEN:
        return Refusal.CARD_FROZEN
    if card.state is not CardState.ACTIVE or _is_over(card.valid_through, legal_date(now)):
        return Refusal.CARD_NOT_VALID
    if code.state is not CodeState.ACTIVE:
        return _CODE_REFUSALS[code.state]
    return CardFound(card, code, second_factor_required=not proved)


def second_factor(amount: int, used_today: int, *, cap: int = STATIC_CAP) -> Refusal | None:
    """SECOND_FACTOR_REQUIRED when `amount` takes what a person drew on static cards today beyond the cap.

    amount, used_today, cap: fen, none negative. used_today: over all the person's static cards, on the
    Shanghai date; whoever calls holds the person's sum against other acts.
    """
    if min(amount, used_today, cap) < 0:
        raise ValueError("expected amounts of 0 fen and more")
    return Refusal.SECOND_FACTOR_REQUIRED if used_today + amount > cap else None


def _is_over(last_day: date | None, today: date) -> bool:
    return last_day is not None and last_day < today


def standing(card: TalentCard, code: TalentCode, today: date) -> CardStanding:
    """How the card stands under its code on a Shanghai date."""
    return standing_of(
        card.state,
        code.state,
        printed=card.printed_tier,
        tier=code.tier,
        valid_through=card.valid_through,
        today=today,
    )


def number_of(card: TalentCard) -> CardNumber | None:
    """The number on the card; None before it is personalised."""
    if card.issuer is None or card.serial is None:
        return None
    return CardNumber(card.issuer, card.serial)


def code_for(session: Session, card: TalentCard) -> TalentCode:
    """The card's code, held against change until the commit. Raises CodeNotActive."""
    code = session.get_one(TalentCode, card.code_id, with_for_update={"read": True}, populate_existing=True)
    if code.state is not CodeState.ACTIVE:
        raise CodeNotActive
    return code


def move(session: Session, card: TalentCard, after: CardState, *, by: str | None, now: datetime) -> None:
    """Take a held card to another state. by: account, None for the date. Raises TransitionRefused."""
    MOVES.require(card.state, after)
    card.state, card.changed_at = after, now
    enter_step(session, card, by=by, now=now)


def enter_step(
    session: Session,
    card: TalentCard,
    *,
    by: str | None,
    category: DeclineCategory | None = None,
    sealed: bytes | None = None,
    now: datetime,
) -> None:
    """Note the state that a held card has come to. category, sealed: of its issuer's reason."""
    session.flush()
    taken = session.scalar(select(func.max(CardStep.number)).where(CardStep.card_id == card.id))
    session.add(
        CardStep(
            card_id=card.id,
            number=(taken or 0) + 1,
            state=card.state,
            at=now,
            account_id=by,
            category=category,
            sealed=sealed,
        )
    )
    session.flush()


def reason_place(card_id: str) -> str:
    """What the sealed reason of a card that was declined is bound to; a card is declined once."""
    return place_of("card_step", card_id, "reason")


def secret_place(card: TalentCard) -> str:
    """What a card's sealed secret is bound to."""
    return place_of("talent_card", card.id, "secret")


def secret_of(vault: Vault, card: TalentCard) -> bytes:
    """The 16 bytes under which the card answers challenges; of one that is personalised."""
    return vault.open(secret_place(card), card.sealed_secret or b"")
