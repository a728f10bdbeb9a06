"""Every member of the sets of reviews and of people's rights has a name that people read."""

from enum import StrEnum
from typing import Any

import jinja2
import pytest

from talentseal.app import HOLDINGS
from talentseal.talents.exporting import EVIDENCE
from talentseal.talents.models import AccessPurpose
from talentseal.talents.objection_models import ObjectionState
from talentseal.talents.objection_schemas import Against
from talentseal.talents.privacy_models import ConsentScope, WishState
from talentseal.talents.review_models import ReviewCause, ReviewState
from talentseal.talents.review_schemas import StepBy, Verdict
from talentseal.web.pages import TEMPLATES


def table(template: str, name: str) -> set[Any]:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), extensions=["jinja2.ext.i18n"], autoescape=True
    )
    environment.install_null_translations()  # type: ignore[attr-defined]  # by i18n
    environment.filters["beijing"] = str
    return set(getattr(environment.get_template(template).module, name))


@pytest.mark.parametrize(
    ("template", "name", "members"),
    [
        ("reviews/words.html", "CAUSES", ReviewCause),
        ("reviews/words.html", "REVIEW_STATES", ReviewState),
        ("reviews/words.html", "VERDICTS", Verdict),
        ("reviews/words.html", "EFFECTS", Verdict),
        ("reviews/words.html", "STEP_BY", StepBy),
        ("privacy/words.html", "SCOPES", ConsentScope),
        ("privacy/words.html", "WISH_STATES", WishState),
        ("talents/words.html", "ACCESS_PURPOSES", AccessPurpose),
        ("objections/words.html", "OBJECTION_STATES", ObjectionState),
        ("objections/words.html", "AGAINST", Against),
    ],
)
def test_a_table_of_names_holds_each_member_and_nothing_else(
    template: str, name: str, members: type[StrEnum]
) -> None:
    assert table(template, name) == {member.value for member in members}


def test_whatever_is_held_of_people_has_a_name() -> None:
    assert table("privacy/words.html", "HOLDINGS") == {*(each.name for each in HOLDINGS), EVIDENCE}
