"""The card's states: whatever holder, issuer and date do in whatever order, only listed steps are taken."""

from collections.abc import Callable
from datetime import date, timedelta
from itertools import pairwise
from typing import ClassVar, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from talentseal.credentials.card_models import TalentCard
from talentseal.credentials.card_schemas import StepView
from talentseal.credentials.card_states import (
    IN_USE,
    MAKING,
    MOVES,
    CardStanding,
    CardState,
    standing_of,
)
from talentseal.credentials.cards import CodeNotActive
from talentseal.policy.tiers import Tier
from talentseal.states import TransitionRefused
from talentseal.talents.models import CodeState
from tests.credentials.card_hands import Holder, Issuer, nightly, state_of
from tests.talents.conftest import People
from tests.world import START

TODAY: Final = date(2026, 11, 26)
FINAL: Final = frozenset(CardState) - MAKING - IN_USE
BLOCKED: Final = {"approve", "personalise", "activate"}
"""What needs an active code."""


def leads_to(act: str, before: CardState) -> CardState | None:
    """Where an act leads, None where it is refused: the table of domain specification §1.2, said anew."""
    if act == "close":
        return None if before in FINAL else CardState.CLOSED
    return {
        ("take_up", CardState.REQUESTED): CardState.ISSUER_REVIEW,
        ("approve", CardState.ISSUER_REVIEW): CardState.APPROVED,
        ("decline", CardState.ISSUER_REVIEW): CardState.DECLINED,
        ("personalise", CardState.APPROVED): CardState.PERSONALISED,
        ("deliver", CardState.PERSONALISED): CardState.DELIVERED,
        ("activate", CardState.DELIVERED): CardState.ACTIVE,
        ("report_lost", CardState.ACTIVE): CardState.FROZEN,
        ("report_lost", CardState.FROZEN): CardState.FROZEN,
        ("put_back", CardState.FROZEN): CardState.ACTIVE,
    }.get((act, before))


ACTS: Final = (
    "take_up", "approve", "decline", "personalise", "deliver", "activate", "report_lost", "put_back", "close",
)  # fmt: skip


class CardMachine(RuleBasedStateMachine):
    """One card at a time, with its code and the calendar."""

    crowd: ClassVar[People]
    bank: ClassVar[Issuer]

    @initialize()
    def asked(self) -> None:
        self.crowd.world.clock.moment = START
        self.holder = Holder(self.crowd)
        self.card: TalentCard = self.holder.ask(self.bank)[0]
        self.state, self.code = CardState.REQUESTED, CodeState.ACTIVE

    @rule(act=st.sampled_from(ACTS))
    def attempt(self, act: str) -> None:
        hand: Callable[[TalentCard], TalentCard] = getattr(self.bank, act, None) or getattr(self.holder, act)
        after = leads_to(act, self.state)
        if after is None:
            with pytest.raises(TransitionRefused):
                hand(self.card)
        elif act in BLOCKED and self.code is not CodeState.ACTIVE:
            with pytest.raises(CodeNotActive):
                hand(self.card)
        else:
            self.card, self.state = hand(self.card), after

    @rule()
    def code_is_suspended_or_restored(self) -> None:
        suspended = self.code is CodeState.ACTIVE
        self.code = CodeState.SUSPENDED if suspended else CodeState.ACTIVE
        self.holder.code_becomes(self.code)

    @rule()
    def years_go_by(self) -> None:
        self.crowd.world.clock.advance(days=1096)
        nightly(self.crowd)
        if self.state in {CardState.PERSONALISED, CardState.DELIVERED, *IN_USE}:
            self.state = CardState.EXPIRED

    @invariant()
    def the_row_says_what_was_done(self) -> None:
        assert state_of(self.crowd, self.card) is self.state

    @invariant()
    def the_steps_are_listed_ones(self) -> None:
        steps: list[StepView] = self.holder.sees(self.card).steps
        states = [step.state for step in steps]
        assert states[0] is CardState.REQUESTED
        assert all(MOVES.allows(*pair) for pair in pairwise(states))
        assert states[-1] is self.state

    @invariant()
    def nothing_of_the_code_is_carried_into_the_card(self) -> None:
        standing = self.holder.standing(self.card)
        suspended = self.code is CodeState.SUSPENDED and self.state is CardState.ACTIVE
        assert standing is (CardStanding.SUSPENDED if suspended else CardStanding(self.state.value))


def test_whatever_is_done_in_whatever_order_only_listed_steps_are_taken(sqlite_crowd: People) -> None:
    class Machine(CardMachine):
        crowd, bank = sqlite_crowd, Issuer(sqlite_crowd)

    run_state_machine_as_test(
        Machine, settings=settings(max_examples=12, stateful_step_count=14, deadline=None)
    )


@given(
    st.sampled_from(CardState),
    st.sampled_from(CodeState),
    st.sampled_from(Tier),
    st.sampled_from(Tier),
    st.integers(-2, 2),
)
def test_how_a_card_stands_follows_from_its_state_its_codes_and_the_date(
    state: CardState, code: CodeState, printed: Tier, tier: Tier, days_left: int
) -> None:
    last_day = TODAY + timedelta(days=days_left)

    met = standing_of(state, code, printed=printed, tier=tier, valid_through=last_day, today=TODAY)

    if state in FINAL:
        assert met.value == state.value
    elif code in {CodeState.TERMINATED, CodeState.CANCELLED}:
        assert met is CardStanding.TERMINATED
    elif days_left < 0:
        assert met is CardStanding.EXPIRED
    elif state is not CardState.ACTIVE:
        assert met.value == state.value
    elif code is not CodeState.ACTIVE:
        assert met is CardStanding.SUSPENDED
    else:
        assert (met is CardStanding.REISSUE_REQUIRED) == (printed is not tier)


def test_nothing_follows_what_has_ended() -> None:
    assert {state for state in CardState if not MOVES.table[state]} == FINAL
