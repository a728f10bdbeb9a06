"""The stored tree: C2SP tiles in the `tile` table, extended by the sealer, read by everyone who makes a
proof.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from sqlalchemy import bindparam, select
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Session

from sealproof import merkle
from sealproof.encoding import HASH_LENGTH
from sealproof.tiles import TILE_WIDTH, ReadTile
from talentseal.db import is_sqlite, only_row
from talentseal.errors import Conflict
from talentseal.evidence.models import Tile

TILE_BYTES = TILE_WIDTH * HASH_LENGTH
KEPT: Final = 16
"""Tiles that a reader keeps: a proof asks for several spans of one."""

_STORED: Final = select(Tile.hashes).where(
    Tile.level == bindparam("level"), Tile.number == bindparam("number")
)


class TileMissing(Conflict):
    code = "tile-missing"
    zh = "日志树第 {level} 层第 {number} 块应有 {needed} 个哈希，实有 {met} 个。请运行 talentseal fsck。"
    en = "Tile {number} of level {level} lacks hashes (needed {needed}, met {met}); run talentseal fsck."


def append(session: Session, size: int, leaf_hashes: Sequence[bytes]) -> None:
    """Extend the stored tree of `size` leaves by `leaf_hashes`; whatever lies beyond `size` is overwritten.

    Writes each touched tile once. A full tile's root goes up as one hash of the next level.
    """
    level, position, added = 0, size, list(leaf_hashes)
    while added:
        added = _append_level(session, level, position, added)
        position //= TILE_WIDTH
        level += 1


def _append_level(session: Session, level: int, position: int, added: list[bytes]) -> list[bytes]:
    """Append hashes at `position` of one level; the roots of the tiles that became full, for the level
    above.
    """
    number, kept = divmod(position, TILE_WIDTH)
    hashes = read_tile(session)(level, number, kept) if kept else b""
    hashes += b"".join(added)
    tiles, completed = [], []
    for start in range(0, len(hashes), TILE_BYTES):
        piece = hashes[start : start + TILE_BYTES]
        tiles.append({"level": level, "number": number, "hashes": piece})
        if len(piece) == TILE_BYTES:
            completed.append(merkle.root_of(hashes_in(piece)))
        number += 1
    _store(session, tiles)
    return completed


def hashes_in(tile: bytes) -> list[bytes]:
    """The hashes of a tile, one by one."""
    return [tile[start : start + HASH_LENGTH] for start in range(0, len(tile), HASH_LENGTH)]


def _store(session: Session, tiles: list[dict[str, object]]) -> None:
    insert = insert_sqlite if is_sqlite(session) else insert_postgresql
    statement = insert(Tile)
    replace = statement.on_conflict_do_update(
        index_elements=["level", "number"], set_={"hashes": statement.excluded.hashes}
    )
    session.execute(replace, tiles)


def read_tile(session: Session) -> ReadTile:
    """A reader (level, number, width) → width × 32 bytes, as `sealproof.tiles` takes it, which keeps what it
    read last. Raises TileMissing.
    """

    @lru_cache(maxsize=KEPT)
    def stored(level: int, number: int) -> bytes:
        row = only_row(session, _STORED, level=level, number=number)
        return bytes(row.hashes) if row else b""

    def read(level: int, number: int, width: int) -> bytes:
        hashes = stored(level, number)
        if len(hashes) < width * HASH_LENGTH:
            raise TileMissing(level=level, number=number, needed=width, met=len(hashes) // HASH_LENGTH)
        return hashes[: width * HASH_LENGTH]

    return read
