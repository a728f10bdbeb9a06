"""The browser's verifier and sealproof give the same report on every alteration of a bundle and of its chain.

Equal means every step, every verdict and every sentence in both languages.
"""

import base64
import hashlib
import json
import random
import sys
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from sealproof import agreement as agreements
from sealproof import eip712, keccak, onchain, secp256k1, verify
from sealproof.canonical import Json
from sealproof.eip712 import TerminationStatement
from sealproof.fields import to_hex
from sealproof.report import Report
from sealproof.trust import Finality, FinalityPolicy, Trust
from tests.sealproof import altering, test_verify
from tests.sealproof.samples import (
    CONTRACT,
    DOCUMENT,
    IDENTITY,
    ChainState,
    LocalChain,
    Sample,
    agreement_sample,
    block,
    disclose,
    log_note,
    plain_sample,
    terms_text,
    value_of,
    word,
)
from tests.sealproof.test_alterations import SAMPLES
from tests.web.node import MODULES, Job, answers

SEED = 20261123


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


class Recorder(LocalChain):
    """A chain that keeps what it was asked and what it replied."""

    def __init__(self, state: ChainState) -> None:
        super().__init__(state)
        self.replies: dict[str, str] = {}
        self.asked = 0

    def _post(self, body: bytes) -> bytes:
        self.asked += 1
        reply = super()._post(body)
        self.replies[body.decode()] = b64(reply)
        return reply


@dataclass
class Comparison:
    """Bundles as sealproof reports on them, to be compared with what the browser's verifier says."""

    reports: list[tuple[str, Report, int]] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)
    tables: list[Job] = field(default_factory=list)

    def add(
        self,
        about: str,
        raws: list[bytes],
        trusted: Trust | None,
        document: bytes | None,
        state: ChainState | None,
    ) -> None:
        """Bundles under one trust, document and state of the chain."""
        chain = None if state is None else Recorder(state)
        table = None if chain is None else f"table {len(self.tables)}"
        for raw in raws:
            if chain is not None:
                chain.asked = 0
            report = verify.verify(raw, trust=trusted, document=document, chain=chain)
            self.reports.append((about, report, 0 if chain is None else chain.asked))
            given = {
                "raw": b64(raw),
                "trust": None if trusted is None else b64(trusted.dump()),
                "document": None if document is None else b64(document),
                "table": table,
            }
            self.jobs.append(("bundle", given))
        if chain is not None:
            self.tables.append(("table", {"id": table, "replies": chain.replies}))

    def check(self, *switches: str, modules: Path = MODULES) -> None:
        """The browser's verifier asks the chain as often and reports the same."""
        found = answers([*self.tables, *self.jobs], *switches, modules=modules)[len(self.tables) :]
        for (about, report, asked), answer in zip(self.reports, found, strict=True):
            assert "found" in answer, (about, answer)
            assert plain(answer["found"]["report"]) == plain(report.to_json()), about
            assert answer["found"]["asked"] == asked, about


def plain(report: Any) -> Any:
    """The report, less what Python's own JSON reader says of broken syntax where its words are newer."""
    first = report["steps"][0]
    if sys.version_info >= (3, 13) and "expected JSON: " in first["why"]:
        cut = {name: first[name].split("expected JSON: ")[0] for name in ("why", "why_zh")}
        return report | {"steps": [first | cut]}
    return report


@pytest.fixture(autouse=True)
def _remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python recovers each signature and hashes each text once; the thousands of bundles here share most."""
    monkeypatch.setattr(agreements, "recover", cache(secp256k1.recover))
    remembered = cache(keccak.keccak256)
    for module in (eip712, onchain, secp256k1):
        monkeypatch.setattr(module, "keccak256", remembered)


# ------------------------------------------------------------------------------------------ alterations


def dumped(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", errors="surrogatepass")


def altered_values(kind: str, value: Any) -> Iterator[Any]:
    """What tests/sealproof/test_alterations.py alters, one thing at a time."""
    for place, old in altering.places(value):
        if kind in ("amendment", "termination") and place[:1] != ("agreement",):
            continue
        for new in altering.other_values(old):
            if new != old or type(new) is not type(old):
                yield altering.replaced(value, place, new)
    for place, old in altering.places(value):
        if isinstance(old, dict):
            yield altering.replaced(value, (*place, "extra"), 1)
            yield from (altering.removed(value, (*place, key)) for key in old)
        if place and isinstance(place[-1], int):
            yield altering.doubled(value, place)
            yield altering.removed(value, place)


def doubled_keys(value: dict[str, Any]) -> Iterator[bytes]:
    text = json.dumps(value)
    for key, member in value.items():
        yield ("{" + json.dumps(key) + ":" + json.dumps(member) + "," + text[1:]).encode()


@pytest.mark.parametrize("kind", SAMPLES)
def test_every_alteration_of_a_bundle_gets_the_same_report(kind: str) -> None:
    sample = SAMPLES[kind]()
    value = value_of(sample.raw)
    raws = [sample.raw, *map(dumped, altered_values(kind, value)), *doubled_keys(value)]
    comparison = Comparison()
    comparison.add(kind, raws, sample.trust, sample.document, sample.state)
    comparison.check()
    assert len(raws) > 500


def test_bundles_with_random_bytes_altered_get_the_same_report() -> None:
    source, sample, raws = random.Random(SEED), agreement_sample(), []
    for _ in range(400):
        raw = bytearray(sample.raw)
        at = source.randrange(len(raw))
        kind = source.randrange(4)
        if kind == 0:
            raw[at] = source.randrange(256)
        elif kind == 1:
            del raw[at:]
        elif kind == 2:
            raw.insert(at, source.randrange(256))
        else:
            del raw[at]
        raws.append(bytes(raw))
    raws += [source.randbytes(source.randrange(60)) for _ in range(200)]
    raws += [
        b" " * (1 << 20) + b" ",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        "\ud800".encode("utf-8", "surrogatepass"),
    ]
    comparison = Comparison()
    comparison.add("random bytes", raws, sample.trust, sample.document, sample.state)
    comparison.check()


def test_parts_of_two_good_bundles_get_the_same_report() -> None:
    one, other = agreement_sample(2), agreement_sample(5)
    mine: Any = value_of(one.raw)
    theirs: Any = value_of(other.raw)
    mixed = [mine | {key: theirs[key]} for key in mine]
    mixed += [
        mine | {"agreement": mine["agreement"] | {key: theirs["agreement"][key]}} for key in mine["agreement"]
    ]
    mixed += [mine | {"agreement": value_of(SAMPLES["termination"]().raw)["agreement"]}]
    comparison = Comparison()
    comparison.add("mixed", [dumped(value) for value in mixed], one.trust, DOCUMENT, one.state)
    comparison.check()


@pytest.mark.parametrize("switches", [(), ("--insecure",)], ids=["webcrypto", "insecure origin"])
def test_what_the_verifier_brings_along_counts_the_same(switches: tuple[str, ...]) -> None:
    comparison = Comparison()
    for kind, make in SAMPLES.items():
        sample = make()
        logless = replace(sample.trust, chain=None)
        elsewhere = [
            replace(IDENTITY, chain_id=1),
            replace(IDENTITY, deployment_id=word(1), code_hash=word(2)),
        ]
        for trusted in (
            None,
            sample.trust,
            logless,
            *(replace(sample.trust, chain=other) for other in elsewhere),
        ):
            for document in (None, DOCUMENT, DOCUMENT + b"\n", b"X" + DOCUMENT[1:], b""):
                for state in (None, sample.state):
                    comparison.add(kind, [sample.raw], trusted, document, state)
    comparison.check(*switches)


# --------------------------------------------------------------------------------------------- the chain


def misfortunes() -> Iterator[Sample]:
    """Bundles over a chain that contradicts them, lags behind, or answers contract accounts."""
    alterations: list[Callable[[Sample], object]] = [
        test_verify.wrong_chain_id,
        test_verify.wrong_genesis,
        test_verify.no_code,
        test_verify.other_code,
        test_verify.other_deployment_block,
        test_verify.never_anchored,
        test_verify.forked,
        test_verify.reorganised,
        test_verify.shorter,
        test_verify.no_receipt,
        lambda sample: sample.state.agreements.clear(),
        lambda sample: sample.state.receipts.pop(word(0x66), None),
        lambda sample: sample.state.blocks.__setitem__(9, block(9, word(0xBAD), 1)),
        lambda sample: sample.state.blocks.__setitem__(10, block(10, word(0xAA), 2**64 - 1)),
        *(test_verify.altered_topic(place) for place in range(3)),
        *(test_verify.altered_receipt(name, value) for name, value in RECEIPTS),
        *(
            test_verify.altered_agreement(place, value)
            for place in range(7)
            for value in (0, 1, 2, 3, 9, 2**255)
        ),
    ]
    for make in SAMPLES.values():
        made = make()
        for alter in alterations:
            sample = replace(made, state=deepcopy(made.state))
            alter(sample)
            yield sample
        for policy, depth in ((FinalityPolicy.DEPTH, 1), (FinalityPolicy.DEPTH, 50), (FinalityPolicy.TAG, 0)):
            for finalized in (None, 8, 9, 10, 11):
                state = replace(made.state, finalized=finalized)
                yield replace(made, trust=replace(made.trust, finality=Finality(policy, depth)), state=state)


LOGS: tuple[Any, ...] = (
    *([], None, [1], [{}], [{"topics": []}], [{"topics": [1], "address": "0x"}]),
    [{"topics": [{"a": [True, None, "it's"]}], "address": CONTRACT}],
)
RECEIPTS: tuple[tuple[str, Any], ...] = (
    *(("status", value) for value in ("0x0", "0x2", "1", None, 1, True)),
    *(("blockNumber", value) for value in ("0x9", "0x", None, "0x" + "f" * 17)),
    *(("blockHash", value) for value in (word(0xBAD), "0xAA", "'\"\n人\U0001f600\u200b")),
    *(("transactionHash", value) for value in (word(0xBAD), None)),
    *(("logs", value) for value in LOGS),
)
NONSENSE: tuple[bytes, ...] = (
    b"",
    b"<html>",
    b"null",
    b"[]",
    *(
        b'{"jsonrpc":"2.0","id":1%s}' % rest
        for rest in (
            b"",
            b',"result":"0x"',
            b',"result":17',
            b',"result":{}',
            b',"result":[]',
            b',"result":null',
            b',"result":"0x' + b"0" * 65 + b'"',
            b',"error":null,"result":"0x1"',
            b',"error":false',
            b',"error":{"code":-32000,"message":"it\'s \\"broken\\" \\ud83d\\ude00"}',
            b',"result":null,"result":"0x1"',
            b',"result":1.5',
            b',"result":"' + b"0" * 1_100_000 + b'"',
        )
    ),
    b'{"jsonrpc":"2.0","id":2,"result":"0x1"}',
    b'{"jsonrpc":"2.0","id":true,"result":"0x1"}',
    b'{"jsonrpc":2,"id":1,"result":"0x1"}',
    b"\xff\xfe",
    b"[" * 100_000,
)
METHODS = (
    "eth_chainId",
    "eth_getBlockByNumber",
    "eth_getCode",
    "eth_call",
    "eth_getBlockByHash",
    "eth_getTransactionReceipt",
)


def test_a_chain_that_contradicts_or_lags_gets_the_same_report() -> None:
    comparison = Comparison()
    for sample in misfortunes():
        comparison.add("misfortune", [sample.raw], sample.trust, None, sample.state)
    comparison.check()
    assert len(comparison.reports) > 250


def test_nonsense_from_the_node_gets_the_same_report() -> None:
    comparison, sample = Comparison(), agreement_sample()
    for method in METHODS:
        for reply in NONSENSE:
            state = replace(sample.state, refuse={method: reply})
            comparison.add(f"{method} {reply[:60]!r}", [sample.raw], sample.trust, None, state)
    comparison.check()


@pytest.mark.parametrize("signature", [b"\x01", b"\x00" * 65, b"\x05" * 200])
def test_contract_accounts_get_the_same_report(signature: bytes) -> None:
    comparison = Comparison()
    for has_code, accepts, asked in ((0, 0, 0), (0, 0, 1), (1, 0, 1), (1, 1, 1)):
        sample = test_verify.with_first_signature(agreement_sample(), signature)
        evidence = sample.bundle.agreement
        assert evidence is not None
        signer = evidence.statement.parties[0].signer
        if has_code:
            sample.state.code[signer] = "0x6001"
        if accepts:
            sample.state.accepting.add(signer)
        comparison.add("account", [sample.raw], sample.trust, DOCUMENT, sample.state if asked else None)
    comparison.check()


# ------------------------------------------------------------------------------------------- checkpoints


def test_forged_checkpoints_and_terms_get_the_same_report() -> None:
    sample, comparison = plain_sample(), Comparison()
    head = test_verify.bundle_head(sample)
    notes = [
        log_note(head.size, head.root, origin) for origin in ("evil.example/log", "人/\u200b\U0001f600'log")
    ]
    notes += [sample.bundle.checkpoint + notes[0].split("\n\n")[1], notes[1] + notes[0].split("\n\n")[1]]
    notes.append(log_note(2**63 - 1, head.root))
    for note in notes:
        forged = replace(sample.bundle, checkpoint=note)
        comparison.add("forged", [forged.dump()], sample.trust, None, sample.state)
    comparison.check()


@pytest.mark.parametrize("kind", ["agreement", "amendment", "termination"])
def test_terms_that_show_any_value_get_the_same_report(kind: str) -> None:
    """Disclosures made anew, committed to and signed over by nobody: step 8 says what does not fit."""
    source, sample, raws = random.Random(SEED), SAMPLES[kind](), []
    evidence = sample.bundle.agreement
    assert evidence is not None
    organisations: list[Json] = [
        {"organisation": to_hex(party.organisation)} for party in evidence.statement.parties
    ]
    for name, value in (*TERMS, ("parties", organisations), ("parties", organisations[1:])):
        shown = disclose(source, {name: value})
        text = terms_text(
            "termination-terms" if kind == "termination" else "agreement-terms",
            to_hex(evidence.statement.agreement_id),
            evidence.statement.version,
            shown,
        )
        commitment = hashlib.sha256(text.encode()).digest()
        signed = replace(evidence.signed, commitment=commitment)
        changed = (
            replace(evidence, terms=text, disclosures=shown, termination=signed)
            if isinstance(signed, TerminationStatement)
            else replace(evidence, terms=text, disclosures=shown, statement=signed)
        )
        raws.append(replace(sample.bundle, agreement=changed, disclosures=()).dump())
    comparison = Comparison()
    comparison.add(kind, raws, sample.trust, DOCUMENT, None)
    comparison.check()
    assert sum("fit the signed statement" in why(report, 8) for _, report, _ in comparison.reports) >= 4


def why(report: Report, number: int) -> str:
    step = report.step(number)
    return "" if step is None else step.why


ODD: tuple[Json, ...] = (None, True, 0, "", "人\u200b\U0001f600'", ["it's", {"k": [None, False]}], {"v": 1})
DAYS = (
    *("2026-12-01", "2026-12-02", "20261201", "2026-12-1", "2028-11-30", "2028-02-29", "2027-02-29"),
    *("0000-01-01", "0001-01-01", "9999-12-31", "9999-99-99", "2026-00-10", "2026-01-00"),
)
TERMS: tuple[tuple[str, Json], ...] = (
    *((name, day) for name in ("effective_from", "valid_through") for day in DAYS),
    *(
        (name, odd)
        for name in ("effective_from", "valid_through", "parties", "document", "previous")
        for odd in ODD
    ),
    *(("effective_at", odd) for odd in (*ODD, "2027-06-30T15:59:59Z")),
    ("document", {"sha256": "00", "sm3": "", "size": -1, "media_type": "x" * 256}),
    ("document", {"sha256": "00" * 32, "sm3": "zz", "size": True, "media_type": ""}),
    ("title", "any"),
)
