"""Everything about redemptions has a name that people read."""

from enum import StrEnum

import pytest

from talentseal.evidence.status import RecordState
from talentseal.redemptions import reading
from talentseal.redemptions.models import RedemptionState, Release
from talentseal.redemptions.refusals import Refusal
from tests.web.test_names import table


@pytest.mark.parametrize(
    ("name", "members"),
    [
        ("REDEMPTION_STATES", RedemptionState),
        ("RELEASES", Release),
        ("EVIDENCE_WORDS", RecordState),
        ("WHY_NOT", Refusal),
        ("REMEDIES", Refusal),
    ],
)
def test_a_table_of_names_holds_each_member_and_nothing_else(name: str, members: type[StrEnum]) -> None:
    assert table(name, "redemptions/words.html") == {each.value for each in members}


def test_every_field_that_can_be_shown_has_a_name() -> None:
    assert table("FIELD_NAMES", "redemptions/words.html") == set(reading.DISCLOSABLE)
