"""Pages of talents and of their office: a journey over HTTP, ownership, permissions."""

from pathlib import Path
from typing import Any

import pytest

from tests.api.conftest import Api
from tests.talents.conftest import PAPER, People, in_force
from tests.world import World

HTML = {"Accept": "text/html", "Accept-Language": "zh-CN"}
PASSWORD = "一句足够长的虚构口令吧！"


@pytest.fixture
def people(sqlite_world: World) -> People:
    return in_force(sqlite_world)


@pytest.fixture
def api(people: People, tmp_path: Path) -> Api:
    return Api(people.world, tmp_path)


class Browser:
    """Somebody's browser: a client with cookies of its own."""

    def __init__(self, api: Api) -> None:
        from starlette.testclient import TestClient

        self.http = TestClient(api.app, raise_server_exceptions=True, headers=HTML)

    def get(self, path: str) -> Any:
        return self.http.get(path, follow_redirects=False)

    def post(self, path: str, **options: Any) -> Any:
        return self.http.post(path, follow_redirects=False, **options)

    def sign_up(self, name: str) -> Any:
        form = {"name": name, "password": PASSWORD, "repeated": PASSWORD, "notice": "2026-11"}
        return self.post("/sign-up", data=form)


def test_a_talent_signs_up_and_is_at_home(api: Api) -> None:
    browser = Browser(api)

    answer = browser.sign_up("xugou.rencai")

    assert (answer.status_code, answer.headers["location"]) == (303, "/me?notice=signed-up")
    for page in ("/me", "/me/tier", "/me/application", "/account"):
        assert browser.get(page).status_code == 200, page
    begun = browser.post("/me/application")
    assert begun.headers["location"] == "/me/application/identity"
    for page in ("identity", "work", "education", "claim", "achievements", "documents", "check"):
        shown = browser.get(f"/me/application/{page}")
        assert shown.status_code == 200, page
    form = {
        "full_name": "虚构人物",
        "document": "PASSPORT",
        "document_number": "E12345678",
        "phone": "13900000000",
    }
    assert (
        browser.post("/me/application/identity", data=form).headers["location"]
        == "/me/application/work?notice=part-saved"
    )
    form = {"ground": "WORKS_IN_AREA", "organisation": "虚构公司（演示）", "started_on": "2024-03-01"}
    assert browser.post("/me/application/work", data=form).status_code == 303
    for kind in ("IDENTITY", "WORK_IN_AREA"):
        sent = browser.post(
            "/me/application/documents", data={"kind": kind}, files={"document": ("a.pdf", PAPER)}
        )
        assert sent.status_code == 303, sent.text
    assert (
        browser.post("/me/application/submission").headers["location"]
        == "/me/application?notice=application-submitted"
    )
