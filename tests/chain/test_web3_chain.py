"""What a node may do wrong: each reply is an answer of the right kind or ChainUnavailable."""

import json
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from eth_utils.crypto import keccak

from sealproof.rpc import Block
from talentseal.chain import RECURSION_LIMIT
from talentseal.chain.port import (
    ZERO_HASH,
    Call,
    Chain,
    ChainUnavailable,
    Fees,
    GasNeeded,
    NotTheRegistry,
    Receipt,
    Reverted,
    SendOutcome,
    SendReply,
)
from talentseal.chain.web3_chain import REPLY_LIMIT, UNESTIMATED_GAS, Web3Chain

CONTRACT = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
HASH = "0x" + "ab" * 32
BLOCK = {"number": "0x5", "hash": HASH, "timestamp": "0x64", "baseFeePerGas": "0x7"}
RECEIPT = {
    "transactionHash": HASH,
    "blockNumber": "0x5",
    "blockHash": HASH,
    "status": "0x1",
    "gasUsed": "0x5208",
}
NOT_PAUSED = "0x" + keccak(text="RegistryNotPaused()")[:4].hex()
REVERT = {"code": 3, "message": "execution reverted", "data": NOT_PAUSED}


class Node:
    """A JSON-RPC server that answers what the test says: `answer(method, id)` gives status and body."""

    def __init__(self) -> None:
        self.answer: Callable[[str, int], tuple[int, bytes]] = lambda _method, _id: (200, b"")
        node = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status, body = node.answer(request["method"], request["id"])
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Location", "http://127.0.0.1:1/")
                self.end_headers()
                try:
                    self.wfile.write(body)
                except OSError:
                    self.close_connection = True

            def log_message(self, *_arguments: Any) -> None:
                """Silence."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def results(self, **by_method: Any) -> None:
        """Well-formed answers by method; an `error` key makes an error of it."""

        def answer(method: str, request_id: int) -> tuple[int, bytes]:
            result = by_method.get(method)
            kind = "error" if isinstance(result, dict) and "code" in result else "result"
            return 200, json.dumps({"jsonrpc": "2.0", "id": request_id, kind: result}).encode()

        self.answer = answer


@pytest.fixture
def node() -> Iterator[Node]:
    made = Node()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def chain(node: Node) -> Web3Chain:
    return Web3Chain(node.url, CONTRACT, 1, timeout_seconds=0.5)


def questions(chain: Chain) -> list[Callable[[], Any]]:
    signer = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
    return [
        chain.identity,
        chain.predecessor,
        chain.head,
        lambda: chain.head_at(3),
        chain.latest_block,
        lambda: chain.block(5),
        lambda: chain.finalized_block("finalized"),
        lambda: chain.nonce(signer),
        chain.fees,
        lambda: chain.simulate(Call("voidSignatures", (bytes(32),)), signer),
        lambda: chain.receipt(HASH),
        lambda: chain.agreement_at(bytes(32)),
        lambda: chain.key_of(bytes(32), signer),
    ]


GARBAGE: dict[str, tuple[int, bytes]] = {
    "nothing": (200, b""),
    "no JSON": (200, b"<html>gateway</html>"),
    "half a reply": (200, b'{"jsonrpc":"2.0","id":'),
    "a list": (200, b"[]"),
    "a string": (200, b'"0x1"'),
    "not UTF-8": (200, b"\xff\xfe{}"),
    "deep nesting": (200, b"[" * 100_000),
    "another id": (200, b'{"jsonrpc":"2.0","id":987654,"result":"0x1"}'),
    "too many requests": (429, b"{}"),
    "bad gateway": (502, b"{}"),
    "redirect": (302, b""),
    "not allowed": (401, b"{}"),
}


@pytest.mark.parametrize("kind", GARBAGE)
def test_garbage_is_never_an_answer(node: Node, chain: Web3Chain, kind: str) -> None:
    node.answer = lambda _method, _id: GARBAGE[kind]

    for question in questions(chain):
        with pytest.raises(ChainUnavailable):
            question()
    assert chain.send(b"\x02").outcome is SendOutcome.UNCERTAIN


def test_the_chains_libraries_leave_the_recursion_limit_where_it_was() -> None:
    """py_ecc raises it to 100,000, and nested JSON then kills the process."""
    source = "import sys; from talentseal.chain import web3_chain, keys; print(sys.getrecursionlimit())"

    met = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)

    assert met.stdout.strip() == str(RECURSION_LIMIT)


WRONG: list[Any] = [
    None,
    True,
    7,
    -1,
    1.5,
    "",
    "0x",
    "0xzz",
    "5",
    [],
    {},
    "0x" + "f" * 70,
    [None],
    {"number": None},
]


@pytest.mark.parametrize("result", WRONG, ids=repr)
def test_a_result_of_the_wrong_kind_is_never_taken_for_a_block_or_a_receipt(
    node: Node, chain: Web3Chain, result: Any
) -> None:
    node.answer = lambda _method, request_id: (
        200,
        json.dumps({"jsonrpc": "2.0", "id": request_id, "result": result}).encode(),
    )

    for question in questions(chain)[4:7]:
        try:
            assert question() is None
        except ChainUnavailable:
            continue
    try:
        assert chain.receipt(HASH) is None
    except ChainUnavailable:
        assert result is not None


@pytest.mark.parametrize("seed", range(10))
def test_a_thousand_altered_replies_bring_forth_answers_or_silence_only(
    node: Node, chain: Web3Chain, seed: int
) -> None:
    """Bytes of well-formed replies flipped, cut, doubled: 10 × 100 replies, each to one of 13 questions."""
    chance = random.Random(seed)
    sound: dict[str, Any] = {
        "eth_chainId": "0x7a69",
        "eth_getCode": "0x6001",
        "eth_getBlockByNumber": BLOCK,
        "eth_call": "0x" + "00" * 224,
        "eth_getTransactionCount": "0x3",
        "eth_gasPrice": "0x9",
        "eth_estimateGas": "0x5208",
        "eth_getTransactionReceipt": RECEIPT,
    }

    def answer(method: str, request_id: int) -> tuple[int, bytes]:
        body = json.dumps({"jsonrpc": "2.0", "id": request_id, "result": sound[method]}).encode()
        place = chance.randrange(len(body))
        return 200, chance.choice(
            [
                body[:place],
                body[:place] + bytes([chance.randrange(256)]) + body[place + 1 :],
                body[:place] + body[place:] * 2,
                body.replace(b"0x", chance.choice([b"", b"-0x", b"0y", b"0xx"])),
            ]
        )

    node.answer = answer
    for _ in range(100):
        try:
            met = chance.choice(questions(chain))()
        except ChainUnavailable:
            continue
        assert (
            met is None
            or type(met).__module__ in {"talentseal.chain.port", "sealproof.rpc"}
            or isinstance(met, bytes | int | str)
        )


def test_a_reply_that_is_too_long_is_given_up(node: Node, chain: Web3Chain) -> None:
    node.answer = lambda _method, _id: (200, b" " * (REPLY_LIMIT + 2))

    with pytest.raises(ChainUnavailable):
        chain.latest_block()


def test_a_node_that_does_not_answer_is_given_up_in_time(node: Node, chain: Web3Chain) -> None:
    def slow(_method: str, _id: int) -> tuple[int, bytes]:
        time.sleep(2)
        return 200, b""

    node.answer = slow
    began = time.monotonic()

    with pytest.raises(ChainUnavailable):
        chain.latest_block()
    assert time.monotonic() - began < 1.5


def test_a_port_where_nobody_listens_is_a_silent_chain() -> None:
    chain = Web3Chain("http://127.0.0.1:1", CONTRACT, 1)

    for question in questions(chain):
        with pytest.raises(ChainUnavailable):
            question()
    assert chain.send(b"\x02").outcome is SendOutcome.UNCERTAIN


def test_another_contract_at_the_address_is_not_the_registry(node: Node, chain: Web3Chain) -> None:
    node.results(eth_call="0x", eth_getCode="0x6001", eth_chainId="0x1", eth_getBlockByNumber=None)

    assert chain.identity().deployment_id == ZERO_HASH
    with pytest.raises(NotTheRegistry):
        chain.head()


def test_silence_about_the_deployment_is_not_another_contract(node: Node, chain: Web3Chain) -> None:
    sound = {"eth_chainId": "0x1", "eth_getCode": "0x6001", "eth_getBlockByNumber": None}

    def answer(method: str, request_id: int) -> tuple[int, bytes]:
        if method == "eth_call":
            return 429, b"{}"
        return 200, json.dumps({"jsonrpc": "2.0", "id": request_id, "result": sound[method]}).encode()

    node.answer = answer

    with pytest.raises(ChainUnavailable):
        chain.identity()


@pytest.mark.parametrize(
    ("results", "fees"),
    [
        ({"eth_getBlockByNumber": BLOCK, "eth_gasPrice": "0x9"}, Fees(16, 2)),
        ({"eth_getBlockByNumber": BLOCK | {"baseFeePerGas": "0x0"}, "eth_gasPrice": "0x0"}, Fees(0, None)),
        ({"eth_getBlockByNumber": {"number": "0x5", "hash": HASH}, "eth_gasPrice": "0x0"}, Fees(0, None)),
        ({"eth_getBlockByNumber": {"number": "0x5", "hash": HASH}, "eth_gasPrice": "0x9"}, Fees(9, None)),
    ],
    ids=["base fee", "zero base fee", "legacy and free", "legacy"],
)
def test_every_kind_of_fee_is_read(node: Node, chain: Web3Chain, results: dict[str, Any], fees: Fees) -> None:
    node.results(**results)

    assert chain.fees() == fees


def test_a_proof_of_authority_block_with_its_long_extra_field_is_read(node: Node, chain: Web3Chain) -> None:
    node.results(eth_getBlockByNumber=BLOCK | {"extraData": "0x" + "00" * 97})

    assert chain.block(5) == Block(5, HASH, 100)


def test_another_block_than_asked_for_is_no_answer(node: Node, chain: Web3Chain) -> None:
    node.results(eth_getBlockByNumber=BLOCK)

    with pytest.raises(ChainUnavailable, match="asked for block 6"):
        chain.block(6)


def test_a_receipt_of_another_transaction_is_no_answer(node: Node, chain: Web3Chain) -> None:
    node.results(eth_getTransactionReceipt=RECEIPT)

    assert chain.receipt(HASH) == Receipt(HASH, 5, HASH, True, 21_000)
    with pytest.raises(ChainUnavailable, match="another transaction"):
        chain.receipt("0x" + "cd" * 32)


def test_a_revert_is_decoded_from_its_bytes(node: Node, chain: Web3Chain) -> None:
    node.results(eth_estimateGas=REVERT)

    met = chain.simulate(Call("voidSignatures", (bytes(32),)), CONTRACT)

    assert isinstance(met, Reverted)
    assert str(met.error) == "RegistryNotPaused()"


NO_ESTIMATE = {"code": -32603, "message": "extraData must be 97 bytes on PoA blocks, received 32 bytes"}
"""What @ethereumjs/client 0.10.5 says to every eth_estimateGas on a Clique chain."""


def test_a_node_that_cannot_estimate_runs_the_call_under_a_limit(node: Node, chain: Web3Chain) -> None:
    call = Call("voidSignatures", (bytes(32),))

    node.results(eth_estimateGas=NO_ESTIMATE, eth_call="0x")
    assert chain.simulate(call, CONTRACT) == GasNeeded(UNESTIMATED_GAS)

    node.results(eth_estimateGas=NO_ESTIMATE, eth_call=REVERT)
    met = chain.simulate(call, CONTRACT)
    assert isinstance(met, Reverted)
    assert str(met.error) == "RegistryNotPaused()"

    node.results(eth_estimateGas=NO_ESTIMATE, eth_call=NO_ESTIMATE)
    with pytest.raises(ChainUnavailable, match="97 bytes"):
        chain.simulate(call, CONTRACT)


@pytest.mark.parametrize("revert", ["0x", "0xdeadbeef", "0xdeadbeef" + "00" * 500, NOT_PAUSED + "00"])
def test_a_revert_without_a_known_error_is_unknown(node: Node, chain: Web3Chain, revert: str) -> None:
    node.results(eth_estimateGas=REVERT | {"data": revert})

    met = chain.simulate(Call("voidSignatures", (bytes(32),)), CONTRACT)

    assert isinstance(met, Reverted)
    assert met.error.is_known is (revert == NOT_PAUSED + "00")
    assert len(str(met.error)) < 400


@pytest.mark.parametrize(
    "text", ["already known", "transaction already imported", "nonce too low", "underpriced", "ok", ""]
)
def test_whatever_a_node_says_to_a_send_stays_uncertain(node: Node, chain: Web3Chain, text: str) -> None:
    node.results(eth_sendRawTransaction={"code": -32003, "message": text})

    assert chain.send(b"\x02\x01").outcome is SendOutcome.UNCERTAIN


def test_a_send_is_accepted_only_with_its_own_hash(node: Node, chain: Web3Chain) -> None:
    node.results(eth_sendRawTransaction="0x" + keccak(b"\x02\x01").hex())

    assert chain.send(b"\x02\x01") == SendReply(SendOutcome.ACCEPTED, "")
    assert chain.send(b"\x02\x02").outcome is SendOutcome.UNCERTAIN
