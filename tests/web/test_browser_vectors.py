"""The browser's verifier and sealproof say the same of every stored vector and of thousands of random texts.

Equal means what came out, or the refusal: its class's name, its code and its message.
"""

import base64
import hashlib
import inspect
import json
import random
import unicodedata
from collections.abc import Callable
from typing import Any

import pytest

from sealproof import (
    canonical,
    checkpoint,
    disclosed,
    disclosure,
    ed25519,
    encoding,
    entry,
    errors,
    keccak,
    merkle,
    note,
    promise,
    rpc,
    secp256k1,
    tlogproof,
    trust,
    verify,
    wording,
)
from sealproof.eip712 import AgreementStatement, Domain, TerminationStatement
from sealproof.errors import ProofError
from sealproof.report import MALFORMED, Verdict
from tests.sealproof import altering, test_vectors
from tests.sealproof.samples import TRUST
from tests.sealproof.test_signed_vectors import STORED
from tests.sealproof.test_signed_vectors import TRUST as STORED_TRUST
from tests.vectors import make
from tests.web.node import Job, answers

SEED = 20261123
Given = dict[str, Any]
Read = Callable[[Given], Any]


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def raw_of(given: Given) -> bytes:
    return base64.b64decode(given["raw"])


def answer_of(read: Read, given: Given) -> Given:
    """What run.mjs must answer to the same job."""
    try:
        return {"found": read(given)}
    except ProofError as error:
        return {"refused": type(error).__name__, "why": str(error), "code": error.code}


def check(jobs: list[Job], read: Read) -> None:
    for job, found in zip(jobs, answers(jobs), strict=True):
        assert found == answer_of(read, job[1]), job


# ------------------------------------------------------------------------------------- the stored vectors


def keys_of(given: Given) -> list[note.VerifierKey]:
    return [note.VerifierKey.parse(key) for key in given.get("keys", [given.get("key")])]


def read_disclosure(given: Given) -> list[str]:
    disclosure.read(given["text"])
    return list(disclosed.disclosed_fields([given["text"]], [given["digest"]], "disclosures"))


def read_entry(given: Given) -> str:
    entry.decode(raw_of(given))
    return b64(merkle.leaf_hash(raw_of(given)))


def read_checkpoint(given: Given) -> Any:
    head = checkpoint.open_checkpoint(given["note"], keys_of(given))
    return [head.origin, str(head.size), b64(head.root)]


def read_proof(given: Given) -> None:
    tlogproof.open_proof(given["proof"], base64.b64decode(given["leaf"]), keys_of(given))


READS: dict[str, Read] = {
    "trees": test_vectors._tree,
    "inclusion": test_vectors._inclusion,
    "consistency": test_vectors._consistency,
    "canonical": lambda given: b64(canonical.encode(canonical.decode(raw_of(given), limit=65_535))),
    "disclosures": read_disclosure,
    "entries": read_entry,
    "notes": lambda given: note.open_note(given["note"], keys_of(given)).text,
    "checkpoints": read_checkpoint,
    "promises": lambda given: encoding.instant_encode(
        promise.open_promise(given["note"], keys_of(given)).deadline
    ),
    "tlog-proofs": read_proof,
}


def prepared(topic: str, given: Given) -> Given:
    """The vector's input with its text put together, or as bytes where bytes are read."""
    if topic not in ("canonical", "disclosures", "entries"):
        return given
    if topic == "disclosures":
        return {"text": test_vectors._text(given), "digest": given["digest"]}
    return {"raw": given["base64"] if "base64" in given else b64(test_vectors._text(given).encode())}


def exact(given: Given) -> Given:
    """Numbers of more than 53 bits as text, for JavaScript."""
    return {name: str(value) if isinstance(value, int) else value for name, value in given.items()}


@pytest.mark.parametrize("topic", sorted(set(make.TOPICS) - {"tile-paths"}))
def test_every_vector_of_the_log_gets_the_same_answer(topic: str) -> None:
    given = [prepared(topic, case["input"]) for case in test_vectors._load(topic)]
    found = answers((topic, exact(item)) for item in given)
    for case, item, answer in zip(test_vectors._load(topic), given, found, strict=True):
        assert answer == answer_of(READS[topic], item), case["why"]
        assert answer.get("code", "accept") == case["verdict"]


def read_signature(given: Given) -> str | None:
    signature = bytes.fromhex(given["signature"])
    if given["algorithm"] == "ed25519":
        ed25519.verify_in_python(bytes.fromhex(given["public"]), bytes.fromhex(given["message"]), signature)
        return None
    return secp256k1.recover(bytes.fromhex(given["digest"]), signature)


def test_every_vector_of_signatures_gets_the_same_answer() -> None:
    check([("signatures", case["input"]) for case in STORED["signatures"]["cases"]], read_signature)


def test_every_vector_of_typed_data_gets_the_same_answer() -> None:
    def read(given: Given) -> str:
        kind = AgreementStatement if given["type"] == "Agreement" else TerminationStatement
        statement = kind.from_json(given["statement"], "statement")
        return "0x" + statement.digest(Domain(given["chain_id"], given["contract"])).hex()

    check([("eip712", case["input"]) for case in STORED["eip712"]["cases"]], read)


def test_every_vector_of_bundles_gets_its_verdict_and_the_same_report() -> None:
    cases, jobs, reports = STORED["bundles"]["cases"], [], []
    for case in cases:
        value = STORED["bundles"]["good"][case["input"]["bundle"]]
        for place, new in case["input"]["change"]:
            value = altering.replaced(value, tuple(place), new)
        raw = json.dumps(value).encode()
        reports.append(verify.verify(raw, trust=STORED_TRUST))
        given = {"raw": b64(raw), "trust": b64(STORED_TRUST.dump()), "document": None, "table": None}
        jobs.append(("bundle", given))
    for case, report, answer in zip(cases, reports, answers(jobs), strict=True):
        assert answer["found"]["report"] == report.to_json(), case["why"]
        failed = [str(step.number) for step in report.steps if step.verdict is Verdict.FAILED]
        assert case["verdict"] == (
            "malformed" if report.exit_code == MALFORMED else " ".join(failed) or "accept"
        )


# ------------------------------------------------------------------------------------------- random texts


def random_json(source: random.Random) -> bytes:
    """JSON of any spelling, mostly with one or two bytes altered."""
    pieces = [
        '{"a":1}',
        "[1,-2,0]",
        '"\\ud83d\\ude00\\n\\u0000"',
        '"\\ud800"',
        "null",
        "true",
        "false",
        "1.5",
        "-0",
    ]
    pieces += [
        "1e5",
        "1E+",
        "-",
        "9007199254740991",
        "-9007199254740992",
        '{"é":[],"😀":{},"\\ufb33":" "}',
        "NaN",
    ]
    pieces += [
        '{"a":1,"a":2,"b":1,"b":1,"b":3}',
        '"人才"',
        "[[[]]]",
        '{"":""}',
        "-Infinity",
        "Infinity",
        "[1,]",
    ]
    text = source.choice(pieces)
    for _ in range(source.randrange(3)):
        text = source.choice(
            (f"[{text}, {source.choice(pieces)}]", f'{{"k": {text}}}', f" {text}\n", f'{text}"')
        )
    raw = bytearray(text.encode("utf-8", "surrogatepass"))
    for _ in range(source.randrange(3)):
        at = source.randrange(len(raw) + 1)
        raw[at : at + source.randrange(2)] = source.choice(
            (b"", b'"', b"\\", b"\n", b",", b"]", b"{", b"\xe4\xba", b"0", b"u")
        )
    return bytes(raw)


def test_random_json_is_read_or_refused_alike() -> None:
    source = random.Random(SEED)
    jobs: list[Job] = [("json", {"raw": b64(random_json(source))}) for _ in range(6000)]
    check(jobs, lambda given: b64(canonical.encode(canonical.parse(raw_of(given), limit=1_000_000))))


def test_random_bytes_are_utf8_or_refused_alike() -> None:
    source = random.Random(SEED)
    starts = (
        b"\x7f",
        b"\xc2\x80",
        b"\xe0\xa0\x80",
        b"\xed\x9f\xbf",
        b"\xf0\x90\x80\x80",
        b"\xf4\x8f\xbf\xbf",
        b"\xef\xbb\xbf",
    )
    raws = [b"".join(source.choices(starts, k=3)) for _ in range(2000)]
    for number, raw in enumerate(raws):
        altered = bytearray(raw)
        altered[source.randrange(len(raw))] = source.choice(
            (0x41, 0x80, 0x9F, 0xA0, 0xBF, 0xC1, 0xE0, 0xF4, 0xF5)
        )
        raws[number] = bytes(altered[: source.randint(1, len(raw))])
    check([("utf8", {"raw": b64(raw)}) for raw in raws], lambda given: encoding.utf8_decode(raw_of(given)))


def bytes_or(read: Callable[[str], Any]) -> Callable[[str], Any]:
    def run(text: str) -> Any:
        found = read(text)
        return b64(found) if isinstance(found, bytes) else found if isinstance(found, str) else None

    return run


TEXTS: dict[str, tuple[Callable[[str], Any], str, list[str]]] = {
    "b64Decode": (
        encoding.b64_decode,
        "ABab01+/-_= \né",
        ["QUJD", "QQ==", "QUI=", "QR==", "QUJD=", "QUJDRA=="],
    ),
    "b64urlDecode": (encoding.b64url_decode, "ABab01+/-_=😀", ["QUJD", "QQ", "QUI", "QR", "QUJD=", "_-__"]),
    "hexDecode": (encoding.hex_decode, "09afAFg", ["00ff", "0", "0x00", "FF"]),
    "decimalDecode": (encoding.decimal_decode, "019-+ _٣", ["0", str(2**63 - 1), str(2**63), "9" * 5000]),
    "checkInstant": (encoding.instant_decode, "012359T:-.Z", ["2026-11-23T08:00:00.000000Z"]),
    "parseAddress": (
        secp256k1.parse_address,
        "0123xXaAfF\n人'",
        ["0x5FbDB2315678afecb367f032d93F642f64180aa3"],
    ),
    "checkKeyName": (note.check_key_name, "ab+/ \t\x1c\x85\xa0\u2028\ufeff人", ["log.example/a"]),
    "excerpt": (encoding.excerpt, "ab'\"\\\n\x7f\x80é人\u200b\ud800\U0001f600", ["a" * 40, "人" * 41]),
    "quoted": (repr, "ab'\"\\\n\t\x7f\x80\xad é人\u200b\ud800\ufeff\U0001f600\U000e0001", [""]),
}


@pytest.mark.parametrize("name", TEXTS)
def test_random_texts_are_read_or_refused_alike(name: str) -> None:
    read, alphabet, good = TEXTS[name]
    source, texts = random.Random(SEED), list(good)
    for _ in range(1000):
        text = (
            list(source.choice(good))
            if source.random() < 0.5
            else source.choices(alphabet, k=source.randrange(90))
        )
        for _ in range(source.randrange(4)):
            text[source.randrange(len(text) + 1) :][:1] = source.choices(alphabet, k=source.randrange(3))
            text.insert(source.randrange(len(text) + 1), source.choice(alphabet))
        texts.append("".join(text))
    jobs: list[Job] = [("text", {"read": name, "text": text}) for text in texts]
    run = bytes_or(read)
    check(jobs, lambda given: None if name.startswith("check") and run(given["text"]) else run(given["text"]))


def test_each_assigned_character_is_quoted_alike() -> None:
    """Up to the Unicode version that this Python knows."""
    known = [chr(code) for code in range(0x30000) if unicodedata.category(chr(code)) not in ("Cn", "Cs")]
    texts = ["".join(known[at : at + 1000]) for at in range(0, len(known), 1000)]
    jobs: list[Job] = [("text", {"read": "quoted", "text": text}) for text in texts]
    check(jobs, lambda given: repr(given["text"]))


# ---------------------------------------------------------------------------------- digests, trust, words


def test_digests_of_messages_of_every_length_agree() -> None:
    source = random.Random(SEED)
    jobs: list[Job] = [
        (topic, {"raw": b64(source.randbytes(n))}) for topic in ("digests", "keccak") for n in range(280)
    ]

    def digests(given: Given) -> list[Any]:
        raw = raw_of(given)
        return [b64(hashlib.sha256(raw).digest()), b64(hashlib.new("sm3", raw).digest()), len(raw)]

    for switches in ((), ("--insecure",)):
        for (topic, given), answer in zip(jobs, answers(jobs, *switches), strict=True):
            due = digests(given) if topic == "digests" else b64(keccak.keccak256(raw_of(given)))
            assert answer == {"found": due}


def test_each_trust_file_altered_is_read_or_refused_alike() -> None:
    value: Any = json.loads(TRUST.dump())
    values = [value]
    for place, old in altering.places(value):
        values += [altering.replaced(value, place, new) for new in altering.other_values(old)]
        if place:
            values.append(altering.removed(value, place))
        if isinstance(old, dict):
            values.append(altering.replaced(value, (*place, "extra"), 1))
    finalities = [
        ("depth", 1),
        ("tag", 1),
        ("depth", 0),
        ("depth", -1),
        ("tag", 0),
        ("'", 0),
        ("instant", True),
    ]
    values += [value | {"finality": {"policy": policy, "depth": depth}} for policy, depth in finalities]

    def read(given: Given) -> Given:
        found = trust.load(raw_of(given))
        return {
            "log": f"{found.log.name}+{found.log.key_id.hex()}",
            "chain": None if found.chain is None else found.chain.to_json(),
            "finality": {"policy": found.finality.policy.value, "depth": found.finality.depth},
            "label": found.label,
        }

    check([("trust", {"raw": b64(json.dumps(item).encode())}) for item in values], read)


def test_every_refusal_has_the_same_name_code_and_words() -> None:
    kinds: list[type[ProofError]] = [rpc.ChainUnreachable, rpc.ChainAnswerGarbled]
    kinds += [
        kind for kind in vars(errors).values() if inspect.isclass(kind) and issubclass(kind, ProofError)
    ]
    found = answers(("said", {"name": kind.__name__}) for kind in kinds)
    for kind, answer in zip(kinds, found, strict=True):
        said = wording.said(kind("why"))
        assert answer == {"found": {"en": said.en, "zh": said.zh}}
