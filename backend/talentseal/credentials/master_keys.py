"""The master keys of tokens and cards: one file, a line for each version, and the keys derived from them.

    1 2026-11-26 <64 hex digits>
    2 2027-01-01 <64 hex digits>

A version is the one in use from its first day (Shanghai) until the next one's. What is derived hangs on the
day or on the version alone, so that any number of processes with the same file agree without speaking to
each other. A version whose line is gone is trusted for nothing any more.
"""

import os
import re
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Final, Self

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from talentseal.clock import legal_date
from talentseal.errors import Conflict
from talentseal.evidence.signing import KeyFileRefused, create_private, read_private

KEY_SIZE: Final = 32
LAST_VERSION: Final = 255
"""A version is one byte of a card's printed code."""

_LINE: Final = re.compile(r"([1-9][0-9]{0,2}) ([0-9]{4}-[0-9]{2}-[0-9]{2}) ([0-9a-f]{64})")
_UNKNOWN: Final = os.urandom(KEY_SIZE)
"""Stands in for a key that is not there, so that its absence costs what its presence does."""


class VersionRefused(Conflict):
    code = "master-key-version-refused"
    zh = "无法新增主密钥第 {version} 版：启用之日不得早于 {earliest}，且至多 {last} 版。"
    en = (
        "Master key version {version} cannot be added: its first day must be {earliest} or later; "
        "there are {last} at most."
    )


class VersionKept(Conflict):
    code = "master-key-version-kept"
    zh = (
        "无法移除主密钥第 {version} 版：没有这一版，或仅余这一版。请先运行 talentseal master-keys list 查看。"
    )
    en = "Master key version {version} cannot be removed: there is none, or no other; see `master-keys list`."


class KeyMissing(Conflict):
    code = "master-key-missing"
    zh = "{day} 没有可用的凭证主密钥。请运行 talentseal master-keys add。"
    en = "No master key for credentials is in use on {day}; run `talentseal master-keys add`."


def derive(secret: bytes, purpose: str, context: bytes = b"") -> bytes:
    """HKDF-SHA256 (RFC 5869) without salt, info "talentcode/" ‖ purpose ‖ context; 32 bytes. Purposes have
    three letters, so that no purpose and context together read as another pair.
    """
    info = b"talentcode/" + purpose.encode("ascii") + context
    return HKDF(SHA256(), KEY_SIZE, salt=None, info=info).derive(secret)


@dataclass(frozen=True, slots=True)
class MasterKey:
    """version: 1 to 255. first_day: the Shanghai date from which it is in use. secret: 32 bytes."""

    version: int
    first_day: date
    secret: bytes = field(repr=False)

    @property
    def line(self) -> str:
        return f"{self.version} {self.first_day.isoformat()} {self.secret.hex()}\n"


@dataclass(frozen=True, slots=True)
class MasterKeys:
    """All versions that are trusted, in rising order of version and first day."""

    versions: tuple[MasterKey, ...]

    def __post_init__(self) -> None:
        for before, after in pairwise(self.versions):
            if before.version >= after.version or before.first_day > after.first_day:
                raise ValueError("expected versions and their first days in rising order")

    @classmethod
    def load(cls, path: Path) -> Self:
        """Those in `path`. Raises KeyFileRefused when missing, malformed or readable by others."""
        met = [_LINE.fullmatch(line) for line in read_private(path).splitlines()]
        try:
            versions = tuple(
                MasterKey(int(line[1]), date.fromisoformat(line[2]), bytes.fromhex(line[3]))
                for line in met
                if line
            )
            keys = cls(versions)
        except ValueError:
            keys = cls(())
        if not keys.versions or len(keys.versions) != len(met) or keys.versions[-1].version > LAST_VERSION:
            raise KeyFileRefused(path=str(path), why="expected lines of version, first day and 64 hex digits")
        return keys

    def in_use(self, day: date) -> MasterKey:
        """The newest version that has begun by `day`. Raises KeyMissing."""
        if met := self._of_day(day):
            return met
        raise KeyMissing(day=day.isoformat())

    def secret_of(self, version: int) -> bytes:
        """The secret of a version; for one that is not there a secret under which nothing was made."""
        return next((key.secret for key in self.versions if key.version == version), _UNKNOWN)

    def day_key(self, day: date) -> bytes:
        """The key of a Shanghai date, 32 bytes; for a date without a version one under which nothing was
        made.
        """
        met = self._of_day(day)
        return _day_key(met.secret if met else _UNKNOWN, day)

    def _of_day(self, day: date) -> MasterKey | None:
        return next((key for key in reversed(self.versions) if key.first_day <= day), None)


@lru_cache(maxsize=16)
def _day_key(secret: bytes, day: date) -> bytes:
    return derive(secret, "day", day.isoformat().encode("ascii"))


def create(path: Path, now: datetime) -> None:
    """Write a file with version 1, in use from today. Raises FileExistsError: a key is never replaced."""
    create_private(path, MasterKey(1, legal_date(now), os.urandom(KEY_SIZE)).line)


def add(path: Path, first_day: date, now: datetime) -> MasterKey:
    """Add a version, and have running processes take it up when they start again.

    first_day: after today, so that all processes can have it before it is used; today ends every token of
    today at once, which is for a key that leaked. Raises VersionRefused for a day gone by or before the
    newest version's.
    """
    keys = MasterKeys.load(path)
    newest = keys.versions[-1]
    added = MasterKey(newest.version + 1, first_day, os.urandom(KEY_SIZE))
    earliest = max(newest.first_day, legal_date(now))
    if first_day < earliest or added.version > LAST_VERSION:
        raise VersionRefused(version=added.version, earliest=earliest.isoformat(), last=LAST_VERSION)
    _replace(path, (*keys.versions, added))
    return added


def remove(path: Path, version: int) -> None:
    """Trust a version for nothing any more: codes printed under it are refused from the next start on.
    Raises VersionKept for one that is not there, and for the last one.
    """
    keys = MasterKeys.load(path)
    kept = tuple(key for key in keys.versions if key.version != version)
    if not kept or len(kept) == len(keys.versions):
        raise VersionKept(version=version)
    _replace(path, kept)


def _replace(path: Path, versions: tuple[MasterKey, ...]) -> None:
    """A crash leaves the old file or the new one, and perhaps a draft that the next call takes away."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    create_private(draft, "".join(key.line for key in versions))
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
