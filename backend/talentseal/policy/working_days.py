"""Counting days over the State Council's holiday notices (Civil Code, Arts. 201 and 203), in legal dates.

Whoever counts is told how far the answer is known: what no notice covers is counted by weekends alone.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

SATURDAY: Final = 5
"""As `date.weekday()` counts."""

NEXT_YEAR_DUE: Final = (12, 1)
"""Month and day from which next year's notice should be there; those of 2019 to 2026 came in November or the
first days of December.
"""

_ONE_DAY: Final = timedelta(days=1)


class DayKind(StrEnum):
    """What a notice says of a day. WORKED: a weekend day that is worked in return for a day off."""

    OFF = "OFF"
    WORKED = "WORKED"


@dataclass(frozen=True, slots=True)
class Deadline:
    """The last day of a term, which ends at its 24:00.

    assumed_from: the first day that was counted by weekends alone, as no notice covers it; None when the
    notices cover all of them.
    """

    day: date
    assumed_from: date | None


@dataclass(frozen=True, slots=True)
class Calendar:
    """What the notices say. days: every day that one names. years: those that have a notice.

    The last days of December may still change while next year's notice is not there: that of 2019 moved the
    days off and on from 29 December 2018.
    """

    days: Mapping[date, DayKind]
    years: frozenset[int]

    def is_working_day(self, day: date) -> bool:
        """Whether `day` is worked, as far as is known."""
        named = self.days.get(day)
        return day.weekday() < SATURDAY if named is None else named is DayKind.WORKED

    def working_days_after(self, day: date, count: int) -> Deadline:
        """The last day of a term of `count` working days that starts on `day`, which is not counted itself.

        count: 1 or more. Raises ValueError for fewer.
        """
        _require_positive(count)
        last = day
        while count:
            last += _ONE_DAY
            count -= self.is_working_day(last)
        return Deadline(last, self._assumed_from(day + _ONE_DAY, last))

    def days_after(self, day: date, count: int) -> Deadline:
        """The last day of a term of `count` days that starts on `day`, which is not counted itself.

        Where the last one is a day off, the next working day takes its place (Civil Code, Art. 203).
        count: 1 or more. Raises ValueError for fewer.
        """
        _require_positive(count)
        counted = last = day + timedelta(days=count)
        while not self.is_working_day(last):
            last += _ONE_DAY
        return Deadline(last, self._assumed_from(counted, last))

    def _assumed_from(self, first: date, last: date) -> date | None:
        for year in range(first.year, last.year + 1):
            if year not in self.years:
                return max(first, date(year, 1, 1))
        return None


def missing_years(known: Collection[int], day: date) -> list[int]:
    """The years whose notice should be there on `day` and is not: this one, in December the next one too."""
    due = [day.year, day.year + 1] if (day.month, day.day) >= NEXT_YEAR_DUE else [day.year]
    return [year for year in due if year not in known]


def _require_positive(count: int) -> None:
    if count < 1:
        raise ValueError(f"expected a term of a day or more, met {count}")
