"""The JSON API of outlets, and what a terminal's key opens."""

from typing import Any

import pytest

from talentseal.accounts.roles import Actor
from tests.api.conftest import Api
from tests.api.test_edge import problem
from tests.partners.counters import Manager
from tests.world import Member, World


@pytest.fixture
def world(sqlite_world: World) -> World:
    return sqlite_world


@pytest.fixture
def bank(world: World) -> Member:
    return world.joined("郑东银行")


@pytest.fixture
def clerk(world: World, bank: Member) -> Actor:
    return Manager(world, bank).person("柜员甲")


@pytest.fixture
def outlet(api: Api, bank: Member) -> str:
    answer = api.call(bank, "POST", "/outlets", json={"name": "龙子湖支行", "address": "龙子湖路 1 号"})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def added(api: Api, bank: Member, outlet: str, name: str = "一号柜台", **options: Any) -> Any:
    return api.call(bank, "POST", f"/outlets/{outlet}/terminals", json={"name": name}, **options)


def bind(api: Api, bank: Member, outlet: str, account: str) -> Any:
    return api.call(bank, "POST", f"/outlets/{outlet}/staff", json={"account": account})


def as_terminal(api: Api, key: str, path: str) -> Any:
    return api.http.get(f"/api/v1{path}", headers={"Authorization": f"Bearer {key}"})


def test_an_outlet_from_its_opening_to_its_closure(api: Api, bank: Member, outlet: str, clerk: Actor) -> None:
    terminal = added(api, bank, outlet).json()
    assert bind(api, bank, outlet, clerk.account_id).status_code == 201

    listed = api.call(bank, "GET", "/outlets").json()
    assert [(each["id"], each["state"]) for each in listed["items"]] == [(outlet, "OPEN")]
    assert listed["next"] is None
    post = as_terminal(api, terminal["key"], "/counter").json()
    assert (post["outlet"], post["terminal"]) == (outlet, terminal["id"])
    assert post["staff"] == [{"account": clerk.account_id, "name": "柜员甲"}]
    used = api.call(bank, "GET", f"/outlets/{outlet}").json()["terminals"]
    assert [each["last_used_at"] is not None for each in used if each["kind"] == "DEVICE"] == [True]

    assert api.call(bank, "POST", f"/outlets/{outlet}/closure").status_code == 200
    sheet = api.call(bank, "GET", f"/outlets/{outlet}").json()
    assert sheet["state"] == "CLOSED"
    assert {each["state"] for each in sheet["terminals"]} == {"REVOKED"}
    problem(added(api, bank, outlet), 409, "outlet-closed")


def test_a_terminals_key_is_answered_once(api: Api, bank: Member, outlet: str) -> None:
    once = {"Idempotency-Key": "the-same"}
    first = added(api, bank, outlet, headers=once)

    again = added(api, bank, outlet, headers=once)

    assert first.json()["key"].startswith("ts_")
    assert (again.status_code, again.json()) == (201, {"id": first.json()["id"], "key": None})
    assert again.headers["idempotency-replayed"] == "true"
    devices = [
        each
        for each in api.call(bank, "GET", f"/outlets/{outlet}").json()["terminals"]
        if each["kind"] == "DEVICE"
    ]
    assert len(devices) == 1
    assert first.json()["key"] not in api.call(bank, "GET", f"/outlets/{outlet}").text


def test_every_unsafe_act_on_an_outlet_has_no_second_effect(
    api: Api, bank: Member, outlet: str, clerk: Actor
) -> None:
    once, terminal = {"Idempotency-Key": "the-same"}, added(api, bank, outlet).json()["id"]

    for path, body in [
        ("/outlets", {"name": "另一支行", "address": "某路"}),
        (f"/outlets/{outlet}/staff", {"account": clerk.account_id}),
        (f"/outlets/{outlet}/staff/{clerk.account_id}/release", None),
        (f"/outlets/{outlet}/terminals/{terminal}/revocation", None),
        (f"/outlets/{outlet}/closure", None),
    ]:
        first, again = [api.call(bank, "POST", path, json=body, headers=once) for _ in range(2)]
        assert (first.status_code, first.json()) == (again.status_code, again.json())
        assert first.is_success, first.text
        assert again.headers["idempotency-replayed"] == "true"


def test_a_terminals_key_opens_nothing_but_the_counter(api: Api, bank: Member, outlet: str) -> None:
    key = added(api, bank, outlet).json()["key"]

    assert as_terminal(api, key, "/me").json()["permissions"] == ["counter:serve"]
    for path in ("/agreements", "/outlets", f"/outlets/{outlet}", "/me/api-keys", "/organisations"):
        problem(as_terminal(api, key, path), 403, "not-permitted")


def test_a_revoked_terminal_is_shut_out_from_its_next_request_on(api: Api, bank: Member, outlet: str) -> None:
    terminal, other = added(api, bank, outlet).json(), added(api, bank, outlet, "二号柜台").json()
    assert as_terminal(api, terminal["key"], "/counter").status_code == 200

    path = f"/outlets/{outlet}/terminals/{terminal['id']}/revocation"
    assert api.call(bank, "POST", path).json() == {"id": terminal["id"], "key": None}

    problem(as_terminal(api, terminal["key"], "/counter"), 401, "unauthenticated")
    assert as_terminal(api, other["key"], "/counter").status_code == 200


def test_a_persons_key_stands_at_no_counter(api: Api, bank: Member, outlet: str) -> None:
    bind(api, bank, outlet, bank.actor.account_id)

    problem(api.call(bank, "GET", "/counter"), 403, "terminal-unknown")


def test_another_organisations_outlet_is_not_found_whatever_is_asked(
    api: Api, world: World, bank: Member, outlet: str, clerk: Actor
) -> None:
    terminal, other = added(api, bank, outlet).json()["id"], world.joined("另一银行")

    for method, path, body in [
        ("GET", "", None),
        ("POST", "/closure", None),
        ("POST", "/terminals", {"name": "柜台"}),
        ("POST", f"/terminals/{terminal}/revocation", None),
        ("POST", "/staff", {"account": other.actor.account_id}),
        ("POST", f"/staff/{clerk.account_id}/release", None),
    ]:
        problem(api.call(other, method, f"/outlets/{outlet}{path}", json=body), 404, "outlet-not-found")
    problem(api.call(other, "GET", f"/outlets?after={outlet}"), 404, "outlet-not-found")
    assert api.call(other, "GET", "/outlets").json()["items"] == []
    problem(bind(api, bank, outlet, other.actor.account_id), 404, "account-not-found")
    assert api.call(bank, "GET", f"/outlets/{outlet}").json()["state"] == "OPEN"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "", "address": "某路"},
        {"name": "店\u0000", "address": "某路"},
        {"name": "店", "address": "x" * 301},
    ],
)
def test_an_outlet_without_name_and_address_is_refused_by_field(api: Api, bank: Member, body: Any) -> None:
    problem(api.call(bank, "POST", "/outlets", json=body), 422, "validation-failed")
