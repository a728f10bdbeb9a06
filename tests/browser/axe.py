"""axe-core on a page: every rule of WCAG 2.2 up to AA, and its best practices."""

from typing import Any

from playwright.sync_api import Page

from tests.browser.chromium import NODE_MODULES

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN = """(tags) => axe.run(document, {
  runOnly: { type: "tag", values: tags },
  rules: { "target-size": { enabled: true } },
  resultTypes: ["violations"],
})"""


def axe(page: Page) -> None:
    """Axe finds nothing on the page as it stands. Raises AssertionError that names rule, place and help."""
    # What Playwright evaluates is not the page's own script, so the page's policy stays as it is.
    page.evaluate((NODE_MODULES / "axe-core/axe.min.js").read_text("utf-8"))
    found: list[dict[str, Any]] = page.evaluate(RUN, TAGS)["violations"]
    page.evaluate("delete window.axe")
    assert not found, f"axe on {page.url}:\n" + "\n".join(_told(violation) for violation in found)


def _told(violation: dict[str, Any]) -> str:
    """One rule: what it asks for, and each place with what is wrong there."""
    lines = [f"{violation['id']} ({violation['impact']}): {violation['help']} {violation['helpUrl']}"]
    for node in violation["nodes"]:
        why = "; ".join(check["message"] for check in (*node["any"], *node["all"], *node["none"]))
        lines.append(f"  {' '.join(map(str, node['target']))}: {why}\n    {node['html'][:200]}")
    return "\n".join(lines)
