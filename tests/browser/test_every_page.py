"""Every page, on every screen: nothing for axe to find, the keyboard goes everywhere, nothing is cut off."""

import pytest

from tests.browser.addresses import PUBLIC
from tests.browser.axe import axe
from tests.browser.conftest import Shot
from tests.browser.keyboard import keyboard_reaches
from tests.browser.reflow import reflows
from tests.browser.visit import Visit


@pytest.mark.parametrize("path", PUBLIC)
def test_every_page_can_be_used_by_everyone(visit: Visit, shot: Shot, path: str) -> None:
    page = visit.open(path)

    shot(page, "light")
    axe(page)
    keyboard_reaches(page)
    reflows(page)
