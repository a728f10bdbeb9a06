"""Terms of complaints and marks (domain specification §4; the numbers are our own defaults)."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from talentseal.clock import SHANGHAI
from talentseal.policy.working_days import Calendar

ANSWER: Final = timedelta(hours=48)
"""From filing, or from the talent office's acceptance of a refusal, to the organisation's answer."""

DECISION_WORKING_DAYS: Final = 5
"""From reopening to the talent office's decision; the day itself is not counted."""

SILENCE: Final = timedelta(days=15)
"""After so long an answer that is neither accepted nor contested closes the complaint."""

CHANGEABLE: Final = timedelta(days=7)
"""For how long a mark can be changed."""

LEAST_RATINGS: Final = 5
"""With fewer marks no mean is told: it would say what single people thought."""


def decide_through(calendar: Calendar, reopened: date) -> date:
    """The last day for the decision."""
    return calendar.working_days_after(reopened, DECISION_WORKING_DAYS).day


def bounds(since: date, through: date) -> tuple[datetime, datetime]:
    """From 0:00 of the first day to 24:00 of the last, Asia/Shanghai, in UTC."""
    begins, ends = (
        datetime.combine(day, time(), SHANGHAI).astimezone(UTC)
        for day in (since, through + timedelta(days=1))
    )
    return begins, ends
