"""Asking the rules about each new fact: when enough of them lie close together, a case is opened.

Each fact is examined once, under the rules in force at its own moment. What a case was opened on, and what
came while it was open, is its own and counts for no other case under the same version of the rule.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import Session

from talentseal.sanctions import cases, facts, rules
from talentseal.sanctions.facts import Sighting
from talentseal.sanctions.models import CaseFact, Fact, SuspensionCase, SuspensionRule
from talentseal.sanctions.schemas import RuleText
from talentseal.sanctions.triggers import Reach, Trigger
from talentseal.talents.models import TalentCode

AT_A_TIME: Final = 500
"""Facts examined in one transaction."""


def together(times: Sequence[datetime], at: int, threshold: int, window: timedelta) -> slice | None:
    """Which `threshold` moments lie within `window` of each other, the one at `at` among them.

    times: ascending. Answers the earliest such run; None when there is none.
    """
    for first in range(max(0, at - threshold + 1), at + 1):
        last = first + threshold - 1
        if last < len(times) and times[last] - times[first] <= window:
            return slice(first, last + 1)
    return None


def look(session: Session, now: datetime) -> int:
    """Examine the facts that no rule was asked about yet; how many cases were opened.

    Safe to repeat, and for several at once: a fact is held while it is examined.
    """
    waiting = (
        select(Fact)
        .where(Fact.examined_at.is_(None))
        .order_by(Fact.noted_at, Fact.occurred_at, Fact.id)
        .limit(AT_A_TIME)
        .with_for_update(skip_locked=True)
    )
    opened = 0
    for fact in session.scalars(waiting).all():
        for rule in rules.in_force_at(session, fact.trigger, fact.occurred_at):
            opened += _examine(session, rule, fact, now)
        fact.examined_at = now
    session.flush()
    return opened


Find = Callable[[Session, datetime], Iterable[Sighting]]


def search(session: Session, found: Mapping[Trigger, Find], now: datetime) -> int:
    """Note what the service's own records say, for triggers that some rule in force watches; how many.

    found: how facts are found, as `sources` has it.
    """
    noted = 0
    for trigger, find in found.items():
        if since := _watched_since(session, trigger, now):
            noted += facts.note(session, find(session, since), now=now)
    return noted


def _watched_since(session: Session, trigger: Trigger, now: datetime) -> datetime | None:
    watching = rules.in_force_at(session, trigger, now)
    return min((row.in_force_from for row in watching if row.in_force_from), default=None)


def _examine(session: Session, rule: SuspensionRule, fact: Fact, now: datetime) -> bool:
    """Take the fact into the open case under the rule, or open one on it; whether one was opened."""
    text = rules.text_of(rule)
    if text.scope.reach is Reach.PARTNER and fact.organisation_id != text.scope.value:
        return False
    code = session.get_one(TalentCode, fact.code_id, with_for_update=True)
    if code.ended_at is not None or fact.cured_at is not None:
        return False
    open_one = session.scalars(
        select(SuspensionCase).where(
            SuspensionCase.rule_version_id == rule.id,
            SuspensionCase.code_id == code.id,
            SuspensionCase.closed_at.is_(None),
        )
    ).one_or_none()
    if open_one is not None:
        cases.take_in(session, open_one, [fact])
        return False
    near = _near(session, rule, text, fact)
    position = next(index for index, each in enumerate(near) if each.id == fact.id)
    window = timedelta(minutes=text.window_minutes)
    run = together([each.occurred_at for each in near], position, text.threshold, window)
    if run is None:
        return False
    cases.open_case(session, rule, code, near[run], now=now)
    return True


def _near(session: Session, rule: SuspensionRule, text: RuleText, fact: Fact) -> Sequence[Fact]:
    """The facts that may count together with this one under the rule, in order."""
    window = timedelta(minutes=text.window_minutes)
    conditions: list[ColumnElement[bool]] = [
        Fact.code_id == fact.code_id,
        Fact.trigger == fact.trigger,
        Fact.cured_at.is_(None),
        Fact.occurred_at.between(fact.occurred_at - window, fact.occurred_at + window),
        Fact.occurred_at >= rule.in_force_from,
        ~exists().where(CaseFact.fact_id == Fact.id, CaseFact.rule_version_id == rule.id),
    ]
    if rule.superseded_from is not None:
        conditions.append(Fact.occurred_at < rule.superseded_from)
    if text.scope.reach is Reach.PARTNER:
        conditions.append(Fact.organisation_id == text.scope.value)
    query = select(Fact).where(*conditions).order_by(Fact.occurred_at, Fact.id)
    return session.scalars(query).all()
