"""The ordinary life of heads: anchored, confirmed, final; outages, refusals and the checks before signing."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from talentseal.anchoring import anchors, epochs
from talentseal.anchoring.models import ChainTransaction, Condition, Lane, Scope, TransactionState
from talentseal.anchoring.policy import AlarmKind, Policy
from talentseal.anchoring.service import Outcome
from talentseal.chain.memory_chain import MemoryChain
from talentseal.config import FinalityPolicy
from talentseal.evidence.models import Tile
from tests.anchoring.conftest import ANCHOR_KEY, Service, address_of, kinds, memory_chain
from tests.evidence.conftest import SetClock


def test_the_newest_checkpoint_is_anchored_and_final_in_one_round_on_an_instant_chain(
    database_url: str, serve: Callable[..., Service], chain: MemoryChain
) -> None:
    service = serve(database_url, chain)
    service.open()
    size = service.grow(5)

    tick = service.tick()

    assert (tick.outcome, tick.anchored_size, tick.final_size) == (Outcome.WORKED, size, size)
    assert chain.head().size == size
    assert service.tick().outcome is Outcome.IDLE


def test_only_the_newest_of_many_checkpoints_goes_to_the_chain(service: Service, chain: MemoryChain) -> None:
    size = service.grow(3, 300, 1, 40)

    service.tick()

    assert chain.head().size == size
    assert len(service.rows(Lane.ANCHOR)) == 1


def test_each_anchor_continues_the_last_and_nonces_have_no_gap(service: Service, chain: MemoryChain) -> None:
    for batch in (1, 2, 255, 256, 257, 7):
        service.grow(batch)
        service.tick()

    rows = service.rows(Lane.ANCHOR)
    assert [row.nonce for row in rows] == list(range(len(rows)))
    assert {row.state for row in rows} == {TransactionState.FINAL}
    assert chain.head().size == rows[-1].size


def test_an_outage_only_lets_the_lag_grow_and_one_transaction_drains_the_backlog(
    service: Service, chain: MemoryChain, clock: SetClock
) -> None:
    chain.is_down = True
    anchorer = service.anchorer_for(chain.chain_id, chain.contract)
    for _ in range(20):
        service.grow(3)
        clock.advance(hours=1)
        assert anchorer.tick().outcome is Outcome.UNREACHABLE
    assert service.condition() is Condition.UNREACHABLE

    chain.is_down = False
    tick = anchorer.tick()

    assert tick.final_size == chain.head().size > 60
    assert len(service.rows(Lane.ANCHOR)) == 1
    assert service.condition() is Condition.OK


def test_an_outage_calls_the_operator_once(service: Service, chain: MemoryChain) -> None:
    anchorer = service.anchorer()
    chain.is_down = True

    first, second = anchorer.tick(), anchorer.tick()

    assert (kinds(first), kinds(second)) == ({AlarmKind.CHAIN_UNREACHABLE}, set())


def test_with_a_depth_policy_a_head_is_final_only_under_that_many_blocks(
    serve: Callable[..., Service], sqlite_url: str, chain: MemoryChain
) -> None:
    service = serve(sqlite_url, chain, policy=Policy(finality=FinalityPolicy.DEPTH, depth=3))
    service.open()
    size = service.grow(4)

    assert (service.tick().anchored_size, service.marks()[1]) == (size, 0)
    chain.mine(2)
    assert service.tick().final_size == 0
    chain.mine(1)
    assert service.tick().final_size == size


def test_with_the_tag_policy_the_node_says_what_is_final(
    serve: Callable[..., Service], sqlite_url: str, chain: MemoryChain
) -> None:
    service = serve(sqlite_url, chain, policy=Policy(finality=FinalityPolicy.TAG))
    service.open()
    size = service.grow(4)
    chain.finalized_depth = 64

    assert service.tick().final_size == 0
    chain.mine(64)
    assert service.tick().final_size == size


def test_a_paused_registry_is_asked_again_until_the_pause_lapses(
    service: Service, chain: MemoryChain, clock: SetClock
) -> None:
    size = service.grow(2)
    chain.pause(int(clock.now().timestamp()) + 600)

    tick = service.tick()
    assert (tick.outcome, kinds(tick)) == (Outcome.WAITING, {AlarmKind.PAUSED})
    assert service.condition(Scope.ANCHOR) is Condition.PAUSED
    assert chain.sent == []

    clock.advance(seconds=601)
    assert service.tick().final_size == size
    assert service.condition(Scope.ANCHOR) is Condition.OK


def test_a_missing_role_stops_the_lane_until_an_operator_resumes_it(
    service: Service, chain: MemoryChain
) -> None:
    size = service.grow(2)
    chain.grant("ANCHOR")

    tick = service.tick()
    assert (tick.outcome, kinds(tick)) == (Outcome.STOPPED, {AlarmKind.ROLE_MISSING})
    chain.grant("ANCHOR", address_of(ANCHOR_KEY))
    assert service.tick().outcome is Outcome.STOPPED

    service.anchorer().resume(Scope.ANCHOR)
    assert service.tick().final_size == size


def test_another_history_on_the_chain_is_forked_and_nothing_is_signed(
    service: Service, chain: MemoryChain
) -> None:
    service.grow(4)
    service.tick()
    state = chain._blocks[-1].state
    state.roots[state.head_size] = b"\x66" * 32
    service.grow(4)

    tick = service.tick()

    assert (tick.outcome, kinds(tick)) == (Outcome.STOPPED, {AlarmKind.FORKED})
    assert service.condition() is Condition.FORKED
    assert len(chain.sent) == 1
    assert service.tick().outcome is Outcome.STOPPED


def test_a_chain_that_is_ahead_of_the_log_is_forked(service: Service, chain: MemoryChain) -> None:
    state = chain._blocks[-1].state
    state.head_size, state.roots[900] = 900, b"\x66" * 32
    service.grow(4)

    assert kinds(service.tick()) == {AlarmKind.FORKED}


def test_a_flipped_bit_in_the_tree_is_found_before_anything_is_signed(
    service: Service, chain: MemoryChain
) -> None:
    service.grow(4)
    service.database.write(lambda session: session.execute(update(Tile).values(hashes=b"\x01" * 128)))

    assert kinds(service.tick()) == {AlarmKind.FORKED}
    assert chain.sent == []


def test_a_head_that_stands_without_our_transaction_is_repeated_as_a_no_op(
    service: Service, chain: MemoryChain
) -> None:
    size = service.grow(4)
    service.tick()
    before = chain.head()
    service.restart()
    service.database.write(lambda session: session.query(ChainTransaction).delete())
    service.database.write(lambda session: epochs.move_progress(session, 0, 0))

    assert service.tick().final_size == size
    assert chain.head() == before


def test_anchors_keep_their_distance_when_the_network_is_dear(
    serve: Callable[..., Service], sqlite_url: str, chain: MemoryChain, clock: SetClock
) -> None:
    service = serve(sqlite_url, chain, policy=Policy(anchor_every=timedelta(minutes=10)))
    service.open()
    service.grow(2)
    service.tick()
    size = service.grow(2)

    assert service.tick().anchored_size < size
    clock.advance(minutes=10)
    assert service.tick().anchored_size == size


def test_without_an_epoch_nothing_is_carried(
    serve: Callable[..., Service], sqlite_url: str, chain: MemoryChain
) -> None:
    service = serve(sqlite_url, chain)
    service.grow(2)

    assert service.tick().outcome is Outcome.NO_EPOCH


def test_an_anchored_head_is_found_for_every_entry_under_it(service: Service, chain: MemoryChain) -> None:
    sizes = []
    for batch in (3, 4, 5):
        sizes.append(service.grow(batch))
        service.tick()

    def head_over(index: int) -> Any:
        return service.database.read(lambda session: anchors.anchored_head(session, index))

    assert [head_over(size - 1).size for size in sizes] == sizes
    assert head_over(sizes[0]).size == sizes[1]
    assert head_over(sizes[-1]) is None
    assert head_over(0).root == chain.head_at(sizes[0])


def test_the_status_counts_what_waits(service: Service) -> None:
    service.ask_keys()

    status = service.database.read(anchors.chain_status)

    assert (status.epoch, status.queued_acts, status.in_flight) == (1, 2, 0)


@pytest.mark.parametrize("free", [False, True], ids=["fees", "zero-fee"])
def test_both_kinds_of_network_are_served(
    serve: Callable[..., Service], sqlite_url: str, clock: SetClock, free: bool
) -> None:
    chain = memory_chain(clock, base_fee_wei=0 if free else 10**9)
    service = serve(sqlite_url, chain)
    service.open()
    size = service.grow(3)

    assert service.tick().final_size == size
    assert (service.rows()[0].max_fee_wei == 0) is free
