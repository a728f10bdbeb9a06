"""Senders: what they sign, what they refuse, and that their keys stay where they are."""

import json
import traceback
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account

from chainkit.anvil_accounts import DEMO_ACCOUNTS, DEMO_ADDRESSES
from talentseal.chain.contract import registry_abi
from talentseal.chain.keys import (
    KeystoreRefused,
    LocalSender,
    PublicKeyRefused,
    SigningPolicy,
    create_keystore,
    load_sender,
)
from talentseal.chain.memory_chain import read_transaction
from talentseal.chain.port import Fees, SigningRefused
from talentseal.chain.public_keys import PUBLIC_ADDRESSES

KEY = bytes.fromhex("5a" * 32)
CONTRACT = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
ANCHOR = registry_abi().selector("anchor")
POLICY = SigningPolicy(31337, CONTRACT, frozenset({ANCHOR}))
ALLOWED: dict[str, Any] = {
    "chain_id": 31337,
    "to": CONTRACT,
    "payload": ANCHOR + bytes(64),
    "nonce": 4,
    "gas": 90_000,
    "fees": Fees(10**9, 10**8),
}


def test_a_signed_call_reads_back_as_what_was_asked() -> None:
    sender = LocalSender.of_key(KEY, POLICY)

    met = read_transaction(sender.sign(**ALLOWED).raw)

    assert (met.sender, met.nonce, met.to, met.payload) == (sender.address, 4, CONTRACT, ALLOWED["payload"])
    assert (met.chain_id, met.max_fee_wei, met.priority_fee_wei) == (31337, 10**9, 10**8)


def test_signing_twice_gives_the_same_bytes() -> None:
    sender = LocalSender.of_key(KEY, POLICY)

    assert sender.sign(**ALLOWED) == sender.sign(**ALLOWED)


@pytest.mark.parametrize(
    ("changed", "value"),
    [
        ("chain_id", 1),
        ("to", "0x0000000000000000000000000000000000000001"),
        ("payload", registry_abi().selector("setKey") + bytes(64)),
        ("payload", b""),
        ("gas", 0),
        ("gas", 50_000_000),
        ("fees", Fees(10**15, 1)),
    ],
)
def test_what_is_not_of_the_lane_is_never_signed(changed: str, value: Any) -> None:
    with pytest.raises(SigningRefused, match="nothing was signed"):
        LocalSender.of_key(KEY, POLICY).sign(**(ALLOWED | {changed: value}))


def test_the_public_addresses_are_those_of_the_toolchain() -> None:
    assert PUBLIC_ADDRESSES == DEMO_ADDRESSES


@pytest.mark.parametrize("account", DEMO_ACCOUNTS, ids=lambda account: account.address)
def test_a_key_that_everybody_knows_is_for_demonstrations_only(account: Any) -> None:
    key = bytes.fromhex(account.key[2:])

    with pytest.raises(PublicKeyRefused, match=account.address):
        LocalSender.of_key(key, POLICY)
    assert LocalSender.of_key(key, POLICY, demonstration=True).address == account.address


def test_a_keystore_opens_with_its_passphrase_only(tmp_path: Path) -> None:
    keystore, right, wrong = tmp_path / "key.json", tmp_path / "right", tmp_path / "wrong"
    for file, text in ((right, "correct horse\n"), (wrong, "battery staple\n")):
        file.write_text(text)
        file.chmod(0o600)
    address = create_keystore(keystore, "correct horse", KEY)

    assert load_sender(keystore, right, POLICY).address == address == str(Account.from_key(KEY).address)
    with pytest.raises(KeystoreRefused, match="passphrase is wrong"):
        load_sender(keystore, wrong, POLICY)


def test_a_keystore_that_others_may_read_is_refused(tmp_path: Path) -> None:
    keystore, passphrase = tmp_path / "key.json", tmp_path / "passphrase"
    keystore.write_text("{}")
    passphrase.write_text("x")
    passphrase.chmod(0o644)

    with pytest.raises(KeystoreRefused, match="chmod 600"):
        load_sender(keystore, passphrase, POLICY)


@pytest.mark.parametrize(
    "content", ["", "{}", "[]", "null", '{"version": 3}', '{"version": 4, "crypto": {}}', "\x00"]
)
def test_a_malformed_keystore_is_refused(tmp_path: Path, content: str) -> None:
    keystore, passphrase = tmp_path / "key.json", tmp_path / "passphrase"
    for file, text in ((keystore, content), (passphrase, "x")):
        file.write_text(text)
        file.chmod(0o600)

    with pytest.raises(KeystoreRefused):
        load_sender(keystore, passphrase, POLICY)


def test_a_missing_file_is_refused_and_a_key_is_never_replaced(tmp_path: Path) -> None:
    with pytest.raises(KeystoreRefused, match="FileNotFoundError"):
        load_sender(tmp_path / "none", tmp_path / "none", POLICY)
    existing = tmp_path / "key.json"
    existing.write_text("mine")
    with pytest.raises(FileExistsError):
        create_keystore(existing, "x", KEY)
    assert existing.read_text() == "mine"


def test_a_new_keystore_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    create_keystore(tmp_path / "keys" / "key.json", "x", KEY)

    assert (tmp_path / "keys" / "key.json").stat().st_mode & 0o777 == 0o600
    assert KEY.hex() not in (tmp_path / "keys" / "key.json").read_text()


def test_no_text_form_shows_a_key_or_a_passphrase(tmp_path: Path) -> None:
    sender = LocalSender.of_key(KEY, POLICY)
    shown = [repr(sender), str(sender), f"{sender}"]
    keystore, passphrase = tmp_path / "key.json", tmp_path / "passphrase"
    for file, text in ((keystore, json.dumps({"secret": KEY.hex()})), (passphrase, "correct horse")):
        file.write_text(text)
        file.chmod(0o600)
    try:
        load_sender(keystore, passphrase, POLICY)
    except KeystoreRefused as refusal:
        shown += traceback.format_exception(refusal, chain=True)

    assert not any(KEY.hex() in text or "correct horse" in text for text in shown)
