"""The tree as RFC 9162 §2.1 writes it down, by straight recursion: slow, obvious, and none of our code."""

import hashlib
from collections.abc import Sequence


def leaf(entry: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + entry).digest()


def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def split(size: int) -> int:
    """k of §2.1.1: the largest power of two smaller than size."""
    k = 1
    while k * 2 < size:
        k *= 2
    return k


class ReferenceTree:
    """Roots and proofs over prefixes of one list of leaf hashes; only subtree roots are remembered."""

    def __init__(self, leaf_hashes: Sequence[bytes]) -> None:
        self.leaf_hashes = leaf_hashes
        self._roots: dict[tuple[int, int], bytes] = {}

    def root(self, low: int, high: int) -> bytes:
        """MTH(D[low:high]), §2.1.1."""
        if low == high:
            return hashlib.sha256().digest()
        if high - low == 1:
            return self.leaf_hashes[low]
        if (low, high) not in self._roots:
            middle = low + split(high - low)
            self._roots[low, high] = node(self.root(low, middle), self.root(middle, high))
        return self._roots[low, high]

    def inclusion(self, index: int, low: int, high: int) -> list[bytes]:
        """PATH(m, D_n), §2.1.3.1, with m counted from 0 of the whole list."""
        if high - low == 1:
            return []
        middle = low + split(high - low)
        if index < middle:
            return [*self.inclusion(index, low, middle), self.root(middle, high)]
        return [*self.inclusion(index, middle, high), self.root(low, middle)]

    def consistency(self, old_size: int, new_size: int) -> list[bytes]:
        """PROOF(m, D_n), §2.1.4.1."""
        return self._subproof(old_size, 0, new_size, known=True)

    def _subproof(self, old_size: int, low: int, high: int, *, known: bool) -> list[bytes]:
        if old_size == high:
            return [] if known else [self.root(low, high)]
        middle = low + split(high - low)
        if old_size <= middle:
            return [*self._subproof(old_size, low, middle, known=known), self.root(middle, high)]
        return [*self._subproof(old_size, middle, high, known=False), self.root(low, middle)]
