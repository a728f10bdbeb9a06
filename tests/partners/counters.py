"""Outlets with terminals and staff, and hands that manage them, for the tests of counters."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import argon2
from sqlalchemy.orm import Session

from talentseal.accounts import api_keys
from talentseal.accounts import service as accounts
from talentseal.accounts.api_keys import MintedKey
from talentseal.accounts.roles import PERMISSIONS, Actor, Role
from talentseal.accounts.schemas import AddAccount
from talentseal.partners import counter, outlets
from talentseal.partners.counter import Counter, Place
from talentseal.partners.models import Outlet, Terminal
from talentseal.partners.schemas import AddTerminal, BindStaff, OpenOutlet, OutletSheet
from tests.world import Member, World

FAST = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
T = TypeVar("T")
Act = Callable[[Session, datetime], T]
"""One act of a service at a time."""


@dataclass(frozen=True, slots=True)
class Device:
    """A terminal with its key. actor: who its calls are by."""

    row: Terminal
    key: MintedKey
    actor: Actor


class Manager:
    """Somebody of an organisation who manages its outlets."""

    def __init__(self, world: World, member: Member) -> None:
        self.world = world
        self.member = member
        self.before_commit: Callable[[], None] = lambda: None
        """What goes on while an act of his is done and not committed."""

    @property
    def actor(self) -> Actor:
        return self.member.actor

    def open(self, name: str = "龙子湖支行", address: str = "龙子湖路 1 号") -> Outlet:
        command = OpenOutlet(name=name, address=address)
        return self._write(lambda session, now: outlets.open_outlet(session, self.actor, command, now=now))

    def close(self, outlet: Outlet) -> Outlet:
        return self._write(lambda session, now: outlets.close_outlet(session, self.actor, outlet.id, now=now))

    def person(self, name: str = "柜员甲", role: Role = Role.PARTNER) -> Actor:
        """A new account of the organisation."""
        command = AddAccount(organisation=self.member.id, name=name, role=role)
        account = self._write(
            lambda session, now: accounts.add_account(session, Actor.console(), command, now=now)
        )
        return Actor(account.id, self.member.id, role, PERMISSIONS[role])

    def bind(self, outlet: Outlet, person: Actor) -> str:
        """The id of the binding."""
        command = BindStaff(account=person.account_id)
        return self._write(
            lambda session, now: outlets.bind_staff(session, self.actor, outlet.id, command, now=now).id
        )

    def release(self, outlet: Outlet, person: Actor) -> str:
        return self._write(
            lambda session, now: (
                outlets.release_staff(session, self.actor, outlet.id, person.account_id, now=now).id
            )
        )

    def device(self, outlet: Outlet, name: str = "一号柜台") -> Device:
        command, minted = AddTerminal(name=name), api_keys.mint(FAST)
        row = self._write(
            lambda session, now: outlets.add_terminal(
                session, self.actor, outlet.id, command, minted, now=now
            )
        )
        actor = Actor(row.account_id or "", self.member.id, self.actor.role, outlets.TERMINAL_SCOPES)
        return Device(row, minted, actor)

    def revoke(self, terminal: Terminal) -> Terminal:
        return self._write(
            lambda session, now: outlets.revoke_terminal(
                session, self.actor, terminal.outlet_id, terminal.id, now=now
            )
        )

    def act(self, function: Callable[..., T], *given: str) -> T:
        """Any act of `outlets`, by identifiers."""
        return self._write(lambda session, now: function(session, self.actor, *given, now=now))

    def sheet(self, outlet: Outlet) -> OutletSheet:
        return self.world.database.read(lambda session: outlets.sheet_of(session, self.actor, outlet.id))

    def _write(self, act: Act[T]) -> T:
        now = self.world.clock.now()

        def work(session: Session) -> T:
            done = act(session, now)
            self.before_commit()
            return done

        return self.world.database.write(work)


def asked(world: World, actor: Actor, place: Place) -> Counter:
    """At which counter the actor asks."""
    return world.database.write(lambda session: counter.counter_of(session, actor, place))


def and_then(actor: Actor, place: Place, follow: Callable[[], None]) -> Callable[[Session], Counter]:
    """Asking, with something that goes on before the commit."""

    def work(session: Session) -> Counter:
        met = counter.counter_of(session, actor, place)
        follow()
        return met

    return work
