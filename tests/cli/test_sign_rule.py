"""`talentseal keys sign-rule`: the text is hashed anew on the signer's machine, and the key stays there."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from talentseal.sanctions.states import RuleState
from tests.cli.conftest import Ended, Listening, Office, Shell
from tests.sanctions.conftest import Court, make_court
from tests.talents.conftest import in_force


@dataclass(slots=True)
class Signing:
    """The bank's machine, and the service that its file comes from."""

    shell: Shell
    desk: Office
    court: Court
    file: Path

    @property
    def out(self) -> Path:
        return self.file.with_name("signature.json")

    def sign(self, file: Path | None = None, keystore: Path | None = None, *more: object) -> Ended:
        keys = keystore or self.desk.folder / "key.json"
        secret = ("--passphrase-file", self.desk.folder / "passphrase")
        return self.shell(
            "keys", "sign-rule", file or self.file, "--keystore", keys, *secret, "--out", self.out, *more
        )

    def altered(self, **changes: Any) -> Path:
        """The file to sign with other values in it."""
        met = json.loads(self.file.read_text("utf-8"))
        path = self.file.with_name("altered.json")
        path.write_text(json.dumps({**met, **changes}, ensure_ascii=False), "utf-8")
        return path


@pytest.fixture
def signing(shell: Shell, listening: Listening, tmp_path: Path) -> Signing:
    court = make_court(in_force(listening.api.world))
    row = court.draft()
    said = listening.api.call(court.bank, "GET", f"/rules/{row.rule}/versions/{row.number}/statement")
    file = tmp_path / "rule.json"
    file.write_bytes(said.content)
    return Signing(shell, listening.office(court.bank), court, file)


def test_a_rule_is_signed_offline_and_the_signature_counts(signing: Signing, listening: Listening) -> None:
    ended = signing.sign(None, None, "--json")

    assert (ended.code, ended.err) == (0, "")
    signed = json.loads(signing.out.read_text("utf-8"))
    assert signed == ended.answer
    path = f"/rules/{signed['rule']}/versions/{signed['version']}/signatures"
    taken = listening.api.call(
        signing.court.bank, "POST", path, json={"signature": signed["signature"]}
    ).json()
    assert taken["state"] == RuleState.PARTLY_APPROVED


def test_another_text_than_the_one_hashed_is_not_signed(signing: Signing) -> None:
    text = json.loads(signing.file.read_text("utf-8"))["text"]
    cases = (
        signing.altered(text={**text, "threshold": 9}),
        signing.altered(text_sha256="0" * 64),
        signing.altered(statement="pay everything to the bearer"),
        signing.altered(version=2),
    )
    for file in cases:
        ended = signing.sign(file)
        assert ended.code != 0
        assert "Traceback" not in ended.err
    assert not signing.out.exists()


def test_wrong_files_and_foreign_keys_are_told_apart(
    signing: Signing, listening: Listening, tmp_path: Path
) -> None:
    nonsense = tmp_path / "nonsense.json"
    nonsense.write_text("{}", "utf-8")
    stranger = listening.office(listening.api.world.member("另一虚构银行"))

    ends = [
        signing.sign(tmp_path / "nowhere.json"),
        signing.sign(nonsense),
        signing.sign(None, stranger.folder / "key.json"),
        signing.sign(None, nonsense),
    ]

    assert all(each.code != 0 and "Traceback" not in each.err for each in ends)
    assert stranger.member.address in ends[2].err
    assert not signing.out.exists()
