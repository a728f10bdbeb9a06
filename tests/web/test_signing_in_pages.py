"""The pages of signing in, of an invitation and of one's own account, as a browser meets them."""

import html
import re
from typing import Any

import pyotp
import pytest
from eth_account.messages import encode_typed_data
from sqlalchemy import select

from talentseal.accounts import own, service, sessions
from talentseal.accounts.models import Credential, SignInMethod, WebSession
from talentseal.accounts.own_pages import SHOWN
from talentseal.accounts.roles import Actor, Permission, Role
from tests.accounts.door import PASSWORD, Person, enrol, invite, secret_of
from tests.api.conftest import Api
from tests.web.test_sessions_of_pages import get, post
from tests.world import Member

OTHER = "夜来风雨声 另一句虚构口令"


@pytest.fixture
def lin(api: Api, bank: Member) -> Person:
    """The bank's clerk, with password and authenticator."""
    return enrol(api.world, bank)


def enter(api: Api, name: str = "lin", password: str = PASSWORD, **more: str) -> Any:
    return post(api, "/sign-in", {"name": name, "password": password, **more})


def sign_in(api: Api, person: Person) -> None:
    """Both factors, as a browser goes through them; a minute passes."""
    enter(api)
    answer = post(api, "/sign-in/second-factor", {"code": person.code(api.world)})
    assert answer.status_code == 303, answer.text
    api.world.clock.advance(seconds=60)


def is_signed_in(api: Api) -> bool:
    return bool(get(api, "/account").status_code == 200)


def test_a_person_signs_in_with_both_factors_and_goes_on_where_he_wanted(api: Api, lin: Person) -> None:
    first = enter(api, next="/keys?x=1")
    assert (first.status_code, is_signed_in(api)) == (303, False)
    assert first.headers["location"] == "/sign-in/second-factor?next=/keys%3Fx%3D1"
    assert 'name="next" value="/keys?x=1"' in get(api, first.headers["location"]).text

    second = post(api, "/sign-in/second-factor", {"code": lin.code(api.world), "next": "/keys?x=1"})

    assert (second.status_code, second.headers["location"]) == (303, "/keys?x=1&notice=signed-in")
    assert is_signed_in(api)


def test_a_refused_password_shows_the_form_again_with_the_name_and_without_the_password(
    api: Api, lin: Person
) -> None:
    answer = enter(api, lin.name, "a wrong password")

    assert answer.status_code == 401
    assert "登录名或密码不正确" in answer.text
    assert 'value="lin"' in answer.text
    assert "a wrong password" not in answer.text
    assert not is_signed_in(api)


def test_a_refused_code_asks_again_and_says_why(api: Api, lin: Person) -> None:
    enter(api, lin.name)

    answer = post(api, "/sign-in/second-factor", {"code": "000000"})

    assert answer.status_code == 401
    assert "验证码不正确" in answer.text
    assert not is_signed_in(api)


def test_the_second_factor_alone_opens_nothing(api: Api, lin: Person) -> None:
    answer = post(api, "/sign-in/second-factor", {"code": lin.code(api.world)})

    assert answer.status_code == 401
    assert "请重新输入登录名和密码" in answer.text


def test_the_token_between_the_factors_is_no_session(api: Api, lin: Person) -> None:
    enter(api, lin.name)
    half = api.http.cookies.get("talentseal-sign-in")
    assert half is not None

    api.http.cookies.set("talentseal", half)

    assert not is_signed_in(api)


def test_a_token_planted_before_the_sign_in_is_worth_nothing_after_it(api: Api, lin: Person) -> None:
    planted = api.sign_in(api.world.member("虚构书店"))

    sign_in(api, lin)

    fresh = [cookie.value for cookie in api.http.cookies.jar if cookie.name == "talentseal"]
    rows = api.world.database.read(lambda session: list(session.scalars(select(WebSession.token_hash))))
    assert sessions.token_hash(planted) not in rows
    assert {sessions.token_hash(str(token)) for token in fresh} & set(rows)


def test_guessing_meets_a_wait_with_its_length(api: Api, lin: Person) -> None:
    answers = [enter(api, lin.name, "guess") for _ in range(7)]

    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["retry-after"]) > 0
    assert "秒后重试" in answers[-1].text


def test_refusals_speak_the_persons_language(api: Api, lin: Person) -> None:
    data = {"name": lin.name, "password": "wrong"}

    assert "Name or password is wrong" in post(api, "/sign-in", data, **{"Accept-Language": "en"}).text


@pytest.mark.parametrize("data", [{}, {"name": "lin"}, {"name": "x" * 2000, "password": "x"}])
def test_a_form_that_is_none_of_ours_is_refused_without_what_it_held(api: Api, data: dict[str, str]) -> None:
    answer = post(api, "/sign-in", data)

    assert answer.status_code == 422
    assert "x" * 2000 not in answer.text


def test_a_form_of_another_site_signs_nobody_in_and_out(api: Api, lin: Person) -> None:
    sign_in(api, lin)

    for path in ("/sign-in", "/sign-out", "/account/sessions/end-all", "/sign-in/key/challenge"):
        assert post(api, path, {}, **{"Sec-Fetch-Site": "cross-site"}).status_code == 403

    assert is_signed_in(api)


def test_an_invitation_is_taken_up_page_by_page(api: Api, office: Member) -> None:
    code = invite(api.world, office, "gu")
    assert get(api, "/invitation").status_code == 200
    offered = post(api, "/invitation", {"invitation": code})
    secret = secret_of(api.world, code)
    assert (offered.status_code, secret in offered.text) == (200, True)
    assert "<svg" in offered.text
    assert " style=" not in offered.text

    form = {"invitation": code, "password": PASSWORD, "repeated": PASSWORD}
    shown = post(api, "/invitation/acceptance", form | {"code": pyotp.TOTP(secret).at(api.world.clock.now())})

    assert shown.status_code == 200
    assert len(re.findall(r"<code>[a-z2-7-]{19}</code>", shown.text)) == 10
    assert is_signed_in(api)
    assert post(api, "/invitation", {"invitation": code}).status_code == 404


def test_a_refused_password_keeps_the_invitation_open(api: Api, office: Member) -> None:
    form = {"invitation": invite(api.world, office, "gu"), "password": "short", "repeated": "short"}

    answer = post(api, "/invitation/acceptance", form)

    assert answer.status_code == 422
    assert "至少 12 个字符" in answer.text
    assert "<svg" in answer.text


@pytest.mark.parametrize("path", ["/invitation", "/invitation/acceptance"])
def test_a_wrong_invitation_is_refused_plainly_and_slowed(api: Api, path: str) -> None:
    form = {"invitation": "AAAA-BBBB", "password": PASSWORD, "repeated": PASSWORD}

    met = [post(api, path, form) for _ in range(7)]

    assert met[0].status_code == 404
    assert "邀请码不正确" in met[0].text
    assert met[-1].status_code == 429


def test_whoever_loads_the_answer_to_a_form_again_comes_back_to_the_form(api: Api) -> None:
    for path, home in (
        ("/account/password", "/account"),
        ("/account/api-keys", "/account"),
        ("/invitation/acceptance", "/invitation"),
    ):
        answer = get(api, path)
        assert (answer.status_code, answer.headers["location"]) == (303, home)


def test_the_account_page_says_who_i_am_and_how_i_sign_in(api: Api, lin: Person) -> None:
    sign_in(api, lin)

    page = get(api, "/account").text

    for shown in (
        "郑东银行 account",
        "郑东银行",
        "lin",
        lin.account,
        "已启用。剩余恢复码 10 个。",
        "本次登录",
    ):
        assert shown in page
    assert lin.secret not in page


def test_the_password_is_changed_and_the_other_browser_signed_out(api: Api, lin: Person) -> None:
    sign_in(api, lin)
    other = api.sign_in(Member(Actor(lin.account, "", Role.PARTNER, frozenset()), None, ""))
    api.http.cookies.clear()
    sign_in(api, lin)
    form = {"current": PASSWORD, "password": OTHER, "repeated": OTHER}

    refused = post(api, "/account/password", form | {"current": "wrong"})
    answer = post(api, "/account/password", form)

    assert (refused.status_code, "当前密码不正确" in refused.text) == (403, True)
    assert answer.headers["location"] == "/account?notice=password-changed"
    assert is_signed_in(api)
    rows = api.world.database.read(lambda session: list(session.scalars(select(WebSession.token_hash))))
    assert len(rows) == 1
    assert sessions.token_hash(other) not in rows


def test_a_new_second_factor_is_shown_confirmed_and_its_recovery_codes_listed(api: Api, lin: Person) -> None:
    sign_in(api, lin)
    assert get(api, "/account/second-factor").status_code == 409
    assert post(api, "/account/second-factor", {"factor-current": "wrong"}).status_code == 403
    assert post(api, "/account/second-factor", {"factor-current": PASSWORD}).status_code == 303
    page = get(api, "/account/second-factor").text
    secret = re.findall(r"<code>([A-Z2-7]{32})</code>", page)[0]
    assert secret != lin.secret

    wrong = post(api, "/account/second-factor/confirmation", {"code": "000000"})
    right = post(
        api, "/account/second-factor/confirmation", {"code": pyotp.TOTP(secret).at(api.world.clock.now())}
    )

    assert (wrong.status_code, "<svg" in wrong.text) == (401, True)
    assert len(re.findall(r"<code>[a-z2-7-]{19}</code>", right.text)) == 10


def test_a_session_elsewhere_is_ended_from_here(api: Api, lin: Person) -> None:
    sign_in(api, lin)
    there = api.sign_in(Member(Actor(lin.account, "", Role.PARTNER, frozenset()), None, ""))
    api.http.cookies.clear()
    sign_in(api, lin)
    row_hash = sessions.token_hash(there)
    named = api.world.database.read(lambda session: session.get_one(WebSession, row_hash).id)

    assert f'value="{named}"' in get(api, "/account").text
    assert post(api, "/account/sessions/end", {"session": named}).status_code == 303

    assert api.world.database.read(lambda session: session.get(WebSession, row_hash)) is None
    assert is_signed_in(api)


def test_of_many_sessions_the_last_used_are_listed(api: Api, lin: Person) -> None:
    member = Member(Actor(lin.account, "", Role.PARTNER, frozenset()), None, "")
    for _ in range(SHOWN + 3):
        api.sign_in(member)
        api.world.clock.advance(seconds=1)
    api.http.cookies.clear()
    sign_in(api, lin)

    page = get(api, "/account").text

    assert page.count('action="/account/sessions/end"') == SHOWN - 1
    assert "本次登录" in page
    assert f"只列出最近使用的 {SHOWN} 次登录" in page


def test_signing_out_everywhere_ends_every_session(api: Api, lin: Person) -> None:
    sign_in(api, lin)

    answer = post(api, "/account/sessions/end-all")

    assert answer.headers["location"] == "/?notice=signed-out-everywhere"
    assert not is_signed_in(api)
    assert api.world.database.read(lambda session: session.scalars(select(WebSession)).all()) == []


def test_an_api_key_is_shown_once_opens_the_api_and_ends(api: Api, bank: Member) -> None:
    api.sign_in(bank)
    shown = post(api, "/account/api-keys", {"scope": "agreement:read"})
    key = re.findall(r"<code>(ts_[0-9a-f]{16}_[\w-]{43})</code>", shown.text)[0]
    bearer = {"Authorization": f"Bearer {key}"}

    me = api.http.get("/api/v1/me", headers=bearer).json()
    page = get(api, "/account").text
    revoked = post(api, "/account/api-keys/revocation", {"key": key[3:19]})

    assert me["permissions"] == ["agreement:read"]
    assert (key[3:19] in page, key in page) == (True, False)
    assert revoked.headers["location"] == "/account?notice=api-key-revoked"
    assert api.http.get("/api/v1/me", headers=bearer).status_code == 401


@pytest.mark.parametrize(
    ("data", "status"), [({}, 422), ({"scope": "signing-key:decide"}, 403), ({"scope": "everything"}, 422)]
)
def test_an_api_key_beyond_ones_role_or_for_nothing_is_refused(
    api: Api, bank: Member, data: dict[str, str], status: int
) -> None:
    api.sign_in(bank)

    assert post(api, "/account/api-keys", data).status_code == status


def test_an_api_key_of_somebody_else_is_not_there(api: Api, bank: Member, office: Member) -> None:
    theirs = api.key_of(office)
    api.sign_in(bank)

    answer = post(api, "/account/api-keys/revocation", {"key": theirs[3:19]})

    assert answer.status_code == 404
    assert api.http.get("/api/v1/me", headers={"Authorization": f"Bearer {theirs}"}).status_code == 200


def by_key(api: Api, member: Member, **more: str) -> Any:
    asked = api.http.post("/sign-in/key/challenge", json={"address": member.address.lower()})
    assert asked.status_code == 200, asked.text
    signature = member.key.sign_message(encode_typed_data(full_message=asked.json())).signature
    body = {"address": member.address.lower(), "signature": "0x" + bytes(signature).hex(), **more}
    return api.http.post("/sign-in/key", json=body)


def choose_key(api: Api, member: Member) -> None:
    api.sign_in(member)
    answer = post(api, "/account/sign-in-key", {"address": member.address})
    assert answer.status_code == 303, answer.text
    post(api, "/sign-out")
    api.http.cookies.clear()


def test_a_partner_signs_in_by_his_key(api: Api, bank: Member) -> None:
    choose_key(api, bank)

    answer = by_key(api, bank, next="/keys")

    assert answer.json() == {"location": "/keys?notice=signed-in"}
    assert is_signed_in(api)
    row = api.world.database.read(lambda session: session.scalars(select(WebSession)).one())
    assert row.method is SignInMethod.KEY


def test_whoever_has_a_second_factor_shows_it_after_his_key_as_well(api: Api, bank: Member) -> None:
    choose_key(api, bank)
    lin = enrol(api.world, bank)

    answer = by_key(api, bank, next="/keys")

    assert answer.json() == {"location": "/sign-in/second-factor?next=/keys"}
    assert not is_signed_in(api)
    assert post(api, "/sign-in/second-factor", {"code": lin.code(api.world)}).status_code == 303
    assert is_signed_in(api)


def test_staff_without_a_second_factor_is_not_let_in_by_a_key(api: Api) -> None:
    bureau = api.world.member("虚构主管部门", role=Role.BUREAU)
    api.world.database.write(
        lambda session: own.assign_signing_address(session, bureau.actor.account_id, bureau.address)
    )

    assert by_key(api, bureau).json()["code"] == "second-factor-missing"


def test_a_key_that_signs_nobody_in_is_refused_plainly(api: Api, bank: Member) -> None:
    answer = by_key(api, bank)

    assert (answer.status_code, answer.json()["code"]) == (403, "key-opens-nothing")


def test_a_key_is_chosen_on_the_account_page_or_refused(api: Api, bank: Member, office: Member) -> None:
    api.sign_in(bank)

    for address, code in ((office.address, 409), ("0x12", 422), (bank.address.swapcase(), 422)):
        assert post(api, "/account/sign-in-key", {"address": address}).status_code == code
    assert post(api, "/account/sign-in-key", {"address": bank.address}).status_code == 303
    assert bank.address in get(api, "/account").text
    assert post(api, "/account/sign-in-key", {"address": ""}).status_code == 303
    assert bank.address not in get(api, "/account").text


@pytest.mark.parametrize(
    "body", [{}, {"address": "x"}, {"address": "0x" + "1" * 40, "more": 1}, {"address": "0x" + "aB" * 20}]
)
def test_a_malformed_request_for_a_challenge_is_refused(api: Api, body: dict[str, Any]) -> None:
    assert api.http.post("/sign-in/key/challenge", json=body).status_code == 422


def test_a_disabled_accounts_pages_close_at_once(api: Api, bank: Member) -> None:
    api.sign_in(bank)
    now, account = api.world.clock.now(), bank.actor.account_id
    api.world.database.write(
        lambda session: service.disable_account(session, Actor.console(), account, now=now)
    )

    assert not is_signed_in(api)


@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize(
    "path", ["/sign-in", "/sign-in/second-factor", "/sign-in/key", "/invitation", "/account"]
)
def test_every_page_is_there_in_both_languages_and_keeps_to_the_policy(
    api: Api, bank: Member, path: str, language: str
) -> None:
    if path == "/account":
        api.sign_in(bank)

    page = get(api, f"{path}?lang={language}")

    assert page.status_code == 200
    assert f'<html lang="{language}">' in page.text
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", page.text)


def test_no_secret_and_no_name_stands_in_the_log(
    api: Api, lin: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    enter(api, lin.name, "a wrong password")
    sign_in(api, lin)
    for _ in range(12):
        enter(api, lin.name, "a wrong password")
    post(api, "/account/password", {"current": PASSWORD, "password": OTHER, "repeated": OTHER})

    written = "".join(capsys.readouterr())

    for secret in (PASSWORD, OTHER, "a wrong password", lin.secret, '"lin"', "=lin", "郑东银行"):
        assert secret not in written
    for token in api.http.cookies.values():
        assert token not in written


def test_permissions_and_ways_of_signing_in_all_have_a_name(api: Api) -> None:
    for language in ("zh-CN", "en"):
        words = api.app.state.pages._environments[language].get_template("accounts/words.html").module
        assert {str(words.permission(each.value)) for each in Permission}
        assert set(words.PERMISSIONS) == {each.value for each in Permission}
        assert set(words.METHODS) == {each.value for each in SignInMethod}


def test_an_authenticator_reads_the_secret_from_the_picture(api: Api, office: Member) -> None:
    """The QR code holds what the text beside it says."""
    from talentseal.accounts import second_factor

    code = invite(api.world, office, "gu")
    secret = secret_of(api.world, code)
    address = second_factor.enrolment_address(secret, "gu", api.service.settings.origin)
    page = post(api, "/invitation", {"invitation": code}).text

    drawn = html.unescape(re.findall(r"<svg.*?</svg>", page, re.DOTALL)[0])
    assert drawn == html.unescape(second_factor.qr_svg(address)).strip()
    assert address.startswith("otpauth://totp/")


def test_the_credential_is_bound_to_its_account(api: Api, lin: Person, office: Member) -> None:
    """A row copied from another account opens nothing, and says so without a value."""
    chen = enrol(api.world, office, "chen")

    def swap(session: Any) -> None:
        stolen = session.get_one(Credential, lin.account).totp_secret
        session.get_one(Credential, chen.account).totp_secret = stolen

    api.world.database.write(swap)
    enter(api, "chen")

    answer = post(api, "/sign-in/second-factor", {"code": lin.code(api.world)})

    assert answer.status_code == 500
    assert lin.secret not in answer.text
    assert not is_signed_in(api)
