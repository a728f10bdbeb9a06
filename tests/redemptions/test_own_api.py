"""A holder's own benefits by program: what his page shows, and what he can do there."""

from pathlib import Path

import pytest

from talentseal.benefits.models import Category
from talentseal.policy.tiers import Tier
from tests.api.conftest import Api
from tests.api.test_edge import problem
from tests.redemptions.market import Market, done
from tests.world import Member

RESERVE = Tier.RESERVE


@pytest.fixture
def site(sqlite_market: Market, tmp_path: Path) -> Api:
    return Api(sqlite_market.world, tmp_path)


def test_a_proposal_is_read_taken_once_and_then_said_to_be_used_up(site: Api, sqlite_market: Market) -> None:
    market = sqlite_market
    version = market.shelf.published(Category.GOVERNMENT, tiers={RESERVE: 1}, proactive=True)
    phone = market.guest(version)
    talent = Member(phone.talent, None, "虚构昵称")
    listed = site.call(talent, "GET", "/me/benefits").json()
    (offered,) = listed["proposals"]
    assert (listed["state"], listed["tier"], listed["choices"]) == ("ACTIVE", "RESERVE", [])
    assert (offered["benefit"], offered["remaining"], offered["refusal"]) == (version.benefit_id, 1, None)

    key = {"Idempotency-Key": "once"}
    at = f"/me/benefits/{version.benefit_id}"
    first, again = (site.call(talent, "POST", f"{at}/taking", headers=key) for _ in range(2))

    assert (first.status_code, first.text) == (again.status_code, again.text) == (201, first.text)
    assert (first.json()["state"], first.json()["quantity"]) == ("COMPLETED", 1)
    assert first.json()["promise"]
    assert [row.id for row in market.redemptions()] == [first.json()["id"]]
    problem(site.call(talent, "POST", f"{at}/taking"), 409, "proposal-refused")
    (used,) = site.call(talent, "GET", "/me/benefits").json()["choices"]
    assert (used["refusal"], used["article"]) == ("QUOTA_EXHAUSTED", 8)
    assert used["instrument"][1] == 1


def test_what_is_declined_is_proposed_no_more_and_can_be_used(site: Api, sqlite_market: Market) -> None:
    market = sqlite_market
    version = market.shelf.published(Category.GOVERNMENT, tiers={RESERVE: 1}, proactive=True)
    plain = market.shelf.published(Category.GOVERNMENT, tiers={RESERVE: 1})
    phone = market.guest(version)
    talent = Member(phone.talent, None, "虚构昵称")
    at = f"/me/benefits/{version.benefit_id}/declining"

    assert [site.call(talent, "POST", at).json() for _ in range(2)] == [
        {"benefit": version.benefit_id, "period": "2026-11"}
    ] * 2

    listed = site.call(talent, "GET", "/me/benefits").json()
    assert listed["proposals"] == []
    assert {each["benefit"] for each in listed["choices"]} == {version.benefit_id, plain.benefit_id}
    done(market.redeem(version, phone))
    for act in ("taking", "declining"):
        answer = site.call(talent, "POST", f"/me/benefits/{plain.benefit_id}/{act}")
        problem(answer, 404, "benefit-not-proposed")
    problem(site.call(market.shelf.office, "GET", "/me/benefits"), 403, "not-permitted")
