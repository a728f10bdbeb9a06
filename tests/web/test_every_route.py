"""Claims about every route there is, those of tomorrow included: the route table itself is walked."""

import re
from pathlib import Path

import pytest

from tests.api.conftest import Api
from tests.browser.addresses import EVERY, NO_PAGES
from tests.routes import routes_of
from tests.world import World

SAFE = {"GET", "HEAD", "OPTIONS"}
FOREIGN = {
    "sec-fetch-site": {"Sec-Fetch-Site": "cross-site"},
    "origin": {"Origin": "https://elsewhere.example"},
    "both": {"Sec-Fetch-Site": "same-site", "Origin": "https://elsewhere.testserver"},
}
FOR_PROGRAMS = ("/api/", "/log/", "/static/", "/healthz", "/readyz", "/metrics", "/version")


@pytest.fixture
def stage(sqlite_world: World, tmp_path: Path) -> Api:
    """In demonstration mode, which has every route."""
    return Api(sqlite_world, tmp_path, demonstration=True)


@pytest.mark.parametrize("headers", FOREIGN.values(), ids=FOREIGN)
def test_every_route_that_changes_something_refuses_other_sites(stage: Api, headers: dict[str, str]) -> None:
    partner = stage.world.member("虚构银行")
    key = stage.key_of(partner)
    stage.sign_in(partner)
    unsafe = [(method, path) for method, path in routes_of(stage.app) if method not in SAFE]

    assert {("POST", "/sign-out"), ("POST", "/api/v1/agreements")} <= set(unsafe)
    for method, path in unsafe:
        for authorization in ({}, {"Authorization": f"Bearer {key}"}):
            at = re.sub(r"\{.*?\}", "1", path)
            answer = stage.http.request(method, at, headers=headers | authorization, data={"a": "b"})
            assert (answer.status_code, answer.json()["code"]) == (403, "cross-site-request"), (method, path)


def test_every_page_is_among_those_that_the_browser_tests_open(stage: Api) -> None:
    opened = {_shape(address.path) for address in EVERY}
    pages = {
        path
        for method, path in routes_of(stage.app)
        if method == "GET" and not path.startswith(FOR_PROGRAMS) and "." not in path.rpartition("/")[2]
    }

    assert {path for path in pages - NO_PAGES if _shape(path) not in opened} == set()
    assert pages >= NO_PAGES


def _shape(path: str) -> str:
    """The path with its parameters' names left out, and without a query."""
    return re.sub(r"\{.*?\}", "{}", path.partition("?")[0])
