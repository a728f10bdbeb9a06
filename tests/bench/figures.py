"""A measured figure beside its floor, its peer and its budget; and how to measure two things fairly.

Machines differ by a factor and drift by a third within minutes. So everything compared runs in the same
process run, interleaved, and what counts is the median of the ratios of neighbours.
"""

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import ge, le
from statistics import median


@dataclass(frozen=True, slots=True)
class Reference:
    """What a figure is held against, in the figure's unit."""

    name: str
    value: float


@dataclass(frozen=True, slots=True)
class Budget:
    """A bound on a figure's `value` or on its `ratio` to the floor: at least or at most `bound`."""

    subject: str
    relation: str
    bound: float

    def holds(self, value: float, ratio: float | None) -> bool:
        """Does the figure keep to it? A ratio that could not be taken keeps to nothing."""
        measured = value if self.subject == "value" else ratio
        compare = {">=": ge, "<=": le}[self.relation]
        return measured is not None and bool(compare(measured, self.bound))

    def __str__(self) -> str:
        return f"{self.subject} {self.relation} {self.bound:g}"


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the report. ratio: value over floor; spread: the least and the largest that was met."""

    name: str
    value: float
    unit: str
    floor: Reference | None = None
    peer: Reference | None = None
    ratio: float | None = None
    spread: tuple[float, float] | None = None
    budget: Budget | None = None

    @property
    def within(self) -> bool:
        """True when there is no budget, or it is kept."""
        return self.budget is None or self.budget.holds(self.value, self.ratio)

    def to_json(self) -> dict[str, object]:
        """The shape that `scripts/bench --json` prints."""
        return {
            "name": self.name,
            "value": self.value,
            "unit": self.unit,
            "floor": _reference(self.floor),
            "peer": _reference(self.peer),
            "ratio": self.ratio,
            "spread": None if self.spread is None else list(self.spread),
            "budget": None if self.budget is None else str(self.budget),
            "within": self.within,
        }


def _reference(reference: Reference | None) -> dict[str, object] | None:
    return None if reference is None else {"name": reference.name, "value": reference.value}


def against(
    name: str,
    unit: str,
    own: Mapping[int, float],
    floor: str,
    bare: Mapping[int, float],
    budget: Budget | None,
) -> Figure:
    """The figure of rounds measured beside their floor: medians, and the median of the rounds' own ratios."""
    ratios = [own[round_] / bare[round_] for round_ in own]
    return Figure(
        name,
        _short(median(own.values())),
        unit,
        floor=Reference(floor, _short(median(bare.values()))),
        ratio=_short(median(ratios)),
        spread=(_short(min(ratios)), _short(max(ratios))),
        budget=budget,
    )


def interleaved(rounds: int, **runs: Callable[[], float]) -> dict[str, dict[int, float]]:
    """Run each of `runs` once a round, the order turned about every round; what they returned, by round."""
    met: dict[str, dict[int, float]] = {name: {} for name in runs}
    for round_ in range(rounds):
        for name in list(runs) if round_ % 2 == 0 else reversed(runs):
            met[name][round_] = runs[name]()
    return met


def seconds(work: Callable[[], object]) -> float:
    """Wall time of one call."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def say(text: str) -> None:
    """A line of progress, on stderr."""
    print(text, file=sys.stderr, flush=True)


def _short(value: float) -> float:
    return float(f"{value:.4g}")
