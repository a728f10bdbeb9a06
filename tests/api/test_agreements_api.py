"""The JSON API of agreements, end to end over HTTP, on both databases."""

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from eth_account import Account as EthereumAccount
from sqlalchemy import func, select, text

from sealproof import bundle as bundles
from sealproof.promise import open_promise
from sealproof.report import Verdict
from sealproof.verify import verify
from talentseal.accounts.roles import Role
from talentseal.agreements.models import AgreementVersion
from talentseal.db import Database
from talentseal.evidence.models import EvidenceRecord
from tests.api.conftest import Api
from tests.world import PDF, Member, World


def count(world: World) -> tuple[int, int]:
    """Agreement versions and records of agreements."""
    return world.database.read(
        lambda session: (
            session.scalar(select(func.count(AgreementVersion.id))) or 0,
            session.scalar(select(func.count(EvidenceRecord.id)).where(EvidenceRecord.kind < 80)) or 0,
        )
    )


def upload(api: Api, by: Member, *members: Member, plain: bytes = PDF, **terms: Any) -> Any:
    body = api.body(*members)
    del body["document"]
    return api.call(
        by,
        "POST",
        "/agreements/upload",
        data={"agreement": json.dumps({**body, **terms})},
        files={"document": ("秘密文件名.pdf", plain, "application/pdf")},
    )


def test_submit_sign_conclude_fetch_and_verify(api: Api, world: World, bank: Member, office: Member) -> None:
    receipt = upload(api, bank, bank, office).json()
    for member in (bank, office):
        receipt = api.sign(member, receipt).json()
    world.settle()

    view = api.call(office, "GET", f"/agreements/{receipt['agreement']}/versions/1").json()
    raw = api.call(office, "GET", f"/evidence/{receipt['record']}/bundle").content
    trust = api.trust
    report = verify(raw, trust=trust, document=PDF)
    failed = [step for step in report.steps if step.verdict is Verdict.FAILED]
    assert (view["state"], view["record_state"]) == ("EVIDENCED", "FINAL")
    assert failed == []
    assert bundles.load(raw).anchor is not None
    assert "TalentSeal" not in raw.decode()


@pytest.mark.scenario(60)
def test_a_document_altered_by_one_byte_is_caught_and_the_digest_named(
    api: Api, world: World, bank: Member, office: Member
) -> None:
    receipt = api.signed(bank, office)
    world.settle()
    raw = api.call(bank, "GET", f"/evidence/{receipt['record']}/bundle").content

    report = verify(raw, trust=api.trust, document=PDF.replace(b"1.7", b"1.6"))

    [step] = [step for step in report.steps if step.number == 7]
    assert step.verdict is Verdict.FAILED
    assert "SHA-256" in step.why
    assert "SM3" in step.why


def test_the_promise_in_the_answer_is_for_the_record_and_signed_by_the_log(
    api: Api, world: World, bank: Member, office: Member
) -> None:
    receipt = api.signed(bank, office)

    record = api.call(bank, "GET", f"/evidence/{receipt['record']}").json()
    assert (
        open_promise(receipt["promise"], [world.signer.verifier_key]).leaf_hash.hex() == record["leaf_hash"]
    )
    assert receipt["promise"] == record["promise"]


@pytest.mark.scenario(62)
def test_fifty_posts_of_one_key_in_parallel_make_one_agreement_and_fifty_equal_answers(
    api: Api, world: World, bank: Member, office: Member
) -> None:
    body, key = api.body(bank, office), {"Idempotency-Key": "one-act"}
    api.key_of(bank)

    def post(_: int) -> Any:
        return api.call(bank, "POST", "/agreements", json=body, headers=key)

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(post, range(50)))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert sum("idempotency-replayed" not in answer.headers for answer in answers) == 1
    assert count(world)[0] == 1


@pytest.mark.scenario(62)
def test_fifty_posts_of_one_document_under_fifty_keys_make_one_agreement(
    api: Api, world: World, bank: Member, office: Member
) -> None:
    body = api.body(bank, office)
    api.key_of(bank)

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: api.call(bank, "POST", "/agreements", json=body), range(50)))

    assert sorted(answer.status_code for answer in answers) == [200] * 49 + [201]
    assert len({answer.json()["agreement"] for answer in answers}) == 1
    assert count(world)[0] == 1


def test_a_key_with_another_body_is_refused_and_has_no_effect(
    api: Api, world: World, bank: Member, office: Member
) -> None:
    key = {"Idempotency-Key": "one-act"}
    api.call(bank, "POST", "/agreements", json=api.body(bank, office), headers=key)

    other = api.body(bank, office, title="另一协议", plain=b"%PDF-1.7 other")
    answer = api.call(bank, "POST", "/agreements", json=other, headers=key)

    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency-key-reused")
    assert count(world)[0] == 1


def test_keys_of_two_accounts_do_not_meet(api: Api, bank: Member, office: Member) -> None:
    key = {"Idempotency-Key": "same-words"}

    first = api.call(bank, "POST", "/agreements", json=api.body(bank, office), headers=key)
    second = api.call(office, "POST", "/agreements", json=api.body(office, bank), headers=key)

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["agreement"] != second.json()["agreement"]


def test_a_refusal_is_not_remembered(api: Api, bank: Member, office: Member) -> None:
    receipt = api.submit(bank, bank, office)
    path, key = f"/agreements/{receipt['agreement']}/versions/1/signatures", {"Idempotency-Key": "sign"}
    good = {"signature": bank.sign(receipt["digest"])}

    wrong = api.call(bank, "POST", path, json={"signature": office.sign(receipt["digest"])}, headers=key)
    right = api.call(bank, "POST", path, json=good, headers=key)

    assert (wrong.status_code, wrong.json()["code"]) == (422, "signature-false")
    assert (right.status_code, right.json()["signed"]) == (200, 1)


def test_no_answer_is_a_success_before_the_commit(
    api: Api, world: World, bank: Member, office: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = api.body(bank, office)
    api.key_of(bank)
    api.call(bank, "GET", "/me")

    def fail(_database: Database, _work: object) -> None:
        raise RuntimeError("the disk is gone")

    monkeypatch.setattr(Database, "write", fail)
    answer = api.call(bank, "POST", "/agreements", json=body)

    assert (answer.status_code, answer.json()["code"]) == (500, "internal-error")
    monkeypatch.undo()
    assert count(world) == (0, 0)


def test_a_kept_document_comes_back_to_parties_only_and_lies_encrypted(
    api: Api, world: World, bank: Member, office: Member
) -> None:
    receipt = upload(api, bank, bank, office).json()
    path = f"/agreements/{receipt['agreement']}/versions/1/document"
    operator = world.member("运营机构", role=Role.OPERATOR)

    mine, theirs = api.call(office, "GET", path), api.call(operator, "GET", path)

    assert mine.content == PDF
    assert mine.headers["content-type"] == "application/pdf"
    assert theirs.status_code == 404
    stored = world.database.read(
        lambda session: session.scalar(text("SELECT ciphertext FROM agreement_document"))
    )
    assert PDF not in bytes(stored)


def test_a_document_that_was_only_hashed_is_nowhere(api: Api, bank: Member, office: Member) -> None:
    receipt = upload(api, bank, bank, office, keep_document=False).json()

    answer = api.call(bank, "GET", f"/agreements/{receipt['agreement']}/versions/1/document")

    assert (answer.status_code, answer.json()["code"]) == (404, "document-not-kept")


@pytest.mark.parametrize(
    ("plain", "status", "code"),
    [
        (b"hello", 415, "document-type-refused"),
        (b"", 422, "document-empty"),
        (b"%PDF-1.7" + b" " * (10 * 1024 * 1024), 413, "document-too-large"),
        (b"%PDF-1.7" + b" " * (12 * 1024 * 1024), 413, "body-too-large"),
    ],
    ids=["text", "empty", "just-too-large", "far-too-large"],
)
def test_bad_documents_are_refused_with_their_own_code(
    api: Api, bank: Member, plain: bytes, status: int, code: str
) -> None:
    answer = upload(api, bank, bank, api.world.member("人才集团"), plain=plain)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert count(api.world) == (0, 0)


def test_foreign_and_missing_agreements_are_refused_alike(
    api: Api, world: World, bank: Member, office: Member
) -> None:
    receipt = api.signed(bank, office)
    stranger = world.member("外部商户")
    paths = ("", "/typed-data", "/document", "/bundle", "/termination/typed-data")

    for path in paths:
        foreign = api.call(stranger, "GET", f"/agreements/{receipt['agreement']}/versions/1{path}")
        missing = api.call(stranger, "GET", f"/agreements/0x{'11' * 32}/versions/1{path}")
        assert (foreign.status_code, foreign.text) == (404, missing.text)
    record = api.call(stranger, "GET", f"/evidence/{receipt['record']}")
    nothing = api.call(stranger, "GET", f"/evidence/{'1' * 32}")
    assert record.status_code == nothing.status_code == 404
    assert record.json()["code"] == nothing.json()["code"]


def test_a_list_shows_ones_own_in_pages_without_gap_or_repetition(
    api: Api, world: World, bank: Member, office: Member
) -> None:
    made = []
    for number in range(5):
        plain = b"%PDF-1.7 " + str(number).encode()
        made.append(api.submit(bank, bank, office, plain=plain)["agreement"])
        world.clock.advance(seconds=1)

    seen, after = [], ""
    while True:
        page = api.call(bank, "GET", f"/agreements?limit=2{after}").json()
        seen += [item["agreement"] for item in page["items"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"

    assert seen == made[::-1]
    stranger = world.member("外部商户")
    assert api.call(stranger, "GET", "/agreements").json()["items"] == []


def test_amending_and_terminating_over_http(api: Api, world: World, bank: Member, office: Member) -> None:
    first = api.signed(bank, office)
    world.settle()
    path = f"/agreements/{first['agreement']}/versions"
    change = api.body(bank, office, plain=b"%PDF-1.7 two", title="第二版")
    second = api.call(office, "POST", f"{path}/1/amendments", json=change).json()
    for member in (bank, office):
        second = api.sign(member, second).json()
    world.settle()
    ends = {
        "reason": "协商一致",
        "notice": "书面",
        "effective_at": datetime(2027, 5, 1, tzinfo=UTC).isoformat(),
    }
    proposed = api.call(bank, "POST", f"{path}/2/termination", json=ends)
    assert proposed.status_code == 200, proposed.text
    digest = api.call(bank, "GET", f"{path}/2/termination/typed-data").json()["digest"]
    for member in (bank, office):
        answer = api.call(
            member, "POST", f"{path}/2/termination/signatures", json={"signature": member.sign(digest)}
        )
        assert answer.status_code == 200, answer.text
    world.settle()

    view = api.call(bank, "GET", f"{path}/2").json()
    raw = api.call(bank, "GET", f"/evidence/{view['termination']['record']}/bundle").content
    world.clock.moment = datetime(2027, 5, 2, tzinfo=UTC)
    after = api.call(bank, "GET", f"{path}/2").json()["state"]
    trust = api.trust
    assert after == "TERMINATED"
    assert verify(raw, trust=trust).exit_code == 3
    assert bundles.load(raw).agreement is not None


def test_the_wallets_own_typed_data_signature_is_taken(api: Api, bank: Member, office: Member) -> None:
    receipt = api.submit(bank, bank, office)
    path = f"/agreements/{receipt['agreement']}/versions/1"
    typed = api.call(bank, "GET", f"{path}/typed-data").json()["typed_data"]

    signed = EthereumAccount.sign_typed_data(bank.key.key, full_message=typed)
    answer = api.call(
        bank, "POST", f"{path}/signatures", json={"signature": "0x" + bytes(signed.signature).hex()}
    )

    assert (answer.status_code, answer.json()["signed"]) == (200, 1)


def test_a_bundle_that_does_not_verify_is_withheld(
    api: Api, world: World, bank: Member, office: Member
) -> None:
    receipt = api.signed(bank, office)
    world.settle()
    world.database.write(
        lambda session: session.execute(
            text("UPDATE agreement_version SET terms = replace(terms, 'agreement-terms', 'agreement-torms')")
        )
    )

    answer = api.call(bank, "GET", f"/evidence/{receipt['record']}/bundle")

    assert (answer.status_code, answer.json()["code"]) == (409, "bundle-not-verifiable")


def test_names_of_uploaded_files_are_kept_nowhere(
    api: Api, world: World, bank: Member, office: Member
) -> None:
    upload(api, bank, bank, office)

    def dump(session: Any) -> str:
        tables = ("agreement_version", "agreement_document", "idempotent_answer")
        return "".join(str(session.execute(text(f"SELECT * FROM {name}")).all()) for name in tables)

    assert "秘密文件名" not in world.database.read(dump)
    assert hashlib.sha256(PDF).hexdigest() in world.database.read(dump)
