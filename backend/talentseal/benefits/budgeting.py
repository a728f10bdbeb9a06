"""Budgets as their owners set them; what is used of them is counted where it is redeemed."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, func, or_, select, update
from sqlalchemy.orm import Session

from talentseal.accounts import service as accounts
from talentseal.accounts.models import Organisation, OrganisationKind
from talentseal.accounts.roles import Actor, Permission, Role
from talentseal.benefits import counting, service
from talentseal.benefits.models import Benefit, BenefitVersion, Budget, BudgetAlarm
from talentseal.benefits.refusals import (
    BenefitNotFound,
    BudgetBelowUse,
    BudgetNotFound,
    BudgetOverlaps,
    BudgetOwnerRefused,
)
from talentseal.benefits.schemas import BudgetInput, BudgetLimits, BudgetView
from talentseal.db import rows


def set_budget(
    session: Session, actor: Actor, benefit_id: str, command: BudgetInput, *, now: datetime
) -> Budget:
    """Set a budget of a benefit for days that have none.

    Raises NotPermitted, BenefitNotFound, BudgetOwnerRefused, OrganisationNotFound, BudgetOverlaps.
    """
    actor.require(Permission.BUDGET_SET)
    benefit = service.held(session, benefit_id)
    owner = command.owner or actor.organisation_id
    _check_owner(session, actor, benefit, owner)
    overlapping = select(Budget.id).where(
        Budget.benefit_id == benefit.id,
        Budget.starts_on <= command.ends_on,
        Budget.ends_on >= command.starts_on,
    )
    # The benefit is held: whoever sets another budget of it meanwhile waits, and then finds this one.
    if session.scalar(overlapping.limit(1)) is not None:
        raise BudgetOverlaps
    row = Budget(
        id=secrets.token_hex(16),
        benefit_id=benefit.id,
        owner_id=owner,
        starts_on=command.starts_on,
        ends_on=command.ends_on,
        limit_units=command.limit_units,
        limit_fen=command.limit_fen,
        used_units=0,
        used_fen=0,
        created_at=now,
    )
    session.add(row)
    session.flush()
    service.follow_budget(session, benefit.id, now=now)
    return row


def change(session: Session, actor: Actor, budget_id: str, command: BudgetLimits, *, now: datetime) -> Budget:
    """Raise or lower a budget, not below what is used; a benefit that it had exhausted is published again.

    Raises NotPermitted, BudgetNotFound, BudgetBelowUse.
    """
    actor.require(Permission.BUDGET_SET)
    row = session.get(Budget, budget_id)
    if row is None:
        raise BudgetNotFound
    benefit = service.held(session, row.benefit_id)
    try:
        _check_owner(session, actor, benefit, row.owner_id)
    except BudgetOwnerRefused:
        raise BudgetNotFound from None
    units, fen = command.limit_units, command.limit_fen
    # The statement decides: what is redeemed meanwhile is counted in the same row.
    guarded = update(Budget).where(Budget.id == row.id).values(limit_units=units, limit_fen=fen)
    if units is not None:
        guarded = guarded.where(Budget.used_units <= units)
    if fen is not None:
        guarded = guarded.where(Budget.used_fen <= fen)
    changed = session.execute(guarded.returning(Budget.id)).first()
    session.refresh(row)
    if changed is None:
        raise BudgetBelowUse(used_units=row.used_units, used_fen=row.used_fen)
    counting.note_alarms(session, row.id, now=now)
    service.follow_budget(session, benefit.id, now=now)
    return row


def listed(session: Session, actor: Actor) -> list[BudgetView]:
    """Every budget for the talent office; for others those of their own benefits and those that they bear.

    Raises NotPermitted.
    """
    actor.require(Permission.BUDGET_SET)
    query = select(Budget).join(Benefit, Benefit.id == Budget.benefit_id)
    if actor.role is not Role.TALENT_OFFICE:
        mine = actor.organisation_id
        query = query.where(or_(Budget.owner_id == mine, Benefit.organisation_id == mine))
    found = list(session.scalars(query.order_by(Budget.starts_on.desc(), Budget.id)))
    return _views(session, found, _titles(session, found))


def changeable(session: Session, actor: Actor, budgets: Sequence[BudgetView]) -> frozenset[str]:
    """The ids of those that the actor may raise and lower."""
    bears = Organisation.id == actor.organisation_id
    if actor.role is Role.TALENT_OFFICE:
        bears = Organisation.kind == OrganisationKind.GOVERNMENT
    owners = set(session.scalars(select(Organisation.id).where(bears)))
    return frozenset(each.id for each in budgets if each.owner in owners)


_BUDGETS: Final = select(Budget).where(Budget.benefit_id == bindparam("benefit")).order_by(Budget.starts_on)
_ALARMS: Final = select(BudgetAlarm.budget_id, BudgetAlarm.percent).where(
    BudgetAlarm.budget_id.in_(bindparam("budgets", expanding=True))
)
_NEWEST: Final = (
    select(BenefitVersion.benefit_id, func.max(BenefitVersion.number).label("number"))
    .group_by(BenefitVersion.benefit_id)
    .subquery()
)
_TITLES: Final = (
    select(BenefitVersion.benefit_id, BenefitVersion.title)
    .join(
        _NEWEST,
        (_NEWEST.c.benefit_id == BenefitVersion.benefit_id) & (_NEWEST.c.number == BenefitVersion.number),
    )
    .where(BenefitVersion.benefit_id.in_(bindparam("benefits", expanding=True)))
)


def of_benefit(session: Session, benefit_id: str, title: str) -> list[BudgetView]:
    """The budgets of one benefit in their order. title: of its newest version."""
    found = session.scalars(_BUDGETS, {"benefit": benefit_id}).all()
    return _views(session, found, {benefit_id: title})


def _titles(session: Session, found: Sequence[Budget]) -> dict[str, str]:
    """The titles of the newest versions of the benefits that these are of."""
    benefits = {row.benefit_id for row in found}
    return dict(rows(session, _TITLES, benefits=list(benefits)))


def _views(session: Session, found: Sequence[Budget], titles: Mapping[str, str]) -> list[BudgetView]:
    if not found:
        return []
    alarms: dict[str, list[int]] = {row.id: [] for row in found}
    for budget, percent in rows(session, _ALARMS, budgets=list(alarms)):
        alarms[budget].append(percent)
    return [BudgetView.of(row, titles[row.benefit_id], alarms[row.id]) for row in found]


def _check_owner(session: Session, actor: Actor, benefit: Benefit, owner_id: str) -> None:
    """A provider sets budgets that he bears himself; the talent office those that a body of government does.

    Raises BenefitNotFound, BudgetOwnerRefused, OrganisationNotFound.
    """
    if actor.role is Role.TALENT_OFFICE:
        if accounts.organisation(session, owner_id).kind is not OrganisationKind.GOVERNMENT:
            raise BudgetOwnerRefused
        return
    if benefit.organisation_id != actor.organisation_id:
        raise BenefitNotFound
    if owner_id != actor.organisation_id:
        raise BudgetOwnerRefused
