"""The operator's commands, at the server's own console, on both databases."""

import gc
import json
import subprocess
import sys
from pathlib import Path

import pytest
import uvicorn

from sealproof import trust as trust_file
from talentseal.accounts import invitations
from talentseal.accounts.api_keys import Authenticator
from talentseal.accounts.credit_code import check_character
from talentseal.accounts.second_factor import SecretBox
from talentseal.anchoring import epochs
from talentseal.chain.memory_chain import MemoryChain
from talentseal.clock import SystemClock
from talentseal.commands import running
from talentseal.db import Database
from talentseal.evidence.signing import read_secret
from tests.cli.conftest import Shell, private
from tests.world import SetClock

ANVIL_KEY = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
"""Anvil's first account, known to everybody."""

BODY = "91410100MC1234567"
CODE = BODY + check_character(BODY)


@pytest.fixture
def console(database_url: str, shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.setenv("TALENTSEAL_DATABASE_URL", database_url)
    monkeypatch.setenv("TALENTSEAL_DATA_DIR", str(tmp_path / "data"))
    return shell


def add_organisation(console: Shell) -> str:
    ended = console(
        "organisations", "add", "--name", "郑东银行", "--credit-code", CODE, "--kind", "FINANCIAL", "--json"
    )
    assert ended.code == 0, ended.err
    return str(ended.answer["id"])


def open_epoch(url: str) -> MemoryChain:
    """The first epoch, as `chain open-epoch` would open it."""
    database, chain = Database(url), MemoryChain(SetClock(), {})
    epochs.open_epoch(database, chain, chain.identity(), 1, "test", now=SetClock().now())
    database.close()
    return chain


def test_from_nothing_to_an_account_whose_key_opens_the_service(
    console: Shell, database_url: str, tmp_path: Path
) -> None:
    assert console("init").code == 0
    organisation = add_organisation(console)
    file = tmp_path / "partner.key"

    ended = console(
        "accounts", "add", "--organisation", organisation, "--role", "partner", "--name", "经办",
        "--api-key-file", file, "--json",
    )  # fmt: skip

    database = Database(database_url)
    actor = Authenticator(database, SystemClock().now).authenticate(f"Bearer {file.read_text().strip()}", "")
    database.close()
    assert actor.account_id == ended.answer["account"]
    assert file.stat().st_mode & 0o777 == 0o600
    assert "ts_" not in ended.out.replace(str(file), "")
    assert [each["name"] for each in console("organisations", "list", "--json").answer] == ["郑东银行"]


def test_what_stays_for_good_is_kept_from_the_garbage_collector_before_anybody_is_served(
    console: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert console("init").code == 0
    kept: list[int] = []
    monkeypatch.setattr(running, "set_up_logs", lambda _settings: None)
    monkeypatch.setattr(uvicorn, "run", lambda *_, **__: kept.append(gc.get_freeze_count()))

    try:
        ended = console("serve")
    finally:
        gc.unfreeze()

    assert ended.code == 0
    assert kept[0] > 100_000


def test_init_keeps_what_is_there(console: Shell, tmp_path: Path) -> None:
    first = console("init", "--json").answer["created"]
    kept = (tmp_path / "data/keys/log.key").read_text()

    again = console("init", "--json").answer["created"]

    assert (len(first), again) == (6, [])
    assert (tmp_path / "data/keys/log.key").read_text() == kept
    assert (tmp_path / "data/keys/log.key").stat().st_mode & 0o777 == 0o600


def test_keys_and_accounts_end_at_the_console(console: Shell) -> None:
    console("init")
    organisation = add_organisation(console)
    made = console(
        "accounts", "add", "--organisation", organisation, "--role", "partner", "--name", "经办", "--json"
    ).answer

    further = console("accounts", "key", made["account"], "--scope", "agreement:read", "--json").answer
    beyond = console("accounts", "key", made["account"], "--scope", "signing-key:decide")

    assert further["api_key"].startswith("ts_")
    assert beyond.code == 1
    assert console("accounts", "revoke-key", made["api_key_id"]).code == 0
    assert console("accounts", "disable", made["account"]).code == 0
    assert console("accounts", "revoke-key", "f" * 16).code == 1


def test_a_bureau_is_entered_with_its_code(console: Shell) -> None:
    console("init")

    ended = console(
        "organisations", "add", "--name", "虚构科技局", "--credit-code", CODE, "--kind", "GOVERNMENT",
        "--bureau-code", "SCI_TECH", "--json",
    )  # fmt: skip

    assert ended.answer["bureau_code"] == "SCI_TECH"
    assert "虚构科技局 (SCI_TECH)" in console("organisations", "list").out


def test_bad_input_is_one_line_with_its_exit_code(console: Shell) -> None:
    console("init")
    a_bank = ["organisations", "add", "--name", "x", "--credit-code", CODE, "--kind", "FINANCIAL"]
    cases = (
        (["organisations", "add", "--name", "x", "--credit-code", "1" * 18, "--kind", "FINANCIAL"], 2),
        (["organisations", "add", "--name", "x", "--credit-code", CODE, "--kind", "BANK"], 2),
        ([*a_bank, "--bureau-code", "SCI_TECH"], 2),
        ([*a_bank[:-1], "GOVERNMENT", "--bureau-code", "science"], 2),
        (["accounts", "add", "--organisation", "0x" + "1" * 64, "--role", "partner", "--name", "x"], 1),
        (["keys", "approve", "0x" + "1" * 64, "0x" + "1" * 40], 1),
        (["chain", "open-epoch"], 1),
        (["chain", "resume", "ANCHOR"], 3),
    )
    for arguments, code in cases:
        ended = console(*arguments)
        assert ended.code == code, (arguments, ended)
        assert "Traceback" not in ended.err


def test_the_chain_before_its_first_epoch(console: Shell) -> None:
    console("init")

    met = console("chain", "status", "--json").answer

    assert met["epoch"] is None
    assert met["conditions"]["CHAIN"]["condition"] == "OK"


def test_the_trust_file_names_the_log_and_the_chain_of_the_epoch_asked_for(
    console: Shell, database_url: str
) -> None:
    console("init")
    assert trust_file.load(console("log", "trust").out.encode()).chain is None
    chain = open_epoch(database_url)

    newest, first, unknown = (
        console("log", "trust", *epoch) for epoch in ((), ("--epoch", 1), ("--epoch", 2))
    )

    met = trust_file.load(newest.out.encode()).chain
    assert met is not None
    assert met.contract == chain.contract
    assert first.out == newest.out
    assert (unknown.code, unknown.out) == (1, "")
    assert "第 2 纪元" in unknown.err


def test_doctor_says_in_plain_words_what_is_missing(console: Shell) -> None:
    console("init")

    ended = console("doctor", "--json")

    found = {each["name"]: each["well"] for each in ended.answer}
    assert ended.code == 1
    assert (found["keys"], found["database"], found["chain"]) == (True, True, False)


def test_a_setting_that_is_wrong_is_named(console: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALENTSEAL_PORT", "many")

    ended = console("db", "upgrade")

    assert ended.code == 2
    assert "port" in ended.err


@pytest.mark.scenario(95)
@pytest.mark.parametrize("command", ["serve", "worker"])
def test_the_service_refuses_to_start_with_a_key_that_everybody_knows(
    shell: Shell, sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    from eth_account import Account

    monkeypatch.setenv("TALENTSEAL_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("TALENTSEAL_DATA_DIR", str(tmp_path / "data"))
    open_epoch(sqlite_url)
    keystore = private(
        tmp_path / "key.json",
        json.dumps(Account.encrypt(bytes.fromhex(ANVIL_KEY), "x", kdf="pbkdf2", iterations=2)),
    )
    for lane in ("ANCHOR", "REGISTRAR", "ARBITER"):
        monkeypatch.setenv(f"TALENTSEAL_{lane}_KEYSTORE_FILE", str(keystore))
        monkeypatch.setenv(f"TALENTSEAL_{lane}_PASSPHRASE_FILE", str(private(tmp_path / "pass", "x")))
    shell("init")

    ended = shell(command)

    assert ended.code == 1
    assert "公开的测试密钥" in ended.err


def test_starting_up_does_not_load_web3() -> None:
    code = "import sys; from talentseal.cli import build; build(); print('web3' in sys.modules)"

    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert answer.stdout.strip() == "False"


@pytest.mark.parametrize(
    "arguments",
    [[], ["keys"], ["accounts"], ["chain"], ["db"], ["master-keys"], ["organisations"], ["sign"], ["serve"]],
    ids=lambda each: each[0] if each else "all",
)
def test_every_command_explains_itself(shell: Shell, arguments: list[str]) -> None:
    ended = shell(*arguments, "--help")

    assert ended.code == 0
    assert "Usage" in ended.out


def partner(console: Shell) -> str:
    console("init")
    organisation = add_organisation(console)
    made = console(
        "accounts", "add", "--organisation", organisation, "--role", "partner", "--name", "虚构经办", "--json"
    )
    return str(made.answer["account"])


def test_an_invitation_is_printed_once_and_kept_as_a_digest(
    console: Shell, database_url: str, tmp_path: Path
) -> None:
    account = partner(console)

    ended = console("accounts", "invite", account, "--name", "Lin", "--json")

    code, box = ended.answer["code"], SecretBox(read_secret(tmp_path / "data/keys/sign-in.key", length=32))
    database, now = Database(database_url), SystemClock().now()
    met = database.read(lambda session: invitations.invited(session, code, box, now=now))
    database.close()
    assert ended.code == 0, ended.err
    assert (met.account_id, met.sign_in_name) == (account, "lin")
    assert ended.answer["page"].endswith("/invitation")
    assert "邀请码" in console("accounts", "invite", account, "--name", "lin").out


@pytest.mark.parametrize(
    ("name", "code"), [("a", 2), ("with blank", 2), ("<b>", 2), ("x" * 65, 2), ("taken", 1)]
)
def test_a_sign_in_name_that_will_not_do_is_refused(console: Shell, name: str, code: int) -> None:
    account = partner(console)
    other = console(
        "accounts", "add", "--organisation", console("organisations", "list", "--json").answer[0]["id"],
        "--role", "partner", "--name", "虚构同事", "--json",
    ).answer["account"]  # fmt: skip
    assert console("accounts", "invite", other, "--name", "taken").code == 0

    ended = console("accounts", "invite", account, "--name", name)

    assert ended.code == code
    assert len(ended.err.strip().splitlines()) == 1


def test_an_invitation_of_nobody_and_of_the_disabled_is_refused(console: Shell) -> None:
    account = partner(console)
    console("accounts", "disable", account)

    assert console("accounts", "invite", "f" * 32, "--name", "lin").code == 1
    assert console("accounts", "invite", account, "--name", "lin").code == 1


def test_a_sign_in_key_is_set_and_ended_at_the_console(console: Shell) -> None:
    account = partner(console)

    ended = console("accounts", "sign-in-key", account, "0x" + "1" * 40, "--json")

    assert ended.answer == {"account": account, "address": "0x" + "1" * 40}
    assert console("accounts", "sign-in-key", account, "0x12").code == 2
    assert console("accounts", "sign-in-key", "f" * 32, "0x" + "2" * 40).code == 1
    assert console("accounts", "sign-in-key", account, "--json").answer["address"] is None
