"""Counting what is used: quotas of a person, exclusion groups, budgets; and giving back what was not.

Every count is one statement that changes the counter only within its limit, whoever else does the same. A
count that finds its limit reached although what was read before said otherwise has lost a race: `Outrun`
undoes the transaction, and the act is decided anew. All counts are taken in one order (exclusion, quota,
budget), so that no two wait for one another. Quota and budget are counted at the end of the write, the budget
last, since its row is everybody's; nobody reads what that answers, so the tables' own constraints forbid what
goes beyond.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import BigInteger, BindParameter, bindparam, case, literal, or_, select, union_all, update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Session

from talentseal.benefits.models import Budget, BudgetAlarm, ExclusionUse, QuotaUse
from talentseal.db import Instant, at_end, connection_of, is_sqlite, table_of
from talentseal.errors import Unavailable
from talentseal.statements import carry_out

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


def take(session: Session, use: Use, *, now: datetime) -> None:
    """Count a use in the person's exclusion group at once, in quota and budget at the end of the write.

    Only within a write, which raises Outrun with some of it counted, so that it has to be undone. The alarms
    that the budget's use reaches are noted with it.
    """
    sqlite = is_sqlite(session)
    who = {"talent_id": use.talent, "period": use.period, "benefit_id": use.benefit, "units": use.units}
    if use.exclusion_group is not None:
        group = {**who, "exclusion_group": use.exclusion_group}
        _guarded(session, _EXCLUDE_SQLITE if sqlite else _EXCLUDE_POSTGRESQL, group)
    quota = _UNLIMITED if use.quota is None else use.quota
    if use.units > quota:
        raise Outrun
    at_end(session, _COUNT_SQLITE if sqlite else _COUNT_POSTGRESQL, {**who, "quota": quota}, forbidden=Outrun)
    if use.budget is not None:
        at_end(session, _SPEND, _amounts(use), forbidden=Outrun)
        at_end(session, *_alarms(session, use.budget, now), forbidden=Outrun)


def note_alarms(session: Session, budget: str, *, now: datetime) -> None:
    """Note what a budget has reached, for a limit that was changed. Safe to repeat."""
    carry_out(connection_of(session), *_alarms(session, budget, now))


def _alarms(session: Session, budget: str, now: datetime) -> tuple[Any, dict[str, Any]]:
    reach = _REACH_SQLITE if is_sqlite(session) else _REACH_POSTGRESQL
    return reach, {"budget": budget, "at": now}


def give_back(session: Session, use: Use) -> None:
    """Undo the count of what was released or reversed. quota is not asked."""
    who = {"talent": use.talent, "period_key": use.period, "benefit": use.benefit, "units": use.units}
    connection = connection_of(session)
    if use.exclusion_group is not None:
        carry_out(connection, _INCLUDE, {**who, "grouped": use.exclusion_group})
    carry_out(connection, _UNCOUNT, who)
    if use.budget is not None:
        carry_out(connection, _RETURN, _amounts(use))


def _amounts(use: Use) -> dict[str, Any]:
    return {"budget": use.budget, "units": use.units, "value": use.value_fen}


def _guarded(session: Session, statement: Any, values: dict[str, Any]) -> None:
    if not carry_out(connection_of(session), statement, values):
        raise Outrun


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
    used = _QUOTAS.c.used + _UNITS
    made = insert(_QUOTAS).values(**{each.key: each for each in _NAMED}, used=_UNITS)
    return made.on_conflict_do_update(
        index_elements=[_QUOTAS.c.talent_id, _QUOTAS.c.benefit_id, _QUOTAS.c.period],
        # Nobody reads what it answers: beyond the quota the table's CHECK forbids it.
        set_={"used": case((used <= bindparam("quota", type_=BigInteger()), used), else_=-1)},
    )


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
    .where(_BUDGETS.c.id == bindparam("budget"))
    .values(used_units=_BUDGETS.c.used_units + _UNITS, used_fen=_BUDGETS.c.used_fen + _VALUE)
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


def _reach(insert: Any) -> Any:
    """Note the thresholds that a budget has reached and that were not noted before."""
    alarms, percents = (
        table_of(BudgetAlarm),
        union_all(*(select(literal(each)) for each in ALARMS)).subquery(),
    )
    (percent,) = percents.c
    reached = select(_BUDGETS.c.id, percent, bindparam("at", type_=Instant())).where(
        _BUDGETS.c.id == bindparam("budget"),
        or_(
            _BUDGETS.c.used_units * 100 >= _BUDGETS.c.limit_units * percent,
            _BUDGETS.c.used_fen * 100 >= _BUDGETS.c.limit_fen * percent,
        ),
    )
    return insert(alarms).from_select(alarms.c.keys(), reached).on_conflict_do_nothing()


_REACH_SQLITE: Final = _reach(insert_sqlite)
_REACH_POSTGRESQL: Final = _reach(insert_postgresql)
