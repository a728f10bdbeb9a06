"""Every page on every screen: for everyone to use, light; each visit sees that nothing goes wrong on it."""

import pytest
from playwright.sync_api import Page

from tests.browser.addresses import EVERY, Address
from tests.browser.axe import axe
from tests.browser.conftest import Shot
from tests.browser.keyboard import keyboard_reaches
from tests.browser.reflow import reflows
from tests.browser.running import Running
from tests.browser.screens import DESKTOP, every_screen
from tests.browser.touch import fits_fingers
from tests.browser.visit import Visit
from tests.browser.weight import LIMIT, weighed

every_page = pytest.mark.parametrize("address", EVERY, ids=str)


def path_of(running: Running, address: Address) -> str:
    """The address with its names filled in."""
    return address.path.format(**running.sample()) if "{" in address.path else address.path


def opened(visit: Visit, running: Running, address: Address) -> Page:
    """The page, opened as whoever it is for."""
    if address.who is not None:
        visit.sign_in(running.account(address.who))
    return visit.open(path_of(running, address), status=address.status)


@every_page
@every_screen
def test_every_page_can_be_used_by_everyone(
    visit: Visit, running: Running, shot: Shot, address: Address
) -> None:
    page = opened(visit, running, address)

    shot(page, "light")
    axe(page)
    keyboard_reaches(page)
    fits_fingers(page)
    reflows(page)
    page.emulate_media(color_scheme="dark")
    shot(page, "dark")
    axe(page)


@every_page
@pytest.mark.parametrize("screen", [DESKTOP], ids=str)
def test_a_first_view_of_every_page_is_light(visit: Visit, running: Running, address: Address) -> None:
    if address.who is not None:
        visit.sign_in(running.account(address.who))
    page, path = visit.context.new_page(), path_of(running, address)
    if address.status >= 400:
        visit.expects_status(address.status, path)

    weight = weighed(page, lambda: page.goto(visit.url + path))

    assert 0 < weight < LIMIT
