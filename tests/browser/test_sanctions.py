"""From a rule to a suspension that is lifted on appeal: drafted, signed, found, heard, decided, appealed."""

import re
from dataclasses import replace

import pytest
from eth_account import Account as EthereumAccount
from playwright.sync_api import Page, expect

from talentseal.accounts.roles import PERMISSIONS, Actor, Role
from talentseal.demonstration.scheme import Body
from talentseal.demonstration.talents import SECOND
from talentseal.sanctions import rules
from talentseal.sanctions.models import SuspensionRule
from tests.browser.axe import axe
from tests.browser.conftest import Shot, Visits
from tests.browser.reflow import reflows
from tests.browser.running import Running
from tests.browser.screens import CROSSED, Screen, across
from tests.browser.touch import fits_fingers
from tests.browser.visit import Visit
from tests.sanctions.conftest import Court
from tests.sanctions.held import court_beside
from tests.talents.conftest import People
from tests.talents.filed import cast
from tests.world import Member

TITLE = "冒用人才码（虚构）"


@pytest.mark.parametrize("screen", CROSSED, ids=str)
def test_from_a_rule_to_a_suspension_lifted_on_appeal(
    visits: Visits, running: Running, shot: Shot, screen: Screen
) -> None:
    running.people(lambda people: journey(people, visits, running, shot, screen))


def journey(people: People, visits: Visits, running: Running, shot: Shot, screen: Screen) -> None:
    """screen: the offices'; the talent has the other one."""
    court = court_beside(people)
    court = replace(court, office=keyed(running, court, running.cast.talent_office, Role.TALENT_OFFICE))
    talent = court.people.holder()
    cast(court.people, talent.account_id)
    office, second, phone = visits(), visits(), visits(on=across(screen))

    place = drafted(second, running, court, shot)
    signed(office, running, court, place, shot)
    for member in (court.bureau, court.bank):
        court.sign(member, row_of(court, place))
    page = office.open(place)
    expect(page.locator(".state-in-force").first).to_be_visible()
    judged(page, shot, "3-in-force")

    court.detected(talent)
    mine = phone.sign_in(talent.account_id, "/me/cases")
    mine.locator(".case-cards a").first.click()
    mine.wait_for_url("**/me/cases/*")
    case = "/cases/" + mine.url.partition("?")[0].rpartition("/")[2]
    mine.locator("#text").fill("当日并未出示，手机曾借同事查看。（虚构）")
    judged(mine, shot, "4-heard")
    mine.locator("form[action$='/statement'] button").click()

    theirs = office.open("/cases")
    judged(theirs, shot, "5-cases")
    theirs.locator(f'tbody a[href="{case}"]').first.click()
    theirs.locator("[name=grant][value=true]").check()
    theirs.locator("#reason").fill("网点照片与持有人不符，陈述未能说明。（虚构）")
    judged(theirs, shot, "6-about-to-decide")
    theirs.locator("form[action$='/decision'] button").click()
    expect(theirs.locator(".state-suspended").first).to_be_visible()

    mine.reload()
    mine.locator("#text").fill("请求复核网点照片。（虚构）")
    judged(mine, shot, "7-suspended")
    mine.locator("form[action$='/appeal'] button").click()

    other = second.open(case)
    other.locator("[name=uphold][value=false]").check()
    other.locator("#reason").fill("照片不清，不足以认定。（虚构）")
    judged(other, shot, "8-appeal")
    other.locator("form[action$='/appeal-decision'] button").click()

    mine.reload()
    expect(mine.locator(".state-lifted").first).to_be_visible()
    expect(mine.locator(".timeline")).to_contain_text("照片不清，不足以认定。（虚构）")
    judged(mine, shot, "9-lifted")


def keyed(running: Running, court: Court, body: Body, role: Role) -> Member:
    """An organisation of the demonstration with its invented person and a fresh key that is registered."""
    actor = Actor(running.account(role), body.organisation, role, PERMISSIONS[role])
    member = Member(actor, EthereumAccount.create(), body.name)
    court.world.register(member)
    return member


def drafted(visit: Visit, running: Running, court: Court, shot: Shot) -> str:
    """Draft a rule on its form; the address of its page."""
    page = visit.sign_in(running.account(SECOND), "/rules/new")
    page.locator("#title").fill(TITLE)
    page.locator("#trigger").select_option("PRESENTER_MISMATCH")
    page.locator("#wording").fill("出示人与持有人不符的，暂停使用。（虚构）")
    page.locator(f"[name=partner_set][value='{court.bank.id}']").check()
    judged(page, shot, "1-drafting")
    page.locator("form .btn-primary").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(TITLE)
    return page.url.partition("?")[0].removeprefix(visit.url)


def signed(visit: Visit, running: Running, court: Court, place: str, shot: Shot) -> None:
    """Sign with the office's wallet."""
    wallet = visit.use_wallet(court.office.key, running.chain_id)
    page = visit.sign_in(court.office.actor.account_id, place + "/sign")
    judged(page, shot, "2-signing")
    page.locator("[data-sign]").click()
    expect(page).to_have_url(re.compile("notice=signed"))
    assert "personal_sign" in wallet.asked


def row_of(court: Court, place: str) -> SuspensionRule:
    rule, number = place.split("/")[-2:]
    return court.world.database.read(lambda session: rules.find(session, rule, int(number)))


def judged(page: Page, shot: Shot, name: str) -> None:
    shot(page, name)
    axe(page)
    fits_fingers(page)
    reflows(page)
