"""A door for tests: fast hashes, a clock that stands, people with a password and an authenticator."""

from dataclasses import dataclass, field
from datetime import timedelta

import argon2
import pyotp

from talentseal.accounts import invitations, second_factor
from talentseal.accounts.arrival import Arrival
from talentseal.accounts.invitations import Acceptance
from talentseal.accounts.passwords import Passwords
from talentseal.accounts.roles import Actor
from talentseal.accounts.second_factor import SecretBox
from talentseal.accounts.sessions import SessionRules
from talentseal.accounts.signing_in import Door
from talentseal.accounts.throttle import Throttle
from talentseal.app import holds_key, open_domain
from tests.world import Member, World

FAST = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
BOX = SecretBox(bytes(range(32)))
RULES = SessionRules(timedelta(minutes=30), timedelta(hours=12), secure=False)
PASSWORD = "春风又绿江南岸 虚构口令"
ORIGIN = "http://testserver"


class Ticking:
    """A monotonic clock that stands until moved."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


class Counting(Passwords):
    """Counts how often a hash was compared, and against which."""

    def __init__(self) -> None:
        super().__init__(FAST)
        self.compared: list[str | None] = []

    def matches(self, stored: str | None, password: str) -> bool:
        self.compared.append(stored)
        return super().matches(stored, password)


def door_of(throttle: Throttle | None = None, passwords: Passwords | None = None) -> Door:
    return Door(
        passwords=passwords or Passwords(FAST),
        box=BOX,
        throttle=throttle or Throttle(Ticking()),
        issuer="log.test.example",
        origin=ORIGIN,
        domain=open_domain,
        holds_key=holds_key,
    )


def arrival_of(world: World, address: str = "192.0.2.1", brought: str = "") -> Arrival:
    return Arrival(world.database, RULES, world.clock.now(), address, "Firefox", brought)


@dataclass(frozen=True, slots=True)
class Person:
    """Someone who can sign in. secret: of his authenticator."""

    account: str
    name: str
    secret: str = field(repr=False)
    recovery_codes: list[str] = field(repr=False)

    def code(self, world: World, steps: int = 0) -> str:
        """What the authenticator shows, now or some steps from now."""
        step = int(world.clock.now().timestamp()) // 30 + steps
        return str(pyotp.TOTP(self.secret).generate_otp(step))


def invite(world: World, member: Member, name: str) -> str:
    """The code of a fresh invitation."""
    code, now = invitations.new_code(), world.clock.now()
    world.database.write(
        lambda session: (
            invitations.invite(
                session, Actor.console(), member.actor.account_id, name, code=code, box=BOX, now=now
            ).expires_at
        )
    )
    return code


def secret_of(world: World, code: str) -> str:
    now = world.clock.now()
    return world.database.read(lambda session: invitations.invited(session, code, BOX, now=now)).secret


def acceptance(world: World, invitation: str, password: str) -> Acceptance:
    """What the invited person sends: his password twice, and his authenticator's code of now."""
    code = pyotp.TOTP(secret_of(world, invitation)).at(world.clock.now())
    return Acceptance(invitation, password, password, code)


def enrol(world: World, member: Member, name: str = "lin", password: str = PASSWORD) -> Person:
    """Take the member's person through an invitation; a minute passes, so that his next code is fresh."""
    invitation = invite(world, member, name)
    secret, given = secret_of(world, invitation), acceptance(world, invitation, password)
    accepted = invitations.accept(door_of(), arrival_of(world), given)
    world.clock.advance(seconds=60)
    assert second_factor.matching_step(secret, given.code, now=world.clock.now()) is None
    return Person(member.actor.account_id, name, secret, accepted.recovery_codes)
