"""Stored vectors of signatures, EIP-712 digests and bundles: each gets the verdict that stands beside it."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from sealproof import ed25519, trust, verify
from sealproof.eip712 import AgreementStatement, Domain, TerminationStatement
from sealproof.errors import ProofError
from sealproof.report import MALFORMED, Verdict
from sealproof.secp256k1 import recover
from tests.sealproof import altering
from tests.vectors import signed
from tests.vectors.case import Case

STORED: dict[str, Any] = {
    topic: json.loads(signed.FOLDER.joinpath(f"{topic}.json").read_text(encoding="ascii"))
    for topic in signed.CASES
}
TRUST = trust.load(json.dumps(STORED["bundles"]["trust"]).encode())


def cases(topic: str) -> list[Any]:
    return [
        pytest.param(case, id=f"{number}: {case['why']}")
        for number, case in enumerate(STORED[topic]["cases"])
    ]


def signature_verdict(given: dict[str, str], *, in_python: bool) -> str:
    signature = bytes.fromhex(given["signature"])
    try:
        if given["algorithm"] == "ed25519":
            check = ed25519.verify_in_python if in_python else ed25519.verify
            check(bytes.fromhex(given["public"]), bytes.fromhex(given["message"]), signature)
            return "accept"
        signer = recover(bytes.fromhex(given["digest"]), signature)
    except ProofError as refusal:
        return refusal.code
    return "accept" if signer == given["address"] else "other-signer"


@pytest.mark.parametrize("in_python", [True, False], ids=["python", "openssl"])
@pytest.mark.parametrize("case", cases("signatures"))
def test_signature(case: Case, in_python: bool) -> None:
    assert signature_verdict(case["input"], in_python=in_python) == case["verdict"]


def digest_verdict(given: dict[str, Any]) -> str:
    read: dict[str, Callable[..., AgreementStatement | TerminationStatement]] = {
        "Agreement": AgreementStatement.from_json,
        "Termination": TerminationStatement.from_json,
    }
    try:
        statement = read[given["type"]](given["statement"], "statement")
    except ProofError as refusal:
        return refusal.code
    digest = statement.digest(Domain(given["chain_id"], given["contract"]))
    return "accept" if "0x" + digest.hex() == given["digest"] else "other-digest"


@pytest.mark.parametrize("case", cases("eip712"))
def test_digest(case: Case) -> None:
    assert digest_verdict(case["input"]) == case["verdict"]


def bundle_verdict(given: dict[str, Any]) -> str:
    value = STORED["bundles"]["good"][given["bundle"]]
    for place, new in given["change"]:
        value = altering.replaced(value, tuple(place), new)
    report = verify.verify(json.dumps(value).encode(), trust=TRUST)
    if report.exit_code == MALFORMED:
        return "malformed"
    failed = [str(step.number) for step in report.steps if step.verdict is Verdict.FAILED]
    return " ".join(failed) or "accept"


@pytest.mark.parametrize("case", cases("bundles"))
def test_bundle(case: Case) -> None:
    assert bundle_verdict(case["input"]) == case["verdict"]


@pytest.mark.parametrize("topic", signed.CASES)
def test_the_files_are_what_their_generator_writes_and_small(topic: str) -> None:
    stored = signed.FOLDER.joinpath(f"{topic}.json").read_text(encoding="ascii")
    assert stored == signed.contents(topic)
    assert len(stored) < 200_000


@pytest.mark.parametrize("topic", signed.CASES)
def test_at_least_half_must_be_refused(topic: str) -> None:
    refused = [case for case in STORED[topic]["cases"] if case["verdict"] != "accept"]
    assert 2 * len(refused) >= len(STORED[topic]["cases"])
