"""Undoing: in part, in full, in time; never more than there was."""

import pytest

from talentseal.accounts.roles import Role
from talentseal.errors import NotPermitted
from talentseal.evidence.models import EvidenceRecord
from talentseal.policy.tiers import Tier
from talentseal.redemptions.models import RedemptionState
from talentseal.redemptions.refusals import Refusal
from talentseal.redemptions.reversing import OverOriginal, WindowClosed
from talentseal.redemptions.service import RedemptionNotFound
from talentseal.states import TransitionRefused
from tests.redemptions.market import Market, done, refused

RESERVE = Tier.RESERVE


@pytest.mark.scenario(78)
def test_reversals_never_exceed_the_original(market: Market) -> None:
    version = market.shelf.published(tiers={RESERVE: 5}, value_fen=333, budget_units=9)
    phone, till = market.guest(version), market.till(version)
    row = done(market.redeem(version, phone, quantity=5))

    first = market.reverse(row, till, 3)
    with pytest.raises(OverOriginal):
        market.reverse(row, till, 3)

    assert first.row.state is RedemptionState.PARTIALLY_REVERSED
    assert (market.used(version, phone), market.spent(version)) == (2, (2, 666))
    second = market.reverse(row, till, 2)
    assert second.row.state is RedemptionState.REVERSED
    assert (market.used(version, phone), market.spent(version)) == (0, (0, 0))
    assert market.records(31) == 2
    with pytest.raises(OverOriginal):
        market.reverse(row, till, 1)


@pytest.mark.parametrize(("value", "units"), [(100, 3), (1_000, 7), (1, 3), (99_999, 11)])
def test_the_parts_are_the_whole_to_the_fen(sqlite_market: Market, value: int, units: int) -> None:
    market = sqlite_market
    version = market.shelf.published(
        tiers={RESERVE: None}, value_fen=None, subsidy_bp=3_333, budget_fen=10_000_000
    )
    phone, till = market.guest(version), market.till(version)
    row = done(market.redeem(version, phone, quantity=units, value_fen=value))

    parts = [market.reverse(row, till, 1).reversal for _ in range(units)]

    assert sum(each.value_fen for each in parts) == value
    assert sum(each.subsidy_fen for each in parts) == row.subsidy_fen
    assert market.spent(version) == (0, 0)


def test_a_reversal_refers_to_the_redemption_in_the_log(sqlite_market: Market) -> None:
    market = sqlite_market
    version = market.shelf.published(tiers={RESERVE: 1})
    row = done(market.redeem(version, market.guest(version)))

    undone = market.reverse(row, market.till(version))

    record = market.read(lambda session: session.get_one(EvidenceRecord, undone.recorded.id))
    assert (record.kind, record.relation, record.refers_to) == (31, "REVERSES", row.record_id)


def test_the_counter_reverses_within_its_window_and_the_manager_corrects_later(sqlite_market: Market) -> None:
    market = sqlite_market
    version = market.shelf.published(tiers={RESERVE: 9}, reversal_minutes=30)
    phone, till = market.guest(version), market.till(version)
    row = done(market.redeem(version, phone, quantity=2))
    market.world.clock.advance(minutes=30)
    market.reverse(row, till)
    market.world.clock.advance(seconds=1)

    with pytest.raises(WindowClosed):
        market.reverse(row, till)
    with pytest.raises(NotPermitted):
        market.correct(row, market.world.member("虚构审计", role=Role.AUDITOR))
    assert market.correct(row, market.shelf.merchant).row.state is RedemptionState.REVERSED


def test_what_is_of_another_organisation_is_not_found(sqlite_market: Market) -> None:
    market = sqlite_market
    version = market.shelf.published(tiers={RESERVE: 9})
    phone, foreign = market.guest(version), market.tills(market.shelf.bank)[0]
    row = done(market.redeem(version, phone))
    held = done(market.redeem(version, phone, reserve=True))

    with pytest.raises(RedemptionNotFound):
        market.reverse(row, foreign)
    with pytest.raises(RedemptionNotFound):
        market.complete(held, foreign)
    with pytest.raises(RedemptionNotFound):
        market.cancel(held, foreign)
    with pytest.raises(RedemptionNotFound):
        market.correct(row, market.shelf.bank)
    assert market.row(row.id).reversed_units == 0


def test_a_reservation_is_cancelled_and_not_reversed(sqlite_market: Market) -> None:
    market = sqlite_market
    version = market.shelf.published(tiers={RESERVE: 9})
    row = done(market.redeem(version, market.guest(version), reserve=True))

    with pytest.raises(TransitionRefused):
        market.reverse(row, market.till(version))


def test_what_came_back_can_be_used_again_in_its_period(market: Market) -> None:
    version = market.shelf.published(tiers={RESERVE: 1}, budget_units=1)
    phone, till = market.guest(version), market.till(version)
    row = done(market.redeem(version, phone))
    assert refused(market.redeem(version, phone)) is Refusal.QUOTA_EXHAUSTED
    market.reverse(row, till)

    assert refused(market.redeem(version, phone)) is None
