"""Reads an EVM chain over JSON-RPC, for verification only: identity, blocks, receipts, and the registry's
views.

The node is not trusted to be well-behaved: replies are bounded in size and time, and read strictly. That it
tells the truth is the verifier's choice of node. Nothing is ever sent that could change a chain.
"""

import http.client
import re
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar, Final, Protocol
from urllib.parse import urlsplit

from sealproof.canonical import Json, encode, parse
from sealproof.encoding import excerpt
from sealproof.errors import OutOfRange, ProofError
from sealproof.keccak import keccak256
from sealproof.secp256k1 import parse_address

TIMEOUT_SECONDS: Final = 5.0
REPLY_LIMIT: Final = 1024 * 1024
"""Bytes of one reply: the registry's code and any block header fit many times."""
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})

_HASH: Final = re.compile(r"0x[0-9a-f]{64}", re.ASCII)
_QUANTITY: Final = re.compile(r"0x[0-9a-f]{1,16}", re.ASCII)
_BYTES: Final = re.compile(r"0x(?:[0-9a-fA-F]{2})*", re.ASCII)


def selector(signature: str) -> bytes:
    """First 4 bytes of the Keccak-256 of a function's signature, as calls begin with."""
    return keccak256(signature.encode("ascii"))[:4]


HEAD_AT: Final = selector("headAt(uint64)")
AGREEMENT_AT: Final = selector("agreementAt(bytes32)")
DEPLOYMENT_ID: Final = selector("deploymentId()")
IS_VALID_SIGNATURE: Final = selector("isValidSignature(bytes32,bytes)")
CHECKPOINT_ANCHORED: Final = keccak256(b"CheckpointAnchored(uint64,bytes32,uint64,bytes32,uint64,uint64)")
AGREEMENT_CONCLUDED: Final = keccak256(
    b"AgreementConcluded(bytes32,bytes32,uint32,bytes32,uint64,uint64,uint64)"
)
AGREEMENT_TERMINATED: Final = keccak256(b"AgreementTerminated(bytes32,bytes32,bytes32,uint64,uint64)")


class ChainUnreachable(ProofError):
    """The node gave no answer: no connection, a time-out, or an HTTP error. It proves nothing either way."""

    code: ClassVar[str] = "chain-unreachable"


class ChainAnswerGarbled(ProofError):
    """The node answered, but not with what was asked for. It proves nothing either way."""

    code: ClassVar[str] = "chain-answer-garbled"


class AgreementState(IntEnum):
    """Where an agreement version stands in the registry; the numbers are those of the contract."""

    NONE = 0
    CONCLUDED = 1
    AMENDED = 2
    TERMINATED = 3


@dataclass(frozen=True, slots=True)
class Block:
    """number: from 0. hash: 0x and 64 hex digits. timestamp: seconds since 1970 by the chain's own clock."""

    number: int
    hash: str
    timestamp: int


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a transaction. contract: 20 bytes. topics: up to 4 of 32 bytes."""

    contract: bytes
    topics: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a transaction: the block that holds it, whether it went through, and its events in
    order."""

    block_number: int
    block_hash: str
    succeeded: bool
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class AgreementOnChain:
    """What the registry knows of an agreement version; times in seconds since 1970, ended_by: 32 bytes."""

    state: AgreementState
    version: int
    concluded_at: int
    ended_at: int
    effective_from: int
    effective_through: int
    ended_by: bytes


class ChainReader(Protocol):
    """What verification asks of a chain. Each call raises ChainUnreachable or ChainAnswerGarbled."""

    def chain_id(self) -> int:
        """The chain id (EIP-155)."""

    def block(self, which: int | str) -> Block | None:
        """The canonical block of a number, or of the tag `latest` or `finalized`; None when there is none."""

    def block_of_hash(self, block_hash: str) -> Block | None:
        """The block of a 0x hash, canonical or not; None when the node does not know it."""

    def code(self, account: str) -> bytes:
        """The code at an address; empty when it is no contract."""

    def deployment_id(self, contract: str) -> bytes:
        """The registry's `deploymentId()`: 32 bytes."""

    def head_at(self, contract: str, size: int) -> bytes:
        """The root anchored for a size: 32 bytes, zero when none was."""

    def agreement_at(self, contract: str, digest: bytes) -> AgreementOnChain:
        """What the registry knows of an agreement version. digest: 32 bytes."""

    def receipt(self, transaction_hash: str) -> Receipt | None:
        """The receipt of a transaction; None when the node knows no such transaction in a block."""

    def signature_answer(self, account: str, digest: bytes, signature: bytes) -> bytes:
        """What a contract account answers to `isValidSignature` (ERC-1271): 4 bytes; empty when it
        refuses."""


class JsonRpcChain:
    """A chain behind one HTTP(S) JSON-RPC address. url: http or https. Raises OutOfRange for another.

    A proxy named in the environment is used for distant nodes and never for this machine.
    """

    def __init__(self, url: str, *, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._url = check_url(url)
        self._timeout = timeout_seconds
        self._opener = opener_for(url)

    def chain_id(self) -> int:
        return _quantity(self._ask("eth_chainId"), "eth_chainId")

    def block(self, which: int | str) -> Block | None:
        name = hex(which) if isinstance(which, int) else which
        block = _block(self._ask("eth_getBlockByNumber", name, False))
        if block is not None and isinstance(which, int) and block.number != which:
            raise ChainAnswerGarbled(f"asked for block {which}, the node answered with block {block.number}")
        return block

    def block_of_hash(self, block_hash: str) -> Block | None:
        block = _block(self._ask("eth_getBlockByHash", block_hash, False))
        if block is not None and block.hash != block_hash:
            raise ChainAnswerGarbled(f"asked for block {block_hash}, the node answered with {block.hash}")
        return block

    def code(self, account: str) -> bytes:
        return _bytes(self._ask("eth_getCode", account, "latest"), "eth_getCode")

    def deployment_id(self, contract: str) -> bytes:
        return self._view(contract, DEPLOYMENT_ID, 1)[0]

    def head_at(self, contract: str, size: int) -> bytes:
        return self._view(contract, HEAD_AT + _word(size), 1)[0]

    def agreement_at(self, contract: str, digest: bytes) -> AgreementOnChain:
        words = self._view(contract, AGREEMENT_AT + digest, 7)
        state, version, concluded_at, ended_at, effective_from, effective_through = (
            int.from_bytes(word, "big") for word in words[:6]
        )
        if state not in set(AgreementState):
            raise ChainAnswerGarbled(f"the registry answered with the unknown state {state}")
        return AgreementOnChain(
            AgreementState(state),
            version,
            concluded_at,
            ended_at,
            effective_from,
            effective_through,
            ended_by=words[6],
        )

    def receipt(self, transaction_hash: str) -> Receipt | None:
        return _receipt(self._ask("eth_getTransactionReceipt", transaction_hash), transaction_hash)

    def signature_answer(self, account: str, digest: bytes, signature: bytes) -> bytes:
        padding = bytes(-len(signature) % 32)
        call = IS_VALID_SIGNATURE + digest + _word(64) + _word(len(signature)) + signature + padding
        try:
            words = self._view(account, call, 1)
        except ChainAnswerGarbled:
            return b""  # the account reverted or is of another kind: it does not accept
        return words[0][:4]

    def _view(self, contract: str, call: bytes, words: int) -> list[bytes]:
        """The answer of a view function, as 32-byte words."""
        answer = self._ask("eth_call", {"to": contract, "data": "0x" + call.hex()}, "latest")
        raw = _bytes(answer, "eth_call")
        if len(raw) != 32 * words:
            raise ChainAnswerGarbled(
                f"the contract answered with {len(raw)} bytes where {32 * words} were due: it is not "
                "the registry"
            )
        return [raw[start : start + 32] for start in range(0, len(raw), 32)]

    def _ask(self, method: str, *parameters: Json) -> Json:
        request: dict[str, Json] = {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}
        try:
            reply = parse(self._post(encode(request)), limit=REPLY_LIMIT)
        except (ChainUnreachable, ChainAnswerGarbled):
            raise
        except ProofError as malformed:
            raise ChainAnswerGarbled(f"{method}: the node's reply is no JSON-RPC: {malformed}") from None
        if not isinstance(reply, Mapping) or reply.get("jsonrpc") != "2.0" or reply.get("id") != 1:
            raise ChainAnswerGarbled(f"{method}: the reply is not the answer to this question")
        if "error" in reply and reply["error"] is not None:
            raise ChainAnswerGarbled(f"{method}: the node refused: {excerpt(str(reply['error']))}")
        if "result" not in reply:
            raise ChainAnswerGarbled(f"{method}: the reply has no result")
        return reply["result"]

    def _post(self, body: bytes) -> bytes:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        request = urllib.request.Request(self._url, body, headers, method="POST")  # noqa: S310 - passed check_url
        return fetch(self._opener, request, limit=REPLY_LIMIT, timeout_seconds=self._timeout)


def check_url(url: str) -> str:
    """The address itself when it is http or https with a host. Raises OutOfRange for anything else."""
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        known = False
    if not known or not url.isascii() or any(c <= " " for c in url):
        raise OutOfRange(f"expected an address that begins with http:// or https://, met {excerpt(url)}")
    return url


def opener_for(url: str) -> urllib.request.OpenerDirector:
    """An opener for http and https alone, without redirects; no proxy towards this machine."""
    opener = urllib.request.OpenerDirector()
    if urlsplit(url).hostname not in LOOPBACK:
        opener.add_handler(urllib.request.ProxyHandler())
    for handler in (
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.HTTPDefaultErrorHandler(),
    ):
        opener.add_handler(handler)
    return opener


def fetch(
    opener: urllib.request.OpenerDirector,
    request: urllib.request.Request,
    *,
    limit: int,
    timeout_seconds: float,
) -> bytes:
    """The body of a 200 answer, of at most `limit` bytes, whole within the time.

    Raises ChainUnreachable for no connection, another status or too late, ChainAnswerGarbled for too long.
    """
    deadline = time.monotonic() + timeout_seconds
    parts: list[bytes] = []
    length = 0
    try:
        with opener.open(request, timeout=timeout_seconds) as reply:
            while part := reply.read1(65536):
                parts.append(part)
                length += len(part)
                if length > limit:
                    raise ChainAnswerGarbled(f"the answer has more than {limit} bytes")
                if time.monotonic() > deadline:
                    raise ChainUnreachable(f"no whole answer within {timeout_seconds:g} seconds")
            whole = reply.length in (None, 0)
    except urllib.error.HTTPError as status:
        status.close()
        raise ChainUnreachable(f"{request.host} answered with HTTP status {status.code}") from None
    except (OSError, http.client.HTTPException, ValueError) as failure:
        raise ChainUnreachable(f"{request.host} gave no answer: {excerpt(str(failure))}") from None
    if not whole:
        raise ChainUnreachable(f"{request.host} broke off in the middle of its answer")
    return b"".join(parts)


def _word(number: int) -> bytes:
    return number.to_bytes(32, "big")


def _quantity(value: Json, what: str) -> int:
    if not isinstance(value, str) or not _QUANTITY.fullmatch(value):
        raise ChainAnswerGarbled(f"{what}: expected a 0x number, met {excerpt(str(value))}")
    return int(value, 16)


def _bytes(value: Json, what: str) -> bytes:
    if not isinstance(value, str) or not _BYTES.fullmatch(value):
        raise ChainAnswerGarbled(f"{what}: expected 0x bytes, met {excerpt(str(value))}")
    return bytes.fromhex(value[2:])


def _hash_text(value: Json, what: str) -> str:
    if not isinstance(value, str) or not _HASH.fullmatch(value):
        raise ChainAnswerGarbled(f"{what}: expected a 0x hash, met {excerpt(str(value))}")
    return value


def _members(value: Json, what: str) -> Mapping[str, Json]:
    if not isinstance(value, Mapping):
        raise ChainAnswerGarbled(f"{what}: expected an object, met {excerpt(str(value))}")
    return value


def _block(value: Json) -> Block | None:
    if value is None:
        return None
    fields = _members(value, "block")
    return Block(
        _quantity(fields.get("number"), "block.number"),
        _hash_text(fields.get("hash"), "block.hash"),
        _quantity(fields.get("timestamp"), "block.timestamp"),
    )


def _receipt(value: Json, transaction_hash: str) -> Receipt | None:
    if value is None:
        return None
    fields = _members(value, "receipt")
    if fields.get("transactionHash") != transaction_hash:
        raise ChainAnswerGarbled(f"asked for transaction {transaction_hash}, the node answered with another")
    logs = fields.get("logs")
    if not isinstance(logs, list):
        raise ChainAnswerGarbled("receipt.logs: expected an array")
    return Receipt(
        _quantity(fields.get("blockNumber"), "receipt.blockNumber"),
        _hash_text(fields.get("blockHash"), "receipt.blockHash"),
        _quantity(fields.get("status"), "receipt.status") == 1,
        tuple(_event(_members(log, "receipt.logs")) for log in logs),
    )


def _event(fields: Mapping[str, Json]) -> Event:
    topics = fields.get("topics")
    if not isinstance(topics, list):
        raise ChainAnswerGarbled("receipt.logs.topics: expected an array")
    return Event(
        _bytes(fields.get("address"), "receipt.logs.address"),
        tuple(_bytes(topic, "receipt.logs.topics") for topic in topics),
    )


def emitted(receipt: Receipt, contract: str, *topics: bytes) -> bool:
    """Whether the contract emitted, in this transaction, an event whose first topics are these."""
    account = parse_address(contract)
    return any(
        event.contract == account and event.topics[: len(topics)] == topics for event in receipt.events
    )
