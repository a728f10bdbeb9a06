"""Tiles (C2SP tlog-tiles v0.1.0): the tree as immutable files of 256 hashes, proofs from few of them.

Level 0 holds leaf hashes; each hash of a higher level is the root of one full tile below. Partial tiles
stand at the right edge and are never hashed into a higher level. This module reads through the caller's
function and keeps nothing.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from sealproof.encoding import HASH_LENGTH, MAX_SIZE, excerpt
from sealproof.entry import ENTRY_LIMIT
from sealproof.errors import BadLength, BadSyntax, OutOfRange, Oversized, TrailingBytes, Truncated
from sealproof.merkle import EMPTY_ROOT, consistency_ranges, inclusion_ranges, node_hash, root_of

HEIGHT = 8
TILE_WIDTH = 1 << HEIGHT
MAX_LEVEL = 63

ReadTile: TypeAlias = Callable[[int, int, int], bytes]
"""(level, number, width) → width × 32 bytes of one tile; the reader cuts a wider stored tile to width."""

_PATH = re.compile(
    r"tile/(?P<level>entries|0|[1-9][0-9]?)/(?P<number>(?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Tile:
    """One tile: level 0..63, number from 0 within the level, width 1..256 hashes. Raises OutOfRange."""

    level: int
    number: int
    width: int = TILE_WIDTH

    def __post_init__(self) -> None:
        if not 0 <= self.level <= MAX_LEVEL:
            raise OutOfRange(f"expected a tile level from 0 to {MAX_LEVEL}, met {self.level}")
        _check_place(self.number, self.width)

    def path(self) -> str:
        """`tile/1/x001/067` or, when partial, `tile/1/x001/067.p/9`."""
        return f"tile/{self.level}/{_number_path(self.number, self.width)}"


def entries_path(number: int, width: int = TILE_WIDTH) -> str:
    """Path of the entry bundle beside the level 0 tile of that number and width. Raises OutOfRange."""
    _check_place(number, width)
    return f"tile/entries/{_number_path(number, width)}"


def parse_path(path: str) -> Tile:
    """The hash tile of a path in its one form. Raises BadSyntax, OutOfRange."""
    level, number, width = _parse(path)
    if level == "entries":
        raise BadSyntax("expected the path of a hash tile, met that of an entry bundle")
    return Tile(int(level), number, width)


def parse_entries_path(path: str) -> tuple[int, int]:
    """Number and width of an entry bundle's path in its one form. Raises BadSyntax, OutOfRange."""
    level, number, width = _parse(path)
    if level != "entries":
        raise BadSyntax("expected the path of an entry bundle, met that of a hash tile")
    _check_place(number, width)
    return number, width


def tiles_of(size: int) -> list[Tile]:
    """Every tile of a tree, by level and number; 277 for 70,000 entries. Raises OutOfRange."""
    return new_tiles(0, size)


def new_tiles(old_size: int, new_size: int) -> list[Tile]:
    """Tiles of the tree of new_size that the tree of old_size has not, or has narrower. Raises OutOfRange."""
    if not 0 <= old_size <= new_size <= MAX_SIZE:
        raise OutOfRange(f"expected sizes that grow up to {MAX_SIZE}, met {old_size} and {new_size}")
    tiles: list[Tile] = []
    level, old, new = 0, old_size, new_size
    while new > old:
        tiles += [
            Tile(level, number, min(TILE_WIDTH, new - number * TILE_WIDTH))
            for number in range(old // TILE_WIDTH, -(-new // TILE_WIDTH))
        ]
        level, old, new = level + 1, old // TILE_WIDTH, new // TILE_WIDTH
    return tiles


def root_from_tiles(read_tile: ReadTile, size: int) -> bytes:
    """Root of the tree of size, read from at most one tile a level. Raises BadLength, OutOfRange."""
    return _TileTree(read_tile, size).root(0, size) if size else EMPTY_ROOT


def inclusion_path_from_tiles(read_tile: ReadTile, index: int, size: int) -> list[bytes]:
    """Audit path as `merkle.inclusion_path` gives it, read from at most two tiles a level.

    Raises BadLength, OutOfRange.
    """
    tree = _TileTree(read_tile, size)
    return [tree.root(low, high) for low, high in inclusion_ranges(index, size)]


def consistency_path_from_tiles(read_tile: ReadTile, old_size: int, new_size: int) -> list[bytes]:
    """Consistency proof as `merkle.consistency_path` gives it, read likewise.

    Raises BadLength, OutOfRange.
    """
    tree = _TileTree(read_tile, new_size)
    return [tree.root(low, high) for low, high in consistency_ranges(old_size, new_size)]


def encode_entries(entries: Sequence[bytes]) -> bytes:
    """Entry bundle: each entry behind its length in two bytes, big-endian. Raises OutOfRange, Oversized."""
    if not 1 <= len(entries) <= TILE_WIDTH:
        raise OutOfRange(f"expected 1 to {TILE_WIDTH} entries in a bundle, met {len(entries)}")
    if any(len(entry) > ENTRY_LIMIT for entry in entries):
        raise Oversized(f"expected entries of at most {ENTRY_LIMIT} bytes")
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def decode_entries(raw: bytes, width: int) -> list[bytes]:
    """The width entries of a bundle. Raises Truncated, TrailingBytes, OutOfRange."""
    _check_place(0, width)
    entries: list[bytes] = []
    start = 0
    for _ in range(width):
        end = start + 2 + int.from_bytes(raw[start : start + 2], "big")
        if start + 2 > len(raw) or end > len(raw):
            raise Truncated(f"expected {width} entries in the bundle, met {len(entries)} whole ones")
        entries.append(raw[start + 2 : end])
        start = end
    if start != len(raw):
        raise TrailingBytes(
            f"expected {width} entries in the bundle, met {len(raw) - start} bytes after them"
        )
    return entries


class _TileTree:
    """Subtree roots of one tree, each tile read once and only when it is needed."""

    __slots__ = ("_read", "_size", "_tiles")

    def __init__(self, read_tile: ReadTile, size: int) -> None:
        if not 0 <= size <= MAX_SIZE:
            raise OutOfRange(f"expected a size from 0 to {MAX_SIZE}, met {size}")
        self._read = read_tile
        self._size = size
        self._tiles: dict[tuple[int, int], list[bytes]] = {}

    def root(self, low: int, high: int) -> bytes:
        """Root over [low, high), a range of `merkle.*_ranges`: its whole subtrees, folded from the right."""
        subtrees: list[bytes] = []
        while low < high:
            height = (high - low).bit_length() - 1
            subtrees.append(self._subtree(low >> height, height))
            low += 1 << height
        root = subtrees.pop()
        while subtrees:
            root = node_hash(subtrees.pop(), root)
        return root

    def _subtree(self, number: int, height: int) -> bytes:
        """Root of the whole subtree of 2**height leaves with that number, from the one tile that holds it."""
        level, rise = divmod(height, HEIGHT)
        first = number << rise
        start = first % TILE_WIDTH
        return root_of(self._tile(level, first // TILE_WIDTH)[start : start + (1 << rise)])

    def _tile(self, level: int, number: int) -> list[bytes]:
        if (level, number) not in self._tiles:
            width = min(TILE_WIDTH, (self._size >> (HEIGHT * level)) - number * TILE_WIDTH)
            raw = self._read(level, number, width)
            if len(raw) != width * HASH_LENGTH:
                path = Tile(level, number, width).path()
                raise BadLength(f"expected {width * HASH_LENGTH} bytes of {path}, met {len(raw)}")
            self._tiles[level, number] = [
                raw[at : at + HASH_LENGTH] for at in range(0, len(raw), HASH_LENGTH)
            ]
        return self._tiles[level, number]


def _parse(path: str) -> tuple[str, int, int]:
    match = _PATH.fullmatch(path)
    if not match:
        raise BadSyntax(f"expected a tile path like tile/0/x001/067.p/9, met {excerpt(path)}")
    number = int(match["number"].replace("x", "").replace("/", ""))
    width = int(match["width"]) if match["width"] else TILE_WIDTH
    if match["width"] == str(TILE_WIDTH) or match["number"].startswith("x000"):
        raise BadSyntax("expected the shortest form of the tile's path")
    return match["level"], number, width


def _number_path(number: int, width: int) -> str:
    digits = str(number)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    path = "/".join([f"x{group}" for group in groups[:-1]] + groups[-1:])
    return path if width == TILE_WIDTH else f"{path}.p/{width}"


def _check_place(number: int, width: int) -> None:
    if not 0 <= number <= MAX_SIZE >> HEIGHT:
        raise OutOfRange(f"expected a tile number from 0 to {MAX_SIZE >> HEIGHT}, met {number}")
    if not 1 <= width <= TILE_WIDTH:
        raise OutOfRange(f"expected a tile width from 1 to {TILE_WIDTH}, met {width}")
