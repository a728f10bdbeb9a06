"""The chain port and the anchorer on Ganache, a node that is not ours."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sealproof.rpc import JsonRpcChain
from talentseal.anchoring.models import Condition
from talentseal.anchoring.service import Outcome
from talentseal.evidence.models import ActState
from tests.anchoring.conftest import Service
from tests.anchoring.registry import connect, open_on, put_registry
from tests.networks.ganache import Ganache

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Ganache]:
    with Ganache(tmp_path / "ganache") as made:
        yield made


@pytest.fixture
def service(serve: Callable[..., Service], sqlite_url: str, node: Ganache) -> Service:
    record = put_registry(node)
    service = serve(sqlite_url, connect(node, record))
    open_on(service, record)
    return service


def test_heads_keys_and_a_signed_agreement_become_final(service: Service, node: Ganache) -> None:
    keys = service.ask_keys()
    agreement = service.ask_conclude(service.statement(deadline=4_000_000_000))
    size = service.grow(300)

    tick = service.tick(6)

    assert service.marks() == (size, size)
    assert [service.act(act_id).state for act_id in (*keys, agreement)] == [ActState.FINAL] * 3
    assert tick.outcome is Outcome.IDLE
    contract = service.port.identity().contract
    assert JsonRpcChain(node.url).head_at(contract, size) == service.port.head().root


def test_one_head_after_another_extends_the_last(service: Service) -> None:
    for batch in (1, 1, 2, 3, 5, 8, 13):
        size = service.grow(batch)
        service.tick(2)
        assert service.marks() == (size, size)


def test_a_restart_with_its_saved_chain_goes_on(service: Service, node: Ganache) -> None:
    service.grow(5)
    service.tick(2)
    anchorer = service.anchorer()

    node.stop()
    silent = anchorer.tick().outcome
    size = service.grow(1)
    node.start()
    tick = service.tick(3)

    assert silent is Outcome.UNREACHABLE
    assert (tick.final_size, service.condition()) == (size, Condition.OK)


def test_a_chain_that_lost_everything_is_a_reset_and_nothing_stays_final(
    service: Service, node: Ganache
) -> None:
    service.grow(5)
    service.tick(2)
    anchorer = service.anchorer()

    node.stop()
    node.forget()
    node.start()
    tick = anchorer.tick()

    assert tick.outcome is Outcome.CHAIN_RESET
    assert (tick.anchored_size, tick.final_size) == (0, 0)


def test_a_chain_that_asks_no_fee_is_served(
    serve: Callable[..., Service], sqlite_url: str, tmp_path: Path
) -> None:
    """Berlin has no base fee: the node does not even know the fields of the newer transactions."""
    with Ganache(tmp_path / "free", zero_fee=True) as node:
        record = put_registry(node)
        service = serve(sqlite_url, connect(node, record))
        open_on(service, record)
        size = service.grow(3)

        service.tick(2)

        assert service.marks() == (size, size)
        assert [row.max_fee_wei for row in service.rows()] == [0]
