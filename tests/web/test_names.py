"""Every member of a closed set has a name that people read."""

from collections import Counter
from enum import StrEnum

import jinja2
import jinja2.nodes
import pytest

from sealproof.entry import Relation
from talentseal import app
from talentseal.accounts.roles import Role
from talentseal.agreements.models import Category
from talentseal.agreements.schemas import Period
from talentseal.agreements.states import AgreementState
from talentseal.evidence.events import Event
from talentseal.evidence.status import RecordState
from talentseal.partners.models import KeyState, OutletState, TerminalState
from talentseal.policy.states import InstrumentState
from talentseal.policy.tiers import Tier
from talentseal.web.pages import TEMPLATES


def table(name: str, template: str = "names.html") -> set[object]:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), extensions=["jinja2.ext.i18n"], autoescape=True
    )
    environment.install_null_translations()  # type: ignore[attr-defined]  # by i18n
    found: set[object] = set(getattr(environment.get_template(template).module, name))
    return found


@pytest.mark.parametrize(
    ("name", "sets"),
    [
        ("STATES", (AgreementState, RecordState, KeyState, OutletState, TerminalState, InstrumentState)),
        ("CATEGORIES", (Category,)),
        ("TIERS", (Tier,)),
        ("PERIODS", (Period,)),
        ("ROLES", (Role,)),
        ("RELATIONS", (Relation,)),
    ],
)
def test_a_table_of_names_holds_each_member_and_nothing_else(
    name: str, sets: tuple[type[StrEnum], ...]
) -> None:
    assert table(name) == {member.value for members in sets for member in members}


def test_every_kind_of_evidence_has_a_name() -> None:
    declared = [event for event in Event.__subclasses__() if event.__module__.startswith(app.__package__)]

    assert {event.kind for event in declared} == table("KINDS")


def test_no_table_in_a_template_names_anything_twice() -> None:
    environment = jinja2.Environment(extensions=["jinja2.ext.i18n"])
    doubled = {
        (path.name, key)
        for path in TEMPLATES.rglob("*.html")
        for table in environment.parse(path.read_text()).find_all(jinja2.nodes.Dict)
        for key, times in Counter(item.key.as_const() for item in table.items).items()
        if times > 1
    }
    assert doubled == set()
