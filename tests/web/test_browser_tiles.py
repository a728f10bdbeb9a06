"""The browser's tile reader and sealproof's make the same roots and proofs of the same tiles."""

import base64
import random
from collections.abc import Callable
from typing import Any

import pytest

from sealproof import merkle, tiles
from sealproof.errors import ProofError
from sealproof.tiles import Tile
from tests.web.node import Job, answers

SEED = 20261126
SIZES = [1, 2, 3, 7, 8, 255, 256, 257, 300, 511, 512, 513, 1000, 65_535, 65_536, 65_537, 66_000]
EDGES = [(0, -1, 1), (0, 2**55 - 1, 256), (0, 2**55, 256), (0, 0, 0), (0, 0, 257)]
LEAVES = [merkle.leaf_hash(str(number).encode()) for number in range(max(SIZES))]


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


class Shelf:
    """The tiles of the whole tree, by the path of what was asked."""

    def __init__(self) -> None:
        self.levels = [LEAVES]
        while len(self.levels[-1]) >= tiles.TILE_WIDTH:
            below, width = self.levels[-1], tiles.TILE_WIDTH
            whole = range(0, len(below) // width * width, width)
            self.levels.append([merkle.root_of(below[at : at + width]) for at in whole])
        self.asked: dict[str, bytes] = {}

    def read(self, level: int, number: int, width: int) -> bytes:
        first = number * tiles.TILE_WIDTH
        raw = b"".join(self.levels[level][first : first + width])
        self.asked[Tile(level, number, width).path()] = raw
        return raw


def expected(shelf: Shelf, old: int, size: int, index: int) -> dict[str, Any]:
    """What sealproof makes; the shelf notes which tiles it read for that."""
    shelf.asked.clear()
    root = tiles.root_from_tiles(shelf.read, size)
    consistency = tiles.consistency_path_from_tiles(shelf.read, old, size)
    inclusion = tiles.inclusion_path_from_tiles(shelf.read, index, size)
    tiles.root_from_tiles(shelf.read, old)
    return {
        "root": b64(root),
        "consistency": [b64(digest) for digest in consistency],
        "inclusion": [b64(digest) for digest in inclusion],
        "read": sorted(shelf.asked),
    }


def job(shelf: Shelf, old: int, size: int, index: int) -> Job:
    held = {path: b64(raw) for path, raw in shelf.asked.items()}
    return "tiles", {"tiles": held, "old": old, "size": size, "index": index}


def test_roots_and_proofs_are_those_of_sealproof_from_the_same_tiles() -> None:
    chosen, shelf = random.Random(SEED), Shelf()
    triples = [(chosen.randint(0, size), size, chosen.randrange(size)) for size in SIZES for _ in range(4)]
    triples += [(old, size, 0) for old, size in ((0, 300), (256, 257), (300, 300), (65_536, 66_000))]

    wanted, jobs = [], []
    for triple in triples:
        wanted.append(expected(shelf, *triple))
        jobs.append(job(shelf, *triple))

    for triple, right, found in zip(triples, wanted, answers(jobs), strict=True):
        met = found["found"]
        assert {**met, "read": sorted(set(met["read"]))} == right, triple


def test_a_tile_with_one_changed_byte_or_one_hash_less_is_not_taken() -> None:
    shelf = Shelf()
    expected(shelf, 200, 300, 0)
    changed, cut = job(shelf, 200, 300, 0), job(shelf, 200, 300, 0)
    raw = base64.b64decode(changed[1]["tiles"]["tile/0/001.p/44"])
    changed[1]["tiles"]["tile/0/001.p/44"] = b64(bytes([raw[0] ^ 1]) + raw[1:])
    cut[1]["tiles"]["tile/0/001.p/44"] = b64(raw[:-32])

    of_changed, of_cut = answers([changed, cut])

    assert of_changed["found"]["root"] != b64(merkle.root_of(LEAVES[:300]))
    assert (of_cut["refused"], of_cut["why"]) == (
        "BadLength",
        "expected 1408 bytes of tile/0/001.p/44, met 1376",
    )


def test_false_consistency_is_refused() -> None:
    shelf = Shelf()
    expected(shelf, 200, 300, 0)
    given = job(shelf, 200, 300, 0)
    # The old tree's own tile is another than what the new tree says of the same leaves.
    raw = base64.b64decode(given[1]["tiles"]["tile/0/000.p/200"])
    given[1]["tiles"]["tile/0/000.p/200"] = b64(bytes([raw[0] ^ 1]) + raw[1:])

    assert answers([given])[0]["refused"] == "ConsistencyFalse"


@pytest.mark.parametrize(
    ("level", "number", "width"),
    [(0, 0, 256), (0, 67, 9), (1, 1067, 256), (1, 1_234_067, 1), (63, 0, 1), (64, 0, 1), (-1, 0, 1), *EDGES],
)
def test_paths_are_those_of_sealproof(level: int, number: int, width: int) -> None:
    found = answers([("tile-path", {"level": level, "number": str(number), "width": width})])[0]

    assert found == _said(lambda: Tile(level, number, width).path())


def _said(make: Callable[[], str]) -> dict[str, str]:
    """What sealproof makes or refuses, in the runner's form."""
    try:
        return {"found": make()}
    except ProofError as refusal:
        return {"refused": type(refusal).__name__, "why": str(refusal), "code": refusal.code}


@pytest.mark.parametrize(("old", "size", "index"), [(4, 3, 0), (0, 3, 3), (0, 3, -1), (0, 0, 0)])
def test_places_beyond_the_tree_are_refused_alike(old: int, size: int, index: int) -> None:
    shelf = Shelf()
    held = {Tile(0, 0, size).path(): b64(shelf.read(0, 0, size))} if size else {}

    found = answers([("tiles", {"tiles": held, "old": old, "size": size, "index": index})])[0]

    with pytest.raises(ProofError) as refusal:
        expected(shelf, old, size, index)
    assert (found["refused"], found["why"]) == (type(refusal.value).__name__, str(refusal.value))
