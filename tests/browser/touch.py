"""Controls are as large as a finger (WCAG 2.5.5), with their labels; links within a sentence excepted."""

from pathlib import Path

from playwright.sync_api import Page

SCRIPT = (Path(__file__).parent / "touch.js").read_text("utf-8")
LEAST = 44
"""CSS px."""


def fits_fingers(page: Page) -> None:
    """Every control measures LEAST in both directions. Raises AssertionError."""
    found: list[str] = page.evaluate(SCRIPT, LEAST)
    assert not found, f"{page.url}: smaller than {LEAST} px:\n" + "\n".join(f"  {each}" for each in found)
