"""Pages and sessions: who is recognised, who is sent to sign in, and what signing in and out leave behind."""

from pathlib import Path
from typing import Annotated, Any

import pytest
from fastapi import Form
from sqlalchemy import func, select, update

from talentseal.accounts import demonstration, sessions
from talentseal.accounts.access import MaybeActor, WebActor
from talentseal.accounts.models import Account, WebSession
from talentseal.accounts.operations import Audience
from talentseal.db import DatabaseAway, DatabaseBusy
from talentseal.errors import TalentSealError
from tests.api.conftest import Api
from tests.world import Member, World

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture
def stage(world: World, tmp_path: Path) -> Api:
    """The service in demonstration mode, with a page and a form for those who are signed in."""
    stage = Api(world, tmp_path, demonstration=True)
    with_closed_page(stage)
    return stage


@pytest.fixture
def closed(api: Api) -> Api:
    """The service with a page and a form for those who are signed in."""
    with_closed_page(api)
    return api


def with_closed_page(api: Api) -> None:
    @api.app.get("/closed")
    def page(actor: WebActor) -> str:
        return actor.account_id

    @api.app.post("/closed/act")
    def act(actor: WebActor, text: Annotated[str, Form()]) -> str:
        return actor.account_id + text

    @api.app.get("/open")
    def anyone(actor: MaybeActor) -> str:
        return actor.account_id if actor else "nobody"

    api.app.state.needs |= {("GET", page): Audience.SIGNED_IN, ("POST", act): Audience.SIGNED_IN}


def get(api: Api, path: str, **headers: str) -> Any:
    return api.http.get(path, headers=BROWSER | headers, follow_redirects=False)


def post(api: Api, path: str, data: dict[str, str] | None = None, **headers: str) -> Any:
    return api.http.post(path, data=data or {}, headers=BROWSER | headers, follow_redirects=False)


def play(stage: Api, member: Member, **data: str) -> Any:
    account = member.actor.account_id
    stage.world.database.write(
        lambda session: demonstration.cast_as(session, account, 1, "林星河（虚构人物）")
    )
    return post(stage, "/sign-in/demonstration", {"account": account, **data})


def count(world: World) -> int:
    query = select(func.count()).select_from(WebSession)
    return world.database.read(lambda session: session.scalars(query).one())


def test_a_page_for_those_who_are_signed_in_sends_others_to_sign_in_and_back(closed: Api) -> None:
    answer = get(closed, "/closed?page=2&lang=zh-CN")

    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=/closed%3Fpage%3D2%26lang%3Dzh-CN"


def test_a_form_that_outlived_its_session_says_that_nothing_typed_is_lost(closed: Api) -> None:
    answer = post(closed, "/closed/act", {"text": "第三条"})

    assert answer.status_code == 401
    assert "没有丢失" in answer.text
    assert 'href="/sign-in?next=/closed"' in answer.text
    assert "第三条" not in answer.text


def test_an_exchange_within_a_page_sends_the_whole_page_to_sign_in(closed: Api) -> None:
    shown = {"HX-Request": "true", "HX-Current-URL": "http://testserver/closed?tab=2"}
    answer = get(closed, "/closed", **shown)

    assert answer.status_code == 401
    assert answer.headers["hx-redirect"] == "/sign-in?next=/closed%3Ftab%3D2"
    elsewhere = get(closed, "/closed", **shown | {"HX-Current-URL": "https://evil.example/closed"})
    assert elsewhere.headers["hx-redirect"] == "/sign-in"


def test_a_program_that_asks_for_a_page_without_a_session_gets_a_problem(closed: Api) -> None:
    answer = closed.http.get("/closed", headers={"Accept": "application/json"}, follow_redirects=False)

    assert (answer.status_code, answer.json()["code"]) == (401, "sign-in-needed")


def test_a_session_opens_pages_and_no_json_api(closed: Api, bank: Member) -> None:
    closed.sign_in(bank)

    assert get(closed, "/closed").json() == bank.actor.account_id
    assert get(closed, "/open").json() == bank.actor.account_id
    assert closed.http.get("/api/v1/me").json()["code"] == "unauthenticated"


def test_an_api_key_opens_the_json_api_and_no_page(closed: Api, bank: Member) -> None:
    key = {"Authorization": f"Bearer {closed.key_of(bank)}"}

    assert closed.http.get("/api/v1/me", headers=key).status_code == 200
    assert get(closed, "/closed", **key).status_code == 303
    assert get(closed, "/open", **key).json() == "nobody"


@pytest.mark.parametrize("token", ["", "x", "A" * 43, "a" * 4000])
def test_a_made_up_cookie_opens_nothing(closed: Api, token: str) -> None:
    closed.http.cookies.set("talentseal", token)

    assert get(closed, "/closed").status_code == 303


def test_every_page_names_who_is_signed_in_even_one_that_is_not_there(api: Api, bank: Member) -> None:
    api.sign_in(bank)

    for path in ("/", "/nowhere"):
        assert "郑东银行 account" in get(api, path).text


def test_a_session_in_use_stays_and_its_row_is_written_once_a_minute(closed: Api, bank: Member) -> None:
    closed.sign_in(bank)
    begun = closed.world.clock.now()
    seen = []
    for seconds in (59, 1, 59, 29 * 60):
        closed.world.clock.advance(seconds=seconds)
        assert get(closed, "/closed").status_code == 200
        row = closed.world.database.read(lambda session: session.scalars(select(WebSession)).one())
        seen.append(int((row.last_seen_at - begun).total_seconds()))

    assert seen == [0, 60, 60, 60 + 59 + 29 * 60]


def test_signing_out_ends_the_session_itself_and_not_only_its_cookie(closed: Api, bank: Member) -> None:
    token = closed.sign_in(bank)

    answer = post(closed, "/sign-out")
    closed.http.cookies.set("talentseal", token)

    assert (answer.status_code, answer.headers["location"]) == (303, "/?notice=signed-out")
    assert 'talentseal=""' in answer.headers["set-cookie"]
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert get(closed, "/closed").status_code == 303
    assert count(closed.world) == 0


def test_signing_out_without_a_session_is_no_error(api: Api) -> None:
    assert post(api, "/sign-out").status_code == 303


def test_a_demonstration_person_is_signed_in_without_a_password_and_goes_on(stage: Api, bank: Member) -> None:
    answer = play(stage, bank, next="/closed?x=1")

    assert (answer.status_code, answer.headers["location"]) == (303, "/closed?x=1&notice=signed-in")
    assert get(stage, "/closed").json() == bank.actor.account_id


def test_the_sign_in_page_shows_the_invented_people_and_says_so(stage: Api, bank: Member) -> None:
    post(stage, "/sign-out")
    play(stage, bank)
    post(stage, "/sign-out")

    page = get(stage, "/sign-in?next=/closed").text

    assert "林星河（虚构人物）" in page
    assert "虚构" in page
    assert 'name="next" value="/closed"' in page
    assert "sign-in" not in str(get(stage, "/sign-in").headers.get("location", ""))


@pytest.mark.parametrize("target", ["//evil.example", "/\\evil.example", "https://evil.example", "/\t/evil"])
def test_nobody_is_led_to_another_site_by_signing_in(stage: Api, bank: Member, target: str) -> None:
    assert play(stage, bank, next=target).headers["location"] == "/agreements?notice=signed-in"


def test_an_account_outside_the_cast_is_never_played(stage: Api, bank: Member) -> None:
    answer = post(stage, "/sign-in/demonstration", {"account": bank.actor.account_id})

    assert answer.status_code == 404
    assert count(stage.world) == 0


def test_a_disabled_person_is_not_played(stage: Api, bank: Member) -> None:
    play(stage, bank)
    now = stage.world.clock.now()
    stage.world.database.write(lambda session: session.execute(update(Account).values(disabled_at=now)))

    assert get(stage, "/closed").status_code == 303
    assert play(stage, bank).status_code == 404


def test_outside_the_demonstration_nobody_is_played(api: Api, bank: Member) -> None:
    answer = play(api, bank)

    assert answer.status_code == 404
    assert count(api.world) == 0
    assert "林星河" not in get(api, "/sign-in").text


def test_a_token_planted_before_the_sign_in_is_not_the_one_after_it(stage: Api, bank: Member) -> None:
    stage.http.cookies.set("talentseal", planted := sessions.new_token())

    play(stage, bank)

    assert stage.http.cookies.get("talentseal", domain="testserver.local") != planted
    assert (
        stage.world.database.read(lambda session: session.get(WebSession, sessions.token_hash(planted)))
        is None
    )


def test_whoever_is_signed_in_already_is_not_asked_again(stage: Api, bank: Member) -> None:
    play(stage, bank)

    answer = get(stage, "/sign-in?next=/closed")

    assert (answer.status_code, answer.headers["location"]) == (303, "/closed")


def test_the_cookie_is_out_of_reach_for_scripts_and_other_sites(stage: Api, bank: Member) -> None:
    cookie = play(stage, bank).headers["set-cookie"]

    assert cookie.startswith("talentseal=")
    assert {"HttpOnly", "Path=/", "SameSite=lax"} <= set(cookie.split("; "))
    assert "Domain" not in cookie


def test_on_https_the_cookie_is_bound_to_this_host(world: World, tmp_path: Path, bank: Member) -> None:
    stage = Api(world, tmp_path, demonstration=True, public_url="https://seal.example")

    cookie = play(stage, bank).headers["set-cookie"]

    assert cookie.startswith("__Host-talentseal=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=lax"} <= set(cookie.split("; "))


def test_no_token_and_no_name_stands_in_the_log(
    stage: Api, bank: Member, capsys: pytest.CaptureFixture[str]
) -> None:
    play(stage, bank)
    token = stage.http.cookies.get("talentseal")
    post(stage, "/sign-out")

    written = "".join(capsys.readouterr())

    assert token is not None
    assert token not in written
    assert "林星河" not in written


@pytest.mark.parametrize("refusal", [DatabaseBusy, DatabaseAway])
def test_a_database_that_does_not_say_who_is_signed_in_is_told_as_what_it_is(
    api: Api, bank: Member, monkeypatch: pytest.MonkeyPatch, refusal: type[TalentSealError]
) -> None:
    api.sign_in(bank)

    def read(_work: object) -> None:
        raise refusal

    monkeypatch.setattr(api.world.database, "read", read)

    answer = api.http.get("/me", headers={"Accept": "application/json"})

    assert (answer.status_code, answer.json()["code"]) == (503, refusal.code)
    assert answer.headers["Retry-After"] == "2"


def test_a_page_that_renews_itself_keeps_no_session_alive(stage: Api, bank: Member) -> None:
    play(stage, bank)

    met = []
    for _ in range(4):
        stage.world.clock.advance(minutes=9)
        met.append(get(stage, "/closed", **{"HX-Request": "true"}).status_code)

    assert met == [200, 200, 200, 401]
