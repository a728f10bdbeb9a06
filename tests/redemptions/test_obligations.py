"""State-owned enterprises and the scenarios that they owe (Article 4)."""

from datetime import timedelta
from pathlib import Path

import pytest

from talentseal.accounts.models import OrganisationKind
from talentseal.benefits import service as catalogue
from talentseal.errors import NotPermitted
from talentseal.partners import access
from talentseal.policy.tiers import Tier
from talentseal.redemptions import obligations
from tests.api.conftest import Api
from tests.redemptions.market import Market
from tests.world import Member


def enterprise(market: Market, name: str = "虚构水务集团") -> Member:
    return market.world.member(name, kind=OrganisationKind.STATE_OWNED)


def idle(market: Market) -> list[str]:
    """Names in the report of today."""
    office, now = market.shelf.office.actor, market.now
    found = market.read(lambda session: obligations.idle_enterprises(session, office, now=now))
    return [each.name for each in found]


@pytest.mark.scenario(71)
def test_an_enterprise_is_listed_until_talents_can_use_something_of_its(market: Market) -> None:
    shelf, owing = market.shelf, enterprise(market)
    shelf.published(tiers={Tier.RESERVE: 1})  # a merchant's, who owes none
    assert idle(market) == [owing.name]

    admitted = shelf.consumption_access(owing)
    draft = shelf.drafted(provider=owing)
    assert idle(market) == [owing.name], "an agreement and a draft are no scenario"
    version = shelf.publish(shelf.send(draft, owing), shelf.reviewer(owing))
    assert idle(market) == []

    shelf.do(access.pause, shelf.office.actor, admitted.id, "核查（虚构）")
    assert idle(market) == [owing.name], "nobody can use what is paused"
    shelf.admit(admitted)
    assert idle(market) == []
    market.world.clock.moment += timedelta(days=(version.ends_on - shelf.today).days + 1)
    assert idle(market) == [owing.name], "its term is over"


def test_a_scenario_whose_agreement_ended_or_that_was_withdrawn_is_none(sqlite_market: Market) -> None:
    market, shelf = sqlite_market, sqlite_market.shelf
    one, other = enterprise(market), enterprise(market, "虚构文旅集团")
    for each in (one, other):
        shelf.consumption_access(each)
    kept = shelf.published(provider=one)
    short = shelf.agreement(other, valid_through=shelf.today + timedelta(days=20))
    shelf.published(provider=other, agreement=short, stipulation=0)
    assert idle(market) == []

    market.world.clock.advance(days=21)
    assert idle(market) == [other.name]
    shelf.do(catalogue.withdraw, one.actor, kept.benefit_id, kept.number, "到期（虚构）")
    assert idle(market) == [one.name, other.name]


def test_the_report_is_the_offices_and_the_operators(sqlite_market: Market, tmp_path: Path) -> None:
    market, owing = sqlite_market, enterprise(sqlite_market)
    site = Api(market.world, tmp_path)
    with pytest.raises(NotPermitted):
        market.read(
            lambda session: obligations.idle_enterprises(session, market.shelf.merchant.actor, now=market.now)
        )

    for member in (market.shelf.office, market.shelf.operator):
        (listed,) = site.call(member, "GET", "/idle-enterprises").json()["items"]
        assert (listed["organisation"], listed["name"]) == (owing.id, owing.name)
    assert site.call(owing, "GET", "/idle-enterprises").status_code == 403

    site.sign_in(market.shelf.office)
    for language, heading in (("zh-CN", "尚无在用应用场景的国有公司"), ("en", "without a live scenario")):
        page = site.http.get("/service-records", headers={"Accept-Language": language}).text
        assert heading in page
        assert page.count(owing.name) == 2, "in the table and in the report"
    site.sign_in(owing)
    assert "在用应用场景" not in site.http.get("/service-records").text
