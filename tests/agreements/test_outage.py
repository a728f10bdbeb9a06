"""A chain that is down, reorganised or wiped delays evidence; it never loses, doubles or falsely ends it."""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from talentseal import evidence
from talentseal.anchoring.models import ChainTransaction, Lane
from talentseal.anchoring.policy import AlarmKind
from talentseal.anchoring.service import Anchorer, Outcome, Tick
from talentseal.evidence import Event
from talentseal.evidence.models import ActKind, ActState, EvidenceRecord, RegistryAct
from talentseal.evidence.sealing import Sealer
from talentseal.evidence.status import RecordState, log_status
from tests.world import World


@dataclass(frozen=True, slots=True)
class Redeemed(Event):
    """Stands for a redemption, which a later part of the product brings."""

    kind: ClassVar[int] = 30
    place: int


def redeem(world: World, count: int) -> None:
    now = world.clock.now()
    for place in range(count):
        redeemed = partial(evidence.record, event=Redeemed(place), now=now)
        world.database.write(redeemed)


def round_(world: World) -> Tick:
    world.clock.advance(seconds=2)
    Sealer(world.database, world.head_store, world.signer, world.clock, "test").tick()
    return Anchorer(world.database, world.chain, world.senders(), world.clock).tick()


def states(world: World, kind: ActKind) -> list[ActState]:
    query = select(RegistryAct.state).where(RegistryAct.kind == kind)
    return world.database.read(lambda session: list(session.scalars(query)))


def record_states(world: World) -> set[RecordState]:
    def read(session: Session) -> set[RecordState]:
        status = log_status(session)
        return {status.state_at(index) for index in session.scalars(select(EvidenceRecord.log_index))}

    return world.database.read(read)


def sent(world: World, lane: Lane) -> int:
    query = select(func.count(ChainTransaction.hash)).where(ChainTransaction.lane == lane)
    return world.database.read(lambda session: session.scalar(query) or 0)


@pytest.mark.scenario(63)
def test_with_the_node_down_all_is_accepted_and_anchored_once_after_recovery(world: World) -> None:
    bank, office = world.member("甲"), world.member("乙")
    world.settle()
    anchors = sent(world, Lane.ANCHOR)
    world.chain.is_down = True

    world.signed(bank, office)
    redeem(world, 100)
    outcomes = {round_(world).outcome for _ in range(5)}
    waiting = (states(world, ActKind.CONCLUDE), record_states(world) - {RecordState.FINAL})
    world.chain.is_down = False
    world.settle()

    assert outcomes == {Outcome.UNREACHABLE}
    assert waiting == ([ActState.QUEUED], {RecordState.SEALED})
    assert states(world, ActKind.CONCLUDE) == [ActState.FINAL]
    assert record_states(world) == {RecordState.FINAL}
    assert sent(world, Lane.ANCHOR) == anchors + 1


@pytest.mark.scenario(64)
def test_what_a_reorganisation_took_back_is_queued_again_and_alarmed(world: World) -> None:
    bank, office = world.member("甲"), world.member("乙")
    world.signed(bank, office)
    world.settle()
    world.chain.mines_on_demand = False

    world.chain.reorganise(3)
    tick = round_(world)
    taken_back = (states(world, ActKind.CONCLUDE), RecordState.FINAL in record_states(world))
    world.chain.mines_on_demand = True
    world.chain.mine()
    world.settle()

    assert {alarm.kind for alarm in tick.alarms} & {AlarmKind.REORGANISED, AlarmKind.FINALITY_BROKEN}
    assert taken_back[0] == [ActState.SUBMITTED]
    assert states(world, ActKind.CONCLUDE) == [ActState.FINAL]
    assert record_states(world) == {RecordState.FINAL}


@pytest.mark.scenario(64)
def test_after_a_chain_reset_nothing_is_called_anchored_and_an_alarm_is_raised(world: World) -> None:
    world.signed(world.member("甲"), world.member("乙"))
    world.settle()

    world.chain.wipe()
    tick = round_(world)
    redeem(world, 3)
    later = round_(world)

    assert (tick.outcome, later.outcome) == (Outcome.CHAIN_RESET, Outcome.CHAIN_RESET)
    assert AlarmKind.CHAIN_RESET in {alarm.kind for alarm in tick.alarms}
    assert record_states(world) == {RecordState.SEALED}
