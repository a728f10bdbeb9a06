"""Tables of transitions: what is listed is allowed, everything else is refused by one code."""

from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talentseal.states import TransitionRefused, Transitions


class Lamp(StrEnum):
    NEW = "NEW"
    ON = "ON"
    OFF = "OFF"
    BROKEN = "BROKEN"


TABLES = st.fixed_dictionaries({state: st.frozensets(st.sampled_from(Lamp)) for state in Lamp})


@given(TABLES, st.sampled_from(Lamp), st.sampled_from(Lamp))
def test_a_transition_is_made_if_and_only_if_it_is_listed(
    table: dict[Lamp, frozenset[Lamp]], before: Lamp, after: Lamp
) -> None:
    transitions = Transitions(table)

    if after in table[before]:
        transitions.require(before, after)
        return
    with pytest.raises(TransitionRefused) as refused:
        transitions.require(before, after)
    assert refused.value.code == "transition-refused"
    for sentence in (refused.value.sentence_zh, refused.value.sentence_en):
        assert before.value in sentence
        assert after.value in sentence


@given(TABLES, st.sampled_from(Lamp))
def test_a_table_without_a_line_for_each_state_is_none(
    table: dict[Lamp, frozenset[Lamp]], missing: Lamp
) -> None:
    with pytest.raises(ValueError, match="a line for each state"):
        Transitions({state: after for state, after in table.items() if state is not missing})
