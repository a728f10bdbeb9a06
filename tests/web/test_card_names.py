"""Whatever the pages of cards say of a closed set has a name that people read."""

from enum import StrEnum

import pytest

from talentseal.credentials.card_models import CardForm, CardProof, DeclineCategory, DeliveryWay
from talentseal.credentials.card_schemas import Stage
from talentseal.credentials.card_states import CardStanding, CardState
from tests.web.test_names import table


@pytest.mark.parametrize(
    ("name", "members"),
    [
        ("STANDINGS", CardStanding),
        ("STAGES", Stage),
        ("CATEGORIES", DeclineCategory),
        ("WAYS", DeliveryWay),
        ("PROOFS", CardProof),
        ("FORMS", CardForm),
    ],
)
def test_a_table_of_names_holds_each_member_and_nothing_else(name: str, members: type[StrEnum]) -> None:
    assert table(name, "cards/words.html") == {member.value for member in members}


def test_a_card_stands_in_each_of_its_own_states() -> None:
    assert {state.value for state in CardState} < {standing.value for standing in CardStanding}
