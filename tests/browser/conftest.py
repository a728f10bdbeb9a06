"""Pages in a real browser, against a service that really runs.

    from tests.browser.axe import axe
    from tests.browser.conftest import Shot
    from tests.browser.running import Running
    from tests.browser.visit import Visit

    def test_a_partner_signs_with_a_wallet(visit: Visit, running: Running, shot: Shot) -> None:
        version = running.submit()             # a fresh agreement through the API; also signed(), final()
        bank = running.cast.bank
        wallet = visit.use_wallet(running.key(bank), running.chain_id)   # then wallet.refuses = True
        page = visit.open(f"/agreements/{version.agreement}")            # status=404: a refusal we want
        expect(page.get_by_role("heading")).to_have_text("…")            # Playwright's sync API
        axe(page)
        shot(page, "signed")

`visit` is a fresh browser profile; the test runs on four screens: phone and desktop, in Chinese and English
(`visit.screen`). A test for one screen says `@pytest.mark.parametrize("screen", [DESKTOP], ids=str)`; one
that needs two people at once asks for `visits` and calls `visits(dark=True)` as often as it likes.

At the end the test fails on every console warning or error, script error, policy violation, failed request,
response of 400 or more and request to another host, unless it said so before: `visit.expects_status(422,
"/agreements")`, `expects_failed_request`, `expects_console`, `visit.may_reach(running.rpc)`.

`running` is one service per test process: `running.wait("what", lambda: …)`, `running.client(body)` for the
JSON API, `running.service()` for its database; `visit.sign_in(running.account(Role.OPERATOR), "/")`.

`axe`, `keyboard_reaches`, `fits_fingers` and `reflows` judge a page as it stands. `shot` keeps a picture of
the whole page under .state/screenshots, or where TALENTSEAL_SCREENSHOTS says; a test that fails leaves one of
each visit. A new page adds its address to `addresses.py`: that alone has the tests of every page open it.
"""

import asyncio
import os
import re
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Protocol

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from tests.browser import chromium
from tests.browser import running as running_service
from tests.browser.chromium import ROOT
from tests.browser.running import Running
from tests.browser.screens import EVERY_SCREEN, Screen
from tests.browser.visit import Visit, begin

Visits = Callable[..., Visit]


LOOP = pytest.StashKey[asyncio.AbstractEventLoop]()
"""Playwright's, once it runs."""

NO_PICTURE = "Unable to capture screenshot"
"""What Chromium says when its compositor had no frame to copy: it has one when asked again a moment later."""

PICTURE_REFUSALS = 3
PICTURE_PAUSE = 200
"""Refusals of one picture that are put up with, and the pause after each in milliseconds."""

FAILED = pytest.StashKey[bool]()
"""Set on a test whose own claims did not hold."""


class Shot(Protocol):
    """Keeps a picture of the whole page under a name of its own."""

    def __call__(self, page: Page, name: str) -> Path: ...


@pytest.fixture(scope="session")
def browser(pytestconfig: pytest.Config) -> Iterator[Browser]:
    """One Chromium per test process."""
    found = chromium.find()
    with sync_playwright() as playwright:
        loop = pytestconfig.stash[LOOP] = asyncio.get_running_loop()
        launched = found.launch(playwright.chromium)
        yield launched
        asyncio._set_running_loop(loop)
        launched.close()


@pytest.fixture(autouse=True)
def loop_put_away(pytestconfig: pytest.Config) -> Iterator[None]:
    """Between its calls Playwright leaves its event loop running: only the tests of this folder meet it."""
    asyncio._set_running_loop(pytestconfig.stash.get(LOOP, None))
    yield
    asyncio._set_running_loop(None)


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One service per test process."""
    with running_service.run(tmp_path_factory.mktemp("running")) as service:
        yield service


@pytest.fixture(params=EVERY_SCREEN, ids=str)
def screen(request: pytest.FixtureRequest) -> Screen:
    chosen: Screen = request.param
    return chosen


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if call.when == "call":
        item.stash[FAILED] = report.failed
    return report


@pytest.fixture
def visits(
    browser: Browser, running: Running, screen: Screen, shot: Shot, request: pytest.FixtureRequest
) -> Iterator[Visits]:
    """Makes visits on the test's screen, or `on` another; each is judged at the end, and pictured when the
    test failed.
    """
    begun: list[Visit] = []

    def make(*, dark: bool = False, on: Screen | None = None) -> Visit:
        begun.append(begin(browser, on or screen, running.url, dark=dark))
        return begun[-1]

    yield make
    if request.node.stash.get(FAILED, False):
        for number, visit in enumerate(begun):
            shot(visit.page, f"failed-{number}")
    problems = [problem for visit in begun for problem in visit.close()]
    assert not problems, "\n".join([*problems, "the service said:", running.said(10)])


@pytest.fixture
def visit(visits: Visits) -> Visit:
    """One visit."""
    return visits()


@pytest.fixture
def shot(request: pytest.FixtureRequest) -> Shot:
    folder = Path(os.environ.get("TALENTSEAL_SCREENSHOTS") or ROOT / ".state/screenshots")
    test = re.sub(r"[^\w.-]+", "-", request.node.name).strip("-")

    def keep(page: Page, name: str) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        place = folder / f"{test}-{name}.png"
        for refusals_left in reversed(range(PICTURE_REFUSALS + 1)):
            try:
                page.screenshot(path=place, full_page=True)
                break
            except PlaywrightError as refusal:
                if NO_PICTURE not in refusal.message or not refusals_left:
                    raise
                page.wait_for_timeout(PICTURE_PAUSE)
        return place

    return keep
