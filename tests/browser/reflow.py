"""A page at 400 %: 320 CSS px are a screen of 1280 px, enlarged four times (WCAG 1.4.10)."""

from pathlib import Path

from playwright.sync_api import Page

SCRIPT = (Path(__file__).parent / "reflow.js").read_text("utf-8")
NARROW, LOW = 320, 640


def reflows(page: Page) -> None:
    """Nothing is cut off or scrolls sideways at 320 px; the size is put back. Raises AssertionError."""
    size = page.viewport_size
    page.set_viewport_size({"width": NARROW, "height": LOW})
    found: list[str] = page.evaluate(SCRIPT, NARROW)
    if size is not None:
        page.set_viewport_size(size)
    assert not found, f"{page.url} at {NARROW} px:\n" + "\n".join(f"  {each}" for each in found)
