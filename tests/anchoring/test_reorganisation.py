"""Blocks that vanish: what was in them goes back, the same bytes go out again, nothing is falsely final."""

from collections.abc import Callable
from functools import partial

import pytest
from sqlalchemy.orm import Session

from talentseal.anchoring.models import ChainTransaction, Condition, Lane, TransactionState
from talentseal.anchoring.policy import AlarmKind, Policy
from talentseal.anchoring.service import Outcome
from talentseal.chain.memory_chain import MemoryChain
from talentseal.config import FinalityPolicy
from talentseal.evidence.models import ActState
from tests.anchoring.conftest import Service, kinds


@pytest.fixture
def deep(serve: Callable[..., Service], sqlite_url: str, chain: MemoryChain) -> Service:
    """Blocks are final under 70 others."""
    service = serve(sqlite_url, chain, policy=Policy(finality=FinalityPolicy.DEPTH, depth=70))
    service.open()
    return service


@pytest.mark.parametrize("returns_to_pool", [False, True])
@pytest.mark.parametrize("depth", [1, 2, 3, 5, 10, 64])
def test_a_reorganisation_of_any_depth_is_healed_with_the_same_bytes(
    deep: Service, chain: MemoryChain, depth: int, returns_to_pool: bool
) -> None:
    first = deep.grow(2)
    deep.tick()
    chain.mine(70)
    deep.tick()
    size = deep.grow(2)
    assert deep.tick().anchored_size == size
    chain.mine(depth - 1)

    chain.mines_on_demand = False
    chain.reorganise(depth, returns_to_pool=returns_to_pool)
    if returns_to_pool:
        chain.mine(0)
    tick = deep.tick()

    if not returns_to_pool:
        assert (tick.anchored_size, tick.final_size) == (first, first)
    assert AlarmKind.REORGANISED in kinds(tick)
    chain.mines_on_demand = True
    chain.mine(71)
    deep.tick()
    assert deep.marks() == (size, size)
    assert len(set(chain.sent)) == 2


def test_several_lost_anchors_come_back_in_the_order_of_their_nonces(
    deep: Service, chain: MemoryChain
) -> None:
    size = 0
    for _ in range(4):
        size = deep.grow(1)
        deep.tick()
    chain.reorganise(4)

    tick = deep.tick(5)

    assert tick.anchored_size == size
    assert [row.nonce for row in deep.rows()] == [0, 1, 2, 3]
    assert len(set(chain.sent)) == 4


def test_an_instantly_final_block_that_vanishes_is_shouted_about_and_taken_back(
    service: Service, chain: MemoryChain
) -> None:
    size = service.grow(2)
    assert service.tick().final_size == size
    chain.mines_on_demand = False
    chain.reorganise(1)

    tick = service.tick()

    assert kinds(tick) == {AlarmKind.FINALITY_BROKEN}
    assert (tick.anchored_size, tick.final_size) == (0, 0)
    chain.mine()
    assert service.tick().final_size == size


def test_a_final_block_deeper_than_the_recheck_that_vanishes_is_a_chain_reset(
    service: Service, chain: MemoryChain
) -> None:
    service.grow(2)
    service.tick()
    chain.mine(65)
    chain.reorganise(66)

    tick = service.tick()

    assert (tick.outcome, tick.anchored_size, tick.final_size) == (Outcome.CHAIN_RESET, 0, 0)
    assert service.condition() is Condition.CHAIN_RESET


def test_a_reorganised_act_goes_back_and_is_carried_again(deep: Service, chain: MemoryChain) -> None:
    ids = deep.ask_keys()
    deep.tick(3)
    assert [deep.act(act_id).state for act_id in ids] == [ActState.MINED] * 2
    chain.mines_on_demand = False
    chain.reorganise(2)

    deep.tick()
    assert [deep.act(act_id).state for act_id in ids] == [ActState.SUBMITTED] * 2

    chain.mines_on_demand = True
    chain.mine()
    deep.tick(3)
    assert [deep.act(act_id).state for act_id in ids] == [ActState.MINED] * 2
    assert len(set(chain.sent)) == 2


def test_what_was_seen_in_a_lost_block_too_late_for_the_look_is_sent_again(
    deep: Service, chain: MemoryChain
) -> None:
    """One worker reads a receipt, the block vanishes, another looks and goes on; then the first writes."""
    deep.ask_keys()
    deep.tick(2)
    stale = deep.rows(Lane.REGISTRAR)[0]
    chain.mines_on_demand = False
    chain.reorganise(2)
    deep.tick()
    chain.mines_on_demand = True
    size = deep.grow(2)
    other = deep.anchorer_for(chain.identity().chain_id, chain.contract, [Lane.ANCHOR])
    other.tick()
    other.tick()
    deep.database.write(partial(seen_in, stale))

    chain.mine(72)
    tick = deep.tick()
    assert AlarmKind.REORGANISED in kinds(tick)
    assert tick.final_size == size, "what is on the chain is final all the same"
    deep.tick()
    chain.mine(72)
    deep.tick(2)

    assert deep.rows(Lane.REGISTRAR)[0].state is TransactionState.FINAL


def seen_in(stale: ChainTransaction, session: Session) -> None:
    """The transaction is in the block in which it was before."""
    row = session.get_one(ChainTransaction, (stale.epoch_id, stale.hash))
    row.state, row.block_number, row.block_hash = TransactionState.MINED, stale.block_number, stale.block_hash


def test_a_head_is_not_final_while_the_contract_holds_another_root(deep: Service, chain: MemoryChain) -> None:
    size = deep.grow(2)
    deep.tick()
    chain.mine(70)
    chain._blocks[-1].state.roots[size] = b"\x66" * 32

    assert deep.tick().final_size == 0


def test_a_superseded_candidate_takes_over_when_the_mined_one_is_reorganised_away(
    deep: Service, chain: MemoryChain
) -> None:
    chain.mines_on_demand = False
    size = deep.grow(1)
    for _ in range(2):
        deep.tick()
        deep.clock.advance(seconds=61)
    chain.mine()
    deep.tick()
    assert [row.state for row in deep.rows()] == [TransactionState.SUPERSEDED, TransactionState.MINED]

    chain.reorganise(1)
    deep.tick()

    assert {row.state for row in deep.rows()} == {TransactionState.SIGNED}
    chain.mine()
    assert deep.tick().anchored_size == size
