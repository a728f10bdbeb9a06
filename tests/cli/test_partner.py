"""The partner's commands: what is signed is recomputed here, and the key stays here."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from sealproof.verify import verify
from talentseal.web.typesetting import attached
from tests.cli.conftest import PASSPHRASE, Listening, Office, Shell, private
from tests.world import PDF, Member


@pytest.fixture
def bank(listening: Listening) -> Office:
    return listening.office(listening.api.world.member("郑东银行"))


@pytest.fixture
def office(listening: Listening) -> Office:
    return listening.office(listening.api.world.member("人才集团"))


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "合作协议.pdf"
    path.write_bytes(PDF)
    return path


def submitted(shell: Shell, listening: Listening, bank: Office, office: Office, document: Path) -> str:
    terms = listening.terms(bank.member, office.member)
    ended = shell("submit", terms, "--document", document, *bank.access, "--json")
    assert ended.code == 0, ended.err
    return str(ended.answer["agreement"])


def test_submit_sign_status_and_fetch(
    shell: Shell, listening: Listening, bank: Office, office: Office, *, document: Path, tmp_path: Path
) -> None:
    agreement = submitted(shell, listening, bank, office, document)
    for desk in (bank, office):
        ended = shell("sign", agreement, "--document", document, *desk.signing, "--yes")
        assert (ended.code, ended.err) == (0, "")
    listening.api.world.settle()

    shown = shell("status", agreement, *bank.access)
    fetched = shell("fetch", agreement, "--out", tmp_path / "out", *office.access, "--json")

    assert "EVIDENCED" in shown.out
    bundle, proof, kept, certificate = (Path(name) for name in fetched.answer["files"])
    trust = listening.api.trust
    assert verify(bundle.read_bytes(), trust=trust, document=PDF).exit_code == 3
    assert (bundle.name[-10:], proof.suffix, kept.read_bytes()) == (".seal.json", ".tlog-proof", PDF)
    assert attached(certificate.read_bytes()) == [bundle.read_bytes()]


def test_a_character_that_no_certificate_can_show_does_not_hold_up_the_proof(
    shell: Shell, listening: Listening, bank: Office, *, document: Path, tmp_path: Path
) -> None:
    rare = listening.office(listening.api.world.member("𠮷野书店"))
    agreement = submitted(shell, listening, bank, rare, document)
    for desk in (bank, rare):
        shell("sign", agreement, "--document", document, *desk.signing, "--yes")
    listening.api.world.settle()

    fetched = shell("fetch", agreement, "--out", tmp_path / "out", *rare.access, "--json")

    assert fetched.code == 0
    assert "U+20BB7" in fetched.err
    assert sorted(path.suffix for path in (tmp_path / "out").iterdir()) == [".json", ".pdf", ".tlog-proof"]


def to_sign(listening: Listening, bank: Office, agreement: str, folder: Path) -> Path:
    """The file that the page of signing offers."""
    version = listening.api.call(bank.member, "GET", f"/agreements/{agreement}/versions/1")
    path = folder / "agreement.json"
    path.write_text(version.text, "utf-8")
    return path


def test_a_signature_is_made_offline_and_taken_by_the_service(
    shell: Shell, listening: Listening, bank: Office, office: Office, *, document: Path, tmp_path: Path
) -> None:
    agreement = submitted(shell, listening, bank, office, document)
    file, out = to_sign(listening, bank, agreement, tmp_path), tmp_path / "signature.json"

    ended = shell("sign-file", file, "--document", document, *office.offline, "--yes", "--out", out)

    assert (ended.code, ended.err) == (0, "")
    written = json.loads(out.read_text("utf-8"))
    path = f"/agreements/{agreement}/versions/1/signatures"
    taken = listening.api.call(office.member, "POST", path, json={"signature": written["signature"]})
    assert taken.status_code == 200
    assert written["signer"] == office.member.address


def test_offline_another_document_is_not_signed_either(
    shell: Shell, listening: Listening, bank: Office, office: Office, *, document: Path, tmp_path: Path
) -> None:
    agreement = submitted(shell, listening, bank, office, document)
    file, out = to_sign(listening, bank, agreement, tmp_path), tmp_path / "signature.json"
    document.write_bytes(PDF.replace(b"1.7", b"1.6"))

    ended = shell("sign-file", file, "--document", document, *office.offline, "--yes", "--out", out)

    assert (ended.code, out.exists()) == (1, False)
    assert "SHA-256" in ended.err


def test_with_hash_only_the_document_does_not_leave(
    shell: Shell, listening: Listening, bank: Office, office: Office, document: Path
) -> None:
    terms = listening.terms(bank.member, office.member)

    ended = shell("submit", terms, "--document", document, "--hash-only", *bank.access, "--json")

    assert ended.code == 0
    kept = listening.api.world.database.read(
        lambda session: session.scalar(text("SELECT ciphertext FROM agreement_document"))
    )
    assert kept is None


def test_another_document_is_not_signed_and_the_difference_is_named(
    shell: Shell, listening: Listening, bank: Office, office: Office, *, document: Path, tmp_path: Path
) -> None:
    agreement = submitted(shell, listening, bank, office, document)
    other = tmp_path / "other.pdf"
    other.write_bytes(PDF.replace(b"1.7", b"1.6"))

    ended = shell("sign", agreement, "--document", other, *office.signing, "--yes")

    assert ended.code == 1
    assert "SHA-256" in ended.err
    assert ended.err.count("\n") == 1


@pytest.mark.parametrize(
    ("column", "old", "new"),
    [
        ("terms", "agreement-terms", "agreement-term"),
        ("statement", '"stipulation_count": 2', '"stipulation_count": 3'),
        ("statement", '"nonce": 0', '"nonce": 1'),
    ],
)
def test_what_the_service_alters_is_not_signed(
    shell: Shell,
    listening: Listening,
    bank: Office,
    office: Office,
    *,
    document: Path,
    column: str,
    old: str,
    new: str,
) -> None:
    agreement = submitted(shell, listening, bank, office, document)
    listening.api.world.database.write(
        lambda session: session.execute(
            text(f"UPDATE agreement_version SET {column} = replace({column}, :old, :new)"),
            {"old": old, "new": new},
        )
    )

    ended = shell("sign", agreement, "--document", document, *office.signing, "--yes")

    assert ended.code == 1
    assert "不予签署" in ended.err


def test_terms_other_than_agreed_are_not_signed(
    shell: Shell, listening: Listening, bank: Office, office: Office, *, document: Path, tmp_path: Path
) -> None:
    agreement = submitted(shell, listening, bank, office, document)
    terms = json.loads(listening.terms(bank.member, office.member).read_text())
    terms["stipulations"][0]["threshold"] = "24 h"
    agreed = tmp_path / "agreed.json"
    agreed.write_text(json.dumps(terms))

    ended = shell("sign", agreement, "--document", document, "--terms", agreed, *office.signing, "--yes")
    same = listening.terms(bank.member, office.member)
    signed = shell("sign", agreement, "--document", document, "--terms", same, *office.signing, "--yes")

    assert (ended.code, signed.code) == (1, 0)
    assert "stipulations" in ended.err


def test_a_key_of_no_party_is_refused_before_it_is_opened(
    shell: Shell, listening: Listening, bank: Office, office: Office, *, document: Path, tmp_path: Path
) -> None:
    agreement = submitted(shell, listening, bank, office, document)
    shell("keys", "new", tmp_path / "other.json", "--passphrase-file", bank.folder / "passphrase")

    ended = shell(
        "sign", agreement, "--document", document, "--keystore", tmp_path / "other.json",
        *office.access, "--yes",
    )  # fmt: skip

    assert ended.code == 1
    assert "signer" in ended.err


def test_an_unanswered_question_signs_nothing(
    shell: Shell, listening: Listening, bank: Office, office: Office, document: Path
) -> None:
    agreement = submitted(shell, listening, bank, office, document)

    ended = shell("sign", agreement, "--document", document, *office.signing)

    assert ended.code == 1
    shown = shell("status", agreement, *bank.access, "--json")
    assert [party["signed"] for party in shown.answer["parties"]] == [False, False]


def test_keys_new_writes_a_private_keystore_and_never_replaces_one(shell: Shell, tmp_path: Path) -> None:
    keystore, passphrase = tmp_path / "key.json", private(tmp_path / "passphrase", PASSPHRASE)

    made = shell("keys", "new", keystore, "--passphrase-file", passphrase, "--json")
    again = shell("keys", "new", keystore, "--passphrase-file", passphrase)
    shown = shell("keys", "show", keystore)

    assert made.answer["address"] == shown.out.strip()
    assert keystore.stat().st_mode & 0o777 == 0o600
    assert json.loads(keystore.read_text())["version"] == 3
    assert again.code == 1
    assert PASSPHRASE not in made.out + made.err


def test_registering_a_key_proves_possession(shell: Shell, listening: Listening, tmp_path: Path) -> None:
    desk = listening.office(listening.api.world.member("新合作单位"))
    keystore = tmp_path / "second.json"
    shell("keys", "new", keystore, "--passphrase-file", desk.folder / "passphrase")

    ended = shell(
        "keys", "register", "--keystore", keystore, "--passphrase-file", desk.folder / "passphrase",
        *desk.access, "--json",
    )  # fmt: skip

    assert (ended.code, ended.answer["state"]) == (0, "PROVEN")


def test_returning_and_terminating(
    shell: Shell, listening: Listening, bank: Office, office: Office, document: Path
) -> None:
    agreement = submitted(shell, listening, bank, office, document)
    returned = shell("return", agreement, "--reason", "金额有误", *office.access, "--json")
    again = submitted(shell, listening, bank, office, document)
    for desk in (bank, office):
        shell("sign", again, "--document", document, *desk.signing, "--yes")
    listening.api.world.settle()

    proposed = shell(
        "terminate", again, "--reason", "协商一致", "--notice", "书面",
        "--effective-at", "2027-05-01T00:00:00+0800", *bank.access,
    )  # fmt: skip
    signed = [
        shell("sign", again, "--document", document, "--termination", *desk.signing, "--yes").code
        for desk in (bank, office)
    ]

    assert returned.answer["state"] == "RETURNED"
    assert (proposed.code, signed) == (0, [0, 0])


def refusals(listening: Listening, bank: Office, document: Path) -> list[tuple[list[Any], int]]:
    missing, unreachable = "0x" + "11" * 32, ["--url", "http://127.0.0.1:9", *bank.access[2:]]
    loose = listening.folder / "loose.key"
    loose.write_text("ts_x")
    loose.chmod(0o644)
    listening.folder.joinpath("bad.json").write_text("[1]")
    return [
        (["status", missing, *bank.access], 1),
        (["status", missing, *unreachable], 3),
        (["status", missing, "--url", listening.url, "--api-key-file", loose], 1),
        (["status", missing, "--url", listening.url, "--api-key-file", "absent"], 1),
        (["status"], 2),
        (["submit", "absent.json", "--document", document, *bank.access], 1),
        (["submit", listening.folder / "bad.json", "--document", document, *bank.access], 2),
        (["submit", _one_party(listening.folder, bank.member), "--document", document, *bank.access], 2),
        (["keys", "show", document], 1),
        (["nonsense"], 2),
    ]


def test_every_failure_is_one_line_and_its_exit_code(
    shell: Shell, listening: Listening, bank: Office, document: Path
) -> None:
    for arguments, code in refusals(listening, bank, document):
        ended = shell(*arguments)
        assert ended.code == code, (arguments, ended)
        assert "Traceback" not in ended.err
        if code != 2:
            assert ended.err.strip().count("\n") == 0


def _one_party(folder: Path, member: Member) -> Path:
    path = folder / "one.json"
    path.write_text(json.dumps({"number": "1", "parties": [{"organisation": member.id, "role": "甲方"}]}))
    return path


def test_the_sentence_follows_lang(shell: Shell, bank: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    words = []
    for language in ("zh_CN.UTF-8", "en_GB.UTF-8", ""):
        monkeypatch.setenv("LANG", language)
        words.append(shell("status", "0x" + "11" * 32, *bank.access).err)

    assert "没有找到" in words[0]
    assert "does not exist" in words[1]
    assert words[2] == words[0]
