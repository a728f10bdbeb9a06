"""Bar charts as numbers that a template draws. Widths are percent, so that one drawing fits any screen."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

HEIGHT: Final = 180
"""Units (CSS pixels) from the base line to the highest tick."""

MOST_LABELS: Final = 5
"""Labels under the bars, which a phone's width still holds."""

_GAP: Final = 0.25
"""Share of a bar's place that stays empty."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One value. x, width: percent of the chart's width. y, height: units from the top."""

    label: str
    value: int
    x: float
    width: float
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Tick:
    """A line across the chart at a value. y: units from the top."""

    value: int
    y: float


@dataclass(frozen=True, slots=True)
class Label:
    """A text under a bar. x: percent. anchor: as in SVG's `text-anchor`."""

    text: str
    x: float
    anchor: str


@dataclass(frozen=True, slots=True)
class Chart:
    """What there is to draw, left to right and from the base line up."""

    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]
    labels: tuple[Label, ...]
    height: int = HEIGHT

    @property
    def total(self) -> int:
        return sum(bar.value for bar in self.bars)


def bars(values: Sequence[tuple[str, int]]) -> Chart:
    """A chart of at least one (label, value ≥ 0)."""
    top = _round_up(max(value for _, value in values))
    place = 100 / len(values)
    drawn = []
    for number, (label, value) in enumerate(values):
        height = HEIGHT * value / top
        x = place * (number + _GAP / 2)
        drawn.append(Bar(label, value, round(x, 3), round(place * (1 - _GAP), 3), HEIGHT - height, height))
    ticks = tuple(Tick(top * part // 2, HEIGHT - HEIGHT * part / 2) for part in (0, 1, 2))
    return Chart(tuple(drawn), ticks, _labels(values))


def _round_up(value: int) -> int:
    """The smallest of 2, 4, 10, 20, 40, 100 … that is not below `value`: half of it is a whole number too."""
    power = 1
    while True:
        for lead in (2, 4, 10):
            if lead * power >= value:
                return lead * power
        power *= 10


def _labels(values: Sequence[tuple[str, int]]) -> tuple[Label, ...]:
    last = len(values) - 1
    step = max(1, -(-last // (MOST_LABELS - 1)))
    shown = [last - back for back in range(0, last + 1, step)]
    labels = []
    for number in sorted(shown):
        anchor = "end" if number == last and last else "start" if number < step / 4 else "middle"
        x = {"end": 100.0, "start": 0.0}.get(anchor, round(100 * (number + 0.5) / len(values), 3))
        labels.append(Label(values[number][0], x, anchor))
    return tuple(labels)
