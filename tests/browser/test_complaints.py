"""From a complaint to a cured breach: answered, contested, upheld, found a breach, put right."""

import pytest
from playwright.sync_api import Page, expect

from talentseal.accounts.roles import Role
from talentseal.demonstration.talents import SECOND
from tests.browser.axe import axe
from tests.browser.conftest import Shot, Visits
from tests.browser.reflow import reflows
from tests.browser.running import Running
from tests.browser.screens import DESKTOP_EN, PHONE_ZH
from tests.browser.touch import fits_fingers
from tests.browser.visit import Visit
from tests.talents.conftest import People
from tests.talents.filed import cast


@pytest.mark.parametrize("screen", [DESKTOP_EN], ids=str)
def test_from_a_complaint_to_a_cured_breach(visits: Visits, running: Running, shot: Shot) -> None:
    running.final()
    account = running.people(complainant)
    phone, bank, office, second, merchant = visits(on=PHONE_ZH), visits(), visits(), visits(), visits()
    mine = phone.sign_in(account, "/me/complaints")
    judged(mine, shot, "1-none")
    place = filed(phone, mine, running, shot)

    theirs = answered(bank, running, place, shot)
    mine.reload()
    mine.locator("details.confirm summary").click()
    mine.locator("#text").fill("窗口仍无人办理，预约电话打不通。（虚构）")
    judged(mine, shot, "4-contesting")
    mine.locator("form[action$='/reopening'] button").click()
    upheld(office, running, place, shot)

    page = second.sign_in(running.account(SECOND), "/breaches")
    judged(page, shot, "7-breaches")
    page.locator('tbody a[href^="/breaches/"]').first.click()
    page.locator("[name=confirm][value=true]").check()
    page.locator("#reason").fill("两次现场核查均无人值守。（虚构）")
    judged(page, shot, "8-about-to-find")
    page.locator("form[action$='/decision'] button").click()
    breach = page.url.partition("?")[0].removeprefix(second.url)

    theirs.goto(bank.url + breach)
    theirs.locator("#text").fill("已增派两人，预约电话已恢复。（虚构）")
    judged(theirs, shot, "9-cure")
    theirs.locator("form[action$='/cure'] button").click()
    seen = merchant.sign_in(running.account(running.cast.merchant), breach)
    seen.locator("#text").fill("已到场查看，属实。（虚构）")
    seen.locator("form[action$='/acknowledgement'] button").click()
    page.reload()
    page.locator("[name=cured][value=true]").check()
    page.locator("#reason").fill("补正属实。（虚构）")
    page.locator("form[action$='/closing'] button").click()
    expect(page.locator(".state-cured").first).to_be_visible()
    running.wait("the contract", lambda: on_contract(page) == 2)
    judged(page, shot, "10-cured")

    mine.reload()
    mine.locator("[name=stars][value='3']").check()
    judged(mine, shot, "11-rating")
    mine.locator("form[action$='/rating'] button").click()
    expect(mine.locator(".notice")).to_be_visible()
    theirs.goto(bank.url + "/service-records")
    judged(theirs, shot, "12-record")


def complainant(people: People) -> str:
    """Somebody who holds a code; his account."""
    talent = people.holder()
    cast(people, talent.account_id)
    return talent.account_id


def filed(visit: Visit, page: Page, running: Running, shot: Shot) -> str:
    """Complain of the bank, which promised to answer in time; the address of the complaint."""
    page.goto(f"{visit.url}/me/complaints/new")
    page.locator("#organisation").select_option(running.cast.bank.organisation)
    page.locator("form .btn-primary").click()
    page.locator("[name=kind][value=SLOW]").check()
    page.locator("#stipulation").select_option(index=1)
    page.locator("#text").fill("等候近两小时，人才窗口无人办理。（虚构）")
    judged(page, shot, "2-filing")
    page.locator("form .btn-primary").click()
    expect(page.locator(".state-filed")).to_be_visible()
    return page.url.partition("?")[0].removeprefix(visit.url + "/me")


def answered(visit: Visit, running: Running, place: str, shot: Shot) -> Page:
    """The bank accepts, looks into it and answers."""
    page = visit.sign_in(running.account(running.cast.bank), place)
    for act in ("acceptance", "processing"):
        page.locator(f"form[action$='/{act}'] button").click()
    page.locator("#text").fill("当日系统检修，已另行安排窗口。（虚构）")
    judged(page, shot, "3-answering")
    page.locator("form[action$='/answer'] button").click()
    expect(page.locator(".state-answered").first).to_be_visible()
    return page


def upheld(visit: Visit, running: Running, place: str, shot: Shot) -> None:
    """The talent office takes it up and decides for the talent."""
    page = visit.sign_in(running.account(Role.TALENT_OFFICE), "/complaints?state=REOPENED")
    judged(page, shot, "5-contested")
    page.goto(visit.url + place)
    page.locator("form[action$='/escalation'] button").click()
    page.locator("[name=uphold][value=true]").check()
    page.locator("#reason").fill("现场核查属实。（虚构）")
    judged(page, shot, "6-deciding")
    page.locator("form[action$='/decision'] button").click()
    expect(page.locator(".state-settled").first).to_be_visible()


def on_contract(page: Page) -> int:
    """How much of the breach the contract has for good."""
    page.reload()
    return page.get_by_text("On the contract for good").count()


def judged(page: Page, shot: Shot, name: str) -> None:
    shot(page, name)
    axe(page)
    fits_fingers(page)
    reflows(page)
