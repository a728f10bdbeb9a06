"""Terms of years and months by the Civil Code (Arts. 200-202), and that of the youth tier (measures, Art. 7).

Dates are legal dates, those of Asia/Shanghai (`clock.legal_date`); a term ends at 24:00 of its last day.
"""

import calendar
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

YOUTH_MONTHS: Final = 60
"""不满五年: the tier lasts through the last day of the five years, and not one day longer."""

OBJECTION_DAYS: Final = 15
"""From a decision until nobody objects to it any more: the days in which other decisions are appealed
(domain specification §1.6). Where the last is a day off, the next working day is (Civil Code, Art. 203)."""

OBJECTION_ANSWER_WORKING_DAYS: Final = 15
"""The office's time for an objection."""


def corresponding_day(start: date, months: int) -> date:
    """The last day of a term of `months` that starts on `start`, which is not counted itself.

    It is the day of that month with the number of `start`, or the month's last day where there is none
    (Civil Code, Arts. 201 and 202). months: 1 or more. Raises ValueError for fewer.
    """
    if months < 1:
        raise ValueError(f"expected a term of a month or more, met {months}")
    years, month = divmod(start.month - 1 + months, 12)
    year = start.year + years
    return date(year, month + 1, min(start.day, calendar.monthrange(year, month + 1)[1]))


@dataclass(frozen=True, slots=True)
class Engagement:
    """Work in the area, or a business registered there.

    first_day: of the work, or of the registration. verified: against a source other than the talent.
    """

    first_day: date
    verified: bool


def youth_start(engagements: Iterable[Engagement]) -> date | None:
    """The day on which the five years start: the first verified day; None while nothing is verified.

    Where an engagement ends does not matter: gaps neither reset the term nor extend it (domain
    specification §1.4).
    """
    return min((each.first_day for each in engagements if each.verified), default=None)


def youth_last_day(start: date) -> date:
    """The last day of the youth tier of somebody who started on `start`."""
    return corresponding_day(start, YOUTH_MONTHS)
