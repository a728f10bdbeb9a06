"""Between a life and its witness: a pipe over which the child asks the chain and says what it has let out.

What was said before a SIGKILL is read after it: the pipe outlives the child. That is the tap on the signer:
a note is told before the sealer goes on.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, cast

from sealproof.rpc import AgreementOnChain, Block
from talentseal.chain.memory_chain import MemoryChain
from talentseal.chain.port import (
    Call,
    ChainIdentity,
    Fees,
    Holders,
    KeyOnChain,
    Receipt,
    RegistryHead,
    Sender,
    SendReply,
    SignedTransaction,
    Simulation,
)
from tests.crash.faults import Fault


@dataclass(frozen=True, slots=True)
class Tried:
    """A request is about to be made."""

    key: str


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A request was answered: the record is kept, it says."""

    key: str
    record_id: str
    leaf_hash: bytes


@dataclass(frozen=True, slots=True)
class Signed:
    """A checkpoint's note exists."""

    note: str


@dataclass(frozen=True, slots=True)
class Marks:
    """What the service shows as anchored and as final."""

    anchored_size: int
    final_size: int


@dataclass(frozen=True, slots=True)
class Struck:
    """The fault struck at that point."""

    point: str


@dataclass(frozen=True, slots=True)
class Found:
    """Violations found by the last life; `Broken` and this are the only ends of it."""

    violations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Broken:
    """An error that nobody planned came out of the service."""

    what: str


@dataclass(frozen=True, slots=True)
class Ask:
    """A call of the chain's method, answered with (True, result) or (False, exception)."""

    method: str
    arguments: tuple[Any, ...]
    keywords: tuple[tuple[str, Any], ...] = ()


class Line:
    """The child's end. Safe between threads."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()

    def tell(self, message: object) -> None:
        with self._lock:
            self._connection.send(message)

    def ask(self, method: str, *arguments: Any, **keywords: Any) -> Any:
        with self._lock:
            self._connection.send(Ask(method, arguments, tuple(keywords.items())))
            succeeded, answer = self._connection.recv()
        if not succeeded:
            raise answer
        return answer


class DirectLine(Line):
    """A line without a pipe, to the witness in this same process: for the warm-up."""

    def __init__(self, note: Callable[[object], None], answer: Callable[[Ask], tuple[bool, Any]]) -> None:
        self._note = note
        self._answer = answer

    def tell(self, message: object) -> None:
        self._note(message)

    def ask(self, method: str, *arguments: Any, **keywords: Any) -> Any:
        return self._answer(Ask(method, arguments, tuple(keywords.items())))[1]


class FarChain:
    """The `Chain` port over a line. Encoding and signing need no chain and use the child's own copy of it."""

    def __init__(self, line: Line, copy: MemoryChain, fault: Fault) -> None:
        self._line = line
        self._copy = copy
        self._fault = fault

    def identity(self) -> ChainIdentity:
        return cast("ChainIdentity", self._line.ask("identity"))

    def predecessor(self) -> str:
        return cast("str", self._line.ask("predecessor"))

    def head(self) -> RegistryHead:
        return cast("RegistryHead", self._line.ask("head"))

    def head_at(self, size: int) -> bytes | None:
        return cast("bytes | None", self._line.ask("head_at", size))

    def latest_block(self) -> Block:
        return cast("Block", self._line.ask("latest_block"))

    def block(self, number: int) -> Block | None:
        return cast("Block | None", self._line.ask("block", number))

    def finalized_block(self, tag: str) -> Block | None:
        return cast("Block | None", self._line.ask("finalized_block", tag))

    def nonce(self, address: str) -> int:
        return cast("int", self._line.ask("nonce", address))

    def fees(self) -> Fees:
        return cast("Fees", self._line.ask("fees"))

    def simulate(self, call: Call, sender: str) -> Simulation:
        return cast("Simulation", self._line.ask("simulate", call, sender))

    def encode(self, call: Call) -> bytes:
        return self._copy.encode(call)

    def sign(self, sender: Sender, payload: bytes, *, nonce: int, gas: int, fees: Fees) -> SignedTransaction:
        return self._copy.sign(sender, payload, nonce=nonce, gas=gas, fees=fees)

    def send(self, raw: bytes) -> SendReply:
        reply = cast("SendReply", self._line.ask("send", raw))
        self._fault.effect_done()
        return reply

    def receipt(self, transaction_hash: str) -> Receipt | None:
        return cast("Receipt | None", self._line.ask("receipt", transaction_hash))

    def agreement_at(self, digest: bytes) -> AgreementOnChain:
        return cast("AgreementOnChain", self._line.ask("agreement_at", digest))

    def holders(self) -> Holders:
        return cast("Holders", self._line.ask("holders"))

    def key_of(self, organisation: bytes, signer: str) -> KeyOnChain:
        return cast("KeyOnChain", self._line.ask("key_of", organisation, signer))
