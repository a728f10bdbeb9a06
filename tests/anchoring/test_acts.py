"""Registry acts: carried in order, refused with the contract's own words, never twice."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from sealproof import merkle
from sealproof.eip712 import TerminationStatement
from sealproof.keccak import keccak256
from sealproof.rpc import AgreementState
from talentseal.anchoring.models import Condition, Lane, Scope
from talentseal.anchoring.policy import AlarmKind
from talentseal.anchoring.service import Outcome
from talentseal.chain.memory_chain import MemoryChain
from talentseal.evidence.models import ActKind, ActState
from tests.anchoring.conftest import FOR_EVER, PARTIES, REGISTRAR_KEY, Service, address_of, kinds


def test_keys_and_an_agreements_whole_life_are_carried_in_order(
    serve: Callable[..., Service], database_url: str, chain: MemoryChain
) -> None:
    service = serve(database_url, chain)
    service.open()
    first = service.statement()
    second = service.statement(version=2, previous=first.digest(service.domain()), commitment=b"\x0a" * 32)
    end = TerminationStatement(
        second.digest(service.domain()), b"\x0b" * 32, 3_000_000_000, first.deadline, first.parties
    )
    ids = [
        *service.ask_keys(),
        service.ask_conclude(first),
        service.ask_amend(first, second),
        service.ask_terminate(second, end),
    ]

    service.tick(5)

    assert [service.act(act_id).state for act_id in ids] == [ActState.FINAL] * 5
    states = [chain.agreement_at(item.digest(service.domain())).state for item in (first, second)]
    assert states == [AgreementState.AMENDED, AgreementState.TERMINATED]
    act = service.act(ids[2])
    block = chain.block(act.block_number or 0)
    assert block is not None
    assert (act.transaction_hash, act.block_hash) == (service.rows()[2].hash, block.hash)


def test_a_breach_waits_for_its_agreement_and_is_carried_by_its_own_key(service: Service) -> None:
    leaves = [merkle.leaf_hash(bytes([number])) for number in range(3)]
    agreement = service.statement(stipulations_root=merkle.root_of(leaves))
    digest, keys = agreement.digest(service.domain()), service.ask_keys()
    breach = keccak256(digest + leaves[1] + (1).to_bytes(32, "big") + b"\x0c" * 32)
    found: dict[str, Any] = {
        "agreement": "0x" + digest.hex(),
        "statement": agreement.to_json(),
        "stipulation": "0x" + leaves[1].hex(),
        "index": 1,
        "path": ["0x" + each.hex() for each in merkle.inclusion_path(leaves, 1)],
        "commitment": "0x" + "0c" * 32,
    }
    cured = {
        "agreement": found["agreement"],
        "breach": "0x" + breach.hex(),
        "resolution": 1,
        "commitment": "0x" + "0d" * 32,
    }
    concluded = service.ask_conclude(agreement)
    ended = service.ask(ActKind.RESOLVE_BREACH, cured)  # first: two services' clocks need not agree
    asked = [service.ask(ActKind.RECORD_BREACH, found, breach), ended]

    service.tick(2)
    assert [service.act(each).state for each in asked] == [ActState.QUEUED] * 2
    service.tick(5)

    assert [service.act(each).state for each in (*keys, concluded, *asked)] == [ActState.FINAL] * 5
    assert [row.act_id for row in service.rows(Lane.ARBITER)] == asked


def test_a_finding_that_says_too_little_is_refused(service: Service) -> None:
    broken = service.ask(ActKind.RECORD_BREACH, {"agreement": "0x" + "01" * 32})

    assert _refused(service, broken).startswith("PayloadMalformed(KeyError")


def _refused(service: Service, act_id: str) -> str:
    tick = service.tick()
    assert AlarmKind.ACT_REFUSED in kinds(tick)
    act = service.act(act_id)
    assert act.state is ActState.REFUSED
    return act.reason


def test_an_unregistered_key_refuses_the_agreement(service: Service) -> None:
    reason = _refused(service, service.ask_conclude(service.statement()))

    assert reason == (f"KeyUnknown(organisation=0x{'01' * 32}, signer={PARTIES[0].account.address})")


def test_a_passed_deadline_refuses_the_agreement_with_its_values(service: Service) -> None:
    service.ask_keys()
    service.tick(2)
    statement = service.statement(deadline=int((service.clock.now() - timedelta(seconds=5)).timestamp()))

    reason = _refused(service, service.ask_conclude(statement))

    assert reason.startswith(f"AgreementDeadlinePassed(deadline={statement.deadline}, time=")


def test_a_wrong_signature_refuses_the_agreement(service: Service) -> None:
    service.ask_keys()
    service.tick(2)
    statement = service.statement()
    digest = statement.digest(service.domain())
    payload = {
        "statement": statement.to_json(),
        "signatures": [PARTIES[0].sign(digest), PARTIES[0].sign(digest)],
    }

    reason = _refused(service, service.ask(ActKind.CONCLUDE, payload, digest))

    assert reason.startswith("AgreementSignatureInvalid(digest=0x")


def test_a_revoked_key_refuses_the_agreement(service: Service) -> None:
    service.ask_keys()
    payload = {"organisation": "0x" + "01" * 32, "signer": str(PARTIES[0].account.address)}
    service.ask(ActKind.REVOKE_KEY, payload)
    service.tick(3)

    reason = _refused(service, service.ask_conclude(service.statement()))

    assert reason.startswith("KeyExpired(")


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"organisation": "0xzz", "signer": "0x"},
        {"organisation": "0x" + "01" * 32, "signer": None},
        {"organisation": "0x" + "01" * 32, "signer": "0x1", "valid_from": "soon", "valid_until": 3},
        {"organisation": "0x" + "01" * 32, "signer": "0x1", "valid_from": 1, "valid_until": 3},
        {"organisation": "0x01", "signer": "0x" + "01" * 20, "valid_from": 1, "valid_until": 2**70},
        {"organisation": 7},
        [],
    ],
)
def test_a_malformed_payload_is_refused_and_does_not_block_the_lane(service: Service, payload: Any) -> None:
    broken = service.ask(ActKind.SET_KEY, payload)
    ids = service.ask_keys()

    service.tick(3)

    assert service.act(broken).state is ActState.REFUSED
    assert service.act(broken).reason.startswith("PayloadMalformed(")
    assert [service.act(act_id).state for act_id in ids] == [ActState.FINAL] * 2


def test_a_refused_act_lets_the_next_one_go_in_the_same_round(service: Service) -> None:
    refused = service.ask_conclude(service.statement())
    keys = service.ask_keys()

    service.tick()

    assert service.act(refused).state is ActState.REFUSED
    assert service.act(keys[0]).state is ActState.FINAL


def test_a_key_that_is_not_valid_yet_delays_its_agreement_and_nobody_else(service: Service) -> None:
    begins = int((service.clock.now() + timedelta(minutes=5)).timestamp())
    for signer in PARTIES:
        service.ask(
            ActKind.SET_KEY,
            {
                "organisation": "0x" + signer.organisation.hex(),
                "signer": str(signer.account.address),
                "valid_from": begins,
                "valid_until": FOR_EVER,
            },
        )
    waiting = service.ask_conclude(service.statement())
    service.tick(2)
    behind = service.ask(
        ActKind.SET_KEY,
        {"organisation": "0x" + "44" * 32, "signer": "0x" + "44" * 20, "valid_from": 0, "valid_until": 9},
    )

    assert service.tick().outcome is Outcome.WORKED
    assert service.act(behind).state is ActState.FINAL
    assert service.act(waiting).state is ActState.QUEUED
    service.clock.advance(minutes=6)
    service.tick()
    assert service.act(waiting).state is ActState.FINAL


def test_a_paused_registry_keeps_every_act_queued(service: Service, chain: MemoryChain) -> None:
    ids = service.ask_keys()
    chain.pause(int(service.clock.now().timestamp()) + 60)

    assert kinds(service.tick()) == {AlarmKind.PAUSED}
    assert [service.act(act_id).state for act_id in ids] == [ActState.QUEUED] * 2
    service.clock.advance(seconds=61)
    service.tick(2)
    assert [service.act(act_id).state for act_id in ids] == [ActState.FINAL] * 2


def test_a_registrar_without_its_role_stops_its_lane_only(service: Service, chain: MemoryChain) -> None:
    chain.grant("REGISTRAR")
    ids = service.ask_keys()
    size = service.grow(3)

    tick = service.tick()

    assert (kinds(tick), tick.final_size) == ({AlarmKind.ROLE_MISSING}, size)
    assert service.condition(Scope.REGISTRAR) is Condition.STOPPED
    assert service.act(ids[0]).state is ActState.QUEUED
    chain.grant("REGISTRAR", address_of(REGISTRAR_KEY))
    service.anchorer().resume(Scope.REGISTRAR)
    service.tick(2)
    assert service.act(ids[1]).state is ActState.FINAL


def test_an_act_that_reverts_in_the_block_each_time_is_given_up(service: Service, chain: MemoryChain) -> None:
    chain.mines_on_demand = False
    act_id = service.ask_keys()[0]
    for _ in range(8):
        service.tick()
        chain._blocks[-1].state.paused_until = int(service.clock.now().timestamp()) + 1
        chain.mine()
        chain._blocks[-1].state.paused_until = 0
        service.clock.advance(seconds=20)

    assert service.act(act_id).state is ActState.REFUSED
    assert service.act(act_id).reason == "RevertedRepeatedly(times=3)"


def test_an_agreement_that_somebody_else_carried_is_confirmed_by_a_no_op(
    service: Service, chain: MemoryChain
) -> None:
    service.ask_keys()
    statement = service.statement()
    first = service.ask_conclude(statement)
    service.tick(3)
    concluded = chain.agreement_at(statement.digest(service.domain()))
    service.clock.advance(days=30)
    digest = statement.digest(service.domain())
    payload = {"statement": statement.to_json(), "signatures": [signer.sign(digest) for signer in PARTIES]}
    again = service.ask(ActKind.CONCLUDE, payload)

    service.tick()

    assert (service.act(first).state, service.act(again).state) == (ActState.FINAL, ActState.FINAL)
    assert chain.agreement_at(digest) == concluded


def test_an_outage_leaves_acts_queued_and_drains_them_in_order(service: Service, chain: MemoryChain) -> None:
    anchorer = service.anchorer()
    chain.is_down = True
    ids = service.ask_keys()
    anchorer.tick()
    chain.is_down = False

    service.tick(2)

    assert [service.act(act_id).state for act_id in ids] == [ActState.FINAL] * 2
    assert [row.act_id for row in service.rows(Lane.REGISTRAR)] == ids
