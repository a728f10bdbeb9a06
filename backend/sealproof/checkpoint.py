"""Checkpoint (C2SP tlog-checkpoint v1.0.0): origin, size and root of the log at one moment, carried by a
signed note.

Extension lines are neither written nor read: not every kind of cosignature covers them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sealproof.encoding import HASH_LENGTH, MAX_SIZE, b64_decode, b64_encode, decimal_decode
from sealproof.errors import (
    BadLength,
    BadSyntax,
    OriginMismatch,
    OutOfRange,
    RootMismatch,
    TrailingBytes,
    Truncated,
)
from sealproof.merkle import EMPTY_ROOT
from sealproof.note import VerifierKey, check_key_name, open_note

PROMISE_SUFFIX = "/promise"
"""Ends the first line of a promise, so no checkpoint's origin may end in it: the two can never be
mistaken.
"""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Head of the log. origin: also the name of the log's key. size: 0 ≤ size < 2**63. root: 32 bytes.

    Raises BadKey, BadText or OutOfRange for the origin, OutOfRange, BadLength, RootMismatch for an empty
    tree's false root.
    """

    origin: str
    size: int
    root: bytes

    def __post_init__(self) -> None:
        check_origin(self.origin)
        if not 0 <= self.size <= MAX_SIZE:
            raise OutOfRange(f"expected a size from 0 to {MAX_SIZE}, met {self.size}")
        if len(self.root) != HASH_LENGTH:
            raise BadLength(f"expected a root of {HASH_LENGTH} bytes, met {len(self.root)}")
        if self.size == 0 and self.root != EMPTY_ROOT:
            raise RootMismatch("expected SHA-256 of nothing as the root of no entries, met another hash")

    def encode(self) -> str:
        """Text of the checkpoint, to be signed as a note."""
        return f"{self.origin}\n{self.size}\n{b64_encode(self.root)}\n"


def parse(text: str) -> Checkpoint:
    """The checkpoint of exactly three lines.

    Raises Truncated, TrailingBytes for extension lines, BadNumber, OutOfRange, BadEncoding, BadLength,
    BadKey, BadText.
    """
    origin, size, root = note_lines(text, count=3, what="a checkpoint")
    return Checkpoint(origin, decimal_decode(size), b64_decode(root, length=HASH_LENGTH))


def open_checkpoint(note: str, keys: Sequence[VerifierKey]) -> Checkpoint:
    """The checkpoint of a note that the log itself signed: one of keys that bears the origin's name.

    Raises what `open_note` and `parse` raise, and OriginMismatch when only keys of other names signed it.
    """
    opened = open_note(note, keys)
    checkpoint = parse(opened.text)
    if all(key.name != checkpoint.origin for key in opened.verified):
        raise OriginMismatch(
            f"the checkpoint of {checkpoint.origin} is signed by {opened.verified[0].name} alone"
        )
    return checkpoint


def check_origin(origin: str) -> None:
    """Raise BadKey, BadText or OutOfRange unless origin can name a log."""
    check_key_name(origin)
    if origin.endswith(PROMISE_SUFFIX):
        raise OutOfRange(f"expected an origin that does not end in {PROMISE_SUFFIX}")


def note_lines(text: str, *, count: int, what: str) -> list[str]:
    """The lines of a note's text, exactly count. Raises BadSyntax, Truncated, TrailingBytes."""
    if not text.endswith("\n"):
        raise BadSyntax(f"expected {what} to end in a newline")
    lines = text[:-1].split("\n")
    if len(lines) < count:
        raise Truncated(f"expected {what} of {count} lines, met {len(lines)}")
    if len(lines) > count:
        raise TrailingBytes(f"expected {what} of {count} lines, met {len(lines)}")
    return lines
