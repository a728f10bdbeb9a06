"""One's own API keys by the JSON API: minted once, shown once, never more than the key in use may do."""

import pytest

from talentseal.accounts import api_keys, service
from talentseal.accounts.roles import Actor, Permission
from tests.api.conftest import FAST, Api
from tests.world import Member


def scoped(api: Api, member: Member, *scopes: Permission) -> dict[str, str]:
    """The header of a key with these scopes alone."""
    minted, now = api_keys.mint(FAST), api.world.clock.now()
    account = member.actor.account_id
    api.world.database.write(
        lambda session: service.add_api_key(session, Actor.console(), account, minted, scopes, now=now).id
    )
    return {"Authorization": f"Bearer {minted.text}"}


def test_a_minted_key_opens_the_service_and_is_listed_without_its_secret(api: Api, bank: Member) -> None:
    answer = api.call(bank, "POST", "/me/api-keys", json={"scopes": ["agreement:read"]})

    assert answer.status_code == 201
    fresh = {"Authorization": f"Bearer {answer.json()['key']}"}
    assert api.http.get("/api/v1/me", headers=fresh).json()["permissions"] == ["agreement:read"]
    listed = api.call(bank, "GET", "/me/api-keys")
    assert answer.json()["id"] in {each["id"] for each in listed.json()["items"]}
    assert answer.json()["key"][20:] not in listed.text


def test_the_same_request_again_names_the_key_and_does_not_show_it(api: Api, bank: Member) -> None:
    once = {"Idempotency-Key": "mint-1"}

    first, again = (api.call(bank, "POST", "/me/api-keys", json={}, headers=once) for _ in range(2))

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["key"].startswith("ts_")
    assert again.json() == {"id": first.json()["id"], "key": None}
    assert len(api.call(bank, "GET", "/me/api-keys").json()["items"]) == 2


def test_a_key_gives_no_more_than_it_may_itself(api: Api, bank: Member) -> None:
    narrow = scoped(api, bank, Permission.API_KEY_OWN, Permission.AGREEMENT_READ)

    def mint(number: int, **body: list[str]) -> tuple[int, list[str]]:
        headers = narrow | {"Idempotency-Key": f"key-{number}"}
        answer = api.http.post("/api/v1/me/api-keys", json=body, headers=headers)
        if answer.status_code != 201:
            return answer.status_code, []
        fresh = {"Authorization": f"Bearer {answer.json()['key']}"}
        return 201, api.http.get("/api/v1/me", headers=fresh).json()["permissions"]

    assert mint(1) == (201, ["agreement:read", "api-key:own"])
    assert mint(2, scopes=["agreement:sign"]) == (403, [])
    assert mint(3, scopes=[]) == (422, [])


def test_a_key_without_that_permission_sees_and_makes_none(api: Api, bank: Member) -> None:
    other = scoped(api, bank, Permission.AGREEMENT_READ)

    listed = api.http.get("/api/v1/me/api-keys", headers=other)
    made = api.http.post("/api/v1/me/api-keys", json={}, headers=other | {"Idempotency-Key": "x"})

    assert (listed.status_code, made.status_code) == (403, 403)


def test_a_revoked_key_opens_nothing_from_the_next_request_on(api: Api, bank: Member) -> None:
    made = api.call(bank, "POST", "/me/api-keys", json={}).json()
    fresh = {"Authorization": f"Bearer {made['key']}"}
    assert api.http.get("/api/v1/me", headers=fresh).status_code == 200

    revoked = api.call(bank, "POST", f"/me/api-keys/{made['id']}/revocation")

    assert revoked.status_code == 200
    assert api.http.get("/api/v1/me", headers=fresh).status_code == 401


@pytest.mark.parametrize("key", ["0" * 16, "theirs"])
def test_a_key_of_somebody_else_is_not_there(api: Api, bank: Member, office: Member, key: str) -> None:
    named = api.key_of(office)[3:19] if key == "theirs" else key

    answer = api.call(bank, "POST", f"/me/api-keys/{named}/revocation")

    assert (answer.status_code, answer.json()["code"]) == (404, "api-key-not-found")
    assert api.call(office, "GET", "/me").status_code == 200
