"""A month is settled with an objection: closed, disputed, reconciled, signed by both sides, paid."""

import re
import secrets
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect

from talentseal.accounts.models import OrganisationKind
from talentseal.accounts.roles import Role
from talentseal.clock import legal_date
from tests.browser.axe import axe
from tests.browser.conftest import Shot, Visits
from tests.browser.reflow import reflows
from tests.browser.running import Running
from tests.browser.screens import CROSSED
from tests.browser.test_sanctions import keyed
from tests.browser.touch import fits_fingers
from tests.redemptions.settled import last_month, sold_by
from tests.redemptions.shown import TITLE
from tests.sanctions.held import court_beside
from tests.talents.conftest import People
from tests.talents.filed import cast
from tests.world import Member

crossed = pytest.mark.parametrize("screen", CROSSED, ids=str)


@crossed
def test_a_month_is_settled_with_an_objection(visits: Visits, running: Running, shot: Shot) -> None:
    merchant, office = running.people(lambda crowd: sides(crowd, running))
    closing, ours, theirs = visits(), visits(), visits()

    operator = closing.sign_in(running.account(Role.OPERATOR), "/settlements")
    judged(operator, shot, "1-open")
    operator.locator(f"form:has([value='{merchant.id}']) button", has_text=month()).click()
    expect(operator.locator(".state-closed").first).to_be_visible()
    place = operator.url.partition("?")[0].removeprefix(closing.url)

    mine = ours.sign_in(merchant.actor.account_id, place)
    expect(mine.locator("tbody")).to_contain_text(TITLE)
    judged(mine, shot, "2-closed")
    mine.locator("details.confirm > summary").click()
    mine.locator("#reason").fill("少计一份（虚构）")
    mine.locator("[name=lines]").first.check()
    judged(mine, shot, "3-objecting")
    mine.locator("form[action$='/objection'] .btn-primary").click()
    expect(mine.locator(".state-objected").first).to_be_visible()

    closing.expects_status(422, f"{place}/reconciliation")
    operator.reload()
    operator.locator("#reason").fill("核对属实，补计一份（虚构）")
    operator.locator("[name='adjustments.0.amount_fen']").fill("十二元")
    operator.locator("form[action$='/reconciliation'] .btn-primary").click()
    expect(operator.locator(".error").first).to_be_visible()
    operator.locator("[name='adjustments.0.amount_fen']").fill("12.50")
    operator.locator("[name='adjustments.0.line']").fill("1")
    operator.locator("[name='adjustments.0.reason']").fill("补计一份（虚构）")
    judged(operator, shot, "4-reconciling")
    operator.locator("form[action$='/reconciliation'] .btn-primary").click()
    expect(operator.locator(".state-reconciled").first).to_be_visible()

    ours.use_wallet(merchant.key, running.chain_id)
    signed(ours.open(place + "/sign"), shot, "5-signing")
    theirs.use_wallet(office.key, running.chain_id)
    page = theirs.sign_in(office.actor.account_id, place + "/sign")
    signed(page, shot, "5-signing-too")
    mine.goto(ours.url + place)
    expect(mine.locator(".parties .signed")).to_have_count(2)
    with mine.expect_download() as download:
        mine.locator("a[href$='.pdf']").click()
    assert download.value.path().read_bytes().startswith(b"%PDF")
    mine.locator("#reference").fill("虚构转账1号")
    mine.locator("#paid_on").fill(legal_date(datetime.now(UTC)).isoformat())
    judged(mine, shot, "6-to-be-paid")
    mine.locator("form[action$='/payment'] .btn-primary").click()
    expect(mine.locator(".state-paid-confirmed").first).to_be_visible()
    judged(mine, shot, "7-paid")


def month() -> str:
    return last_month(datetime.now(UTC)).key


def sides(crowd: People, running: Running) -> tuple[Member, Member]:
    """A fresh merchant whose counter gave a benefit last month, and the talent office, with keys."""
    court = court_beside(crowd)
    merchant = court.world.member(f"虚构小店{secrets.token_hex(2)}", kind=OrganisationKind.MERCHANT)
    cast(crowd, merchant.actor.account_id)
    version, _record = running.final()
    redemption = running.given(version.agreement)["redemption"]
    sold_by(crowd.world.database, redemption, merchant.id, now=datetime.now(UTC))
    return merchant, keyed(running, court, running.cast.talent_office, Role.TALENT_OFFICE)


def signed(page: Page, shot: Shot, name: str) -> None:
    """Sign the statement with the wallet."""
    judged(page, shot, name)
    page.locator("[data-sign]").click()
    expect(page).to_have_url(re.compile("notice=signed"))


def judged(page: Page, shot: Shot, name: str) -> None:
    shot(page, name)
    axe(page)
    fits_fingers(page)
    reflows(page)
