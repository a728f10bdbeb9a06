"""The chain reader against a server that answers, stalls, lies or breaks off; constants against the ABI."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import talentseal
from sealproof import rpc, verify
from sealproof.errors import OutOfRange
from sealproof.keccak import keccak256
from sealproof.report import ALL_PASSED, NOT_ALL_CHECKED
from sealproof.rpc import ChainAnswerGarbled, ChainUnreachable, JsonRpcChain
from tests.sealproof.samples import DOCUMENT, agreement_sample

ARTIFACT = Path(talentseal.__path__[0]) / "chain" / "EvidenceRegistry.json"
Answer = Callable[[BaseHTTPRequestHandler, bytes], None]


@contextmanager
def served(answer: Answer) -> Iterator[str]:
    """A server on this machine whose every POST goes to `answer`; gives its address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            answer(self, self.rfile.read(int(self.headers["Content-Length"])))

        def log_message(self, *_: object) -> None:
            """Tests print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def reply(handler: BaseHTTPRequestHandler, body: bytes, status: int = 200, **headers: str) -> None:
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(body)))
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


def test_a_good_bundle_passes_all_steps_over_http() -> None:
    sample = agreement_sample()
    with served(lambda handler, body: reply(handler, sample.state.answer(body))) as url:
        found = verify.verify(sample.raw, trust=sample.trust, document=DOCUMENT, chain=JsonRpcChain(url))
    assert found.exit_code == ALL_PASSED


def test_a_silent_port_leaves_the_chain_unchecked() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/"
        sample = agreement_sample()
        found = verify.verify(sample.raw, trust=sample.trust, document=DOCUMENT, chain=JsonRpcChain(url))
    assert found.exit_code == NOT_ALL_CHECKED
    assert "gave no answer" in found.steps[10].why


@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 403, 404, 429, 500, 503])
def test_another_status_is_no_answer_and_no_redirect_is_followed(status: int) -> None:
    asked = []

    def answer(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        asked.append(body)
        reply(handler, b"{}", status, Location="http://127.0.0.1:1/elsewhere")

    with served(answer) as url, pytest.raises(ChainUnreachable, match=str(status)):
        JsonRpcChain(url).chain_id()
    assert len(asked) == 1


def test_a_node_that_never_ends_its_answer_is_left_after_the_time() -> None:
    gone = threading.Event()

    def drip(handler: BaseHTTPRequestHandler, _: bytes) -> None:
        handler.send_response(200)
        handler.end_headers()
        while not gone.is_set():
            try:
                handler.wfile.write(b" ")
                handler.wfile.flush()
            except OSError:
                return
            time.sleep(0.02)

    begun = time.monotonic()
    with served(drip) as url:
        with pytest.raises(ChainUnreachable, match="within"):
            JsonRpcChain(url, timeout_seconds=0.3).chain_id()
        gone.set()
    assert time.monotonic() - begun < 3


def test_a_node_that_says_nothing_is_left_after_the_time() -> None:
    release = threading.Event()

    def stall(_handler: BaseHTTPRequestHandler, _body: bytes) -> None:
        release.wait(5)

    with served(stall) as url:
        with pytest.raises(ChainUnreachable):
            JsonRpcChain(url, timeout_seconds=0.2).chain_id()
        release.set()


def test_an_answer_cut_off_in_the_middle_is_no_answer() -> None:
    def cut(handler: BaseHTTPRequestHandler, _: bytes) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "100")
        handler.end_headers()
        handler.wfile.write(b'{"jsonrpc":"2.0","id":1,"result":"0x1"}')
        handler.close_connection = True

    with served(cut) as url, pytest.raises(ChainUnreachable, match="broke off"):
        JsonRpcChain(url).chain_id()


def test_an_answer_over_the_limit_is_not_read_to_its_end() -> None:
    def flood(handler: BaseHTTPRequestHandler, _: bytes) -> None:
        handler.send_response(200)
        handler.end_headers()
        try:
            while True:
                handler.wfile.write(b"0" * 65536)
        except OSError:
            return

    with served(flood) as url, pytest.raises(ChainAnswerGarbled, match="more than"):
        JsonRpcChain(url).chain_id()


def test_what_is_no_http_is_no_answer() -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()

        def babble() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"\x00\x01\x02 not http at all\r\n\r\n")

        thread = threading.Thread(target=babble)
        thread.start()
        with pytest.raises(ChainUnreachable):
            JsonRpcChain(f"http://127.0.0.1:{listening.getsockname()[1]}/").chain_id()
        thread.join()


def test_a_proxy_of_the_environment_is_not_used_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1/")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    sample = agreement_sample()
    with served(lambda handler, body: reply(handler, sample.state.answer(body))) as url:
        assert JsonRpcChain(url).chain_id() == 31337


@pytest.mark.parametrize(
    "url",
    [
        "",
        "file:///etc/passwd",
        "ftp://127.0.0.1/",
        "127.0.0.1:8545",
        "http://",
        "http:///path",
        "http://[::1",
        "http://host:port/",
        "http://host:99999/",
        "http://a b/",
        "http://host/\r\nX: y",
        "javascript:alert(1)",
        "http://höst/",
    ],
)
def test_only_http_and_https_addresses_are_taken(url: str) -> None:
    with pytest.raises(OutOfRange):
        JsonRpcChain(url)


def answers(method: str, result: Any) -> Answer:
    def answer(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        request = json.loads(body)
        assert request["method"] == method
        reply(handler, json.dumps({"jsonrpc": "2.0", "id": 1, "result": result}).encode())

    return answer


HASH = "0x" + "ab" * 32
RECEIPT: dict[str, Any] = {
    "transactionHash": HASH,
    "blockNumber": "0x1",
    "blockHash": HASH,
    "status": "0x1",
    "logs": [{"address": "0x" + "11" * 20, "topics": [HASH]}],
}


@pytest.mark.parametrize(
    "altered",
    [
        {"transactionHash": "0x" + "cd" * 32},
        {"blockNumber": None},
        {"blockNumber": 1},
        {"blockHash": "0x12"},
        {"blockHash": HASH.upper()},
        {"status": "1"},
        {"logs": None},
        {"logs": {}},
        {"logs": [1]},
        {"logs": [{}]},
        {"logs": [{"address": "0x11", "topics": "x"}]},
        {"logs": [{"address": "zz", "topics": []}]},
        {"logs": [{"address": "0x11", "topics": [1]}]},
    ],
)
def test_a_receipt_of_another_shape_is_garbled(altered: dict[str, Any]) -> None:
    with (
        served(answers("eth_getTransactionReceipt", RECEIPT | altered)) as url,
        pytest.raises(ChainAnswerGarbled),
    ):
        JsonRpcChain(url).receipt(HASH)


@pytest.mark.parametrize(
    "block",
    [
        {"number": "0x2", "hash": HASH, "timestamp": "0x1"},
        {"number": "0x1", "hash": HASH},
        {"number": "0x1", "hash": None, "timestamp": "0x1"},
        {"number": "0x1", "hash": HASH, "timestamp": "0x" + "f" * 17},
        {"number": "1", "hash": HASH, "timestamp": "0x1"},
        "0x1",
        False,
    ],
)
def test_a_block_of_another_number_or_shape_is_garbled(block: Any) -> None:
    with served(answers("eth_getBlockByNumber", block)) as url, pytest.raises(ChainAnswerGarbled):
        JsonRpcChain(url).block(1)


def test_a_block_of_another_hash_is_garbled() -> None:
    other = {"number": "0x1", "hash": "0x" + "cd" * 32, "timestamp": "0x1"}
    with served(answers("eth_getBlockByHash", other)) as url, pytest.raises(ChainAnswerGarbled):
        JsonRpcChain(url).block_of_hash(HASH)


# ---------------------------------------------------------------------------- against the contract's ABI


def canonical_type(parameter: dict[str, Any]) -> str:
    kind: str = parameter["type"]
    if not kind.startswith("tuple"):
        return kind
    inner = ",".join(canonical_type(member) for member in parameter["components"])
    return f"({inner}){kind.removeprefix('tuple')}"


def abi_item(kind: str, name: str) -> dict[str, Any]:
    abi = json.loads(ARTIFACT.read_bytes())["abi"]
    found: list[dict[str, Any]] = [item for item in abi if item["type"] == kind and item.get("name") == name]
    assert len(found) == 1
    return found[0]


def signature(item: dict[str, Any]) -> bytes:
    return f"{item['name']}({','.join(canonical_type(parameter) for parameter in item['inputs'])})".encode()


@pytest.mark.parametrize(
    ("name", "selector", "outputs"),
    [
        ("headAt", rpc.HEAD_AT, ["bytes32"]),
        ("deploymentId", rpc.DEPLOYMENT_ID, ["bytes32"]),
        (
            "agreementAt",
            rpc.AGREEMENT_AT,
            ["uint8", "uint32", "uint64", "uint64", "uint64", "uint64", "bytes32"],
        ),
    ],
)
def test_selectors_and_answers_are_those_of_the_registry(
    name: str, selector: bytes, outputs: list[str]
) -> None:
    item = abi_item("function", name)
    assert selector == keccak256(signature(item))[:4]
    assert [output["type"] for output in item["outputs"]] == outputs
    assert item["stateMutability"] == "view"


@pytest.mark.parametrize(
    ("name", "topic", "indexed"),
    [
        ("CheckpointAnchored", rpc.CHECKPOINT_ANCHORED, ["size", "root"]),
        ("AgreementConcluded", rpc.AGREEMENT_CONCLUDED, ["digest"]),
        ("AgreementTerminated", rpc.AGREEMENT_TERMINATED, ["digest", "termination"]),
    ],
)
def test_event_topics_are_those_of_the_registry(name: str, topic: bytes, indexed: list[str]) -> None:
    item = abi_item("event", name)
    assert topic == keccak256(signature(item))
    assert [entry["name"] for entry in item["inputs"] if entry["indexed"]][: len(indexed)] == indexed


def test_the_states_are_numbered_as_in_the_contract() -> None:
    source = (Path(__file__).parents[2] / "contracts" / "IEvidenceRegistry.sol").read_text(encoding="utf-8")
    listed = source.split("enum AgreementState {")[1].split("}")[0]
    names = [line.strip(" ,\n") for line in listed.split("\n") if line.strip()]
    assert names == [state.name for state in rpc.AgreementState]
