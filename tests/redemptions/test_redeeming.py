"""Using a benefit: what is counted, what is recorded, and what a refusal leaves behind."""

import pytest
from sqlalchemy import update

from sealproof import disclosure
from talentseal.benefits.models import Category
from talentseal.credentials.presentations import PresentationRequired
from talentseal.evidence import records
from talentseal.policy.tiers import Tier
from talentseal.redemptions.models import RedemptionState
from talentseal.redemptions.refusals import Refusal
from talentseal.redemptions.service import NotRedeemed, Redeemed, ReservationLapsed, ValueFixed, ValueNeeded
from talentseal.states import TransitionRefused
from talentseal.talents.models import TalentCode
from tests.credentials.counters import Phone
from tests.redemptions.market import Market, done, refused

HIGH = Tier.HIGH_E


@pytest.mark.parametrize("category", list(Category))
def test_a_benefit_is_used_once_counted_once_and_recorded_once(market: Market, category: Category) -> None:
    version = market.shelf.published(category, tiers={HIGH: 2}, budget_units=10)
    phone = market.guest(version, HIGH)

    row = done(market.redeem(version, phone))

    assert (row.state, row.quantity, row.value_fen, row.tier) == (RedemptionState.COMPLETED, 1, 5_000, HIGH)
    assert (market.used(version, phone), market.spent(version)) == (1, (1, 5_000))
    assert market.records() == 1
    assert row.record_id


def test_the_evidence_says_what_was_used_in_fields_of_their_own(sqlite_market: Market) -> None:
    market = sqlite_market
    version = market.shelf.published(
        tiers={Tier.RESERVE: 5}, value_fen=1_250, subsidy_bp=3_333, budget_units=9
    )
    row = done(market.redeem(version, market.guest(version), quantity=3, list_value_fen=9_999))

    shown = market.read(lambda session: records.disclosures_of(session, row.record_id or ""))
    fields = _opened(shown)

    assert fields["benefit"] == version.title
    assert fields["partner"] == market.shelf.merchant.name
    assert (fields["quantity"], fields["value_fen"], fields["list_value_fen"]) == (3, "3750", "9999")
    assert (fields["subsidy_fen"], fields["partner_fen"]) == ("1249", "2501")
    assert fields["tier"] == "RESERVE"
    assert fields["stipulation"] == 0
    assert fields["token"] is not None
    assert fields["talent_ref"] == row.talent_ref


def _opened(disclosures: list[str]) -> dict[str, object]:
    opened = (disclosure.read(each) for each in disclosures)
    return {each.name: each.value for each in opened}


def test_a_code_is_shown_and_a_benefit_used_in_one_step(market: Market) -> None:
    version = market.shelf.published(tiers={Tier.RESERVE: 2})
    phone, till = market.guest(version), market.till(version)
    token = phone.mint().text

    assert done(market.redeem_at_once(version, token, till)).state is RedemptionState.COMPLETED
    again = market.redeem_at_once(version, token, till)

    assert isinstance(again, NotRedeemed)
    assert again.error.code == "token-used"
    assert market.used(version, phone) == 1


def test_a_refusal_after_the_burn_keeps_the_token_burnt(market: Market) -> None:
    version = market.shelf.published(tiers={HIGH: 2})
    phone, till = market.guest(version), market.till(version)
    token = phone.mint().text

    assert refused(market.redeem_at_once(version, token, till)) is Refusal.TIER_NOT_ELIGIBLE

    again = market.redeem_at_once(version, token, till)
    assert isinstance(again, NotRedeemed)
    assert again.error.code == "token-used"
    assert [each.refusal for each in market.refusals()] == [Refusal.TIER_NOT_ELIGIBLE]
    assert market.nothing_counts(version, phone)


@pytest.mark.scenario(40)
def test_without_a_presentation_nothing_is_redeemed(sqlite_market: Market) -> None:
    market = sqlite_market
    version = market.shelf.published(tiers={Tier.RESERVE: 2})
    phone, till = market.guest(version), market.till(version)
    there = market.tills(market.shelf.merchant, 2)[1]

    for presentation in ("0" * 32, market.crowd.id_of(phone.talent), market.shown(there, phone)):
        with pytest.raises(PresentationRequired):
            market.redeem(version, phone, till, presentation=presentation)
    held = market.shown(till, phone)
    market.world.clock.advance(minutes=10)
    with pytest.raises(PresentationRequired):
        market.redeem(version, phone, till, presentation=held)

    assert market.nothing_counts(version, phone)


def test_the_counter_says_the_amount_where_the_benefit_fixes_none_and_only_there(
    sqlite_market: Market,
) -> None:
    market = sqlite_market
    open_ = market.shelf.published(tiers={Tier.RESERVE: None}, value_fen=None)
    fixed = market.shelf.published(tiers={Tier.RESERVE: None}, value_fen=300)
    phone = market.guest(open_)

    with pytest.raises(ValueNeeded):
        market.redeem(open_, phone)
    with pytest.raises(ValueFixed):
        market.redeem(fixed, phone, quantity=2, value_fen=601)

    assert done(market.redeem(open_, phone, value_fen=777)).value_fen == 777
    assert done(market.redeem(fixed, phone, quantity=2, value_fen=600)).value_fen == 600


# ---------------------------------------------------------------------------------------------- reservation


def test_a_reservation_counts_at_once_and_is_recorded_when_completed(market: Market) -> None:
    version = market.shelf.published(tiers={Tier.RESERVE: 1}, budget_units=1)
    phone, till = market.guest(version), market.till(version)

    row = done(market.redeem(version, phone, reserve=True))
    assert (row.state, market.used(version, phone), market.records()) == (RedemptionState.RESERVED, 1, 0)
    assert refused(market.redeem(version, phone)) is Refusal.QUOTA_EXHAUSTED

    met = market.complete(row, till)
    assert isinstance(met, Redeemed)
    assert met.recorded is not None
    assert (market.records(), market.spent(version)) == (1, (1, 5_000))
    with pytest.raises(TransitionRefused):
        market.complete(row, till)
    with pytest.raises(TransitionRefused):
        market.cancel(row, till)


def test_a_cancelled_reservation_gives_everything_back(market: Market) -> None:
    version = market.shelf.published(tiers={Tier.RESERVE: 1}, budget_units=1, exclusion_group="XG-1")
    phone, till = market.guest(version), market.till(version)

    market.cancel(done(market.redeem(version, phone, reserve=True)), till)

    assert (market.used(version, phone), market.spent(version)) == (0, (0, 0))
    assert done(market.redeem(version, phone)).state is RedemptionState.COMPLETED


@pytest.mark.scenario(77)
@pytest.mark.parametrize("swept_first", [False, True])
def test_a_reservation_past_its_time_is_refused_and_frees_its_quota_once(
    market: Market, swept_first: bool
) -> None:
    version = market.shelf.published(tiers={Tier.RESERVE: 1}, budget_units=1)
    phone, till = market.guest(version), market.till(version)
    row = done(market.redeem(version, phone, reserve=True))
    market.world.clock.advance(minutes=10, seconds=1)

    if swept_first:
        assert market.sweep() == 1
        with pytest.raises(TransitionRefused):
            market.complete(row, till)
    else:
        met = market.complete(row, till)
        assert isinstance(met, NotRedeemed)
        assert isinstance(met.error, ReservationLapsed)
    assert market.sweep() == 0
    assert market.row(row.id).state is RedemptionState.RELEASED
    assert (market.used(version, phone), market.spent(version)) == (0, (0, 0))

    assert done(market.redeem(version, phone)).state is RedemptionState.COMPLETED


@pytest.mark.scenario(25)
def test_a_live_reservation_is_honoured_at_the_old_tier_and_the_next_at_the_new(market: Market) -> None:
    version = market.shelf.published(tiers={HIGH: 5})
    phone, till = market.guest(version, HIGH), market.till(version)
    row = done(market.redeem(version, phone, reserve=True))
    _lose_tier(market, phone)

    met = market.complete(row, till)

    assert isinstance(met, Redeemed)
    assert met.row.tier is HIGH
    assert refused(market.redeem(version, phone)) is Refusal.TIER_NOT_ELIGIBLE


def _lose_tier(market: Market, phone: Phone) -> None:
    talent = market.crowd.id_of(phone.talent)
    lowered = update(TalentCode).where(TalentCode.talent_id == talent).values(tier=Tier.RESERVE)
    market.change(lowered)
