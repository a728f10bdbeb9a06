"""Quota periods: days, ISO 8601 weeks, months, quarters, years of Asia/Shanghai, or a version's term."""

from datetime import date

from talentseal.benefits.models import QuotaPeriod


def key_of(period: QuotaPeriod, day: date, version: int) -> str:
    """The key under which `day` is counted: 2026-11-26, 2026-W48, 2026-11, 2026-Q4, 2026.

    version: the benefit version's number, whose term is TERM's one period (V3).
    """
    match period:
        case QuotaPeriod.DAY:
            return day.isoformat()
        case QuotaPeriod.WEEK:
            year, week, _ = day.isocalendar()
            return f"{year}-W{week:02}"
        case QuotaPeriod.MONTH:
            return f"{day:%Y-%m}"
        case QuotaPeriod.QUARTER:
            return f"{day.year}-Q{(day.month + 2) // 3}"
        case QuotaPeriod.YEAR:
            return str(day.year)
        case QuotaPeriod.TERM:
            return f"V{version}"
