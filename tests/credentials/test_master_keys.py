"""Master keys: private files, versions by day, and what a missing version means."""

import stat
from datetime import date, timedelta
from pathlib import Path

import pytest

from talentseal.credentials import master_keys
from talentseal.credentials.master_keys import (
    KeyMissing,
    MasterKey,
    MasterKeys,
    VersionKept,
    VersionRefused,
    derive,
)
from talentseal.evidence.signing import KeyFileRefused
from tests.credentials import reference
from tests.credentials.reference import FIRST_DAY, KEYS, MASTER, NOON, SECOND_DAY

TODAY = date(2026, 11, 26)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "keys" / "credentials.keys"
    master_keys.create(made, NOON)
    return made


def test_keys_are_derived_as_rfc_5869_says() -> None:
    assert derive(MASTER, "TC1", b"context") == reference.hkdf(MASTER, b"talentcode/TC1context")
    assert KEYS.day_key(TODAY) == reference.day_key(MASTER, TODAY)


def test_a_fresh_file_is_its_owners_alone_and_holds_one_version_from_today(path: Path) -> None:
    (key,) = MasterKeys.load(path).versions

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (key.version, key.first_day, len(key.secret)) == (1, TODAY, 32)


def test_a_key_is_never_replaced(path: Path) -> None:
    with pytest.raises(FileExistsError):
        master_keys.create(path, NOON)


def test_no_secret_is_shown_by_accident() -> None:
    assert MASTER.hex() not in repr(KEYS)
    assert repr(MASTER) not in repr(KEYS)


def test_the_newest_version_that_has_begun_is_in_use() -> None:
    assert KEYS.in_use(SECOND_DAY - timedelta(days=1)).version == 1
    assert KEYS.in_use(SECOND_DAY).version == 2


def test_before_the_first_version_nothing_is_made_and_nothing_is_known() -> None:
    before = FIRST_DAY - timedelta(days=1)

    with pytest.raises(KeyMissing, match="2026-10-31"):
        KEYS.in_use(before)
    assert KEYS.day_key(before) not in {reference.day_key(key.secret, before) for key in KEYS.versions}


def test_a_version_that_is_not_there_has_a_secret_that_nobody_knows() -> None:
    assert KEYS.secret_of(2) == MASTER
    assert KEYS.secret_of(3) not in {key.secret for key in KEYS.versions}


def test_a_version_is_added_for_a_day_to_come_and_survives_a_load(path: Path) -> None:
    before = MasterKeys.load(path).versions

    added = master_keys.add(path, TODAY + timedelta(days=5), NOON)

    assert MasterKeys.load(path).versions == (*before, added)
    assert MasterKeys.load(path).in_use(TODAY + timedelta(days=4)).version == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_what_a_crash_left_of_a_change_is_in_nobodys_way(path: Path) -> None:
    path.with_name(path.name + ".new").write_text("half a li", "ascii")

    assert master_keys.add(path, TODAY, NOON).version == 2


@pytest.mark.parametrize("days", [-1, -400])
def test_a_version_for_a_day_gone_by_is_refused(path: Path, days: int) -> None:
    with pytest.raises(VersionRefused):
        master_keys.add(path, TODAY + timedelta(days=days), NOON)


def test_a_version_before_the_newest_is_refused(path: Path) -> None:
    master_keys.add(path, TODAY + timedelta(days=9), NOON)

    with pytest.raises(VersionRefused):
        master_keys.add(path, TODAY + timedelta(days=8), NOON)


def test_versions_end_at_one_byte(path: Path) -> None:
    path.write_text(MasterKey(255, FIRST_DAY, MASTER).line, "ascii")

    with pytest.raises(VersionRefused):
        master_keys.add(path, TODAY, NOON)


def test_a_removed_version_is_gone_and_the_last_one_stays(path: Path) -> None:
    master_keys.add(path, TODAY, NOON)

    master_keys.remove(path, 1)

    assert [key.version for key in MasterKeys.load(path).versions] == [2]
    for version in (1, 2):
        with pytest.raises(VersionKept):
            master_keys.remove(path, version)


LINE = MasterKey(1, FIRST_DAY, MASTER).line


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        LINE + "\n",
        LINE.replace("1 ", "0 ", 1),
        LINE.replace("1 ", "256 ", 1),
        LINE.replace("2026-11-01", "2026-11-31"),
        LINE[:-3],
        LINE.replace("0a", "0A"),
        LINE + LINE,
        MasterKey(2, FIRST_DAY, MASTER).line + LINE,
        MasterKey(1, SECOND_DAY, MASTER).line + MasterKey(2, FIRST_DAY, MASTER).line,
    ],
)
def test_a_file_of_another_form_is_refused_without_its_content(path: Path, text: str) -> None:
    path.write_text(text, "ascii")

    with pytest.raises(KeyFileRefused) as refused:
        MasterKeys.load(path)
    assert MASTER.hex() not in str(refused.value)


def test_a_file_that_others_may_read_is_refused(path: Path) -> None:
    path.chmod(0o640)

    with pytest.raises(KeyFileRefused, match="chmod 600"):
        MasterKeys.load(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyFileRefused):
        MasterKeys.load(tmp_path / "none.keys")
