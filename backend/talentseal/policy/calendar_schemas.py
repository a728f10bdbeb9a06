"""Commands and read models of the working-day calendar."""

import hashlib
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, Field, StringConstraints, ValidationError, field_validator
from pydantic_core import InitErrorDetails, PydanticCustomError
from pydantic_core.core_schema import ValidationInfo

from sealproof import canonical
from talentseal.accounts.schemas import Command, clean_text
from talentseal.policy.schemas import Day, Reference
from talentseal.policy.working_days import SATURDAY

LONGEST_HOLIDAY: Final = 31
"""Days; the longest so far, of 2026, has nine."""

HolidayName = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(clean_text)]
Year = Annotated[int, Field(ge=1970, le=2199)]

Place = tuple[int | str, ...]


class Holiday(Command):
    """One holiday, as the notice words it."""

    name: HolidayName
    first: Day = Field(description="First day off")
    last: Day = Field(description="Last day off; weekends in between are days off like the others")
    worked: tuple[Day, ...] = Field(
        default=(), max_length=10, description="Weekend days worked in return for days off"
    )

    def days_off(self) -> list[date]:
        """Every day from the first to the last."""
        return [self.first + timedelta(days=each) for each in range((self.last - self.first).days + 1)]


class ImportNotice(Command):
    """Import the State Council's holiday notice for a year; a later one of the same year takes its place."""

    year: Year
    document_number: Reference
    issued_on: Day
    source: Annotated[str, StringConstraints(max_length=300, pattern=r"^(https?://[!-~]+)?$")] = Field(
        default="", description="Web address of the text"
    )
    holidays: tuple[Holiday, ...] = Field(min_length=1, max_length=30)

    @field_validator("holidays", mode="after")
    @classmethod
    def _each_row_holds(cls, rows: tuple[Holiday, ...], info: ValidationInfo) -> tuple[Holiday, ...]:
        """Find every row's fault at once, each at its place."""
        found = [
            InitErrorDetails(type=PydanticCustomError(code, text), loc=place, input=None)
            for place, code, text in _faults(rows, info.data.get("year"))
        ]
        if found:
            raise ValidationError.from_exception_data("holidays", found)
        return rows

    def text_sha256(self) -> str:
        """64 hex digits over the canonical JSON of all that is imported."""
        return hashlib.sha256(canonical.encode(self.model_dump(mode="json"))).hexdigest()


def _faults(rows: tuple[Holiday, ...], year: int | None) -> Iterator[tuple[Place, "str", "str"]]:
    names: set[str] = set()
    seen: set[date] = set()
    for position, row in enumerate(rows):
        if row.name in names:
            yield (position, "name"), "name_repeated", "stands in the notice already"
        names.add(row.name)
        if row.last < row.first:
            yield (position, "last"), "dates_reversed", "lies before first"
            continue
        if (row.last - row.first).days >= LONGEST_HOLIDAY:
            yield (position, "last"), "holiday_too_long", "expected a holiday of 31 days at most"
            continue
        for place, days in _places(position, row):
            if year is not None and any(not _may_name(year, day) for day in days):
                yield place, "day_outside_year", "expected a day of that year, or of the December before"
            if seen.intersection(days):
                yield place, "day_repeated", "the notice has named this day before"
            seen.update(days)
        for number, day in enumerate(row.worked):
            if day.weekday() < SATURDAY:
                yield (position, "worked", number), "weekday_worked", "expected a Saturday or Sunday"


def _places(position: int, row: Holiday) -> list[tuple[Place, list[date]]]:
    """Days by where they stand: the days off as one, then each day worked."""
    worked: list[tuple[Place, list[date]]] = [
        ((position, "worked", number), [day]) for number, day in enumerate(row.worked)
    ]
    return [((position, "first"), row.days_off()), *worked]


def _may_name(year: int, day: date) -> bool:
    """New Year's holiday may begin in December: 2019's did, with a day worked on 29 December 2018."""
    return date(year - 1, 12, 1) <= day <= date(year, 12, 31)


class HolidayView(BaseModel):
    """One holiday: days off from the first to the last, and weekend days worked in return."""

    name: str
    first: date
    last: date
    worked: list[date]


class NoticeView(BaseModel):
    """A notice as it was imported. version: from 1, in the order of import."""

    year: int
    version: int
    document_number: str
    issued_on: date
    source: str = Field(description="Web address of the text; empty when none was given")
    imported_at: datetime
    holidays: list[HolidayView]


class YearView(BaseModel):
    """A year's notice that counts, and those that it took the place of, newest first."""

    year: int
    counts: NoticeView
    earlier: list[NoticeView]


class CalendarView(BaseModel):
    """Every year that has a notice, newest first; which years should have one today and have not."""

    day: date
    years: list[YearView]
    missing: list[int]


class DeadlineView(BaseModel):
    """The last day of a term."""

    after: date = Field(description="Day from which the term runs; not counted itself")
    working_days: int
    day: date = Field(description="Last day, until its 24:00, Asia/Shanghai")
    assumed_from: date | None = Field(
        description="From this day on no notice was there and weekends alone were counted; null: all known"
    )
