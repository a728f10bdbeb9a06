"""What each write of the shipped registry costs, measured by sending it to a fresh Anvil.

`python -m tests.contracts.gas` prints the figures beside the peers'; with `--write` it keeps them in
gas-snapshot.json, which a test compares to the unit: chain id, contract address, keys and times are fixed, so
the same bytecode always costs the same.
"""

import hashlib
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_typing import HexStr
from eth_utils import keccak
from web3 import Web3
from web3.contract import Contract
from web3.types import RPCEndpoint

from chainkit.anvil_accounts import DEMO_ACCOUNTS
from chainkit.compile import Artifact
from chainkit.deploy import connect, deploy
from chainkit.node import Anvil
from sealproof.merkle import consistency_ranges, inclusion_path, leaf_hash, node_hash, root_of

SNAPSHOT = Path(__file__).parent / "gas-snapshot.json"
HEAD_BUDGET = 95_000
AGREEMENT_BUDGET = 75_000

HEADS = {
    "head over 1,000,000 after 999,000": (999_000, 1_000_000),
    "head over 1,000,000 after 524,287 (its longest proof)": (524_287, 1_000_000),
    "head over 1,048,576 after 1,048,575": (1_048_575, 1_048_576),
    "head over 1,048,577 after 1,048,575 (longest proof there is)": (1_048_575, 1_048_577),
}
"""Sizes before and after. The batch does not matter, only how the two sizes' bits lie to one another."""

PEERS = {
    "head": {
        "naive: one stored hash a record": 43_959,
        "EAS timestamp": 45_869,
        "OpenAttestation issue": 47_886,
        "TrustDB publish (no consistency proof)": 154_604,
    },
    "agreement": {
        "EAS attest (one signer)": 180_120,
        "EAS attest, other measurement": 200_272,
        "EAS attestByDelegation (one signature)": 196_248,
        "FISCO newEvidence (signatures never checked)": 1_394_035,
    },
}
"""Whole transactions on Anvil, from the baselines; EIP-712 with two recoveries and one slot, bare: 61,258."""

ZERO = bytes(32)
FAR = 4_102_444_800  # 2100-01-01
START = 1_893_456_000  # 2030-01-01: every measured chain has it before it


def _hash(*words: object) -> bytes:
    return hashlib.sha256(repr(words).encode()).digest()


@dataclass(slots=True)
class SyntheticLog:
    """Two heads of one log and the proof between them, without the leaves: whole subtrees are made-up hashes.

    Only subtrees in which the old log ends are taken apart, so the roots and the proof fit one another.
    """

    old: int
    new: int

    def root(self, size: int) -> bytes:
        """Root of the first `size` entries; size is `old` or `new`."""
        return self._node(0, size)

    def proof(self) -> list[bytes]:
        """Consistency path from `old` to `new`."""
        return [self._node(start, stop) for start, stop in consistency_ranges(self.old, self.new)]

    def _node(self, start: int, stop: int) -> bytes:
        width = stop - start
        if width & (width - 1) == 0 and not start < self.old < stop:
            return _hash("subtree", start, stop)
        middle = start + (1 << ((width - 1).bit_length() - 1))
        return node_hash(self._node(start, middle), self._node(middle, stop))


@dataclass(slots=True)
class Meter:
    """A fresh registry whose every role the first account holds, and eight organisations' keys."""

    url: str
    client: Web3 = field(init=False)
    registry: Contract = field(init=False)
    measured: dict[str, int] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        """Deploy, and set the chain's clock."""
        admin = DEMO_ACCOUNTS[0]
        self.client = connect(self.url)
        self._rpc("evm_setNextBlockTimestamp", START)
        artifact = Artifact.load()
        made = deploy(
            self.url,
            artifact,
            sender_key=admin.key,
            admin=admin.address,
            admin_delay=172_800,
            deployment_id="0x" + _hash("deployment").hex(),
            predecessor="0x" + ZERO.hex(),
            roles=dict.fromkeys(("ANCHOR", "REGISTRAR", "ARBITER", "PAUSER"), admin.address),
        )
        self.registry = self.client.eth.contract(
            address=Web3.to_checksum_address(made.contract), abi=artifact.abi
        )
        receipt = self.client.eth.get_transaction_receipt(HexStr(made.transaction_hash))
        self.measured["deployment"] = receipt["gasUsed"]

    def _rpc(self, method: str, *parameters: object) -> Any:
        answer = self.client.provider.make_request(RPCEndpoint(method), list(parameters))
        return answer["result"]

    def send(self, name: str, function: str, *arguments: object, sender: str | None = None) -> int:
        """Send one write, keep what it cost under `name` (unless that is empty) and return it."""
        call = self.registry.functions[function](*arguments)
        sent = call.transact(
            {
                "from": sender or DEMO_ACCOUNTS[0].address,
                "gas": 3_000_000,
                "gasPrice": self.client.eth.gas_price,
            }
        )
        receipt = self.client.eth.wait_for_transaction_receipt(sent, poll_latency=0.01)
        if receipt["status"] != 1:
            raise RuntimeError(f"{function} ({name}) was refused")
        cost: int = receipt["gasUsed"]
        if name:
            self.measured[name] = cost
        return cost

    def calldata(self, function: str, *arguments: object) -> int:
        """What a call's data costs: 16 a byte, 4 for a zero."""
        text: str = self.registry.encode_abi(function, list(arguments))
        return sum(16 if byte else 4 for byte in bytes.fromhex(text[2:]))

    # -- heads

    def heads(self) -> None:
        """The first head, each pair of `HEADS`, and a repeated head."""
        for name, (old, new) in HEADS.items():
            before = self._rpc("evm_snapshot")
            log = SyntheticLog(old, new)
            self.send("first head", "anchor", 0, ZERO, old, log.root(old), [])
            step = (old, log.root(old), new, log.root(new), log.proof())
            self.send(name, "anchor", *step)
            self.send("head repeated", "anchor", *step)
            self._rpc("evm_revert", before)

    # -- agreements

    def keys(self) -> None:
        """Keys of eight organisations, one of them set anew, voided and revoked."""
        for number in range(8):
            self.send("key set", "setKey", _organisation(number), _signer(number), 1, FAR)
        self._funded(_signer(7))
        self.send("key set anew", "setKey", _organisation(7), _signer(7), 2, FAR)
        self.send("signatures voided", "voidSignatures", _organisation(7), sender=_signer(7))
        before = self._rpc("evm_snapshot")
        self.send("key revoked", "revokeKey", _organisation(7), _signer(7))
        self._rpc("evm_revert", before)

    def _funded(self, address: str) -> None:
        self._rpc("anvil_setBalance", address, hex(10**18))
        self._rpc("anvil_impersonateAccount", address)

    def agreements(self) -> None:
        """Agreements of two and eight parties, an amendment, a termination, and what repetitions cost."""
        first = self._agreement(2, 1, ZERO)
        signed = self._signed("agreementDigest", first, 2)
        whole = self.send("agreement of 2", "conclude", first, signed)
        signatures = self.calldata("conclude", first, signed) - self.calldata("conclude", first, [])
        self.measured["agreement of 2, above its signatures' calldata"] = whole - signatures
        self.send("agreement repeated", "conclude", first, signed)
        eight = self._agreement(8, 1, ZERO)
        self.send("agreement of 8", "conclude", eight, self._signed("agreementDigest", eight, 8))

        self.breach(first)
        former = self.registry.functions.agreementDigest(first).call()
        second = self._agreement(2, 2, former)
        self.send("amendment of 2", "amend", first, second, self._signed("agreementDigest", second, 2))
        current = self.registry.functions.agreementDigest(second).call()
        end = (current, _hash("end"), FAR - 5, FAR, self._parties(2))
        self.send("termination of 2", "terminate", second, end, self._signed("terminationDigest", end, 2))

    def breach(self, agreement: tuple[Any, ...]) -> None:
        """A breach of one of eight stipulations and its resolution."""
        leaves = _stipulations()
        path = inclusion_path(leaves, 3)
        known = (agreement, leaves[3], 3, path, _hash("finding"))
        identifier = self.registry.functions.recordBreach(*known).call({"from": DEMO_ACCOUNTS[0].address})
        self.send("breach recorded", "recordBreach", *known)
        self.send("breach resolved", "resolveBreach", identifier, 1, _hash("outcome"))

    def _agreement(self, count: int, version: int, previous: bytes) -> tuple[Any, ...]:
        return (
            _hash("agreement", count),
            version,
            previous,
            _hash("terms", count, version),
            root_of(_stipulations()),
            8,
            START,
            FAR - 1,
            FAR,
            self._parties(count),
        )

    def _parties(self, count: int) -> list[tuple[bytes, str, int]]:
        nonces = [self.registry.functions.keyOf(_organisation(n), _signer(n)).call()[2] for n in range(count)]
        return [(_organisation(n), _signer(n), nonces[n]) for n in range(count)]

    def _signed(self, digest: str, statement: tuple[Any, ...], count: int) -> list[bytes]:
        message = self.registry.functions[digest](statement).call()
        return [bytes(Account.unsafe_sign_hash(message, _secret(n)).signature) for n in range(count)]

    # -- the registry itself

    def control(self) -> None:
        """Pause, its end, a role, a successor."""
        self.send("pause", "pause", 3600)
        self.send("pause ended", "unpause")
        self.send("role granted", "grantRole", keccak(text="PAUSER"), DEMO_ACCOUNTS[1].address)
        other = deploy(
            self.url,
            Artifact.load(),
            sender_key=DEMO_ACCOUNTS[1].key,
            admin=DEMO_ACCOUNTS[1].address,
            admin_delay=1,
            deployment_id="0x" + _hash("next").hex(),
            predecessor="0x" + _hash("this").hex(),
            roles={},
        ).contract
        self.send("successor announced", "setSuccessor", other)
        self.send("successor withdrawn", "withdrawSuccessor")
        self.send("", "setSuccessor", other)
        self._rpc("evm_increaseTime", 7 * 86_400)
        self.send("successor confirmed", "confirmSuccessor")


def _organisation(number: int) -> bytes:
    return bytes([0x11 * (number + 1)]) + _hash("organisation", number)[1:]


def _secret(number: int) -> bytes:
    return _hash("secret", number)


def _signer(number: int) -> str:
    address: str = Account.from_key(_secret(number)).address
    return address


def _stipulations() -> Sequence[bytes]:
    return [leaf_hash(_hash("stipulation", number)) for number in range(8)]


def measure() -> dict[str, int]:
    """Every write once, on an Anvil of its own: what was done → gas of the transaction."""
    with tempfile.TemporaryDirectory() as folder, Anvil(Path(folder)) as node:
        meter = Meter(node.url)
        meter.heads()
        meter.keys()
        meter.agreements()
        meter.control()
        return meter.measured


def table(measured: dict[str, int]) -> str:
    """The figures, their budgets and the peers', a line each."""
    lines = [f"{gas:>10,}  {name}" for name, gas in measured.items()]
    lines.append(
        f"\nbudgets: a head {HEAD_BUDGET:,}; two parties, above signatures' calldata {AGREEMENT_BUDGET:,}"
    )
    for kind, figures in PEERS.items():
        lines.append(f"peers, {kind}:")
        lines.extend(f"{gas:>10,}  {name}" for name, gas in figures.items())
    return "\n".join(lines)


if __name__ == "__main__":
    figures = measure()
    print(table(figures))
    if "--write" in sys.argv[1:]:
        SNAPSHOT.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
