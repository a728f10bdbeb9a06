"""The numbered steps: what passes, what fails, what is left unchecked, and that no bytes raise."""

import dataclasses
import hashlib
import json
import random
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sealproof import bundle as bundles
from sealproof import errors, logfiles, report, rpc, verify, wording
from sealproof.checkpoint import Checkpoint
from sealproof.fields import to_hex
from sealproof.note import VerifierKey
from sealproof.report import ALL_PASSED, MALFORMED, NOT_ALL_CHECKED, SOMETHING_FAILED, Report, Verdict
from sealproof.trust import Finality, FinalityPolicy
from sealproof.verify import STEP_NAMES
from sealproof.wording import Language
from tests.sealproof import altering
from tests.sealproof.samples import (
    CONTRACT,
    DOCUMENT,
    IDENTITY,
    ORIGIN,
    LocalChain,
    Sample,
    agreement_sample,
    block,
    log_note,
    plain_sample,
    termination_sample,
    value_of,
    word,
)

BACKEND = Path(verify.__file__).parents[1]


def full(sample: Sample) -> Report:
    return verify.verify(sample.raw, trust=sample.trust, document=sample.document, chain=sample.chain)


def verdicts(found: Report) -> dict[int, Verdict]:
    return {step.number: step.verdict for step in found.steps}


def failed_steps(found: Report) -> list[int]:
    return [step.number for step in found.steps if step.verdict is Verdict.FAILED]


def unchecked_steps(found: Report) -> list[int]:
    return [step.number for step in found.steps if step.verdict is Verdict.NOT_CHECKED]


def why(found: Report, number: int) -> str:
    step = found.step(number)
    return "" if step is None else step.why


def trusting(sample: Sample, policy: FinalityPolicy, depth: int = 0) -> Sample:
    return dataclasses.replace(
        sample, trust=dataclasses.replace(sample.trust, finality=Finality(policy, depth))
    )


# ------------------------------------------------------------------------------------------- what holds


def test_an_agreement_passes_all_fourteen_steps() -> None:
    found = full(agreement_sample())
    assert verdicts(found) == dict.fromkeys(range(1, 15), Verdict.PASSED)
    assert found.exit_code == ALL_PASSED


def test_an_amendment_passes_all_fourteen_steps() -> None:
    assert full(agreement_sample(9, version=2)).exit_code == ALL_PASSED


def test_a_termination_passes_without_the_steps_that_do_not_apply() -> None:
    sample = termination_sample()
    found = verify.verify(sample.raw, trust=sample.trust, chain=sample.chain)
    assert found.exit_code == ALL_PASSED
    assert set(verdicts(found)) == set(range(1, 15)) - {7, 9}


def test_another_entry_passes_without_the_steps_of_agreements() -> None:
    sample = plain_sample()
    found = verify.verify(sample.raw, trust=sample.trust, chain=sample.chain)
    assert found.exit_code == ALL_PASSED
    assert set(verdicts(found)) == {1, 2, 3, 4, 5, 6, 11, 12, 13}


def test_every_spelling_of_a_bundle_gives_the_same_report() -> None:
    sample = agreement_sample()
    respelled = json.dumps(value_of(sample.raw), indent=4, ensure_ascii=True).encode()
    assert verify.verify(respelled, trust=sample.trust) == verify.verify(sample.raw, trust=sample.trust)


# ---------------------------------------------------------------------------------- what is left unchecked


def test_without_anything_but_the_bundle_what_needs_trust_is_not_checked() -> None:
    found = verify.verify(agreement_sample().raw)
    assert found.exit_code == NOT_ALL_CHECKED
    assert unchecked_steps(found) == [5, 7, 10, 11, 12, 13, 14]


def test_without_a_node_the_steps_about_the_chain_are_not_checked() -> None:
    sample = agreement_sample()
    found = verify.verify(sample.raw, trust=sample.trust, document=DOCUMENT)
    assert unchecked_steps(found) == [11, 12, 13, 14]


def test_trust_in_a_log_alone_leaves_the_chain_unchecked() -> None:
    sample = agreement_sample()
    trust = dataclasses.replace(sample.trust, chain=None)
    found = verify.verify(sample.raw, trust=trust, document=DOCUMENT, chain=sample.chain)
    assert unchecked_steps(found) == [10, 11, 12, 13, 14]


def test_withheld_fields_leave_unchecked_what_hangs_on_them() -> None:
    sample = agreement_sample()
    bundle = dataclasses.replace(sample.bundle, disclosures=())
    found = full(dataclasses.replace(sample, bundle=bundle))
    assert unchecked_steps(found) == [8]


def test_a_withheld_document_leaves_step_7_unchecked() -> None:
    sample = agreement_sample()
    evidence = dataclasses.replace(sample.bundle.agreement, disclosures=())  # type: ignore[type-var]
    found = full(dataclasses.replace(sample, bundle=dataclasses.replace(sample.bundle, agreement=evidence)))
    assert unchecked_steps(found) == [7]


# --------------------------------------------------------------------------------------------- documents


@pytest.mark.parametrize("at", [0, len(DOCUMENT) // 2, len(DOCUMENT) - 1])
def test_a_document_with_one_byte_altered_fails_step_7_by_both_digests(at: int) -> None:
    altered = bytearray(DOCUMENT)
    altered[at] ^= 1
    sample = dataclasses.replace(agreement_sample(), document=bytes(altered))
    assert failed_steps(full(sample)) == [7]
    assert "SHA-256, SM3" in why(full(sample), 7)
    assert "size" not in why(full(sample), 7)


def test_a_longer_document_differs_in_size_too() -> None:
    sample = dataclasses.replace(agreement_sample(), document=DOCUMENT + b"\n")
    assert "SHA-256, SM3, size" in why(full(sample), 7)


def test_without_sm3_the_other_digests_are_compared_and_the_step_is_not_checked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def no_sm3(name: str) -> object:
        raise ValueError(f"unsupported hash type {name}")

    monkeypatch.setattr(hashlib, "new", no_sm3)
    sample = agreement_sample_made_before_sm3_was_gone
    assert unchecked_steps(full(sample)) == [7]
    assert failed_steps(full(dataclasses.replace(sample, document=DOCUMENT + b"x"))) == [7]


agreement_sample_made_before_sm3_was_gone = agreement_sample()


# ------------------------------------------------------------------------------------- trust in the log


def test_a_checkpoint_of_another_key_under_the_same_name_fails_step_5() -> None:
    sample = plain_sample()
    impostor = Ed25519PrivateKey.from_private_bytes(b"\x08" * 32)
    head = bundle_head(sample)
    forged = dataclasses.replace(sample.bundle, checkpoint=log_note(head.size, head.root, ORIGIN, impostor))
    assert failed_steps(full(dataclasses.replace(sample, bundle=forged))) == [5]


def test_a_checkpoint_of_another_log_fails_steps_5_and_6() -> None:
    sample = plain_sample()
    head = bundle_head(sample)
    forged = dataclasses.replace(sample.bundle, checkpoint=log_note(head.size, head.root, "evil.example/log"))
    assert failed_steps(full(dataclasses.replace(sample, bundle=forged))) == [5, 6]


def test_a_trusted_key_may_not_speak_for_another_origin() -> None:
    sample = plain_sample()
    head = bundle_head(sample)
    text = Checkpoint("other.example/log", head.size, head.root).encode()
    note = log_note(head.size, head.root)
    signed = text + note[note.index("\n\n") + 1 :]
    forged = dataclasses.replace(sample.bundle, checkpoint=signed)
    assert failed_steps(full(dataclasses.replace(sample, bundle=forged))) == [5, 6]


def test_a_signature_by_a_stranger_beside_the_logs_own_is_passed_over() -> None:
    sample = plain_sample()
    stranger = Ed25519PrivateKey.from_private_bytes(b"\x09" * 32)
    head = bundle_head(sample)
    extra = log_note(head.size, head.root, "witness.example", stranger).split("\n\n")[1]
    witnessed = dataclasses.replace(sample.bundle, checkpoint=sample.bundle.checkpoint + extra)
    assert not failed_steps(full(dataclasses.replace(sample, bundle=witnessed)))


def bundle_head(sample: Sample) -> Checkpoint:
    lines = sample.bundle.checkpoint.split("\n")
    return Checkpoint(lines[0], int(lines[1]), bytes.fromhex(sample.state.heads[int(lines[1])][2:]))


# ------------------------------------------------------------------------------------------ the chain


def test_a_bundle_anchored_on_another_chain_fails_even_without_a_node() -> None:
    sample = plain_sample()
    others: dict[str, Any] = dict.fromkeys(IDENTITY.NAMES, word(0xBAD))
    others |= {"chain_id": 5, "contract": "0x" + "0" * 40}
    for name, other in others.items():
        trusted = dataclasses.replace(sample.trust, chain=dataclasses.replace(IDENTITY, **{name: other}))
        found = verify.verify(sample.raw, trust=trusted)
        assert failed_steps(found) == [11], name
        assert name in why(found, 11)


def wrong_chain_id(sample: Sample) -> None:
    sample.state.chain_id = 1


def wrong_genesis(sample: Sample) -> None:
    sample.state.blocks[0]["hash"] = word(0xBAD)


def no_code(sample: Sample) -> None:
    sample.state.code.clear()


def other_code(sample: Sample) -> None:
    sample.state.code[CONTRACT] = "0x60806040"


def other_deployment_block(sample: Sample) -> None:
    sample.state.blocks[1]["hash"] = word(0xBAD)


@pytest.mark.parametrize(
    ("alter", "named"),
    [
        (wrong_chain_id, "chain_id"),
        (wrong_genesis, "genesis_hash"),
        (no_code, "code_hash"),
        (other_code, "code_hash"),
        (other_deployment_block, "deployment_block_hash"),
    ],
)
def test_a_node_of_another_chain_fails_step_11_and_leaves_the_rest_unchecked(
    alter: Callable[[Sample], None], named: str
) -> None:
    sample = agreement_sample()
    alter(sample)
    found = full(sample)
    assert failed_steps(found) == [11]
    assert unchecked_steps(found) == [12, 13, 14]
    assert named in why(found, 11)


def never_anchored(sample: Sample) -> None:
    sample.state.heads.clear()


def forked(sample: Sample) -> None:
    sample.state.heads[13] = word(0xBAD)


def reorganised(sample: Sample) -> None:
    sample.state.blocks[10]["hash"] = word(0xBAD)


def shorter(sample: Sample) -> None:
    for number in (10, 11):
        del sample.state.blocks[number]


def no_receipt(sample: Sample) -> None:
    del sample.state.receipts[word(0x77)]


def altered_receipt(name: str, value: Any) -> Callable[[Sample], None]:
    def alter(sample: Sample) -> None:
        sample.state.receipts[word(0x77)][name] = value  # type: ignore[index]

    return alter


def altered_topic(place: int) -> Callable[[Sample], None]:
    def alter(sample: Sample) -> None:
        receipt: Any = sample.state.receipts[word(0x77)]
        receipt["logs"][0]["topics"][place] = word(0xBAD)

    return alter


@pytest.mark.parametrize(
    "alter",
    [
        never_anchored,
        forked,
        reorganised,
        shorter,
        no_receipt,
        altered_receipt("status", "0x0"),
        altered_receipt("blockNumber", "0x9"),
        altered_receipt("blockHash", word(0xBAD)),
        altered_receipt("logs", []),
        altered_topic(0),
        altered_topic(1),
        altered_topic(2),
    ],
)
def test_a_chain_that_contradicts_the_anchor_fails_step_12(alter: Callable[[Sample], None]) -> None:
    sample = plain_sample()
    alter(sample)
    found = full(sample)
    assert failed_steps(found) == [12]
    assert 13 in unchecked_steps(found)


def test_an_earlier_transaction_cannot_backdate_an_anchor() -> None:
    """Another true anchor, of a smaller tree, stands in block 8; a bundle that names it is refused."""
    sample = plain_sample()
    earlier: Any = json.loads(json.dumps(sample.state.receipts[word(0x77)]))
    earlier |= {"transactionHash": word(0x76), "blockNumber": "0x8", "blockHash": word(0xA8)}
    earlier["logs"][0]["topics"][1] = word(12)
    sample.state.receipts[word(0x76)] = earlier
    anchor = dataclasses.replace(  # type: ignore[type-var]
        sample.bundle.anchor, block_number=8, block_hash=word(0xA8), transaction_hash=word(0x76)
    )
    backdated = dataclasses.replace(sample, bundle=dataclasses.replace(sample.bundle, anchor=anchor))
    assert failed_steps(full(backdated)) == [12]


@pytest.mark.parametrize(
    ("policy", "depth", "finalized", "final"),
    [
        (FinalityPolicy.INSTANT, 0, None, True),
        (FinalityPolicy.DEPTH, 1, None, True),
        (FinalityPolicy.DEPTH, 2, None, False),
        (FinalityPolicy.DEPTH, 100, None, False),
        (FinalityPolicy.TAG, 0, None, False),
        (FinalityPolicy.TAG, 0, 9, False),
        (FinalityPolicy.TAG, 0, 10, True),
        (FinalityPolicy.TAG, 0, 11, True),
    ],
)
def test_finality_follows_the_trusted_policy_and_pending_is_no_failure(
    policy: FinalityPolicy, depth: int, finalized: int | None, final: bool
) -> None:
    sample = trusting(plain_sample(), policy, depth)
    sample.state.finalized = finalized
    found = verify.verify(sample.raw, trust=sample.trust, chain=sample.chain)
    assert found.step(13) is not None
    assert verdicts(found)[13] is (Verdict.PASSED if final else Verdict.NOT_CHECKED)
    assert found.exit_code == (ALL_PASSED if final else NOT_ALL_CHECKED)


@pytest.mark.parametrize(
    ("known", "finalized", "final"), [(True, 8, False), (True, 9, True), (False, 8, False), (False, 9, True)]
)
def test_an_agreement_in_a_block_that_is_not_final_is_not_passed(
    known: bool, finalized: int, final: bool
) -> None:
    sample = trusting(agreement_sample(), FinalityPolicy.TAG)
    sample.state.finalized = finalized
    if not known:
        evidence = dataclasses.replace(sample.bundle.agreement, transaction_hash=None)  # type: ignore[type-var]
        sample = dataclasses.replace(sample, bundle=dataclasses.replace(sample.bundle, agreement=evidence))
        sample.state.blocks[9] = block(9, word(0xA9), 1_795_420_855)
    assert verdicts(full(sample))[14] is (Verdict.PASSED if final else Verdict.NOT_CHECKED)


def altered_agreement(place: int, value: int) -> Callable[[Sample], None]:
    def alter(sample: Sample) -> None:
        for key, answer in sample.state.agreements.items():
            words = [answer[2 + start : 66 + start] for start in range(0, len(answer) - 2, 64)]
            words[place] = word(value)[2:]
            sample.state.agreements[key] = "0x" + "".join(words)

    return alter


@pytest.mark.parametrize(
    "alter",
    [
        lambda sample: sample.state.agreements.clear(),
        altered_agreement(0, 0),
        altered_agreement(1, 2),
        altered_agreement(4, 1),
        lambda sample: sample.state.receipts.pop(word(0x66)),
        lambda sample: sample.state.blocks.__setitem__(9, block(9, word(0xBAD), 1)),
    ],
)
def test_a_registry_without_this_agreement_fails_step_14(alter: Callable[[Sample], None]) -> None:
    sample = agreement_sample()
    alter(sample)
    assert failed_steps(full(sample)) == [14]


@pytest.mark.parametrize("alter", [altered_agreement(0, 1), altered_agreement(0, 2), altered_agreement(6, 1)])
def test_a_registry_without_this_termination_fails_step_14(alter: Callable[[Sample], None]) -> None:
    sample = termination_sample()
    alter(sample)
    assert failed_steps(full(sample)) == [14]


@pytest.mark.parametrize(("state", "words"), [(2, "amended"), (3, "terminated")])
def test_the_report_says_when_a_concluded_version_was_ended_since(state: int, words: str) -> None:
    sample = agreement_sample()
    altered_agreement(0, state)(sample)
    found = full(sample)
    assert found.exit_code == ALL_PASSED
    assert words in why(found, 14)


def test_an_unknown_state_is_no_verdict() -> None:
    sample = agreement_sample()
    altered_agreement(0, 9)(sample)
    assert verdicts(full(sample))[14] is Verdict.NOT_CHECKED


# ---------------------------------------------------------------------------------- contract accounts


def with_first_signature(sample: Sample, signature: bytes) -> Sample:
    evidence = sample.bundle.agreement
    assert evidence is not None
    changed = dataclasses.replace(evidence, signatures=(signature, *evidence.signatures[1:]))
    return dataclasses.replace(sample, bundle=dataclasses.replace(sample.bundle, agreement=changed))


@pytest.mark.parametrize("signature", [b"\x01", b"\x00" * 65, b"\x05" * 200])
def test_a_contract_account_is_asked_on_the_trusted_chain(signature: bytes) -> None:
    sample = with_first_signature(agreement_sample(), signature)
    evidence = sample.bundle.agreement
    assert evidence is not None
    signer = evidence.statement.parties[0].signer
    assert failed_steps(full(sample)) == [10]
    sample.state.code[signer] = "0x6001"
    assert failed_steps(full(sample)) == [10]
    sample.state.accepting.add(signer)
    found = full(sample)
    assert found.exit_code == ALL_PASSED
    assert signer in why(found, 10)


def test_without_a_node_a_contract_signature_is_not_checked_and_a_false_key_signature_fails() -> None:
    sample = agreement_sample()
    short = with_first_signature(sample, b"\x01\x02")
    assert verdicts(verify.verify(short.raw, trust=sample.trust))[10] is Verdict.NOT_CHECKED
    random_bytes = with_first_signature(sample, random.Random(1).randbytes(64) + b"\x1b")
    assert verdicts(verify.verify(random_bytes.raw, trust=sample.trust))[10] is Verdict.FAILED


def test_signatures_do_not_hold_on_another_chain_or_contract() -> None:
    sample = agreement_sample()
    for identity in (
        dataclasses.replace(IDENTITY, chain_id=1),
        dataclasses.replace(IDENTITY, contract="0x" + "0" * 40),
    ):
        trust = dataclasses.replace(sample.trust, chain=identity)
        bundle = dataclasses.replace(sample.bundle, anchor=None, disclosures=())
        assert failed_steps(verify.verify(bundle.dump(), trust=trust)) == [10]


# ------------------------------------------------------------------------- terms against the statement


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("effective_from", "2026-12-02"),
        ("effective_from", "20261201"),
        ("effective_from", "2026-12-1"),
        ("effective_from", 20261201),
        ("effective_from", "9999-99-99"),
        ("valid_through", "2028-12-01"),
        ("valid_through", "9999-12-31"),
        ("parties", []),
        ("parties", "all"),
        ("parties", [{"organisation": "0x00"}]),
        ("parties", [1, 2, 3]),
    ],
)
def test_terms_that_say_otherwise_than_the_statement_fail_step_8(field: str, value: Any) -> None:
    from sealproof.agreement import Terms, check_terms

    sample = agreement_sample()
    evidence = sample.bundle.agreement
    assert evidence is not None
    terms = Terms("agreement-terms", evidence.statement.agreement_id, 1, {field: value})
    finding = check_terms(evidence, terms, 10, {"commitment": to_hex(evidence.statement.commitment)})
    assert finding.verdict is Verdict.FAILED
    assert field in finding.why.en


@pytest.mark.parametrize("kind", [11, 12])
def test_later_versions_bear_their_predecessor_in_terms(kind: int) -> None:
    from sealproof.agreement import Terms, check_terms

    evidence = agreement_sample(4, version=2).bundle.agreement
    assert evidence is not None
    shown = {"commitment": to_hex(evidence.statement.commitment)}
    for previous, verdict in (
        (to_hex(evidence.statement.previous), Verdict.PASSED),
        (word(1), Verdict.FAILED),
    ):
        terms = Terms("agreement-terms", evidence.statement.agreement_id, 2, {"previous": previous})
        assert check_terms(evidence, terms, kind, shown).verdict is verdict


def test_an_agreement_under_an_entry_of_another_kind_fails_step_8() -> None:
    evidence = agreement_sample().bundle.agreement
    sample = plain_sample()
    mixed = dataclasses.replace(sample, bundle=dataclasses.replace(sample.bundle, agreement=evidence))
    assert 8 in failed_steps(full(mixed))


# ------------------------------------------------------------------------------------ the node misbehaves


@pytest.mark.parametrize(
    "method",
    [
        "eth_chainId",
        "eth_getBlockByNumber",
        "eth_getCode",
        "eth_call",
        "eth_getBlockByHash",
        "eth_getTransactionReceipt",
    ],
)
@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"<html>",
        b"null",
        b"[]",
        b'{"jsonrpc":"2.0","id":1}',
        b'{"jsonrpc":"2.0","id":2,"result":"0x1"}',
        b'{"jsonrpc":"2.0","id":1,"result":"0x"}',
        b'{"jsonrpc":"2.0","id":1,"result":17}',
        b'{"jsonrpc":"2.0","id":1,"result":{}}',
        b'{"jsonrpc":"2.0","id":1,"result":[]}',
        b'{"jsonrpc":"2.0","id":1,"result":"0x' + b"0" * 65 + b'"}',
        b'{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"boom"}}',
        b'{"jsonrpc":"2.0","id":1,"result":null,"result":"0x1"}',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"jsonrpc":"2.0","id":1,"result":"' + b"0" * 1_100_000 + b'"}',
    ],
)
def test_nonsense_from_the_node_is_never_a_pass_and_never_an_exception(method: str, reply: bytes) -> None:
    sample = agreement_sample_made_before_sm3_was_gone
    sample.state.refuse = {method: reply}
    try:
        found = full(sample)
    finally:
        sample.state.refuse = {}
    assert found.exit_code in (SOMETHING_FAILED, NOT_ALL_CHECKED)
    assert not set(failed_steps(found)) & set(range(1, 11))


# ----------------------------------------------------------------------------------------- any bytes


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=400))
def test_random_bytes_are_malformed(raw: bytes) -> None:
    assert verify.verify(raw).exit_code == MALFORMED


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
PLACES = {
    name: [place for place, _ in altering.places(value_of(make().raw))]
    for name, make in (("a", agreement_sample), ("t", termination_sample))
}


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_random_values_anywhere_in_a_bundle_give_a_report(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(PLACES)))
    sample = {"a": AGREEMENT, "t": TERMINATION}[name]
    value: Any = value_of(sample.raw)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.sampled_from(PLACES[name]))
        new = data.draw(json_values)
        try:
            value = altering.replaced(value, place, new)
        except (KeyError, IndexError, TypeError):
            continue  # the container went with an earlier replacement
    raw = json.dumps(value).encode("utf-8", errors="surrogatepass")
    found = verify.verify(raw, trust=sample.trust, document=DOCUMENT, chain=sample.chain)
    assert found.exit_code in (ALL_PASSED, SOMETHING_FAILED, MALFORMED, NOT_ALL_CHECKED)
    assert found.text(Language.ZH)
    assert found.text(Language.EN)


AGREEMENT, TERMINATION = agreement_sample(), termination_sample()


@settings(max_examples=300, deadline=None)
@given(st.integers(0), st.integers(0, 255), st.sampled_from(["flip", "cut", "insert", "drop"]))
def test_a_bundle_with_random_bytes_altered_gives_a_report(at: int, byte: int, how: str) -> None:
    raw = AGREEMENT.raw
    at %= len(raw)
    altered = {
        "flip": raw[:at] + bytes([byte]) + raw[at + 1 :],
        "cut": raw[:at],
        "insert": raw[:at] + bytes([byte]) + raw[at:],
        "drop": raw[:at] + raw[at + 1 :],
    }[how]
    found = verify.verify(altered, trust=AGREEMENT.trust, document=DOCUMENT, chain=AGREEMENT.chain)
    same = altered != raw and how != "cut" and _same_value(altered, raw)
    assert (
        found.exit_code == ALL_PASSED
        if altered == raw or same or altered == raw[:-1]
        else found.exit_code != ALL_PASSED
    )


def _same_value(one: bytes, other: bytes) -> bool:
    try:
        return bool(json.loads(one) == json.loads(other))
    except ValueError:
        return False


# ----------------------------------------------------------------------------------------- the wording


def test_every_error_has_a_meaning_in_chinese() -> None:
    def all_of(kind: type[errors.ProofError]) -> set[type[errors.ProofError]]:
        return {kind}.union(*(all_of(child) for child in kind.__subclasses__()))

    assert logfiles.LogUnreadable in all_of(errors.ProofError)
    assert rpc.ChainUnreachable in all_of(errors.ProofError)
    inside = {kind.code for kind in all_of(errors.ProofError) if kind.__module__.startswith("sealproof.")}
    assert inside <= wording.known_codes()


def test_reports_say_in_both_languages_what_was_checked_and_what_is_not_proved() -> None:
    found = full(agreement_sample())
    chinese, english = found.text(Language.ZH), found.text(Language.EN)
    for number, name in STEP_NAMES.items():
        assert f"{number:>2}. [通过] {name.zh}：" in chinese
        assert f"{number:>2}. [passed] {name.en}: " in english
    assert "不证明" in chinese
    assert "does not prove" in english
    assert "公证" not in chinese.replace("存证不是公证机构的公证", "")


def test_the_json_report_holds_the_same() -> None:
    found = full(agreement_sample())
    value: Any = json.loads(json.dumps(found.to_json()))
    assert (value["outcome"], value["exit_code"]) == ("passed", 0)
    assert [step["number"] for step in value["steps"]] == list(range(1, 15))
    assert all(step["why"] and re.search("[\u4e00-\u9fff]", step["why_zh"]) for step in value["steps"])


def test_the_verifier_runs_without_site_packages(tmp_path: Path) -> None:
    sample = agreement_sample()
    (tmp_path / "b.seal.json").write_bytes(sample.raw)
    (tmp_path / "trust.json").write_bytes(sample.trust.dump())
    program = (
        f"import sys; sys.path.insert(0, {str(BACKEND)!r})\n"
        "from sealproof import trust, verify\n"
        f"raw = open({str(tmp_path / 'b.seal.json')!r}, 'rb').read()\n"
        f"trusted = trust.load(open({str(tmp_path / 'trust.json')!r}, 'rb').read())\n"
        "found = verify.verify(raw, trust=trusted)\n"
        "print(found.exit_code, *(step.number for step in found.steps if step.verdict == 'passed'))\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["3", "1", "2", "3", "4", "5", "6", "8", "9", "10"]


# ------------------------------------------------------------------------------------------ the file


def test_dump_is_deterministic_and_load_reads_it_back() -> None:
    for sample in (plain_sample(), AGREEMENT, TERMINATION):
        assert bundles.load(sample.raw) == sample.bundle
        assert bundles.load(sample.raw).dump() == sample.raw
        assert sample.raw.endswith(b"}\n")


def test_a_bundle_over_its_limit_is_neither_written_nor_read() -> None:
    bundle = dataclasses.replace(AGREEMENT.bundle, disclosures=("A" * 65_000,) * 17)
    with pytest.raises(errors.Oversized):
        bundle.dump()
    found = verify.verify(b" " * (1 << 20) + b" ")
    assert found.exit_code == MALFORMED
    assert "1048576" in found.steps[0].why


def test_the_key_in_a_bundle_is_never_trusted() -> None:
    """A forged log with its own key, name and consistent proofs passes for nobody who trusts another key."""
    sample = plain_sample()
    impostor = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"impostor").digest())
    head = bundle_head(sample)
    forged = dataclasses.replace(
        sample.bundle, checkpoint=log_note(head.size, head.root, "evil.example/log", impostor)
    )
    mine = VerifierKey.of("evil.example/log", impostor.public_key().public_bytes_raw())
    own = dataclasses.replace(sample.trust, log=mine)
    assert verify.verify(forged.dump(), trust=own, chain=LocalChain(sample.state)).exit_code == ALL_PASSED
    assert verify.verify(forged.dump(), trust=sample.trust).exit_code == SOMETHING_FAILED


def test_exit_codes_are_the_agreed_ones() -> None:
    assert (ALL_PASSED, SOMETHING_FAILED, MALFORMED, NOT_ALL_CHECKED) == (0, 1, 2, 3)
    assert set(report._OUTCOMES) == {0, 1, 2, 3}
