"""The terminal's API: keys, amounts, answers, and whose redemptions a partner sees."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from talentseal.accounts import service as accounts
from talentseal.accounts.roles import Actor
from talentseal.benefits.models import BenefitVersion, Category
from talentseal.policy.tiers import Tier
from tests.api.conftest import Api
from tests.credentials.counters import Phone, Till
from tests.redemptions.market import Market, done
from tests.world import Member

RESERVE = Tier.RESERVE


class Desk:
    """A till that speaks HTTP."""

    def __init__(self, market: Market, folder: Path) -> None:
        self.market = market
        self.api = Api(market.world, folder)

    def key(self, till: Till) -> dict[str, str]:
        return {"Authorization": f"Bearer {till.device.key.text}"}

    def post(self, till: Till, path: str, body: Any, *, key: str) -> Any:
        staff = {"staff": till.clerk.account_id}
        headers = {**self.key(till), "Idempotency-Key": key}
        return self.api.http.post(f"/api/v1/redemptions{path}", json={**staff, **body}, headers=headers)

    def redeem(self, version: BenefitVersion, phone: Phone, *, key: str = "key-1", **changes: Any) -> Any:
        till = self.market.till(version)
        order = {"presentation": self.market.shown(till, phone), "benefit": version.benefit_id, **changes}
        return self.post(till, "", order, key=key)


@pytest.fixture
def desk(market: Market, tmp_path: Path) -> Desk:
    return Desk(market, tmp_path)


@pytest.fixture
def sqlite_desk(sqlite_market: Market, tmp_path: Path) -> Desk:
    return Desk(sqlite_market, tmp_path)


def test_a_terminal_redeems_reserves_completes_cancels_and_reverses(sqlite_desk: Desk) -> None:
    desk, market = sqlite_desk, sqlite_desk.market
    version = market.shelf.published(tiers={RESERVE: 9}, value_fen=700)
    phone, till = market.guest(version), market.till(version)

    made = desk.redeem(version, phone, quantity=2)
    assert made.status_code == 201, made.text
    receipt = made.json()
    assert (receipt["state"], receipt["value_fen"], receipt["quantity"]) == ("COMPLETED", 1400, 2)
    assert receipt["promise"].startswith("talentseal") or "\n" in receipt["promise"]
    undone = desk.post(till, f"/{receipt['id']}/reversals", {"reason": "退货（虚构）"}, key="r")
    assert undone.status_code == 201, undone.text
    assert undone.json()["redemption"]["state"] == "PARTIALLY_REVERSED"

    held = desk.redeem(version, phone, key="k2", reserve=True).json()
    assert (held["state"], held["record"], held["promise"]) == ("RESERVED", None, None)
    completed = desk.post(till, f"/{held['id']}/completion", {}, key="c")
    assert (completed.status_code, completed.json()["state"]) == (200, "COMPLETED")
    other = desk.redeem(version, phone, key="k3", reserve=True).json()
    assert desk.post(till, f"/{other['id']}/cancellation", {}, key="x").json()["state"] == "RELEASED"

    listed = desk.api.call(market.shelf.merchant, "GET", "/redemptions").json()["items"]
    assert {each["state"] for each in listed} == {"PARTIALLY_REVERSED", "COMPLETED", "RELEASED"}
    assert (
        desk.api.call(market.shelf.merchant, "GET", f"/redemptions/{held['id']}").json()["id"] == held["id"]
    )
    corrected = desk.api.call(
        market.shelf.merchant,
        "POST",
        f"/redemptions/{held['id']}/corrections",
        json={"reason": "更正（虚构）"},
    )
    assert corrected.status_code == 201, corrected.text


def test_a_dry_run_counts_nothing(sqlite_desk: Desk) -> None:
    desk, market = sqlite_desk, sqlite_desk.market
    version = market.shelf.published(tiers={RESERVE: 2})
    phone = market.guest(version)

    tried = desk.redeem(version, phone, dry_run=True).json()
    over = desk.redeem(version, phone, dry_run=True, quantity=3).json()

    assert tried == {"refusal": None, "article": None, "benefit_version": 1, "remaining_units": 2}
    assert (over["refusal"], over["article"]) == ("QUOTA_EXHAUSTED", 8)
    assert market.nothing_counts(version, phone)


@pytest.mark.scenario(74)
def test_fifty_parallel_equal_requests_redeem_once(desk: Desk) -> None:
    market = desk.market
    version = market.shelf.published(tiers={RESERVE: 99}, budget_units=99)
    phone, till = market.guest(version), market.till(version)
    order = {"presentation": market.shown(till, phone), "benefit": version.benefit_id}
    start = threading.Barrier(10)

    def send(_number: int) -> Any:
        start.wait(30)
        return desk.post(till, "", order, key="the-same")

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(send, range(50)))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert (market.used(version, phone), market.spent(version), market.records()) == (1, (1, 5_000), 1)


@pytest.mark.scenario(75)
def test_the_same_key_with_another_body_is_refused(desk: Desk) -> None:
    market = desk.market
    version = market.shelf.published(tiers={RESERVE: 9})
    phone = market.guest(version)
    assert desk.redeem(version, phone).status_code == 201

    again = desk.redeem(version, phone, quantity=2)

    assert (again.status_code, again.json()["code"]) == (422, "idempotency-key-reused")
    assert market.used(version, phone) == 1


@pytest.mark.parametrize("key", ["another", "key-1"])
def test_a_key_revoked_since_is_told_nothing_and_counts_nothing(desk: Desk, key: str) -> None:
    market = desk.market
    version = market.shelf.published(tiers={RESERVE: 9})
    phone, till = market.guest(version), market.till(version)
    assert desk.redeem(version, phone).status_code == 201
    before = (market.used(version, phone), market.records())
    now, revoked = market.world.clock.now(), till.device.key.id
    market.world.database.write(
        lambda session: accounts.revoke_api_key(session, Actor.console(), revoked, now=now)
    )

    met = desk.redeem(version, phone, key=key)

    assert (met.status_code, met.json()["code"]) == (401, "unauthenticated")
    assert (market.used(version, phone), market.records()) == before


def test_a_refusal_is_decided_anew_under_the_same_key(desk: Desk) -> None:
    market = desk.market
    version = market.shelf.published(tiers={RESERVE: 9})
    phone, till = market.holder(), market.till(version)
    order = {"presentation": market.shown(till, phone), "benefit": version.benefit_id}
    refused = desk.post(till, "", order, key="one")
    assert (refused.status_code, refused.json()["code"]) == (409, "redemption-consent-missing")
    market.consent(phone, market.shelf.merchant)

    assert desk.post(till, "", order, key="one").status_code == 201
    assert len(market.refusals()) == 1


def test_a_token_shown_in_one_step_is_answered_again_to_the_same_request_alone(desk: Desk) -> None:
    market = desk.market
    version = market.shelf.published(tiers={RESERVE: 9})
    phone, till = market.guest(version), market.till(version)
    order = {"sent": phone.mint().text, "benefit": version.benefit_id}

    first, same = (desk.post(till, "", order, key="one") for _ in range(2))
    other = desk.post(till, "", order, key="two")

    assert (first.status_code, same.status_code, first.text == same.text) == (201, 201, True)
    assert (other.status_code, other.json()["code"]) == (409, "token-used")
    assert market.used(version, phone) == 1


@pytest.mark.scenario(80)
def test_an_amount_that_is_no_positive_whole_number_is_refused_by_its_field(sqlite_desk: Desk) -> None:
    desk, market = sqlite_desk, sqlite_desk.market
    version = market.shelf.published(tiers={RESERVE: 9}, value_fen=None)
    phone, till = market.guest(version), market.till(version)
    order = {"presentation": market.shown(till, phone), "benefit": version.benefit_id, "value_fen": 5}

    amounts: tuple[Any, ...] = (-1, 0, 1.5, 1.0, "1", True, "NaN", 10**13, 10**40, [1], {})

    for field in ("quantity", "value_fen", "list_value_fen"):
        for amount in amounts:
            answer = desk.post(till, "", {**order, field: amount}, key="key")
            assert (answer.status_code, answer.json()["code"]) == (422, "validation-failed"), (field, amount)
            assert [error["path"] for error in answer.json()["errors"]] == [f"body.{field}"]
    assert market.nothing_counts(version, phone)


def test_a_number_that_is_none_in_json_is_refused(sqlite_desk: Desk) -> None:
    desk, market = sqlite_desk, sqlite_desk.market
    version = market.shelf.published(tiers={RESERVE: 9}, value_fen=None)
    till = market.till(version)
    text = f'{{"staff": "{till.clerk.account_id}", "benefit": "{version.benefit_id}", "value_fen": NaN}}'

    answer = desk.api.http.post(
        "/api/v1/redemptions",
        content=text,
        headers={**desk.key(till), "Idempotency-Key": "k", "Content-Type": "application/json"},
    )

    assert answer.status_code == 422


def test_a_machine_call_without_a_key_is_refused(sqlite_desk: Desk) -> None:
    desk, market = sqlite_desk, sqlite_desk.market
    version = market.shelf.published(tiers={RESERVE: 9})
    till = market.till(version)

    answer = desk.api.http.post(
        "/api/v1/redemptions",
        json={"staff": till.clerk.account_id, "benefit": version.benefit_id, "sent": "x"},
        headers=desk.key(till),
    )

    assert answer.status_code == 422


@pytest.mark.scenario(85)
def test_a_partner_sees_its_own_counters_and_references_that_are_its_alone(desk: Desk) -> None:
    market = desk.market
    bought = market.shelf.published(tiers={RESERVE: 9})
    banked = market.shelf.published(Category.FINANCIAL, tiers={RESERVE: 9})
    phone = market.guest(bought)
    market.consent(phone, market.shelf.bank)
    done(market.redeem(bought, phone))
    done(market.redeem(bought, phone))
    done(market.redeem(banked, phone))

    def listed(member: Member) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = desk.api.call(member, "GET", "/redemptions").json()["items"]
        return items

    mine, theirs = listed(market.shelf.merchant), listed(market.shelf.bank)
    assert (len(mine), len(theirs)) == (2, 1)
    assert len({each["talent_ref"] for each in mine}) == 1
    assert mine[0]["talent_ref"] != theirs[0]["talent_ref"]
    everything = str(mine) + str(theirs)
    assert market.crowd.id_of(phone.talent) not in everything
    assert market.crowd.code(phone.talent).id not in everything
    foreign = desk.api.call(market.shelf.bank, "GET", f"/redemptions/{mine[0]['id']}")
    assert (foreign.status_code, foreign.json()["code"]) == (404, "redemption-not-found")


def test_the_list_goes_on_where_it_ended(sqlite_desk: Desk) -> None:
    desk, market = sqlite_desk, sqlite_desk.market
    version = market.shelf.published(tiers={RESERVE: None})
    phone, till = market.guest(version), market.till(version)
    shown = market.shown(till, phone)
    made = {done(market.redeem(version, phone, presentation=shown)).id for _ in range(52)}

    first = desk.api.call(market.shelf.merchant, "GET", "/redemptions").json()
    rest = desk.api.call(market.shelf.merchant, "GET", f"/redemptions?after={first['next']}").json()

    assert (len(first["items"]), len(rest["items"]), rest["next"]) == (50, 2, None)
    assert {each["id"] for each in first["items"] + rest["items"]} == made


def test_a_partner_takes_the_proof_of_what_it_gave_and_of_nothing_else(sqlite_desk: Desk) -> None:
    desk, market = sqlite_desk, sqlite_desk.market
    version = market.shelf.published(tiers={RESERVE: 9})
    phone, till = market.guest(version), market.till(version)
    row = done(market.redeem(version, phone, quantity=2))
    undone = market.reverse(row, till)
    market.world.settle()

    for record in (str(row.record_id), undone.recorded.id):
        mine = desk.api.call(market.shelf.merchant, "GET", f"/evidence/{record}/bundle")
        theirs = desk.api.call(market.shelf.bank, "GET", f"/evidence/{record}/bundle")
        assert mine.status_code == 200, mine.text
        assert (theirs.status_code, theirs.json()["code"]) == (404, "record-not-found")
        assert market.crowd.id_of(phone.talent) not in mine.text
