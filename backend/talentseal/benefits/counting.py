"""Counting what is used: quotas of a person, exclusion groups, budgets; and giving back what was not.

Every count is one guarded statement: it changes the counter only within its limit, whoever else does the
same, and the database's constraints stand behind it. A count that finds its limit reached although what was
read before said otherwise has lost a race: `Outrun` undoes the transaction, and the act is decided anew.
All counts are taken in one order (exclusion, quota, budget), so that no two wait for one another.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import BigInteger, BindParameter, bindparam, or_, update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Session

from talentseal.benefits.models import Budget, BudgetAlarm, ExclusionUse, QuotaUse
from talentseal.db import is_sqlite, table_of
from talentseal.errors import Unavailable

ALARMS: Final = (80, 100)
"""Percentages of a budget that are told once when they are reached."""

_UNLIMITED: Final = 2**62


class Outrun(Unavailable):
    """Somebody else used up what was left after it was read. The act is to be decided anew."""

    code = "outrun"
    zh = "同时办理的人较多，请稍后重试。"
    en = "Too many act on this at once; try again shortly."


@dataclass(frozen=True, slots=True)
class Use:
    """What is counted. quota: None for no limit. value_fen: of all units together."""

    talent: str
    benefit: str
    period: str
    quota: int | None
    exclusion_group: str | None
    budget: str | None
    units: int
    value_fen: int


def take(session: Session, use: Use) -> None:
    """Count a use in the person's exclusion group and quota. Only within a write, which `spend` completes.

    Raises Outrun with some of it counted: the write has to be undone.
    """
    sqlite = is_sqlite(session)
    who = {"talent_id": use.talent, "period": use.period, "benefit_id": use.benefit, "units": use.units}
    if use.exclusion_group is not None:
        group = {**who, "exclusion_group": use.exclusion_group}
        _guarded(session, _EXCLUDE_SQLITE if sqlite else _EXCLUDE_POSTGRESQL, group)
    quota = _UNLIMITED if use.quota is None else use.quota
    if use.units > quota:
        raise Outrun
    _guarded(session, _COUNT_SQLITE if sqlite else _COUNT_POSTGRESQL, {**who, "quota": quota})


def spend(session: Session, use: Use, *, now: datetime) -> None:
    """Count a use in its budget, if it has one. Only within a write. Raises Outrun as `take` does."""
    if use.budget is not None:
        spent = _guarded(session, _SPEND, _amounts(use))
        _alarm(session, use, spent, now)


def give_back(session: Session, use: Use) -> None:
    """Undo the count of what was released or reversed. quota is not asked."""
    who = {"talent": use.talent, "period_key": use.period, "benefit": use.benefit, "units": use.units}
    connection = session.connection()
    if use.exclusion_group is not None:
        connection.execute(_INCLUDE, {**who, "grouped": use.exclusion_group})
    connection.execute(_UNCOUNT, who)
    if use.budget is not None:
        connection.execute(_RETURN, _amounts(use))


def _amounts(use: Use) -> dict[str, Any]:
    return {"budget": use.budget, "units": use.units, "value": use.value_fen}


def _guarded(session: Session, statement: Any, values: dict[str, Any]) -> Any:
    found = session.connection().execute(statement, values).first()
    if found is None:
        raise Outrun
    return found


_UNITS: Final = bindparam("units", type_=BigInteger())
_QUOTAS: Final = table_of(QuotaUse)
_GROUPS: Final = table_of(ExclusionUse)
_BUDGETS: Final = table_of(Budget)
_NAMED: Final[tuple[BindParameter[str], ...]] = (
    bindparam("talent_id"),
    bindparam("benefit_id"),
    bindparam("period"),
)


def _count(insert: Any) -> Any:
    made = insert(_QUOTAS).values(**{each.key: each for each in _NAMED}, used=_UNITS)
    return made.on_conflict_do_update(
        index_elements=[_QUOTAS.c.talent_id, _QUOTAS.c.benefit_id, _QUOTAS.c.period],
        set_={"used": _QUOTAS.c.used + _UNITS},
        where=_QUOTAS.c.used + _UNITS <= bindparam("quota", type_=BigInteger()),
    ).returning(_QUOTAS.c.used)


def _exclude(insert: Any) -> Any:
    made = insert(_GROUPS).values(
        **{each.key: each for each in _NAMED}, exclusion_group=bindparam("exclusion_group"), used=_UNITS
    )
    return made.on_conflict_do_update(
        index_elements=[_GROUPS.c.talent_id, _GROUPS.c.exclusion_group, _GROUPS.c.period],
        set_={"used": _GROUPS.c.used + _UNITS, "benefit_id": made.excluded.benefit_id},
        where=or_(_GROUPS.c.benefit_id == made.excluded.benefit_id, _GROUPS.c.used == 0),
    ).returning(_GROUPS.c.used)


_COUNT_SQLITE: Final = _count(insert_sqlite)
_COUNT_POSTGRESQL: Final = _count(insert_postgresql)
_EXCLUDE_SQLITE: Final = _exclude(insert_sqlite)
_EXCLUDE_POSTGRESQL: Final = _exclude(insert_postgresql)

_VALUE: Final = bindparam("value", type_=BigInteger())
_SPEND: Final = (
    update(_BUDGETS)
    .where(
        _BUDGETS.c.id == bindparam("budget"),
        or_(_BUDGETS.c.limit_units.is_(None), _BUDGETS.c.used_units + _UNITS <= _BUDGETS.c.limit_units),
        or_(_BUDGETS.c.limit_fen.is_(None), _BUDGETS.c.used_fen + _VALUE <= _BUDGETS.c.limit_fen),
    )
    .values(used_units=_BUDGETS.c.used_units + _UNITS, used_fen=_BUDGETS.c.used_fen + _VALUE)
    .returning(_BUDGETS.c.used_units, _BUDGETS.c.limit_units, _BUDGETS.c.used_fen, _BUDGETS.c.limit_fen)
)
_RETURN: Final = (
    update(_BUDGETS)
    .where(_BUDGETS.c.id == bindparam("budget"))
    .values(used_units=_BUDGETS.c.used_units - _UNITS, used_fen=_BUDGETS.c.used_fen - _VALUE)
)
_UNCOUNT: Final = (
    update(_QUOTAS)
    .where(
        _QUOTAS.c.talent_id == bindparam("talent"),
        _QUOTAS.c.benefit_id == bindparam("benefit"),
        _QUOTAS.c.period == bindparam("period_key"),
    )
    .values(used=_QUOTAS.c.used - _UNITS)
)
_INCLUDE: Final = (
    update(_GROUPS)
    .where(
        _GROUPS.c.talent_id == bindparam("talent"),
        _GROUPS.c.exclusion_group == bindparam("grouped"),
        _GROUPS.c.period == bindparam("period_key"),
    )
    .values(used=_GROUPS.c.used - _UNITS)
)


def _alarm(session: Session, use: Use, spent: Any, now: datetime) -> None:
    units, limit_units, fen, limit_fen = spent
    reached = share_bp(units, limit_units, fen, limit_fen)
    before = share_bp(units - use.units, limit_units, fen - use.value_fen, limit_fen)
    for percent in ALARMS:
        if before < percent * 100 <= reached:
            row = {"budget_id": use.budget, "percent": percent, "reached_at": now}
            insert = insert_sqlite if is_sqlite(session) else insert_postgresql
            session.connection().execute(insert(table_of(BudgetAlarm)).on_conflict_do_nothing(), row)


def share_bp(used_units: int, limit_units: int | None, used_fen: int, limit_fen: int | None) -> int:
    """How much of a budget is used, in basis points of whichever limit is nearer; 0 without a limit."""
    shares = [
        used * 10_000 // limit if limit else 10_000
        for used, limit in ((used_units, limit_units), (used_fen, limit_fen))
        if limit is not None
    ]
    return max(shares, default=0)
