"""Backup and restore: one consistent snapshot of every table as a SQLite file, whichever database it came
from.

A backup counts only once fsck has read it whole and found nothing. The head store is left out on purpose: it
must not travel with the database, or a restored old state could not be told from the present one. After a
restore the sealer compares both; a database that is behind the last signed head is REWOUND, and nothing is
signed on it.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from sqlalchemy import Table, delete, func, insert, select
from sqlalchemy.orm import Session

from sealproof.note import VerifierKey
from talentseal.db import Database, defer_foreign_keys
from talentseal.errors import Conflict
from talentseal.evidence.fsck import Finding, check_log
from talentseal.evidence.headstore import EMPTY_HEAD, Head
from talentseal.evidence.models import CheckpointRow, LogProgress
from talentseal.evidence.sealing import SealingRefused, check_extends
from talentseal.tables import METADATA

ROWS = 2_000
"""Rows copied at a time."""

SNAPSHOT = "talentseal.db"
MANIFEST = "manifest.json"


class BackupRefused(Conflict):
    code = "backup-refused"
    zh = "备份未通过校验，不能使用：{why}。"
    en = "The backup did not pass its check and must not be used: {why}."


class RestoreRefused(Conflict):
    code = "restore-refused"
    zh = "不能恢复：{why}。"
    en = "Cannot restore: {why}."


class Rewound(Conflict):
    """The restored state is older than the last signed head: records that were acknowledged are missing."""

    code = "rewound"
    zh = (
        "已恢复，但数据库落后于已签名的日志头（REWOUND）：{why}。"
        "封存已停止；请恢复更新的备份，切勿删除链外头存储。"
    )
    en = (
        "Restored, but the database is behind the last signed head (REWOUND): {why}. "
        "Sealing stays stopped; restore a newer backup and keep the head store."
    )


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds: the newest checkpoint in it and the digest of the snapshot file."""

    size: int
    checkpoint: str
    sha256: str
    rows: int


Progress = Callable[[str, int], None]
"""Called with a table's name and the rows copied so far."""


def back_up(database: Database, folder: Path, key: VerifierKey, progress: Progress) -> Manifest:
    """Write and verify a snapshot into the new or empty `folder`. Raises BackupRefused, FileExistsError."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / SNAPSHOT
    if target.exists():
        raise FileExistsError(f"{target} exists already; a backup is never overwritten")
    copy = Database(f"sqlite:///{target}")
    try:
        copy.upgrade()
        rows = database.snapshot(lambda source: _copy(source, copy, progress))
        manifest = copy.read(lambda session: _verified(session, key))
    finally:
        copy.close()
    digest = hashlib.sha256(target.read_bytes()).hexdigest()
    finished = Manifest(manifest.size, manifest.note, digest, rows)
    (folder / MANIFEST).write_text(json.dumps(asdict(finished), indent=1, sort_keys=True) + "\n", "utf-8")
    return finished


def restore(database: Database, folder: Path, key: VerifierKey, head: Head, progress: Progress) -> int:
    """Fill the empty `database` from a backup; the number of rows.

    Raises BackupRefused for a snapshot that is not what its manifest says, RestoreRefused when the database
    is not empty, and Rewound (after restoring) when the result is behind `head`.
    """
    _check_manifest(folder, key)
    source = Database(f"sqlite:///{folder / SNAPSHOT}")
    try:
        database.upgrade()
        rows = source.read(lambda session: _copy(session, database, progress, into_empty=True))
    finally:
        source.close()
    try:
        database.read(lambda session: check_extends(session, head))
    except SealingRefused as refusal:
        raise Rewound(why=refusal.why) from refusal
    return rows


def _copy(source: Session, target: Database, progress: Progress, *, into_empty: bool = False) -> int:
    """Copy all tables in one write of the target, parents before children."""

    def write(session: Session) -> int:
        if into_empty:
            _require_empty(session)
        defer_foreign_keys(session)
        session.execute(delete(LogProgress))
        return sum(_copy_table(source, session, table, progress) for table in METADATA.sorted_tables)

    return target.write(write)


def _copy_table(source: Session, target: Session, table: Table, progress: Progress) -> int:
    copied = 0
    for page in source.execute(select(table).execution_options(yield_per=ROWS)).mappings().partitions():
        target.execute(insert(table), [dict(row) for row in page])
        copied += len(page)
        progress(table.name, copied)
    return copied


def _require_empty(session: Session) -> None:
    for table in METADATA.sorted_tables:
        if table.name != LogProgress.__tablename__ and session.scalar(
            select(func.count()).select_from(table)
        ):
            raise RestoreRefused(
                why=f"the database is not empty ({table.name} has rows); restore into a new one"
            )


def _verified(session: Session, key: VerifierKey) -> CheckpointRow:
    """The newest checkpoint of a copy in which fsck finds nothing. Raises BackupRefused."""
    newest = session.scalars(select(CheckpointRow).order_by(CheckpointRow.size.desc()).limit(1)).one_or_none()
    if newest is None:
        newest = CheckpointRow(size=0, note="")
    for finding in check_log(session, EMPTY_HEAD, key):
        if not _is_about_the_head(finding):
            raise BackupRefused(why=f"{finding.table} {finding.key}: {finding.what}")
    return newest


def _is_about_the_head(finding: Finding) -> bool:
    # A copy is checked by itself; how it stands to the last signed head is decided when it is restored.
    return finding.table == "head store"


def _check_manifest(folder: Path, key: VerifierKey) -> None:
    try:
        stated = Manifest(**json.loads((folder / MANIFEST).read_text("utf-8")))
        digest = hashlib.sha256((folder / SNAPSHOT).read_bytes()).hexdigest()
    except (OSError, ValueError, TypeError) as error:
        raise BackupRefused(why=f"{type(error).__name__}: {error}") from error
    if digest != stated.sha256:
        raise BackupRefused(why=f"{SNAPSHOT} is not the file that was backed up")
    copy = Database(f"sqlite:///{folder / SNAPSHOT}")
    try:
        copy.read(lambda session: _verified(session, key))
    finally:
        copy.close()
