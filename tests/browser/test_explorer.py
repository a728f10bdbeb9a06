"""The log explorer, the trust statement, the operator's page and the API reference, as people see them."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from talentseal.accounts.roles import Role
from talentseal.audit import history
from tests.browser.axe import axe
from tests.browser.conftest import Shot
from tests.browser.running import Running
from tests.browser.screens import DESKTOP
from tests.browser.visit import Visit

only_desktop = pytest.mark.parametrize("screen", [DESKTOP], ids=str)


@pytest.fixture(scope="module")
def sizes(running: Running) -> list[int]:
    """Sizes of checkpoints, smallest first: at least four, all anchored."""
    for _ in range(2):
        running.final()
    with running.service() as service:
        found = service.database.read(lambda session: history.newest_sizes(session, 200))
    assert len(found) >= 4
    return sorted(found)


def ended(page: Page) -> str:
    """How the browser's check ended: good, goodServed, bad or incomplete."""
    check = page.locator("#check")
    expect(check).to_have_attribute("data-ended", re.compile("."))
    return check.get_attribute("data-ended") or ""


def verdicts(page: Page) -> dict[str, str]:
    """Each step's verdict by the step's name."""
    steps = page.locator("[data-step]")
    return {
        str(step.get_attribute("data-step")): str(step.get_attribute("class")).removeprefix("step-")
        for step in steps.all()
    }


# -------------------------------------------------------------------------------------------------- explorer


def test_the_explorer_shows_where_the_log_stands(
    visit: Visit, running: Running, shot: Shot, sizes: list[int]
) -> None:
    page = visit.open("/explorer")

    assert page.locator(".chart .bar").count() >= 1
    shot(page, "overview")
    page.locator(".chart summary").click()
    expect(page.locator(".chart table")).to_be_visible()
    axe(page)

    # Before the next one: the log may have grown by more than a page meanwhile.
    page = visit.open(f"/explorer/checkpoints?before={sizes[1] + 1}")
    shot(page, "checkpoints")
    axe(page)
    page.locator(f'a[href="/explorer/checkpoints/{sizes[1]}"]').click()
    expect(page.locator("pre.exact")).to_contain_text(running.settings.origin)
    shot(page, "checkpoint")
    axe(page)


def test_two_checkpoints_are_held_against_each_other_in_the_browser(
    visit: Visit, shot: Shot, sizes: list[int]
) -> None:
    page = visit.open(f"/explorer/consistency?from={sizes[0]}&to={sizes[-1]}")

    assert ended(page) == "goodServed"
    assert verdicts(page) == {
        "key": "unchecked", "older": "passed", "later": "passed", "roots": "passed", "proof": "passed",
    }  # fmt: skip
    shot(page, "consistent")
    axe(page)


@only_desktop
def test_any_pair_is_consistent(visit: Visit, sizes: list[int]) -> None:
    pairs = [(sizes[0], sizes[1]), (sizes[1], sizes[2]), (sizes[2], sizes[-1]), (sizes[-1], sizes[-1])]

    for older, later in pairs:
        page = visit.open(f"/explorer/consistency?from={older}&to={later}")
        assert ended(page) == "goodServed", (older, later)


@only_desktop
def test_with_the_visitors_own_trust_file_nothing_rests_on_the_service(
    visit: Visit, running: Running, sizes: list[int], shot: Shot
) -> None:
    from talentseal.anchoring import epochs

    with running.service() as service:
        trust = service.notary.trust(service.database.read(epochs.newest)).dump()
    page = visit.open(f"/explorer/consistency?from={sizes[0]}&to={sizes[-1]}")
    ended(page)

    page.locator("#trust-file").set_input_files(
        {"name": "trust.json", "mimeType": "application/json", "buffer": trust}
    )

    expect(page.locator("#check")).to_have_attribute("data-ended", "good")
    assert set(verdicts(page).values()) == {"passed"}
    shot(page, "own-trust")
    page.locator("#trust-file").set_input_files(
        {"name": "trust.json", "mimeType": "application/json", "buffer": trust.replace(b"+A", b"+B")}
    )
    expect(page.locator("#check")).to_have_attribute("data-ended", "bad")


def altered_note(route: Route) -> None:
    """The note with another root in it, as a liar would serve it."""
    answer = route.fetch()
    lines = answer.text().split("\n")
    lines[2] = ("B" if lines[2][0] != "B" else "C") + lines[2][1:]
    route.fulfill(response=answer, body="\n".join(lines))


def altered_tile(route: Route) -> None:
    answer = route.fetch()
    body = answer.body()
    route.fulfill(response=answer, body=bytes([body[0] ^ 1]) + body[1:])


def test_a_note_that_was_tampered_with_fails_in_plain_view(
    visit: Visit, shot: Shot, sizes: list[int]
) -> None:
    visit.page.route(f"**/explorer/checkpoints/{sizes[-1]}.note", altered_note)

    page = visit.open(f"/explorer/consistency?from={sizes[0]}&to={sizes[-1]}")

    assert ended(page) == "bad"
    assert verdicts(page)["later"] == "failed"
    assert verdicts(page)["proof"] == "unchecked"
    expect(page.locator(".outcome-failed")).to_be_visible()
    shot(page, "tampered-note")
    axe(page)


def test_a_tile_that_was_tampered_with_fails_in_plain_view(
    visit: Visit, shot: Shot, sizes: list[int]
) -> None:
    visit.page.route("**/log/tile/0/**", altered_tile)

    page = visit.open(f"/explorer/consistency?from={sizes[1]}&to={sizes[-1]}")

    assert ended(page) == "bad"
    assert verdicts(page)["roots"] == "failed"
    shot(page, "tampered-tile")
    axe(page)


@only_desktop
def test_the_note_of_another_size_is_not_taken_for_this_one(visit: Visit, sizes: list[int]) -> None:
    def other(route: Route) -> None:
        route.fulfill(response=route.fetch(url=route.request.url.replace(f"/{sizes[-1]}.", f"/{sizes[-2]}.")))

    visit.page.route(f"**/explorer/checkpoints/{sizes[-1]}.note", other)

    page = visit.open(f"/explorer/consistency?from={sizes[0]}&to={sizes[-1]}")

    assert ended(page) == "bad"
    assert verdicts(page)["later"] == "failed"


@only_desktop
def test_what_cannot_be_fetched_is_not_called_false(visit: Visit, sizes: list[int], shot: Shot) -> None:
    visit.expects_status(503, "/log/tile/")
    visit.page.route("**/log/tile/**", lambda route: route.fulfill(status=503, body="away"))

    page = visit.open(f"/explorer/consistency?from={sizes[0]}&to={sizes[-1]}")

    assert ended(page) == "incomplete"
    assert verdicts(page)["roots"] == "unchecked"
    shot(page, "incomplete")


# --------------------------------------------------------------------------------------------------- entries


def test_an_auditor_reads_entries_and_his_browser_finds_them_in_the_log(
    visit: Visit, running: Running, shot: Shot, sizes: list[int]
) -> None:
    assert sizes
    page = visit.open("/explorer/entries")
    shot(page, "closed")
    axe(page)
    visit.sign_in(running.account(Role.AUDITOR))

    page = visit.open("/explorer/entries")
    shot(page, "entries")
    axe(page)
    page.locator("tbody a.row-link").first.click()

    assert ended(page) == "goodServed"
    assert verdicts(page) == {
        "key": "unchecked", "signed": "passed", "leaf": "passed", "inclusion": "passed",
    }  # fmt: skip
    shot(page, "entry")
    axe(page)


@only_desktop
def test_an_entry_whose_tile_was_tampered_with_is_not_found_in_the_log(
    visit: Visit, running: Running, sizes: list[int]
) -> None:
    assert sizes
    visit.sign_in(running.account(Role.AUDITOR))
    visit.page.route("**/log/tile/0/**", altered_tile)

    page = visit.open("/explorer/entries/2")

    assert ended(page) == "bad"
    assert verdicts(page)["inclusion"] == "failed"


# --------------------------------------------------------------------------------------- trust, operator, API


def test_the_trust_statement_asks_the_chain_after_it_is_there(
    visit: Visit, running: Running, shot: Shot
) -> None:
    page = visit.open("/trust")

    expect(page.locator("#holders caption time")).to_be_visible()
    for role in ("ANCHOR", "REGISTRAR", "ARBITER"):
        row = page.locator("#holders tr", has=page.locator(f'th code:text-is("{role}")'))
        expect(row.locator("td code").last).to_have_text(re.compile("^0x[0-9a-fA-F]{40}$"))
    expect(page.locator(".refusal h3")).to_be_visible()
    expect(page.locator("#epoch-1")).to_contain_text(running.stage.deployment.contract)
    shot(page, "trust")
    axe(page)


def test_the_operators_page_renews_itself_without_loading_anew(
    visit: Visit, running: Running, shot: Shot
) -> None:
    visit.sign_in(running.account(Role.OPERATOR))
    page = visit.open("/operations")
    page.evaluate("window.stays = true")
    page.locator(".chart summary").click()
    first = page.locator(".as-of time").get_attribute("datetime")
    sealed = page.locator(".figures dd").nth(2)
    records = sealed.inner_text()

    running.signed()

    expect(page.locator(".as-of time")).not_to_have_attribute("datetime", first or "")
    expect(sealed).not_to_have_text(records)
    assert page.evaluate("window.stays")
    expect(page.locator(".chart details")).to_have_attribute("open", "")
    expect(page.locator("[data-stale]")).to_be_hidden()
    shot(page, "operations")
    axe(page)


@only_desktop
def test_the_operators_page_says_when_it_has_lost_touch(visit: Visit, running: Running, shot: Shot) -> None:
    visit.sign_in(running.account(Role.OPERATOR))
    page = visit.open("/operations")
    visit.expects_status(503, "/operations/now")
    page.route("**/operations/now", lambda route: route.fulfill(status=503, body="away"))

    expect(page.locator("[data-stale]")).to_be_visible()
    expect(page.locator(".figures")).to_be_visible()
    shot(page, "stale")
    page.unroute("**/operations/now")
    expect(page.locator("[data-stale]")).to_be_hidden()


def test_the_api_reference_is_found_by_typing_and_by_address(visit: Visit, shot: Shot) -> None:
    page = visit.open("/api")
    shot(page, "reference")
    axe(page)

    page.locator("#search").fill("get typed-data termination")

    expect(page.locator("article.operation:visible")).to_have_count(1)
    shot(page, "searched")
    page.locator("article.operation:visible h3 a").click()
    expect(page.locator("pre.exact")).to_contain_text("/termination/typed-data")
    shot(page, "operation")
    axe(page)
    page = visit.open("/api#submit-api-v1-agreements-post")
    expect(page.locator("article:target")).to_be_in_viewport()


@only_desktop
def test_a_problem_code_is_found_by_its_address(visit: Visit) -> None:
    page = visit.open("/api/problems#not-permitted")

    expect(page.locator("#not-permitted")).to_be_in_viewport()
