"""The anchorer on a real node: Anvil killed, wiped, reorganised, its pool emptied, its gas made free."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from eth_utils.crypto import keccak

from chainkit.deploy import Deployment
from chainkit.node import Anvil
from talentseal.anchoring import epochs
from talentseal.anchoring.models import Condition, Lane, Scope, TransactionState
from talentseal.anchoring.policy import AlarmKind, Policy
from talentseal.anchoring.service import Outcome
from talentseal.config import FinalityPolicy
from talentseal.evidence.models import ActState
from tests.anchoring.conftest import ANCHOR_KEY, Service, address_of, kinds
from tests.anchoring.registry import ADMIN, PromptAnvil, identity_of, open_on, put_registry


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Anvil]:
    """A node of this test alone: it may be killed."""
    with Anvil(tmp_path / "node", keep_history=True) as made:
        yield made


@pytest.fixture
def make(serve: Callable[..., Service], sqlite_url: str) -> Callable[..., Service]:
    def build(node: Anvil, record: Deployment, **options: Any) -> Service:
        service = serve(sqlite_url, PromptAnvil(node, record), **options)
        open_on(service, record)
        return service

    return build


@pytest.fixture
def record(node: Anvil) -> Deployment:
    return put_registry(node)


@pytest.fixture
def service(make: Callable[..., Service], node: Anvil, record: Deployment) -> Service:
    return make(node, record)


def test_heads_and_acts_are_final_in_one_round_each(service: Service) -> None:
    keys = service.ask_keys()
    agreement = service.ask_conclude(service.statement(deadline=4_000_000_000))
    size = service.grow(300)

    tick = service.tick(4)

    assert service.marks() == (size, size)
    assert [service.act(act_id).state for act_id in (*keys, agreement)] == [ActState.FINAL] * 3
    assert service.port.head().size == size
    assert tick.outcome is Outcome.IDLE


@pytest.mark.parametrize("depth", [1, 2, 5, 10])
def test_a_reorganisation_is_healed_with_the_same_bytes(
    make: Callable[..., Service], node: Anvil, record: Deployment, depth: int
) -> None:
    service = make(node, record, policy=Policy(finality=FinalityPolicy.DEPTH, depth=70))
    size = service.grow(3)
    service.tick()
    hashes = [row.hash for row in service.rows()]
    if depth > 1:
        node.call("anvil_mine", hex(depth - 1))
    node.call("anvil_reorg", depth, [])

    tick = service.tick(2, seconds=2)

    assert tick.anchored_size == size
    assert [row.hash for row in service.rows()] == hashes
    assert service.rows()[0].reorganisations == 1
    node.call("anvil_mine", hex(70))
    assert service.tick().final_size == size


def test_an_instantly_final_block_that_vanishes_is_taken_back(service: Service, node: Anvil) -> None:
    size = service.grow(3)
    service.tick()
    node.call("anvil_reorg", 1, [])
    node.call("evm_setAutomine", False)

    tick = service.tick()

    assert kinds(tick) == {AlarmKind.FINALITY_BROKEN}
    assert (tick.anchored_size, tick.final_size) == (0, 0)
    node.call("evm_mine")
    assert service.tick().final_size == size


def test_a_transaction_that_the_pool_dropped_is_sent_again(service: Service, node: Anvil) -> None:
    size = service.grow(3)
    node.call("evm_setAutomine", False)
    service.tick()
    for _ in range(20):
        pending = service.rows()[-1].hash
        assert node.call("anvil_dropTransaction", pending) == pending
        service.clock.advance(seconds=16)
        service.tick()
    node.call("evm_mine")

    assert service.tick().final_size == size
    assert {row.nonce for row in service.rows()} == {0}


def test_a_raised_price_replaces_the_transaction_in_the_pool(service: Service, node: Anvil) -> None:
    size = service.grow(3)
    node.call("evm_setAutomine", False)
    for _ in range(4):
        service.tick()
        service.clock.advance(seconds=61)
    node.call("evm_mine")

    assert service.tick().final_size == size
    rows = service.rows()
    assert [row.state for row in rows] == [TransactionState.SUPERSEDED] * (len(rows) - 1) + [
        TransactionState.FINAL
    ]
    assert len(rows) >= 3


def test_foreign_use_of_the_key_stops_the_lane(service: Service, node: Anvil) -> None:
    service.grow(3)
    service.tick()
    address = address_of(ANCHOR_KEY)
    node.call("anvil_impersonateAccount", address)
    node.call("eth_sendTransaction", {"from": address, "to": address, "value": "0x0"})
    service.grow(1)

    assert kinds(service.tick()) == {AlarmKind.NONCE_TAKEN}
    service.anchorer().resume(Scope.ANCHOR)
    assert service.tick().outcome is Outcome.WORKED
    assert [row.nonce for row in service.rows()] == [0, 2]


def test_a_role_taken_away_and_a_pause_are_told_apart(service: Service, node: Anvil) -> None:
    size = service.grow(3)
    role = "0x" + keccak(text="ANCHOR").hex()
    admin = {"from": ADMIN.address, "to": service.port.identity().contract}
    node.call("anvil_impersonateAccount", ADMIN.address)
    holder = address_of(ANCHOR_KEY)[2:].rjust(64, "0")
    node.call("eth_sendTransaction", admin | {"data": "0xd547741f" + role[2:] + holder})

    assert kinds(service.tick()) == {AlarmKind.ROLE_MISSING}
    node.call("eth_sendTransaction", admin | {"data": "0x2f2ff15d" + role[2:] + holder})
    service.anchorer().resume(Scope.ANCHOR)
    assert service.tick().final_size == size


def test_a_free_chain_is_served_and_nothing_is_replaced(make: Callable[..., Service], tmp_path: Path) -> None:
    with Anvil(tmp_path / "free", keep_history=True, zero_fee=True) as node:
        service = make(node, put_registry(node))
        size = service.grow(3)
        node.call("evm_setAutomine", False)
        for _ in range(5):
            service.tick()
            service.clock.advance(seconds=61)
        node.call("evm_mine")

        assert service.tick().final_size == size
        assert [row.max_fee_wei for row in service.rows()] == [0]


def test_one_second_blocks_with_a_depth_are_served(make: Callable[..., Service], tmp_path: Path) -> None:
    with Anvil(tmp_path / "slow", keep_history=True) as node:
        record = put_registry(node)
        service = make(node, record, policy=Policy(finality=FinalityPolicy.DEPTH, depth=2))
        node.call("evm_setAutomine", False)
        size = service.grow(3)
        marks = []
        for _ in range(6):
            service.tick()
            marks.append(service.marks())
            node.call("evm_mine")

        assert marks == [(0, 0), (size, 0), (size, 0), (size, size), (size, size), (size, size)]


def test_a_kill_that_takes_the_last_blocks_is_a_reset_and_a_new_epoch_goes_on(
    service: Service, node: Anvil, record: Deployment
) -> None:
    """An older dump is put in place of the state, as a kill between two dumps leaves it."""
    service.grow(3)
    service.tick()
    node.stop()
    older = node.state_file.read_bytes()
    node.start()
    for _ in range(3):
        service.grow(2)
        service.tick()
    node.kill()
    node.state_file.write_bytes(older)
    node.start()
    service.restart()
    service.chain = PromptAnvil(node, record)

    tick = service.tick()
    assert (tick.outcome, tick.anchored_size, tick.final_size) == (Outcome.CHAIN_RESET, 0, 0)
    assert service.condition() is Condition.CHAIN_RESET

    assert open_on(service, record) == 2
    size = service.grow(1)
    assert service.tick().final_size == size
    assert service.port.head().size == size


@pytest.mark.parametrize("second", [1_790_000_000, 1_790_009_999], ids=["same genesis", "other genesis"])
def test_a_chain_without_state_is_a_reset_and_a_new_contract_takes_everything(
    make: Callable[..., Service], tmp_path: Path, second: int
) -> None:
    """A fixed time gives the same genesis, the same deployer the same address: told apart all the same."""
    first = 1_790_000_000
    with Anvil(tmp_path / "first", keep_history=True, extra=("--timestamp", str(first))) as node:
        record = put_registry(node)
        service = make(node, record)
        keys = service.ask_keys()
        service.grow(3)
        service.tick(3)
        port = node.port
        node.kill()
    with Anvil(tmp_path / "second", port, keep_history=True, extra=("--timestamp", str(second))) as node:
        service.restart()
        anchorer = service.anchorer_for(record.chain_id, record.contract)
        assert (anchorer.tick().outcome, service.marks()) == (Outcome.CHAIN_RESET, (0, 0))

        former = epochs.identity_hash(identity_of(record))
        again = put_registry(node, former)
        assert (again.genesis_hash == record.genesis_hash) is (first == second)
        assert again.contract == record.contract
        assert anchorer.tick().outcome is Outcome.CHAIN_RESET

        service.chain = PromptAnvil(node, again)
        assert open_on(service, again) == 2
        size = service.grow(1)
        service.tick(3)
        assert service.marks() == (size, size)
        assert service.port.predecessor() == former
        assert [service.act(act_id).state for act_id in keys] == [ActState.FINAL] * 2


def test_a_restart_with_the_saved_state_changes_nothing(
    service: Service, node: Anvil, record: Deployment
) -> None:
    size = service.grow(3)
    service.tick()
    node.stop()
    node.start()
    service.restart()
    service.chain = PromptAnvil(node, record)

    assert service.tick().outcome is Outcome.IDLE
    assert service.marks() == (size, size)


def test_a_node_that_is_down_lets_the_lag_grow_and_one_transaction_drains_it(
    service: Service, node: Anvil, record: Deployment
) -> None:
    service.grow(3)
    service.tick()
    node.stop()
    anchorer = service.anchorer_for(record.chain_id, record.contract)
    for _ in range(5):
        service.grow(2)
        assert anchorer.tick().outcome is Outcome.UNREACHABLE
    node.start()
    size = service.grow(2)

    assert anchorer.tick().final_size == size
    assert len(service.rows(Lane.ANCHOR)) == 2
