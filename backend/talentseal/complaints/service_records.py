"""How organisations have served, counted from what is recorded: complaints, marks, breaches that stand."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import BindParameter, bindparam, func, select
from sqlalchemy.orm import Session

from talentseal.accounts.models import Organisation
from talentseal.accounts.roles import Actor, Permission
from talentseal.agreements import duty_reading
from talentseal.benefits.models import BenefitVersion
from talentseal.clock import legal_date
from talentseal.complaints import ratings, service, terms
from talentseal.complaints.models import Complaint, Rating
from talentseal.complaints.schemas import ServiceRecord, ServiceRecordList
from talentseal.db import rows
from talentseal.errors import NotPermitted
from talentseal.redemptions.models import Redemption

YEAR: Final = timedelta(days=365)
_FULL: Final = 10_000


def service_records(
    session: Session, actor: Actor, *, since: date | None = None, through: date | None = None, now: datetime
) -> ServiceRecordList:
    """Of every organisation for the talent office, of the actor's own for anybody who answers complaints.

    since, through: the last 365 days when left out. Raises NotPermitted.
    """
    last = through or legal_date(now)
    first = since or last - YEAR + timedelta(days=1)
    office = actor.may(Permission.COMPLAINT_DECIDE)
    if not office and not actor.may(Permission.COMPLAINT_ANSWER):
        raise NotPermitted(permission=Permission.COMPLAINT_ANSWER.value)
    shown = service.targets(session) if office else [session.get_one(Organisation, actor.organisation_id)]
    return ServiceRecordList(
        since=first,
        through=last,
        least_ratings=terms.LEAST_RATINGS,
        items=records_of(session, shown, first, last),
    )


def records_of(
    session: Session, organisations: Sequence[Organisation], since: date, through: date
) -> list[ServiceRecord]:
    """How each has served from one day through another; a handful of queries, however many they are."""
    term, ids = terms.bounds(since, through), [each.id for each in organisations]
    complaints, marks = _complaints(session, ids, *term), _marks(session, ids, *term)
    breaches = duty_reading.standing(session, ids, *term)
    observed = _observed(session, ids, *term)
    found = []
    for each in organisations:
        filed, late, upheld = complaints.get(each.id, (0, 0, 0))
        count, total = marks.get(each.id, (0, 0))
        standing = breaches.get(each.id, 0)
        found.append(
            ServiceRecord(
                organisation=each.id,
                name=each.name,
                complaints=filed,
                answered_late=late,
                upheld=upheld,
                ratings=count,
                mean_bp=ratings.mean_bp(count, total),
                breaches=standing,
                breach_bp=_rate(standing, observed.get(each.id, 0)),
            )
        )
    return found


def breach_rate_bp(session: Session, organisation_id: str, since: date, through: date) -> int | None:
    """Breaches that stand, of them and all observances from one day through another, in basis points.

    Rounded down; None when nothing was owed that came due. Allegations and what was dismissed, cured or
    waived count for nothing (scenario 66).
    """
    term, asked = terms.bounds(since, through), [organisation_id]
    breaches = duty_reading.standing(session, asked, *term).get(organisation_id, 0)
    return _rate(breaches, _observed(session, asked, *term).get(organisation_id, 0))


_ASKED: Final[BindParameter[str]] = bindparam("organisations", expanding=True)
_COMPLAINTS: Final = (
    select(
        Complaint.organisation_id,
        func.count(),
        func.count(Complaint.missed_at),
        func.count().filter(Complaint.upheld.is_(True)),
    )
    .where(
        Complaint.organisation_id.in_(_ASKED),
        Complaint.filed_at >= bindparam("begins"),
        Complaint.filed_at < bindparam("ends"),
    )
    .group_by(Complaint.organisation_id)
)
_MARKS: Final = (
    select(Rating.organisation_id, func.count(), func.sum(Rating.stars))
    .where(
        Rating.organisation_id.in_(_ASKED),
        Rating.rated_at >= bindparam("begins"),
        Rating.rated_at < bindparam("ends"),
    )
    .group_by(Rating.organisation_id)
)
_OBSERVED: Final = (
    select(Redemption.organisation_id, func.count())
    .join(BenefitVersion, BenefitVersion.id == Redemption.version_id)
    .where(
        Redemption.organisation_id.in_(_ASKED),
        Redemption.record_id.is_not(None),
        BenefitVersion.stipulation_position.is_not(None),
        Redemption.completed_at >= bindparam("begins"),
        Redemption.completed_at < bindparam("ends"),
    )
    .group_by(Redemption.organisation_id)
)


def _complaints(
    session: Session, organisations: Sequence[str], begins: datetime, ends: datetime
) -> dict[str, tuple[int, int, int]]:
    """Complaints filed of each: all, answered late or not yet though late, upheld."""
    found = rows(session, _COMPLAINTS, organisations=organisations, begins=begins, ends=ends)
    return {row[0]: (row[1], row[2], row[3]) for row in found}


def _marks(
    session: Session, organisations: Sequence[str], begins: datetime, ends: datetime
) -> dict[str, tuple[int, int]]:
    """Marks given to each: how many, and their sum."""
    found = rows(session, _MARKS, organisations=organisations, begins=begins, ends=ends)
    return {row[0]: (row[1], int(row[2])) for row in found}


def _rate(breaches: int, observed: int) -> int | None:
    due = breaches + observed
    return breaches * _FULL // due if due else None


def _observed(
    session: Session, organisations: Sequence[str], begins: datetime, ends: datetime
) -> dict[str, int]:
    """How many redemptions each completed under a stipulation, which each of them observed (Article 20)."""
    return dict(rows(session, _OBSERVED, organisations=organisations, begins=begins, ends=ends))
