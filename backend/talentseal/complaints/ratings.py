"""Marks for service (好差评): one for each use of a benefit and for each complaint that is over."""

import secrets
from collections.abc import Mapping
from datetime import date, datetime

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Session

from talentseal.accounts.roles import Actor, Permission
from talentseal.complaints import service, terms
from talentseal.complaints.models import Complaint, Rating
from talentseal.complaints.schemas import Rate, RatingView
from talentseal.complaints.service import RedemptionNotOwn
from talentseal.complaints.states import OVER
from talentseal.db import is_sqlite
from talentseal.errors import Conflict
from talentseal.redemptions.models import Redemption, RedemptionState
from talentseal.talents import people
from talentseal.talents.models import place_of
from talentseal.vault import Vault

BEST = 5
_FULL = 10_000
_SERVED = frozenset(
    {
        RedemptionState.COMPLETED,
        RedemptionState.PARTIALLY_REVERSED,
        RedemptionState.DISPUTED,
        RedemptionState.SETTLED,
    }
)


class NothingToRate(Conflict):
    code = "nothing-to-rate"
    zh = "服务尚未完成，或投诉尚未办结，还不能评价。请在办结后评价。"
    en = "The service is not completed, or the complaint not over: it can be rated once it is."


class RatingFixed(Conflict):
    code = "rating-fixed"
    zh = "评价只能在作出后 7 天内修改，现已不能再改。如对服务仍有意见，可以投诉。"
    en = "A mark can be changed for 7 days, which are over; if the service is still wrong, complain."


def rate_redemption(
    session: Session, actor: Actor, vault: Vault, redemption_id: str, command: Rate, *, now: datetime
) -> Rating:
    """Mark one's own use of a benefit, once, or change the mark while it can be.

    Raises NotPermitted, RedemptionNotOwn, NothingToRate, RatingFixed.
    """
    row = own_redemption(session, actor, redemption_id)
    if row.state not in _SERVED:
        raise NothingToRate
    about = {"redemption_id": row.id, "organisation_id": row.organisation_id, "talent_id": row.talent_id}
    return _rate(session, vault, about, "redemption_id", command, now=now)


def rate_complaint(
    session: Session, actor: Actor, vault: Vault, complaint_id: str, command: Rate, *, now: datetime
) -> Rating:
    """Mark how one's own complaint was dealt with, once it is over.

    Raises NotPermitted, ComplaintNotFound, NothingToRate, RatingFixed.
    """
    actor.require(Permission.COMPLAINT_OWN)
    row = service.held(session, complaint_id)
    if row.talent_id != people.of_account(session, actor).id:
        raise service.ComplaintNotFound
    if row.state not in OVER:
        raise NothingToRate
    about = {"complaint_id": row.id, "organisation_id": row.organisation_id, "talent_id": row.talent_id}
    return _rate(session, vault, about, "complaint_id", command, now=now)


def own_redemption(session: Session, actor: Actor, redemption_id: str) -> Redemption:
    """The actor's own use of a benefit. Raises NotPermitted, RedemptionNotOwn."""
    actor.require(Permission.COMPLAINT_OWN)
    row = session.get(Redemption, redemption_id)
    if row is None or row.talent_id != people.of_account(session, actor).id:
        raise RedemptionNotOwn
    return row


def of_redemption(session: Session, redemption_id: str) -> Rating | None:
    """The mark of a use of a benefit; None without one."""
    return session.scalars(select(Rating).where(Rating.redemption_id == redemption_id)).one_or_none()


def of_complaint(session: Session, complaint: Complaint) -> Rating | None:
    """The mark of a complaint; None without one."""
    return session.scalars(select(Rating).where(Rating.complaint_id == complaint.id)).one_or_none()


def view(vault: Vault, row: Rating, *, now: datetime) -> RatingView:
    """A mark as whoever gave it sees it."""
    return RatingView(
        stars=row.stars,
        text=words_of(vault, row),
        rated_at=row.rated_at,
        changeable_until=row.changeable_until,
        changeable=now <= row.changeable_until,
    )


def words_of(vault: Vault, row: Rating) -> str | None:
    """What was written with a mark; None without words."""
    return None if row.sealed is None else vault.open(place_of("rating", row.id), row.sealed).decode()


def rating_mean_bp(session: Session, organisation_id: str, since: date, through: date) -> int | None:
    """Mean of the marks given from one day through another, in basis points of the best mark.

    All fives are 10,000, all ones 2,000; rounded down. None with fewer than LEAST_RATINGS marks.
    """
    begins, ends = terms.bounds(since, through)
    query = select(func.count(), func.sum(Rating.stars)).where(
        Rating.organisation_id == organisation_id, Rating.rated_at >= begins, Rating.rated_at < ends
    )
    count, total = session.execute(query).one()
    return mean_bp(count, int(total or 0))


def mean_bp(count: int, total: int) -> int | None:
    """The mean of `count` marks that sum up to `total`; None with too few of them."""
    return total * _FULL // (count * BEST) if count >= terms.LEAST_RATINGS else None


def _rate(
    session: Session, vault: Vault, about: Mapping[str, str], key: str, command: Rate, *, now: datetime
) -> Rating:
    """Write the mark, or change the one that is there: of two at once the database admits one."""
    rating_id = secrets.token_hex(16)
    insert = insert_sqlite if is_sqlite(session) else insert_postgresql
    new = insert(Rating).values(
        id=rating_id,
        stars=command.stars,
        sealed=_sealed(vault, rating_id, command.text),
        rated_at=now,
        changeable_until=now + terms.CHANGEABLE,
        **about,
    )
    if session.execute(new.on_conflict_do_nothing(index_elements=[key]).returning(Rating.id)).first():
        return session.get_one(Rating, rating_id)
    row = session.scalars(
        select(Rating).where(getattr(Rating, key) == about[key]),
        execution_options={"populate_existing": True},
    ).one()
    change = (
        update(Rating)
        .where(Rating.id == row.id, Rating.changeable_until >= now)
        .values(stars=command.stars, sealed=_sealed(vault, row.id, command.text), changed_at=now)
        .returning(Rating.id)
    )
    if session.execute(change).first() is None:
        raise RatingFixed
    session.refresh(row)
    return row


def _sealed(vault: Vault, rating_id: str, words: str | None) -> bytes | None:
    return None if words is None else vault.seal(place_of("rating", rating_id), words.encode())
