"""A talent asks for a card on his phone, a bank issues it at its desk, he uses it and reports it lost."""

import re

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy.orm import Session

from talentseal.accounts import demonstration
from tests.browser.axe import axe
from tests.browser.conftest import Shot, Visits
from tests.browser.reflow import reflows
from tests.browser.running import Running
from tests.browser.screens import CROSSED, Screen, across
from tests.browser.touch import fits_fingers
from tests.talents.conftest import People


def holder(crowd: People) -> str:
    """The account of somebody with a fresh code, who can be signed in as the demonstration's people are."""
    account = crowd.holder().account_id

    def write(session: Session) -> None:
        demonstration.cast_as(session, account, 901, "云帆（虚构人物）")

    crowd.world.database.write(write)
    return account


def send(page: Page, action: str) -> None:
    """The form whose address ends so."""
    page.locator(f'form[action$="{action}"] button').click()


def judged(page: Page, shot: Shot, name: str) -> None:
    shot(page, name)
    axe(page)
    fits_fingers(page)
    reflows(page)


@pytest.mark.parametrize("screen", CROSSED, ids=str)
def test_a_card_from_the_request_to_the_loss_report(
    visits: Visits, running: Running, shot: Shot, screen: Screen
) -> None:
    talent, clerk = visits(), visits(on=across(screen))
    mine = talent.sign_in(running.people(holder), "/cards")
    mine.locator("[name=agreed]").check()
    judged(mine, shot, "1-asking")
    send(mine, "/cards")
    mine.locator(".wallet a").click()
    judged(mine, shot, "2-asked")

    desk = clerk.sign_in(running.account(running.cast.bank), "/card-requests?stage=NEW")
    judged(desk, shot, "3-work-list")
    desk.locator("tbody a").last.click()
    send(desk, "/review")
    desk.locator("details.confirm > summary").click()
    judged(desk, shot, "4-deciding")
    desk.locator('a[href$="/recipient"]').click()
    judged(desk, shot, "5-recipient")
    desk.go_back()
    send(desk, "/approval")
    desk.locator("#valid_through").fill("2029-12-31")
    desk.locator("#reference").fill("XH-0001")
    judged(desk, shot, "6-personalising")
    send(desk, "/personalisation")
    digits = desk.locator("dd.number").inner_text()
    desk.locator('a[href$="/print"]').click()
    judged(desk, shot, "7-print-data")
    desk.go_back()
    desk.locator("[name=way][value=AT_OUTLET]").check()
    judged(desk, shot, "8-delivering")
    send(desk, "/delivery")
    expect(desk.locator(".card-delivered")).to_be_visible()

    mine.reload()
    mine.locator("#last_digits").fill(digits[-4:])
    judged(mine, shot, "9-arrived")
    send(mine, "/activation")
    expect(mine.locator(".plastic-number")).to_contain_text(re.compile("9156 [0-9 ]{14}"))
    judged(mine, shot, "10-in-use")
    mine.locator("details.lost > summary").click()
    judged(mine, shot, "11-losing")
    send(mine, "/loss")
    expect(mine.locator(".plastic-frozen")).to_be_visible()
    judged(mine, shot, "12-lost")
    mine.locator("main > .confirm > summary").first.click()
    judged(mine, shot, "13-replacing")
