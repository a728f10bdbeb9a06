"""Terms by the Civil Code, held against counting day by day; the youth tier's five years."""

import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talentseal.clock import legal_date
from talentseal.policy.tiers import Tier
from talentseal.talents.terms import Engagement, corresponding_day, youth_last_day, youth_start
from talentseal.talents.tiers import Recognition, RecognitionState, effective_tier

DAYS = st.dates(date(1970, 1, 1), date(2190, 12, 31))
LEAP_DAYS = st.sampled_from([date(year, 2, 29) for year in range(1972, 2100, 4)])
ONE_DAY = timedelta(days=1)


def youth(start: date) -> Recognition:
    return Recognition(Tier.YOUTH, RecognitionState.CONFIRMED, start, youth_last_day(start))


def counted(start: date, months: int) -> date:
    """The same by counting: day after day, until the month's day with that number, or its last one, has
    come as often as there are months.
    """
    day, passed = start, 0
    while passed < months:
        day += ONE_DAY
        ends_month = (day + ONE_DAY).month != day.month
        if day.day == start.day or (ends_month and day.day < start.day):
            passed += 1
    return day


@given(DAYS | LEAP_DAYS)
def test_the_five_years_are_those_that_one_counts(start: date) -> None:
    assert youth_last_day(start) == counted(start, 60)


@given(DAYS | LEAP_DAYS, st.integers(1, 40))
def test_a_term_of_months_is_the_one_that_one_counts(start: date, months: int) -> None:
    assert corresponding_day(start, months) == counted(start, months)


@given(DAYS | LEAP_DAYS)
def test_nobody_is_a_youth_for_longer_than_five_years(start: date) -> None:
    last = youth_last_day(start)

    assert (last.year, last.month) == (start.year + 5, start.month)
    assert last.day == start.day or (start.month, start.day, last.day) == (2, 29, 28)
    assert effective_tier([youth(start)], last) is Tier.YOUTH
    assert effective_tier([youth(start)], last + ONE_DAY) is Tier.RESERVE


@given(DAYS | LEAP_DAYS, st.integers(0, 4000), st.integers(1, 120))
def test_who_starts_later_does_not_end_sooner(start: date, later: int, months: int) -> None:
    assert corresponding_day(start + timedelta(days=later), months) >= corresponding_day(start, months)


@given(st.lists(st.tuples(DAYS, st.booleans()), max_size=5), DAYS, st.booleans())
def test_neither_a_gap_nor_a_later_job_moves_the_start(
    engaged: list[tuple[date, bool]], later: date, verified: bool
) -> None:
    engagements = [Engagement(first_day, checked) for first_day, checked in engaged]
    start = youth_start(engagements)

    with_another = youth_start([*engagements, Engagement(later, verified)])

    assert (start is None) == (not any(checked for _, checked in engaged))
    if start is not None and (later >= start or not verified):
        assert with_another == start


def test_a_term_has_at_least_a_month() -> None:
    with pytest.raises(ValueError, match="met 0"):
        corresponding_day(date(2026, 11, 23), 0)


@pytest.mark.scenario(16)
def test_youth_ends_the_day_after_the_fifth_anniversary() -> None:
    recognised = [youth(date(2021, 11, 23))]

    assert effective_tier(recognised, date(2026, 11, 23)) is Tier.YOUTH
    assert effective_tier(recognised, date(2026, 11, 24)) is Tier.RESERVE


@pytest.fixture(params=["UTC", "America/Los_Angeles", "Pacific/Kiritimati", "Asia/Shanghai"])
def server_zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The process's own time zone, for the time of a test."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


@pytest.mark.scenario(17)
def test_youth_from_29_february_ends_with_28_february_in_shanghai(server_zone: str) -> None:
    recognised = [youth(date(2020, 2, 29))]
    last_second = datetime(2025, 2, 28, 15, 59, 59, tzinfo=UTC)

    tiers = [
        effective_tier(recognised, legal_date(moment))
        for moment in (last_second, last_second.astimezone(), last_second + timedelta(seconds=1))
    ]

    assert tiers == [Tier.YOUTH, Tier.YOUTH, Tier.RESERVE], server_zone
