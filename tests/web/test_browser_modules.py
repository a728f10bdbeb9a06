"""The browser's verifier: what its modules may contain, that they fit in one file, and the way to a node."""

import json
import re
import socket
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from sealproof import rpc
from sealproof.errors import ProofError
from tests.sealproof.samples import agreement_sample
from tests.sealproof.test_rpc import reply, served
from tests.web.node import MODULES, Job, answers
from tests.web.test_browser_verifier import Comparison

SOURCES = {path.name: path.read_text(encoding="utf-8") for path in sorted(MODULES.glob("*.js"))}
IMPORT = re.compile(r"^import \{([^}]*)\} from \"\./([a-z0-9]+\.js)\";\n", re.MULTILINE)
TOP = re.compile(r"^(?:export )?(?:async )?(?:const|let|class|function\*?) (\w+|\[[^\]]*\])", re.MULTILINE)
BY_PAGES = re.compile(r"^import \{([^}]*)\} from \"\.{1,2}/sealproof/([a-z0-9]+\.js)\";\n", re.MULTILINE)
OFFERED = {
    "errors.js": {"VerificationError"},
    "merkle.js": {"checkConsistency"},
    "promise.js": {"openPromise"},
    "tiles.js": {"consistencyPathFromTiles", "inclusionPathFromTiles", "rootFromTiles", "tilePath"},
    "tlogproof.js": {"openProof"},
}
"""What is there for pages beside what scripts already take; all else that is exported serves a module."""


def imports_of(source: str, form: re.Pattern[str] = IMPORT) -> list[tuple[str, str]]:
    """(module, name) of everything that a module takes from others."""
    return [(module, name) for names, module in form.findall(source) for name in re.findall(r"\w+", names)]


def taken_by_pages() -> list[tuple[str, str]]:
    """(module, name) of everything that scripts of pages take."""
    scripts = [path for path in MODULES.parent.rglob("*.js") if path.parent != MODULES]
    return [each for path in scripts for each in imports_of(path.read_text("utf-8"), BY_PAGES)]


def names_of(source: str) -> list[str]:
    """What a module defines at its top."""
    return [name for found in TOP.findall(source) for name in re.findall(r"\w+", found)]


def in_order(name: str, done: list[str]) -> list[str]:
    """A module behind all that it needs, each once."""
    for module, _ in imports_of(SOURCES[name]):
        if module not in done:
            in_order(module, done)
    done.append(name)
    return done


def one_file() -> str:
    """All that a page needs as one module, made by leaving out imports and exports."""
    order = in_order("verify.js", [])
    bodies = [re.sub(r"^export ", "", IMPORT.sub("", SOURCES[name]), flags=re.MULTILINE) for name in order]
    return "\n".join([*bodies, "export { verify, loadTrust, JsonRpcChain };\n"])


@pytest.mark.parametrize("name", SOURCES)
def test_a_module_is_strict_and_imports_only_its_neighbours(name: str) -> None:
    source = SOURCES[name]
    assert source.startswith('"use strict";\n/**')
    assert len(re.findall(r"^import\b", source, re.MULTILINE)) == len(IMPORT.findall(source))
    assert max(map(len, source.splitlines())) <= 120
    forbidden = (
        r"\beval\(|new Function|innerHTML|outerHTML|insertAdjacent|document\.write|process\.|require\("
    )
    assert not re.search(forbidden, re.sub(r"^ *(/\*\*|\*|//).*$", "", source, flags=re.MULTILINE))
    assert re.findall(r"\bfetch\(", source) == (["fetch("] if name == "rpc.js" else [])


def test_no_export_is_dead_and_every_import_is_used() -> None:
    taken = {name: set(OFFERED.get(name, set())) for name in SOURCES}
    for module, name in taken_by_pages():
        taken[module].add(name)
    for source in SOURCES.values():
        for module, name in imports_of(source):
            taken[module].add(name)
            assert len(re.findall(rf"\b{name}\b", source)) > 1, name
    for module, source in SOURCES.items():
        exported = "\n".join(line for line in source.splitlines() if line.startswith("export "))
        assert set(names_of(exported)) == taken[module], module


def test_top_level_names_are_unique_so_that_all_modules_fit_into_one() -> None:
    names = [name for source in SOURCES.values() for name in names_of(source)]
    assert len(names) > 300
    assert sorted(names) == sorted(set(names))


def test_the_one_file_gives_the_same_report(tmp_path: Path) -> None:
    whole = tmp_path / "sealproof.mjs"
    whole.write_text(one_file(), encoding="utf-8")
    sample, comparison = agreement_sample(), Comparison()
    comparison.add("one file", [sample.raw, b"{}"], sample.trust, sample.document, sample.state)
    comparison.check(modules=whole)


# ------------------------------------------------------------------------------------------ over the wire


def asked(url: str, seconds: float = 2) -> dict[str, Any]:
    job: Job = ("http", {"url": url, "seconds": seconds})
    return answers([job])[0]


def chain_id(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    assert json.loads(body) == {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}
    reply(handler, b'{"jsonrpc":"2.0","id":1,"result":"0x7a69"}')


def test_a_node_is_asked_over_http() -> None:
    with served(chain_id) as url:
        assert asked(url) == {"found": "31337"}


@pytest.mark.parametrize("status", [302, 404, 500])
def test_another_status_is_no_answer_and_no_redirect_is_followed(status: int) -> None:
    calls: list[bytes] = []

    def answer(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        calls.append(body)
        reply(handler, b"{}", status, Location="/elsewhere")

    with served(answer) as url:
        assert asked(url)["why"] == f"{url[7:-1]} answered with HTTP status {status}"
    assert len(calls) == 1


def drip(handler: BaseHTTPRequestHandler, _: bytes) -> None:
    handler.send_response(200)
    handler.end_headers()
    try:
        for _step in range(200):
            handler.wfile.write(b" ")
            handler.wfile.flush()
            time.sleep(0.02)
    except OSError:
        return


def cut(handler: BaseHTTPRequestHandler, _: bytes) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "100")
    handler.end_headers()
    handler.wfile.write(b'{"jsonrpc":"2.0","id":1,"result":"0x1"}')
    handler.close_connection = True


def flood(handler: BaseHTTPRequestHandler, _: bytes) -> None:
    handler.send_response(200)
    handler.end_headers()
    try:
        while True:
            handler.wfile.write(b"0" * 65536)
    except OSError:
        return


@pytest.mark.parametrize(
    ("answer", "refused", "why"),
    [
        (drip, "ChainUnreachable", "no whole answer within 0.3 seconds"),
        (cut, "ChainUnreachable", "gave no answer"),
        (flood, "ChainAnswerGarbled", "the answer has more than 1048576 bytes"),
    ],
)
def test_a_node_that_misbehaves_is_left(
    answer: Callable[[BaseHTTPRequestHandler, bytes], None], refused: str, why: str
) -> None:
    with served(answer) as url:
        found = asked(url, 0.3)
    assert found["refused"] == refused
    assert why in found["why"]


def test_a_silent_port_is_no_answer() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        found = asked(f"http://127.0.0.1:{taken.getsockname()[1]}/")
    assert (found["refused"], found["code"]) == ("ChainUnreachable", "chain-unreachable")


def test_the_same_addresses_are_refused() -> None:
    urls = "file:///etc/passwd|ftp://127.0.0.1/||127.0.0.1:8545|http://|http:///path|http://[::1|http://host:port/"
    urls += "|http://host:99999/|http://a b/|http://host/\r\nX: y|javascript:alert(1)|http://höst/|https:host|//host"
    jobs: list[Job] = [("http", {"url": url, "seconds": 1}) for url in urls.split("|")]
    for (_, given), found in zip(jobs, answers(jobs), strict=True):
        with pytest.raises(ProofError) as refusal:
            rpc.check_url(given["url"])
        assert found == {"refused": "OutOfRange", "code": "out-of-range", "why": str(refusal.value)}
