"""Signing in with a browser: by tile, by invitation and password, by wallet, by a pasted signature."""

import json
import re
import secrets
from pathlib import Path

import pyotp
import pytest
from eth_account.messages import encode_typed_data
from playwright.sync_api import Page, expect
from sqlalchemy import update
from sqlalchemy.orm import Session

from talentseal.accounts import invitations, own
from talentseal.accounts.models import Account
from talentseal.accounts.roles import Actor
from talentseal.accounts.schemas import AddAccount
from talentseal.accounts.service import add_account
from talentseal.clock import SystemClock
from talentseal.demonstration.scheme import Body
from tests.browser.axe import axe
from tests.browser.conftest import Shot
from tests.browser.keyboard import keyboard_reaches
from tests.browser.reflow import reflows
from tests.browser.running import Running
from tests.browser.screens import DESKTOP
from tests.browser.visit import Visit

PASSWORD = "春风又绿江南岸 虚构口令"


def fits_everyone(page: Page) -> None:
    axe(page)
    keyboard_reaches(page)
    reflows(page)


def play(visit: Visit, person: str = "林星河") -> Page:
    """Sign in by a tile of the sign-in page."""
    page = visit.open("/sign-in?next=/account")
    page.get_by_role("button", name=re.compile(person)).click()
    page.wait_for_url("**/account?notice=signed-in")
    return page


def colleague(running: Running, body: Body) -> str:
    """A further account of the organisation."""
    now = SystemClock().now()
    command = AddAccount(organisation=body.organisation, name="许清越（虚构人物）", role=body.role)
    with running.service() as service:
        return service.database.write(
            lambda session: add_account(session, Actor.console(), command, now=now).id
        )


def invite(running: Running, account: str, name: str) -> str:
    """The code of an invitation."""
    code, now = invitations.new_code(), SystemClock().now()
    with running.service() as service:
        service.database.write(
            lambda session: (
                invitations.invite(
                    session, Actor.console(), account, name, code=code, box=service.box, now=now
                ).code_hash
            )
        )
    return code


def sign_in_by(running: Running, account: str | None, address: str) -> None:
    """Let a key sign an account in, and nobody else. None: nobody at all."""

    def write(session: Session) -> None:
        held = Account.signing_address == address
        session.execute(update(Account).where(held).values(signing_address=None))
        if account is not None:
            own.assign_signing_address(session, account, address)

    with running.service() as service:
        service.database.write(write)


def test_one_of_the_demonstrations_people_signs_in_by_a_tile_and_sees_his_account(
    visit: Visit, shot: Shot
) -> None:
    page = play(visit)

    expect(page.locator("dl.facts").first).to_contain_text("林星河（虚构人物）")
    shot(page, "account")
    fits_everyone(page)


def test_an_api_key_is_made_shown_and_revoked(visit: Visit, shot: Shot) -> None:
    page = play(visit, "陈云书")
    page.locator("details.mint summary").click()
    page.locator('input[value="agreement:read"]').check()
    shot(page, "scopes")
    page.locator("details.mint button").click()
    expect(page.locator("code", has_text=re.compile("^ts_"))).to_be_visible()
    shot(page, "new-key")
    fits_everyone(page)


def test_an_invited_person_sets_password_and_second_factor_and_signs_in_with_them(
    visit: Visit, running: Running, shot: Shot
) -> None:
    name = f"clerk-{secrets.token_hex(4)}"
    account = colleague(running, running.cast.bank)
    code = invite(running, account, name)
    page = visit.open("/invitation")
    page.locator("#invitation").fill(code.lower())
    page.locator("main button").click()
    secret = page.locator(".authenticator code").inner_text()
    shot(page, "enrolment")
    fits_everyone(page)

    page.locator("#password").fill(PASSWORD)
    page.locator("#repeated").fill(PASSWORD)
    page.locator("#code").fill(pyotp.TOTP(secret).now())
    page.locator("main form .btn-primary, main form + .btn-primary").last.click()
    expect(page.locator(".recovery-codes li")).to_have_count(10)
    shot(page, "recovery-codes")
    fits_everyone(page)
    recovery = page.locator(".recovery-codes li").first.inner_text()

    page.locator('form[action="/sign-out"] button').click()
    page = visit.open("/sign-in")
    page.locator("#name").fill(name)
    page.locator("#password").fill(PASSWORD)
    page.locator('form[action="/sign-in"] button').click()
    page.locator("#code").fill(recovery)
    shot(page, "second-factor")
    page.locator("main form button").click()
    page.wait_for_url("**/agreements?notice=signed-in")
    page = visit.open("/account")
    shot(page, "account")
    fits_everyone(page)


def test_a_wrong_password_is_refused_in_words(visit: Visit, shot: Shot) -> None:
    page = visit.open("/sign-in")
    visit.expects_status(401, "/sign-in")
    page.locator("#name").fill("nobody")
    page.locator("#password").fill("not the password")
    page.locator('form[action="/sign-in"] button').click()

    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.locator("#name")).to_have_value("nobody")
    shot(page, "refused")
    fits_everyone(page)


def test_a_wallet_signs_its_holder_in(visit: Visit, running: Running, shot: Shot) -> None:
    bank = running.cast.bank
    key = running.key(bank)
    sign_in_by(running, colleague(running, bank), key.address)
    wallet = visit.use_wallet(key, running.chain_id, refuses=True)
    page = visit.open("/sign-in/key?next=/account")
    shot(page, "wallet")
    fits_everyone(page)
    page.locator("button[data-wallet]").click()
    expect(page.get_by_role("alert")).to_be_visible()
    shot(page, "declined")

    wallet.refuses = False
    page.locator("button[data-wallet]").click()

    page.wait_for_url("**/account?notice=signed-in")
    assert wallet.asked[-1] == "eth_signTypedData_v4"


@pytest.mark.parametrize("screen", [DESKTOP], ids=str)
def test_a_signature_made_elsewhere_is_pasted(
    visit: Visit, running: Running, shot: Shot, tmp_path: Path
) -> None:
    merchant = running.cast.merchant
    key = running.key(merchant)
    sign_in_by(running, colleague(running, merchant), key.address)
    page = visit.open("/sign-in/key?next=/account")
    page.locator("#address").fill(key.address)
    page.locator("form[data-ask] button").click()
    with page.expect_download() as saved:
        page.locator("a[data-challenge]").click()
    saved.value.save_as(tmp_path / "sign-in.json")
    challenge = json.loads((tmp_path / "sign-in.json").read_text("utf-8"))
    shot(page, "pasting")
    fits_everyone(page)

    signature = key.sign_message(encode_typed_data(full_message=challenge)).signature
    page.locator("#signature").fill("0x" + bytes(signature).hex())
    page.locator("form[data-answer] button").click()

    page.wait_for_url("**/account?notice=signed-in")


@pytest.mark.parametrize("screen", [DESKTOP], ids=str)
def test_a_key_that_signs_nobody_in_is_refused_in_words(visit: Visit, running: Running) -> None:
    key = running.key(running.cast.merchant)
    sign_in_by(running, None, key.address)
    visit.use_wallet(key, running.chain_id)
    page = visit.open("/sign-in/key")
    visit.expects_status(403, "/sign-in/key")
    page.locator("button[data-wallet]").click()

    expect(page.get_by_role("alert")).to_contain_text("没有账户以此密钥登录")
