"""One agreement on a real registry on a real Anvil: all steps pass, and after a reset they do not."""

import dataclasses
import json
from typing import TYPE_CHECKING, Any

from eth_account import Account
from web3 import Web3

from chainkit.anvil_accounts import DEMO_ACCOUNTS
from chainkit.compile import Artifact
from sealproof import verify
from sealproof.bundle import Anchor
from sealproof.canonical import Json
from sealproof.fields import to_hex
from sealproof.report import ALL_PASSED, Verdict
from sealproof.rpc import JsonRpcChain
from sealproof.trust import ChainIdentity
from tests.sealproof.samples import DOCUMENT, TRUST, Sample, agreement_sample, sealed, sign

if TYPE_CHECKING:
    from chainkit.deploy import Deployment

ANCHOR, REGISTRAR = DEMO_ACCOUNTS[1:3]


def identity_of(deployment: "Deployment") -> ChainIdentity:
    return ChainIdentity(*(getattr(deployment, name) for name in ChainIdentity.NAMES))


class Registry:
    """Sends to the deployed registry and waits."""

    def __init__(self, url: str, contract: str) -> None:
        self.client = Web3(Web3.HTTPProvider(url))
        self.contract = self.client.eth.contract(address=contract, abi=Artifact.load().abi)  # type: ignore[call-overload]

    def send(self, key: str, function: str, *arguments: Any) -> Any:
        sender = Account.from_key(key)
        call = getattr(self.contract.functions, function)(*arguments)
        nonce = self.client.eth.get_transaction_count(sender.address)
        built = call.build_transaction({"from": sender.address, "nonce": nonce})
        sent = self.client.eth.send_raw_transaction(sender.sign_transaction(built).raw_transaction)
        receipt = self.client.eth.wait_for_transaction_receipt(sent)
        assert receipt["status"] == 1
        return receipt


def concluded_sample(url: str, identity: ChainIdentity) -> Sample:
    """A bundle whose agreement and anchor are really on this chain."""
    import random

    sample, registry = agreement_sample(), Registry(url, identity.contract)
    evidence = sample.bundle.agreement
    assert evidence is not None
    now = registry.client.eth.get_block("latest")["timestamp"]
    statement = dataclasses.replace(
        evidence.statement,
        deadline=now + 3600,
        parties=tuple(dataclasses.replace(party, nonce=0) for party in evidence.statement.parties),
    )
    for party in statement.parties:
        registry.send(REGISTRAR.key, "setKey", party.organisation, party.signer, 0, 2**64 - 1)
    signatures = sign(statement, identity.domain)
    message: Any = statement.typed_data(identity.domain)["message"]
    concluded = registry.send(REGISTRAR.key, "conclude", message, list(signatures))
    evidence = dataclasses.replace(
        evidence,
        statement=statement,
        signatures=signatures,
        transaction_hash=to_hex(concluded["transactionHash"]),
    )
    fields: dict[str, Json] = {
        "agreement": to_hex(statement.agreement_id),
        "version": 1,
        "commitment": to_hex(statement.commitment),
        "digest": to_hex(statement.digest(identity.domain)),
    }
    bundle = sealed(random.Random(31), 10, fields, sample.state)
    root = bytes.fromhex(sample.state.heads[bundle.size][2:])
    anchored = registry.send(ANCHOR.key, "anchor", 0, bytes(32), bundle.size, root, [])
    anchor = Anchor.of(
        identity, anchored["blockNumber"], to_hex(anchored["blockHash"]), to_hex(anchored["transactionHash"])
    )
    trust = dataclasses.replace(TRUST, chain=identity)
    bundle = dataclasses.replace(bundle, anchor=anchor, agreement=evidence)
    return dataclasses.replace(sample, bundle=bundle, trust=trust)


def test_all_steps_pass_against_the_registry_and_none_of_another_deployment(
    chain_url: str, deployment: "Deployment"
) -> None:
    sample = concluded_sample(chain_url, identity_of(deployment))
    chain = JsonRpcChain(chain_url)

    found = verify.verify(sample.raw, trust=sample.trust, document=DOCUMENT, chain=chain)

    assert found.exit_code == ALL_PASSED, found.to_json()
    assert len(found.steps) == 14

    value = json.loads(sample.raw)
    value["anchor"]["transaction_hash"] = value["agreement"]["transaction_hash"]
    found = verify.verify(json.dumps(value).encode(), trust=sample.trust, document=DOCUMENT, chain=chain)
    assert [step.number for step in found.steps if step.verdict is Verdict.FAILED] == [12]


def test_a_chain_put_back_to_before_the_anchor_contradicts_it(
    chain_url: str, deployment: "Deployment"
) -> None:
    client = Web3(Web3.HTTPProvider(chain_url))
    before = client.provider.make_request("evm_snapshot", [])["result"]  # type: ignore[arg-type]
    sample = concluded_sample(chain_url, identity_of(deployment))
    client.provider.make_request("evm_revert", [before])  # type: ignore[arg-type]

    found = verify.verify(sample.raw, trust=sample.trust, document=DOCUMENT, chain=JsonRpcChain(chain_url))

    assert [step.number for step in found.steps if step.verdict is Verdict.FAILED] == [12, 14]
