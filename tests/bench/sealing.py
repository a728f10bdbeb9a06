"""Sealing: a round of the sealer against the hashing and the storage that it cannot do without, done bare.

The hashing: every entry of the batch again, the tree over them by both paths. The storage: the pending rows
read, their indices and the tiles written in one commit, the entries read again, the head file replaced and
synced, the checkpoint written in another commit. Both sides work on copies of one database.
"""

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import text

from talentseal.db import Database, sqlite_driver
from talentseal.evidence import sealing
from talentseal.evidence.sealing import Outcome
from tests.bench.figures import Budget, Figure, against, interleaved, say, seconds
from tests.bench.places import KINDS, Databases, databases, fill, sealer
from tests.bench.recording import SETTINGS

BUDGET = Budget("ratio", "<=", 1.5)
TILE_HASHES = 256

PENDING = (
    "SELECT id, leaf_hash FROM evidence_record WHERE log_index IS NULL "
    "ORDER BY recorded_at, refers_to IS NOT NULL, id LIMIT ?"
)
NUMBER = "UPDATE evidence_record SET log_index = ? WHERE id = ?"
TILE = (
    "INSERT INTO tile (level, number, hashes) VALUES (?, ?, ?) "
    "ON CONFLICT (level, number) DO UPDATE SET hashes = excluded.hashes"
)
READ = (
    "SELECT log_index, entry, leaf_hash FROM evidence_record "
    "WHERE log_index >= ? AND log_index < ? ORDER BY log_index"
)
CHECKPOINT = "INSERT INTO checkpoint (size, previous_size, root, note, signed_at) VALUES (?, ?, ?, ?, ?)"

Execute = Callable[..., Any]


def measure(tiny: bool) -> list[Figure]:
    """Full batches, and one record at a time, on both databases."""
    return [figure for kind in KINDS for figure in _measure(kind, tiny)]


def _measure(kind: str, tiny: bool) -> Iterator[Figure]:
    batch, rounds = (300, 1) if tiny else (sealing.BATCH, 10)
    with databases(kind) as place:
        say(f"  {kind}, {rounds} × {batch} records")
        url = place.make()
        database = Database(url)
        fill(database, batch * rounds)
        if kind == "postgresql":
            database.write(lambda session: session.execute(text("ANALYZE")))
        database.close()
        bare = Bare(place, place.copy(url), batch)
        database = Database(url)
        own = sealer(database, place.folder)
        met = interleaved(rounds, own=lambda: seconds(lambda: _seal(own)), bare=lambda: seconds(bare.seal))
        bare.close()
        database.close()
        yield against(
            f"sealing {batch} records, {kind}",
            "s",
            met["own"],
            "bare hashing and storage",
            met["bare"],
            BUDGET,
        )


def _seal(own: sealing.Sealer) -> None:
    done = own.tick()
    if done.outcome is not Outcome.SEALED:
        raise RuntimeError(f"the sealer is {done.outcome}: {done.reason}")


class Bare:
    """The same work on a database of its own, statement by statement through the driver."""

    def __init__(self, place: Databases, url: str, batch: int) -> None:
        self._batch = batch
        self._size = 0
        self._leaves: list[bytes] = []
        self._head = place.folder / "bare-head.json"
        self._connection: Any
        if place.kind == "sqlite":
            self._mark = "?"
            self._connection = sqlite_driver().connect(url.removeprefix("sqlite:///"), isolation_level=None)
            for setting, value in zip(SETTINGS, ("WAL", "FULL", "ON", "MEMORY", "ON"), strict=True):
                self._connection.execute(f"PRAGMA {setting}={value}")
        else:
            self._mark = "%s"
            self._connection = psycopg.connect(url, autocommit=True)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def seal(self) -> None:
        """One batch."""
        self._run("BEGIN")
        pending = self._run(PENDING, self._batch).fetchall()
        self._many(NUMBER, [(self._size + offset, row[0]) for offset, row in enumerate(pending)])
        leaves = [bytes(row[1]) for row in pending]
        self._many(TILE, self._tiles(leaves))
        self._run("COMMIT")
        size = self._size + len(leaves)
        rows = self._run(READ, self._size, size).fetchall()
        again = [hashlib.sha256(b"\x00" + row[1]).digest() for row in rows]
        if again != leaves:
            raise RuntimeError("the entries read again are others")
        root = tree_root(again)
        _replace(self._head, root)
        self._run("BEGIN")
        self._run(CHECKPOINT, size, self._size, root, "n" * 500, size)
        self._run("COMMIT")
        self._size = size

    def _tiles(self, leaves: list[bytes]) -> list[tuple[int, int, bytes]]:
        """The second path: each touched tile of the first two levels, and the roots of the full ones."""
        self._leaves += leaves
        first = self._size // TILE_HASHES
        hashes = self._leaves[first * TILE_HASHES :]
        pieces = [hashes[start : start + TILE_HASHES] for start in range(0, len(hashes), TILE_HASHES)]
        upper = b"".join(tree_root(piece) for piece in pieces)
        return [(0, first + number, b"".join(piece)) for number, piece in enumerate(pieces)] + [(1, 0, upper)]

    def _run(self, statement: str, *values: object) -> Any:
        return self._connection.execute(statement.replace("?", self._mark), values)

    def _many(self, statement: str, values: Sequence[tuple[object, ...]]) -> None:
        self._connection.cursor().executemany(statement.replace("?", self._mark), values)


def tree_root(hashes: Sequence[bytes]) -> bytes:
    """The root over hashes, level by level, with nothing but hashlib."""
    level = list(hashes)
    prefixed = hashlib.sha256(b"\x01").copy
    while len(level) > 1:
        above = []
        for left, right in zip(level[::2], level[1::2], strict=False):
            node = prefixed()
            node.update(left + right)
            above.append(node.digest())
        level = above + level[len(above) * 2 :]
    return level[0]


def _replace(file: Path, root: bytes) -> None:
    draft = file.with_suffix(".next")
    with draft.open("wb") as written:
        written.write(root * 40)
        written.flush()
        os.fsync(written.fileno())
    draft.replace(file)
    folder = os.open(file.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)
