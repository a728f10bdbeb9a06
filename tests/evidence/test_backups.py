"""A backup is whole or refused; a restored old state is never sealed on."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import func, select

from sealproof.entry import Relation
from talentseal import backups
from talentseal.backups import BackupRefused, RestoreRefused, Rewound
from talentseal.db import Database
from talentseal.evidence.fsck import check_log
from talentseal.evidence.models import EvidenceRecord
from talentseal.evidence.sealing import Outcome, Sealer
from tests.evidence.conftest import Log
from tests.evidence.test_sealing import alter


def quiet(_table: str, _rows: int) -> None:
    """No progress shown."""


@pytest.fixture
def second_url(blank_database_url: str) -> str:
    """A blank database to restore into; of both kinds, so that a backup also moves from one to the other."""
    return blank_database_url


def back_up(log: Log, folder: Path) -> backups.Manifest:
    return backups.back_up(log.database, folder, log.signer.verifier_key, quiet)


def restore(log: Log, folder: Path, url: str) -> Database:
    database = Database(url)
    try:
        backups.restore(database, folder, log.signer.verifier_key, log.head_store.read(), quiet)
    except Exception:
        database.close()
        raise
    return database


@pytest.fixture
def grown(log: Log) -> Log:
    [target] = log.record()
    log.record(1, relation=Relation.CORRECTS, refers_to=target.id)
    log.grow(5, 260)
    log.record(2)
    return log


def test_a_backup_restores_every_value_on_either_database(
    grown: Log, tmp_path: Path, second_url: str
) -> None:
    manifest = back_up(grown, tmp_path / "backup")

    restored = restore(grown, tmp_path / "backup", second_url)

    def values(database: Database) -> list[tuple[object, ...]]:
        query = select(EvidenceRecord.__table__).order_by(EvidenceRecord.id)
        return database.read(lambda session: [tuple(row) for row in session.execute(query)])

    assert values(restored) == values(grown.database)
    head, key = grown.head_store.read(), grown.signer.verifier_key
    assert restored.read(lambda session: list(check_log(session, head, key))) == []
    assert manifest.size == head.size
    restored.close()


def test_a_restored_log_goes_on_where_it_stood(grown: Log, tmp_path: Path, second_url: str) -> None:
    back_up(grown, tmp_path / "backup")
    restored = restore(grown, tmp_path / "backup", second_url)
    grown.clock.advance(seconds=20)

    done = Sealer(restored, grown.head_store, grown.signer, grown.clock, "after the restore").tick()

    assert done.outcome is Outcome.SEALED
    restored.close()


def test_an_older_backup_is_rewound_and_signs_nothing(grown: Log, tmp_path: Path, second_url: str) -> None:
    back_up(grown, tmp_path / "backup")
    grown.grow(3)

    with pytest.raises(Rewound, match="REWOUND"):
        restore(grown, tmp_path / "backup", second_url)

    database = Database(second_url)
    grown.clock.advance(seconds=20)
    assert (
        Sealer(database, grown.head_store, grown.signer, grown.clock, "x").tick().outcome is Outcome.STOPPED
    )
    database.close()


def test_an_altered_database_gives_no_backup(grown: Log, tmp_path: Path) -> None:
    alter(grown, "UPDATE evidence_record SET kind = 22 WHERE log_index = 3")

    with pytest.raises(BackupRefused, match="kind"):
        back_up(grown, tmp_path / "backup")


def flip(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)


def restate(path: Path) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | {"sha256": "0" * 64}))


@pytest.mark.parametrize(
    ("file", "damage"),
    [
        (backups.SNAPSHOT, flip),
        (backups.SNAPSHOT, Path.unlink),
        (backups.MANIFEST, restate),
        (backups.MANIFEST, Path.unlink),
        (backups.MANIFEST, lambda path: path.write_text("{}")),
    ],
    ids=["snapshot altered", "no snapshot", "manifest altered", "no manifest", "manifest empty"],
)
def test_a_damaged_backup_is_refused(
    log: Log, tmp_path: Path, second_url: str, file: str, damage: Callable[[Path], object]
) -> None:
    log.grow(3)
    back_up(log, tmp_path / "backup")
    damage(tmp_path / "backup" / file)

    with pytest.raises(BackupRefused):
        restore(log, tmp_path / "backup", second_url)


def test_a_backup_is_never_restored_over_a_database_in_use(grown: Log, tmp_path: Path) -> None:
    back_up(grown, tmp_path / "backup")

    with pytest.raises(RestoreRefused, match="not empty"):
        backups.restore(
            grown.database, tmp_path / "backup", grown.signer.verifier_key, grown.head_store.read(), quiet
        )

    count = select(func.count(EvidenceRecord.id))
    assert grown.database.read(lambda session: session.scalar(count)) == 269


def test_a_backup_never_overwrites_another(log: Log, tmp_path: Path) -> None:
    log.grow(1)
    back_up(log, tmp_path / "backup")

    with pytest.raises(FileExistsError):
        back_up(log, tmp_path / "backup")
