"""What is proposed and taken by a click; what was given without a network and entered from a file."""

import pytest
from playwright.sync_api import expect

from talentseal.accounts.roles import Role
from tests.browser.conftest import Shot, Visits
from tests.browser.running import Running
from tests.browser.screens import CROSSED
from tests.browser.test_code import Holder, holder
from tests.browser.test_redeeming import judged

__all__ = ["holder"]

crossed = pytest.mark.parametrize("screen", CROSSED, ids=str)
TITLE = "青年人才体检补贴（虚构）"


@crossed
def test_a_holder_takes_what_is_proposed_to_him(visits: Visits, holder: Holder, shot: Shot) -> None:
    mine = visits()
    phone = holder.enters(mine, "/me/benefits")
    proposed = phone.locator(".proposals .benefit", has_text=TITLE)
    expect(proposed).to_be_visible()
    judged(phone, shot, "1-proposed")

    proposed.locator("form[action$='/take'] button").click()

    expect(phone.locator("h1")).to_contain_text(TITLE)
    judged(phone, shot, "2-taken")
    phone.goto(f"{mine.url}/me/benefits")
    expect(phone.locator(".proposals")).to_have_count(0)
    expect(phone.locator(".benefit-off", has_text=TITLE)).to_be_visible()


@crossed
def test_a_shop_enters_a_file_and_reads_what_became_of_each_row(
    visits: Visits, running: Running, shot: Shot
) -> None:
    bank = visits()
    page = bank.sign_in(running.account(Role.PARTNER), "/redemptions")
    page.locator("a[href='/redemptions/batch']").click()
    judged(page, shot, "1-form")
    nobody = f"2026-11-26T08:00:00+08:00,{'0' * 32},{'0' * 32},none,{'0' * 32}"
    plain = f"key,occurred_at,terminal,staff,sent,benefit\nrow-1,{nobody}\nrow-2,never,,,,\n".encode()
    page.locator("#file").set_input_files({"name": "rows.csv", "mimeType": "text/csv", "buffer": plain})

    page.locator("form[action='/redemptions/batch'] .btn-primary").click()

    expect(page.locator("tbody tr")).to_have_count(2)
    expect(page.locator("tbody")).to_contain_text("terminal-unknown")
    judged(page, shot, "2-answered")
