"""What the verification page asks of the service: public proofs, trust statements, the relay to the chain."""

import gzip
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from sealproof import bundle as bundles
from sealproof import trust as trust_files
from sealproof import verify
from sealproof.report import Verdict
from sealproof.rpc import JsonRpcChain, selector
from talentseal.accounts.roles import Role
from talentseal.anchoring import epochs
from talentseal.audit.relay import (
    ANSWER_LIMIT,
    QUESTIONS_A_MINUTE,
    ChainRelay,
    ContractNotServed,
    QuestionRefused,
    question,
)
from talentseal.evidence.sealing import Sealer
from talentseal.web.assets import Assets
from tests.api.conftest import Api
from tests.sealproof.test_rpc import reply, served
from tests.world import Member, World

BROWSER = {"Accept": "text/html"}
HASH = "0x" + "ab" * 32
HEAD_AT = "0x" + selector("headAt(uint64)").hex() + f"{7:064x}"


@dataclass
class Node:
    """A node that notes what it is asked and answers with `answer`."""

    url: str = ""
    asked: list[Any] = field(default_factory=list)
    answer: bytes = b'{"jsonrpc":"2.0","id":1,"result":"0x7a69"}'
    status: int = 200

    def reply(self, handler: BaseHTTPRequestHandler, body: bytes) -> None:
        self.asked.append(json.loads(body))
        reply(handler, self.answer, self.status)


@pytest.fixture
def world(sqlite_world: World) -> World:
    """On SQLite alone: what is asked here does not depend on the database."""
    return sqlite_world


@pytest.fixture
def node(api: Api) -> Iterator[Node]:
    """The relay's node."""
    made = Node()
    with served(made.reply) as url:
        made.url = url
        api.app.state.verifying = replace(api.app.state.verifying, relay=ChainRelay(url))
        yield made


def ask(api: Api, method: str, *params: Any, **options: Any) -> Any:
    question = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
    return api.http.post("/verify/chain", json=question, **options)


def contract(api: Api) -> str:
    return api.world.domain.contract


# ------------------------------------------------------------------------------------------------ the relay


def test_each_question_of_a_verification_is_passed_on_as_it_was_asked(api: Api, node: Node) -> None:
    views = [HEAD_AT, "0x" + selector("agreementAt(bytes32)").hex() + "0f" * 32]
    views.append("0x" + selector("deploymentId()").hex())
    questions: list[tuple[str, list[Any]]] = [
        ("eth_chainId", []),
        *(("eth_getBlockByNumber", [block, False]) for block in ("0x0", "0x1f", "latest", "finalized")),
        ("eth_getBlockByHash", [HASH, False]),
        ("eth_getCode", [contract(api), "latest"]),
        ("eth_getTransactionReceipt", [HASH]),
        *(("eth_call", [{"to": contract(api), "data": data}, "latest"]) for data in views),
    ]

    answers = [ask(api, method, *params) for method, params in questions]

    assert [answer.content for answer in answers] == [node.answer] * len(questions)
    assert [(asked["method"], asked["params"]) for asked in node.asked] == questions


REGISTRY = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
METHODS = (
    *(
        "eth_sendRawTransaction",
        "eth_sendTransaction",
        "eth_sign",
        "eth_accounts",
        "eth_getLogs",
        "eth_estimateGas",
    ),
    *("eth_getBalance", "eth_blockNumber", "anvil_reset", "evm_mine", "debug_traceCall", "admin_peers"),
    *("web3_clientVersion", "net_version", "ETH_CHAINID", "eth_chainId ", "", "personal_unlockAccount"),
)
PARAMETERS: tuple[tuple[str, list[Any]], ...] = (
    ("eth_chainId", ["0x1"]),
    ("eth_getBlockByNumber", ["0x1", True]),
    ("eth_getBlockByNumber", ["pending", False]),
    ("eth_getBlockByNumber", ["0x" + "1" * 17, False]),
    ("eth_getBlockByNumber", [1, False]),
    ("eth_getBlockByNumber", ["0x1"]),
    ("eth_getBlockByNumber", ["0x1", 0]),
    ("eth_getBlockByHash", [HASH.upper(), False]),
    ("eth_getBlockByHash", [HASH + "\n", False]),
    ("eth_getCode", ["0x00", "latest"]),
    ("eth_getCode", ["0x" + "00" * 20, "0x1"]),
    ("eth_getTransactionReceipt", [HASH, HASH]),
    ("eth_getTransactionReceipt", [{"a": 1}]),
    ("eth_call", []),
    ("eth_call", [HEAD_AT, "latest"]),
    ("eth_call", [{"to": REGISTRY, "data": HEAD_AT}, "0x1"]),
    *(
        ("eth_call", [{"to": REGISTRY} | change, "latest"])
        for change in (
            {"data": "0x" + selector("anchor(uint64,bytes32)").hex()},
            {"data": HEAD_AT + "00"},
            {"data": HEAD_AT[:-2]},
            {"data": HEAD_AT, "from": "0x" + "00" * 20},
            {"data": HEAD_AT, "value": "0x1"},
            {"data": HEAD_AT, "gas": "0xffffff"},
            {"data": [HEAD_AT]},
        )
    ),
)
BODIES = (
    *(b"[]", b"", b"null", b"{}", b"\xff", b"[" * 900),
    b'[{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}]',
    b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":{}}',
    b'{"jsonrpc":"2.0","id":2,"method":"eth_chainId","params":[]}',
    b'{"jsonrpc":"1.0","id":1,"method":"eth_chainId","params":[]}',
    b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[],"extra":1}',
    b'{"jsonrpc":"2.0","id":1,"method":"evm_mine","method":"eth_chainId","params":[]}',
    b'{"jsonrpc":"2.0","id":1,"method":["eth_chainId"],"params":[]}',
)


def asking(method: str, params: list[Any]) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()


@pytest.mark.parametrize("method", METHODS)
def test_no_other_method_is_passed_on(method: str) -> None:
    for params in ([], [HASH], ["latest", False]):
        with pytest.raises(QuestionRefused):
            question(asking(method, params), {REGISTRY})


@pytest.mark.parametrize(("method", "params"), PARAMETERS)
def test_no_other_parameters_are_passed_on(method: str, params: list[Any]) -> None:
    with pytest.raises(QuestionRefused):
        question(asking(method, params), {REGISTRY})


@pytest.mark.parametrize("to", ["0x" + "00" * 20, REGISTRY.lower(), None, 1, [], {}])
def test_a_foreign_contract_is_not_called(to: Any) -> None:
    with pytest.raises(ContractNotServed):
        question(asking("eth_call", [{"to": to, "data": HEAD_AT}, "latest"]), {REGISTRY})


@pytest.mark.parametrize("body", BODIES)
def test_a_batch_and_whatever_is_no_single_question_is_refused(body: bytes) -> None:
    with pytest.raises(QuestionRefused):
        question(body, {REGISTRY})


def test_what_is_passed_on_is_spelled_by_us_alone() -> None:
    asked = b' {"params" : [ ], "method":"eth_ch\\u0061inId" , "id": 1,"jsonrpc":"2.0"}'

    assert question(asked, set()) == b'{"id":1,"jsonrpc":"2.0","method":"eth_chainId","params":[]}'


def test_what_is_refused_never_reaches_the_node(api: Api, node: Node) -> None:
    foreign = asking("eth_call", [{"to": "0x" + "00" * 20, "data": HEAD_AT}, "latest"])
    bodies = [*BODIES, foreign, asking("evm_mine", []), asking("eth_chainId", []) + b" " * 1000]

    answers = [api.http.post("/verify/chain", content=body) for body in bodies]

    codes = [answer.json()["code"] for answer in answers]
    assert set(codes[: len(BODIES)]) == {"relay-question-refused"}
    assert codes[len(BODIES) :] == [
        "relay-contract-refused",
        "relay-question-refused",
        "relay-question-too-long",
    ]
    assert {answer.status_code for answer in answers} == {422, 413}
    assert node.asked == []


def test_the_registry_of_a_closed_epoch_is_still_asked(api: Api, node: Node) -> None:
    former = contract(api)
    api.world.open_another_epoch()

    assert ask(api, "eth_call", {"to": former, "data": HEAD_AT}, "latest").content == node.answer


def test_an_address_that_asks_too_often_has_to_wait(api: Api, node: Node) -> None:
    seconds = [0.0]
    relay = ChainRelay(node.url, monotonic=lambda: seconds[0])
    api.app.state.verifying = replace(api.app.state.verifying, relay=relay)
    for _ in range(QUESTIONS_A_MINUTE):
        relay.turnstile.enter("testclient")
    relay.turnstile.enter("another")

    refused = ask(api, "eth_chainId")
    seconds[0] = 60.0
    later = ask(api, "eth_chainId")

    assert (refused.status_code, refused.json()["code"]) == (429, "relay-too-many-questions")
    assert 1 <= int(refused.headers["retry-after"]) <= 61
    assert later.status_code == 200


def test_a_node_that_gives_no_answer_is_said_to_be_silent(api: Api, node: Node) -> None:
    node.status = 500
    failed = ask(api, "eth_chainId")
    node.status, node.answer = 200, b" " * (ANSWER_LIMIT + 1)
    endless = ask(api, "eth_chainId")

    for answer in (failed, endless):
        assert (answer.status_code, answer.json()["code"]) == (503, "relay-chain-silent")


def test_another_site_cannot_use_the_relay(api: Api, node: Node) -> None:
    assert ask(api, "eth_chainId", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert node.asked == []
    assert ask(api, "eth_chainId", headers={"Sec-Fetch-Site": "same-origin"}).status_code == 200


def test_sealproof_itself_can_ask_through_the_relay(api: Api, node: Node) -> None:
    class Relayed(JsonRpcChain):
        def _post(self, body: bytes) -> bytes:
            return bytes(api.http.post("/verify/chain", content=body).content)

    assert Relayed(node.url).chain_id() == 31337


# --------------------------------------------------------------------------------- records, trust, the page


def test_what_the_log_says_of_a_record_is_public_and_shows_no_content(
    api: Api, bank: Member, office: Member
) -> None:
    record = api.signed(bank, office)["record"]
    api.world.settle()

    answer = api.http.get(f"/verify/records/{record}.seal.json")

    bundle = bundles.load(answer.content)
    report = verify.verify(answer.content, trust=api.trust, document=None, chain=None)
    mine = api.call(bank, "GET", f"/evidence/{record}/bundle")
    assert (bundle.disclosures, bundle.agreement) == ((), None)
    assert bundle.entry == bundles.load(mine.content).entry
    assert bundle.anchor is not None
    assert [step.number for step in report.steps if step.verdict is Verdict.FAILED] == []
    assert "人才" not in answer.text


def test_a_record_that_is_not_sealed_yet_or_not_there_is_told_apart(
    api: Api, bank: Member, office: Member
) -> None:
    record = api.signed(bank, office)["record"]

    early = api.http.get(f"/verify/records/{record}.seal.json")
    api.world.settle()
    missing = api.http.get(f"/verify/records/{'0' * 32}.seal.json")

    assert (early.status_code, early.json()["code"]) == (409, "not-sealed-yet")
    assert api.http.get(f"/verify/records/{record}.seal.json").status_code == 200
    assert (missing.status_code, missing.json()["code"]) == (404, "record-not-found")
    assert api.http.get("/verify/records/..%2F..%2Fx.seal.json").status_code in {404, 422}


def test_the_trust_statement_of_any_epoch_is_served(api: Api) -> None:
    first = api.world.domain.contract
    api.world.open_another_epoch()

    newest, numbered = (api.http.get(path) for path in ("/trust.json", "/trust.json?epoch=1"))

    now, former = (trust_files.load(answer.content).chain for answer in (newest, numbered))
    assert newest.content == api.trust.dump()
    assert now is not None
    assert former is not None
    assert (former.contract, now.contract) == (first, api.world.domain.contract)
    assert api.http.get("/trust.json?epoch=9").status_code == 404
    assert api.http.get("/trust.json?epoch=0").status_code == 422


def test_the_page_offers_the_statement_of_each_epoch(api: Api) -> None:
    single = api.http.get("/verify", headers=BROWSER).text
    first = api.world.domain.contract
    api.world.open_another_epoch()
    both = api.http.get("/verify", headers=BROWSER).text

    assert "<select" not in single
    assert "第 1 链期（已结束）" in both
    assert "第 2 链期（当前）" in both
    assert first in both
    assert api.world.domain.contract in both


def test_this_page_alone_may_ask_a_node_elsewhere(api: Api) -> None:
    policies = [
        api.http.get(path, headers=BROWSER).headers["content-security-policy"] for path in ("/", "/verify")
    ]

    assert "connect-src 'self';" in policies[0]
    assert "connect-src 'self' http: https:;" in policies[1]
    assert policies[1].replace(" http: https:", "") == policies[0]


def test_the_first_view_of_the_page_weighs_little(api: Api) -> None:
    page, files = api.http.get("/verify", headers=BROWSER), Assets().named()

    loaded = [asset for asset in files.values() if asset.address in page.text]
    imported = files["drafts.js"]

    assert files["verify.js"] in loaded
    assert b"import " not in files["verify.js"].content
    parts = [*(asset.compressed for asset in (*loaded, imported)), gzip.compress(page.content)]
    assert sum(map(len, parts)) < 150_000


def test_the_lone_file_is_the_same_for_everyone_and_its_digest_is_shown(api: Api, tmp_path: Any) -> None:
    other = Api(api.world, tmp_path)

    files = [
        asked.http.get("/verify/offline.html", headers=headers)
        for asked, headers in ((api, {"Accept-Language": "en"}), (other, {"Accept-Language": "zh"}))
    ]

    assert files[0].content == files[1].content
    assert 'attachment; filename="talentseal-verify.html"' in files[0].headers["content-disposition"]
    for page in ("/verify", "/trust"):
        assert hashlib.sha256(files[0].content).hexdigest() in api.http.get(page, headers=BROWSER).text
    assert api.service.settings.origin not in files[0].text
    assert "/static/" not in files[0].text


def test_an_auditor_s_account_is_not_needed(api: Api) -> None:
    api.world.member("审计机构", role=Role.AUDITOR)
    opened = api.world.database.read(lambda session: epochs.numbered(session, 1)).record_id
    Sealer(api.world.database, api.world.head_store, api.world.signer, api.world.clock, "test").tick()

    assert api.http.get(f"/verify/records/{opened}.seal.json").status_code == 200
