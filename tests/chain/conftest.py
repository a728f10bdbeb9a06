"""The same registry on two adapters: in memory, and over JSON-RPC on Anvil."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from chainkit.anvil_accounts import DEMO_ACCOUNTS
from chainkit.node import Anvil
from talentseal.chain.contract import registry_abi
from talentseal.chain.keys import LocalSender, SigningPolicy
from talentseal.chain.memory_chain import MemoryChain
from talentseal.chain.port import Call, Chain, Fees, Receipt, Sender
from talentseal.chain.web3_chain import Web3Chain

ANCHOR = DEMO_ACCOUNTS[1]
REGISTRAR = DEMO_ACCOUNTS[2]
ARBITER = DEMO_ACCOUNTS[3]


class WallClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


def all_functions() -> frozenset[bytes]:
    abi = registry_abi()
    return frozenset(abi.selector(name) for name in abi.functions)


def sender(chain: Chain, key: str) -> Sender:
    identity = chain.identity()
    policy = SigningPolicy(identity.chain_id, identity.contract, all_functions())
    return LocalSender.of_key(bytes.fromhex(key[2:]), policy, demonstration=True)


@dataclass(slots=True)
class Adapter:
    """One chain and the keys with its roles."""

    chain: Chain
    anchor: Sender
    registrar: Sender
    arbiter: Sender

    def run(self, call: Call, by: Sender, *, fees: Fees | None = None) -> Receipt:
        """Sign, send and wait until it is mined, without simulating first."""
        chain = self.chain
        signed = chain.sign(
            by,
            chain.encode(call),
            nonce=chain.nonce(by.address),
            gas=1_000_000,
            fees=fees or chain.fees(),
        )
        chain.send(signed.raw)
        for _ in range(100):
            receipt = chain.receipt(signed.hash)
            if receipt is not None:
                return receipt
            time.sleep(0.02)
        raise AssertionError(f"{signed.hash} was not mined")


def on_anvil(anvil: Anvil, deployment: Any) -> Web3Chain:
    return Web3Chain(anvil.url, deployment.contract, deployment.deployment_block_number)


@pytest.fixture(params=["memory", "anvil"])
def adapter(request: pytest.FixtureRequest) -> Adapter:
    chain: Chain
    if request.param == "memory":
        roles = {"ANCHOR": ANCHOR, "REGISTRAR": REGISTRAR, "ARBITER": ARBITER}
        chain = MemoryChain(WallClock(), {role: [held.address] for role, held in roles.items()})
    else:
        chain = on_anvil(request.getfixturevalue("anvil"), request.getfixturevalue("deployment"))
    return Adapter(chain, *(sender(chain, held.key) for held in (ANCHOR, REGISTRAR, ARBITER)))
