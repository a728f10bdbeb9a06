"""Organisations and accounts."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from pydantic import ValidationError

from talentseal.accounts import service
from talentseal.accounts.models import OrganisationKind
from talentseal.accounts.roles import Actor, Role
from talentseal.accounts.schemas import AddAccount, AddOrganisation
from talentseal.errors import NotPermitted
from tests.accounts.test_credit_code import VALID
from tests.world import World


def command(name: str = "郑东银行") -> AddOrganisation:
    return AddOrganisation(name=name, credit_code=VALID, kind=OrganisationKind.FINANCIAL)


def test_one_credit_code_makes_one_organisation_however_many_come_at_once(world: World) -> None:
    now = world.clock.now()

    def add(_: int) -> str:
        try:
            return world.database.write(
                lambda session: service.add_organisation(session, Actor.console(), command(), now=now).id
            )
        except service.OrganisationExists:
            return ""

    with ThreadPoolExecutor(8) as pool:
        made = [each for each in pool.map(add, range(16)) if each]

    assert len(made) == 1


def test_only_the_operator_adds_organisations_and_accounts(world: World) -> None:
    partner, now = world.member("合作单位").actor, world.clock.now()

    with pytest.raises(NotPermitted):
        world.database.write(lambda session: service.add_organisation(session, partner, command(), now=now))
    joining = AddAccount(organisation=partner.organisation_id, name="新账户", role=Role.OPERATOR)
    with pytest.raises(NotPermitted):
        world.database.write(lambda session: service.add_account(session, partner, joining, now=now))


@pytest.mark.parametrize("name", ["", "  ", "行\u0000名", "a" * 201, "零\u200b宽"])
def test_names_that_cannot_be_shown_are_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        command(name)


def test_names_are_kept_in_one_unicode_form() -> None:
    assert command("Cafe\u0301 银行").name == "Caf\u00e9 银行"


def test_an_account_of_an_unknown_organisation_is_refused(world: World) -> None:
    joining = AddAccount(organisation="0x" + "11" * 32, name="无主", role=Role.PARTNER)
    now = world.clock.now()

    with pytest.raises(service.OrganisationNotFound):
        world.database.write(lambda session: service.add_account(session, Actor.console(), joining, now=now))
