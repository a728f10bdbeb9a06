"""What both adapters promise: the same answers, the same refusals, for the in-memory chain and for Anvil."""

from typing import Any

import pytest
from eth_account import Account
from eth_typing import Hash32
from eth_utils.crypto import keccak
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sealproof import merkle
from sealproof.eip712 import AgreementStatement, Domain, Party, TerminationStatement
from sealproof.rpc import AgreementOnChain, AgreementState
from talentseal.chain.port import (
    ROLES,
    ZERO_HASH,
    AbiValue,
    Call,
    Fees,
    GasNeeded,
    KeyOnChain,
    RegistryHead,
    Reverted,
    SendOutcome,
)
from tests.chain.conftest import Adapter

LEAVES = [merkle.leaf_hash(str(number).encode()) for number in range(40)]
KEYS = [Account.from_key(bytes([7 + number]) * 32) for number in range(2)]
ORGANISATIONS = (b"\x01" * 32, b"\x02" * 32)
FOR_EVER = 2**64 - 1


def anchor(old: int, new: int, **changes: Any) -> Call:
    values: dict[str, Any] = {
        "prev_root": merkle.root_of(LEAVES[:old]) if old else bytes(32),
        "root": merkle.root_of(LEAVES[:new]),
        "proof": merkle.consistency_path(LEAVES[:new], old) if old else [],
    }
    values |= changes
    return Call("anchor", (old, values["prev_root"], new, values["root"], list(values["proof"])))


def refusal(adapter: Adapter, call: Call, by: str | None = None) -> str:
    met = adapter.chain.simulate(call, by or adapter.anchor.address)
    assert isinstance(met, Reverted)
    return str(met.error)


def values_of(statement: AgreementStatement) -> tuple[Any, ...]:
    return (
        statement.agreement_id,
        statement.version,
        statement.previous,
        statement.commitment,
        statement.stipulations_root,
        statement.stipulation_count,
        statement.effective_from,
        statement.valid_through,
        statement.deadline,
        [(party.organisation, party.signer, party.nonce) for party in statement.parties],
    )


def statement(**changes: Any) -> AgreementStatement:
    parties = zip(ORGANISATIONS, KEYS, strict=True)
    values: dict[str, Any] = {
        "agreement_id": b"\x07" * 32,
        "version": 1,
        "previous": bytes(32),
        "commitment": b"\x08" * 32,
        "stipulations_root": b"\x09" * 32,
        "stipulation_count": 3,
        "effective_from": 10,
        "valid_through": 5_000_000_000,
        "deadline": 5_000_000_000,
        "parties": tuple(Party(organisation, str(key.address), 0) for organisation, key in parties),
    }
    return AgreementStatement(**(values | changes))


def signatures(digest: bytes) -> list[AbiValue]:
    return [bytes(key.unsafe_sign_hash(Hash32(digest)).signature) for key in KEYS]


def domain(adapter: Adapter) -> Domain:
    identity = adapter.chain.identity()
    return Domain(identity.chain_id, identity.contract)


def register_keys(adapter: Adapter, valid_from: int = 0, valid_until: int = FOR_EVER) -> None:
    for organisation, key in zip(ORGANISATIONS, KEYS, strict=True):
        call = Call("setKey", (organisation, str(key.address), valid_from, valid_until))
        assert adapter.run(call, adapter.registrar).succeeded


def conclude(adapter: Adapter, item: AgreementStatement) -> Call:
    return Call("conclude", (values_of(item), list(signatures(item.digest(domain(adapter))))))


def test_the_identity_is_whole_and_stays(adapter: Adapter) -> None:
    first, second = adapter.chain.identity(), adapter.chain.identity()

    assert first == second
    assert ZERO_HASH not in (
        first.genesis_hash,
        first.code_hash,
        first.deployment_id,
        first.deployment_block_hash,
    )
    assert adapter.chain.predecessor() == ZERO_HASH


def test_who_holds_which_role_is_read_from_the_contract(adapter: Adapter) -> None:
    met = adapter.chain.holders()

    assert set(met.roles) == set(ROLES)
    assert met.roles["ANCHOR"] == (adapter.anchor.address,)
    assert met.roles["REGISTRAR"] == (adapter.registrar.address,)
    assert int(met.admin, 16) > 0


def test_an_empty_registry_has_no_head(adapter: Adapter) -> None:
    assert adapter.chain.head() == RegistryHead(0, bytes(32))
    assert adapter.chain.head_at(0) is None
    assert adapter.chain.head_at(5) is None


@pytest.mark.parametrize("sizes", [(1,), (1, 2), (3, 7, 8, 40), (16, 17), (32, 33, 40)])
def test_heads_that_continue_are_taken(adapter: Adapter, sizes: tuple[int, ...]) -> None:
    before = 0
    for size in sizes:
        receipt = adapter.run(anchor(before, size), adapter.anchor)
        assert receipt.succeeded
        before = size

    assert adapter.chain.head() == RegistryHead(before, merkle.root_of(LEAVES[:before]))
    assert adapter.chain.head_at(sizes[0]) == merkle.root_of(LEAVES[: sizes[0]])


def test_repeating_the_present_head_is_a_no_op(adapter: Adapter) -> None:
    adapter.run(anchor(0, 5), adapter.anchor)

    assert adapter.run(anchor(0, 5), adapter.anchor).succeeded
    assert adapter.run(anchor(5, 5, proof=[]), adapter.anchor).succeeded
    assert adapter.chain.head().size == 5


def test_every_head_that_does_not_continue_is_refused_by_name(adapter: Adapter) -> None:
    adapter.run(anchor(0, 5), adapter.anchor)
    root, other = merkle.root_of(LEAVES[:5]).hex(), "66" * 32

    assert refusal(adapter, anchor(0, 9)) == (
        f"CheckpointHeadMoved(headSize=5, headRoot=0x{root}, givenSize=0, givenRoot=0x{'00' * 32})"
    )
    assert refusal(adapter, anchor(5, 9, root=bytes.fromhex(other))) == (
        f"CheckpointInconsistent(headSize=5, headRoot=0x{root}, givenSize=9, givenRoot=0x{other})"
    )
    assert refusal(adapter, anchor(5, 9, root=bytes(32))) == "CheckpointRootZero(givenSize=9)"
    assert refusal(adapter, anchor(5, 9, proof=[])).startswith("CheckpointInconsistent(")
    shrunk = Call("anchor", (5, merkle.root_of(LEAVES[:5]), 4, merkle.root_of(LEAVES[:4]), []))
    assert refusal(adapter, shrunk) == "CheckpointNotGrowing(headSize=5, givenSize=4)"


@pytest.mark.scenario(73)
def test_who_has_no_role_is_refused_by_name(adapter: Adapter) -> None:
    role = keccak(text="ANCHOR").hex()

    assert refusal(adapter, anchor(0, 5), adapter.registrar.address) == (
        f"AccessControlUnauthorizedAccount(account={adapter.registrar.address}, neededRole=0x{role})"
    )
    call = Call("setKey", (ORGANISATIONS[0], str(KEYS[0].address), 0, 9))
    assert refusal(adapter, call).startswith("AccessControlUnauthorizedAccount(")


def test_a_simulation_that_succeeds_names_its_gas_and_changes_nothing(adapter: Adapter) -> None:
    met = adapter.chain.simulate(anchor(0, 5), adapter.anchor.address)

    assert isinstance(met, GasNeeded)
    assert 30_000 < met.gas < 200_000
    assert adapter.chain.head().size == 0


def test_a_reverted_transaction_is_mined_without_effect(adapter: Adapter) -> None:
    before = adapter.chain.nonce(adapter.registrar.address)

    receipt = adapter.run(anchor(0, 5), adapter.registrar)

    assert not receipt.succeeded
    assert adapter.chain.nonce(adapter.registrar.address) == before + 1
    assert adapter.chain.head().size == 0


def test_the_same_bytes_may_be_sent_again_and_do_nothing(adapter: Adapter) -> None:
    chain, by = adapter.chain, adapter.anchor
    nonce = chain.nonce(by.address)
    signed = chain.sign(by, chain.encode(anchor(0, 5)), nonce=nonce, gas=500_000, fees=chain.fees())

    outcomes = [chain.send(signed.raw).outcome for _ in range(3)]

    assert outcomes == [SendOutcome.ACCEPTED, SendOutcome.UNCERTAIN, SendOutcome.UNCERTAIN]
    assert signed.hash == "0x" + keccak(signed.raw).hex()
    assert chain.nonce(by.address) == nonce + 1


def test_legacy_transactions_are_taken_too(adapter: Adapter) -> None:
    price = adapter.chain.fees().max_fee_wei

    assert adapter.run(anchor(0, 5), adapter.anchor, fees=Fees(price, None)).succeeded


def test_a_receipt_names_the_block_that_the_chain_has(adapter: Adapter) -> None:
    receipt = adapter.run(anchor(0, 5), adapter.anchor)
    block = adapter.chain.block(receipt.block_number)

    assert block is not None
    assert block.hash == receipt.block_hash
    assert adapter.chain.latest_block().number >= block.number
    assert adapter.chain.receipt("0x" + "11" * 32) is None


def test_a_block_above_the_tip_is_none(adapter: Adapter) -> None:
    assert adapter.chain.block(adapter.chain.latest_block().number + 1000) is None


def test_the_finalized_block_is_not_above_the_tip(adapter: Adapter) -> None:
    finalized = adapter.chain.finalized_block("finalized")

    assert finalized is not None
    assert finalized.number <= adapter.chain.latest_block().number


def test_a_keys_life(adapter: Adapter) -> None:
    organisation, signer = ORGANISATIONS[0], str(KEYS[0].address)
    assert adapter.chain.key_of(organisation, signer) == KeyOnChain(0, 0, 0)

    adapter.run(Call("setKey", (organisation, signer, 5, FOR_EVER)), adapter.registrar)
    assert adapter.chain.key_of(organisation, signer) == KeyOnChain(5, FOR_EVER, 0)

    adapter.run(Call("revokeKey", (organisation, signer)), adapter.registrar)
    revoked = adapter.chain.key_of(organisation, signer)
    assert revoked.nonce == 1
    assert revoked.valid_until == adapter.chain.latest_block().timestamp, "by the chain's own clock"


def test_bad_keys_are_refused_by_name(adapter: Adapter) -> None:
    by, signer = adapter.registrar.address, str(KEYS[0].address)

    assert refusal(adapter, Call("setKey", (bytes(32), signer, 0, 9)), by).startswith("KeyZero(")
    empty = Call("setKey", (ORGANISATIONS[0], signer, 9, 9))
    assert refusal(adapter, empty, by) == "KeyValidityEmpty(validFrom=9, validUntil=9)"
    unknown = Call("revokeKey", (ORGANISATIONS[0], signer))
    assert refusal(adapter, unknown, by) == f"KeyUnknown(organisation=0x{'01' * 32}, signer={signer})"


def test_an_agreements_life(adapter: Adapter) -> None:
    register_keys(adapter)
    first = statement()
    digest = first.digest(domain(adapter))
    second = statement(version=2, previous=digest, commitment=b"\x0a" * 32)
    end = TerminationStatement(
        second.digest(domain(adapter)), b"\x0b" * 32, 4_000_000_000, 5_000_000_000, first.parties
    )
    ending = (end.agreement, end.commitment, end.effective_at, end.deadline, values_of(second)[-1])

    assert adapter.run(conclude(adapter, first), adapter.registrar).succeeded
    concluded = adapter.chain.agreement_at(digest)
    signed = signatures(second.digest(domain(adapter)))
    amend = Call("amend", (values_of(first), values_of(second), list(signed)))
    assert adapter.run(amend, adapter.registrar).succeeded
    signed = signatures(end.digest(domain(adapter)))
    assert adapter.run(
        Call("terminate", (values_of(second), ending, list(signed))), adapter.registrar
    ).succeeded

    assert concluded == AgreementOnChain(
        AgreementState.CONCLUDED, 1, concluded.concluded_at, 0, 10, 5_000_000_000, bytes(32)
    )
    amended = adapter.chain.agreement_at(digest)
    assert (amended.state, amended.ended_by) == (AgreementState.AMENDED, second.digest(domain(adapter)))
    ended = adapter.chain.agreement_at(second.digest(domain(adapter)))
    assert (ended.state, ended.effective_through) == (AgreementState.TERMINATED, 4_000_000_000)
    assert ended.ended_by == end.digest(domain(adapter))


def finding(item: AgreementStatement, index: int, **changes: Any) -> Call:
    """A breach of one of forty stipulations."""
    values: dict[str, Any] = {"stipulation": LEAVES[index], "commitment": b"\x0d" * 32}
    values |= changes
    path: list[AbiValue] = [*merkle.inclusion_path(LEAVES, index)]
    return Call("recordBreach", (values_of(item), values["stipulation"], index, path, values["commitment"]))


def test_a_breach_is_recorded_once_and_closed_once(adapter: Adapter) -> None:
    register_keys(adapter)
    item = statement(stipulations_root=merkle.root_of(LEAVES), stipulation_count=len(LEAVES))
    by, digest = adapter.arbiter.address, item.digest(domain(adapter))
    assert refusal(adapter, finding(item, 5), by) == f"BreachAgreementUnknown(agreement=0x{digest.hex()})"
    adapter.run(conclude(adapter, item), adapter.registrar)
    breach = keccak(digest + LEAVES[5] + (5).to_bytes(32, "big") + b"\x0d" * 32)
    cured = Call("resolveBreach", (breach, 1, b"\x0e" * 32))

    assert refusal(adapter, finding(item, 5, stipulation=LEAVES[6]), by).startswith(
        "BreachStipulationNotProven("
    )
    assert refusal(adapter, finding(item, 5, commitment=bytes(32)), by).startswith("BreachCommitmentZero(")
    assert refusal(adapter, cured, by) == f"BreachUnknown(breachId=0x{breach.hex()})"
    assert refusal(adapter, finding(item, 5)).startswith("AccessControlUnauthorizedAccount(")
    for call in (finding(item, 5), finding(item, 5), cured, cured):
        assert adapter.run(call, adapter.arbiter).succeeded
    waived = Call("resolveBreach", (breach, 2, b"\x0e" * 32))
    assert refusal(adapter, waived, by) == (
        f"BreachAlreadyResolved(breachId=0x{breach.hex()}, state=3, commitment=0x{'0e' * 32})"
    )
    assert refusal(adapter, Call("resolveBreach", (breach, 1, bytes(32))), by).startswith(
        "BreachCommitmentZero("
    )


def test_every_repetition_of_an_agreements_life_is_a_no_op(adapter: Adapter) -> None:
    register_keys(adapter)
    item = statement()
    adapter.run(conclude(adapter, item), adapter.registrar)
    before = adapter.chain.agreement_at(item.digest(domain(adapter)))

    assert adapter.run(conclude(adapter, item), adapter.anchor).succeeded
    assert adapter.chain.agreement_at(item.digest(domain(adapter))) == before


def test_what_an_agreement_lacks_is_named(adapter: Adapter) -> None:
    item = statement()
    digest = item.digest(domain(adapter))
    assert refusal(adapter, conclude(adapter, item)).startswith("KeyUnknown(")
    register_keys(adapter)
    swapped = Call("conclude", (values_of(item), list(reversed(signatures(digest)))))
    assert refusal(adapter, swapped).startswith(f"AgreementSignatureInvalid(digest=0x{digest.hex()}")
    short = Call("conclude", (values_of(item), signatures(digest)[:1]))
    assert refusal(adapter, short) == "AgreementSignatureCount(parties=2, signatures=1)"
    late = refusal(adapter, conclude(adapter, statement(deadline=1000)))
    assert late.startswith("AgreementDeadlinePassed(deadline=1000, time=")
    second = statement(version=2, previous=digest)
    assert refusal(adapter, conclude(adapter, second)).startswith("AgreementNotFirst(version=2")
    signed = signatures(second.digest(domain(adapter)))
    amend = Call("amend", (values_of(item), values_of(second), list(signed)))
    assert refusal(adapter, amend) == f"AgreementNotConcluded(digest=0x{digest.hex()}, state=0)"
    stale = statement(parties=tuple(Party(p.organisation, p.signer, 1) for p in item.parties))
    assert refusal(adapter, conclude(adapter, stale)).startswith("KeyNonceMismatch(")


@pytest.mark.parametrize(
    ("valid_from", "valid_until", "name"),
    [(FOR_EVER - 1, FOR_EVER, "KeyNotYetValid"), (0, 1000, "KeyExpired")],
)
def test_a_keys_validity_is_kept(adapter: Adapter, valid_from: int, valid_until: int, name: str) -> None:
    register_keys(adapter, valid_from, valid_until)

    assert refusal(adapter, conclude(adapter, statement())).startswith(f"{name}(")


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(old=st.integers(1, 39), new=st.integers(1, 40), flip=st.booleans())
def test_both_agree_on_what_continues(adapter: Adapter, old: int, new: int, flip: bool) -> None:
    """Simulated on a registry that holds nothing: the check itself is reached through a first head."""
    chain = adapter.chain
    if chain.head().size == 0:
        adapter.run(anchor(0, 20), adapter.anchor)
    size = 20 + new % 21
    proof = merkle.consistency_path(LEAVES[:size], 20) if size > 20 else []
    if flip and proof:
        place = old % len(proof)
        proof[place] = bytes([proof[place][0] ^ 1]) + proof[place][1:]
    met = chain.simulate(anchor(20, size, proof=proof), adapter.anchor.address)

    assert isinstance(met, GasNeeded) is (size == 20 or not (flip and proof))
