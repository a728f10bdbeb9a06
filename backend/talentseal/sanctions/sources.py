"""Where the service's own records say that something happened, or that it was put right: every query for it.

Nothing is read from tokens that did not verify: what a forged text names is not known to be true.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from talentseal.db import microseconds
from talentseal.sanctions.facts import Sighting
from talentseal.sanctions.models import Fact
from talentseal.sanctions.triggers import Trigger
from talentseal.talents.models import CodeState, CodeStep, TalentCode, TalentFields


def overdue_reviews(session: Session, since: datetime) -> Iterator[Sighting]:
    """Codes whose review is overdue, from when they are."""
    last = (
        select(CodeStep.code_id, func.max(CodeStep.number).label("number"))
        .where(CodeStep.state == CodeState.REVIEW_OVERDUE)
        .group_by(CodeStep.code_id)
        .subquery()
    )
    query = (
        select(CodeStep.code_id, CodeStep.number, CodeStep.at)
        .join(last, (last.c.code_id == CodeStep.code_id) & (last.c.number == CodeStep.number))
        .join(TalentCode, TalentCode.id == CodeStep.code_id)
        .where(TalentCode.state == CodeState.REVIEW_OVERDUE, CodeStep.at >= since)
    )
    for code, number, at in session.execute(query):
        yield Sighting(Trigger.REVIEW_OVERDUE, code, at, f"code_step/{code}/{number}")


def unverified_fields(session: Session, since: datetime) -> Iterator[Sighting]:
    """Groups of fields of people with a live code that nobody has compared with their proof."""
    query = (
        select(TalentCode.id, TalentFields.group, TalentFields.entered_at)
        .join(TalentFields, TalentFields.talent_id == TalentCode.talent_id)
        .where(
            TalentCode.ended_at.is_(None),
            TalentFields.verified_at.is_(None),
            TalentFields.entered_at >= since,
        )
    )
    for code, group, at in session.execute(query):
        yield Sighting(
            Trigger.UNVERIFIED_DATA, code, at, f"talent_fields/{code}/{group.value}/{microseconds(at)}"
        )


FOUND: Final = {Trigger.REVIEW_OVERDUE: overdue_reviews, Trigger.UNVERIFIED_DATA: unverified_fields}
"""How facts of a trigger are found that nobody reports. since: before which none is of interest."""


def cure(session: Session, now: datetime) -> int:
    """Note which facts have been put right; how many."""
    overdue = select(Fact).join(TalentCode, TalentCode.id == Fact.code_id)
    reviewed = overdue.where(
        Fact.trigger == Trigger.REVIEW_OVERDUE,
        Fact.cured_at.is_(None),
        TalentCode.state != CodeState.REVIEW_OVERDUE,
    )
    unverified = exists().where(
        TalentFields.talent_id == TalentCode.talent_id,
        TalentFields.entered_at == Fact.occurred_at,
        TalentFields.verified_at.is_(None),
    )
    verified = overdue.where(Fact.trigger == Trigger.UNVERIFIED_DATA, Fact.cured_at.is_(None), ~unverified)
    cured = [*session.scalars(reviewed), *session.scalars(verified)]
    for fact in cured:
        fact.cured_at = now
    session.flush()
    return len(cured)
