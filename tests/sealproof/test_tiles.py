"""Tiles name, cut and carry the tree; proofs read from a few of them equal those of the reference."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sealproof import merkle, tiles
from sealproof.errors import BadLength, BadSyntax, OutOfRange, Oversized, TrailingBytes, Truncated
from tests.sealproof.reference import ReferenceTree, leaf

LARGE = 140_000
LEAVES = [leaf(number.to_bytes(4, "big")) for number in range(LARGE)]
TREE = ReferenceTree(LEAVES)
LEVELS = [LEAVES]
while len(LEVELS[-1]) >= tiles.TILE_WIDTH:
    below = LEVELS[-1]
    LEVELS.append([merkle.root_of(below[at : at + 256]) for at in range(0, len(below) - 255, 256)])


class Shelf:
    """Gives out tiles of one tree size only, and notes which were read."""

    def __init__(self, size: int) -> None:
        self.allowed = {(tile.level, tile.number, tile.width) for tile in tiles.tiles_of(size)}
        self.read: list[tuple[int, int, int]] = []

    def __call__(self, level: int, number: int, width: int) -> bytes:
        assert (level, number, width) in self.allowed
        self.read.append((level, number, width))
        return b"".join(LEVELS[level][number * 256 : number * 256 + width])


sizes = st.one_of(st.integers(1, 1_000), st.integers(65_000, 66_600), st.integers(1, LARGE))


@given(sizes, st.data())
@settings(max_examples=150, deadline=None)
def test_proofs_and_roots_from_tiles_are_the_references(size: int, data: st.DataObject) -> None:
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))

    assert tiles.root_from_tiles(Shelf(size), size) == TREE.root(0, size)
    assert tiles.inclusion_path_from_tiles(Shelf(size), index, size) == TREE.inclusion(index, 0, size)
    assert tiles.consistency_path_from_tiles(Shelf(size), old, size) == TREE.consistency(old, size)


@given(sizes, st.data())
@settings(max_examples=100, deadline=None)
def test_a_proof_reads_each_tile_once_and_at_most_two_a_level(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    inclusion, consistency, root = Shelf(size), Shelf(size), Shelf(size)

    tiles.inclusion_path_from_tiles(inclusion, index, size)
    tiles.consistency_path_from_tiles(consistency, index + 1, size)
    tiles.root_from_tiles(root, size)

    for shelf, most in ((inclusion, 2), (consistency, 2), (root, 1)):
        levels = [level for level, _, _ in shelf.read]
        assert len(set(shelf.read)) == len(shelf.read)
        assert all(levels.count(level) <= most for level in levels)


def test_seventy_thousand_entries_make_277_tiles() -> None:
    shape = [(tile.level, tile.width) for tile in tiles.tiles_of(70_000)]

    assert len(shape) == 277
    assert shape.count((0, 256)) == 273
    assert [place for place in shape if place[1] != 256] == [(0, 112), (1, 17), (2, 1)]
    assert tiles.tiles_of(0) == []
    assert [tile.path() for tile in tiles.tiles_of(256)] == ["tile/0/000", "tile/1/000.p/1"]


@given(st.integers(0, 200_000), st.integers(0, 3_000))
@settings(max_examples=100, deadline=None)
def test_old_and_new_tiles_together_are_all_tiles(old: int, more: int) -> None:
    before, after = set(tiles.tiles_of(old)), set(tiles.tiles_of(old + more))

    assert set(tiles.new_tiles(old, old + more)) == after - before


@given(st.integers(0, 63), st.integers(0, 2**55 - 1), st.integers(1, 256))
def test_every_tile_path_is_read_back(level: int, number: int, width: int) -> None:
    tile = tiles.Tile(level, number, width)

    assert tiles.parse_path(tile.path()) == tile
    assert tiles.parse_entries_path(tiles.entries_path(number, width)) == (number, width)


def test_paths_of_hash_tiles_and_entry_bundles_are_not_taken_for_each_other() -> None:
    assert tiles.entries_path(1_234_067, 9) == "tile/entries/x001/x234/067.p/9"
    with pytest.raises(BadSyntax):
        tiles.parse_path("tile/entries/000")
    with pytest.raises(BadSyntax):
        tiles.parse_entries_path("tile/0/000")
    with pytest.raises(OutOfRange):
        tiles.parse_entries_path("tile/entries/000.p/257")


@pytest.mark.parametrize("place", [(-1, 0, 1), (64, 0, 1), (0, -1, 1), (0, 2**55, 1), (0, 0, 0), (0, 0, 257)])
def test_tiles_outside_the_format_are_refused(place: tuple[int, int, int]) -> None:
    with pytest.raises(OutOfRange):
        tiles.Tile(*place)


@pytest.mark.parametrize(("old", "new"), [(-1, 1), (2, 1), (0, 2**63)])
def test_sizes_that_shrink_or_overflow_are_refused(old: int, new: int) -> None:
    with pytest.raises(OutOfRange):
        tiles.new_tiles(old, new)


def test_a_tile_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(BadLength):
        tiles.root_from_tiles(lambda *_: bytes(31), 1)
    with pytest.raises(BadLength):
        tiles.inclusion_path_from_tiles(lambda *_: bytes(256 * 32), 0, 7)
    with pytest.raises(OutOfRange):
        tiles.root_from_tiles(Shelf(1), -1)
    assert tiles.root_from_tiles(Shelf(0), 0) == merkle.EMPTY_ROOT


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=256))
def test_an_entry_bundle_is_read_back_and_refused_when_cut_or_continued(entries: list[bytes]) -> None:
    raw = tiles.encode_entries(entries)

    assert tiles.decode_entries(raw, len(entries)) == entries
    with pytest.raises(Truncated):
        tiles.decode_entries(raw[:-1], len(entries))
    with pytest.raises(TrailingBytes):
        tiles.decode_entries(raw + b"\x00", len(entries))


def test_bundles_outside_the_format_are_refused() -> None:
    with pytest.raises(Oversized):
        tiles.encode_entries([bytes(65_536)])
    for entries in ([], [b""] * 257):
        with pytest.raises(OutOfRange):
            tiles.encode_entries(entries)
    with pytest.raises(OutOfRange):
        tiles.decode_entries(b"", 0)
