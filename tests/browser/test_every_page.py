"""Every page on its screens: for everyone to use, light; each visit sees that nothing goes wrong on it."""

import pytest
from playwright.sync_api import Page

from tests.browser.addresses import EVERY, Address
from tests.browser.axe import axe
from tests.browser.conftest import Shot
from tests.browser.keyboard import keyboard_reaches
from tests.browser.reflow import reflows
from tests.browser.running import Running
from tests.browser.screens import CROSSED, SCREENS
from tests.browser.touch import fits_fingers
from tests.browser.visit import Visit
from tests.browser.weight import LIMIT, weighed

# One page after another takes the phone in Chinese and the desktop in English; in --full each takes all four.
every_page = pytest.mark.parametrize(
    ("address", "screen"),
    [
        pytest.param(
            address,
            screen,
            marks=() if screen is CROSSED[place % len(CROSSED)] else pytest.mark.long,
            id=f"{screen}-{address}",
        )
        for place, address in enumerate(EVERY)
        for screen in SCREENS
    ],
)


def path_of(running: Running, address: Address) -> str:
    """The address with its names filled in."""
    return address.path.format(**running.sample()) if "{" in address.path else address.path


def opened(visit: Visit, running: Running, address: Address) -> Page:
    """The page, opened as whoever it is for, and nothing of the service before it."""
    path = path_of(running, address)
    if address.who is not None:
        return visit.sign_in(running.account(address.who), path, status=address.status)
    return visit.open(path, status=address.status)


@every_page
def test_every_page_is_light_and_can_be_used_by_everyone(
    visit: Visit, running: Running, shot: Shot, address: Address
) -> None:
    weight = weighed(visit.page, lambda: opened(visit, running, address))
    page = visit.page

    assert 0 < weight < LIMIT
    shot(page, "light")
    axe(page)
    keyboard_reaches(page)
    fits_fingers(page)
    reflows(page)
    page.emulate_media(color_scheme="dark")
    shot(page, "dark")
    axe(page)
