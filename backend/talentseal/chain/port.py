"""The thin port between TalentSeal and an EVM chain: verbs, values, and the few ways in which they can go
wrong.

Two adapters keep this protocol, `web3_chain` and `memory_chain`; one contract-test file runs on both. Nothing
here knows a database, a log or a feature: bytes, integers and 0x-hex go in and come out. A question that the
chain did not answer raises `ChainUnavailable`; it is never turned into an empty answer.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from sealproof.rpc import AgreementOnChain, Block

ZERO_HASH = "0x" + "00" * 32

AbiValue = int | str | bytes | bool | list["AbiValue"] | tuple["AbiValue", ...]


class ChainUnavailable(Exception):
    """The chain gave no usable answer: no connection, a time-out, HTTP 429, or a reply that cannot be what
    was asked.
    """


class NotTheRegistry(ChainUnavailable):
    """The address answers, but not as the registry does: another contract, or none."""


class SigningRefused(Exception):
    """A sender's key was asked to sign what its policy does not allow; nothing was signed."""


@dataclass(frozen=True, slots=True)
class ChainIdentity:
    """What makes a chain and a deployment this one and no other; 0x-hex, hashes in lower case, address
    EIP-55.

    A part that the chain could not show (no block of that number, no code) reads as zeros, so it never
    matches. A genesis hash or an address alone proves little: a wiped development chain gives both again.
    """

    chain_id: int
    genesis_hash: str
    contract: str
    code_hash: str
    deployment_id: str
    deployment_block_hash: str

    def differences(self, other: "ChainIdentity") -> tuple[str, ...]:
        """Names of the parts in which the two differ, in the order of declaration."""
        names = (
            "chain_id",
            "genesis_hash",
            "contract",
            "code_hash",
            "deployment_id",
            "deployment_block_hash",
        )
        return tuple(name for name in names if getattr(self, name) != getattr(other, name))


@dataclass(frozen=True, slots=True)
class RegistryHead:
    """The newest log head that the contract holds; size 0 and a zero root before the first anchor."""

    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class Fees:
    """Price of gas in wei; `priority_fee_wei` None means a legacy transaction, whose whole price is
    `max_fee_wei`.
    """

    max_fee_wei: int
    priority_fee_wei: int | None

    @property
    def is_free(self) -> bool:
        """A chain without fees: replacing by price means nothing there."""
        return self.max_fee_wei == 0


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a contract function, by its name in the ABI."""

    function: str
    arguments: tuple[AbiValue, ...]


@dataclass(frozen=True, slots=True)
class ContractError:
    """Why the contract refused: the name of its custom error and that error's values, in order.

    An answer without a known selector has the name `Unknown` and the raw bytes as its only value.
    """

    name: str
    values: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        return f"{self.name}({', '.join(f'{name}={value}' for name, value in self.values)})"

    @property
    def is_known(self) -> bool:
        """Whether the selector belongs to an error of the contract's ABI."""
        return self.name != UNKNOWN_ERROR


UNKNOWN_ERROR = "Unknown"


@dataclass(frozen=True, slots=True)
class Reverted:
    """A simulation ended in a revert."""

    error: ContractError


@dataclass(frozen=True, slots=True)
class GasNeeded:
    """A simulation succeeded; `gas` is what it used."""

    gas: int


Simulation = GasNeeded | Reverted


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """Bytes ready to be sent, any number of times; `hash` is fixed by them."""

    hash: str
    raw: bytes
    sender: str
    nonce: int
    gas: int
    fees: Fees


class SendOutcome(enum.Enum):
    """What is known after a send.

    There is no "failed": an error text does not prove that nothing happened.
    """

    ACCEPTED = "accepted"
    UNCERTAIN = "uncertain"


@dataclass(frozen=True, slots=True)
class SendReply:
    """Outcome of a send, and the node's own words for the operator's eyes only; nothing may be decided on
    `text`.
    """

    outcome: SendOutcome
    text: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """A transaction is in a block of the canonical chain as this node sees it."""

    transaction_hash: str
    block_number: int
    block_hash: str
    succeeded: bool
    gas_used: int


@dataclass(frozen=True, slots=True)
class KeyOnChain:
    """A signer's key of an organisation; all zero when it was never registered. Times in seconds since
    1970.
    """

    valid_from: int
    valid_until: int
    nonce: int


ROLES = ("ANCHOR", "REGISTRAR", "ARBITER", "PAUSER")
"""The contract's roles beside its admin."""


@dataclass(frozen=True, slots=True)
class Holders:
    """Who may do what on the registry. admin: zeros when there is none. roles: holders by role, EIP-55."""

    admin: str
    roles: Mapping[str, tuple[str, ...]]


class Sender(Protocol):
    """Holds one secp256k1 key and signs transactions of its own lane, nothing else."""

    @property
    def address(self) -> str:
        """EIP-55 address."""

    def sign(
        self, *, chain_id: int, to: str, payload: bytes, nonce: int, gas: int, fees: Fees
    ) -> SignedTransaction:
        """Sign a call without value. Raises SigningRefused when the sender's policy forbids it."""


class Chain(Protocol):
    """What the service asks of a chain. All but `encode` and `sign` may raise ChainUnavailable."""

    def identity(self) -> ChainIdentity:
        """The identity as observed now, never as configured."""

    def predecessor(self) -> str:
        """Hash of the former epoch's identity that the contract was deployed with; zeros for the first."""

    def head(self) -> RegistryHead:
        """The newest anchored head."""

    def head_at(self, size: int) -> bytes | None:
        """Root (32 bytes) anchored for exactly this size; None when it never was."""

    def latest_block(self) -> Block:
        """The tip as this node sees it."""

    def block(self, number: int) -> Block | None:
        """The canonical block of that height; None above the tip."""

    def finalized_block(self, tag: str) -> Block | None:
        """The block behind `finalized` or `safe`; None when the chain has no such notion yet."""

    def nonce(self, address: str) -> int:
        """Number of mined transactions of that address, which is the next nonce; pending ones are not
        counted.
        """

    def fees(self) -> Fees:
        """Price that is likely to be mined soon."""

    def simulate(self, call: Call, sender: str) -> Simulation:
        """Run the call on the newest state without sending it."""

    def encode(self, call: Call) -> bytes:
        """Calldata of the call. Raises ValueError when the arguments do not fit the contract."""

    def sign(self, sender: Sender, payload: bytes, *, nonce: int, gas: int, fees: Fees) -> SignedTransaction:
        """Have calldata signed for this chain and contract. Raises SigningRefused."""

    def send(self, raw: bytes) -> SendReply:
        """Hand signed bytes to the node; sending the same bytes again is harmless."""

    def receipt(self, transaction_hash: str) -> Receipt | None:
        """Receipt of a mined transaction; None while it is pending, unknown or reorganised away."""

    def agreement_at(self, digest: bytes) -> AgreementOnChain:
        """An agreement version by its EIP-712 digest."""

    def holders(self) -> Holders:
        """Who holds the admin's place and each of ROLES now."""

    def key_of(self, organisation: bytes, signer: str) -> KeyOnChain:
        """Registration of a signer's key for an organisation (32 bytes)."""
