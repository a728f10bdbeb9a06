"""The browser tests see what they look for: each kind of fault, planted in a page, is found."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from eth_account import Account as EthereumAccount
from eth_account.messages import encode_defunct, encode_typed_data
from playwright.sync_api import Browser, Page, Route

from talentseal.accounts.roles import Role
from talentseal.agreements.states import AgreementState
from tests.browser.axe import axe
from tests.browser.conftest import Shot, Visits
from tests.browser.keyboard import keyboard_reaches
from tests.browser.reflow import reflows
from tests.browser.running import Running
from tests.browser.screens import DESKTOP, Screen
from tests.browser.touch import fits_fingers
from tests.browser.visit import Visit, begin
from tests.browser.weight import weighed

pytestmark = pytest.mark.parametrize("screen", [DESKTOP], ids=str)

PAGE = '<!doctype html><html lang="en"><title>t</title><body><main><h1>t</h1>{}</main></body></html>'
POLICY = {"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'"}


@pytest.fixture
def planted(browser: Browser, screen: Screen) -> Callable[..., Visit]:
    """Makes a visit whose page is what the test wrote; its problems are the test's own to judge."""

    def plant(content: str, *, status: int = 200) -> Visit:
        visit = begin(browser, screen, "http://127.0.0.1:1")

        def answer(route: Route) -> None:
            at = route.request.url.removeprefix(visit.url)
            met = {"/": (status, PAGE.format(content)), "/favicon.ico": (200, "")}.get(at, (404, ""))
            route.fulfill(status=met[0], body=met[1], headers=POLICY, content_type="text/html")

        visit.context.route(f"{visit.url}/**", answer)
        return visit

    return plant


def problems_of(visit: Visit) -> str:
    visit.open("/")
    return "\n".join(visit.close())


def test_a_sound_page_has_no_problems(planted: Callable[..., Visit]) -> None:
    assert problems_of(planted("<p>well</p>")) == ""


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("<script>1</script>", "policy violated: script-src-elem"),
        ('<img src="/gone.png" alt="">', "policy violated: img-src"),
        ('<script src="/gone.js"></script>', "answered 404: http://127.0.0.1:1/gone.js"),
        ('<a href="https://elsewhere.example/">x</a>', ""),
    ],
    ids=["inline script", "image beside the policy", "missing file", "a link is no request"],
)
def test_what_a_page_may_not_do_is_noted(planted: Callable[..., Visit], content: str, found: str) -> None:
    problems = problems_of(planted(content))

    assert found in problems
    assert bool(found) is bool(problems)


def test_errors_of_scripts_and_of_the_console_are_noted(planted: Callable[..., Visit]) -> None:
    visit = planted("")
    page = visit.open("/")

    page.evaluate("setTimeout(() => { throw new Error('thrown') })")
    page.evaluate("console.warn('warned')")
    page.evaluate("console.log('said')")

    problems = "\n".join(visit.close())
    assert "script error: thrown" in problems
    assert "console warning: warned" in problems
    assert "said" not in problems


def test_another_host_is_noted_and_never_reached(planted: Callable[..., Visit]) -> None:
    visit = planted("")
    visit.open("/")
    popup = visit.context.new_page()

    with pytest.raises(Exception, match="ERR_NAME_NOT_RESOLVED"):
        popup.goto("http://elsewhere.example/")

    problems = "\n".join(visit.close())
    assert "request to another host: http://elsewhere.example/" in problems
    assert "request failed: http://elsewhere.example/" in problems


def test_what_was_announced_is_no_problem_and_has_to_come(planted: Callable[..., Visit]) -> None:
    visit = planted('<script src="/gone.js"></script>')
    visit.expects_status(404, "/gone.js")
    never = planted("")
    never.expects_status(409, "/never")

    assert problems_of(visit) == ""
    assert problems_of(never) == "expected and never met: 409 /never"


def judged(visit: Visit, judge: Callable[[Page], None]) -> str:
    """What the judge says of the page, empty when nothing."""
    try:
        judge(visit.open("/"))
    except AssertionError as error:
        return str(error)
    finally:
        visit.close()
    return ""


NO_OUTLINE = "<style>:focus-visible { outline: none }</style>"
RADIO = '<label>r <input type="radio" name="r"></label>'
LARGE = '<button style="width: 44px; height: 44px">a</button>'
FIELDS = '<label>a <input name="a"></label> <button>b</button> <a href="/c">c</a>'


@pytest.mark.parametrize(
    ("judge", "content", "found"),
    [
        (axe, "<p>well</p>", ""),
        (axe, '<p style="color: #ccc; background: #fff">faint</p>', "color-contrast (serious)"),
        (axe, '<input name="a">', "label (critical)"),
        (keyboard_reaches, FIELDS, ""),
        (keyboard_reaches, f"{NO_OUTLINE}{FIELDS}", 'not seen on\n  input "a"'),
        (keyboard_reaches, f'{FIELDS}<button tabindex="2">d</button>', "a positive tabindex"),
        (keyboard_reaches, f'{FIELDS}<label>d <input type="date"></label><p><a href="/e">e</a></p>', ""),
        (keyboard_reaches, f'<div style="overflow: auto; height: 3em">{"<p>x</p>" * 9}</div>{FIELDS}', ""),
        (keyboard_reaches, f'<div style="position: fixed; inset: 0"></div>{FIELDS}', "not seen"),
        (keyboard_reaches, f"{RADIO} {RADIO} {FIELDS}", ""),
        (fits_fingers, f'{LARGE}<p>See <a href="/x">the text</a> there.</p>', ""),
        (fits_fingers, "<button>a</button>", 'button "a" is'),
        (fits_fingers, f'{LARGE}<p><a href="/x">alone</a></p>', 'a "alone" is'),
        (reflows, "<p>" + "word " * 200 + "</p>", ""),
        (reflows, "<p>" + "word" * 200 + "</p>", "px wide"),
        (reflows, f'<p style="overflow: hidden; white-space: nowrap">{"word " * 99}</p>', "cut off: p "),
        (reflows, f'<p style="overflow: hidden; height: 1em">{"word " * 200}</p>', "cut off"),
        (reflows, f'<div style="overflow: auto"><table><tr><td>{"word" * 200}</table></div>', ""),
    ],
)  # fmt: skip
def test_a_fault_of_use_is_found_and_nothing_else(
    planted: Callable[..., Visit], judge: Callable[[Page], None], content: str, found: str
) -> None:
    said = judged(planted(content), judge)

    assert found in said
    assert bool(found) is bool(said), said


def test_a_keyboard_trap_is_found(planted: Callable[..., Visit]) -> None:
    visit = planted(FIELDS)
    page = visit.open("/")
    page.evaluate("addEventListener('keydown', (e) => { if (e.target.name === 'a') e.preventDefault(); })")

    with pytest.raises(AssertionError, match='Tab does not leave input "a"'):
        keyboard_reaches(page)
    visit.close()


def asked(page: Page, method: str, *parameters: Any) -> Any:
    """What the page's wallet answers, or its error."""
    return page.evaluate(
        "([method, params]) => window.ethereum.request({ method, params }).catch((error) => [error.code])",
        [method, list(parameters)],
    )


def test_the_wallet_signs_for_the_page_that_it_was_connected_to(planted: Callable[..., Visit]) -> None:
    key, visit = EthereumAccount.create(), planted("")
    wallet = visit.use_wallet(key, 31337)
    page = visit.open("/")
    message: dict[str, Any] = {
        "types": {
            "EIP712Domain": [{"name": "name", "type": "string"}, {"name": "chainId", "type": "uint256"}],
            "Said": [{"name": "text", "type": "string"}],
        },
        "primaryType": "Said",
        "domain": {"name": "test", "chainId": 31337},
        "message": {"text": "存证"},
    }
    text = json.dumps(message)

    assert asked(page, "eth_chainId") == "0x7a69"
    assert asked(page, "eth_accounts") == []
    assert asked(page, "eth_signTypedData_v4", key.address, text) == [4100]
    assert asked(page, "eth_requestAccounts") == [key.address]
    typed = asked(page, "eth_signTypedData_v4", key.address, text)
    plain = asked(page, "personal_sign", "0x616263", key.address)
    elsewhere = json.dumps(message | {"domain": {"name": "test", "chainId": 1}})
    assert asked(page, "eth_signTypedData_v4", key.address, elsewhere) == [-32602]
    assert asked(page, "wallet_switchEthereumChain", {"chainId": "0x1"}) == [4902]
    wallet.refuses = True
    assert asked(page, "personal_sign", "0x616263", key.address) == [4001]
    assert asked(page, "eth_subscribe") == [4200]
    visit.close()
    for signable, signature in (
        (encode_typed_data(full_message=message), typed),
        (encode_defunct(text="abc"), plain),
    ):
        assert EthereumAccount.recover_message(signable, signature=signature) == key.address


def test_a_wallet_that_knows_the_network_moves_to_it_and_says_so(planted: Callable[..., Visit]) -> None:
    visit = planted("")
    wallet = visit.use_wallet(EthereumAccount.create(), 1)
    wallet.chains = frozenset({31337})
    page = visit.open("/")
    page.evaluate("window.ethereum.on('chainChanged', (id) => { window.moved = id; })")

    assert asked(page, "wallet_switchEthereumChain", {"chainId": "0x7a69"}) is None
    assert (asked(page, "eth_chainId"), page.evaluate("window.moved")) == ("0x7a69", "0x7a69")
    assert wallet.asked == ["wallet_switchEthereumChain", "eth_chainId"]
    visit.close()


def test_without_a_wallet_there_is_none(planted: Callable[..., Visit]) -> None:
    visit = planted("")

    assert visit.open("/").evaluate("typeof window.ethereum") == "undefined"
    visit.close()


def test_a_picture_is_kept_of_the_whole_page(visit: Visit, shot: Shot) -> None:
    place = shot(visit.open("/"), "whole")

    assert place.name == "test_a_picture_is_kept_of_the_whole_page-desktop-zh-CN-whole.png"
    assert place.read_bytes().startswith(b"\x89PNG")


def test_a_view_weighs_what_came_over_the_wire(visit: Visit) -> None:
    page = visit.page

    first = weighed(page, lambda: visit.open("/"))
    again = weighed(page, page.reload)

    # Files are kept by the browser: a page seen again is little more than its own text.
    assert 20_000 < first < 150_000
    assert 1_000 < again < first / 2


def test_two_people_are_two_profiles(visits: Visits) -> None:
    first, second = visits(), visits(dark=True)
    pages = [first.open("/?lang=en"), second.open("/")]

    assert [page.locator("html").get_attribute("lang") for page in pages] == ["en", "zh-CN"]
    assert pages[1].evaluate("matchMedia('(prefers-color-scheme: dark)').matches") is True


def test_an_agreement_goes_all_the_way_while_a_page_is_open(visit: Visit, running: Running) -> None:
    visit.open("/")
    version, record = running.final()

    with running.service() as service:
        assert service.database.read(lambda session: session.connection() is not None)
    view = running.client(running.cast.merchant).agreement(version)
    assert (view.state, view.record) == (AgreementState.IN_FORCE, record)


@pytest.mark.usefixtures("screen")
def test_every_agreement_of_a_test_is_its_own(running: Running) -> None:
    assert running.submit() != running.submit()


def test_a_visitor_is_signed_in_as_whoever_the_test_names(visits: Visits, running: Running) -> None:
    bank, merchant, operator = visits(), visits(), visits()

    shown = [
        visit.sign_in(running.account(who)).locator(".who span").inner_text()
        for visit, who in ((bank, Role.PARTNER), (merchant, running.cast.merchant), (operator, Role.OPERATOR))
    ]

    assert shown == [running.cast.bank.name, running.cast.merchant.name, running.cast.operator.name]
