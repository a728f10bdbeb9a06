"""A registry on a real node: deployed, connected to, and made a service's epoch."""

import secrets
import time
from typing import Protocol

from eth_utils.crypto import keccak

from chainkit.anvil_accounts import DEMO_ACCOUNTS
from chainkit.compile import Artifact
from chainkit.deploy import Deployment, deploy
from chainkit.node import Anvil
from talentseal.anchoring import epochs
from talentseal.chain.port import ZERO_HASH, ChainIdentity, SendOutcome, SendReply
from talentseal.chain.web3_chain import Web3Chain
from tests.anchoring.conftest import KEYS, Service, address_of


class Node(Protocol):
    """Any client's node on which Anvil's first account has gas."""

    @property
    def url(self) -> str: ...

    def fund(self, address: str, wei: int) -> None: ...


ROLES = {lane.value: address_of(key) for lane, key in KEYS.items()}
ADMIN = DEMO_ACCOUNTS[0]


def put_registry(node: Node, predecessor: str = ZERO_HASH) -> Deployment:
    """Deploy on the node and give both lanes' keys gas."""
    for address in ROLES.values():
        node.fund(address, 10**21)
    return deploy(
        node.url,
        Artifact.load(),
        sender_key=ADMIN.key,
        admin=ADMIN.address,
        admin_delay=172_800,
        deployment_id="0x" + secrets.token_hex(32),
        predecessor=predecessor,
        roles=ROLES,
    )


def identity_of(record: Deployment) -> ChainIdentity:
    return ChainIdentity(
        record.chain_id,
        record.genesis_hash,
        record.contract,
        record.code_hash,
        record.deployment_id,
        record.deployment_block_hash,
    )


def connect(node: Node, record: Deployment) -> Web3Chain:
    return Web3Chain(node.url, record.contract, record.deployment_block_number)


class PromptAnvil(Web3Chain):
    """Answers a send once the transaction is in a block, as long as the node makes blocks by itself.

    Anvil accepts first and makes the block a moment later, so that a round would find it there or not as the
    machine's load would have it.
    """

    def __init__(self, node: Anvil, record: Deployment) -> None:
        super().__init__(node.url, record.contract, record.deployment_block_number)
        self._node = node

    def send(self, raw: bytes) -> SendReply:
        reply = super().send(raw)
        if reply.outcome is SendOutcome.ACCEPTED and self._node.call("anvil_getAutomine"):
            until = time.monotonic() + 30
            while self.receipt("0x" + keccak(raw).hex()) is None and time.monotonic() < until:
                time.sleep(0.005)
        return reply


def open_on(service: Service, record: Deployment) -> int:
    return epochs.open_epoch(
        service.database,
        service.port,
        identity_of(record),
        record.deployment_block_number,
        "operator",
        now=service.clock.now(),
    )
