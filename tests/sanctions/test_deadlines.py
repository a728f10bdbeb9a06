"""Terms as pure functions: nothing lasts longer than it may, nobody has less time than he should."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from talentseal.clock import legal_date
from talentseal.policy.working_days import Calendar, DayKind
from talentseal.sanctions import deadlines
from talentseal.sanctions.detecting import together
from talentseal.sanctions.sources import FOUND
from talentseal.sanctions.triggers import REPORTED, Trigger
from tests.world import START

DAYS = st.dates(date(2026, 1, 1), date(2030, 12, 31))
CALENDARS = st.builds(
    Calendar,
    st.dictionaries(DAYS, st.sampled_from(DayKind), max_size=20),
    st.just(frozenset(range(2026, 2032))),
)


@given(DAYS, st.none() | st.integers(1, 180), st.integers(1, 180), st.integers(0, 5))
def test_a_suspension_never_lasts_longer_than_its_maximum(
    decided: date, duration: int | None, maximum: int, spent: int
) -> None:
    last = deadlines.last_day(decided, duration=duration, maximum=maximum, spent=spent)

    assert last >= decided
    assert (last - decided).days <= (duration or maximum)
    assert spent + (last - decided).days <= max(maximum, spent)


@given(CALENDARS, DAYS, st.integers(0, 30), st.integers(1, 60))
def test_a_hearing_leaves_its_working_days_whole(
    calendar: Calendar, notified: date, notice: int, working: int
) -> None:
    term = deadlines.hearing(calendar, notified, notice_days=notice, statement_days=working)

    days = [term.opens_on + timedelta(days=n) for n in range((term.closes_on - term.opens_on).days + 1)]
    assert (term.opens_on - notified).days == notice + 1
    assert sum(calendar.is_working_day(day) for day in days) == working
    assert calendar.is_working_day(term.closes_on)


@given(CALENDARS, DAYS, st.integers(1, 90))
def test_an_appeal_never_closes_early_nor_on_a_day_off(calendar: Calendar, decided: date, days: int) -> None:
    closes = deadlines.appeal_closes(calendar, decided, days)

    assert (closes - decided).days >= days
    assert calendar.is_working_day(closes)
    between = [decided + timedelta(days=n) for n in range(days, (closes - decided).days)]
    assert not any(calendar.is_working_day(day) for day in between)


@given(DAYS)
def test_a_day_begins_and_ends_at_midnight_in_shanghai(day: date) -> None:
    start, end = deadlines.start_of(day), deadlines.end_of(day)

    assert end - start == timedelta(days=1)
    assert legal_date(start) == legal_date(end - timedelta(microseconds=1)) == day
    assert deadlines.days_spent(start, end - timedelta(microseconds=1)) == 1
    assert deadlines.days_spent(start, end) == 2


@given(DAYS, st.integers(1, 5))
def test_years_later_is_the_same_day_or_the_last_of_february(day: date, years: int) -> None:
    later = deadlines.years_after(day, years)

    assert (later.year, later.month) == (day.year + years, day.month)
    assert later.day == day.day or (day.month, day.day, later.day) == (2, 29, 28)


@given(
    st.lists(st.integers(0, 40), min_size=1, max_size=12).map(sorted),
    st.data(),
    st.integers(1, 5),
    st.integers(0, 15),
)
def test_facts_lie_together_exactly_when_some_window_holds_enough_of_them(
    minutes: list[int], data: st.DataObject, threshold: int, window: int
) -> None:
    at = data.draw(st.integers(0, len(minutes) - 1))
    times = [START + timedelta(minutes=each) for each in minutes]

    run = together(times, at, threshold, timedelta(minutes=window))

    moment = minutes[at]
    enough = any(
        sum(first <= each <= first + window for each in minutes) >= threshold
        for first in range(moment - window, moment + 1)
    )
    assert (run is not None) == enough
    if run is not None:
        assert at in range(run.start, run.stop)
        assert run.stop - run.start == threshold
        assert times[run.stop - 1] - times[run.start] <= timedelta(minutes=window)


def test_what_is_reported_is_not_searched_for() -> None:
    assert not REPORTED & set(FOUND)
    assert REPORTED | set(FOUND) == set(Trigger)
