"""The page and the interface of events: what a partner does there, and that names are known."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest

from talentseal.accounts.roles import Role
from talentseal.events import sending
from talentseal.events.states import DeliveryState, EventKind, Failure, HookState
from tests.api.conftest import Api
from tests.events.conftest import Post
from tests.web.test_names import table

PAGE = {"Accept": "text/html"}
ENGLISH = {"Accept": "text/html", "Accept-Language": "en"}


class Site:
    """The service, visited by the partner."""

    def __init__(self, post: Post, folder: Path) -> None:
        self.post, self.api = post, Api(post.world, folder, webhooks_to_loopback=True)

    def get(self, path: str = "/events", status: int = 200) -> str:
        """The page in both languages; its Chinese text."""
        self.api.sign_in(self.post.partner)
        texts = [self.api.http.get(path, headers=each) for each in (ENGLISH, PAGE)]
        assert [each.status_code for each in texts] == [status, status], texts[0].text
        return str(texts[1].text)

    def act(self, path: str, status: int = 303, **fields: Any) -> str:
        """What the form's answer shows, or where it leads to."""
        self.api.sign_in(self.post.partner)
        answer = self.api.http.post(path, data=fields, headers=PAGE, follow_redirects=False)
        assert answer.status_code == status, answer.text
        return str(answer.headers["location"] if status == 303 else answer.text)

    def call(self, method: str, path: str, key: str = "", **body: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.api.key_of(self.post.partner)}"}
        if method == "POST":
            headers["Idempotency-Key"] = key or path
        return self.api.http.request(method, f"/api/v1{path}", headers=headers, json=body or None)


@pytest.fixture
def site(sqlite_post: Post, tmp_path: Path) -> Site:
    return Site(sqlite_post, tmp_path)


def test_from_an_address_to_a_dead_letter_and_back_on_the_page(site: Site) -> None:
    post = site.post
    assert "登记推送地址" in site.get()
    assert 'id="url-error"' in site.act("/events", 422)
    refused = site.act("/events", 422, url="http://10.0.0.1/")
    assert "http://10.0.0.1/" in refused
    assert "公网地址" in refused
    shown = site.act("/events", 200, url=post.receiver.url)
    post.secret = "whsec_" + shown.partition("whsec_")[2].partition("<")[0]
    assert post.secret not in site.get()
    assert "已登记推送地址" in site.act("/events", 409, url=post.receiver.url)

    post.receiver.answers = [500] * 60
    assert site.act("/events/test") == "/events?notice=test-queued"
    post.send()
    assert "系统正在重试" in site.get()
    assert "状态码 500" in site.get()
    while post.deliveries(DeliveryState.DUE):
        post.send(hours=2)
    (dead,) = post.deliveries(DeliveryState.DEAD)
    assert f"/events/deliveries/{dead.id}/redelivery" in site.get()

    post.receiver.answers = []
    site.act(f"/events/deliveries/{dead.id}/redelivery")
    post.send()
    assert "已送达" in site.get()
    assert post.receiver.arrived[-1].is_signed_with(post.secret)

    assert "whsec_" in site.act("/events/secret", 200)
    assert "立即停用旧密钥" in site.get()
    assert "两个都在使用" not in site.act("/events/secret", 409)
    site.act("/events/former-secret")
    assert "没有可停用" in site.act("/events/former-secret", 409)
    site.act("/events/removal")
    assert "登记推送地址" in site.get()
    site.get("/events/deliveries/" + "0" * 32)  # whoever reloads is led back


def test_a_disabled_webhook_says_so_and_is_enabled(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    post = site.post
    post.register()
    post.receiver.answers = [500]
    monkeypatch.setattr(sending, "DISABLED_AFTER", sending.FIRST_WAIT * 0)
    site.act("/events/test")
    post.send()

    assert "连续三天没有成功接收" in site.get()
    assert post.view().state is HookState.DISABLED
    assert "先恢复推送" in site.act("/events/test", 409)
    site.act("/events/enabling")
    assert post.view().state is HookState.ACTIVE


def test_programs_do_the_same(site: Site) -> None:
    post = site.post
    assert site.call("GET", "/webhook").json()["code"] == "webhook-not-found"
    assert site.call("POST", "/webhook", url="https://[::1]:1/").status_code == 201
    assert site.call("POST", "/webhook/removal").json()["state"] == "REMOVED"
    refused = site.call("POST", "/webhook", "far", url="https://192.168.0.9/")
    assert (refused.status_code, refused.json()["code"]) == (422, "webhook-address-not-usable")
    made = site.call("POST", "/webhook", "made", url=post.receiver.url)
    again = site.call("POST", "/webhook", "made", url=post.receiver.url)
    assert made.json()["secret"].startswith("whsec_")
    assert (again.status_code, again.json()["secret"]) == (201, None)

    sent = site.call("POST", "/webhook/tests")
    assert (sent.status_code, sent.json()["state"]) == (201, "DUE")
    post.send()
    assert post.receiver.arrived[0].is_signed_with(made.json()["secret"])
    assert json.loads(post.receiver.arrived[0].body)["type"] == "test"
    view = site.call("GET", "/webhook").json()
    assert (view["state"], view["secrets"], view["waiting"], view["dead"]) == ("ACTIVE", 1, 0, 0)
    (row,) = site.call("GET", "/webhook/deliveries?state=DELIVERED").json()["items"]
    assert row["id"] == sent.json()["id"]
    assert site.call("POST", f"/webhook/deliveries/{row['id']}/redelivery").status_code == 409
    assert site.call("POST", "/webhook/secrets").json()["secret"].startswith("whsec_")
    assert site.call("GET", "/webhook").json()["secrets"] == 2
    assert site.call("POST", "/webhook/secrets/retirement").status_code == 200
    assert site.call("POST", "/webhook/enabling").json()["code"] == "transition-refused"


def test_the_feed_is_read_with_a_cursor_and_by_no_stranger(site: Site) -> None:
    assert site.call("GET", "/events").json() == {"items": [], "next": 0}
    assert site.call("GET", "/events?after=7").json() == {"items": [], "next": 7}
    assert site.call("GET", "/events?limit=101").status_code == 422
    assert site.api.http.get("/api/v1/events", headers={"Authorization": "Bearer x"}).status_code == 401
    auditor = site.post.world.joined("虚构审计", role=Role.AUDITOR)
    site.api.sign_in(auditor)
    assert site.api.http.get("/events", headers=PAGE).status_code == 403


@pytest.mark.parametrize(
    ("name", "members"),
    [
        ("EVENT_KINDS", EventKind),
        ("HOOK_STATES", HookState),
        ("DELIVERY_STATES", DeliveryState),
        ("FAILURES", Failure),
    ],
)
def test_a_table_of_names_holds_each_member_and_nothing_else(name: str, members: type[StrEnum]) -> None:
    assert table(name, "events/words.html") == {each.value for each in members}
