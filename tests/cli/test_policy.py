"""Instruments and the day at the server's own console, on both databases."""

from pathlib import Path

import pytest

from talentseal.demonstration.scheme import SUCCESSOR
from talentseal.policy.calendar import SHIPPED
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


def test_the_calendar_counts_what_is_known_and_says_what_is_not(console: Shell) -> None:
    before = console("policy", "calendar", "after", "2026-09-30", "1", "--json")
    imports = [console("policy", "calendar", "import", "--json") for _ in range(2)]
    listed = console("policy", "calendar", "list")
    known, unknown = (
        console("policy", "calendar", "after", day, "1") for day in ("2026-09-30", "2026-12-31")
    )

    assert before.answer == {"day": "2026-10-01", "assumed_from": "2026-10-01"}
    assert [[each["new"] for each in ended.answer] for ended in imports] == [[True] * 2, [False] * 2]
    assert "国办发明电〔2025〕7号" in listed.out
    assert known.out.strip() == "2026-10-08"
    assert "2027-01-01 起只按周末推定" in unknown.out


def test_each_fault_of_a_notice_is_a_line(console: Shell, tmp_path: Path) -> None:
    file = tmp_path / "notice.toml"
    shipped = SHIPPED[-1].read_text("utf-8").replace("last = 2026-01-03", "last = 2025-12-30")
    file.write_text(shipped.replace("worked = [2026-05-09]", "worked = [2026-05-08]"), "utf-8")

    ended = console("policy", "calendar", "import", file)
    absent = console("policy", "calendar", "import", tmp_path / "nothing.toml")

    lines = ended.err.splitlines()
    assert (ended.code, absent.code, len(lines)) == (1, 1, 3)
    assert [line.split()[1] for line in lines[:2]] == ["holidays.0.last", "holidays.3.worked.0"]
    assert "2 处" in lines[2]
    assert "无法读取 nothing.toml" in absent.err


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
