"""The pages of outlets: what a partner's manager sees and does there."""

import html
import re

import pytest

from talentseal.accounts.roles import Role
from talentseal.partners.models import Outlet, TerminalKind
from tests.agreements.desk import Desk
from tests.api.conftest import Api
from tests.partners.counters import Manager
from tests.world import World


@pytest.fixture
def world(sqlite_world: World) -> World:
    return sqlite_world


@pytest.fixture
def bank(world: World) -> Manager:
    return Manager(world, world.joined("郑东银行"))


@pytest.fixture
def desk(api: Api, bank: Manager) -> Desk:
    return Desk(api, bank.member)


@pytest.fixture
def outlet(bank: Manager) -> Outlet:
    return bank.open("龙子湖支行")


def at(outlet: Outlet) -> str:
    return f"/outlets/{outlet.id}"


def test_without_an_outlet_the_page_says_what_to_do(desk: Desk) -> None:
    page = desk.get("/outlets")

    assert "还没有网点" in page.text
    assert '<a href="/outlets" aria-current="page">' in page.text


def test_an_outlet_is_opened_and_its_page_shown(desk: Desk) -> None:
    answer = desk.post("/outlets", {"name": "龙子湖支行", "address": "龙子湖路 1 号"})

    assert answer.status_code == 303
    page = desk.get(answer.headers["location"])
    assert "网点已开设" in page.text
    assert "还没有办理人员" in page.text
    assert "浏览器" in page.text


def test_what_was_typed_stays_when_it_is_refused(desk: Desk, outlet: Outlet) -> None:
    missing = desk.post("/outlets", {"address": "龙子湖路 1 号"})
    taken = desk.post("/outlets", {"name": outlet.name, "address": "别处"})

    assert missing.status_code == 422
    assert 'id="name-error"' in missing.text
    assert 'value="龙子湖路 1 号"' in missing.text
    assert taken.status_code == 409
    assert "贵单位已有同名的网点" in taken.text
    assert 'value="别处"' in taken.text


def test_a_person_is_bound_and_released(desk: Desk, bank: Manager, outlet: Outlet) -> None:
    clerk = bank.person("柜员甲")
    assert "柜员甲" in desk.get(at(outlet)).text

    bound = desk.post(f"{at(outlet)}/staff", {"account": clerk.account_id})

    assert bound.status_code == 303
    page = desk.get(bound.headers["location"]).text
    assert "人员已登记" in page
    assert f'action="{at(outlet)}/staff/{clerk.account_id}/release"' in page
    released = desk.post(f"{at(outlet)}/staff/{clerk.account_id}/release")
    assert released.status_code == 303
    assert "已结束办理的人员（1）" in desk.get(at(outlet)).text


def test_nobody_chosen_is_said_at_the_field(desk: Desk, outlet: Outlet) -> None:
    page = desk.post(f"{at(outlet)}/staff", {"account": ""})

    assert page.status_code == 422
    assert 'id="account-error"' in page.text


def test_a_terminals_key_is_shown_in_the_answer_alone(desk: Desk, bank: Manager, outlet: Outlet) -> None:
    page = desk.post(f"{at(outlet)}/terminals", {"name": "一号 <柜台>"})

    key = re.search(r'data-copy="(ts_[0-9a-f]{16}_[\w-]{43})"', page.text)
    assert (page.status_code, key is not None) == (200, True)
    assert "一号 <柜台>" in html.unescape(page.text)
    assert "<柜台>" not in page.text
    assert page.headers["cache-control"] == "no-store"
    again = desk.get(f"{at(outlet)}/terminals")
    assert (again.status_code, again.headers["location"]) == (303, at(outlet))
    assert "ts_" not in desk.get(at(outlet)).text
    assert [each.name for each in bank.sheet(outlet).terminals if each.kind is TerminalKind.DEVICE] == [
        "一号 <柜台>"
    ]


def test_a_terminal_without_a_name_is_said_at_the_field(desk: Desk, outlet: Outlet) -> None:
    page = desk.post(f"{at(outlet)}/terminals", {"name": " "})

    assert page.status_code == 422
    assert 'id="name-error"' in page.text


def test_a_terminal_is_revoked(desk: Desk, bank: Manager, outlet: Outlet) -> None:
    device = bank.device(outlet)

    answer = desk.post(f"{at(outlet)}/terminals/{device.row.id}/revocation")

    assert answer.status_code == 303
    assert "已撤销的终端（1）" in desk.get(at(outlet)).text


def test_the_browsers_terminal_has_no_button_and_is_refused_in_words(
    desk: Desk, bank: Manager, outlet: Outlet
) -> None:
    browser = bank.sheet(outlet).terminals[0]

    assert browser.id not in desk.get(at(outlet)).text
    page = desk.post(f"{at(outlet)}/terminals/{browser.id}/revocation")

    assert page.status_code == 409
    assert "浏览器终端随网点存在" in page.text


def test_a_closed_outlet_shows_its_history_and_offers_nothing(
    desk: Desk, bank: Manager, outlet: Outlet
) -> None:
    bank.bind(outlet, bank.person("柜员甲"))
    bank.device(outlet, "一号柜台")

    assert desk.post(f"{at(outlet)}/closure").status_code == 303

    page = desk.get(at(outlet)).text
    assert "已关闭" in page
    assert "柜员甲" in page
    assert "一号柜台" in page
    assert f'action="{at(outlet)}' not in page
    refused = desk.post(f"{at(outlet)}/terminals", {"name": "二号柜台"})
    assert (refused.status_code, "该网点已关闭" in refused.text) == (409, True)


def test_many_outlets_are_shown_in_pages(desk: Desk, bank: Manager) -> None:
    for number in range(51):
        bank.open(f"支行 {number:02d}")

    first = desk.get("/outlets").text
    following = re.search(r'href="(/outlets\?after=[0-9a-f]{32})"', first)
    assert following is not None
    assert "支行 49" in first
    assert "支行 50" not in first
    assert "支行 50" in desk.get(following[1]).text


def test_another_organisations_outlet_has_no_page(desk: Desk, world: World, outlet: Outlet) -> None:
    desk.as_(world.joined("另一银行"))

    assert outlet.name not in desk.get("/outlets").text
    for path in (at(outlet), "/outlets/1", f"/outlets?after={outlet.id}"):
        assert desk.get(path).status_code == 404, path
    for path in ("/closure", "/terminals", f"/terminals/{'0' * 32}/revocation", f"/staff/{'0' * 32}/release"):
        assert desk.post(at(outlet) + path, {"name": "柜台"}).status_code == 404, path


def test_names_of_no_terminal_and_nobody_are_not_found(desk: Desk, outlet: Outlet) -> None:
    assert desk.post(f"{at(outlet)}/terminals/x/revocation").status_code == 404
    assert desk.post(f"{at(outlet)}/staff/x/release").status_code == 404


def test_who_has_no_outlets_sees_no_way_there(desk: Desk, world: World) -> None:
    desk.as_(world.joined("审计机构", role=Role.AUDITOR))

    assert 'href="/outlets"' not in desk.get("/").text
    assert desk.get("/outlets").status_code == 403
