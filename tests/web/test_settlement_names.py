"""Everything about settlements and contribution value has a name that people read."""

from enum import StrEnum

import pytest

from talentseal.contributions.models import RewardKind, RewardState
from talentseal.redemptions.settlement_models import Cycle, SettlementState, Side
from tests.web.test_names import table


@pytest.mark.parametrize(
    ("name", "source", "members"),
    [
        ("STATES", "settlements", SettlementState),
        ("CYCLES", "settlements", Cycle),
        ("SIDES", "settlements", Side),
        ("KINDS", "contributions", RewardKind),
        ("STATES", "contributions", RewardState),
    ],
)
def test_a_table_of_names_holds_each_member_and_nothing_else(
    name: str, source: str, members: type[StrEnum]
) -> None:
    assert table(name, f"{source}/words.html") == {each.value for each in members}
