"""A talent opens an account of his own; whoever tries names out learns nothing and waits."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from talentseal.accounts.models import Account, Credential, WebSession
from talentseal.accounts.roles import Role
from talentseal.accounts.throttle import SIGN_UPS
from talentseal.talents.models import NoticeAcceptance, Talent
from talentseal.talents.people import NOTICE_VERSION
from tests.api.conftest import Api
from tests.talents.browsers import PASSWORD, Browser
from tests.world import World, clock, sqlite_world, world

__all__ = ["clock", "sqlite_world", "world"]


@pytest.fixture
def api(sqlite_world: World, tmp_path: Path) -> Api:
    return Api(sqlite_world, tmp_path)


def kept(api: Api, table: Any) -> int:
    count = select(func.count()).select_from(table)
    return api.world.database.read(lambda session: session.scalar(count)) or 0


def test_whoever_signs_up_has_an_account_is_a_talent_and_is_at_home(api: Api) -> None:
    browser = Browser(api)

    answer = browser.sign_up("Xugou.Rencai")

    assert (answer.status_code, answer.headers["location"]) == (303, "/me?notice=signed-up")
    account = api.world.database.read(lambda session: session.scalars(select(Account)).one())
    assert (account.role, account.sign_in_name, account.organisation_id) == (
        Role.TALENT,
        "xugou.rencai",
        None,
    )
    accepted = api.world.database.read(lambda session: session.scalars(select(NoticeAcceptance)).one())
    assert (accepted.version, accepted.accepted_at) == (NOTICE_VERSION, api.world.clock.now())
    assert browser.get("/me").status_code == 200
    assert browser.get("/sign-up").headers["location"] == "/me"


def test_he_comes_back_with_his_password_alone_and_goes_home(api: Api) -> None:
    Browser(api).sign_up("xugou")
    browser = Browser(api)

    answer = browser.post("/sign-in", data={"name": "XUGOU", "password": PASSWORD})

    assert (answer.status_code, answer.headers["location"]) == (303, "/me?notice=signed-in")


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"name": "xugou"}, 409),
        ({"name": "XuGou"}, 409),
        ({"password": "短", "repeated": "短"}, 422),
        ({"repeated": "一句别的足够长的口令！！"}, 422),
        ({"notice": ""}, 422),
        ({"notice": "1999-01"}, 422),
        ({"name": "两"}, 422),
        ({"name": "a b c"}, 422),
    ],
    ids=["taken", "taken in capitals", "short", "differs", "no notice", "old notice", "brief", "blanks"],
)
def test_what_will_not_do_opens_nothing_and_shows_the_form_again(
    api: Api, changes: dict[str, str], status: int
) -> None:
    Browser(api).sign_up("xugou")

    answer = Browser(api).sign_up(**{"name": "another", **changes})

    assert answer.status_code == status
    assert 'action="/sign-up"' in answer.text
    assert PASSWORD not in answer.text
    assert [kept(api, table) for table in (Account, Credential, Talent, WebSession)] == [1, 1, 1, 1]


def test_a_name_that_is_taken_is_refused_without_saying_so_and_costs_who_tries_names_a_wait(
    api: Api,
) -> None:
    Browser(api).sign_up("xugou")
    browser = Browser(api)

    answers = [browser.sign_up("xugou") for _ in range(6)]

    assert "不能使用" in answers[0].text
    assert "已被" not in answers[0].text
    assert [answer.status_code for answer in answers][-2:] == [409, 429]
    assert int(answers[-1].headers["retry-after"]) >= 1


def test_one_network_opens_so_many_accounts_a_minute_and_no_more(api: Api) -> None:
    answers = [Browser(api).sign_up(f"xugou-{number}") for number in range(SIGN_UPS + 1)]

    assert [answer.status_code for answer in answers] == [*[303] * SIGN_UPS, 429]
    assert kept(api, Talent) == SIGN_UPS


def test_the_notice_is_there_for_everyone(api: Api) -> None:
    shown = Browser(api).get("/privacy").text

    assert NOTICE_VERSION in shown
    assert "每次查看都留有记录" in shown
