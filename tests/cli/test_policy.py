"""Instruments and the day at the server's own console, on both databases."""

from pathlib import Path

import pytest

from talentseal.demonstration.scheme import SUCCESSOR
from tests.cli.conftest import Shell


@pytest.fixture
def console(database_url: str, shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.setenv("TALENTSEAL_DATABASE_URL", database_url)
    monkeypatch.setenv("TALENTSEAL_DATA_DIR", str(tmp_path / "data"))
    return shell


def test_from_a_file_to_what_is_in_force_and_its_evidence(console: Shell) -> None:
    loads = [console("policy", "load", "--json"), console("policy", "load", SUCCESSOR, "--json")]
    again = console("policy", "load", SUCCESSOR, "--json")
    listed, days = console("policy", "list"), [console("nightly", "--json") for _ in range(2)]

    assert [ended.answer["new"] for ended in (*loads, again)] == [True, True, False]
    assert [ended.answer["instruments"] for ended in days] == [3, 0]
    assert [line.split()[2] for line in listed.out.splitlines()] == ["IN_FORCE", "EXPIRED"]
    assert "郑东文〔2023〕79号" in listed.out


def test_what_cannot_be_done_is_said_in_one_line(console: Shell, tmp_path: Path) -> None:
    console("policy", "load", SUCCESSOR)

    for arguments, said in (
        (("policy", "load"), "新版本应在已印发的版本之后生效"),
        (("policy", "load", tmp_path / "nothing.toml"), "nothing.toml 不可用"),
        (("nightly", "--day", "2199-01-01"), "尚未到来"),
    ):
        ended = console(*arguments)
        assert (ended.code, len(ended.err.splitlines())) == (1, 1)
        assert said in ended.err
