"""The loops: woken by a write, never ended by a failure, gone when told."""

import threading
import time
from collections.abc import Iterator

import pytest
from sqlalchemy import select

from talentseal import evidence
from talentseal import worker as workers
from talentseal.credentials.card_schemas import Stage
from talentseal.demonstration import scheme
from talentseal.evidence import status
from talentseal.nightly import LOOK_EVERY
from talentseal.partners.models import OrganisationKey
from talentseal.policy.models import InstrumentAct
from talentseal.policy.tiers import Tier
from talentseal.worker import (
    SEAL_EVERY,
    TELL_EVERY,
    Loop,
    Worker,
    sealing,
    telling_issuers,
    tidying,
    turning,
    watching_keys,
)
from tests.accounts.test_sessions import RULES
from tests.credentials.card_hands import Holder, Issuer
from tests.talents.conftest import high, in_force
from tests.world import World, clock, sqlite_world, world

__all__ = ["clock", "sqlite_world", "world"]


def wait_until(claim: object, seconds: float = 10.0) -> bool:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if claim():  # type: ignore[operator]
            return True
        time.sleep(0.01)
    return False


@pytest.fixture
def sealer(world: World) -> Iterator[Worker]:
    loop = sealing(world.database, world.head_store, world.signer, world.clock, holder="test")
    worker = Worker([loop, tidying(world.database, world.clock, RULES)])
    worker.start()
    yield worker
    worker.stop()


def test_a_write_wakes_the_sealer_well_within_a_second(world: World, sealer: Worker) -> None:
    assert wait_until(lambda: world.database.read(status.log_status).signed_size > 0)
    before, begun = world.database.read(status.log_status).signed_size, time.monotonic()

    world.member("合作单位")

    assert wait_until(lambda: world.database.read(status.log_status).signed_size > before, 1.0)
    assert time.monotonic() - begun < 1.0
    assert len(sealer.loops) == 2


@pytest.mark.parametrize(("batch", "rest"), [(4096, SEAL_EVERY), (1, 0.0)])
def test_the_sealer_gathers_before_its_next_round_unless_more_is_left(
    sqlite_world: World, monkeypatch: pytest.MonkeyPatch, batch: int, rest: float
) -> None:
    world = sqlite_world
    for module in (evidence.sealing, workers):
        monkeypatch.setattr(module, "BATCH", batch)
    loop = sealing(world.database, world.head_store, world.signer, world.clock, holder="test")
    world.member("合作单位")

    assert loop.tick() == rest


def test_a_failing_round_is_repeated_and_does_not_end_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "SHORTEST_PAUSE", 0.01)
    rounds = []

    def tick() -> float:
        rounds.append(1)
        if len(rounds) < 3:
            raise RuntimeError("not yet")
        return 60.0

    worker = Worker([Loop("test", tick)])
    worker.start()

    assert wait_until(lambda: len(rounds) == 3)
    worker.stop()


def test_stopping_lets_the_round_in_progress_finish() -> None:
    entered, finished = threading.Event(), threading.Event()

    def tick() -> float:
        entered.set()
        time.sleep(0.2)
        finished.set()
        return 60.0

    worker = Worker([Loop("test", tick)])
    worker.start()
    entered.wait(5)
    worker.stop()

    assert finished.is_set()


def test_a_woken_loop_does_not_wait_for_its_time() -> None:
    rounds = []

    def tick() -> float:
        rounds.append(1)
        return 60.0

    loop = Loop("test", tick, gather=0.01)
    worker = Worker([loop])
    worker.start()
    assert wait_until(lambda: len(rounds) == 1)
    loop.wake()

    assert wait_until(lambda: len(rounds) == 2)
    worker.stop()


def test_a_nonce_that_moved_on_the_chain_is_noticed(world: World) -> None:
    bank = world.member("郑东银行")
    world.settle()
    world.database.write(
        lambda session: setattr(session.get_one(OrganisationKey, (bank.id, bank.address)), "nonce", 7)
    )

    watching_keys(world.database, lambda: world.chain).tick()

    met = world.database.read(lambda session: session.get_one(OrganisationKey, (bank.id, bank.address)).nonce)
    assert met == 0


def test_the_day_is_turned_by_the_worker_once(world: World) -> None:
    scheme.load_instruments(world.database, now=world.clock.now())
    loops = [turning(world.database, world.clock) for _ in range(2)]

    rests = [loop.tick() for loop in loops]

    assert rests == [LOOK_EVERY, LOOK_EVERY]
    steps = world.database.read(lambda session: session.scalars(select(InstrumentAct.step)).all())
    assert sorted(steps) == ["ENTERED", "ENTERED", "EXPIRED", "IN_FORCE", "IN_FORCE"]


def test_issuers_are_told_of_a_changed_tier_within_a_round(world: World) -> None:
    crowd = in_force(world)
    bank, holder = Issuer(crowd), Holder(crowd, crowd.holder(claim=high(Tier.HIGH_E)))
    card, loop = holder.active(bank), telling_issuers(world.database, world.clock)
    world.clock.advance(seconds=1)
    crowd.confirm(holder.actor)
    assert bank.waiting(Stage.REISSUE) == []

    rests = [loop.tick(), loop.tick()]

    assert rests == [TELL_EVERY, TELL_EVERY]
    assert [row.id for row in bank.waiting(Stage.REISSUE)] == [card.id]
