"""The measuring code runs, and says what it found in the agreed shape. No time is asserted."""

import json
from typing import Any

import pytest

from tests.bench.__main__ import PARTS, main
from tests.bench.figures import Budget, Figure, against, interleaved

KEYS = {"name", "value", "unit", "floor", "peer", "ratio", "spread", "budget", "within"}


def is_reference(value: Any) -> bool:
    return value is None or set(value) == {"name", "value"}


@pytest.mark.parametrize("part", PARTS)
def test_a_part_measures_even_when_there_is_little_to_measure(
    part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main([part, "--json", "--tiny"])

    figures = json.loads(capsys.readouterr().out)
    assert figures
    assert code == (0 if all(figure["within"] for figure in figures) else 1)
    for figure in figures:
        assert set(figure) == KEYS
        assert figure["value"] >= 0
        assert is_reference(figure["floor"])
        assert is_reference(figure["peer"])


@pytest.mark.parametrize(
    ("budget", "value", "ratio", "within"),
    [
        (Budget("value", "<=", 95_000), 95_000, None, True),
        (Budget("value", "<=", 95_000), 95_001, None, False),
        (Budget("ratio", ">=", 0.5), 1.0, 0.5, True),
        (Budget("ratio", ">=", 0.5), 1.0, 0.49, False),
        (Budget("ratio", ">=", 0.5), 1.0, None, False),
        (None, 1.0, None, True),
    ],
)
def test_a_budget_is_kept_or_not(
    budget: Budget | None, value: float, ratio: float | None, within: bool
) -> None:
    assert Figure("figure", value, "unit", ratio=ratio, budget=budget).within is within


def test_the_ratio_is_that_of_neighbours_not_of_medians() -> None:
    own, bare = {0: 1.0, 1: 10.0, 2: 100.0}, {0: 2.0, 1: 5.0, 2: 50.0}

    figure = against("figure", "s", own, "floor", bare, None)

    assert (figure.value, figure.ratio, figure.spread) == (10.0, 2.0, (0.5, 2.0))


def test_what_is_compared_takes_turns() -> None:
    order: list[str] = []

    def run(name: str) -> float:
        order.append(name)
        return 1.0

    interleaved(3, own=lambda: run("own"), bare=lambda: run("bare"))

    assert order == ["own", "bare", "bare", "own", "own", "bare"]
