"""A walk through a page with the Tab key alone."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

SCRIPT = (Path(__file__).parent / "keyboard.js").read_text("utf-8")
PARTS = 8
"""The most stops within one element: the fields of a date with its time, and its calendar."""


def keyboard_reaches(page: Page) -> None:
    """Tab goes through every interactive element once, in the order of the page, visibly, and out again.

    Seen is a focus that changes outline, shadow, border or background of the element, its label or a parent,
    with the element on the screen and nothing above it. Raises AssertionError.
    """
    page.evaluate(SCRIPT)
    expected: list[str] = page.evaluate("window.__keyboard.stops")
    ordered: list[str] = page.evaluate("window.__keyboard.ordered")
    assert not ordered, f"{page.url}: a positive tabindex changes the order at {ordered}"
    reached = _walk(page, limit=len(expected) * 2 + PARTS * 4)
    page.evaluate("delete window.__keyboard")
    unseen = [here["name"] for here in reached if here["kind"] == "stop" and not here["shown"]]
    names = [here["name"] for here in reached]
    assert names == expected, f"{page.url}: expected the stops\n{_list(expected)}\nand met\n{_list(names)}"
    assert not unseen, f"{page.url}: the focus is not seen on\n{_list(unseen)}"


def _walk(page: Page, *, limit: int) -> list[dict[str, Any]]:
    """The elements that Tab came to, in order, until it left the page. Raises AssertionError for a trap."""
    reached: list[dict[str, Any]] = []
    within = 0
    for _ in range(limit):
        page.keyboard.press("Tab")
        here: dict[str, Any] = page.evaluate("window.__keyboard.here()")
        if here["kind"] == "outside" or (reached and here.get("number") == 0 and len(reached) > 1):
            return reached
        if here["kind"] == "scroller":
            continue
        if reached and here.get("number", -1) == reached[-1].get("number"):
            within += 1
            trapped = not here["parts"] or within > PARTS
            assert not trapped, f"{page.url}: Tab does not leave {here['name']}"
            continue
        within = 0
        reached.append(here)
    raise AssertionError(f"{page.url}: Tab does not leave the page; it came to\n{_list_of(reached)}")


def _list_of(reached: list[dict[str, Any]]) -> str:
    return _list([here["name"] for here in reached])


def _list(names: list[str]) -> str:
    return "\n".join(f"  {name}" for name in names)
