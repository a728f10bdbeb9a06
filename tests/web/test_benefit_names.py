"""Everything about benefits and what they stand on has a name that people read."""

from enum import StrEnum

import pytest

from talentseal.accounts.models import OrganisationKind
from talentseal.benefits.models import BenefitState, Category, QuotaPeriod, Showing
from talentseal.partners.access_models import AccessState, MandateState
from talentseal.partners.modules import Module
from talentseal.policy.measure_models import MeasureState
from tests.web.test_names import table


@pytest.mark.parametrize(
    ("name", "members"),
    [
        ("CATEGORIES", Category),
        ("STATES", BenefitState),
        ("SHOWINGS", Showing),
        ("QUOTA_PERIODS", QuotaPeriod),
        ("MANDATE_STATES", MandateState),
        ("MODULES", Module),
        ("ACCESS_STATES", AccessState),
        ("MEASURE_STATES", MeasureState),
        ("KINDS", OrganisationKind),
    ],
)
def test_a_table_of_names_holds_each_member_and_nothing_else(name: str, members: type[StrEnum]) -> None:
    assert table(name, "benefits/words.html") == {each.value for each in members}
