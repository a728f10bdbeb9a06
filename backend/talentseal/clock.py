"""The clock, injected: everything that stamps a time asks it, so that tests can set it."""

from datetime import UTC, date, datetime
from typing import Final, Protocol
from zoneinfo import ZoneInfo

SHANGHAI: Final = ZoneInfo("Asia/Shanghai")
"""Legal dates are dates of this zone, and people are shown its time."""


def legal_date(now: datetime) -> date:
    """The date in Asia/Shanghai at the aware time `now`."""
    return now.astimezone(SHANGHAI).date()


class Clock(Protocol):
    def now(self) -> datetime:
        """The current time, aware, in UTC."""
        ...


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)
