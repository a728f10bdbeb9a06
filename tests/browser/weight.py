"""What a view weighs on the wire."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page

LIMIT = 150_000
"""Bytes of a first view, compressed: the page and everything that it loads by itself."""


def weighed(page: Page, view: Callable[[], object]) -> int:
    """Bytes that the browser receives while `view` opens a page and until nothing more comes."""
    received: list[float] = []

    def finished(event: dict[str, Any]) -> None:
        received.append(event["encodedDataLength"])

    session = page.context.new_cdp_session(page)
    session.on("Network.loadingFinished", finished)
    session.send("Network.enable")
    view()
    page.wait_for_load_state("networkidle")
    session.detach()
    return int(sum(received))
