"""What rests of a code: imposed and ended by cases, asked by whatever a code is used for."""

import secrets
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import Session

from talentseal.sanctions.models import Restriction, SuspensionCase
from talentseal.sanctions.schemas import Scope
from talentseal.sanctions.triggers import Reach
from talentseal.talents import codes
from talentseal.talents.models import CodeState, TalentCode


def applies(
    session: Session,
    code_id: str,
    *,
    partner: str | None = None,
    category: str | None = None,
    benefit: str | None = None,
    now: datetime,
) -> bool:
    """Whether something holds against the use of a code at `now` for that partner, category and benefit.

    It asks the dates alone, so that the answer is the same whether or not the clock's step has been.
    """
    found = rests(code_id, partner=partner, category=category, benefit=benefit, now=now)
    return bool(session.scalar(select(found)))


def rests(code: Any, *, partner: Any, category: Any, benefit: Any, now: Any) -> ColumnElement[bool]:
    """The same as a condition, of values, columns or parameters. None: not for any of its kind."""
    reached: list[ColumnElement[bool]] = [Restriction.reach == Reach.ALL]
    for reach, value in ((Reach.PARTNER, partner), (Reach.CATEGORY, category), (Reach.BENEFIT, benefit)):
        if value is not None:
            reached.append((Restriction.reach == reach) & (Restriction.value == value))
    return exists().where(_holds(code, now), or_(*reached))


def impose(
    session: Session, case: SuspensionCase, scope: Scope, *, until: datetime, by: str | None, now: datetime
) -> None:
    """Let that rest until then, in place of what the case had rest before. by: account; None for the date."""
    _end(session, case, now)
    session.add(
        Restriction(
            id=secrets.token_hex(16),
            code_id=case.code_id,
            case_id=case.id,
            reach=scope.reach,
            value=scope.value,
            from_at=now,
            until=until,
        )
    )
    settle(session, case.code_id, by=by, cause=case.id, now=now)


def lift(session: Session, case: SuspensionCase, *, by: str | None, now: datetime) -> None:
    """End whatever the case has rest."""
    _end(session, case, now)
    settle(session, case.code_id, by=by, cause=case.id, now=now)


def settle(session: Session, code_id: str, *, by: str | None, cause: str | None, now: datetime) -> bool:
    """Let the code's state agree with what holds against all of it; whether it had to change.

    A code whose review is overdue is of no use already: once the review has passed, the next look finds it.
    """
    session.flush()
    code = session.get_one(TalentCode, code_id, with_for_update=True)
    whole = select(Restriction.id).where(_holds(code_id, now), Restriction.reach == Reach.ALL).limit(1)
    rests = session.scalar(whole) is not None
    if code.state is CodeState.ACTIVE and rests:
        codes.move(session, code_id, CodeState.SUSPENDED, by=by, cause=cause, now=now)
        return True
    if code.state is CodeState.SUSPENDED and not rests:
        codes.move(session, code_id, CodeState.ACTIVE, by=by, cause=cause, now=now)
        return True
    return False


def unsettled(session: Session, now: datetime) -> list[tuple[str, str]]:
    """(code, case) of active codes against all of which something holds: their review has passed since."""
    query = (
        select(Restriction.code_id, Restriction.case_id)
        .join(TalentCode, TalentCode.id == Restriction.code_id)
        .where(
            TalentCode.state == CodeState.ACTIVE,
            Restriction.reach == Reach.ALL,
            Restriction.ended_at.is_(None),
            Restriction.until > now,
        )
    )
    return [(code, case) for code, case in session.execute(query.order_by(Restriction.code_id))]


def _end(session: Session, case: SuspensionCase, now: datetime) -> None:
    holding = select(Restriction).where(Restriction.case_id == case.id, Restriction.ended_at.is_(None))
    for each in session.scalars(holding):
        each.ended_at = now


def _holds(code_id: Any, now: Any) -> ColumnElement[bool]:
    return and_(
        Restriction.code_id == code_id,
        Restriction.ended_at.is_(None),
        Restriction.from_at <= now,
        Restriction.until > now,
    )
