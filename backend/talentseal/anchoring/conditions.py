"""The recorded condition of chain and lanes: for /readyz, /metrics and for the anchorer's next look."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from talentseal.anchoring.models import ChainState, Condition, Scope
from talentseal.errors import Conflict


class NothingToResume(Conflict):
    code = "nothing-to-resume"
    zh = "{scope} 当前状态为 {condition}，无需或不能人工恢复。"
    en = "{scope} is {condition}: nothing that an operator has to resume; a reset chain needs a new epoch."


@dataclass(frozen=True, slots=True)
class Standing:
    """Condition of one scope, why, and since when (None while it has always been OK)."""

    condition: Condition
    reason: str
    since: datetime | None


RESUMED = "resumed by an operator"
OK = Standing(Condition.OK, "", None)


def standing(session: Session, scope: Scope) -> Standing:
    """The condition of one scope."""
    row = session.get(ChainState, scope)
    return OK if row is None else Standing(row.condition, row.reason, row.since)


def all_standings(session: Session) -> dict[Scope, Standing]:
    """The condition of every scope."""
    rows = {row.scope: row for row in session.scalars(select(ChainState))}
    return {
        scope: Standing(row.condition, row.reason, row.since) if (row := rows.get(scope)) else OK
        for scope in Scope
    }


def note(session: Session, scope: Scope, condition: Condition, reason: str, *, now: datetime) -> None:
    """Record a condition; `since` moves only when the condition changes."""
    row = session.scalars(select(ChainState).where(ChainState.scope == scope).with_for_update()).one_or_none()
    if row is None:
        session.add(ChainState(scope=scope, condition=condition, reason=reason, since=now))
    else:
        if row.condition is not condition:
            row.since = now
        row.condition, row.reason = condition, reason
    session.flush()


def resume(session: Session, scope: Scope, *, now: datetime) -> None:
    """An operator has looked: a FORKED or STOPPED scope is tried again. Raises NothingToResume otherwise.

    For a lane it means also: go on from the chain's count of the key's transactions, foreign ones included.
    Nothing else is repaired; if the reason still stands, the next look stops again.
    """
    met = standing(session, scope)
    if met.condition not in (Condition.FORKED, Condition.STOPPED):
        raise NothingToResume(scope=scope.value, condition=met.condition.value)
    note(session, scope, Condition.OK, RESUMED, now=now)


def resumed_at(session: Session, scope: Scope) -> datetime | None:
    """When an operator last resumed the scope; None when it stands as it does without one."""
    met = standing(session, scope)
    return met.since if met.condition is Condition.OK and met.reason == RESUMED else None
