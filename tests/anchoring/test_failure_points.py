"""Killed or failed at each named point: after a restart one head, one nonce, one payload, everything final.

Each point is tried in three ways, on each lane, with the reply kept, lost, or the request itself lost: *fail*
(an ordinary error leaves the round), *kill* (an error that no handler may catch; everything is built anew
from the database), and *kill twice*.
"""

from collections import Counter

import pytest

from sealproof.rpc import AgreementState
from talentseal import failpoints
from talentseal.anchoring.models import Lane, TransactionState
from talentseal.chain.memory_chain import MemoryChain, read_transaction
from talentseal.evidence.models import ActState
from tests.anchoring.conftest import Failed, Killed, Service, arm_once

STEPS = ("job", "nonce", "signed", "persisted", "sent", "reply", "mined", "recorded", "final", "announced")
WAYS = {"fail": (Failed, 1), "kill": (Killed, 1), "kill-twice": (Killed, 2)}
NETWORKS = ("answers", "loses-replies", "loses-first-request", "mines-later")


def prepare(chain: MemoryChain, network: str) -> None:
    chain.loses_replies = network == "loses-replies"
    chain.loses_requests = network == "loses-first-request"
    chain.mines_on_demand = network != "mines-later"


def break_at(service: Service, point: str, way: str) -> bool:
    """Run rounds until the point has broken as often as asked; whether it was reached."""
    error, times = WAYS[way]
    reached = False
    for _ in range(times):
        arm_once(point, error)
        try:
            for _ in range(4):
                service.tick()
                service.clock.advance(seconds=20)
                service.chain.loses_requests = False
                service.chain.mine()
        except (Failed, Killed):
            reached = True
        failpoints.arm(None)
        service.restart()
    return reached


def recover(service: Service) -> None:
    service.chain.loses_replies = service.chain.loses_requests = False
    service.chain.mines_on_demand = True
    for _ in range(8):
        service.clock.advance(seconds=20)
        service.tick()
        service.chain.mine()


def assert_one_payload_a_nonce(service: Service) -> None:
    sent = {(item.sender, item.nonce, item.payload) for item in map(read_transaction, service.chain.sent)}
    assert max(Counter((sender, nonce) for sender, nonce, _payload in sent).values()) == 1
    for lane in Lane:
        nonces = [row.nonce for row in service.rows(lane)]
        assert nonces == list(range(len(nonces)))


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("step", STEPS)
def test_a_head_broken_at_any_point_is_anchored_once(
    service: Service, chain: MemoryChain, step: str, way: str, network: str
) -> None:
    service.grow(3)
    prepare(chain, network)

    reached = break_at(service, f"anchor.{step}", way)
    size = service.grow(2)
    recover(service)

    assert reached
    assert service.marks() == (size, size)
    assert chain.head().size == size
    assert_one_payload_a_nonce(service)
    assert {row.state for row in service.rows()} == {TransactionState.FINAL}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("step", STEPS)
def test_an_act_broken_at_any_point_is_carried_once(
    service: Service, chain: MemoryChain, step: str, way: str
) -> None:
    ids = service.ask_keys()
    statement = service.statement()
    ids.append(service.ask_conclude(statement))

    reached = break_at(service, f"act.{step}", way)
    recover(service)

    assert reached
    assert [service.act(act_id).state for act_id in ids] == [ActState.FINAL] * 3
    assert chain.agreement_at(statement.digest(service.domain())).state is AgreementState.CONCLUDED
    assert_one_payload_a_nonce(service)
    assert len(service.rows(Lane.REGISTRAR)) == 3


def test_what_is_signed_is_stored_before_it_is_sent(service: Service, chain: MemoryChain) -> None:
    service.grow(3)
    seen: list[tuple[str, int, int]] = []
    failpoints.arm(lambda name: seen.append((name, len(service.rows()), len(chain.sent))))

    service.tick()
    failpoints.arm(None)

    assert ("anchor.signed", 0, 0) in seen
    assert ("anchor.persisted", 1, 0) in seen
    assert ("anchor.sent", 1, 1) in seen


def test_the_same_bytes_are_sent_after_any_doubt(service: Service, chain: MemoryChain) -> None:
    service.grow(3)
    chain.loses_requests = True
    for _ in range(4):
        service.tick()
        service.clock.advance(seconds=15)
        service.restart()

    assert len(chain.sent) == 4
    assert len(set(chain.sent)) == 1
