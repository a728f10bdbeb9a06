"""Pages of the catalogue and of what benefits stand on, in both languages."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from talentseal.benefits.models import BenefitState, BenefitVersion, Budget, Category
from talentseal.policy.measure_models import MeasureState
from tests.api.conftest import Api
from tests.benefits.conftest import Shelf
from tests.world import Member, World


@pytest.fixture
def site(sqlite_world: World, tmp_path: Path) -> Api:
    return Api(sqlite_world, tmp_path)


@pytest.fixture
def shop(sqlite_world: World) -> Shelf:
    return Shelf(sqlite_world)


def opened(site: Api, member: Member, *paths: str) -> str:
    """What the pages say in Chinese; all of them can be read in English too."""
    site.sign_in(member)
    said = ""
    for path in paths:
        for language in ("en", "zh-CN"):
            answer = site.http.get(path, headers={"Accept-Language": language})
            assert answer.status_code == 200, (path, answer.text[:500])
            said += answer.text
    return said


def sent(site: Api, member: Member, path: str, fields: Mapping[str, Any]) -> str:
    """Where a form leads."""
    site.sign_in(member)
    answer = site.http.post(
        path, data=fields, headers={"Origin": "http://testserver"}, follow_redirects=False
    )
    assert answer.status_code == 303, answer.text[:3000]
    return str(answer.headers["location"]).partition("?")[0]


def test_a_provider_drafts_by_form_and_its_reviewer_publishes(site: Api, shop: Shelf) -> None:
    bank = shop.provider_of(Category.FINANCIAL)
    agreement = shop.agreement(bank)
    form = {
        "number": "XG-2026-1",
        "category": "FINANCIAL",
        "title": "虚构贷款贴息",
        "text": "凭人才码办理。",
        "starts_on": shop.today.isoformat(),
        "ends_on": "2027-06-30",
        "tiers.1.tier": "YOUTH",
        "tiers.1.quota": "2",
        "tiers.2.quota": "9",
        "quota_period": "MONTH",
        "value_fen": "123.40",
        "subsidy_bp": "0",
        "reversal_minutes": "60",
        "showings": ["CODE", "CARD"],
        "basis": f"{agreement}:0",
    }
    assert "虚构权益合作协议" in opened(site, bank, "/catalogue", "/catalogue/new")

    page = sent(site, bank, "/catalogue/new", form)
    assert sent(site, bank, f"{page}/review", {}) == page
    assert "虚构贷款贴息" in opened(site, shop.operator, "/catalogue/reviews", page)
    assert sent(site, shop.operator, f"{page}/publication", {}) == page
    said = opened(site, bank, page, f"{page}/amend")
    assert "已发布" in said
    assert "123.40" in said
    (version,) = shop.act(lambda session, _now: session.query(BenefitVersion).all())
    assert (version.state, version.value_fen) == (BenefitState.PUBLISHED, 12_340)


def test_a_form_that_is_wrong_comes_back_with_what_was_typed(site: Api, shop: Shelf) -> None:
    site.sign_in(shop.bank)
    answer = site.http.post(
        "/catalogue/new", data={"title": "虚构权益"}, headers={"Origin": "http://testserver"}
    )
    assert answer.status_code == 422
    assert "虚构权益" in answer.text


def test_a_wrong_sheet_is_explained_row_by_row(site: Api, shop: Shelf) -> None:
    site.sign_in(shop.bank)
    heading = "number,category,title,text,starts_on,ends_on,tier,quota"
    wrong = f"{heading}\nXG-1,FINANCIAL,虚构,虚构,x,2027-01-01,YOUTH,1\n"
    answer = site.http.post(
        "/catalogue/sheet", files={"file": ("a.csv", wrong.encode())}, headers={"Origin": "http://testserver"}
    )
    assert answer.status_code == 422
    assert "应为日期" in answer.text


def test_budgets_are_shown_and_raised(site: Api, shop: Shelf) -> None:
    version = shop.published(Category.GOVERNMENT, budget_units=10)
    page = f"/catalogue/{version.benefit_id}/1"

    assert "10" in opened(site, shop.bureau, page, "/budgets")
    (budget,) = shop.act(lambda session, _now: [row.id for row in session.query(Budget)])
    assert sent(site, shop.office, f"/budgets/{budget}/limits", {"limit_units": "20"}) == "/budgets"
    assert "20" in opened(site, shop.office, "/budgets")


def test_admissions_mandates_and_measures_are_moved_by_form(site: Api, shop: Shelf) -> None:
    shop.mandate()
    licence = {"licence_type": "金融许可证", "licence_number": "虚构B0001"}
    page = sent(site, shop.bank, "/admissions/finance", licence)
    sent(site, shop.finance_bureau, f"{page}/examination", {"reason": "证照齐全（虚构）"})
    sent(site, shop.office, f"{page}/admission", {})
    for member in (shop.bank, shop.operator, shop.office, shop.finance_bureau):
        assert "已接入" in opened(site, member, "/admissions", page)

    negotiation = sent(site, shop.operator, "/admissions/consumption", {"organisation": shop.merchant.id})
    sent(site, shop.operator, f"{negotiation}/terms", {})
    assert "条款已谈妥" in opened(site, shop.operator, negotiation)

    measure = sent(
        site,
        shop.office,
        "/measures",
        {
            "organisation": shop.bureau.id,
            "title": "虚构措施",
            "text": "虚构内容。",
            "effective_from": shop.today.isoformat(),
        },
    )
    sent(site, shop.office, f"{measure}/steps", {"to": "ON_AGENDA"})
    assert "已列入议题" in opened(site, shop.office, measure, "/measures", "/mandates")
    submitted = shop.measure_at(MeasureState.SUBMITTED)
    answer = {"to": "APPROVED", "reference": "虚构〔2026〕1号"}
    assert sent(site, shop.leading_group, f"/measures/{submitted.id}/steps", answer)
