"""The harness itself under test: a planted bug of each kind must make it fail."""

from typing import Any

import pytest

from talentseal.anchoring import ledger, watching
from talentseal.anchoring.lanes import LaneRun
from talentseal.anchoring.models import Lane
from talentseal.chain.memory_chain import MemoryChain
from tests.anchoring.conftest import Service
from tests.anchoring.test_epochs import assert_reset
from tests.anchoring.test_failure_points import (
    test_a_head_broken_at_any_point_is_anchored_once as a_head_is_anchored_once,
)
from tests.anchoring.test_pool import (
    test_foreign_use_while_nothing_is_in_flight_is_noticed_before_signing as foreign_use_is_noticed,
)
from tests.anchoring.test_reorganisation import (
    test_an_instantly_final_block_that_vanishes_is_shouted_about_and_taken_back as taken_back,
)


def test_sending_before_storing_is_caught(
    service: Service, chain: MemoryChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign = MemoryChain.sign

    def sign_and_send(self: MemoryChain, *arguments: Any, **options: Any) -> Any:
        signed = sign(self, *arguments, **options)
        self.send(signed.raw)
        return signed

    monkeypatch.setattr(MemoryChain, "sign", sign_and_send)

    with pytest.raises(AssertionError):
        a_head_is_anchored_once(service, chain, "signed", "kill", "answers")


def test_signing_anew_after_a_doubt_is_caught(
    service: Service, chain: MemoryChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forgetful(*_arguments: Any) -> list[Any]:
        return []

    monkeypatch.setattr(ledger, "in_flight", forgetful)

    with pytest.raises(AssertionError):
        a_head_is_anchored_once(service, chain, "reply", "kill", "loses-first-request")


def test_not_looking_at_block_hashes_is_caught(
    service: Service, chain: MemoryChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "_lost", lambda *_arguments: ())

    with pytest.raises(AssertionError):
        taken_back(service, chain)


def test_trusting_the_genesis_hash_alone_is_caught(
    service: Service, chain: MemoryChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.grow(2)
    service.tick()
    chain.wipe()
    chain.mine(20)
    monkeypatch.setattr("talentseal.chain.port.ChainIdentity.differences", lambda *_identities: ())
    monkeypatch.setattr(watching, "_too_deep", lambda *_arguments: False)

    with pytest.raises(AssertionError):
        assert_reset(service)


def test_taking_the_chains_count_for_our_own_is_caught(
    service: Service, chain: MemoryChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    def trusting(run: LaneRun) -> int:
        assert run.lane in Lane
        return run.chain.nonce(run.sender.address)

    monkeypatch.setattr(LaneRun, "_free_nonce", trusting)

    with pytest.raises(AssertionError):
        foreign_use_is_noticed(service, chain)
