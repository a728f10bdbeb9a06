"""The catalogue: who may provide what, what a version stands on, how it comes and goes."""

import pytest

from talentseal.benefits.models import BenefitState, Category
from tests.benefits.conftest import Shelf


@pytest.mark.parametrize("category", Category)
def test_a_benefit_of_each_category_is_published(sqlite_shelf: Shelf, category: Category) -> None:
    version = sqlite_shelf.published(category)
    assert version.state is BenefitState.PUBLISHED
