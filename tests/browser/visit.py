"""A visit: one person's browser, which keeps note of everything that goes wrong on the way."""

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    Page,
    Request,
    Response,
    WebError,
)

from tests.browser.screens import Screen
from tests.browser.wallet import Wallet

LOCAL = frozenset({"data", "blob", "file", "about"})
"""Schemes behind which there is no host."""

REPORTS_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) => window.__violated(
  `${event.violatedDirective} ${event.blockedURI} at ${event.sourceFile}:${event.lineNumber} ${event.sample}`,
));
"""
LOADING_FAILED = "Failed to load resource"
"""How Chromium's console repeats a response of 400 or more, and a request that failed."""


@dataclass(slots=True)
class Expected:
    """Something bad that the test wants to happen. met: how often it did."""

    what: str
    part: str
    met: int = 0


@dataclass  # without slots: Playwright keeps its wrappers of our methods in the object
class Visit:
    """A fresh browser profile at one service. `page` is Playwright's; `open` goes to a path of the service.

    Whatever is bad and was not announced by an `expects_…` is in `problems` and fails the test, and so does
    what was announced and never came.
    """

    page: Page
    context: BrowserContext
    screen: Screen
    url: str
    problems: list[str] = field(default_factory=list)
    _hosts: set[str] = field(default_factory=set)
    _expected: list[Expected] = field(default_factory=list)
    _refused: set[str] = field(default_factory=set)

    def open(self, path: str, *, status: int = 200) -> Page:
        """Go to a path of the service, which answers with `status` in the end. Returns the page."""
        if status >= 400:
            self.expects_status(status, path)
        response = self.page.goto(self.url + path)
        assert response is not None, path
        assert response.status == status, f"{path} answered {response.status}, expected {status}"
        return self.page

    def sign_in(self, account: str, path: str = "/", *, status: int = 200) -> Page:
        """Be one of the demonstration's people (see `Running.account`) and go to `path`. Returns the page."""
        answer = self.context.request.post(
            f"{self.url}/sign-in/demonstration", form={"account": account}, max_redirects=0
        )
        assert answer.status == 303, f"signing in answered {answer.status}"
        return self.open(path, status=status)

    def expects_status(self, status: int, part: str) -> None:
        """Some response with this status (400 to 599) comes from an address that contains `part`."""
        self._expected.append(Expected(str(status), part))

    def expects_failed_request(self, part: str) -> None:
        """Some request to an address that contains `part` gets no answer."""
        self._expected.append(Expected("failed", part))

    def expects_console(self, part: str) -> None:
        """The console shows a warning or an error that contains `part`."""
        self._expected.append(Expected("console", part))

    def may_reach(self, url: str) -> None:
        """The page is meant to reach this host too: the chain's RPC, for one."""
        self._hosts.add(urlsplit(url).netloc)

    def use_wallet(self, key: Any, chain_id: int, *, refuses: bool = False) -> Wallet:
        """Install a wallet with this key (LocalAccount); pages see it from the next `open` on."""
        wallet = Wallet(key, chain_id, refuses)
        wallet.install(self.context)
        return wallet

    def close(self) -> list[str]:
        """End the visit; everything that went wrong."""
        for page in self.context.pages:
            # What is under way is heard first; a page that is going elsewhere just now has been heard.
            with suppress(Error):
                page.evaluate("new Promise((resolve) => setTimeout(resolve))")
        self.context.close()
        missed = [
            f"expected and never met: {each.what} {each.part}" for each in self._expected if not each.met
        ]
        return self.problems + missed

    def _forgiven(self, what: str, text: str) -> bool:
        found = [each for each in self._expected if each.what == what and each.part in text]
        for each in found:
            each.met += 1
        return bool(found)

    def listen(self) -> None:
        """Take note of what goes wrong in any page of the profile."""
        context = self.context
        context.expose_function("__violated", lambda text: self.problems.append(f"policy violated: {text}"))
        context.add_init_script(REPORTS_VIOLATIONS)
        context.on("console", self._on_console)
        context.on("weberror", self._on_error)
        context.on("request", self._on_request)
        context.on("requestfailed", self._on_failed)
        context.on("response", self._on_response)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type not in {"warning", "error"}:
            return
        repeated = message.text.startswith(LOADING_FAILED) and self._is_expected(message.location["url"])
        if not repeated and not self._forgiven("console", message.text):
            self.problems.append(f"console {message.type}: {message.text} ({message.location['url']})")

    def _is_expected(self, url: str) -> bool:
        return any(each.what != "console" and each.part in url for each in self._expected)

    def _on_error(self, error: WebError) -> None:
        self.problems.append(f"script error: {error.error}")

    def _on_request(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in LOCAL and address.netloc not in self._hosts:
            self.problems.append(f"request to another host: {request.url}")

    def _on_failed(self, request: Request) -> None:
        why = request.failure or ""
        # A page that is left takes its polls with it; an address that turns out to be a file is no page; a
        # refused script is given up.
        left = why == "net::ERR_ABORTED" and (
            request.resource_type in {"xhr", "fetch"}
            or request.is_navigation_request()
            or request.url in self._refused
        )
        if not left and not self._forgiven("failed", request.url):
            self.problems.append(f"request failed: {request.url} {why}")

    def _on_response(self, response: Response) -> None:
        if response.status < 400:
            return
        self._refused.add(response.url)
        if not self._forgiven(str(response.status), response.url):
            self.problems.append(f"answered {response.status}: {response.url}")


def begin(browser: Browser, screen: Screen, url: str, *, dark: bool = False) -> Visit:
    """A fresh profile on that screen, for the service at `url`."""
    context = browser.new_context(
        viewport={"width": screen.width, "height": screen.height},
        locale=screen.language.value,
        timezone_id="Asia/Shanghai",
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",
        has_touch=screen.is_phone,
        is_mobile=screen.is_phone,
        service_workers="block",
    )
    context.set_default_timeout(30_000)
    visit = Visit(context.new_page(), context, screen, url)
    visit.may_reach(url)
    visit.listen()
    return visit
