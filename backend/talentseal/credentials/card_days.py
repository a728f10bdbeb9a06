"""What the date and a change of tier bring to cards: their last day, one notice to the issuer (Article 12).

A tier changes elsewhere, and whoever changes it knows nothing of cards. So a loop of the worker asks every
half minute which issuers have not been told yet, about changes of late; the nightly step asks about all.
"""

from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import Select, func, literal, select
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Session, aliased

from talentseal.credentials import cards, chips
from talentseal.credentials.card_models import CardNotice, TalentCard
from talentseal.credentials.card_states import PRINTED, CardState
from talentseal.db import Instant, is_sqlite
from talentseal.talents.models import TalentCode, TierChange

OF_LATE: Final = timedelta(minutes=10)
"""How far back the loop looks; a change that took longer to be committed is told at night."""

GRACE: Final = timedelta(days=30)
"""How long the mark of the former tier is borne with on a card; our own default. Rights change at once."""


def apply_day(session: Session, day: date, now: datetime) -> int:
    """Let cards expire whose last day was before `day`, and tell issuers of every change not told yet; how
    many of both. May be repeated for any day that has come.
    """
    over = select(TalentCard.id).where(TalentCard.state.in_(PRINTED), TalentCard.valid_through < day)
    expired = 0
    for card_id in session.scalars(over.order_by(TalentCard.id)).all():
        card = session.get_one(TalentCard, card_id, with_for_update=True, populate_existing=True)
        if card.state not in PRINTED:
            continue  # its holder was here while we waited for the card
        cards.move(session, card, CardState.EXPIRED, by=None, now=now)
        expired += 1
    chips.forget(session, now=now)
    return expired + tell_issuers(session, now=now)


def tell_issuers(session: Session, *, since: datetime | None = None, now: datetime) -> int:
    """Leave a notice for each card whose printed tier the newest change of its code made another; how many
    were new. One that is there already stays as it is, whoever asks at the same time.

    since: looks at changes from then on alone.
    """
    insert = insert_sqlite if is_sqlite(session) else insert_postgresql
    found = _untold(since).add_columns(literal(now, Instant))
    told = (
        insert(CardNotice)
        .from_select(["card_id", "tier_change_id", "told_at"], found)
        .on_conflict_do_nothing()
        .returning(CardNotice.card_id)
    )
    return len(session.execute(told).all())


def is_anyone_untold(session: Session, *, since: datetime) -> bool:
    """Whether `tell_issuers` would find something new."""
    return session.execute(_untold(since).limit(1)).first() is not None


def _untold(since: datetime | None) -> Select[str, str]:
    """Cards with the newest change of their code's tier, which is not the one printed, and not told."""
    other = aliased(TierChange)
    newest = select(func.max(other.at)).where(other.code_id == TalentCode.id)
    told = select(CardNotice.card_id).where(
        CardNotice.card_id == TalentCard.id, CardNotice.tier_change_id == TierChange.id
    )
    query = (
        select(TalentCard.id, TierChange.id)
        .join(TalentCode, TalentCode.id == TalentCard.code_id)
        .join(TierChange, TierChange.code_id == TalentCode.id)
        .where(
            TalentCard.state.in_(PRINTED),
            TalentCard.printed_tier != TalentCode.tier,
            TierChange.at == newest.scalar_subquery(),
            TierChange.after == TalentCode.tier,
            ~told.exists(),
        )
    )
    return query if since is None else query.where(TierChange.at >= since)
