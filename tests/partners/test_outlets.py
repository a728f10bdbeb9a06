"""Outlets: opened and closed, terminals added and revoked, staff bound and released, by whose they are."""

from collections import Counter as Tally
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import select

from talentseal.accounts import service as accounts
from talentseal.accounts.models import Account, ApiKey
from talentseal.accounts.roles import PERMISSIONS, Actor, Permission, Role
from talentseal.errors import NotPermitted, TalentSealError
from talentseal.partners import outlets
from talentseal.partners.models import Outlet, OutletState, TerminalKind, TerminalState
from tests.partners.counters import Manager
from tests.world import World


@pytest.fixture
def bank(sqlite_world: World) -> Manager:
    return Manager(sqlite_world, sqlite_world.joined("郑东银行"))


@pytest.fixture
def outlet(bank: Manager) -> Outlet:
    return bank.open()


def test_an_outlet_opens_with_a_terminal_for_browsers_and_nobody_at_it(bank: Manager, outlet: Outlet) -> None:
    sheet = bank.sheet(outlet)

    assert (sheet.state, sheet.closed_at) == (OutletState.OPEN, None)
    assert [(each.kind, each.state) for each in sheet.terminals] == [
        (TerminalKind.BROWSER, TerminalState.LIVE)
    ]
    assert sheet.staff == []


def test_a_closed_outlet_keeps_its_history(bank: Manager, outlet: Outlet) -> None:
    clerk, opened_at = bank.person(), bank.world.clock.now()
    bank.bind(outlet, clerk)
    bank.device(outlet)
    closed_at = bank.world.clock.advance(days=1)

    bank.close(outlet)
    bank.world.clock.advance(days=1)
    bank.close(outlet)

    sheet = bank.sheet(outlet)
    assert (sheet.state, sheet.opened_at, sheet.closed_at) == (OutletState.CLOSED, opened_at, closed_at)
    assert [each.revoked_at for each in sheet.terminals] == [closed_at, closed_at]
    assert [(each.account, each.bound_at, each.ended_at) for each in sheet.staff] == [
        (clerk.account_id, opened_at, closed_at)
    ]


def test_a_closed_outlet_takes_neither_terminals_nor_staff(bank: Manager, outlet: Outlet) -> None:
    clerk = bank.person()
    bank.close(outlet)

    with pytest.raises(outlets.OutletClosed):
        bank.bind(outlet, clerk)
    with pytest.raises(outlets.OutletClosed):
        bank.device(outlet)


def test_a_name_is_free_again_once_its_outlet_is_closed(bank: Manager, outlet: Outlet) -> None:
    with pytest.raises(outlets.OutletExists):
        bank.open(outlet.name)

    bank.close(outlet)

    assert bank.open(outlet.name).id != outlet.id


def test_two_organisations_may_use_one_name(bank: Manager, outlet: Outlet) -> None:
    other = Manager(bank.world, bank.world.joined("另一银行"))

    assert other.open(outlet.name).id != outlet.id


def test_outlets_are_listed_by_name_a_page_at_a_time(bank: Manager) -> None:
    names = ["丙店", "乙店", "甲店", "甲二店"]
    for name in names:
        bank.open(name)
    bank.close(bank.open("丁店"))

    def page(after: str) -> list[Outlet]:
        return bank.world.database.read(
            lambda session: outlets.outlets_of(session, bank.actor, after=after, limit=2)
        )

    listed, after = list[str](), ""
    while rows := page(after):
        listed += [row.name for row in rows]
        after = rows[-1].id
    assert listed == sorted([*names, "丁店"])


def test_a_terminals_key_opens_its_counter_alone(bank: Manager, outlet: Outlet) -> None:
    device = bank.device(outlet)

    key = bank.world.database.read(lambda session: session.get_one(ApiKey, device.key.id))

    assert (key.scopes, key.account_id) == (Permission.COUNTER_SERVE.value, device.row.account_id)


def test_a_revoked_terminal_leaves_neither_key_nor_account_in_use(bank: Manager, outlet: Outlet) -> None:
    device, other = bank.device(outlet), bank.device(outlet, "二号柜台")
    revoked_at = bank.world.clock.advance(hours=1)

    bank.revoke(device.row)
    bank.world.clock.advance(hours=1)
    again = bank.revoke(device.row)

    assert again.revoked_at == revoked_at
    keys, machines = bank.world.database.read(
        lambda session: (
            {key.id: key.revoked_at for key in session.scalars(select(ApiKey))},
            {account.id: account.disabled_at for account in session.scalars(select(Account))},
        )
    )
    assert keys == {device.key.id: revoked_at, other.key.id: None}
    assert machines[device.actor.account_id] == revoked_at
    assert machines[other.actor.account_id] is None


def test_a_terminals_name_is_free_again_once_it_is_revoked(bank: Manager, outlet: Outlet) -> None:
    device = bank.device(outlet, "一号柜台")
    with pytest.raises(outlets.TerminalExists):
        bank.device(outlet, "一号柜台")

    bank.revoke(device.row)

    assert bank.device(outlet, "一号柜台").row.id != device.row.id


def test_the_browsers_terminal_is_not_revoked_by_itself(bank: Manager, outlet: Outlet) -> None:
    browser = bank.sheet(outlet).terminals[0]

    with pytest.raises(outlets.BrowserTerminalStays):
        bank.act(outlets.revoke_terminal, outlet.id, browser.id)


def test_whoever_is_bound_again_has_a_history_of_both(bank: Manager, outlet: Outlet) -> None:
    clerk = bank.person()
    for _ in range(2):
        bank.bind(outlet, clerk)
        bank.world.clock.advance(hours=1)
        first = bank.release(outlet, clerk)
        assert bank.release(outlet, clerk) == first

    assert [each.ended_at is not None for each in bank.sheet(outlet).staff] == [True, True]


def test_whoever_never_served_there_is_not_released(bank: Manager, outlet: Outlet) -> None:
    with pytest.raises(outlets.StaffNotFound):
        bank.release(outlet, bank.person())


def test_only_people_of_the_organisation_who_can_serve_are_bound(bank: Manager, outlet: Outlet) -> None:
    auditor, gone = bank.person("审计员", Role.AUDITOR), bank.person("离职")
    now = bank.world.clock.now()
    bank.world.database.write(
        lambda session: accounts.disable_account(session, Actor.console(), gone.account_id, now=now)
    )
    device, stranger = bank.device(outlet), bank.world.joined("另一银行").actor

    for refused in (auditor, gone, device.actor):
        with pytest.raises(outlets.StaffRefused):
            bank.bind(outlet, refused)
    with pytest.raises(accounts.AccountNotFound):
        bank.bind(outlet, stranger)
    clerk = bank.person()
    offered = bank.world.database.read(lambda session: outlets.may_be_bound(session, bank.actor, outlet.id))
    assert {each.id for each in offered} == {bank.actor.account_id, clerk.account_id}


Write = Callable[[Manager, Outlet, Actor], object]
RACES: dict[str, tuple[type[TalentSealError], Write]] = {
    "staff": (outlets.StaffBound, lambda bank, outlet, clerk: bank.bind(outlet, clerk)),
    "terminal": (outlets.TerminalExists, lambda bank, outlet, _clerk: bank.device(outlet, "同名")),
    "outlet": (outlets.OutletExists, lambda bank, _outlet, _clerk: bank.open("同名")),
}


@pytest.mark.parametrize("what", RACES)
def test_of_several_at_once_one_is_entered_and_the_others_are_told(world: World, what: str) -> None:
    refusal, write = RACES[what]
    bank = Manager(world, world.joined("郑东银行"))
    outlet, clerk = bank.open(), bank.person()

    def attempt(_number: int) -> str:
        try:
            write(bank, outlet, clerk)
        except refusal:
            return "told"
        return "entered"

    with ThreadPoolExecutor(6) as pool:
        met = Tally(pool.map(attempt, range(6)))

    assert met == {"entered": 1, "told": 5}


ACTS: dict[str, Callable[[Manager, Outlet], Any]] = {
    "look": lambda manager, outlet: manager.sheet(outlet),
    "close": lambda manager, outlet: manager.close(outlet),
    "add a terminal": lambda manager, outlet: manager.device(outlet),
    "bind": lambda manager, outlet: manager.bind(outlet, manager.actor),
    "release": lambda manager, outlet: manager.release(outlet, manager.actor),
}


@pytest.mark.parametrize("act", ACTS)
def test_another_organisations_outlet_is_not_there(bank: Manager, outlet: Outlet, act: str) -> None:
    other = Manager(bank.world, bank.world.joined("另一银行"))

    with pytest.raises(outlets.OutletNotFound):
        ACTS[act](other, outlet)


def test_a_terminal_is_revoked_at_its_own_outlet_alone(bank: Manager, outlet: Outlet) -> None:
    device, elsewhere = bank.device(outlet), bank.open("另一支行")

    with pytest.raises(outlets.TerminalNotFound):
        bank.act(outlets.revoke_terminal, elsewhere.id, device.row.id)
    other = Manager(bank.world, bank.world.joined("另一银行"))
    with pytest.raises(outlets.OutletNotFound):
        other.act(outlets.revoke_terminal, outlet.id, device.row.id)


@pytest.mark.parametrize("role", [role for role in Role if Permission.OUTLET_MANAGE not in PERMISSIONS[role]])
def test_a_role_that_honours_no_benefits_has_no_outlets(sqlite_world: World, role: Role) -> None:
    manager = Manager(sqlite_world, sqlite_world.joined("别的机构", role=role))

    with pytest.raises(NotPermitted):
        manager.open()
