"""`talentseal people reseal`: each run adds one key at most, and none before the last one's work is done."""

from pathlib import Path

import pytest

from tests.cli.conftest import Shell


def test_a_run_adds_the_next_key_and_seals_everything_under_it(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TALENTSEAL_DATA_DIR", str(tmp_path))
    shell("init")

    first = shell("people", "reseal", "--json")
    second = shell("people", "reseal", "--finish")

    assert (first.code, first.answer) == (0, {"key": 2, "sealed": 0, "outstanding": 0})
    assert second.code == 0
    assert "第 2 号密钥" in second.out
    assert sorted(path.name for path in (tmp_path / "keys").glob("people-*")) == [
        "people-1.key",
        "people-2.key",
    ]
