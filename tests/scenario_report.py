"""Which acceptance scenarios a test shows: a pytest plugin, and `python -m tests.scenario_report`.

A test names its scenario by `pytest.mark.scenario(59)`. A scenario has passed when every test of it that
ran last has.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / ".state" / "scenarios.json"
"""{scenario number: {test id: outcome of its last run}}"""

TITLES = dict(
    line.split(" ", 1) for line in (ROOT / "tests/scenarios.txt").read_text(encoding="utf-8").splitlines()
)

Results = dict[str, dict[str, str]]


def load() -> Results:
    """What earlier runs noted, less the tests whose file has gone."""
    if not RESULTS.exists():
        return {}
    noted: Results = json.loads(RESULTS.read_text(encoding="utf-8"))
    return {
        number: {
            test: outcome for test, outcome in tests.items() if (ROOT / test.partition("::")[0]).exists()
        }
        for number, tests in noted.items()
    }


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Carry the marks into the reports, which also come back from the workers of a parallel run."""
    for item in items:
        for mark in item.iter_markers("scenario"):
            if str(mark.args[0]) not in TITLES:
                raise pytest.UsageError(f"{item.nodeid}: there is no scenario {mark.args[0]}")
            item.user_properties.append(("scenario", str(mark.args[0])))


class Recorder:
    """Gathers outcomes in the process that reports, and merges them into the file at the end."""

    def __init__(self) -> None:
        self._outcomes: Results = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """One phase of one test: the worst of its three phases counts."""
        for name, number in report.user_properties:
            if name == "scenario":
                tests = self._outcomes.setdefault(str(number), {})
                if report.outcome != "passed" or report.nodeid not in tests:
                    tests[report.nodeid] = report.outcome

    def pytest_sessionfinish(self) -> None:
        """Write beside what other runs noted."""
        if not self._outcomes:
            return
        merged = load()
        for number, tests in self._outcomes.items():
            merged[number] = merged.get(number, {}) | tests
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps(merged, indent=1, sort_keys=True), encoding="utf-8")


def pytest_configure(config: pytest.Config) -> None:
    """Only one process records: not the workers of pytest-xdist."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Recorder(), "scenario-recorder")


def listing() -> Iterator[str]:
    """One line each: number, passed, failed or missing, title. Skipped tests show nothing."""
    noted = load()
    for number, title in TITLES.items():
        outcomes = set(noted.get(number, {}).values()) - {"skipped"}
        verdict = "missing" if not outcomes else "failed" if "failed" in outcomes else "passed"
        yield f"{number} {verdict} {title}"


if __name__ == "__main__":
    print("\n".join(listing()))
