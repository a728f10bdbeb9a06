"""Who asks at the counter: terminal, outlet and staff that belong together now, or one same refusal."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from talentseal.accounts import service as accounts
from talentseal.accounts.roles import Actor, Permission, Role
from talentseal.db import Database
from talentseal.errors import NotPermitted
from talentseal.partners import counter
from talentseal.partners.counter import AtBrowser, AtDevice, Counter, Place, TerminalUnknown
from talentseal.partners.models import Outlet, TerminalKind
from tests.partners.counters import Manager, and_then, asked
from tests.world import SetClock, World, make_world

WAIT = 30.0
"""Seconds after which a test is given up."""


class Scene:
    """A bank's outlet with a device and a clerk; and another outlet, which has both too."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.bank = Manager(world, world.joined("郑东银行"))
        self.outlet, self.elsewhere = self.bank.open("东区支行"), self.bank.open("西区支行")
        self.clerk, self.other_clerk = self.bank.person("柜员甲"), self.bank.person("柜员乙")
        self.bank.bind(self.outlet, self.clerk)
        self.bank.bind(self.elsewhere, self.other_clerk)
        self.device = self.bank.device(self.outlet)
        self.other_device = self.bank.device(self.elsewhere)

    @property
    def at_device(self) -> Place:
        return AtDevice(self.clerk.account_id)

    @property
    def at_browser(self) -> Place:
        return AtBrowser(self.outlet.id)

    def browser_of(self, outlet: Outlet) -> str:
        """The id of its built-in terminal."""
        found = [each for each in self.bank.sheet(outlet).terminals if each.kind is TerminalKind.BROWSER]
        assert len(found) == 1
        return found[0].id

    def disable(self, person: Actor) -> None:
        now: datetime = self.world.clock.now()
        self.world.database.write(
            lambda session: accounts.disable_account(session, Actor.console(), person.account_id, now=now)
        )


@pytest.fixture
def scene(world: World) -> Scene:
    """On both kinds of database."""
    return Scene(world)


@pytest.fixture
def postgres_scene(postgres_url: str, clock: SetClock, tmp_path: Path) -> Iterator[Scene]:
    """On PostgreSQL alone: SQLite has one writer at a time anyway."""
    with contextmanager(make_world)(postgres_url, clock, tmp_path) as world:
        yield Scene(world)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as threads:
        yield threads


@pytest.fixture
def sqlite_scene(sqlite_world: World) -> Scene:
    return Scene(sqlite_world)


def test_a_device_stands_at_its_outlet_and_names_who_works_at_it(scene: Scene) -> None:
    met = asked(scene.world, scene.device.actor, scene.at_device)

    assert met == Counter(scene.bank.member.id, scene.outlet.id, scene.device.row.id, scene.clerk.account_id)


def test_whoever_is_signed_in_serves_at_the_outlet_he_chose(scene: Scene) -> None:
    met = asked(scene.world, scene.clerk, scene.at_browser)

    browser = scene.browser_of(scene.outlet)
    assert met == Counter(scene.bank.member.id, scene.outlet.id, browser, scene.clerk.account_id)


def test_one_person_may_serve_at_several_outlets(sqlite_scene: Scene) -> None:
    scene = sqlite_scene
    scene.bank.bind(scene.elsewhere, scene.clerk)

    met = [asked(scene.world, scene.clerk, AtBrowser(each.id)) for each in (scene.outlet, scene.elsewhere)]

    assert [each.outlet for each in met] == [scene.outlet.id, scene.elsewhere.id]
    served = scene.world.database.read(lambda session: counter.served_by(session, scene.clerk))
    assert [each.name for each in served] == ["东区支行", "西区支行"]


BREAKS: dict[str, Callable[[Scene], object]] = {
    "terminal revoked": lambda scene: scene.bank.revoke(scene.device.row),
    "outlet closed": lambda scene: scene.bank.close(scene.outlet),
    "staff released": lambda scene: scene.bank.release(scene.outlet, scene.clerk),
    "account disabled": lambda scene: scene.disable(scene.clerk),
}


@pytest.mark.parametrize("cause", BREAKS)
def test_what_is_out_of_use_is_refused_from_the_next_call_on(sqlite_scene: Scene, cause: str) -> None:
    scene = sqlite_scene
    asked(scene.world, scene.device.actor, scene.at_device)

    BREAKS[cause](scene)

    with pytest.raises(TerminalUnknown):
        asked(scene.world, scene.device.actor, scene.at_device)
    if cause != "terminal revoked":
        with pytest.raises(TerminalUnknown):
            asked(scene.world, scene.clerk, scene.at_browser)
        served = scene.world.database.read(lambda session: counter.served_by(session, scene.clerk))
        assert served == [] or cause == "account disabled"


STRANGERS: dict[str, Callable[[Scene], tuple[Actor, Place]]] = {
    "no staff named": lambda scene: (scene.device.actor, AtDevice("")),
    "staff who is nobody": lambda scene: (scene.device.actor, AtDevice("0" * 32)),
    "staff of another outlet": lambda scene: (scene.device.actor, AtDevice(scene.other_clerk.account_id)),
    "the device named as its staff": lambda scene: (
        scene.device.actor,
        AtDevice(scene.device.actor.account_id),
    ),
    "a person's key in a terminal's place": lambda scene: (scene.clerk, scene.at_device),
    "a device in a browser's place": lambda scene: (scene.device.actor, scene.at_browser),
    "an outlet where he does not serve": lambda scene: (scene.clerk, AtBrowser(scene.elsewhere.id)),
    "an outlet that is none": lambda scene: (scene.clerk, AtBrowser("0" * 32)),
    "whoever manages it and does not serve": lambda scene: (scene.bank.actor, scene.at_browser),
}


@pytest.mark.parametrize("case", STRANGERS)
def test_what_does_not_belong_together_is_refused_by_one_sentence(sqlite_scene: Scene, case: str) -> None:
    actor, place = STRANGERS[case](sqlite_scene)

    with pytest.raises(TerminalUnknown) as refusal:
        asked(sqlite_scene.world, actor, place)

    assert (refusal.value.code, refusal.value.status) == ("terminal-unknown", 403)
    assert refusal.value.params == {}


def test_another_organisations_counter_is_as_unknown_as_none(sqlite_scene: Scene) -> None:
    scene = sqlite_scene
    stranger = scene.world.joined("别的银行").actor

    for actor, place in [
        (stranger, scene.at_browser),
        (stranger, scene.at_device),
        # As if an account had changed its organisation: neither its device nor its binding go along.
        (replace(scene.clerk, organisation_id=stranger.organisation_id), scene.at_browser),
        (replace(scene.device.actor, organisation_id=stranger.organisation_id), scene.at_device),
    ]:
        with pytest.raises(TerminalUnknown):
            asked(scene.world, actor, place)


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.TALENT_OFFICE, Role.BIG_DATA_BUREAU, Role.LEADING_GROUP])
def test_a_role_that_serves_nowhere_is_told_so(sqlite_scene: Scene, role: Role) -> None:
    actor = sqlite_scene.bank.person(role=role)

    with pytest.raises(NotPermitted) as refusal:
        asked(sqlite_scene.world, actor, sqlite_scene.at_browser)

    assert refusal.value.params["permission"] == Permission.COUNTER_SERVE


def test_a_device_learns_where_it_stands_and_whom_it_may_name(sqlite_scene: Scene) -> None:
    scene = sqlite_scene
    gone = scene.bank.person("柜员丙")
    scene.bank.bind(scene.outlet, gone)
    scene.disable(gone)

    met = scene.world.database.read(lambda session: counter.post_of(session, scene.device.actor))

    assert (met.outlet.id, met.terminal.id) == (scene.outlet.id, scene.device.row.id)
    assert [each.name for each in met.staff] == ["柜员甲"]
    with pytest.raises(TerminalUnknown):
        scene.world.database.read(lambda session: counter.post_of(session, scene.clerk))


ENDS: dict[str, Callable[[Scene], object]] = {
    "terminal revoked": lambda scene: scene.bank.revoke(scene.device.row),
    "staff released": lambda scene: scene.bank.release(scene.outlet, scene.clerk),
    "outlet closed": lambda scene: scene.bank.close(scene.outlet),
}


@pytest.mark.parametrize("end", ENDS)
def test_an_end_waits_for_the_act_under_way_and_none_begun_later_passes(
    postgres_scene: Scene, pool: ThreadPoolExecutor, end: str
) -> None:
    scene, begun = postgres_scene, list[Future[object]]()

    def end_it_meanwhile() -> None:
        begun.append(pool.submit(ENDS[end], scene))
        until_it_waits(scene.world.database, begun[-1])

    met = scene.world.database.write(and_then(scene.device.actor, scene.at_device, end_it_meanwhile))

    assert met.terminal == scene.device.row.id
    begun[0].result(WAIT)
    with pytest.raises(TerminalUnknown):
        asked(scene.world, scene.device.actor, scene.at_device)


@pytest.mark.parametrize("end", ENDS)
def test_an_act_that_meets_an_end_under_way_waits_and_is_refused(
    postgres_scene: Scene, pool: ThreadPoolExecutor, end: str
) -> None:
    scene, begun = postgres_scene, list[Future[Counter]]()

    def ask_meanwhile() -> None:
        begun.append(pool.submit(asked, scene.world, scene.device.actor, scene.at_device))
        until_it_waits(scene.world.database, begun[-1])

    scene.bank.before_commit = ask_meanwhile
    ENDS[end](scene)

    with pytest.raises(TerminalUnknown):
        begun[0].result(WAIT)


def until_it_waits(database: Database, act: Future[Any]) -> None:
    """Until some transaction waits for another one. Raises AssertionError when `act` is done before."""
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    ends = time.monotonic() + WAIT
    while not database.read(lambda session: session.scalar(waiting)):
        assert not act.done(), "it did not wait"
        assert time.monotonic() < ends


def test_two_acts_at_one_terminal_do_not_wait_for_each_other(
    postgres_scene: Scene, pool: ThreadPoolExecutor
) -> None:
    scene = postgres_scene

    def ask_meanwhile() -> None:
        other = pool.submit(asked, scene.world, scene.device.actor, scene.at_device)
        assert other.result(WAIT).terminal == scene.device.row.id

    scene.world.database.write(and_then(scene.device.actor, scene.at_device, ask_meanwhile))
