"""免申即享: what is proposed to whoever is eligible, taken by a click, or not wanted."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import update

from sealproof import disclosure
from talentseal.benefits.models import BenefitVersion, Category
from talentseal.evidence import records
from talentseal.policy.tiers import Tier
from talentseal.redemptions import proposing, visiting
from talentseal.redemptions.models import Redemption, RedemptionState
from talentseal.redemptions.proposing import NotProposed, ProposalRefused
from talentseal.redemptions.refusals import Refusal
from talentseal.redemptions.service import until_decided
from talentseal.redemptions.visiting import Wallet
from talentseal.talents.models import CodeState, TalentCode
from tests.credentials.counters import CREDENTIALS, Phone
from tests.redemptions.market import Market, done

RESERVE = Tier.RESERVE


@dataclass
class Home:
    """A holder before his own page."""

    market: Market
    phone: Phone

    def wallet(self) -> Wallet:
        now = self.market.now
        return self.market.read(lambda session: visiting.own(session, self.phone.talent, now=now))

    def proposed(self) -> list[str]:
        return [each.benefit for each in self.wallet().proposals]

    def take(self, version: BenefitVersion) -> Redemption:
        now, actor = self.market.now, self.phone.talent
        return until_decided(
            lambda: self.market.write(
                lambda session: proposing.confirm(session, actor, CREDENTIALS, version.benefit_id, now=now)
            )
        ).row

    def decline(self, version: BenefitVersion) -> str:
        now, actor = self.market.now, self.phone.talent
        return self.market.write(
            lambda session: proposing.decline(session, actor, version.benefit_id, now=now)
        )


def offered(market: Market, category: Category = Category.GOVERNMENT, **changes: Any) -> BenefitVersion:
    fields = {"tiers": {RESERVE: 1}, "proactive": True, "budget_units": 5, **changes}
    return market.shelf.published(category, **fields)


@pytest.mark.parametrize("category", list(Category))
def test_what_is_proposed_is_taken_once_counted_and_recorded_and_then_proposed_no_more(
    market: Market, category: Category
) -> None:
    version = offered(market, category)
    home = Home(market, market.guest(version))
    assert home.proposed() == [version.benefit_id]
    assert home.wallet().choices == []

    row = home.take(version)

    assert (row.state, row.quantity, row.value_fen) == (RedemptionState.COMPLETED, 1, 5_000)
    assert (row.presentation_id, row.outlet_id, row.terminal_id, row.staff_id, row.channel) == (None,) * 5
    assert row.organisation_id == market.provider(version).id
    assert (market.used(version, home.phone), market.spent(version), market.records()) == (1, (1, 5_000), 1)
    assert home.proposed() == []


def test_its_evidence_says_that_nobody_served_and_nothing_was_shown(sqlite_market: Market) -> None:
    market = sqlite_market
    version = offered(market)
    row = Home(market, market.guest(version)).take(version)

    shown = market.read(lambda session: records.disclosures_of(session, row.record_id or ""))
    fields = {each.name: each.value for each in map(disclosure.read, shown)}

    assert not {"outlet", "terminal", "channel", "token", "occurred_at"} & fields.keys()
    assert (fields["partner"], fields["tier"]) == (market.shelf.bureau.name, "RESERVE")


def test_what_is_not_flagged_is_not_proposed_and_cannot_be_taken(sqlite_market: Market) -> None:
    version = sqlite_market.shelf.published(tiers={RESERVE: 1})
    home = Home(sqlite_market, sqlite_market.guest(version))

    assert home.proposed() == []
    with pytest.raises(NotProposed):
        home.take(version)
    with pytest.raises(NotProposed):
        home.decline(version)
    assert sqlite_market.nothing_counts(version, home.phone)


def test_who_is_not_eligible_is_told_why_instead(sqlite_market: Market) -> None:
    market = sqlite_market
    version = offered(market, Category.CONSUMPTION)
    other = offered(market, Category.CONSUMPTION, tiers={Tier.HIGH_E: 1})
    home = Home(market, market.holder())

    assert home.proposed() == []
    assert {each.benefit: each.refusal for each in home.wallet().choices} == {
        version.benefit_id: Refusal.CONSENT_MISSING,
        other.benefit_id: Refusal.TIER_NOT_ELIGIBLE,
    }
    with pytest.raises(ProposalRefused) as met:
        home.take(other)
    assert met.value.refusal is Refusal.TIER_NOT_ELIGIBLE
    assert market.nothing_counts(other, home.phone)


def test_a_suspended_code_takes_nothing(sqlite_market: Market) -> None:
    market = sqlite_market
    version = offered(market)
    home = Home(market, market.guest(version))
    talent = market.crowd.id_of(home.phone.talent)
    market.change(update(TalentCode).where(TalentCode.talent_id == talent).values(state=CodeState.SUSPENDED))

    assert home.proposed() == []
    with pytest.raises(ProposalRefused) as met:
        home.take(version)
    assert met.value.refusal is Refusal.CODE_SUSPENDED


def test_who_declines_is_asked_again_in_the_next_period_and_not_before(market: Market) -> None:
    version = offered(market)
    home = Home(market, market.guest(version))

    assert home.decline(version) == home.decline(version)

    assert home.proposed() == []
    assert [each.refusal for each in home.wallet().choices] == [None]
    market.world.clock.advance(days=31)
    assert home.proposed() == [version.benefit_id]


def test_two_clicks_at_once_take_one(market: Market) -> None:
    version = offered(market)
    home = Home(market, market.guest(version))
    together = threading.Barrier(2)

    def click(_number: int) -> Refusal | None:
        together.wait()
        try:
            home.take(version)
        except ProposalRefused as met:
            return met.refusal
        return None

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(click, range(2)))

    assert sorted(map(str, answers)) == ["None", "QUOTA_EXHAUSTED"]
    assert (market.used(version, home.phone), market.records()) == (1, 1)


def test_what_was_had_at_the_counter_is_proposed_no_more(sqlite_market: Market) -> None:
    market = sqlite_market
    version = offered(market)
    home = Home(market, market.guest(version))

    done(market.redeem(version, home.phone))

    assert home.proposed() == []


def test_the_provider_can_correct_what_was_taken(sqlite_market: Market) -> None:
    market = sqlite_market
    version = offered(market)
    home = Home(market, market.guest(version))

    market.correct(home.take(version), market.provider(version))

    assert market.used(version, home.phone) == 0
    assert home.proposed() == [version.benefit_id]


@pytest.mark.parametrize("open_", [{"value_fen": None}, {"tiers": {RESERVE: None}}])
def test_a_proactive_benefit_fixes_its_value_and_every_quota(
    sqlite_market: Market, open_: dict[str, Any]
) -> None:
    with pytest.raises(ValidationError, match="proactive"):
        offered(sqlite_market, **open_)
