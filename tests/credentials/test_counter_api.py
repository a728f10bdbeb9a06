"""The HTTP faces of a presentation: the terminal's API, the counter's page, the talent's own screen."""

import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from talentseal.accounts import sessions
from talentseal.credentials.models import Channel
from talentseal.talents.models import CodeState
from tests.api.conftest import MASTER_KEYS, Api
from tests.api.test_edge import problem
from tests.credentials.counters import KEYS, PHONE, Phone, Street
from tests.talents.conftest import People, basic
from tests.web.test_names import table
from tests.world import Member


class Shop:
    """A street of one till, and a holder's browser, over HTTP."""

    def __init__(self, crowd: People, folder: Path) -> None:
        self.street = Street(crowd)
        self.api = Api(crowd.world, folder)
        self.till = self.street.tills[0]
        self.outlet = self.till.device.row.outlet_id

    def scan(self, text: str, **changes: Any) -> Any:
        body = {"sent": text, "staff": self.till.clerk.account_id, **changes.pop("body", {})}
        headers = {"Authorization": f"Bearer {self.till.device.key.text}", **changes.pop("headers", {})}
        return self.api.call(None, "POST", "/presentations", json=body, headers=headers, **changes)

    def be(self, member: Member | Phone) -> None:
        """Let the browser carry a fresh session, and no device."""
        self.api.http.cookies.clear()
        actor = member.talent if isinstance(member, Phone) else member.actor
        self.api.sign_in(Member(actor, None, ""))

    def holder(self) -> Phone:
        phone = Phone(self.street.world, self.street.crowd.holder())
        self.be(phone)
        return phone

    def code(self) -> str:
        """What the page says after a fresh token was asked for by its script."""
        answer = self.post("/code/token", exchange=True)
        assert answer.status_code == 200, answer.text
        return str(answer.text)

    def post(self, path: str, data: dict[str, str] | None = None, *, exchange: bool = False) -> Any:
        headers = {"HX-Request": "true"} if exchange else {"Accept": "text/html"}
        return self.api.http.post(
            path, data=data or {}, headers=headers | {"User-Agent": PHONE}, follow_redirects=False
        )

    def get(self, path: str) -> Any:
        return self.api.http.get(path, headers={"Accept": "text/html"}, follow_redirects=False)


@pytest.fixture
def shop(sqlite_crowd: People, tmp_path: Path) -> Shop:
    return Shop(sqlite_crowd, tmp_path)


def number_in(page: str) -> str:
    found = re.search(r"77\d\d( \d{4}){3} \d{3}", page)
    assert found, page
    return found[0]


def test_the_keys_of_the_application_and_of_the_tests_are_one() -> None:
    assert MASTER_KEYS == KEYS


def test_a_terminal_is_told_who_stands_there(shop: Shop) -> None:
    answer = shop.scan(shop.street.phone().mint().text)

    assert answer.status_code == 201, answer.text
    met = answer.json()
    assert set(met) == {
        "id",
        "surname",
        "tier",
        "channel",
        "presented_at",
        "expires_at",
        "offline",
        "photo",
    }
    assert (met["offline"], met["photo"]) == (False, None)
    assert (met["surname"], met["tier"], met["channel"]) == ("欧阳**", "RESERVE", "SCAN")


@pytest.mark.scenario(34)
@pytest.mark.scenario(35)
def test_each_refusal_has_its_code_and_none_says_why(shop: Shop) -> None:
    phone = shop.street.phone()
    used, stopped = phone.mint().text, shop.street.phone()
    waiting = stopped.mint().text
    shop.street.move(stopped, CodeState.SUSPENDED)

    problem(shop.scan(used, body={"staff": "0" * 32}), 403, "terminal-unknown")
    assert shop.scan(used).status_code == 201
    problem(shop.scan(used), 409, "token-used")
    problem(shop.scan(waiting), 409, "code-suspended")
    problem(shop.scan("x" * 10_240), 422, "token-malformed")
    problem(shop.scan(""), 422, "token-malformed")
    problem(shop.scan(used[:-1] + ("0" if used[-1] != "0" else "1")), 422, "token-forged")
    noted = [row.refusal for row in shop.street.refusals()]
    assert len(noted) == 5, "every refusal is durable but that of an unknown terminal"


def test_a_terminal_that_got_no_answer_asks_again(shop: Shop) -> None:
    minted, again = shop.street.phone().mint().text, {"Idempotency-Key": "till-1/4711"}

    answers = [shop.scan(minted, headers=again) for _ in range(2)]

    assert [each.status_code for each in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    problem(shop.scan(minted), 409, "token-used")


def test_only_a_terminals_key_opens_it(shop: Shop) -> None:
    minted = shop.street.phone().mint().text
    strangers = {"Authorization": f"Bearer {shop.api.key_of(shop.street.bank.member)}"}

    problem(shop.scan(minted, headers={"Authorization": "Bearer none"}), 401, "unauthenticated")
    problem(shop.scan(minted, headers=strangers), 403, "terminal-unknown")
    assert shop.scan(minted).status_code == 201


def test_a_holder_binds_his_phone_shows_his_code_and_sees_where(shop: Shop) -> None:
    shop.holder()
    assert "绑定此设备" in shop.get("/code").text

    bound = shop.post("/code/devices")
    assert (bound.status_code, bound.headers["location"]) == (303, "/code")
    cookie = next(value for value in bound.headers.get_list("set-cookie") if "talentseal-device" in value)
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    page = shop.get("/code")
    assert "manifest-src 'self'" in page.headers["content-security-policy"]
    assert "<svg" not in page.text, "nothing is minted by looking"

    met = shop.scan(number_in(shop.code()))

    assert met.json()["channel"] == "NUMERIC"
    devices = shop.get("/code/devices").text
    assert "此设备" in devices
    assert "东区支行" in devices
    assert "Safari · iOS" in devices


def test_without_a_script_the_page_comes_with_the_code(shop: Shop) -> None:
    shop.holder()
    shop.post("/code/devices")

    page = shop.post("/code/token")

    assert page.status_code == 200
    assert '<svg role="img"' in page.text
    assert shop.scan(number_in(page.text)).status_code == 201
    assert shop.get("/code/token").headers["location"] == "/code"


def test_what_cannot_be_shown_is_said_to_its_holder(shop: Shop) -> None:
    phone = shop.holder()
    shop.post("/code/devices")
    shop.street.move(phone, CodeState.SUSPENDED)

    assert "申诉方式" in shop.get("/code").text
    assert shop.post("/code/token", exchange=True).status_code == 409
    shop.be(Phone(shop.street.world, shop.street.crowd.talent()))
    assert "请先申领" in shop.get("/code").text
    shop.be(shop.street.bank.member)
    assert shop.get("/code").status_code == 403


def test_a_fourth_device_and_a_twenty_first_mint_are_told_so(shop: Shop) -> None:
    phone = shop.holder()
    for _ in range(2):
        phone.bind()
    shop.post("/code/devices")
    for _ in range(20):
        shop.code()

    refused = shop.post("/code/token", exchange=True)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "60")
    fourth = shop.post("/code/devices")
    assert fourth.status_code == 409
    assert "已绑定 3 台设备" in fourth.text
    own = sessions.token_hash(shop.api.http.cookies["talentseal-device"])
    held = re.findall(r"/code/devices/([0-9a-f]{32})/revocation", fourth.text)
    assert len(held) == 3
    assert own not in fourth.text
    for device in held:
        assert shop.post(f"/code/devices/{device}/revocation").status_code == 303
    assert shop.post("/code/token", exchange=True).status_code == 409


def test_a_clerk_is_led_to_his_outlet_and_is_told_what_to_say(shop: Shop) -> None:
    shop.be(Member(shop.till.clerk, None, ""))
    assert shop.get("/counter").headers["location"] == f"/counter/{shop.outlet}"
    page = shop.get(f"/counter/{shop.outlet}")
    assert "camera=(self)" in page.headers["permissions-policy"]
    assert "camera=()" in shop.get("/policy").headers["permissions-policy"]

    phone = shop.street.phone()
    minted = phone.mint().text
    told = shop.post(f"/counter/{shop.outlet}", {"sent": minted, "request": "r1"}, exchange=True)
    assert "欧阳**" in told.text
    again = shop.post(f"/counter/{shop.outlet}", {"sent": minted, "request": "r1"}, exchange=True)
    assert "欧阳**" in again.text, "a page that got no answer asks again"
    used = shop.post(f"/counter/{shop.outlet}", {"sent": minted})
    assert used.status_code == 409
    assert "TOKEN_USED" in used.text
    assert "请顾客在手机上刷新人才码" in used.text
    assert minted not in used.text


def test_a_clerk_of_two_outlets_chooses_once_and_nobody_serves_elsewhere(shop: Shop) -> None:
    elsewhere = shop.street.tills[1]
    shop.street.bank.bind(shop.street.bank.open("南区支行"), shop.till.clerk)
    shop.be(Member(shop.till.clerk, None, ""))

    choice = shop.get("/counter")
    assert choice.status_code == 200
    assert {"东区支行", "南区支行"} == set(re.findall("[东西南]区支行", choice.text))
    shop.get(f"/counter/{shop.outlet}")
    assert shop.get("/counter").headers["location"] == f"/counter/{shop.outlet}"
    assert shop.get("/counter?choose=true").status_code == 200
    other = f"/counter/{elsewhere.device.row.outlet_id}"
    assert shop.get(other).status_code == 403
    refused = shop.post(other, {"sent": shop.street.phone().mint().text}, exchange=True)
    assert "TERMINAL_UNKNOWN" in refused.text
    assert shop.street.burns() == 0
    shop.be(shop.street.phone())
    assert shop.get("/counter").status_code == 403


def test_a_phone_may_install_it(shop: Shop) -> None:
    manifest = shop.api.http.get("/manifest.webmanifest")
    assert manifest.headers["content-type"] == "application/manifest+json"
    assert manifest.json()["start_url"] == "/code"
    for icon in manifest.json()["icons"]:
        answer = shop.api.http.get(icon["src"])
        assert answer.headers["content-type"] == icon["type"]
    apple = shop.api.http.get("/apple-touch-icon.png")
    assert apple.content[:8] == b"\x89PNG\r\n\x1a\n"


def test_every_channel_has_a_name() -> None:
    assert table("CHANNELS", "credentials/words.html") == {member.value for member in Channel}


@pytest.fixture
def log_lines() -> Iterator[list[str]]:
    """Everything that is logged, by any logger, as it would be written."""
    lines: list[str] = []

    class Keeper(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(record.getMessage())

    def keep(_logger: Any, _name: str, event: Any) -> Any:
        lines.append(repr(event))
        raise structlog.DropEvent

    keeper, root = Keeper(), logging.getLogger()
    root.addHandler(keeper)
    level, configured = root.level, structlog.get_config()
    root.setLevel(logging.DEBUG)
    structlog.configure(processors=[keep], cache_logger_on_first_use=False)
    yield lines
    structlog.configure(**configured)
    root.setLevel(level)
    root.removeHandler(keeper)


def test_no_token_reference_or_name_is_in_a_log_line_or_an_address(shop: Shop, log_lines: list[str]) -> None:
    canary = basic(full_name="罕见姓名虚构", document_number="E77000777", phone="13977770777")
    phone = Phone(shop.street.world, shop.street.crowd.holder(who=canary))
    shop.be(phone)
    shop.post("/code/devices")
    page = shop.post("/code/token")
    number, token = number_in(page.text), phone_token(phone)
    code = shop.street.crowd.code(phone.talent)
    device = shop.api.http.cookies["talentseal-device"]

    asked = [shop.scan(text) for text in (token, token, number, number, token[:-1], "x" * 2000)]
    asked.append(shop.scan(token, body={"staff": "0" * 32}))
    asked.append(shop.api.http.post("/api/v1/presentations", content="{" + token))
    asked += [page, shop.get("/code"), shop.get("/code/devices")]
    shop.be(Member(shop.till.clerk, None, ""))
    asked.append(shop.post(f"/counter/{shop.outlet}", {"sent": token}))

    assert log_lines, "the canary sings only where something is heard"
    secret = {
        token,
        number,
        number.replace(" ", ""),
        device,
        code.code_ref.hex(),
        "罕见",
        "E77000777",
        "1397777",
    }
    heard = [*log_lines, *(str(each.request.url) for each in asked)]
    assert [(each, line) for line in heard for each in secret if each in line] == []
    refusals = "".join(each.text for each in asked if each.status_code >= 400)
    assert [each for each in secret if each in refusals] == []


def phone_token(phone: Phone) -> str:
    """A token of another device of his."""
    phone.sign_in()
    phone.bind()
    return phone.mint().text
