"""Python and Solidity, and a third EIP-712 implementation, come to the same hashes and verdicts."""

import random
from typing import TYPE_CHECKING, Any

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_utils import keccak
from web3 import Web3
from web3.contract import Contract

from chainkit.compile import Artifact
from chainkit.deploy import connect
from sealproof.eip712 import AgreementStatement, Domain, Party, TerminationStatement
from sealproof.merkle import consistency_path, inclusion_path, leaf_hash, root_of
from tests.conftest import ROLES

if TYPE_CHECKING:
    from chainkit.deploy import Deployment

CASES = 500


@pytest.fixture
def registry(deployment: "Deployment", chain_url: str) -> Contract:
    """The shipped registry on a local chain."""
    address = Web3.to_checksum_address(deployment.contract)
    return connect(chain_url).eth.contract(address=address, abi=Artifact.load().abi)


def _parties(chance: random.Random) -> tuple[Party, ...]:
    organisations = sorted({chance.randbytes(32) for _ in range(chance.randint(2, 8))})
    return tuple(
        Party(one, Account.from_key(keccak(one)).address, chance.getrandbits(64)) for one in organisations
    )


def _agreement(chance: random.Random) -> AgreementStatement:
    start = chance.getrandbits(chance.randint(1, 63))
    version = chance.randint(1, 2**32 - 1)
    return AgreementStatement(
        agreement_id=chance.randbytes(32),
        version=version,
        previous=bytes(32) if version == 1 else chance.randbytes(32),
        commitment=chance.randbytes(32),
        stipulations_root=chance.randbytes(32),
        stipulation_count=chance.getrandbits(32),
        effective_from=start,
        valid_through=start + chance.getrandbits(62),
        deadline=chance.getrandbits(64),
        parties=_parties(chance),
    )


def _tuple(statement: AgreementStatement | TerminationStatement) -> tuple[Any, ...]:
    parties = [(one.organisation, one.signer, one.nonce) for one in statement.parties]
    if isinstance(statement, TerminationStatement):
        return (
            statement.agreement,
            statement.commitment,
            statement.effective_at,
            statement.deadline,
            parties,
        )
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
        parties,
    )


def _third(typed_data: Any) -> bytes:
    signable = encode_typed_data(full_message=typed_data)
    return bytes(keccak(b"\x19\x01" + signable.header + signable.body))


def test_python_solidity_and_eth_account_agree_on_every_digest(registry: Contract) -> None:
    """Random agreements and terminations of 2 to 8 parties."""
    chance = random.Random(712)
    domain = Domain(registry.w3.eth.chain_id, registry.address)
    for _ in range(CASES):
        agreement = _agreement(chance)
        termination = TerminationStatement(
            agreement.digest(domain),
            chance.randbytes(32),
            chance.getrandbits(64),
            chance.getrandbits(64),
            agreement.parties,
        )

        assert registry.functions.agreementDigest(_tuple(agreement)).call() == agreement.digest(domain)
        assert registry.functions.terminationDigest(_tuple(termination)).call() == termination.digest(domain)
        assert _third(agreement.typed_data(domain)) == agreement.digest(domain)
        assert _third(termination.typed_data(domain)) == termination.digest(domain)


def test_python_and_solidity_agree_on_every_proof(registry: Contract) -> None:
    """A log that Python grows by random steps is taken by the contract, and so is every inclusion proof."""
    chance = random.Random(9162)
    leaves = [leaf_hash(chance.randbytes(60)) for _ in range(1_500)]
    size, root = 0, bytes(32)
    for _ in range(40):
        grown = min(size + 1 + chance.randrange(70), len(leaves))
        if grown == size:
            break
        new_root = root_of(leaves[:grown])
        step = registry.functions.anchor(size, root, grown, new_root, consistency_path(leaves[:grown], size))
        sent = step.transact({"from": Web3.to_checksum_address(ROLES["ANCHOR"])})
        registry.w3.eth.wait_for_transaction_receipt(sent, poll_latency=0.01)
        size, root = grown, new_root
        assert registry.functions.headAt(size).call() == root
        for index in chance.sample(range(size), min(size, 10)):
            path = inclusion_path(leaves[:size], index)
            included = registry.functions.verifyInclusion
            assert included(leaves[index], index, size, path).call()
            assert not included(leaves[index - 1], index, size, path).call()
