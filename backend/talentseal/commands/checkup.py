"""What `talentseal doctor` looks at. Each look is on its own: one that fails does not hide the others."""

import platform
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from talentseal.config import Settings
from talentseal.db import Database, ping, sqlite_driver, wal_is_safe
from talentseal.errors import TalentSealError

LEAST_FREE_BYTES: Final = 1024**3
EARLIEST_CLOCK: Final = 1_767_225_600
"""2026-01-01: a clock before that has lost its time."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One look: what was looked at, whether it is well, and the words for it."""

    name: str
    well: bool
    zh: str
    en: str


def findings() -> list[Finding]:
    """All looks, in the order in which they build on each other."""
    settings = Settings()
    looks: tuple[tuple[str, Callable[[Settings], Finding]], ...] = (
        ("python", _python),
        ("clock", _clock),
        ("disk", _disk),
        ("keys", _keys),
        ("database", _database),
        ("chain", _chain),
    )
    return [_look(name, look, settings) for name, look in looks]


def _look(name: str, look: Callable[[Settings], Finding], settings: Settings) -> Finding:
    try:
        return look(settings)
    except TalentSealError as refusal:
        return Finding(name, False, refusal.sentence_zh, refusal.sentence_en)
    except Exception as error:  # noqa: BLE001 - whatever is wrong is the finding
        kind = type(error).__name__
        return Finding(name, False, f"检查失败（{kind}）。", f"The look failed ({kind}).")


def _python(_: Settings) -> Finding:
    met = platform.python_version()
    return Finding(
        "python", sys.version_info >= (3, 11), f"Python {met}，需要 3.11 以上。", f"Python {met}, needs 3.11."
    )


def _clock(_: Settings) -> Finding:
    shown = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return Finding("clock", time.time() > EARLIEST_CLOCK, f"系统时间 {shown}。", f"The clock shows {shown}.")


def _disk(settings: Settings) -> Finding:
    folder = settings.data_dir if settings.data_dir.exists() else settings.data_dir.absolute().parent
    free = shutil.disk_usage(folder).free
    shown = f"{free // 2**20} MiB"
    return Finding("disk", free >= LEAST_FREE_BYTES, f"可用空间 {shown}。", f"{shown} free.")


def _keys(settings: Settings) -> Finding:
    from talentseal.credentials.master_keys import MasterKeys
    from talentseal.evidence.signing import load_signer, read_secret

    signer = load_signer(settings.origin, settings.log_key_file)
    for path in settings.secret_files:
        read_secret(path, length=32)
    MasterKeys.load(settings.credential_keys_file)
    return Finding("keys", True, f"日志密钥 {signer.verifier_key}", f"Log key {signer.verifier_key}")


def _database(settings: Settings) -> Finding:
    database = Database(settings.database)
    try:
        database.read(ping)
        kind = database.dialect
    finally:
        database.close()
    version = sqlite_driver().sqlite_version_info
    if kind == "sqlite" and not wal_is_safe(version):
        shown = ".".join(str(part) for part in version)
        return Finding(
            "database", True, f"SQLite {shown}，使用回滚日志。", f"SQLite {shown}, with a rollback journal."
        )
    return Finding("database", True, f"{kind} 可用。", f"{kind} answers.")


def _chain(settings: Settings) -> Finding:
    from talentseal.commands.running import connected, deployed

    recorded, block = deployed(settings)
    differences = recorded.differences(connected(settings, recorded.contract, block).identity())
    if differences:
        named = ", ".join(differences)
        return Finding(
            "chain", False, f"链与部署记录不符：{named}。", f"The chain differs from the record in {named}."
        )
    kind = settings.chain_type.value
    return Finding(
        "chain", True, f"链 {recorded.chain_id}（{kind}）。", f"Chain {recorded.chain_id} ({kind})."
    )
