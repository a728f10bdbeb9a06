"""Vectors about roots, inclusion and consistency proofs. What is expected comes from the reference tree."""

from collections.abc import Iterator
from hashlib import sha256

from tests.sealproof.reference import ReferenceTree, leaf
from tests.vectors.case import Case, accept, b64, flip, refuse

ENTRIES = [b"", b"\x00", b"\x01", *(f"entry {number}".encode() for number in range(3, 300))]
TREE = ReferenceTree([leaf(entry) for entry in ENTRIES])
SIZES = (1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 31, 33, 64, 100, 255, 256, 257, 300)


def trees() -> Iterator[Case]:
    """A list of leaf hashes, given by the number of ENTRIES, and the root claimed for it."""
    yield accept("no entries: the root is SHA-256 of nothing", entries=[], root=b64(TREE.root(0, 0)))
    for size in (1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 16, 17):
        yield accept(f"{size} entries", **_tree(size, TREE.root(0, size)))
    for size in (1, 2, 3, 7, 8):
        yield refuse(
            "root-mismatch",
            f"{size} entries, last bit of the root flipped",
            **_tree(size, flip(TREE.root(0, size))),
        )
    swapped = [ENTRIES[1], ENTRIES[0], ENTRIES[2]]
    yield refuse(
        "root-mismatch",
        "two entries change places",
        entries=[b64(e) for e in swapped],
        root=b64(TREE.root(0, 3)),
    )
    yield refuse("root-mismatch", "the last entry is left out", **_tree(4, TREE.root(0, 5)))
    yield refuse(
        "root-mismatch",
        "an odd last entry is paired with itself",
        entries=_tree(3, b"")["entries"],
        root=b64(_doubled()),
    )
    yield refuse(
        "root-mismatch", "leaves are hashed without the prefix 00", **_tree(2, sha256(ENTRIES[0]).digest())
    )
    yield refuse(
        "root-mismatch", "no entries, but the root of an empty entry", entries=[], root=b64(leaf(b""))
    )
    yield refuse("bad-length", "the root has 31 bytes", **_tree(2, TREE.root(0, 2)[:31]))
    joined = TREE.root(0, 1) + TREE.root(1, 2)
    yield refuse(
        "root-mismatch", "a node passes for an entry", entries=[b64(joined)], root=b64(TREE.root(0, 2))
    )


def inclusion() -> Iterator[Case]:
    """leaf, index, size, path, root: does the path lead from the leaf to the root?"""
    for size in SIZES:
        for index in sorted({0, size // 2, size - 1} if size < 20 else {size - 1}):
            yield accept(f"entry {index} of {size}", **_inclusion(index, size))
    for size, index in ((1, 0), (2, 1), (5, 4), (7, 3), (8, 0), (17, 16), (100, 64), (257, 256)):
        yield from _false_inclusions(index, size)
    yield from _malformed_inclusions()


def consistency() -> Iterator[Case]:
    """old_size, old_root, new_size, new_root, path: is the old tree the beginning of the new one?"""
    for old, new in (
        (1, 2),
        (1, 8),
        (2, 3),
        (3, 4),
        (3, 7),
        (4, 7),
        (6, 8),
        (7, 8),
        (8, 9),
        (13, 17),
        (16, 33),
        (100, 257),
    ):
        yield accept(f"from {old} to {new}", **_consistency(old, new))
    yield accept("a tree contains itself", **_consistency(7, 7))
    yield accept("every tree contains the empty one", **_consistency(0, 5))
    yield accept("nothing contains nothing", **_consistency(0, 0))
    for old, new in ((1, 2), (3, 7), (4, 7), (6, 8), (16, 33), (100, 257)):
        yield from _false_consistencies(old, new)
    yield from _other_consistencies()


def _tree(size: int, root: bytes) -> dict[str, object]:
    return {"entries": [b64(entry) for entry in ENTRIES[:size]], "root": b64(root)}


def _doubled() -> bytes:
    last = TREE.root(2, 3)
    pair = sha256(b"\x01" + last + last).digest()
    return sha256(b"\x01" + TREE.root(0, 2) + pair).digest()


def _inclusion(index: int, size: int, /, **changed: object) -> dict[str, object]:
    return {
        "leaf": b64(TREE.root(index, index + 1)),
        "index": index,
        "size": size,
        "path": [b64(sibling) for sibling in TREE.inclusion(index, 0, size)],
        "root": b64(TREE.root(0, size)),
    } | changed


def _false_inclusions(index: int, size: int) -> Iterator[Case]:
    def refused(why: str, **changed: object) -> Case:
        return refuse(
            "inclusion-false", f"entry {index} of {size}: {why}", **_inclusion(index, size, **changed)
        )

    path = [b64(sibling) for sibling in TREE.inclusion(index, 0, size)]
    yield refused("another entry", leaf=b64(leaf(b"never logged")))
    yield refused("another root", root=b64(flip(TREE.root(0, size))))
    yield refused("one hash too many", path=[*path, b64(TREE.root(0, 1))])
    yield refused("index equal to the size", index=size)
    if path:
        yield refused("last hash missing", path=path[:-1])
        yield refused("first hash altered", path=[b64(flip(TREE.inclusion(index, 0, size)[0])), *path[1:]])
        yield refused("another index", index=index - 1 if index else 1)
    if len(path) > 1:
        yield refused("path from the root down", path=path[::-1])


def _malformed_inclusions() -> Iterator[Case]:
    short, node = b64(TREE.root(0, 1)[:31]), b64(TREE.root(0, 2))
    yield refuse("bad-length", "the leaf has 31 bytes", **_inclusion(0, 2, leaf=short))
    yield refuse("bad-length", "a hash of the path has 31 bytes", **_inclusion(0, 2, path=[short]))
    yield refuse("bad-length", "the root is empty", **_inclusion(0, 2, root=""))
    yield refuse("out-of-range", "a negative index", **_inclusion(0, 2, index=-1))
    yield refuse("out-of-range", "a negative size", **_inclusion(0, 2, size=-2))
    yield refuse("out-of-range", "a size of 2**63", **_inclusion(0, 2, size=2**63))
    yield refuse("inclusion-false", "a tree of no entries has no entry 0", **_inclusion(0, 2, size=0))
    yield refuse("inclusion-false", "64 hashes for a tree of 2", **_inclusion(0, 2, path=[node] * 64))
    above = _inclusion(0, 4, leaf=node, path=[b64(TREE.root(2, 4))])
    yield refuse("inclusion-false", "an inner node passes for entry 0 of 4", **above)


def _consistency(old: int, new: int, /, **changed: object) -> dict[str, object]:
    path = TREE.consistency(old, new) if 0 < old < new else []
    return {
        "old_size": old,
        "old_root": b64(TREE.root(0, old)),
        "new_size": new,
        "new_root": b64(TREE.root(0, new)),
        "path": [b64(digest) for digest in path],
    } | changed


def _false_consistencies(old: int, new: int) -> Iterator[Case]:
    def refused(why: str, **changed: object) -> Case:
        return refuse("consistency-false", f"from {old} to {new}: {why}", **_consistency(old, new, **changed))

    path = [b64(digest) for digest in TREE.consistency(old, new)]
    yield refused("another old root", old_root=b64(flip(TREE.root(0, old))))
    yield refused("another new root", new_root=b64(flip(TREE.root(0, new))))
    yield refused("last hash missing", path=path[:-1])
    yield refused("one hash too many", path=[*path, path[-1]])
    yield refused("last hash altered", path=[*path[:-1], b64(flip(TREE.consistency(old, new)[-1]))])
    if len(path) > 1:
        yield refused("hashes in reverse", path=path[::-1])


def _other_consistencies() -> Iterator[Case]:
    other, some = b64(flip(TREE.root(0, 7))), [b64(TREE.root(0, 1))]
    yield refuse("tree-shrank", "the later tree is smaller", **_consistency(3, 7, old_size=7, new_size=3))
    yield refuse("tree-shrank", "the later tree is empty", **_consistency(3, 7, new_size=0))
    yield refuse("root-mismatch", "two roots for one size", **_consistency(7, 7, new_root=other))
    yield refuse("consistency-false", "a proof between equal trees", **_consistency(7, 7, path=some))
    yield refuse("consistency-false", "a proof from the empty tree", **_consistency(0, 7, path=some))
    yield refuse(
        "root-mismatch", "the empty tree with a root of its own", **_consistency(0, 7, old_root=other)
    )
    yield refuse("bad-length", "the old root has 33 bytes", **_consistency(3, 7, old_root=b64(bytes(33))))
    yield refuse("bad-length", "a hash of the proof is empty", **_consistency(3, 7, path=[""]))
    yield refuse("out-of-range", "a negative old size", **_consistency(3, 7, old_size=-3))
    yield refuse("out-of-range", "a new size of 2**63", **_consistency(3, 7, new_size=2**63))
    forged = ReferenceTree([leaf(b"forged"), *TREE.leaf_hashes[1:8]])
    fork = {"new_root": b64(forged.root(0, 8)), "path": [b64(digest) for digest in forged.consistency(3, 8)]}
    yield refuse(
        "consistency-false", "a larger tree whose first entry was replaced", **_consistency(3, 8, **fork)
    )
