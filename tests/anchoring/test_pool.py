"""Between sent and mined: rebroadcast, raised prices, lost transactions, foreign use, two workers."""

import itertools
import threading
from collections.abc import Callable
from datetime import timedelta

import pytest

from talentseal import failpoints
from talentseal.anchoring.models import Condition, Lane, Scope, TransactionState
from talentseal.anchoring.policy import AlarmKind, Policy
from talentseal.anchoring.service import Outcome
from talentseal.chain.memory_chain import MemoryChain, read_transaction
from talentseal.chain.port import Fees
from tests.anchoring.conftest import ANCHOR_KEY, Service, address_of, kinds, memory_chain
from tests.evidence.conftest import SetClock

FREE = Fees(0, None)


@pytest.fixture
def slow(service: Service, chain: MemoryChain) -> Service:
    """Blocks come only when the test mines one."""
    chain.mines_on_demand = False
    return service


def test_an_unmined_transaction_is_sent_again_ever_more_rarely(slow: Service, chain: MemoryChain) -> None:
    slow.grow(1)
    sends = []
    for _second in range(60):
        slow.tick()
        sends.append(len(chain.sent))
        slow.clock.advance(seconds=1)

    first_seen = [sends.index(count) for count in sorted(set(sends))]
    assert first_seen == [0, 1, 3, 7, 15, 30, 45]


def test_a_transaction_that_the_pool_forgot_comes_back(slow: Service, chain: MemoryChain) -> None:
    size = slow.grow(1)
    slow.tick()
    for _ in range(200):
        chain.drop(slow.rows()[0].hash)
        slow.clock.advance(seconds=16)
        slow.tick()
        assert slow.rows()[-1].hash in chain.pool
    chain.mine()

    assert slow.tick().final_size == size


def test_a_raised_price_keeps_payload_and_nonce(slow: Service) -> None:
    slow.grow(1)
    for _ in range(4):
        slow.tick()
        slow.clock.advance(seconds=61)

    rows = slow.rows()
    assert {(row.nonce, row.payload) for row in rows} == {(0, rows[0].payload)}
    steps = list(itertools.pairwise(rows))
    assert len(steps) == 3
    for former, later in steps:
        assert later.max_fee_wei * 8 >= former.max_fee_wei * 9
        assert (later.priority_fee_wei or 0) * 8 >= (former.priority_fee_wei or 1) * 9


@pytest.mark.parametrize("place", [0, 1, 2, 3])
def test_whichever_candidate_is_mined_the_others_are_superseded(
    slow: Service, chain: MemoryChain, place: int
) -> None:
    size = slow.grow(1)
    for _ in range(4):
        slow.tick()
        slow.clock.advance(seconds=61)
    chosen = slow.rows()[place]
    chain.pool.clear()
    chain.pool[chosen.hash] = read_transaction(bytes(chosen.raw))
    chain.mine()

    assert slow.tick().final_size == size
    states = [row.state for row in slow.rows()]
    assert states.pop(place) is TransactionState.FINAL
    assert set(states) == {TransactionState.SUPERSEDED}


def test_the_price_stops_at_the_cap(serve: Callable[..., Service], sqlite_url: str, clock: SetClock) -> None:
    chain = memory_chain(clock, mines_on_demand=False)
    service = serve(sqlite_url, chain, policy=Policy(fee_cap_wei=4 * 10**9))
    service.open()
    service.grow(1)
    for _ in range(10):
        service.tick()
        clock.advance(seconds=61)

    assert max(row.max_fee_wei for row in service.rows()) <= 4 * 10**9
    assert len(service.rows()) == 3


def test_on_a_free_chain_nothing_is_ever_replaced(
    serve: Callable[..., Service], sqlite_url: str, clock: SetClock
) -> None:
    chain = memory_chain(clock, mines_on_demand=False, base_fee_wei=0)
    service = serve(sqlite_url, chain)
    service.open()
    service.grow(1)
    for _ in range(10):
        service.tick()
        clock.advance(seconds=61)

    assert len(service.rows()) == 1
    assert len(set(chain.sent)) == 1 < len(chain.sent)


@pytest.mark.parametrize(
    ("former", "market", "raised"),
    [
        (Fees(800, 80), Fees(100, 10), Fees(900, 90)),
        (Fees(801, 81), Fees(100, 10), Fees(902, 92)),
        (Fees(800, 80), Fees(5000, 200), Fees(5000, 200)),
        (Fees(800, None), Fees(100, None), Fees(900, None)),
        (Fees(9000, 80), Fees(100, 10), None),
        (Fees(800, 80), Fees(50_000, 10), Fees(10_000, 90)),
        (FREE, FREE, None),
    ],
)
def test_a_step_is_an_eighth_on_both_fields(former: Fees, market: Fees, raised: Fees | None) -> None:
    assert Policy(fee_cap_wei=10_000).raised(former, market) == raised


def test_a_long_wait_calls_the_operator_with_the_nodes_words(slow: Service, chain: MemoryChain) -> None:
    slow.grow(1)
    chain.loses_requests = True
    slow.tick()
    slow.clock.advance(seconds=130)

    alarms = slow.tick().alarms

    assert [alarm.kind for alarm in alarms] == [AlarmKind.STUCK]
    assert "connection refused" in alarms[0].detail


def test_foreign_use_of_the_key_stops_the_lane_and_only_that(slow: Service, chain: MemoryChain) -> None:
    slow.grow(1)
    slow.tick()
    chain.pool.clear()
    chain.spend_nonce(address_of(ANCHOR_KEY))
    chain.mines_on_demand = True
    slow.ask_keys()

    assert kinds(slow.tick()) == set()
    slow.clock.advance(seconds=6)
    tick = slow.tick()

    assert kinds(tick) == {AlarmKind.NONCE_TAKEN}
    assert slow.condition(Scope.ANCHOR) is Condition.STOPPED
    assert slow.condition(Scope.REGISTRAR) is Condition.OK
    assert {row.state for row in slow.rows(Lane.REGISTRAR)} == {TransactionState.FINAL}


def test_after_foreign_use_an_operator_lets_the_lane_go_on_behind_it(
    slow: Service, chain: MemoryChain
) -> None:
    size = slow.grow(1)
    slow.tick()
    chain.pool.clear()
    chain.spend_nonce(address_of(ANCHOR_KEY))
    chain.spend_nonce(address_of(ANCHOR_KEY))
    slow.tick(2, seconds=6)
    chain.mines_on_demand = True

    slow.anchorer().resume(Scope.ANCHOR)

    assert slow.tick().final_size == size
    assert [(row.nonce, row.state) for row in slow.rows()] == [
        (0, TransactionState.SUPERSEDED),
        (2, TransactionState.FINAL),
    ]


def test_foreign_use_while_nothing_is_in_flight_is_noticed_before_signing(
    service: Service, chain: MemoryChain
) -> None:
    service.grow(1)
    service.tick()
    chain.spend_nonce(address_of(ANCHOR_KEY))
    service.grow(1)

    assert kinds(service.tick()) == {AlarmKind.NONCE_TAKEN}
    assert len(chain.sent) == 1


def test_two_workers_at_once_put_one_payload_on_a_nonce(
    serve: Callable[..., Service], database_url: str, chain: MemoryChain
) -> None:
    service = serve(database_url, chain)
    service.open()
    size = 0
    for _ in range(10):
        size = service.grow(2)
        barrier = threading.Barrier(4)

        def work(barrier: threading.Barrier = barrier) -> None:
            anchorer = service.anchorer()
            barrier.wait()
            anchorer.tick()

        workers = [threading.Thread(target=work) for _ in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        service.tick(2)

    assert service.marks() == (size, size)
    nonces = [row.nonce for row in service.rows()]
    assert nonces == list(range(len(nonces)))


def test_a_worker_that_slept_through_a_change_drops_what_it_signed(
    service: Service, chain: MemoryChain
) -> None:
    size = service.grow(2)
    sleeper, other = service.anchorer(), service.anchorer()

    def take_over(name: str) -> None:
        if name == "anchor.signed":
            failpoints.arm(None)
            other.tick()

    failpoints.arm(take_over)
    tick = sleeper.tick()

    assert tick.outcome in (Outcome.WAITING, Outcome.WORKED)
    assert [row.nonce for row in service.rows()] == [0]
    assert service.marks() == (size, size)
    assert len(set(chain.sent)) == 1


def test_reverted_anchors_stop_the_lane_instead_of_burning_gas(slow: Service, chain: MemoryChain) -> None:
    """The simulation passes each time, the block reverts each time: somebody pauses in between."""
    slow.grow(1)
    now = slow.clock.now
    alarms = set()
    for _ in range(12):
        alarms |= kinds(slow.tick())
        chain._blocks[-1].state.paused_until = int(now().timestamp()) + 1
        chain.mine()
        chain._blocks[-1].state.paused_until = 0
        slow.clock.advance(seconds=20)

    assert [row.state for row in slow.rows()] == [TransactionState.REVERTED] * 3
    assert AlarmKind.REVERTED in alarms
    assert slow.condition(Scope.ANCHOR) is Condition.STOPPED

    chain.mines_on_demand = True
    slow.anchorer().resume(Scope.ANCHOR)
    assert slow.tick().final_size == 1 + 1


def test_the_pause_between_sends_grows_from_one_to_fifteen_seconds() -> None:
    pauses = [Policy().resend_in(sends) for sends in range(1, 8)]

    assert pauses == [timedelta(seconds=seconds) for seconds in (1, 2, 4, 8, 15, 15, 15)]
