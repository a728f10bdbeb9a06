"""Cards as their holder and their issuer see them, and the issuer's work list."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Select, func, select, tuple_
from sqlalchemy.orm import Session, aliased

from talentseal.accounts.models import Organisation
from talentseal.accounts.roles import Actor, Permission
from talentseal.clock import legal_date
from talentseal.credentials import cards, holding, issuing
from talentseal.credentials.card_days import GRACE
from talentseal.credentials.card_models import (
    CardNotice,
    CardOffer,
    CardStep,
    DeclineCategory,
    TalentCard,
)
from talentseal.credentials.card_schemas import (
    CardView,
    RequestPage,
    RequestRow,
    RequestView,
    Stage,
    StepView,
)
from talentseal.credentials.card_states import IN_USE, MAKING, CardStanding, CardState
from talentseal.partners.models import Outlet
from talentseal.talents import people
from talentseal.talents.models import FieldGroup, TalentCode, TierChange
from talentseal.vault import Vault

_NUMBER_SHOWN: Final = IN_USE | {CardState.REPLACED, CardState.EXPIRED}
"""Before he activates a card, its number is what its holder shows that he has it by."""

_STAGES: Final[Mapping[Stage, CardState]] = {
    Stage.NEW: CardState.REQUESTED,
    Stage.DECIDE: CardState.ISSUER_REVIEW,
    Stage.PERSONALISE: CardState.APPROVED,
    Stage.DELIVER: CardState.PERSONALISED,
}


def own_cards(session: Session, actor: Actor, vault: Vault, *, now: datetime) -> list[CardView]:
    """Every card and request of the talent who acts, the newest first. Raises NotPermitted."""
    actor.require(Permission.CARD_OWN)
    talent = people.of_account(session, actor)
    mine = (
        select(TalentCard, TalentCode)
        .join(TalentCode, TalentCode.id == TalentCard.code_id)
        .where(TalentCode.talent_id == talent.id)
        .order_by(TalentCard.requested_at.desc(), TalentCard.id)
    )
    return [_card(session, vault, card, code, now=now) for card, code in session.execute(mine).all()]


def own_card(session: Session, actor: Actor, vault: Vault, card_id: str, *, now: datetime) -> CardView:
    """One of them. Raises NotPermitted, CardNotFound."""
    card = holding.own(session, actor, card_id)
    return _card(session, vault, card, session.get_one(TalentCode, card.code_id), now=now)


def _card(session: Session, vault: Vault, card: TalentCard, code: TalentCode, *, now: datetime) -> CardView:
    standing = cards.standing(card, code, legal_date(now))
    number = cards.number_of(card) if card.state in _NUMBER_SHOWN else None
    issuer, offer = session.execute(
        select(Organisation.name, CardOffer)
        .join(CardOffer, CardOffer.organisation_id == Organisation.id)
        .where(Organisation.id == card.organisation_id)
    ).one()
    category, reason = _reason(session, vault, card)
    outlet = session.get(Outlet, card.outlet_id) if card.outlet_id else None
    steps = select(CardStep).where(CardStep.card_id == card.id).order_by(CardStep.number)
    return CardView(
        id=card.id,
        issuer=card.organisation_id,
        issuer_name=issuer,
        card_name=offer.name,
        proof=card.proof or offer.proof,
        standing=standing,
        number=number.grouped if number else None,
        printed_tier=card.printed_tier,
        valid_through=card.valid_through,
        requested_at=card.requested_at,
        due_on=card.due_on,
        reissue_by=_reissue_by(session, card, standing),
        replaces=card.replaces_id,
        category=category,
        reason=reason,
        delivery=card.delivery,
        outlet_name=outlet.name if outlet else "",
        outlet_address=outlet.address if outlet else "",
        mail_reference=card.mail_reference,
        steps=[StepView(state=each.state, at=each.at) for each in session.scalars(steps)],
    )


def work_list(
    session: Session,
    actor: Actor,
    vault: Vault,
    stage: Stage,
    *,
    after: str = "",
    limit: int,
    now: datetime,
) -> RequestPage:
    """Up to `limit` cards of the actor's organisation in that stage, what waits longest first, behind the
    card of id `after`. Raises NotPermitted, CardNotFound.
    """
    query = _of_stage(actor, stage).order_by(TalentCard.changed_at, TalentCard.id)
    if after:
        last = issuing.own(session, actor, after)
        query = query.where(tuple_(TalentCard.changed_at, TalentCard.id) > tuple_(last.changed_at, last.id))
    met = session.execute(query.limit(limit + 1)).all()
    rows = [_row(session, vault, card, code, now=now) for card, code in met[:limit]]
    return RequestPage(items=rows, next=rows[-1].id if len(met) > limit else None)


def waiting(session: Session, actor: Actor) -> dict[Stage, int]:
    """How many cards of the actor's organisation wait in each stage. Raises NotPermitted."""
    counted = {stage: _of_stage(actor, stage).with_only_columns(func.count()) for stage in Stage}
    return {stage: session.scalar(query) or 0 for stage, query in counted.items()}


def _of_stage(actor: Actor, stage: Stage) -> Select[TalentCard, TalentCode]:
    """Cards and codes; those whose code has ended wait for nothing."""
    actor.require(Permission.CARD_ISSUE)
    query = (
        select(TalentCard, TalentCode)
        .join(TalentCode, TalentCode.id == TalentCard.code_id)
        .where(TalentCard.organisation_id == actor.organisation_id, TalentCode.ended_at.is_(None))
    )
    if stage is not Stage.REISSUE:
        return query.where(TalentCard.state == _STAGES[stage])
    anew = aliased(TalentCard)
    begun = select(anew.id).where(anew.replaces_id == TalentCard.id, anew.state.in_(MAKING))
    told = select(CardNotice.card_id).where(CardNotice.card_id == TalentCard.id)
    return query.where(
        TalentCard.state.in_(IN_USE),
        TalentCard.printed_tier != TalentCode.tier,
        told.exists(),
        ~begun.exists(),
    )


def _row(session: Session, vault: Vault, card: TalentCard, code: TalentCode, *, now: datetime) -> RequestRow:
    return RequestRow(
        id=card.id,
        standing=cards.standing(card, code, legal_date(now)),
        holder=_masked(session, vault, card, code),
        tier=code.tier,
        requested_at=card.requested_at,
        due_on=card.due_on,
        changed_at=card.changed_at,
        is_replacement=card.replaces_id is not None,
        told_at=_told_at(session, card),
    )


def request_of(session: Session, actor: Actor, vault: Vault, card_id: str, *, now: datetime) -> RequestView:
    """One card for its issuer. Raises NotPermitted, CardNotFound."""
    card = issuing.own(session, actor, card_id)
    code = session.get_one(TalentCode, card.code_id)
    standing = cards.standing(card, code, legal_date(now))
    number = cards.number_of(card)
    category, reason = _reason(session, vault, card)
    outlet = session.get(Outlet, card.outlet_id) if card.outlet_id else None
    successor = select(TalentCard.id).where(
        TalentCard.replaces_id == card.id, TalentCard.state.in_(MAKING | IN_USE)
    )
    return RequestView(
        **_row(session, vault, card, code, now=now).model_dump(exclude={"is_replacement"}),
        printed_tier=card.printed_tier,
        number=number.grouped if number else None,
        proof=card.proof,
        valid_through=card.valid_through,
        reference=card.reference,
        delivery=card.delivery,
        outlet_name=outlet.name if outlet else "",
        mail_reference=card.mail_reference,
        replaces=card.replaces_id,
        reissue_by=_reissue_by(session, card, standing),
        has_successor=session.scalar(successor.limit(1)) is not None,
        category=category,
        reason=reason,
        shows_recipient=issuing.shows_recipient(card, code),
    )


def _masked(session: Session, vault: Vault, card: TalentCard, code: TalentCode) -> str:
    """The holder's masked surname, for as long as there is anything to do for him."""
    if card.state not in MAKING | IN_USE:
        return ""
    basic: dict[str, Any] = people.fields_of(session, vault, code.talent_id, FieldGroup.BASIC)
    return people.masked(str(basic.get("full_name", "")))


def _told_at(session: Session, card: TalentCard) -> datetime | None:
    return session.scalar(select(func.max(CardNotice.told_at)).where(CardNotice.card_id == card.id))


def _reissue_by(session: Session, card: TalentCard, standing: CardStanding) -> date | None:
    """Until when the former tier's mark is borne with, if the card bears one."""
    if standing is not CardStanding.REISSUE_REQUIRED:
        return None
    newest = select(func.max(TierChange.at)).where(TierChange.code_id == card.code_id)
    changed_at = session.scalar(newest)
    return legal_date(changed_at) + GRACE if changed_at else None


def _reason(session: Session, vault: Vault, card: TalentCard) -> tuple[DeclineCategory | None, str]:
    """Why the issuer gave no card, and in what words."""
    if card.state is not CardState.DECLINED:
        return None, ""
    declined = select(CardStep).where(CardStep.card_id == card.id, CardStep.state == CardState.DECLINED)
    step = session.scalars(declined).one()
    return step.category, vault.open(cards.reason_place(card.id), step.sealed or b"").decode()
