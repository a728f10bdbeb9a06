"""The `Chain` port over JSON-RPC: any EVM chain. The only module that imports web3.

Replies are bounded in size and time and nothing is cached or retried here: whoever asks decides what a
silence means. Whatever the node or the library does wrong comes out as ChainUnavailable; only the contract's
own refusals, which the library recognises in every node's dialect, come out as a revert.
"""

import json
import time
from collections.abc import Callable
from typing import Any, TypeVar, cast

import requests
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from web3 import HTTPProvider, Web3
from web3.exceptions import BlockNotFound, ContractLogicError, TransactionNotFound, Web3RPCError
from web3.middleware import ExtraDataToPOAMiddleware
from web3.types import BlockIdentifier, FilterParams, RPCEndpoint, RPCResponse, TxParams

from sealproof.rpc import AgreementOnChain, AgreementState, Block
from talentseal.chain.contract import ContractAbi, registry_abi
from talentseal.chain.port import (
    ROLES,
    UNKNOWN_ERROR,
    ZERO_HASH,
    Call,
    ChainIdentity,
    ChainUnavailable,
    ContractError,
    Fees,
    GasNeeded,
    Holders,
    KeyOnChain,
    NotTheRegistry,
    Receipt,
    RegistryHead,
    Reverted,
    Sender,
    SendOutcome,
    SendReply,
    SignedTransaction,
    SigningRefused,
    Simulation,
)

T = TypeVar("T")

TIMEOUT_SECONDS = 5.0
"""A node that has not answered in full by then counts as silent."""

REPLY_LIMIT = 8 * 1024 * 1024
"""Bytes of one reply: a full block's list of transaction hashes fits many times."""

ROLE_GRANTED = keccak(text="RoleGranted(bytes32,address,address)")

UNESTIMATED_GAS = 2_000_000
"""Limit for a call to a node that cannot estimate: fourteen agreements of eight. What is not used is not
charged.
"""

QUOTED = 200
"""Characters of a node's own words that are kept for the operator."""


class BoundedProvider(HTTPProvider):
    """web3's HTTP transport with a limit on size and total time, no redirects, no retries, no proxies of
    the shell.
    """

    def __init__(self, url: str, timeout_seconds: float) -> None:
        super().__init__(url, exception_retry_configuration=None)
        self._url = url
        self._timeout_seconds = timeout_seconds
        self._session = requests.Session()
        self._session.trust_env = False
        # A contract must not be able to send this process to an address of its choosing (EIP-3668).
        self.global_ccip_read_enabled = False

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        request = self.encode_rpc_request(method, params)
        reply = json.loads(self._post(request))
        if not isinstance(reply, dict) or reply.get("id") != json.loads(request)["id"]:
            raise ChainUnavailable(f"the reply to {method} is not a JSON-RPC answer to that request")
        return cast("RPCResponse", reply)

    def _post(self, request: bytes) -> bytes:
        ends = time.monotonic() + self._timeout_seconds
        headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
        with self._session.post(
            self._url,
            data=request,
            headers=headers,
            timeout=self._timeout_seconds,
            stream=True,
            allow_redirects=False,
        ) as response:
            if response.status_code != requests.codes.ok:
                raise ChainUnavailable(f"HTTP {response.status_code}")
            reply = bytearray()
            for piece in response.iter_content(65_536):
                reply += piece
                if len(reply) > REPLY_LIMIT or time.monotonic() > ends:
                    raise ChainUnavailable(
                        f"no whole answer within {REPLY_LIMIT} bytes and {self._timeout_seconds} s"
                    )
            return bytes(reply)


class Web3Chain:
    """A chain behind one RPC address, and the registry deployed on it.

    contract: address; deployment_block: height of the block that deployed it (part of the identity).
    """

    def __init__(
        self,
        url: str,
        contract: str,
        deployment_block: int,
        *,
        abi: ContractAbi | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self._contract = to_checksum_address(contract)
        self._deployment_block = deployment_block
        self._abi = abi or registry_abi()
        # Without the library's own middleware nothing asks the node for gas, fees or nonces behind our back.
        self._eth = Web3(BoundedProvider(url, timeout_seconds), middleware=[ExtraDataToPOAMiddleware]).eth
        self._chain_id: int | None = None

    def identity(self) -> ChainIdentity:
        self._chain_id = _ask("the chain id", lambda: _natural(self._eth.chain_id))
        code = _ask("the contract's code", lambda: bytes(self._eth.get_code(self._contract)))
        genesis, deployment = self.block(0), self.block(self._deployment_block)
        return ChainIdentity(
            chain_id=self._chain_id,
            genesis_hash=genesis.hash if genesis else ZERO_HASH,
            contract=self._contract,
            code_hash="0x" + keccak(code).hex() if code else ZERO_HASH,
            deployment_id=self._deployment_id() if code else ZERO_HASH,
            deployment_block_hash=deployment.hash if deployment else ZERO_HASH,
        )

    def predecessor(self) -> str:
        (found,) = self._view("predecessor")
        return "0x" + bytes(found).hex()

    def head(self) -> RegistryHead:
        size, root, _anchored_at, _block_number = self._view("head")
        return RegistryHead(size, root)

    def head_at(self, size: int) -> bytes | None:
        (root,) = self._view("headAt", size)
        return bytes(root) if any(root) else None

    def latest_block(self) -> Block:
        block = self._block("latest")
        if block is None:
            raise ChainUnavailable("the node has no latest block")
        return block

    def block(self, number: int) -> Block | None:
        block = self._block(number)
        if block is not None and block.number != number:
            raise ChainUnavailable(f"asked for block {number}, got block {block.number}")
        return block

    def finalized_block(self, tag: str) -> Block | None:
        return self._block(cast("BlockIdentifier", tag))

    def nonce(self, address: str) -> int:
        return _ask(
            "a nonce",
            lambda: _natural(self._eth.get_transaction_count(to_checksum_address(address), "latest")),
        )

    def fees(self) -> Fees:
        latest = _ask("the latest block", lambda: self._eth.get_block("latest"))
        price = _ask("the gas price", lambda: _natural(self._eth.gas_price))
        base = latest.get("baseFeePerGas")
        if base is None or (base == 0 and price == 0):
            return Fees(price, None)
        tip = max(price - _natural(base), 1)
        # Twice the base fee outlasts six full blocks in a row; what is not needed is not charged.
        return Fees(2 * _natural(base) + tip, tip)

    def simulate(self, call: Call, sender: str) -> Simulation:
        transaction: TxParams = {
            "from": to_checksum_address(sender),
            "to": self._contract,
            "data": Web3.to_hex(self._abi.encode(call)),
        }
        try:
            return GasNeeded(_ask("a gas estimate", lambda: self._gas(transaction)))
        except ContractLogicError as error:
            return Reverted(self._error_of(error))

    def encode(self, call: Call) -> bytes:
        return self._abi.encode(call)

    def sign(self, sender: Sender, payload: bytes, *, nonce: int, gas: int, fees: Fees) -> SignedTransaction:
        if self._chain_id is None:
            raise SigningRefused("the chain's identity has not been read yet; nothing was signed")
        return sender.sign(
            chain_id=self._chain_id, to=self._contract, payload=payload, nonce=nonce, gas=gas, fees=fees
        )

    def send(self, raw: bytes) -> SendReply:
        try:
            answered = _ask("the transaction's hash", lambda: bytes(self._eth.send_raw_transaction(raw)))
        except (ChainUnavailable, ContractLogicError, TransactionNotFound) as error:
            # A refusal, a lost reply and a node's whim look alike here: the hash decides later.
            return SendReply(SendOutcome.UNCERTAIN, _quoted(error))
        if answered != keccak(raw):
            return SendReply(SendOutcome.UNCERTAIN, "the node answered with another transaction's hash")
        return SendReply(SendOutcome.ACCEPTED, "")

    def receipt(self, transaction_hash: str) -> Receipt | None:
        try:
            found = _ask(
                "a receipt", lambda: self._eth.get_transaction_receipt(cast("Any", transaction_hash))
            )
        except TransactionNotFound:
            return None
        return _ask("a receipt", lambda: _receipt(transaction_hash, found))

    def agreement_at(self, digest: bytes) -> AgreementOnChain:
        state, version, concluded, ended, effective, through, ended_by = self._view("agreementAt", digest)
        return AgreementOnChain(
            AgreementState(state), version, concluded, ended, effective, through, ended_by
        )

    def holders(self) -> Holders:
        (admin,) = self._view("defaultAdmin")
        return Holders(
            to_checksum_address(admin), {role: self._holders_of(keccak(text=role)) for role in ROLES}
        )

    def _holders_of(self, role: bytes) -> tuple[str, ...]:
        """Whoever was ever granted the role and still has it."""
        query: FilterParams = {
            "address": self._contract,
            "fromBlock": cast("BlockIdentifier", self._deployment_block),
            "toBlock": "latest",
            "topics": [Web3.to_hex(ROLE_GRANTED), Web3.to_hex(role)],
        }
        granted = _ask("the grants of a role", lambda: [_account(log) for log in self._eth.get_logs(query)])
        return tuple(account for account in dict.fromkeys(granted) if self._view("hasRole", role, account)[0])

    def key_of(self, organisation: bytes, signer: str) -> KeyOnChain:
        valid_from, valid_until, nonce = self._view("keyOf", organisation, signer)
        return KeyOnChain(valid_from, valid_until, nonce)

    def _gas(self, transaction: TxParams) -> int:
        """The node's estimate; from a node that has none to give, a limit under which it ran the call."""
        try:
            return _natural(self._eth.estimate_gas(transaction))
        except Web3RPCError:
            self._eth.call({**transaction, "gas": UNESTIMATED_GAS}, "latest")
            return UNESTIMATED_GAS

    def _deployment_id(self) -> str:
        try:
            (found,) = self._view("deploymentId")
        except NotTheRegistry:
            return ZERO_HASH
        return "0x" + bytes(found).hex()

    def _view(self, function: str, *arguments: Any) -> tuple[Any, ...]:
        payload = Web3.to_hex(self._abi.encode(Call(function, arguments)))
        transaction: TxParams = {"to": self._contract, "data": payload}
        try:
            answer = _ask(f"{function}()", lambda: bytes(self._eth.call(transaction, "latest")))
        except ContractLogicError as error:
            raise NotTheRegistry(f"{function}() reverted: {_quoted(error)}") from error
        return self._abi.decode_answer(function, answer)

    def _block(self, which: BlockIdentifier) -> Block | None:
        try:
            found = _ask("a block", lambda: self._eth.get_block(which))
        except BlockNotFound:
            return None
        return _ask("a block", lambda: _block(found))

    def _error_of(self, error: ContractLogicError) -> ContractError:
        revert = error.data
        if isinstance(revert, str) and revert.startswith("0x"):
            return self._abi.decode_error(bytes.fromhex(revert[2:]))
        return ContractError(UNKNOWN_ERROR, (("message", _quoted(error)),))


def _ask(what: str, question: Callable[[], T]) -> T:
    """Answer of the node. Lets out the library's "not found" and "reverted"; all else is ChainUnavailable."""
    try:
        return question()
    except (ChainUnavailable, BlockNotFound, TransactionNotFound, ContractLogicError):
        raise
    except (
        Exception
    ) as error:  # the library lets through whatever a hostile reply provokes, from KeyError to recursion
        raise ChainUnavailable(f"{what}: {_quoted(error)}") from error


def _quoted(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:QUOTED]


def _natural(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ChainUnavailable(f"expected a number ≥ 0, met {value!r:.40}")
    return value


def _hash(value: Any) -> str:
    if not isinstance(value, bytes) or len(value) != 32:
        raise ChainUnavailable(f"expected a hash of 32 bytes, met {value!r:.40}")
    return "0x" + bytes(value).hex()


def _block(found: Any) -> Block:
    return Block(_natural(found["number"]), _hash(found["hash"]), _natural(found["timestamp"]))


def _account(log: Any) -> str:
    """Who was granted a role by an event RoleGranted."""
    return str(to_checksum_address(bytes(log["topics"][2])[-20:]))


def _receipt(transaction_hash: str, found: Any) -> Receipt | None:
    if _hash(found["transactionHash"]) != transaction_hash:
        raise ChainUnavailable("the receipt is another transaction's")
    if found["blockHash"] is None:
        return None
    status = _natural(found["status"])
    if status > 1:
        raise ChainUnavailable(f"a receipt's status is 0 or 1, met {status}")
    return Receipt(
        transaction_hash,
        _natural(found["blockNumber"]),
        _hash(found["blockHash"]),
        status == 1,
        _natural(found["gasUsed"]),
    )
