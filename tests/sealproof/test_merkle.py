"""The tree agrees with the reference and with pymerkle, refuses mutated proofs, and hashes near the floor."""

import os
import random
import tracemalloc

import pymerkle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sealproof import merkle
from sealproof.errors import (
    BadLength,
    ConsistencyFalse,
    InclusionFalse,
    OutOfRange,
    RootMismatch,
    TreeShrank,
    VerificationError,
)
from tests.sealproof.reference import ReferenceTree, leaf, node

EXHAUSTIVE = 512
LARGE = 100_000
MUTATIONS = int(os.environ.get("SEALPROOF_MUTATIONS", "5000"))

LEAVES = [leaf(number.to_bytes(4, "big")) for number in range(LARGE)]
TREE = ReferenceTree(LEAVES)


def test_prefixes_keep_leaves_and_nodes_apart() -> None:
    left, right = merkle.leaf_hash(b"left"), merkle.leaf_hash(b"right")

    assert merkle.leaf_hash(b"left") == leaf(b"left")
    assert merkle.node_hash(left, right) == node(left, right)
    assert merkle.leaf_hash(left + right) != merkle.node_hash(left, right)
    assert merkle.leaf_hashes_of([b"left", b"right"]) == [left, right]


@pytest.mark.parametrize("first", range(1, EXHAUSTIVE + 1, 64))
def test_every_root_up_to_512_is_the_references(first: int) -> None:
    for size in range(first, first + 64):
        grown = merkle.CompactRange.empty()
        grown.extend(LEAVES[:size])

        assert merkle.root_of(LEAVES[:size]) == TREE.root(0, size) == grown.root()
        assert len(grown.nodes) == size.bit_count()


@pytest.mark.parametrize("first", range(1, EXHAUSTIVE + 1, 64))
def test_every_inclusion_proof_up_to_512_is_the_references_and_holds(first: int) -> None:
    for size in range(first, first + 64):
        root = TREE.root(0, size)
        for index in range(size):
            path = [TREE.root(low, high) for low, high in merkle.inclusion_ranges(index, size)]

            assert path == TREE.inclusion(index, 0, size)
            merkle.check_inclusion(LEAVES[index], index, size, path, root)


@pytest.mark.parametrize("first", range(1, EXHAUSTIVE + 1, 64))
def test_every_consistency_proof_up_to_512_is_the_references_and_holds(first: int) -> None:
    for size in range(first, first + 64):
        root = TREE.root(0, size)
        for old in range(1, size + 1):
            path = [TREE.root(low, high) for low, high in merkle.consistency_ranges(old, size)]

            assert path == TREE.consistency(old, size)
            merkle.check_consistency(old, TREE.root(0, old), size, root, path)


@pytest.mark.parametrize("size", [*range(1, 66), 255, 256, 257, 511, 512])
def test_paths_computed_from_leaf_hashes_are_the_references(size: int) -> None:
    leaves = LEAVES[:size]

    assert [merkle.inclusion_path(leaves, index) for index in range(size)] == [
        TREE.inclusion(index, 0, size) for index in range(size)
    ]
    assert [merkle.consistency_path(leaves, old) for old in range(1, size + 1)] == [
        TREE.consistency(old, size) for old in range(1, size + 1)
    ]
    assert merkle.consistency_path(leaves, 0) == []


@given(st.integers(1, LARGE), st.data())
@settings(max_examples=300, deadline=None)
def test_random_trees_up_to_100_000_agree(size: int, data: st.DataObject) -> None:
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    root = TREE.root(0, size)

    inclusion = [TREE.root(low, high) for low, high in merkle.inclusion_ranges(index, size)]
    consistency = [TREE.root(low, high) for low, high in merkle.consistency_ranges(old, size)]

    assert inclusion == TREE.inclusion(index, 0, size)
    assert consistency == TREE.consistency(old, size)
    merkle.check_inclusion(LEAVES[index], index, size, inclusion, root)
    merkle.check_consistency(old, TREE.root(0, old), size, root, consistency)


@given(st.lists(st.integers(0, 700), max_size=6))
@settings(max_examples=60, deadline=None)
def test_a_compact_range_grows_alike_in_any_portions(portions: list[int]) -> None:
    grown, size = merkle.CompactRange.empty(), 0
    for portion in portions:
        grown.extend(iter(LEAVES[size : size + portion]))
        size += portion
    again = merkle.CompactRange(grown.size, grown.nodes)
    again.append(LEAVES[size])

    assert (grown.size, grown.root()) == (size, TREE.root(0, size))
    assert again.root() == TREE.root(0, size + 1)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 64, 100, 257])
def test_pymerkle_finds_the_same_roots_and_path_hashes(size: int) -> None:
    theirs = pymerkle.InmemoryTree(algorithm="sha256")
    for number in range(size):
        theirs.append_entry(number.to_bytes(4, "big"))

    assert theirs.get_root(size) == merkle.root_of(LEAVES[:size])
    for index in range(0, size, 5):
        # pymerkle counts from one and puts the leaf itself among the hashes of the path.
        proof = theirs.prove_inclusion(index + 1, size)
        assert set(proof.path) == {LEAVES[index], *merkle.inclusion_path(LEAVES[:size], index)}


def _mutated(path: list[bytes], chance: random.Random) -> list[bytes]:
    """The path changed in one of six ways; the result always differs."""
    at = chance.randrange(len(path))
    match chance.randrange(6):
        case 0:
            bit = chance.randrange(256)
            altered = (int.from_bytes(path[at], "big") ^ (1 << bit)).to_bytes(32, "big")
            return [*path[:at], altered, *path[at + 1 :]]
        case 1:
            return path[:at] + path[at + 1 :]
        case 2:
            return [*path[:at], path[at], *path[at:]]
        case 3:
            return [*path[:at], chance.randbytes(32), *path[at:]]
        case 4 if len(path) > 1:
            other = (at + 1) % len(path)
            swapped = list(path)
            swapped[at], swapped[other] = path[other], path[at]
            return swapped
        case _:
            return [*path[:at], LEAVES[chance.randrange(LARGE)], *path[at + 1 :]]


def test_no_mutated_inclusion_proof_is_accepted() -> None:
    chance = random.Random(20261123)
    for _ in range(MUTATIONS):
        size = chance.randrange(2, chance.choice((10, 600, LARGE)))
        index = chance.randrange(size)
        root, path, shown = TREE.root(0, size), TREE.inclusion(index, 0, size), LEAVES[index]
        match chance.randrange(4):
            case 0:
                index = (index + chance.randrange(1, size)) % size
            case 1:
                shown = LEAVES[(index + 1) % LARGE]
            case _:
                path = _mutated(path, chance)

        with pytest.raises(InclusionFalse):
            merkle.check_inclusion(shown, index, size, path, root)


def test_no_mutated_consistency_proof_is_accepted() -> None:
    chance = random.Random(20261124)
    for _ in range(MUTATIONS):
        size = chance.randrange(2, chance.choice((10, 600, LARGE)))
        old = chance.randrange(1, size)
        old_root, root, path = TREE.root(0, old), TREE.root(0, size), TREE.consistency(old, size)
        match chance.randrange(4):
            case 0:
                old_root = TREE.root(0, old - 1 or size)
            case 1:
                root = node(root, root)
            case _:
                path = _mutated(path, chance)

        with pytest.raises(ConsistencyFalse):
            merkle.check_consistency(old, old_root, size, root, path)


def test_a_replaced_entry_makes_a_larger_tree_inconsistent() -> None:
    forged = ReferenceTree([leaf(b"forged"), *LEAVES[1:64]])

    with pytest.raises(ConsistencyFalse):
        merkle.check_consistency(40, TREE.root(0, 40), 64, forged.root(0, 64), forged.consistency(40, 64))


def test_a_smaller_or_forked_tree_is_named() -> None:
    with pytest.raises(TreeShrank):
        merkle.check_consistency(8, TREE.root(0, 8), 7, TREE.root(0, 7), [])
    with pytest.raises(RootMismatch):
        merkle.check_consistency(8, TREE.root(0, 8), 8, TREE.root(1, 9), [])


@pytest.mark.parametrize("index", [-1, 4, 2**70])
def test_paths_outside_the_tree_are_refused(index: int) -> None:
    with pytest.raises(OutOfRange):
        merkle.inclusion_path(LEAVES[:4], index)
    with pytest.raises(OutOfRange):
        merkle.consistency_path(LEAVES[:3], index)


def test_hashes_of_another_length_are_refused_everywhere() -> None:
    wrong = [*LEAVES[:2], b"short"]
    grown = merkle.CompactRange.empty()

    for attempt in (merkle.root_of, grown.extend, lambda hashes: merkle.inclusion_path(hashes, 0)):
        with pytest.raises(BadLength):
            attempt(wrong)
    with pytest.raises(BadLength):
        grown.append(b"")
    with pytest.raises(BadLength):
        merkle.check_inclusion(LEAVES[0], 0, 2, wrong[2:], TREE.root(0, 2))
    assert grown.size == 0


@pytest.mark.parametrize(("size", "nodes"), [(-1, 0), (0, 1), (3, 1), (4, 2), (2**63, 1)])
def test_a_compact_range_of_the_wrong_shape_is_refused(size: int, nodes: int) -> None:
    with pytest.raises(OutOfRange):
        merkle.CompactRange(size, LEAVES[:nodes])


def test_refusals_of_proofs_are_verification_errors() -> None:
    assert issubclass(InclusionFalse, VerificationError)
    assert issubclass(ConsistencyFalse, VerificationError)
    assert len({InclusionFalse.code, ConsistencyFalse.code, TreeShrank.code, RootMismatch.code}) == 4


def test_a_long_extension_needs_little_memory() -> None:
    one = LEAVES[0]
    grown = merkle.CompactRange.empty()

    tracemalloc.start()
    grown.extend(one for _ in range(50_000))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert grown.size == 50_000
    assert peak < 200_000


def test_no_proof_at_all_is_no_proof_of_growth() -> None:
    for old in (3, 4):
        with pytest.raises(ConsistencyFalse):
            merkle.check_consistency(old, TREE.root(0, old), 7, TREE.root(0, 7), [])
