"""`talentseal master-keys`: versions are added for a day to come and taken away, and no secret is printed."""

from pathlib import Path

import pytest

from talentseal.credentials.master_keys import MasterKeys
from tests.cli.conftest import Shell


@pytest.fixture
def file(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TALENTSEAL_DATA_DIR", str(tmp_path))
    shell("init")
    return tmp_path / "keys" / "credentials.keys"


def test_a_version_is_added_listed_and_removed(shell: Shell, file: Path) -> None:
    added = shell("master-keys", "add", "--from", "2999-01-01", "--json").answer
    listed = shell("master-keys", "list")

    secrets = [key.secret.hex() for key in MasterKeys.load(file).versions]
    assert added == {"version": 2, "first_day": "2999-01-01"}
    assert "第 2 版，自 2999-01-01 起" in listed.out
    assert not any(secret in listed.out for secret in secrets)
    assert shell("master-keys", "remove", "1", "--json").answer == {"removed": 1}
    assert [key.version for key in MasterKeys.load(file).versions] == [2]


def test_without_a_day_a_version_begins_tomorrow(shell: Shell, file: Path) -> None:
    shell("master-keys", "add")

    first, second = MasterKeys.load(file).versions
    assert 1 <= (second.first_day - first.first_day).days <= 2


@pytest.mark.parametrize("arguments", [("add", "--from", "2001-01-01"), ("remove", "1"), ("remove", "7")])
def test_what_cannot_be_done_is_said(shell: Shell, file: Path, arguments: tuple[str, ...]) -> None:
    ended = shell("master-keys", *arguments)

    assert ended.code == 1
    assert "主密钥" in ended.err
    assert len(MasterKeys.load(file).versions) == 1
