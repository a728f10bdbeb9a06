"""The page of signing keys: asked for, proven, approved, revoked, each by whom it is for."""

import re

import pytest

from talentseal.accounts.roles import Role
from talentseal.partners.service import personal_digest
from tests.agreements.desk import Desk
from tests.api.conftest import Api
from tests.world import Member, World


@pytest.fixture
def world(sqlite_world: World) -> World:
    return sqlite_world


@pytest.fixture
def newcomer(world: World) -> Member:
    """A partner whose key is not registered yet."""
    return world.joined("新单位")


@pytest.fixture
def desk(api: Api, newcomer: Member) -> Desk:
    return Desk(api, newcomer)


def proof(desk: Desk) -> str:
    """The member's signature over the challenge that the page shows."""
    shown = re.search(r"<pre[^>]*>([^<]+)</pre>", desk.get("/keys").text)
    assert shown is not None
    return desk.member.sign("0x" + personal_digest(shown[1]).hex())


def prove(desk: Desk) -> None:
    address = desk.member.address
    assert desk.post("/keys", {"address": address}).status_code == 303
    assert desk.post(f"/keys/{address}/proof", {"signature": proof(desk)}).status_code == 303


def test_without_a_key_the_page_says_what_to_do(desk: Desk) -> None:
    page = desk.get("/keys")

    assert page.status_code == 200
    assert "还没有密钥" in page.text
    assert "切勿填写私钥" in page.text


def test_a_key_is_asked_for_proven_and_approved_by_the_operator(
    desk: Desk, world: World, newcomer: Member
) -> None:
    operator = world.member("运营机构", role=Role.OPERATOR)

    prove(desk)
    assert "已证明持有" in desk.get("/keys").text
    waiting = desk.as_(operator).get("/keys").text
    assert newcomer.name in waiting
    approved = desk.post(f"/keys/{newcomer.id}/{newcomer.address}/approval")

    assert approved.status_code == 303
    assert "等待批准的密钥" not in desk.get("/keys").text
    assert "已登记生效" in desk.as_(newcomer).get("/keys").text


@pytest.mark.parametrize("typed", ["", "0x12", "0x" + "aB" * 20, "新密钥"])
def test_what_is_no_address_is_refused_at_its_field(desk: Desk, typed: str) -> None:
    page = desk.post("/keys", {"address": typed})

    assert page.status_code == 422
    assert 'id="address-error"' in page.text
    assert "还没有密钥" in page.text


@pytest.mark.parametrize("typed", ["", "0x00"])
def test_what_is_no_signature_is_refused_at_the_key(desk: Desk, newcomer: Member, typed: str) -> None:
    desk.post("/keys", {"address": newcomer.address})

    page = desk.post(f"/keys/{newcomer.address}/proof", {"signature": typed})

    assert page.status_code == 422
    assert f'id="signature-{newcomer.address}-error"' in page.text


def test_another_keys_signature_proves_nothing(desk: Desk, world: World, newcomer: Member) -> None:
    stranger = world.joined("别的单位")
    desk.post("/keys", {"address": newcomer.address})
    shown = re.search(r"<pre[^>]*>([^<]+)</pre>", desk.get("/keys").text)
    assert shown is not None

    signature = stranger.sign("0x" + personal_digest(shown[1]).hex())
    page = desk.post(f"/keys/{newcomer.address}/proof", {"signature": signature})

    assert page.status_code == 422
    assert "未能证明持有私钥" in page.text
    assert "已申请" in desk.get("/keys").text


def test_an_expired_challenge_offers_a_new_one(desk: Desk, world: World, newcomer: Member) -> None:
    desk.post("/keys", {"address": newcomer.address})
    world.clock.advance(minutes=16)

    assert "质询已过期" in desk.get("/keys").text
    prove(desk)


def test_a_revoked_key_signs_no_more(desk: Desk, world: World) -> None:
    member = world.member("合作单位")

    answer = desk.as_(member).post(f"/keys/{member.address}/revocation")

    assert answer.status_code == 303
    assert "已撤销" in desk.get("/keys").text


def test_nobody_but_the_operator_approves(desk: Desk, world: World, newcomer: Member) -> None:
    prove(desk)

    page = desk.as_(world.member("合作单位")).post(f"/keys/{newcomer.id}/{newcomer.address}/approval")

    assert page.status_code == 403
    assert "已证明持有" in desk.as_(newcomer).get("/keys").text


def test_another_organisations_key_is_not_there(desk: Desk, world: World) -> None:
    other = world.member("合作单位")

    assert other.address not in desk.get("/keys").text
    assert desk.post(f"/keys/{other.address}/revocation").status_code == 404
    assert desk.post(f"/keys/{other.address}/proof", {"signature": "0x" + "00" * 65}).status_code == 404


def test_an_auditor_has_no_keys(desk: Desk, world: World) -> None:
    assert desk.as_(world.member("审计机构", role=Role.AUDITOR)).get("/keys").status_code == 403
