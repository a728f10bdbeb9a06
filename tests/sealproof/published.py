"""Writes a log's files as C2SP tlog-tiles lays them out, without the service."""

from collections.abc import Sequence
from pathlib import Path

from sealproof import merkle
from sealproof.tiles import TILE_WIDTH, Tile, encode_entries, entries_path
from tests.sealproof.samples import TRUST, log_note


def publish(root: Path, entries: Sequence[bytes], *, note: str | None = None) -> None:
    """checkpoint, trust.json, every hash tile and entry bundle of these entries, below `root`."""
    hashes, level = merkle.leaf_hashes_of(entries), 0
    top = merkle.root_of(hashes)
    for number in range(-(-len(entries) // TILE_WIDTH)):
        part = entries[number * TILE_WIDTH : (number + 1) * TILE_WIDTH]
        _put(root / entries_path(number, len(part)), encode_entries(part))
    while hashes:
        above = []
        for number in range(-(-len(hashes) // TILE_WIDTH)):
            tile = hashes[number * TILE_WIDTH : (number + 1) * TILE_WIDTH]
            _put(root / Tile(level, number, len(tile)).path(), b"".join(tile))
            if len(tile) == TILE_WIDTH:
                above.append(merkle.root_of(tile))
        hashes, level = above, level + 1
    _put(root / "checkpoint", (note or log_note(len(entries), top)).encode())
    _put(root / "trust.json", TRUST.dump())


def _put(path: Path, raw: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(raw)
