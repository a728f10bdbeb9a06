"""Merkle tree over evidence entries: roots and proofs (RFC 9162 §2.1).

Hashing only — no I/O, no signatures, no notion of time.
"""

import hashlib
from collections.abc import Iterable, Sequence
from itertools import islice

from sealproof.encoding import HASH_LENGTH, MAX_SIZE
from sealproof.errors import BadLength, ConsistencyFalse, InclusionFalse, OutOfRange, RootMismatch, TreeShrank

EMPTY_ROOT = hashlib.sha256(b"").digest()

# Copying a hash object that already holds the prefix is about a fifth faster than hashing a joined message.
_LEAF = hashlib.sha256(b"\x00")
_NODE = hashlib.sha256(b"\x01")
_BLOCK = 256
"""Leaves hashed level by level at a time: one tile, so that memory stays small and the loop stays tight."""


def leaf_hash(entry: bytes) -> bytes:
    """SHA-256(0x00 ‖ entry), 32 bytes."""
    state = _LEAF.copy()
    state.update(entry)
    return state.digest()


def leaf_hashes_of(entries: Iterable[bytes]) -> list[bytes]:
    """Leaf hashes of many entries, in order; the same as `leaf_hash` on each, faster."""
    copy = _LEAF.copy
    hashes: list[bytes] = []
    append = hashes.append
    for entry in entries:
        state = copy()
        state.update(entry)
        append(state.digest())
    return hashes


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 ‖ left ‖ right), 32 bytes."""
    state = _NODE.copy()
    state.update(left + right)
    return state.digest()


def root_of(leaf_hashes: Sequence[bytes]) -> bytes:
    """Root over leaf hashes in log order; EMPTY_ROOT over none.

    Raises BadLength for a hash that is not 32 bytes.
    """
    _check_hashes(leaf_hashes)
    return _fold_levels(leaf_hashes) if leaf_hashes else EMPTY_ROOT


def inclusion_path(leaf_hashes: Sequence[bytes], index: int) -> list[bytes]:
    """Audit path of one leaf, lowest sibling first (RFC 9162 §2.1.3.1).

    leaf_hashes: n ≥ 1 digests of 32 bytes, in log order. index: 0 ≤ index < n.
    Returns at most ceil(log2 n) digests; none when n = 1. Raises OutOfRange, BadLength.
    """
    _check_hashes(leaf_hashes)
    return [_fold_levels(leaf_hashes[low:high]) for low, high in inclusion_ranges(index, len(leaf_hashes))]


def consistency_path(leaf_hashes: Sequence[bytes], old_size: int) -> list[bytes]:
    """Proof that the whole tree contains its first old_size leaves unchanged (RFC 9162 §2.1.4.1).

    0 ≤ old_size ≤ n; none when old_size is 0 or n. Raises OutOfRange, BadLength.
    """
    _check_hashes(leaf_hashes)
    return [
        _fold_levels(leaf_hashes[low:high]) for low, high in consistency_ranges(old_size, len(leaf_hashes))
    ]


def inclusion_ranges(index: int, size: int) -> list[tuple[int, int]]:
    """Leaf ranges [low, high) whose roots form the audit path, lowest sibling first. Raises OutOfRange."""
    if not 0 <= index < size:
        raise OutOfRange(f"expected an index from 0 to below the size {size}, met {index}")
    ranges: list[tuple[int, int]] = []
    low, high = 0, size
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            ranges.append((middle, high))
            high = middle
        else:
            ranges.append((low, middle))
            low = middle
    ranges.reverse()
    return ranges


def consistency_ranges(old_size: int, new_size: int) -> list[tuple[int, int]]:
    """Leaf ranges [low, high) whose roots form the consistency proof, in proof order. Raises OutOfRange."""
    if not 0 <= old_size <= new_size:
        raise OutOfRange(f"expected an old size from 0 to the new size {new_size}, met {old_size}")
    if old_size in (0, new_size):
        return []
    ranges: list[tuple[int, int]] = []
    low, high = 0, new_size
    while high != old_size:
        middle = low + _split(high - low)
        if old_size <= middle:
            ranges.append((middle, high))
            high = middle
        else:
            ranges.append((low, middle))
            low = middle
    # The old tree's own last subtree is left out when it is the whole old tree: its root is known already.
    if low > 0:
        ranges.append((low, high))
    ranges.reverse()
    return ranges


def check_inclusion(leaf_hash: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> None:
    """Return when the path leads from the leaf at index to the root of size leaves (RFC 9162 §2.1.3.2).

    Raises InclusionFalse when it does not, BadLength or OutOfRange when a hash or number is malformed.
    """
    _check_hashes((leaf_hash, root, *path))
    _check_size(size)
    _check_size(index)
    if index >= size:
        raise InclusionFalse(f"expected an index below the size {size}, met {index}")
    node, position, last = leaf_hash, index, size - 1
    for sibling in path:
        if last == 0:
            raise InclusionFalse(
                f"expected a shorter path for index {index} of {size}, met {len(path)} hashes"
            )
        if position & 1 or position == last:
            node = node_hash(sibling, node)
            # A last node without sibling moves up unchanged to the level where it is a right child.
            while not position & 1:
                position, last = position >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        position, last = position >> 1, last >> 1
    if last != 0:
        raise InclusionFalse(f"expected a longer path for index {index} of {size}, met {len(path)} hashes")
    if node != root:
        raise InclusionFalse(
            f"the path of index {index} leads to another root than that of the {size} entries"
        )


def check_consistency(
    old_size: int, old_root: bytes, new_size: int, new_root: bytes, path: Sequence[bytes]
) -> None:
    """Return when the new tree contains the old one unchanged (RFC 9162 §2.1.4.2).

    Raises TreeShrank, RootMismatch (equal sizes or an empty tree with a wrong root), ConsistencyFalse,
    BadLength, OutOfRange.
    """
    _check_hashes((old_root, new_root, *path))
    _check_size(old_size)
    _check_size(new_size)
    if old_size > new_size:
        raise TreeShrank(
            f"the later tree has {new_size} entries but the earlier had {old_size}; keep both checkpoints"
        )
    _check_empty(old_size, old_root)
    _check_empty(new_size, new_root)
    if old_size in (0, new_size):
        if path:
            raise ConsistencyFalse(f"expected no proof from {old_size} to {new_size}, met {len(path)} hashes")
        if old_size == new_size and old_root != new_root:
            raise RootMismatch(f"two different roots for the same {old_size} entries; keep both checkpoints")
        return
    _walk_consistency(old_size, old_root, new_size, new_root, path)


def _walk_consistency(
    old_size: int, old_root: bytes, new_size: int, new_root: bytes, path: Sequence[bytes]
) -> None:
    # A power of two is a whole subtree of the new tree, so its root, already known, opens the proof.
    hashes = [old_root, *path] if old_size & (old_size - 1) == 0 else list(path)
    position, last = old_size - 1, new_size - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    if not hashes:
        raise ConsistencyFalse(f"expected a proof from {old_size} to {new_size}, met none")
    old = new = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            raise ConsistencyFalse(
                f"expected a shorter proof from {old_size} to {new_size}, met {len(path)} hashes"
            )
        if position & 1 or position == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while position and not position & 1:
                position, last = position >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        position, last = position >> 1, last >> 1
    if last != 0:
        raise ConsistencyFalse(
            f"expected a longer proof from {old_size} to {new_size}, met {len(path)} hashes"
        )
    if old != old_root or new != new_root:
        raise ConsistencyFalse(
            f"the proof does not lead from the root of {old_size} to the root of {new_size} entries"
        )


class CompactRange:
    """The least that must be kept to go on with a tree: one root per bit of its size, largest subtree first.

    Grows by leaf hashes in log order; memory is one block and at most 63 hashes, whatever the size.
    """

    __slots__ = ("_nodes", "_size")

    def __init__(self, size: int, nodes: Sequence[bytes]) -> None:
        """size: leaves so far. nodes: one 32-byte hash per set bit of size. Raises OutOfRange, BadLength."""
        _check_size(size)
        _check_hashes(nodes)
        if len(nodes) != size.bit_count():
            raise OutOfRange(
                f"expected {size.bit_count()} subtree roots for {size} entries, met {len(nodes)}"
            )
        self._size = size
        self._nodes = list(nodes)

    @classmethod
    def empty(cls) -> "CompactRange":
        """The range over no leaves."""
        return cls(0, ())

    @property
    def size(self) -> int:
        """Number of leaves taken in so far."""
        return self._size

    @property
    def nodes(self) -> tuple[bytes, ...]:
        """Roots of the whole subtrees that make up the tree, largest first."""
        return tuple(self._nodes)

    def append(self, leaf_hash: bytes) -> None:
        """Take in the next leaf. Raises BadLength."""
        _check_hashes((leaf_hash,))
        self._carry(leaf_hash, 1)

    def extend(self, leaf_hashes: Iterable[bytes]) -> None:
        """Take in the next leaves, from any iterable, in O(log n) memory.

        Raises BadLength; earlier blocks then stay in.
        """
        remaining = iter(leaf_hashes)
        while block := list(islice(remaining, _BLOCK - self._size % _BLOCK)):
            _check_hashes(block)
            if len(block) == _BLOCK:
                self._carry(_fold_levels(block), _BLOCK)
            else:
                for leaf in block:
                    self._carry(leaf, 1)

    def root(self) -> bytes:
        """Root over all leaves so far; EMPTY_ROOT over none."""
        if not self._nodes:
            return EMPTY_ROOT
        root = self._nodes[-1]
        for node in reversed(self._nodes[:-1]):
            root = node_hash(node, root)
        return root

    def _carry(self, node: bytes, width: int) -> None:
        """Add a whole subtree of width leaves, merging equal neighbours as a binary counter carries."""
        merged = width
        while self._size & merged:
            node = node_hash(self._nodes.pop(), node)
            merged <<= 1
        self._nodes.append(node)
        self._size += width


def _fold_levels(hashes: Sequence[bytes]) -> bytes:
    """Root over n ≥ 1 hashes, level by level; an odd last node moves up, which is RFC 9162's split."""
    copy = _NODE.copy
    level = list(hashes)
    while len(level) > 1:
        parents: list[bytes] = []
        append = parents.append
        for left, right in zip(level[::2], level[1::2], strict=False):
            state = copy()
            state.update(left + right)
            append(state.digest())
        if len(level) & 1:
            append(level[-1])
        level = parents
    return level[0]


def _split(size: int) -> int:
    """Largest power of two below size, for size ≥ 2."""
    return 1 << ((size - 1).bit_length() - 1)


def _check_hashes(hashes: Sequence[bytes]) -> None:
    if set(map(len, hashes)) - {HASH_LENGTH}:
        wrong = next(len(digest) for digest in hashes if len(digest) != HASH_LENGTH)
        raise BadLength(f"expected hashes of {HASH_LENGTH} bytes, met one of {wrong}")


def _check_size(size: int) -> None:
    if not 0 <= size <= MAX_SIZE:
        raise OutOfRange(f"expected a size or index from 0 to {MAX_SIZE}, met {size}")


def _check_empty(size: int, root: bytes) -> None:
    if size == 0 and root != EMPTY_ROOT:
        raise RootMismatch("expected SHA-256 of nothing as the root of no entries, met another hash")
