"""Where the service's own records say that something happened, or that it was put right: every query for it.

Nothing is read from tokens that did not verify: what a forged text names is not known to be true.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from talentseal.credentials.models import Device, PresentationRefusal
from talentseal.credentials.refusals import Refusal
from talentseal.db import microseconds
from talentseal.partners.models import Outlet, Terminal
from talentseal.sanctions.facts import Sighting
from talentseal.sanctions.models import Fact
from talentseal.sanctions.triggers import Trigger
from talentseal.talents.models import CodeState, CodeStep, TalentCode, TalentFields

_COMMITS_WITHIN: Final = timedelta(minutes=5)
"""How long a transaction takes at the very most from its time to its commit."""


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


def replays(session: Session, since: datetime) -> Iterator[Sighting]:
    """Genuine tokens that were shown once more after their use, with the organisation at whose counter.

    Only what is new, as it is asked for every minute; what commits late is still found for a while.
    """
    newest = session.scalar(
        select(func.max(Fact.occurred_at)).where(Fact.trigger == Trigger.TOKEN_REPLAY_GE_N)
    )
    start = since if newest is None else max(since, newest - _COMMITS_WITHIN)
    query = (
        select(
            PresentationRefusal.id,
            PresentationRefusal.code_id,
            PresentationRefusal.refused_at,
            Outlet.organisation_id,
        )
        .join(Terminal, Terminal.id == PresentationRefusal.terminal_id)
        .join(Outlet, Outlet.id == Terminal.outlet_id)
        .where(
            PresentationRefusal.refusal == Refusal.TOKEN_USED,
            PresentationRefusal.code_id.is_not(None),
            PresentationRefusal.refused_at >= start,
        )
    )
    for refusal, code, at, organisation in session.execute(query):
        if code is not None:
            reference = f"presentation_refusal/{refusal}"
            yield Sighting(Trigger.TOKEN_REPLAY_GE_N, code, at, reference, organisation)


def devices(session: Session, since: datetime) -> Iterator[Sighting]:
    """Devices on which somebody with a live code let it be shown: a new one is one fact."""
    query = (
        select(Device.id, TalentCode.id, Device.bound_at)
        .join(TalentCode, TalentCode.talent_id == Device.talent_id)
        .where(TalentCode.ended_at.is_(None), Device.bound_at >= since)
    )
    for device, code, at in session.execute(query):
        yield Sighting(Trigger.DEVICE_COUNT_GE_N, code, at, f"device/{device}")


AT_ONCE: Final = {Trigger.TOKEN_REPLAY_GE_N: replays}
"""What cannot wait for the night. since: before which nothing is of interest."""

FOUND: Final = {
    **AT_ONCE,
    Trigger.DEVICE_COUNT_GE_N: devices,
    Trigger.REVIEW_OVERDUE: overdue_reviews,
    Trigger.UNVERIFIED_DATA: unverified_fields,
}
"""How facts of a trigger are found that nobody reports."""


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
