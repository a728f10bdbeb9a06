"""States over dates: one at a time, in their order, never back, changing at midnight in Shanghai alone."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from talentseal.clock import SHANGHAI, legal_date
from talentseal.policy.states import Facts, InstrumentState, Step, end_of, state_of, turns_until

DAYS = st.dates(date(2020, 1, 1), date(2040, 1, 1))
OVER = {InstrumentState.EXPIRED, InstrumentState.SUPERSEDED, InstrumentState.REPEALED}
ORDER = [InstrumentState.ISSUED, InstrumentState.IN_FORCE, *OVER]


@st.composite
def issued(draw: st.DrawFn) -> Facts:
    """Facts that the acts allow: a term, perhaps a successor that begins later, perhaps a repeal within."""
    begins = draw(DAYS)
    term = draw(st.integers(0, 2000))
    successor = draw(st.none() | st.integers(1, 3000))
    repeal = draw(st.none() | st.integers(1, max(term, 1)))
    return Facts(
        passed=True,
        approved=True,
        issued=True,
        effective_from=begins,
        valid_through=begins + timedelta(days=term),
        repealed_from=None if repeal is None else begins + timedelta(days=repeal),
        successor_from=None if successor is None else begins + timedelta(days=successor),
    )


@given(issued(), DAYS, st.integers(0, 4000))
def test_time_only_leads_on(facts: Facts, day: date, later: int) -> None:
    before, after = state_of(facts, day), state_of(facts, day + timedelta(days=later))

    assert after in ORDER[ORDER.index(before) :]
    assert before not in OVER or after is before


@given(issued())
def test_the_first_and_the_last_day_count(facts: Facts) -> None:
    end = end_of(facts).on
    around = [facts.effective_from - timedelta(days=1), facts.effective_from, end - timedelta(days=1), end]

    states = [state_of(facts, day) for day in around]

    assert states[:3] == [InstrumentState.ISSUED, InstrumentState.IN_FORCE, InstrumentState.IN_FORCE]
    assert states[3] in OVER
    assert end <= facts.valid_through + timedelta(days=1)


@given(issued(), DAYS)
def test_what_the_date_has_brought_is_what_the_state_says(facts: Facts, day: date) -> None:
    brought = [turn.step.value for turn in turns_until(facts, day)]

    state = state_of(facts, day)

    assert (Step.IN_FORCE.value in brought) == (state is not InstrumentState.ISSUED)
    assert (state.value in brought) == (state not in {InstrumentState.ISSUED, InstrumentState.REPEALED})
    assert all(turn.on <= day for turn in turns_until(facts, day))


@given(issued(), DAYS, st.booleans(), st.booleans())
def test_no_date_puts_in_force_what_was_not_issued(
    facts: Facts, day: date, passed: bool, approved: bool
) -> None:
    asked = Facts(passed, passed and approved, False, facts.effective_from, facts.valid_through)

    assert state_of(asked, day) in {
        InstrumentState.DRAFT,
        InstrumentState.JOINT_MEETING_PASSED,
        InstrumentState.APPROVED,
    }
    assert turns_until(asked, day) == []


@given(st.datetimes(datetime(2000, 1, 1), datetime(2050, 1, 1)))  # noqa: DTZ001 - made aware below
def test_a_legal_date_turns_at_four_in_the_afternoon_of_utc(moment: datetime) -> None:
    aware = moment.replace(tzinfo=UTC)

    assert legal_date(aware) == (aware + timedelta(hours=8)).date() == aware.astimezone(SHANGHAI).date()


def test_a_version_that_ran_out_is_not_superseded_after_a_gap() -> None:
    term = (date(2023, 5, 25), date(2025, 5, 25))
    after_gap = Facts(True, True, True, *term, successor_from=date(2026, 1, 1))
    without_gap = Facts(True, True, True, *term, successor_from=date(2025, 5, 26))

    assert state_of(after_gap, date(2026, 11, 23)) is InstrumentState.EXPIRED
    assert state_of(without_gap, date(2026, 11, 23)) is InstrumentState.SUPERSEDED
