"""The demonstration's people: invented, marked so, and there in state folders of older versions too."""

import json
from pathlib import Path

from sqlalchemy.orm import Session

from talentseal.accounts import api_keys, demonstration, service
from talentseal.accounts.demonstration import Person
from talentseal.accounts.models import OrganisationKind
from talentseal.accounts.roles import PERMISSIONS, Actor, Role
from talentseal.accounts.schemas import AddAccount, AddOrganisation
from talentseal.demonstration import scheme
from talentseal.partners import counter
from talentseal.partners.models import Outlet
from tests.accounts.test_credit_code import VALID
from tests.api.conftest import FAST
from tests.world import World


def people(world: World) -> list[Person]:
    return world.database.read(demonstration.people)


def serving(world: World, body: scheme.Body) -> list[Outlet]:
    """Where the organisation's invented person serves."""
    account = next(each.account for each in people(world) if each.organisation == body.name)
    actor = Actor(account, body.organisation, body.role, PERMISSIONS[body.role])
    return world.database.read(lambda session: counter.served_by(session, actor))


def enter(world: World, folder: Path) -> scheme.Cast:
    folder.mkdir(exist_ok=True)
    return scheme.enter(world.database, folder, now=world.clock.now())


def test_eight_people_are_there_once_however_often_they_are_entered(world: World, tmp_path: Path) -> None:
    first = enter(world, tmp_path / "cast")
    met = people(world)

    again = enter(world, tmp_path / "cast")

    assert (again, people(world)) == (first, met)
    assert [len(serving(world, body)) for body in first.partners] == [1, 1]
    assert [each.role for each in met] == [
        Role.OPERATOR,
        Role.PARTNER,
        Role.PARTNER,
        Role.AUDITOR,
        Role.TALENT_OFFICE,
        Role.BIG_DATA_BUREAU,
        Role.FINANCIAL_AFFAIRS_BUREAU,
        Role.LEADING_GROUP,
    ]
    assert all("虚构" in each.name and "虚构" in each.organisation for each in met)
    assert [each.organisation for each in met][1:3] == [first.bank.name, first.merchant.name]


def test_a_state_folder_of_an_older_version_is_added_to(sqlite_world: World, tmp_path: Path) -> None:
    world, folder, now = sqlite_world, tmp_path / "cast", sqlite_world.clock.now()
    folder.mkdir()
    joining = AddOrganisation(name="虚构老银行（演示）", credit_code=VALID, kind=OrganisationKind.FINANCIAL)
    minted = api_keys.mint(FAST)

    def older(session: Session) -> tuple[str, str]:
        console = Actor.console()
        bank = service.add_organisation(session, console, joining, now=now)
        command = AddAccount(organisation=bank.id, name="虚构老银行（演示）经办", role=Role.PARTNER)
        holder = service.add_account(session, console, command, now=now)
        service.add_api_key(session, console, holder.id, minted, None, now=now)
        return bank.id, holder.id

    bank, clerk = world.database.write(older)
    (folder / "cast.json").write_text(json.dumps({"bank": bank}), "utf-8")

    cast = enter(world, folder)

    assert cast.bank.organisation == bank
    assert clerk in {each.account for each in people(world)}
    assert len(people(world)) == 8
