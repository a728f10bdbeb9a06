"""What may follow each state of a settlement (domain specification §1.2), and its calendar."""

import calendar
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from talentseal.errors import Invalid
from talentseal.redemptions.settlement_models import Cycle, SettlementState
from talentseal.sanctions.deadlines import start_of
from talentseal.states import Transitions

_S = SettlementState

SETTLEMENT: Final = Transitions(
    {
        _S.OPEN: frozenset({_S.CLOSED}),
        _S.CLOSED: frozenset({_S.CONFIRMED, _S.OBJECTED}),
        _S.OBJECTED: frozenset({_S.RECONCILED}),
        # What was reconciled is another statement, which the partner confirms or objects to like the first.
        _S.RECONCILED: frozenset({_S.CONFIRMED, _S.OBJECTED}),
        _S.CONFIRMED: frozenset({_S.PAID_CONFIRMED}),
        _S.PAID_CONFIRMED: frozenset(),
    }
)

SIGNABLE: Final = frozenset({_S.CLOSED, _S.RECONCILED, _S.CONFIRMED})
"""In these the payer's side may sign."""


class PeriodUnknown(Invalid):
    code = "settlement-period-unknown"
    zh = "{period} 不是结算期。请填写月份（如 2026-11）或季度（如 2026-Q4）。"
    en = "{period} is no settlement period; name a month (2026-11) or a quarter (2026-Q4)."


@dataclass(frozen=True, slots=True)
class Period:
    """A calendar period of Asia/Shanghai. first, last: its days."""

    key: str
    first: date
    last: date

    @property
    def end(self) -> datetime:
        """The moment after it, aware."""
        return start_of(self.last + timedelta(days=1))

    @classmethod
    def of(cls, cycle: Cycle, day: date) -> "Period":
        """The period in which a day lies."""
        if cycle is Cycle.MONTH:
            return cls._months(f"{day:%Y-%m}", day.year, day.month, day.month)
        quarter = (day.month + 2) // 3
        return cls._months(f"{day.year}-Q{quarter}", day.year, 3 * quarter - 2, 3 * quarter)

    @classmethod
    def named(cls, key: str) -> "Period":
        """The period of a key. Raises PeriodUnknown."""
        year, _, part = key.partition("-")
        try:
            if part.startswith("Q"):
                found = cls.of(Cycle.QUARTER, date(int(year), 3 * int(part[1:]), 1))
            else:
                found = cls.of(Cycle.MONTH, date(int(year), int(part), 1))
        except ValueError:
            raise PeriodUnknown(period=key) from None
        if found.key != key:
            raise PeriodUnknown(period=key)
        return found

    @classmethod
    def before(cls, cycle: Cycle, day: date) -> "Period":
        """The newest period that is over on a day."""
        return cls.of(cycle, cls.of(cycle, day).first - timedelta(days=1))

    @classmethod
    def _months(cls, key: str, year: int, first: int, last: int) -> "Period":
        return cls(key, date(year, first, 1), date(year, last, calendar.monthrange(year, last)[1]))
