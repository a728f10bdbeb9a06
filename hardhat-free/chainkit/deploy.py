"""Deploys the registry and keeps a record by which it, and the chain under it, can be recognised again."""

import json
import re
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils import keccak
from web3 import Web3
from web3.exceptions import BlockNotFound, Web3Exception
from web3.middleware import ExtraDataToPOAMiddleware
from web3.types import TxParams, TxReceipt

from chainkit.compile import Artifact
from chainkit.pins import ToolchainError

# py_ecc, which eth_account brings along, lifts this for the whole process to 100,000, where JSON nested
# that deep ends the process (the C stack overflows) instead of raising RecursionError. Nothing here
# recurses.
sys.setrecursionlimit(1000)

RECEIPT_SECONDS = 120
GAS_MARGIN_PERCENT = 20
"""Added to the node's estimate: a grant of a role costs a little more once state has changed under it."""


class DeployError(ToolchainError):
    """The contract could not be deployed, or what was deployed is not what was compiled."""


class ChainReset(DeployError):
    """A deployment is on record, but the chain that answers is another, shorter or wiped one.

    Deploying anew would begin a new epoch in silence; that is an operator's decision.
    """


@dataclass(frozen=True, slots=True)
class Deployment:
    """A deployed registry and the identity of its chain.

    Hashes and ids are 0x hex of 32 bytes, `contract` is a checksummed address, `code_hash` is the Keccak-256
    of the runtime code.
    """

    chain_id: int
    genesis_hash: str
    contract: str
    code_hash: str
    deployment_id: str
    deployment_block_hash: str
    deployment_block_number: int
    transaction_hash: str

    def save(self, path: Path) -> None:
        """Write it as JSON, whole or not at all."""
        draft = path.with_suffix(path.suffix + ".draft")
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(json.dumps(asdict(self), indent=1, sort_keys=True) + "\n", encoding="utf-8")
        draft.replace(path)

    @classmethod
    def load(cls, path: Path) -> "Deployment":
        """Read what `save` wrote; raises DeployError when it is something else."""
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as broken:
            raise DeployError(f"{path} is no deployment record: {broken}") from broken


def connect(url: str) -> Web3:
    """A client for any EVM chain: proof-of-authority headers, with their longer extra field, are read too."""
    client = Web3(Web3.HTTPProvider(url, request_kwargs={"timeout": 10}))
    client.middleware_onion.inject(ExtraDataToPOAMiddleware, layer=0)
    return client


def deploy(
    url: str,
    artifact: Artifact,
    *,
    sender_key: str,
    admin: str,
    admin_delay: int,
    deployment_id: str,
    predecessor: str,
    roles: Mapping[str, str],
) -> Deployment:
    """Deploy the registry, grant `roles` (role name, as in "ANCHOR" → address) and return its record.

    `admin_delay` is in seconds. Roles can be granted here only when `admin` is the sender; an admin of its
    own (several signers, a device) grants them itself and `roles` must be empty. Raises DeployError.
    """
    sender: LocalAccount = Account.from_key(sender_key)
    if roles and sender.address != Web3.to_checksum_address(admin):
        raise DeployError("Only the admin can grant roles: deploy with its key, or without roles")
    client = connect(url)
    try:
        factory = client.eth.contract(abi=artifact.abi, bytecode=artifact.bytecode)
        made = factory.constructor(
            Web3.to_checksum_address(admin), admin_delay, _bytes32(deployment_id), _bytes32(predecessor)
        )
        receipt = _send(client, sender, made.build_transaction(_base(client, sender)))
        deployment = _record(client, artifact, receipt, deployment_id)
        contract = client.eth.contract(address=receipt["contractAddress"], abi=artifact.abi)
        for role, holder in roles.items():
            grant = contract.functions.grantRole(keccak(text=role), Web3.to_checksum_address(holder))
            _send(client, sender, grant.build_transaction(_base(client, sender)))
    except (Web3Exception, OSError) as refused:
        raise DeployError(f"{url} did not carry the deployment out: {refused}") from refused
    return deployment


def deploy_once(url: str, path: Path, artifact: Artifact, **arguments: Any) -> Deployment:
    """Return the deployment recorded in `path` when the chain still holds it; deploy and record when none is.

    `arguments` are those of `deploy`. Raises ChainReset when the record and the chain disagree.
    """
    if path.exists():
        recorded = Deployment.load(path)
        check(url, recorded)
        return recorded
    made = deploy(url, artifact, **arguments)
    made.save(path)
    return made


def check(url: str, recorded: Deployment) -> None:
    """Raise ChainReset, naming each difference, unless this is the recorded chain and contract."""
    client = connect(url)
    try:
        found = {
            "chain_id": client.eth.chain_id,
            "genesis_hash": _block_hash(client, 0),
            "deployment_block_hash": _block_hash(client, recorded.deployment_block_number),
            "code_hash": _code_hash(client, recorded.contract),
        }
    except (Web3Exception, OSError) as unanswered:
        raise DeployError(f"{url} cannot be asked: {unanswered}") from unanswered
    expected = asdict(recorded)
    wrong = [name for name, value in found.items() if expected[name] != value]
    if wrong:
        differences = [f"{name}: {expected[name]} on record, {found[name]} found" for name in wrong]
        raise ChainReset("The chain is not the one on record. " + "; ".join(differences))


def _block_hash(client: Web3, number: int) -> str:
    try:
        return client.eth.get_block(number)["hash"].to_0x_hex()
    except BlockNotFound:
        return "none"


def _bytes32(text: str) -> bytes:
    if not re.fullmatch("(0x)?[0-9a-fA-F]{64}", text):
        raise DeployError(f"{text} is not 32 bytes in hex")
    return bytes.fromhex(text.removeprefix("0x"))


def _base(client: Web3, sender: LocalAccount) -> TxParams:
    """Sender, nonce and a gas price in the old form, which every EVM chain takes, zero-fee ones too."""
    price = client.eth.gas_price
    return {
        "from": sender.address,
        "nonce": client.eth.get_transaction_count(sender.address),
        "gasPrice": price,
    }


def _send(client: Web3, sender: LocalAccount, transaction: TxParams) -> TxReceipt:
    transaction["gas"] = transaction["gas"] * (100 + GAS_MARGIN_PERCENT) // 100
    signed = sender.sign_transaction(cast("dict[str, Any]", transaction))
    digest = client.eth.send_raw_transaction(signed.raw_transaction)
    receipt = client.eth.wait_for_transaction_receipt(digest, timeout=RECEIPT_SECONDS, poll_latency=0.02)
    if receipt["status"] != 1:
        raise DeployError(f"Transaction {digest.to_0x_hex()} was reverted")
    return receipt


def _code_hash(client: Web3, contract: str) -> str:
    return "0x" + keccak(client.eth.get_code(Web3.to_checksum_address(contract))).hex()


def _record(client: Web3, artifact: Artifact, receipt: TxReceipt, deployment_id: str) -> Deployment:
    contract = receipt["contractAddress"]
    if contract is None or not artifact.runtime_matches(client.eth.get_code(contract)):
        raise DeployError("The code on the chain is not the compiled one")
    return Deployment(
        chain_id=client.eth.chain_id,
        genesis_hash=client.eth.get_block(0)["hash"].to_0x_hex(),
        contract=contract,
        code_hash=_code_hash(client, contract),
        deployment_id="0x" + _bytes32(deployment_id).hex(),
        deployment_block_hash=receipt["blockHash"].to_0x_hex(),
        deployment_block_number=receipt["blockNumber"],
        transaction_hash=receipt["transactionHash"].to_0x_hex(),
    )
