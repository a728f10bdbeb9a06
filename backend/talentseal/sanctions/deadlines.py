"""Terms of the procedure (domain specification §1.6) as pure functions of legal dates."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from talentseal.clock import SHANGHAI, legal_date
from talentseal.policy.working_days import Calendar

PROVISIONAL: Final = timedelta(hours=72)
"""Automation alone suspends for no longer (PIPL Article 24)."""

NOTICE_DAYS: Final = 3
STATEMENT_WORKING_DAYS: Final = 5
APPEAL_DAYS: Final = 15
MAXIMUM_DAYS: Final = 180
GRACE_DAYS: Final = 30
"""Between the decision and the end of the code of somebody who has left the area (Article 14, no. 1)."""

BAR_YEARS: Final = 2
"""For how long nobody applies again who was terminated for false materials (Article 14, no. 2)."""


@dataclass(frozen=True, slots=True)
class Hearing:
    """When the holder is heard. opens_on: first day of the term, before which he may be heard as well.

    closes_on: its last day, which ends at 24:00.
    """

    opens_on: date
    closes_on: date


def hearing(calendar: Calendar, notified: date, *, notice_days: int, statement_days: int) -> Hearing:
    """The term for a statement: so many working days, after so many days in which the notice is taken in.

    notice_days: 0 or more. statement_days: 1 or more.
    """
    taken_in = notified + timedelta(days=notice_days)
    return Hearing(taken_in + timedelta(days=1), calendar.working_days_after(taken_in, statement_days).day)


def appeal_closes(calendar: Calendar, decided: date, days: int) -> date:
    """The last day for an appeal; where it is a day off, the next working day (Civil Code, Article 203)."""
    return calendar.days_after(decided, days).day


def last_day(decided: date, *, duration: int | None, maximum: int, spent: int) -> date:
    """The last day of a suspension decided on that day, which is not counted (Civil Code, Article 201).

    duration: days; None until its facts are cured. maximum: days in all, of which `spent` went by
    provisionally.
    """
    left = max(0, maximum - spent)
    return decided + timedelta(days=left if duration is None else min(duration, left))


def days_spent(since: datetime, until: datetime) -> int:
    """Days on which something rested provisionally: every date that it touched."""
    return (legal_date(until) - legal_date(since)).days + 1


def end_of(day: date) -> datetime:
    """24:00 of a day in Shanghai, in UTC."""
    return start_of(day + timedelta(days=1))


def start_of(day: date) -> datetime:
    """0:00 of a day in Shanghai, in UTC."""
    return datetime.combine(day, time(), SHANGHAI).astimezone(UTC)


def years_after(day: date, years: int) -> date:
    """The corresponding day; the last of the month where there is none (Civil Code, Article 202)."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)
