"""The masthead: whoever is signed in finds every page of his in one line of it, two on a phone."""

import pytest
from playwright.sync_api import Page, expect

from talentseal.accounts.roles import Role
from tests.browser.axe import axe
from tests.browser.conftest import Shot, Visits
from tests.browser.running import Running
from tests.browser.screens import CROSSED, DESKTOP_EN, PHONE_EN, Screen
from tests.browser.touch import fits_fingers

LINE = 60
"""A line of the masthead at most, its padding included; CSS px."""

ROLES = [None, Role.TALENT, Role.PARTNER, Role.OPERATOR, Role.TALENT_OFFICE, Role.AUDITOR]


def _height(page: Page) -> float:
    box = page.locator(".masthead").bounding_box()
    assert box is not None
    return box["height"]


@pytest.mark.parametrize("screen", [PHONE_EN, DESKTOP_EN], ids=str)
def test_the_masthead_takes_a_line_on_a_desk_and_two_on_a_phone(
    visits: Visits, running: Running, screen: Screen, shot: Shot
) -> None:
    for role in ROLES:
        visit = visits()
        page = visit.open("/policy") if role is None else visit.sign_in(running.account(role), "/policy")
        shot(page, str(role))
        assert _height(page) <= LINE * (2 if screen.is_phone else 1), role


@pytest.mark.parametrize("screen", CROSSED, ids=str)
def test_a_group_opens_by_keyboard_and_closes_the_one_before(
    visits: Visits, running: Running, shot: Shot
) -> None:
    page = visits().sign_in(running.account(Role.TALENT_OFFICE), "/policy")
    groups = page.locator(".navigation summary")
    groups.nth(0).focus()
    page.keyboard.press("Enter")
    expect(page.locator('.navigation a[href="/applications"]')).to_be_visible()
    fits_fingers(page)
    axe(page)
    shot(page, "open")
    groups.nth(1).press("Space")
    expect(page.locator('.navigation a[href="/applications"]')).to_be_hidden()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{running.url}/catalogue")
