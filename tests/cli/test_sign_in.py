"""`talentseal keys sign-in`: a signature for the sign-in page, made where the keystore is."""

import json
from pathlib import Path
from typing import Any

import pytest

from talentseal.accounts import own
from tests.cli.conftest import Listening, Office, Shell

ORIGIN = "http://127.0.0.1:8640"
"""The public address of the service under test, as its settings say."""


@pytest.fixture
def bank(listening: Listening) -> Office:
    return listening.office(listening.api.world.member("虚构银行"))


def asked(listening: Listening, office: Office, folder: Path) -> Path:
    """The challenge as the page lets it be downloaded."""
    http = listening.api.http
    answer = http.post("/sign-in/key/challenge", json={"address": office.member.address})
    file = folder / "sign-in.json"
    file.write_text(json.dumps(answer.json(), indent=1), "utf-8")
    return file


def keys(office: Office) -> list[object]:
    return ["--keystore", office.folder / "key.json", "--passphrase-file", office.folder / "passphrase"]


def test_the_pasted_signature_signs_the_account_in(
    shell: Shell, listening: Listening, bank: Office, tmp_path: Path
) -> None:
    member = bank.member
    listening.api.world.database.write(
        lambda session: own.assign_signing_address(session, member.actor.account_id, member.address)
    )
    file = asked(listening, bank, tmp_path)

    ended = shell("keys", "sign-in", file, *keys(bank), "--url", ORIGIN)

    assert (ended.code, ended.err) == (0, "")
    body = {"address": member.address, "signature": ended.out.strip()}
    assert listening.api.http.post("/sign-in/key", json=body).json() == {
        "location": "/agreements?notice=signed-in"
    }


def test_a_challenge_of_another_site_is_not_signed(
    shell: Shell, listening: Listening, bank: Office, tmp_path: Path
) -> None:
    file = asked(listening, bank, tmp_path)

    ended = shell("keys", "sign-in", file, *keys(bank), "--url", "https://seal.example")

    assert (ended.code, ended.out) == (1, "")
    assert ORIGIN in ended.err


def test_a_challenge_for_another_key_is_not_signed(
    shell: Shell, listening: Listening, bank: Office, tmp_path: Path
) -> None:
    other = listening.office(listening.api.world.member("虚构书店"))

    ended = shell("keys", "sign-in", asked(listening, other, tmp_path), *keys(bank), "--url", ORIGIN)

    assert (ended.code, ended.out) == (1, "")


@pytest.mark.parametrize("content", ["", "{}", "[]", "not JSON", '{"primaryType": "Agreement"}'])
def test_anything_but_a_challenge_is_not_signed(
    shell: Shell, bank: Office, tmp_path: Path, content: str
) -> None:
    file = tmp_path / "sign-in.json"
    file.write_text(content, "utf-8")

    ended = shell("keys", "sign-in", file, *keys(bank), "--url", ORIGIN)

    assert (ended.code, ended.out) == (1, "")
    assert len(ended.err.strip().splitlines()) == 1


def test_an_agreement_dressed_as_a_challenge_is_not_signed(
    shell: Shell, listening: Listening, bank: Office, tmp_path: Path
) -> None:
    file = asked(listening, bank, tmp_path)
    dressed: Any = json.loads(file.read_text("utf-8"))
    dressed["domain"]["verifyingContract"] = bank.member.address
    file.write_text(json.dumps(dressed), "utf-8")

    assert shell("keys", "sign-in", file, *keys(bank), "--url", ORIGIN).code == 1
