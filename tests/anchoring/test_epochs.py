"""Another chain behind the address: CHAIN_RESET, never a false FINAL, and the step to a new epoch."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from sealproof.eip712 import Domain
from talentseal.anchoring import anchors, epochs
from talentseal.anchoring.models import Condition, TransactionState
from talentseal.anchoring.policy import AlarmKind
from talentseal.anchoring.service import Outcome
from talentseal.chain.memory_chain import MemoryChain
from talentseal.chain.port import ZERO_HASH, ChainIdentity
from talentseal.evidence.models import ActState, EvidenceRecord
from tests.anchoring.conftest import Service, kinds, memory_chain
from tests.evidence.conftest import SetClock

PARTS = ("chain_id", "genesis_hash", "contract", "code_hash", "deployment_id", "deployment_block_hash")


class Disguised:
    """A chain whose identity differs in one part."""

    def __init__(self, chain: MemoryChain, part: str) -> None:
        self._chain = chain
        self._part = part

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chain, name)

    def identity(self) -> ChainIdentity:
        met = self._chain.identity()
        if self._part == "chain_id":
            return replace(met, chain_id=met.chain_id + 1)
        other: Any = {self._part: "0x" + "11" * 20 if self._part == "contract" else ZERO_HASH}
        return replace(met, **other)


@pytest.fixture
def final(service: Service) -> Service:
    """Six heads anchored and final."""
    for _ in range(6):
        service.grow(2)
        service.tick()
    return service


def assert_reset(service: Service) -> None:
    """Nothing is shown as anchored or final, nothing is sent, and recording goes on."""
    sent = len(service.chain.sent)
    anchorer = service.anchorer()
    first, second = anchorer.tick(), anchorer.tick()
    assert (first.outcome, second.outcome) == (Outcome.CHAIN_RESET, Outcome.CHAIN_RESET)
    assert kinds(first) == {AlarmKind.CHAIN_RESET}
    assert kinds(second) == set()
    assert service.marks() == (0, 0)
    assert service.database.read(lambda session: anchors.anchored_head(session, 0)) is None
    assert service.condition() is Condition.CHAIN_RESET
    service.grow(2)
    assert anchorer.tick().outcome is Outcome.CHAIN_RESET
    assert len(service.chain.sent) == sent


@pytest.mark.parametrize("part", PARTS)
def test_each_part_of_the_identity_that_differs_is_a_reset(
    final: Service, chain: MemoryChain, part: str
) -> None:
    final.chain = Disguised(chain, part)

    assert_reset(final)


@pytest.mark.parametrize("seed", [None, "another"], ids=["same genesis", "other genesis"])
def test_a_wiped_chain_is_a_reset_even_with_the_same_genesis_and_address(
    final: Service, chain: MemoryChain, seed: str | None
) -> None:
    before = chain.identity()
    chain.wipe(seed=seed)

    assert (chain.identity().genesis_hash == before.genesis_hash) is (seed is None)
    assert_reset(final)


@pytest.mark.parametrize("lost", [1, 2, 6])
def test_a_chain_that_came_back_with_an_older_state_is_a_reset(
    final: Service, chain: MemoryChain, lost: int
) -> None:
    chain.rewind(chain.height - lost)

    assert_reset(final)


def test_a_chain_without_any_state_is_a_reset(final: Service, chain: MemoryChain) -> None:
    chain.rewind(0)

    assert_reset(final)


def test_the_wrong_chain_for_a_moment_does_no_harm(final: Service, chain: MemoryChain) -> None:
    size = final.grow(3)
    for part in PARTS * 8:
        final.chain = Disguised(chain, part)
        assert final.tick().outcome is Outcome.CHAIN_RESET
        final.chain = chain
        tick = final.tick()
        assert AlarmKind.CHAIN_RETURNED in kinds(tick)
        assert tick.final_size == size
        size = final.grow(1)
    assert len(chain.sent) == len(set(chain.sent))


def reopen(service: Service, chain: MemoryChain) -> int:
    former = service.database.read(epochs.current)
    chain.former_identity = epochs.identity_hash(epochs.identity_of(former))
    return service.open()


def test_a_new_epoch_anchors_everything_anew_and_names_the_old_one(
    serve: Callable[..., Service], database_url: str, chain: MemoryChain
) -> None:
    service = serve(database_url, chain)
    service.open()
    service.grow(7)
    service.tick()
    chain.wipe()
    service.tick()
    service.grow(3)
    former = service.database.read(epochs.current)

    assert reopen(service, chain) == 2
    size = service.grow(1)
    tick = service.tick()

    assert (tick.anchored_size, tick.final_size) == (size, size)
    epoch = service.database.read(epochs.current)
    assert epoch.predecessor == epochs.identity_hash(epochs.identity_of(former))
    entry = service.database.read(
        lambda session: session.scalars(
            select(EvidenceRecord.log_index).where(EvidenceRecord.id == epoch.record_id)
        ).one()
    )
    assert entry is not None
    assert entry < size
    closed = service.database.read(lambda session: session.get_one(type(epoch), 1).closed_at)
    assert closed is not None


def test_keys_are_carried_again_and_final_agreements_stay_with_their_contract(
    service: Service, chain: MemoryChain
) -> None:
    keys = service.ask_keys()
    agreement = service.ask_conclude(service.statement())
    service.tick(4)
    assert service.act(agreement).state is ActState.FINAL
    former_hash = service.act(agreement).transaction_hash
    waiting = service.ask_conclude(service.statement(agreement_id=b"\x55" * 32))
    chain.wipe(seed="another")

    reopen(service, chain)
    assert [service.act(key).state for key in keys] == [ActState.QUEUED] * 2
    service.tick(3)

    assert [service.act(key).state for key in keys] == [ActState.FINAL] * 2
    assert (service.act(agreement).state, service.act(agreement).transaction_hash) == (
        ActState.FINAL,
        former_hash,
    )
    assert service.act(waiting).state is ActState.REFUSED
    assert service.act(waiting).reason.startswith("EpochClosed(epoch=1")


def test_on_the_same_contract_with_an_older_state_lost_acts_are_carried_again(
    service: Service, chain: MemoryChain
) -> None:
    keys = service.ask_keys()
    service.tick(3)
    height = chain.height
    statement = service.statement()
    agreement = service.ask_conclude(statement)
    service.tick(2)
    chain.rewind(height)
    assert service.tick().outcome is Outcome.CHAIN_RESET

    service.open()
    assert [service.act(key).state for key in keys] == [ActState.FINAL] * 2
    assert service.act(agreement).state is ActState.QUEUED
    service.tick(3)

    assert service.act(agreement).state is ActState.FINAL
    digest = statement.digest(Domain(chain.chain_id, chain.contract))
    assert chain.agreement_at(digest).version == 1


def test_after_a_rewind_the_same_contract_goes_on_from_its_own_head(
    final: Service, chain: MemoryChain
) -> None:
    chain.rewind(chain.height - 3)
    final.tick()

    final.open()
    size = final.grow(1)
    tick = final.tick()

    assert tick.final_size == size == chain.head().size


def test_a_late_transaction_of_a_closed_epoch_is_recognised(service: Service, chain: MemoryChain) -> None:
    chain.mines_on_demand = False
    service.grow(2)
    service.tick()
    late = service.rows()[0]
    service.lose_the_chain()
    service.open()
    size = service.grow(2)
    service.tick()
    chain.pool = {key: value for key, value in chain.pool.items() if key == late.hash}
    chain.mine()

    chain.mines_on_demand = True
    tick = service.tick(4, seconds=2)

    assert AlarmKind.NONCE_TAKEN not in kinds(tick)
    assert tick.final_size == size
    assert service.rows()[0].state is TransactionState.ABANDONED


def test_an_epoch_is_not_opened_on_a_chain_that_differs_from_the_record(
    serve: Callable[..., Service], sqlite_url: str, chain: MemoryChain
) -> None:
    service = serve(sqlite_url, chain)
    recorded = replace(chain.identity(), code_hash=ZERO_HASH)

    with pytest.raises(epochs.DeploymentMismatch, match="code_hash"):
        epochs.open_epoch(service.database, chain, recorded, 1, "operator", now=service.clock.now())

    assert service.database.read(epochs.newest) is None


def test_a_contract_that_does_not_name_the_former_epoch_is_not_taken(
    final: Service, chain: MemoryChain
) -> None:
    chain.wipe()

    with pytest.raises(epochs.PredecessorMismatch):
        final.open()

    assert final.database.read(epochs.current).id == 1


def test_a_restart_of_the_same_chain_changes_nothing(final: Service) -> None:
    before = final.marks()
    final.restart()

    assert final.tick().outcome is Outcome.IDLE
    assert final.marks() == before


def test_silence_during_a_reset_is_not_a_return(final: Service, chain: MemoryChain, clock: SetClock) -> None:
    anchorer = final.anchorer()
    kept = list(chain._blocks)
    chain.wipe()
    anchorer.tick()
    chain.is_down = True
    clock.advance(hours=1)

    assert anchorer.tick().outcome is Outcome.UNREACHABLE
    assert final.condition() is Condition.CHAIN_RESET
    chain.is_down = False
    chain._blocks[:] = kept
    assert anchorer.tick().outcome is Outcome.CHAIN_RESET


def test_two_operators_open_one_epoch(service: Service, clock: SetClock) -> None:
    other = memory_chain(clock, seed="second")
    former = service.database.read(epochs.current)
    other.former_identity = epochs.identity_hash(epochs.identity_of(former))
    identity = other.identity()

    def open_it() -> int:
        return epochs.open_epoch(
            service.database, other, identity, 1, "operator", now=clock.now() + timedelta(seconds=1)
        )

    assert open_it() == 2
    with pytest.raises(epochs.EpochStillOpen):
        open_it()
    assert service.database.read(epochs.current).id == 2
