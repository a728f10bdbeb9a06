"""Budgets: set for days that have none, raised and lowered, told of once, followed by what they pay for."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from talentseal.accounts.roles import Actor
from talentseal.benefits import budgeting, counting, service
from talentseal.benefits.models import BenefitState, BenefitVersion, Budget, Category
from talentseal.benefits.refusals import (
    BenefitNotFound,
    BudgetBelowUse,
    BudgetNotFound,
    BudgetOverlaps,
    BudgetOwnerRefused,
)
from talentseal.benefits.schemas import BudgetInput, BudgetLimits, BudgetView
from tests.benefits.conftest import Shelf


def budget_view(shelf: Shelf, version: BenefitVersion) -> BudgetView:
    """Its one budget."""
    (found,) = shelf.act(
        lambda session, _now: budgeting.of_benefit(session, version.benefit_id, version.title)
    )
    return found


def budget_of(shelf: Shelf, version: BenefitVersion) -> str:
    """The id of its one budget."""
    return budget_view(shelf, version).id


def used(shelf: Shelf, budget: str, units: int) -> None:
    """As redemptions would have counted."""
    count = update(Budget).where(Budget.id == budget).values(used_units=units)
    shelf.act(lambda session, _now: session.execute(count))


def change(shelf: Shelf, budget: str, units: int | None, by: Actor | None = None) -> Budget:
    limits = BudgetLimits(limit_units=units, limit_fen=None if units is not None else 1)
    return shelf.do(budgeting.change, by or shelf.merchant.actor, budget, limits)


def state_of(shelf: Shelf, version: BenefitVersion) -> BenefitState:
    return shelf.act(lambda session, _now: session.get_one(BenefitVersion, version.id).state)


def turn_day(shelf: Shelf) -> int:
    day = shelf.today
    return shelf.act(lambda session, now: service.apply_budgets(session, day, now))


def test_a_budget_is_not_lowered_below_what_is_used(shelf: Shelf) -> None:
    budget = budget_of(shelf, shelf.published(budget_units=10))
    used(shelf, budget, 6)

    with pytest.raises(BudgetBelowUse):
        change(shelf, budget, 5)
    assert change(shelf, budget, 6).limit_units == 6


def test_a_benefit_is_exhausted_with_its_budget_and_goes_on_when_that_is_raised(sqlite_shelf: Shelf) -> None:
    version = sqlite_shelf.published(budget_units=10)
    budget = budget_of(sqlite_shelf, version)
    used(sqlite_shelf, budget, 10)

    assert [turn_day(sqlite_shelf), turn_day(sqlite_shelf)] == [1, 0]
    assert state_of(sqlite_shelf, version) is BenefitState.EXHAUSTED
    change(sqlite_shelf, budget, 11)
    assert state_of(sqlite_shelf, version) is BenefitState.PUBLISHED
    change(sqlite_shelf, budget, 10)
    assert state_of(sqlite_shelf, version) is BenefitState.EXHAUSTED


def test_each_threshold_is_told_once(shelf: Shelf) -> None:
    version = shelf.published(budget_units=10)
    budget = budget_of(shelf, version)

    told = []
    for units in (7, 8, 9, 10, 10):
        used(shelf, budget, units)
        shelf.act(lambda session, now: counting.note_alarms(session, budget, now=now))
        told.append(budget_view(shelf, version).alarms)
    assert told == [[], [80], [80], [80, 100], [80, 100]]


def test_no_day_of_a_benefit_has_two_budgets(shelf: Shelf) -> None:
    version, merchant = shelf.published(budget_units=10), shelf.merchant

    with pytest.raises(BudgetOverlaps):
        shelf.budget(version, merchant)
    later = BudgetInput(
        starts_on=version.ends_on + timedelta(days=1),
        ends_on=version.ends_on + timedelta(days=2),
        limit_units=1,
    )
    assert shelf.do(budgeting.set_budget, merchant.actor, version.benefit_id, later).limit_units == 1


def test_a_provider_names_nobody_else_as_owner(sqlite_shelf: Shelf) -> None:
    version, bank = sqlite_shelf.drafted(), sqlite_shelf.bank
    command = BudgetInput(owner=bank.id, starts_on=version.starts_on, ends_on=version.ends_on, limit_units=1)

    with pytest.raises(BudgetOwnerRefused):
        sqlite_shelf.do(budgeting.set_budget, sqlite_shelf.merchant.actor, version.benefit_id, command)
    with pytest.raises(BenefitNotFound):
        sqlite_shelf.do(budgeting.set_budget, bank.actor, version.benefit_id, command)


def test_the_office_sets_what_a_body_of_government_bears(sqlite_shelf: Shelf) -> None:
    version, office = sqlite_shelf.drafted(Category.FINANCIAL), sqlite_shelf.office.actor

    def asked(owner: str) -> Budget:
        command = BudgetInput(
            owner=owner, starts_on=version.starts_on, ends_on=version.ends_on, limit_units=1
        )
        return sqlite_shelf.do(budgeting.set_budget, office, version.benefit_id, command)

    with pytest.raises(BudgetOwnerRefused):
        asked(sqlite_shelf.bank.id)
    row = asked(sqlite_shelf.bureau.id)
    assert row.owner_id == sqlite_shelf.bureau.id
    with pytest.raises(BudgetNotFound):
        change(sqlite_shelf, row.id, 2, sqlite_shelf.bank.actor)
    assert change(sqlite_shelf, row.id, 2, office).limit_units == 2
