"""The public and the auditors' window: tiles, checkpoints, proofs, erasure, and what none of them may
show.
"""

import json
from typing import Any

import pytest
from sqlalchemy import text

from sealproof import bundle as bundles
from sealproof import checkpoint, merkle, tiles, tlogproof
from sealproof.entry import decode
from sealproof.verify import verify
from talentseal.accounts.roles import Role
from talentseal.agreements.documents import MediaType
from talentseal.chain.memory_chain import read_transaction
from tests.api.conftest import Api
from tests.audit.traces import forms
from tests.world import PDF, Member, World


@pytest.fixture
def auditor(world: World) -> Member:
    return world.member("审计机构", role=Role.AUDITOR)


def test_the_log_can_be_rebuilt_from_its_files_alone(
    api: Api, world: World, bank: Member, office: Member, auditor: Member
) -> None:
    api.signed(bank, office)
    world.settle()

    note = api.call(None, "GET", "/log/checkpoint").text
    head = checkpoint.open_checkpoint(note, [world.signer.verifier_key])
    raw = api.call(auditor, "GET", f"/log/tile/entries/000.p/{head.size}").content
    leaves = [merkle.leaf_hash(entry) for entry in tiles.decode_entries(raw, head.size)]
    tile = api.call(None, "GET", f"/log/tile/0/000.p/{head.size}")
    assert merkle.root_of(leaves) == head.root
    assert tile.content == b"".join(leaves)
    assert tile.headers["cache-control"] == "public, max-age=31536000, immutable"


def test_entry_bundles_are_for_auditors(api: Api, world: World, bank: Member, office: Member) -> None:
    api.signed(bank, office)
    world.settle()

    assert api.call(None, "GET", "/log/tile/entries/000.p/1").status_code == 401
    assert api.call(bank, "GET", "/log/tile/entries/000.p/1").status_code == 403


@pytest.mark.parametrize(
    "place", ["0/000.p/255", "0/001", "9/000", "0/0", "0/000.p/0", "0/000.p/256", "x", "0/000/..", "-1/000"]
)
def test_tiles_beyond_the_checkpoint_and_paths_of_another_form_are_not_there(
    api: Api, world: World, place: str
) -> None:
    world.member("合作单位")
    world.settle()

    answer = api.call(None, "GET", f"/log/tile/{place}")

    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


def test_nothing_is_served_before_the_first_checkpoint(api: Api) -> None:
    assert api.call(None, "GET", "/log/checkpoint").status_code == 404
    assert api.call(None, "GET", "/log/tile/0/000.p/1").status_code == 404


def test_the_proof_file_for_other_tools_holds(api: Api, world: World, bank: Member, office: Member) -> None:
    receipt = api.signed(bank, office)
    world.settle()

    path = f"/agreements/{receipt['agreement']}/versions/1"
    proof = tlogproof.parse(api.call(bank, "GET", f"{path}/tlog-proof").text)
    bundle = bundles.load(api.call(bank, "GET", f"{path}/bundle").content)
    head = checkpoint.open_checkpoint(proof.checkpoint, [world.signer.verifier_key])
    leaf = merkle.leaf_hash(bundle.entry.encode())
    merkle.check_inclusion(leaf, proof.index, head.size, proof.path, head.root)


def test_an_auditor_gets_the_proof_without_the_content(
    api: Api, world: World, bank: Member, office: Member, auditor: Member
) -> None:
    receipt = api.signed(bank, office)
    world.settle()

    raw = api.call(auditor, "GET", f"/evidence/{receipt['record']}/bundle").content

    shown = bundles.load(raw)
    assert (shown.disclosures, shown.agreement) == ((), None)
    assert verify(raw, trust=api.trust).exit_code == 3


def test_a_holder_shows_only_the_fields_he_names(
    api: Api, world: World, bank: Member, office: Member
) -> None:
    receipt = api.signed(bank, office)
    world.settle()

    raw = api.call(bank, "GET", f"/evidence/{receipt['record']}/bundle?disclose=version").content

    shown = bundles.load(raw)
    assert len(shown.disclosures) == 1
    assert verify(raw, trust=api.trust).exit_code == 3


def test_a_proof_before_the_seal_is_told_to_wait(api: Api, bank: Member, office: Member) -> None:
    receipt = api.signed(bank, office)

    answer = api.call(bank, "GET", f"/evidence/{receipt['record']}/bundle")

    assert (answer.status_code, answer.json()["code"]) == (409, "not-sealed-yet")


@pytest.mark.scenario(68)
def test_after_erasure_the_holders_copy_verifies_and_the_platform_holds_nothing_personal(
    api: Api, world: World, bank: Member, office: Member
) -> None:
    talent_office = world.member("人才办", role=Role.TALENT_OFFICE)
    receipt = api.signed(bank, office)
    world.settle()
    copy = api.call(bank, "GET", f"/evidence/{receipt['record']}/bundle").content

    erased = api.call(
        talent_office,
        "POST",
        f"/evidence/{receipt['record']}/erasure",
        json={"reason": "DATA_SUBJECT_REQUEST"},
    )

    assert erased.status_code == 200, erased.text
    world.settle()
    report = verify(copy, trust=api.trust, document=PDF)
    assert report.exit_code == 3
    left = dump(world)
    for content in ("人才专属贷款", "ZD-2026-001", "四十八小时", "第三条", PDF.decode()):
        assert content not in left
    assert api.call(bank, "GET", f"/evidence/{receipt['record']}/bundle").status_code == 200


def test_a_partner_erases_nothing(api: Api, bank: Member, office: Member) -> None:
    receipt = api.signed(bank, office)

    answer = api.call(
        bank, "POST", f"/evidence/{receipt['record']}/erasure", json={"reason": "RETENTION_ENDED"}
    )

    assert answer.status_code == 403


TABLES = (
    "evidence_record",
    "evidence_disclosure",
    "agreement_version",
    "stipulation",
    "agreement_document",
    "agreement_party",
    "registry_act",
    "chain_transaction",
    "idempotent_answer",
    "statement_signature",
)


def dump(world: World) -> str:
    """Everything in the tables of agreements and evidence, disclosures decoded."""

    def read(session: Any) -> str:
        parts: list[str] = []
        for table in TABLES:
            for row in session.execute(text(f"SELECT * FROM {table}")).all():
                parts.extend(readable(value) for value in row)
        return "\n".join(parts)

    return world.database.read(read)


def readable(value: object) -> str:
    if isinstance(value, bytes | memoryview):
        return bytes(value).decode("utf-8", "replace")
    written = str(value)
    if not written.startswith(("[", "WyI")):
        return written
    from sealproof import disclosure

    shown = json.loads(written) if written.startswith("[") else [written]
    return "\n".join(json.dumps(disclosure.read(item).value, ensure_ascii=False) for item in shown)


@pytest.mark.scenario(67)
def test_nothing_on_the_chain_or_in_the_log_is_a_name_a_number_or_a_plain_hash_of_one(
    api: Api, world: World, bank: Member, office: Member, auditor: Member
) -> None:
    receipt = api.signed(bank, office)
    world.settle()
    names = organisations(world)
    secrets = [
        *names, "人才专属贷款合作协议", "ZD-2026-001", "第三条", "受理后四十八小时内答复", "书面说明并补办",
    ]  # fmt: skip

    head = checkpoint.open_checkpoint(
        api.call(None, "GET", "/log/checkpoint").text, [world.signer.verifier_key]
    )
    log = api.call(auditor, "GET", f"/log/tile/entries/000.p/{head.size}").content
    chain = b"".join(read_transaction(raw).payload for raw in world.chain.sent)
    assert len(chain) > 1000
    for secret in secrets:
        for form in forms(secret):
            assert form not in log
            assert form not in chain
    assert receipt["record"] in log.decode("utf-8", "replace")


def organisations(world: World) -> list[str]:
    rows = world.database.read(
        lambda session: session.execute(text("SELECT name, credit_code FROM organisation")).all()
    )
    return [str(value) for row in rows for value in row]


@pytest.mark.scenario(94)
def test_no_text_of_the_service_promises_notarisation_or_judicial_effect(api: Api) -> None:
    from talentseal.errors import TalentSealError

    def below(kind: type[TalentSealError]) -> list[type[TalentSealError]]:
        return [kind, *(each for child in kind.__subclasses__() for each in below(child))]

    texts = [sentence for kind in below(TalentSealError) for sentence in (kind.zh, kind.en)]
    described = json.dumps(api.call(None, "GET", "/openapi.json").json(), ensure_ascii=False)

    for written in (*texts, described):
        for word in ("公证", "司法效力", "法律效力", "notaris", "notariz", "legal effect", "court"):
            assert word not in written.lower()


@pytest.mark.scenario(94)
def test_the_chain_type_is_shown_wherever_the_service_says_what_it_is(api: Api) -> None:
    label = api.trust.label

    assert api.call(None, "GET", "/version").json()["chain_type"] == "development"
    assert "仅供演示" in label


def test_each_entry_carries_digests_only(
    api: Api, world: World, bank: Member, office: Member, auditor: Member
) -> None:
    api.signed(bank, office)
    world.settle()
    note = api.call(None, "GET", "/log/checkpoint").text
    size = checkpoint.open_checkpoint(note, [world.signer.verifier_key]).size

    raw = api.call(auditor, "GET", f"/log/tile/entries/000.p/{size}").content

    for entry in tiles.decode_entries(raw, size):
        assert set(json.loads(entry)) <= {
            "v",
            "kind",
            "id",
            "recorded_at",
            "relation",
            "refers_to",
            "_sd_alg",
            "_sd",
        }
        assert decode(entry).digests
    assert MediaType.PDF.value.encode() not in raw


def test_health_readiness_and_metrics(api: Api, world: World, bank: Member, office: Member) -> None:
    api.signed(bank, office)
    world.settle()

    ready = api.call(None, "GET", "/readyz")
    figures = api.call(None, "GET", "/metrics").text
    assert api.call(None, "GET", "/healthz").json() == {"status": "ok"}
    assert (ready.status_code, ready.json()["ready"]) == (200, True)
    assert "talentseal_pending_records 0.0" in figures
    assert 'talentseal_chain_state{state="OK"} 1.0' in figures
    assert 'talentseal_registry_acts{state="FINAL"} 3.0' in figures


def test_a_sealer_that_is_behind_makes_the_service_unready_and_a_missing_chain_does_not(
    api: Api, world: World, bank: Member, office: Member
) -> None:
    world.settle()
    world.chain.is_down = True
    ready = api.call(None, "GET", "/readyz").status_code
    api.signed(bank, office)
    world.clock.advance(seconds=31)

    late = api.call(None, "GET", "/readyz")

    assert ready == 200
    assert (late.status_code, late.json()["ready"]) == (503, False)
