"""A request is held against those routes alone whose paths begin as its own does, and finds the same one."""

import httpx2
import pytest
from fastapi import APIRouter, FastAPI
from starlette.types import Scope

from talentseal.web.routing import Beginning
from tests.api.in_process import client_of


def feature(*paths: str, prefix: str = "") -> APIRouter:
    router = APIRouter(prefix=prefix)
    for path in paths:
        router.get(path)(lambda path=path: path)
    return router


def client(*doors: tuple[APIRouter, str]) -> httpx2.Client:
    app = FastAPI(openapi_url=None, redirect_slashes=False)
    for router, prefix in doors:
        app.include_router(Beginning(router, prefix), prefix=prefix)
    return client_of(app)


def test_a_route_is_found_under_its_prefix_and_nowhere_else() -> None:
    http = client((feature("/cards", "/cards/{number}"), "/api/v1"), (feature("/cards"), ""))

    assert http.get("/api/v1/cards/7").json() == "/cards/{number}"
    assert http.get("/cards").json() == "/cards"
    assert http.get("/cards/7").status_code == 404
    assert http.get("/api/v2/cards").status_code == 404


def test_a_beginning_is_a_whole_part_of_a_path() -> None:
    http = client((feature("", "/new", prefix="/cards"), ""), (feature("/card-requests", "/"), ""))

    assert http.get("/cards/new").json() == "/new"
    assert http.get("/card-requests").json() == "/card-requests"
    assert http.get("/").json() == "/"
    assert http.get("/card").status_code == 404


def test_two_features_may_begin_alike_and_the_first_that_has_the_route_answers() -> None:
    http = client((feature("/me/tier"), ""), (feature("/me/cards", "/me/{rest:path}"), ""))

    assert http.get("/me/tier").json() == "/me/tier"
    assert http.get("/me/cards").json() == "/me/cards"
    assert http.get("/me/anything/else").json() == "/me/{rest:path}"


def test_what_another_method_serves_is_told_as_405() -> None:
    http = client((feature("/cards"), ""))

    answer = http.post("/cards")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")


def test_a_path_behind_a_proxy_begins_after_the_proxys_own_part() -> None:
    door = Beginning(feature("/cards"), "/api/v1")
    inner = FastAPI(openapi_url=None)
    inner.include_router(door, prefix="/api/v1")
    outer = FastAPI(openapi_url=None)
    outer.mount("/behind", inner)

    assert client_of(outer).get("/behind/api/v1/cards").json() == "/cards"


def test_a_feature_of_other_beginnings_is_not_asked() -> None:
    asked: list[str] = []

    class Watched(APIRouter):
        def matches(self, scope: Scope) -> object:  # type: ignore[override]
            asked.append(scope["path"])
            return super().matches(scope)

    router = Watched()
    router.get("/cards")(lambda: "cards")
    http = client((router, ""))

    assert http.get("/codes").status_code == 404
    assert asked == []
    assert http.get("/cards").status_code == 200
    assert asked


def test_a_route_that_any_path_might_mean_is_refused_at_the_start() -> None:
    with pytest.raises(ValueError, match="begins with a word"):
        Beginning(feature("/{anything}"), "")


def test_a_router_that_holds_other_routers_is_refused_for_its_routes_are_not_known() -> None:
    outer = APIRouter()
    outer.include_router(feature("/cards"))

    with pytest.raises(ValueError, match="begins with a word"):
        Beginning(outer, "")
