"""Cards as their holder and their issuer see them, and the issuer's work list."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Integer, Select, bindparam, func, select, tuple_
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
from talentseal.db import Instant
from talentseal.partners.models import Outlet
from talentseal.talents import people
from talentseal.talents.models import FieldGroup, TalentCode, TalentFields, TierChange
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
    mine = TalentCode.talent_id == people.of_account(session, actor).id
    return _views(session, vault, mine, now=now)


def own_card(session: Session, actor: Actor, vault: Vault, card_id: str, *, now: datetime) -> CardView:
    """One of them. Raises NotPermitted, CardNotFound."""
    card = holding.own(session, actor, card_id)
    (view,) = _views(session, vault, TalentCard.id == card.id, now=now)
    return view


def _views(session: Session, vault: Vault, which: ColumnElement[bool], *, now: datetime) -> list[CardView]:
    """The cards of which `which` holds, as their holder sees them, the newest first."""
    query = (
        select(TalentCard, TalentCode, Organisation.name, CardOffer, Outlet)
        .join(TalentCode, TalentCode.id == TalentCard.code_id)
        .join(Organisation, Organisation.id == TalentCard.organisation_id)
        .join(CardOffer, CardOffer.organisation_id == TalentCard.organisation_id)
        .outerjoin(Outlet, Outlet.id == TalentCard.outlet_id)
        .where(which)
        .order_by(TalentCard.requested_at.desc(), TalentCard.id)
    )
    met = session.execute(query).all()
    steps: dict[str, list[CardStep]] = {card.id: [] for card, *_ in met}
    taken = select(CardStep).where(CardStep.card_id.in_(steps)).order_by(CardStep.card_id, CardStep.number)
    for step in session.scalars(taken):
        steps[step.card_id].append(step)
    return [_view(session, vault, _Held(*row, steps=steps[row[0].id]), today=legal_date(now)) for row in met]


@dataclass(frozen=True, slots=True)
class _Held:
    """A card with what its holder is told of it."""

    card: TalentCard
    code: TalentCode
    issuer_name: str
    offer: CardOffer
    outlet: Outlet | None
    steps: list[CardStep]


def _view(session: Session, vault: Vault, held: _Held, *, today: date) -> CardView:
    card, outlet = held.card, held.outlet
    standing = cards.standing(card, held.code, today)
    number = cards.number_of(card) if card.state in _NUMBER_SHOWN else None
    category, reason = _reason(vault, card, held.steps[-1])
    return CardView(
        id=card.id,
        issuer=card.organisation_id,
        issuer_name=held.issuer_name,
        card_name=held.offer.name,
        proof=card.proof or held.offer.proof,
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
        steps=[StepView(state=each.state, at=each.at) for each in held.steps],
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
    actor.require(Permission.CARD_ISSUE)
    asked: dict[str, Any] = {"issuer": actor.organisation_id, "limit": limit + 1}
    if after:
        last = issuing.own(session, actor, after)
        asked |= {"after_at": last.changed_at, "after_id": last.id}
    met = session.execute((_BEHIND if after else _LISTS)[stage], asked).all()
    rows = [_row(vault, *found, now=now) for found in met[:limit]]
    return RequestPage(items=rows, next=rows[-1].id if len(met) > limit else None)


def waiting(session: Session, actor: Actor) -> dict[Stage, int]:
    """How many cards of the actor's organisation wait in each stage. Raises NotPermitted."""
    actor.require(Permission.CARD_ISSUE)
    counts = session.execute(_COUNTS, {"issuer": actor.organisation_id}).one()
    return dict(zip(Stage, counts, strict=True))


def _of_stage(stage: Stage) -> Select[TalentCard, TalentCode]:
    """Cards and codes of the organisation `issuer`; those whose code has ended wait for nothing."""
    query = (
        select(TalentCard, TalentCode)
        .join(TalentCode, TalentCode.id == TalentCard.code_id)
        .where(TalentCard.organisation_id == bindparam("issuer"), TalentCode.ended_at.is_(None))
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


def _with_holder(
    query: Select[TalentCard, TalentCode],
) -> Select[TalentCard, TalentCode, bytes | None, datetime | None]:
    """With the holder's sealed name, and when the issuer was told of his tier last."""
    told = select(func.max(CardNotice.told_at)).where(CardNotice.card_id == TalentCard.id)
    basic = (TalentFields.talent_id == TalentCode.talent_id) & (TalentFields.group == FieldGroup.BASIC)
    return query.outerjoin(TalentFields, basic).add_columns(TalentFields.sealed, told.scalar_subquery())


def _listed(stage: Stage, *, behind: bool) -> Any:
    """The work list of a stage; behind: what comes after the card of `after_at` and `after_id`."""
    place = tuple_(TalentCard.changed_at, TalentCard.id)
    query = _with_holder(_of_stage(stage))
    if behind:
        query = query.where(place > tuple_(bindparam("after_at", type_=Instant), bindparam("after_id")))
    ordered = query.order_by(TalentCard.changed_at, TalentCard.id)
    return ordered.limit(bindparam("limit", type_=Integer))


# Made once: to make them anew took more than a third of the page's time.
_COUNTS: Final = select(
    *(_of_stage(stage).with_only_columns(func.count()).scalar_subquery() for stage in Stage)
)
_LISTS: Final = {stage: _listed(stage, behind=False) for stage in Stage}
_BEHIND: Final = {stage: _listed(stage, behind=True) for stage in Stage}


def _row(
    vault: Vault,
    card: TalentCard,
    code: TalentCode,
    sealed: bytes | None,
    told_at: datetime | None,
    *,
    now: datetime,
) -> RequestRow:
    """The holder's masked surname is shown for as long as there is anything to do for him."""
    is_living = card.state in MAKING | IN_USE
    return RequestRow(
        id=card.id,
        standing=cards.standing(card, code, legal_date(now)),
        holder=people.masked_name(vault, code.talent_id, sealed) if is_living else "",
        tier=code.tier,
        requested_at=card.requested_at,
        due_on=card.due_on,
        changed_at=card.changed_at,
        is_replacement=card.replaces_id is not None,
        told_at=told_at,
    )


def request_of(session: Session, actor: Actor, vault: Vault, card_id: str, *, now: datetime) -> RequestView:
    """One card for its issuer. Raises NotPermitted, CardNotFound."""
    card = issuing.own(session, actor, card_id)
    query = select(TalentCard, TalentCode).join(TalentCode, TalentCode.id == TalentCard.code_id)
    found = session.execute(_with_holder(query.where(TalentCard.id == card.id))).one()
    row, code = _row(vault, *found, now=now), found[1]
    number = cards.number_of(card)
    category, reason = _reason(vault, card, _last_step(session, card))
    outlet = session.get(Outlet, card.outlet_id) if card.outlet_id else None
    successor = select(TalentCard.id).where(
        TalentCard.replaces_id == card.id, TalentCard.state.in_(MAKING | IN_USE)
    )
    return RequestView(
        **row.model_dump(exclude={"is_replacement"}),
        printed_tier=card.printed_tier,
        number=number.grouped if number else None,
        proof=card.proof,
        valid_through=card.valid_through,
        reference=card.reference,
        delivery=card.delivery,
        outlet_name=outlet.name if outlet else "",
        mail_reference=card.mail_reference,
        replaces=card.replaces_id,
        reissue_by=_reissue_by(session, card, row.standing),
        has_successor=session.scalar(successor.limit(1)) is not None,
        category=category,
        reason=reason,
        shows_recipient=issuing.shows_recipient(card, code),
    )


def _reissue_by(session: Session, card: TalentCard, standing: CardStanding) -> date | None:
    """Until when the former tier's mark is borne with, if the card bears one."""
    if standing is not CardStanding.REISSUE_REQUIRED:
        return None
    newest = select(func.max(TierChange.at)).where(TierChange.code_id == card.code_id)
    changed_at = session.scalar(newest)
    return legal_date(changed_at) + GRACE if changed_at else None


def _last_step(session: Session, card: TalentCard) -> CardStep:
    newest = select(CardStep).where(CardStep.card_id == card.id).order_by(CardStep.number.desc())
    return session.scalars(newest.limit(1)).one()


def _reason(vault: Vault, card: TalentCard, last: CardStep) -> tuple[DeclineCategory | None, str]:
    """Why the issuer gave no card, and in what words. last: the card's last step."""
    opened = vault.open(cards.reason_place(card.id), last.sealed) if last.sealed else b""
    return last.category, opened.decode()
