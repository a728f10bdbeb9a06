"""The head store: the last signed head, in a small file outside the database.

It is what makes a restored or altered database visible: the sealer signs only what provably extends the head
kept here, and swaps the head here (compare-and-swap under a file lock, synced to disk) before a signature
leaves the process. Keep it on another volume than the database and out of the same backup set; losing it
means that an operator has to adopt the last published checkpoint by command.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sealproof import canonical, encoding, merkle
from sealproof.errors import ProofError
from talentseal.errors import Conflict
from talentseal.failpoints import reach

LIMIT = 65_536
"""Bytes of a head file at most: 64 subtree hashes and a note fit many times over."""


class HeadStoreUnreadable(Conflict):
    code = "head-store-unreadable"
    zh = "链外头存储文件 {path} 无法读取或已损坏：{why}。请从备用副本恢复，切勿删除。"
    en = "The head store {path} cannot be read: {why}. Restore it from its own copy; do not delete it."


class HeadMoved(Conflict):
    """Another sealer swapped the head first; the loser's signature never leaves the process."""

    code = "head-moved"
    zh = "日志头已由另一进程更新（期望大小 {expected}，实际 {met}）。"
    en = "The head was moved by another process (expected size {expected}, met {met})."


@dataclass(frozen=True, slots=True)
class Head:
    """A signed head. nodes: the compact range of its tree, so that the next head provably extends it."""

    size: int
    previous_size: int
    root: bytes
    nodes: tuple[bytes, ...]
    note: str
    signed_at: datetime | None
    """None for the empty head, which nobody signed."""

    def __post_init__(self) -> None:
        if merkle.CompactRange(self.size, self.nodes).root() != self.root:
            raise ValueError("the subtree hashes do not add up to the root")


EMPTY_HEAD = Head(0, 0, merkle.EMPTY_ROOT, (), "", None)


class HeadStore:
    """The file at `path`. Safe between threads and processes of one machine."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> Head:
        """The last signed head; the empty one when nothing was ever signed. Raises HeadStoreUnreadable."""
        try:
            raw = self.path.read_bytes()
        except FileNotFoundError:
            return EMPTY_HEAD
        except OSError as error:
            raise HeadStoreUnreadable(path=str(self.path), why=str(error)) from error
        try:
            return _decode(raw)
        except (ProofError, ValueError, KeyError, TypeError) as error:
            raise HeadStoreUnreadable(path=str(self.path), why=str(error)) from error

    def swap(self, expected: Head, following: Head) -> None:
        """Replace `expected` by `following`, durably, or raise HeadMoved and change nothing.

        A crash before the rename leaves the old head, after it the new one; a signature for the new head has
        not been shown to anyone yet in either case.
        """
        with self._locked():
            met = self.read()
            if (met.size, met.root) != (expected.size, expected.root):
                raise HeadMoved(expected=expected.size, met=met.size)
            reach("head.before-swap")
            self._replace(_encode(following))
            reach("head.swapped")

    def _replace(self, raw: bytes) -> None:
        draft = self.path.with_suffix(".next")
        with draft.open("wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.path)
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.with_suffix(".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _encode(head: Head) -> bytes:
    document = {
        "v": 1,
        "size": head.size,
        "previous_size": head.previous_size,
        "root": encoding.b64_encode(head.root),
        "nodes": [encoding.b64_encode(node) for node in head.nodes],
        "note": head.note,
        "signed_at": None if head.signed_at is None else encoding.instant_encode(head.signed_at),
    }
    return json.dumps(document, indent=1).encode() + b"\n"


def _decode(raw: bytes) -> Head:
    document = canonical.parse(raw, limit=LIMIT)
    if not isinstance(document, dict) or document.get("v") != 1:
        raise TypeError("expected a head file of version 1")
    nodes, signed_at = document["nodes"], document["signed_at"]
    size, previous_size, note = document["size"], document["previous_size"], document["note"]
    if not (isinstance(size, int) and isinstance(previous_size, int)):
        raise TypeError("expected whole numbers as sizes in a head file")
    if not (isinstance(nodes, list) and isinstance(note, str)):
        raise TypeError("expected a note and subtree hashes in a head file")
    return Head(
        size=size,
        previous_size=previous_size,
        root=encoding.b64_decode(str(document["root"])),
        nodes=tuple(encoding.b64_decode(str(node)) for node in nodes),
        note=note,
        signed_at=None if signed_at is None else encoding.instant_decode(str(signed_at)),
    )
