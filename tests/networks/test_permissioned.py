"""The anchorer on a network of three nodes that all seal; it writes to the first, and the others are read."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from chainkit.deploy import DeployError, Deployment, check
from sealproof.rpc import AgreementState, JsonRpcChain
from talentseal.anchoring.models import Condition, TransactionState
from talentseal.anchoring.policy import AlarmKind, Policy
from talentseal.anchoring.service import Outcome, Tick
from talentseal.config import FinalityPolicy
from talentseal.evidence.models import ActState
from tests.anchoring.conftest import FOR_EVER, PARTIES, Service, kinds
from tests.anchoring.registry import connect, open_on, put_registry
from tests.networks.client import wait
from tests.networks.geth import Network, Sealer

# Building the client, where it is not built yet, takes minutes too.
pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

DEPTH = 3
LOOK_EVERY = 0.3
STALLED_AFTER = 6.0
"""Seconds without a block: six periods, and more than a sealer whose turn it is not waits."""


def deploy_deep(node: Sealer) -> Deployment:
    """A registry whose block no sealer's rival block can replace any more."""
    for _ in range(5):
        try:
            record = put_registry(node)
            node.reach(record.deployment_block_number + DEPTH)
            check(node.url, record)
        except DeployError:
            continue
        return record
    raise AssertionError("Each of five deployments lost a block")


@dataclass
class Watched:
    """The service, looked at with the network's own eyes after every round."""

    service: Service
    nodes: list[Sealer]
    record: Deployment

    def __post_init__(self) -> None:
        self._anchorer = self.service.anchorer_for(self.record.chain_id, self.record.contract)
        self.seen: list[tuple[int, int]] = []

    def tick(self) -> Tick:
        """A round, after which all that is called final is so on the node that the service asks."""
        tick = self._anchorer.tick()
        assert AlarmKind.FINALITY_BROKEN not in kinds(tick)
        self.seen.append(self.service.marks())
        if tick.outcome is not Outcome.UNREACHABLE:
            self._check_finals(JsonRpcChain(self.nodes[0].url))
        time.sleep(LOOK_EVERY)
        self.service.clock.advance(seconds=LOOK_EVERY)
        return tick

    def until_final(self, size: int) -> None:
        wait(lambda: bool(self.tick()) and self.service.marks() == (size, size), f"size {size} final")

    def check_everywhere(self, size: int) -> None:
        """Every node that runs shows the head and the block that it lies in, to a reader that is not the
        service's.
        """
        root = self.service.port.head().root
        (row,) = (
            row for row in self.service.rows() if row.size == size and row.state is TransactionState.FINAL
        )
        number = row.block_number or 0
        for node in self.nodes:
            if node.runs:
                node.reach(number)
                reader = JsonRpcChain(node.url)
                assert reader.head_at(self.record.contract, size) == root
                block = reader.block(number)
                assert block is not None
                assert block.hash == row.block_hash

    def _check_finals(self, reader: JsonRpcChain) -> None:
        _anchored, final = self.service.marks()
        tip = reader.block("latest")
        assert tip is not None
        for row in self.service.rows():
            if row.state is TransactionState.FINAL and row.size is not None and row.size <= final:
                assert tip.number - (row.block_number or 0) >= DEPTH
                assert reader.head_at(self.record.contract, row.size) == row.root


@pytest.fixture(params=[False, True], ids=["fees", "no fees"])
def watched(
    serve: Callable[..., Service], sqlite_url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Watched]:
    with Network(tmp_path / "network", zero_fee=request.param) as nodes:
        record = deploy_deep(nodes[0])
        policy = Policy(finality=FinalityPolicy.DEPTH, depth=DEPTH)
        service = serve(sqlite_url, connect(nodes[0], record), policy=policy)
        open_on(service, record)
        yield Watched(service, nodes, record)


def test_heads_keys_and_an_agreement_become_final_and_every_node_shows_them(watched: Watched) -> None:
    service = watched.service
    acts = service.ask_keys()
    statement = service.statement(deadline=4_000_000_000)
    acts.append(service.ask_conclude(statement))
    size = service.grow(300)

    watched.until_final(size)
    wait(
        lambda: bool(watched.tick()) and {service.act(act).state for act in acts} == {ActState.FINAL}, "acts"
    )

    watched.check_everywhere(size)
    assert (size, 0) in watched.seen  # anchored for a while before it was final
    for node in watched.nodes[1:]:
        agreement = JsonRpcChain(node.url).agreement_at(
            watched.record.contract, statement.digest(service.domain())
        )
        assert agreement.state is AgreementState.CONCLUDED
        for signer in PARTIES:
            key = connect(node, watched.record).key_of(signer.organisation, str(signer.account.address))
            assert (key.valid_from, key.valid_until) == (0, FOR_EVER)
    sealed = {watched.nodes[1].sealer_of(number) for number in range(2, watched.nodes[1].height)}
    assert sealed == {node.address.lower() for node in watched.nodes}


def test_without_a_majority_of_sealers_nothing_advances_and_nothing_false_is_said(watched: Watched) -> None:
    service, (first, second, third) = watched.service, watched.nodes

    third.kill()
    went_on = service.grow(5)
    watched.until_final(went_on)
    watched.check_everywhere(went_on)

    second.kill()
    stands_at = stalled(first)
    size = service.grow(5)
    outcomes = {watched.tick().outcome for _ in range(20)}
    assert Outcome.WAITING in outcomes
    assert set(watched.seen[-20:]) == {(went_on, went_on)}
    service.clock.advance(seconds=121)
    assert AlarmKind.STUCK in kinds(watched.tick())
    assert service.marks() == (went_on, went_on)
    assert service.condition() is Condition.OK
    assert first.height == stands_at

    second.start()
    third.start()
    watched.until_final(size)
    watched.check_everywhere(size)
    mined = [row for row in service.rows() if row.state is TransactionState.FINAL]
    assert [row.nonce for row in mined] == list(range(len(mined)))


def test_the_node_that_is_asked_dies_and_comes_back_and_its_network_has_gone_on(watched: Watched) -> None:
    service, (first, second, _third) = watched.service, watched.nodes
    before = service.grow(5)
    watched.until_final(before)

    first.kill()
    met_at = second.height
    size = service.grow(5)
    assert watched.tick().outcome is Outcome.UNREACHABLE
    assert service.marks() == (before, before)
    second.reach(met_at + DEPTH)

    first.start()
    watched.until_final(size)
    watched.check_everywhere(size)
    assert service.condition() is Condition.OK


def stalled(node: Sealer) -> int:
    """The height at which it has stopped."""
    heights = [node.height]

    def stands() -> bool:
        time.sleep(STALLED_AFTER)
        heights.append(node.height)
        return heights[-1] == heights[-2]

    wait(stands, "a standstill", within=30)
    return heights[-1]
