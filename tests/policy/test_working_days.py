"""Counting days over holiday notices: as one counts by hand, and honest about what no notice covers."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talentseal.policy import calendar
from talentseal.policy.working_days import Calendar, DayKind, Deadline, missing_years

ONE_DAY = timedelta(days=1)
DAYS = st.dates(date(2024, 1, 1), date(2028, 12, 31))
COUNTS = st.integers(1, 40)
CALENDARS = st.builds(
    Calendar,
    st.dictionaries(DAYS, st.sampled_from(DayKind), max_size=60),
    st.frozensets(st.integers(2024, 2029)),
)


@pytest.fixture(scope="module")
def shipped() -> Calendar:
    """What the notices of 2025 and 2026 say, without a database."""
    notices = [calendar.read_notice(file.read_bytes()) for file in calendar.SHIPPED]
    rows = [row for notice in notices for row in notice.holidays]
    off = {day: DayKind.OFF for row in rows for day in row.days_off()}
    worked = {day: DayKind.WORKED for row in rows for day in row.worked}
    return Calendar(off | worked, frozenset(notice.year for notice in notices))


def test_the_shipped_notices_have_as_many_days_as_they_say(shipped: Calendar) -> None:
    """2025: 1 + 8 + 3 + 5 + 3 + 8 days off; 2026: 3 + 9 + 3 + 5 + 3 + 3 + 7."""
    counted = {
        (year, kind): sum(day.year == year and is_a is kind for day, is_a in shipped.days.items())
        for year in (2025, 2026)
        for kind in DayKind
    }

    assert counted == {
        (2025, DayKind.OFF): 28,
        (2025, DayKind.WORKED): 5,
        (2026, DayKind.OFF): 33,
        (2026, DayKind.WORKED): 6,
    }


@pytest.mark.parametrize("year", [2025, 2026])
def test_the_shipped_notices_take_off_as_many_days_as_there_are_statutory_holidays(
    shipped: Calendar, year: int
) -> None:
    """Weekdays taken off less weekend days worked are the 13 of the Regulation on Public Holidays (2024)."""
    named = [(day, kind) for day, kind in shipped.days.items() if day.year == year]
    taken = sum(kind is DayKind.OFF and day.weekday() < 5 for day, kind in named)
    returned = sum(kind is DayKind.WORKED for _, kind in named)

    assert taken - returned == 13


@pytest.mark.parametrize(
    ("day", "count", "last"),
    [
        ("2026-11-23", 5, "2026-11-30"),
        ("2026-09-24", 1, "2026-09-28"),
        ("2026-09-18", 1, "2026-09-20"),
        ("2026-09-30", 2, "2026-10-09"),
        ("2026-09-30", 3, "2026-10-10"),
        ("2025-12-31", 1, "2026-01-04"),
        ("2025-01-25", 2, "2025-01-27"),
        ("2025-10-01", 1, "2025-10-09"),
    ],
)
def test_terms_over_real_holidays(shipped: Calendar, day: str, count: int, last: str) -> None:
    found = shipped.working_days_after(date.fromisoformat(day), count)

    assert found == Deadline(date.fromisoformat(last), None)


@pytest.mark.parametrize(
    ("day", "count", "last"),
    [("2026-09-16", 15, "2026-10-08"), ("2026-11-08", 15, "2026-11-23"), ("2026-11-13", 1, "2026-11-16")],
)
def test_a_term_of_days_that_ends_on_a_day_off_ends_on_the_next_working_day(
    shipped: Calendar, day: str, count: int, last: str
) -> None:
    assert shipped.days_after(date.fromisoformat(day), count) == Deadline(date.fromisoformat(last), None)


@given(CALENDARS, DAYS, COUNTS)
def test_a_term_is_as_long_as_one_counts(met: Calendar, day: date, count: int) -> None:
    last = met.working_days_after(day, count).day

    counted = [day + ONE_DAY * each for each in range(1, (last - day).days + 1)]
    assert met.is_working_day(last)
    assert sum(map(met.is_working_day, counted)) == count


@given(CALENDARS, DAYS, COUNTS, st.integers(0, 30))
def test_whoever_starts_later_or_has_longer_does_not_end_sooner(
    met: Calendar, day: date, count: int, more: int
) -> None:
    last, later = met.working_days_after(day, count).day, day + timedelta(days=more)

    assert met.working_days_after(later, count).day >= last
    assert met.working_days_after(day, count + more).day >= last + timedelta(days=more)
    assert met.days_after(later, count).day >= met.days_after(day, count).day


@given(CALENDARS, DAYS, COUNTS)
def test_what_is_assumed_is_said(met: Calendar, day: date, count: int) -> None:
    found = met.working_days_after(day, count)

    counted = [day + ONE_DAY * each for each in range(1, (found.day - day).days + 1)]
    assert found.assumed_from == next((each for each in counted if each.year not in met.years), None)


def test_without_any_notice_weekends_alone_are_counted_from_the_first_day_on() -> None:
    found = Calendar({}, frozenset()).working_days_after(date(2026, 9, 30), 1)

    assert found == Deadline(date(2026, 10, 1), date(2026, 10, 1))


def test_a_term_has_at_least_a_day(shipped: Calendar) -> None:
    for count in (shipped.working_days_after, shipped.days_after):
        with pytest.raises(ValueError, match="met 0"):
            count(date(2026, 11, 23), 0)


def test_next_years_notice_is_due_in_december() -> None:
    assert missing_years({2025, 2026}, date(2026, 11, 30)) == []
    assert missing_years({2025, 2026}, date(2026, 12, 1)) == [2027]
    assert missing_years({2025, 2026}, date(2027, 1, 1)) == [2027]
    assert missing_years(set(), date(2026, 12, 31)) == [2026, 2027]
