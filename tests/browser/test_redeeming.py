"""A benefit from its draft to a receipt that anybody can check, and back."""

import json
import re

import pytest
from playwright.sync_api import Page, expect

from sealproof import disclosure
from talentseal.accounts.roles import Role
from talentseal.anchoring import epochs
from tests.browser.axe import axe
from tests.browser.conftest import Shot, Visits
from tests.browser.reflow import reflows
from tests.browser.running import Running
from tests.browser.screens import CROSSED
from tests.browser.test_code import NUMBER, Holder, holder
from tests.browser.test_verify import give, said_by_sealproof, verdict
from tests.browser.touch import fits_fingers
from tests.redemptions.shown import TITLE

__all__ = ["holder"]

crossed = pytest.mark.parametrize("screen", CROSSED, ids=str)


@crossed
def test_a_benefit_is_published_used_proved_in_part_and_reversed(
    visits: Visits, running: Running, holder: Holder, shot: Shot
) -> None:
    benefit = running.draft_benefit()
    bank, operator, mine, stranger = visits(), visits(), visits(), visits()

    ours = bank.sign_in(running.account(running.cast.bank), f"/catalogue/{benefit}/1")
    ours.locator("form[action$='/review'] button").click()
    theirs = operator.sign_in(running.account(Role.OPERATOR), f"/catalogue/{benefit}/1")
    theirs.locator("form[action$='/publication'] button").click()
    expect(theirs.locator(".state-published").first).to_be_visible()

    phone = holder.enters(mine, "/me/consents")
    phone.locator("#organisation").select_option(running.cast.bank.organisation)
    phone.locator("[name=scope][value=SERVICE]").check()
    phone.locator("form[action='/me/consents'] .btn-primary").click()
    phone.goto(f"{mine.url}/me/benefits")
    expect(phone.locator(".benefit", has_text=TITLE).last).to_contain_text("20")
    judged(phone, shot, "1-benefits")

    ours.goto(f"{bank.url}/counter")
    ours.locator("#sent").fill(code_of(phone, mine.url))
    ours.keyboard.press("Enter")
    ours.locator(".outcome-good .btn-primary").click()
    card = ours.locator(".benefit", has=ours.locator(f"[value='{benefit}']"))
    judged(ours, shot, "2-visit")
    card.locator("[name=quantity]").fill("2")
    bank.expects_status(422, "/visits/")
    card.locator("[name=value_fen]").fill("多少")
    card.locator(".btn-primary").click()
    expect(ours.locator(".error").first).to_be_visible()
    card.locator("[name=value_fen]").fill("36.50")
    card.locator(".btn-primary").click()
    expect(ours.locator(".state-completed")).to_be_visible()
    judged(ours, shot, "3-given")

    phone.goto(f"{mine.url}/me/receipts")
    judged(phone, shot, "4-receipts")
    phone.locator(".receipt-line").first.click()
    until_final(phone)
    expect(phone.locator(".check-code")).not_to_have_js_property("naturalWidth", 0)
    judged(phone, shot, "5-receipt")
    with phone.expect_download() as download:
        phone.locator("form[action$='/bundle'] .btn-primary").click()
    part = download.value.path().read_bytes()
    assert {"at", "partner", "benefit"} == shown_in(part)

    with running.service() as service:
        trust = service.notary.trust(service.database.read(epochs.newest)).dump()
    assert "failed" not in said_by_sealproof(part, trust).values()
    page = stranger.open("/verify")
    give(page, receipt_seal_json=part, trust_json=trust)
    assert verdict(page) == "incomplete", "all that needs no chain has passed"
    expect(page.locator(".result")).to_contain_text(TITLE)
    judged(page, shot, "6-verified")

    ours.locator("details.confirm > summary").click()
    ours.locator("#reason").fill("退回一份（虚构）")
    judged(ours, shot, "7-undo")
    ours.locator("form[action$='/reversal'] .btn").click()
    expect(ours.locator(".state-partially-reversed")).to_be_visible()
    phone.reload()
    expect(phone.locator(".undone li")).to_contain_text("退回一份（虚构）")
    judged(phone, shot, "8-reversed")

    ours.goto(f"{bank.url}/redemptions")
    judged(ours, shot, "9-given-by-us")


def code_of(phone: Page, url: str) -> str:
    """The number under the code that the phone shows, which is bound for it."""
    phone.goto(f"{url}/code")
    phone.locator("form[action='/code/devices'] button").click()
    line = phone.locator(".code-number")
    expect(line).to_have_text(NUMBER)
    found = re.search(NUMBER, line.inner_text())
    assert found
    return found[0].replace(" ", "")


def until_final(page: Page) -> None:
    """Look again until the evidence is final, as a person would."""
    for _ in range(60):
        if re.search("已确认|Final", page.locator(".facts").first.inner_text()):
            return
        page.wait_for_timeout(500)
        page.reload()
    raise AssertionError("the receipt's evidence did not become final")


def shown_in(bundle: bytes) -> set[str]:
    """Names of the fields that a bundle discloses."""
    return {disclosure.read(each).name for each in json.loads(bundle)["disclosures"]}


def judged(page: Page, shot: Shot, name: str) -> None:
    """The page as it is, for the eye and for the rules."""
    shot(page, name)
    axe(page)
    fits_fingers(page)
    reflows(page)
