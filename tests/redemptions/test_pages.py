"""Pages: what a holder takes by a click, and the file by which a shop enters what it gave."""

import re
from pathlib import Path
from typing import Any

import pytest

from talentseal.benefits.models import Category
from talentseal.policy.tiers import Tier
from tests.api.conftest import Api
from tests.redemptions.market import Market, done

RESERVE = Tier.RESERVE


@pytest.fixture
def site(sqlite_market: Market, tmp_path: Path) -> Api:
    return Api(sqlite_market.world, tmp_path)


def read(site: Api, path: str, language: str = "zh-CN") -> str:
    answer = site.http.get(path, headers={"Accept-Language": language})
    assert answer.status_code == 200, answer.text[:500]
    return answer.text


def send(site: Api, path: str, **fields: Any) -> Any:
    headers = {"Origin": "http://testserver"}
    return site.http.post(path, headers=headers, follow_redirects=False, **fields)


def key_in(page: str) -> str:
    found = re.search(r'name="key" value="([0-9a-f]{32})"', page)
    assert found
    return found[1]


def test_a_holder_takes_what_is_proposed_once_however_often_he_sends_the_form(
    site: Api, sqlite_market: Market
) -> None:
    market = sqlite_market
    version = market.shelf.published(Category.GOVERNMENT, tiers={RESERVE: 3}, proactive=True)
    phone = market.guest(version)
    site.sign_in_as(phone.talent.account_id)
    page = read(site, "/me/benefits")
    assert "可直接领取" in page
    assert "Yours to take" in read(site, "/me/benefits", "en")

    taking = f"/me/benefits/{version.benefit_id}/take"
    first, again = (send(site, taking, data={"key": key_in(page)}) for _ in range(2))

    assert first.status_code == again.status_code == 303
    assert first.headers["location"] == again.headers["location"]
    assert len(market.redemptions()) == 1
    assert version.title in read(site, first.headers["location"].partition("?")[0])


def test_a_refusal_is_said_with_its_article_and_remedy(site: Api, sqlite_market: Market) -> None:
    market = sqlite_market
    version = market.shelf.published(Category.GOVERNMENT, tiers={RESERVE: 1}, proactive=True)
    phone = market.guest(version)
    site.sign_in_as(phone.talent.account_id)
    page = read(site, "/me/benefits")
    done(market.redeem(version, phone))

    answer = send(site, f"/me/benefits/{version.benefit_id}/take", data={"key": key_in(page)})

    assert answer.status_code == 409
    assert "现在不能领取" in answer.text
    assert "本期次数已用完" in answer.text
    assert "第 8 条" in answer.text
    assert "可直接领取" not in answer.text


def test_a_holder_who_does_not_want_it_is_not_asked_again(site: Api, sqlite_market: Market) -> None:
    market = sqlite_market
    version = market.shelf.published(Category.GOVERNMENT, tiers={RESERVE: 1}, proactive=True)
    site.sign_in_as(market.guest(version).talent.account_id)
    assert "本期不需要" in read(site, "/me/benefits")

    assert send(site, f"/me/benefits/{version.benefit_id}/decline").status_code == 303

    page = read(site, "/me/benefits")
    assert "本期不需要" not in page
    assert version.title in page
    assert send(site, f"/me/benefits/{'0' * 32}/decline").status_code == 404


def test_a_shop_enters_a_file_and_sees_what_became_of_each_row(site: Api, sqlite_market: Market) -> None:
    market = sqlite_market
    version = market.shelf.published(tiers={RESERVE: 5}, low_risk=True)
    phone, till = market.guest(version), market.till(version)
    token = phone.stock().tokens[0].text
    at = market.now.isoformat()
    place = f"{at},{till.device.row.id},{till.clerk.account_id}"
    heading = "行标识 key,时间 occurred_at,terminal,staff,sent,benefit"
    rows = (f"a,{place},{token},{version.benefit_id}", f"b,{place},{token},{version.benefit_id}")
    plain = "\n".join((heading, *rows)).encode("utf-8-sig")
    site.sign_in(market.shelf.merchant)
    key = key_in(read(site, "/redemptions/batch"))
    assert "Enter afterwards" in read(site, "/redemptions/batch", "en")

    sent = [
        send(site, "/redemptions/batch", data={"key": key}, files={"file": ("b.csv", plain)})
        for _ in range(2)
    ]

    for answer in sent:
        assert answer.status_code == 200, answer.text[:500]
        assert "已核销 1 行" in answer.text
        assert "token-used" in answer.text
    assert len(market.redemptions()) == 1


def test_a_file_that_cannot_be_read_is_said_on_the_page(site: Api, sqlite_market: Market) -> None:
    market = sqlite_market
    market.shelf.published(tiers={RESERVE: 5})
    site.sign_in(market.shelf.merchant)

    answer = send(site, "/redemptions/batch", data={"key": "k"}, files={"file": ("b.csv", b"\xff\xfe")})

    assert answer.status_code == 422
    assert "无法读取该文件" in answer.text
