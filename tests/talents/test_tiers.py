"""Tiers over recognitions: the highest live one counts, all are kept, SOCIALISED takes both elements."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from talentseal.policy.tiers import HIGH, Tier, highest
from talentseal.states import TransitionRefused
from talentseal.talents import tiers
from talentseal.talents.terms import youth_last_day
from talentseal.talents.tiers import (
    RECOGNITION,
    Recognition,
    RecognitionState,
    effective_tier,
    require_may_be_socialised,
)

TODAY = date(2026, 11, 23)
DAYS = st.dates(date(2015, 1, 1), date(2035, 1, 1))
RECOGNITIONS = st.builds(
    Recognition, st.sampled_from(Tier), st.sampled_from(RecognitionState), DAYS, st.none() | DAYS
)
CONFIRMED = RecognitionState.CONFIRMED


def recognised(tier: Tier, **facts: object) -> Recognition:
    """Confirmed since 2024, without a last day."""
    return replace(Recognition(tier, CONFIRMED, date(2024, 1, 1)), **facts)  # type: ignore[arg-type]


def test_tiers_stand_in_the_order_of_the_measures() -> None:
    shuffled = [Tier.RESERVE, Tier.SOCIALISED, Tier.YOUTH, *sorted(HIGH, reverse=True)]

    found = []
    while shuffled:
        found.append(highest(shuffled))
        shuffled.remove(found[-1])

    assert found == list(Tier)


@given(st.lists(RECOGNITIONS, max_size=6), DAYS)
def test_the_effective_tier_is_the_highest_live_one(recognitions: list[Recognition], day: date) -> None:
    live = [each.tier for each in recognitions if each.is_live(day)]

    found = effective_tier(recognitions, day)

    assert found in live or (found is Tier.RESERVE and not live)
    assert all(list(Tier).index(found) <= list(Tier).index(tier) for tier in live)


@given(st.lists(RECOGNITIONS, max_size=6), RECOGNITIONS, DAYS)
def test_one_more_recognition_never_lowers_the_tier(
    recognitions: list[Recognition], another: Recognition, day: date
) -> None:
    before = effective_tier(recognitions, day)

    assert highest([before, effective_tier([*recognitions, another], day)]) is effective_tier(
        [*recognitions, another], day
    )


@given(st.lists(RECOGNITIONS, max_size=6), DAYS, DAYS)
def test_it_makes_no_difference_whether_the_nightly_job_has_been(
    recognitions: list[Recognition], ran_for: date, day: date
) -> None:
    after = [
        replace(each, state=RecognitionState.EXPIRED)
        if each.state is CONFIRMED and each.last_day is not None and each.last_day < ran_for
        else each
        for each in recognitions
    ]

    assert effective_tier(after, day) is effective_tier(recognitions, day)


@given(DAYS, st.none() | DAYS, DAYS)
def test_a_youth_recognition_counts_within_its_five_years_whatever_last_day_it_was_given(
    start: date, last_day: date | None, day: date
) -> None:
    youth = Recognition(Tier.YOUTH, CONFIRMED, start, last_day)

    if youth.is_live(day):
        assert start <= day <= youth_last_day(start)


@pytest.mark.scenario(18)
def test_high_e_within_the_five_years_is_effective_and_youth_is_kept() -> None:
    both = [recognised(Tier.YOUTH), recognised(Tier.HIGH_E, valid_through=date(2026, 12, 31))]

    assert effective_tier(both, TODAY) is Tier.HIGH_E
    assert effective_tier(both, date(2027, 1, 1)) is Tier.YOUTH
    assert both[0].is_live(TODAY)


@pytest.mark.scenario(19)
@pytest.mark.parametrize("tier", [*sorted(HIGH), Tier.YOUTH])
def test_a_live_high_or_youth_recognition_excludes_socialised(tier: Tier) -> None:
    held = [recognised(tier), recognised(Tier.SOCIALISED)]

    with pytest.raises(tiers.SocialisedExcluded):
        require_may_be_socialised(held, TODAY)


@pytest.mark.parametrize(
    ("held", "excluded"),
    [
        (recognised(Tier.HIGH_B, starts_on=date(2027, 1, 1)), True),
        (recognised(Tier.HIGH_B, valid_through=TODAY), True),
        (recognised(Tier.HIGH_B, valid_through=TODAY - timedelta(days=1)), False),
        (recognised(Tier.YOUTH, starts_on=date(2021, 11, 22)), False),
        (recognised(Tier.HIGH_B, state=RecognitionState.CLAIMED), False),
        (recognised(Tier.HIGH_B, state=RecognitionState.REVOKED), False),
        (recognised(Tier.RESERVE), False),
    ],
    ids=["to come", "last day", "over", "over five years", "claimed", "revoked", "reserve"],
)
def test_socialised_is_excluded_by_what_was_granted_and_has_not_expired(
    held: Recognition, excluded: bool
) -> None:
    if not excluded:
        require_may_be_socialised([held], TODAY)
        return
    with pytest.raises(tiers.SocialisedExcluded):
        require_may_be_socialised([held], TODAY)


class RecognitionLife(RuleBasedStateMachine):
    """A recognition that everyone tries to take everywhere; `met` is where the specification leaves it."""

    def __init__(self) -> None:
        super().__init__()
        self.recognition = Recognition(Tier.HIGH_C, RecognitionState.CLAIMED, TODAY)
        self.met = [RecognitionState.CLAIMED]

    def _take(self, after: RecognitionState) -> None:
        RECOGNITION.require(self.recognition.state, after)
        self.recognition = replace(self.recognition, state=after)
        self.met.append(after)

    @precondition(lambda self: self.met[-1] is RecognitionState.CLAIMED)
    @rule()
    def verify(self) -> None:
        self._take(RecognitionState.VERIFIED)

    @precondition(lambda self: self.met[-1] is RecognitionState.VERIFIED)
    @rule()
    def confirm(self) -> None:
        self._take(CONFIRMED)

    @precondition(lambda self: self.met[-1] is RecognitionState.VERIFIED)
    @rule()
    def refuse(self) -> None:
        self._take(RecognitionState.REVOKED)

    @precondition(lambda self: self.met[-1] is CONFIRMED)
    @rule(after=st.sampled_from(["ADJUSTED", "EXPIRED", "REVOKED"]))
    def end(self, after: str) -> None:
        self._take(RecognitionState(after))

    @rule(after=st.sampled_from(RecognitionState))
    def take_out_of_turn(self, after: RecognitionState) -> None:
        before = self.met[-1].value
        listed = {
            "CLAIMED": {"VERIFIED"},
            "VERIFIED": {"CONFIRMED", "REVOKED"},
            "CONFIRMED": {"ADJUSTED", "EXPIRED", "REVOKED"},
        }
        if after.value in listed.get(before, set()):
            return
        with pytest.raises(TransitionRefused) as refused:
            RECOGNITION.require(self.recognition.state, after)
        assert refused.value.code == "transition-refused"
        assert refused.value.params == {"before": before, "after": after.value}

    @invariant()
    def a_right_stands_on_a_confirmation_alone(self) -> None:
        granted = self.met[-1] in {CONFIRMED, RecognitionState.EXPIRED}
        assert self.recognition.is_live(TODAY) == granted
        assert not granted or CONFIRMED in self.met


TestRecognitionLife = RecognitionLife.TestCase
TestRecognitionLife.settings = settings(max_examples=30, stateful_step_count=12, deadline=None)
