"""API keys: shown once, kept hashed, refused the moment they are revoked."""

from collections.abc import Callable
from typing import Any

import argon2
import pytest

from talentseal.accounts import api_keys, service
from talentseal.accounts.api_keys import (
    Authenticator,
    BackOff,
    ConfirmedWrites,
    TooManyAttempts,
    Unauthenticated,
)
from talentseal.accounts.models import Account, ApiKey
from talentseal.accounts.roles import Actor, Permission
from talentseal.errors import NotPermitted
from tests.world import Member, World

FAST = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
ADDRESS = "192.0.2.1"


class Counting:
    """A hasher that counts how often it was asked to verify."""

    def __init__(self) -> None:
        self.verified = 0

    def hash(self, secret: str) -> str:
        return FAST.hash(secret)

    def verify(self, stored: str, secret: str) -> bool:
        self.verified += 1
        return FAST.verify(stored, secret)


class Ticking:
    """A monotonic clock that stands until moved."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def bank(world: World) -> Member:
    return world.member("郑东银行")


def give_key(world: World, member: Member, scopes: list[Permission] | None = None) -> api_keys.MintedKey:
    minted, now = api_keys.mint(FAST), world.clock.now()
    world.database.write(
        lambda session: (
            service.add_api_key(session, Actor.console(), member.actor.account_id, minted, scopes, now=now).id
        )
    )
    return minted


def opener(world: World, hasher: Any = FAST, monotonic: Callable[[], float] | None = None) -> Authenticator:
    return Authenticator(world.database, world.clock.now, hasher=hasher, monotonic=monotonic or Ticking())


def test_a_key_opens_its_account_and_the_table_holds_no_secret(world: World, bank: Member) -> None:
    minted = give_key(world, bank)

    actor = opener(world).authenticate(f"Bearer {minted.text}", ADDRESS)

    assert (actor.account_id, actor.organisation_id) == (bank.actor.account_id, bank.id)
    row = world.database.read(lambda session: session.get_one(ApiKey, minted.id))
    assert row.secret_hash.startswith("$argon2id$")
    assert minted.text.split("_", 2)[2] not in row.secret_hash
    assert row.last_used_at == world.clock.now()


def test_a_key_in_use_is_hashed_once_and_one_left_alone_for_a_day_again(world: World, bank: Member) -> None:
    minted, hasher, time = give_key(world, bank), Counting(), Ticking()
    door = opener(world, hasher, time)
    hashed = []

    for waited in (0, 1, 20 * 3600, 20 * 3600, api_keys.REMEMBERED_SECONDS + 1):
        time.seconds += waited
        door.authenticate(f"Bearer {minted.text}", ADDRESS)
        hashed.append(hasher.verified)

    assert hashed == [1, 1, 1, 1, 2]


def test_a_use_is_noted_to_within_five_minutes(world: World, bank: Member) -> None:
    minted, time = give_key(world, bank), Ticking()
    door, noted = opener(world, FAST, time), []

    for waited in (0, api_keys.NOTED_SECONDS, 1):
        time.seconds += waited
        world.clock.advance(seconds=max(1, waited))
        door.authenticate(f"Bearer {minted.text}", ADDRESS)
        row = world.database.read(lambda session: session.get_one(ApiKey, minted.id))
        noted.append(row.last_used_at == world.clock.now())

    assert noted == [True, False, True]


def stop(world: World, bank: Member, minted: api_keys.MintedKey, act: str) -> None:
    """End the use of a key."""
    now = world.clock.now()

    def write(session: Any) -> None:
        if act == "revoke":
            service.revoke_api_key(session, Actor.console(), minted.id, now=now)
        else:
            service.disable_account(session, Actor.console(), bank.actor.account_id, now=now)

    world.database.write(write)


@pytest.mark.parametrize("act", ["revoke", "disable"])
def test_a_remembered_key_is_refused_by_the_request_after_its_revocation(
    world: World, bank: Member, act: str
) -> None:
    minted, door = give_key(world, bank), opener(world)
    door.authenticate(f"Bearer {minted.text}", ADDRESS)

    stop(world, bank, minted, act)

    with pytest.raises(Unauthenticated):
        door.authenticate(f"Bearer {minted.text}", ADDRESS)


@pytest.mark.parametrize("act", ["revoke", "disable"])
def test_a_recalled_holder_writes_until_his_key_is_stopped(world: World, bank: Member, act: str) -> None:
    minted, door = give_key(world, bank), opener(world)
    header = f"Bearer {minted.text}"
    door.authenticate(header, ADDRESS)

    def rename(session: Any) -> None:
        session.get_one(Account, bank.actor.account_id).name += "改"

    def name() -> str:
        return str(world.database.read(lambda session: session.get_one(Account, bank.actor.account_id).name))

    recalled = door.recall(header)
    assert recalled is not None
    assert recalled.actor == door.authenticate(header, ADDRESS)
    writes = ConfirmedWrites(world.database, recalled)
    writes.write(rename)
    before = name()
    assert before.endswith("改")

    stop(world, bank, minted, act)

    with pytest.raises(Unauthenticated):
        writes.write(rename)
    assert name() == before


def test_nobody_is_recalled_but_whose_secret_was_verified_just_before(world: World, bank: Member) -> None:
    minted, hasher, time = give_key(world, bank), Counting(), Ticking()
    door, header = opener(world, hasher, time), f"Bearer {minted.text}"
    met = [door.recall(header)]
    door.authenticate(header, ADDRESS)

    met.append(door.recall(f"Bearer {minted.text[:-43]}{'A' * 43}"))
    met.append(opener(world).recall(header))
    time.seconds += api_keys.NOTED_SECONDS + 1
    met.append(door.recall(header))

    assert met == [None] * 4
    assert hasher.verified == 1
    with pytest.raises(Unauthenticated):
        door.recall("Bearer ts_")


@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Bearer ", "Basic abc", "Bearer ts_", "Bearer ts_zz_zz", "Bearer " + "a" * 9000],
)
def test_a_malformed_header_is_refused_without_a_hash(world: World, header: str | None) -> None:
    hasher = Counting()

    with pytest.raises(Unauthenticated):
        opener(world, hasher).authenticate(header, ADDRESS)

    assert hasher.verified == 0


def test_an_unknown_key_costs_the_same_hash_as_a_wrong_secret(world: World, bank: Member) -> None:
    minted, hasher = give_key(world, bank), Counting()
    door = opener(world, hasher)
    wrong = minted.text[:-43] + "A" * 43
    unknown = f"ts_{'0' * 16}_{'A' * 43}"

    for text in (wrong, unknown):
        with pytest.raises(Unauthenticated):
            door.authenticate(f"Bearer {text}", ADDRESS)

    assert hasher.verified == 2


def test_a_guesser_waits_longer_each_time_and_others_do_not(world: World, bank: Member) -> None:
    minted, time = give_key(world, bank), Ticking()
    door = opener(world, FAST, time)
    door.authenticate(f"Bearer {minted.text}", "198.51.100.7")
    wrong = f"Bearer {minted.text[:-43]}{'A' * 43}"

    for _ in range(api_keys.FREE_FAILURES):
        with pytest.raises(Unauthenticated):
            door.authenticate(wrong, ADDRESS)
    with pytest.raises(TooManyAttempts) as first:
        door.authenticate(wrong, ADDRESS)

    assert first.value.params["retry_after"] == 2
    # The rightful holder is known by now and is not held up, wherever he comes from.
    assert door.authenticate(f"Bearer {minted.text}", ADDRESS).account_id == bank.actor.account_id


def test_the_wait_doubles_up_to_a_quarter_of_an_hour() -> None:
    time = Ticking()
    back_off = BackOff(time)
    waits = []
    for _ in range(api_keys.FREE_FAILURES + 12):
        back_off.failed(ADDRESS)
        try:
            back_off.check(ADDRESS)
        except TooManyAttempts as wait:
            waits.append(int(wait.params["retry_after"]) - 1)
            time.seconds += 10_000

    assert waits[:4] == [1, 2, 4, 8]
    assert waits[-1] == api_keys.LONGEST_WAIT_SECONDS


def test_a_scoped_key_does_less_than_its_role(world: World, bank: Member) -> None:
    minted = give_key(world, bank, [Permission.AGREEMENT_READ])

    actor = opener(world).authenticate(f"Bearer {minted.text}", ADDRESS)

    actor.require(Permission.AGREEMENT_READ)
    with pytest.raises(NotPermitted):
        actor.require(Permission.AGREEMENT_SIGN)


def test_a_key_cannot_be_scoped_beyond_its_role(world: World, bank: Member) -> None:
    with pytest.raises(service.ScopeBeyondRole):
        give_key(world, bank, [Permission.SIGNING_KEY_DECIDE])
