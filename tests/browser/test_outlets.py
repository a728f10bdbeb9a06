"""A partner's manager opens an outlet, staffs it, adds a terminal, revokes it and closes the outlet again."""

import re
import secrets

from playwright.sync_api import Page, expect

from tests.browser.axe import axe
from tests.browser.conftest import Shot
from tests.browser.reflow import reflows
from tests.browser.running import Running
from tests.browser.touch import fits_fingers
from tests.browser.visit import Visit


def test_an_outlet_is_staffed_equipped_and_closed(visit: Visit, running: Running, shot: Shot) -> None:
    page = visit.sign_in(running.account(running.cast.bank), "/outlets")
    name = f"虚构支行 {secrets.token_hex(3)}"
    shot(page, "list")

    page.locator("#name").fill(name)
    page.locator("#address").fill("虚构市云书区星河路 9 号（虚构地址）")
    submit(page, "/outlets")
    expect(page.get_by_role("heading", level=1)).to_have_text(name)

    page.locator("#account").select_option(index=1)
    submit(page, "/staff")
    expect(page.locator('form[action$="/release"]')).to_be_visible()

    page.locator("#name").fill("一号柜台")
    submit(page, "/terminals")
    expect(page.locator("code", has_text=re.compile(r"^ts_[0-9a-f]{16}_"))).to_be_visible()
    judged(page, shot, "key")

    page.locator(".actions a").click()
    judged(page, shot, "outlet")

    page.locator("td .confirm > summary").click()
    judged(page, shot, "revoking")
    submit(page, "/revocation")

    page.locator("main > .confirm > summary").click()
    submit(page, "/closure")
    page.locator("details.unchanged").evaluate_all("(all) => all.forEach((each) => { each.open = true })")
    judged(page, shot, "closed")
    expect(page.locator("main form")).to_have_count(0)


def submit(page: Page, action: str) -> None:
    """Send the form whose address ends so."""
    page.locator(f'form[method="post"][action$="{action}"] button').click()


def judged(page: Page, shot: Shot, name: str) -> None:
    shot(page, name)
    axe(page)
    fits_fingers(page)
    reflows(page)
