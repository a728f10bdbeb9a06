"""Promise: the log's signed word that a leaf will be under a checkpoint by a deadline.

With the promise in hand and a later checkpoint that lacks the leaf, anyone can show that the word was broken.
Its first line keeps it apart from a checkpoint of the same key.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sealproof.checkpoint import PROMISE_SUFFIX, check_origin, note_lines
from sealproof.encoding import (
    HASH_LENGTH,
    b64_decode,
    b64_encode,
    decimal_decode,
    excerpt,
    instant_decode,
    instant_encode,
)
from sealproof.entry import MAX_KIND
from sealproof.errors import BadLength, BadSyntax, OriginMismatch, OutOfRange
from sealproof.note import VerifierKey, open_note


@dataclass(frozen=True, slots=True)
class Promise:
    """origin: the log. kind: 1..65535, of the record. leaf_hash: 32 bytes. deadline: aware UTC.

    Raises BadKey, BadText, OutOfRange, BadLength when built of anything else.
    """

    origin: str
    kind: int
    leaf_hash: bytes
    deadline: datetime

    def __post_init__(self) -> None:
        check_origin(self.origin)
        if not 1 <= self.kind <= MAX_KIND:
            raise OutOfRange(f"expected a kind from 1 to {MAX_KIND}, met {self.kind}")
        if len(self.leaf_hash) != HASH_LENGTH:
            raise BadLength(f"expected a leaf hash of {HASH_LENGTH} bytes, met {len(self.leaf_hash)}")
        instant_encode(self.deadline)

    def encode(self) -> str:
        """Text of the promise, to be signed as a note."""
        lines = (
            self.origin + PROMISE_SUFFIX,
            str(self.kind),
            b64_encode(self.leaf_hash),
            instant_encode(self.deadline),
        )
        return "".join(f"{line}\n" for line in lines)


def parse(text: str) -> Promise:
    """The promise of exactly four lines.

    Raises Truncated, TrailingBytes, BadSyntax, BadNumber, OutOfRange, BadEncoding, BadLength, BadKey,
    BadText.
    """
    title, kind, leaf, deadline = note_lines(text, count=4, what="a promise")
    if not title.endswith(PROMISE_SUFFIX):
        raise BadSyntax(f"expected a first line that ends in {PROMISE_SUFFIX}, met {excerpt(title)}")
    return Promise(
        origin=title.removesuffix(PROMISE_SUFFIX),
        kind=decimal_decode(kind, maximum=MAX_KIND),
        leaf_hash=b64_decode(leaf, length=HASH_LENGTH),
        deadline=instant_decode(deadline),
    )


def open_promise(note: str, keys: Sequence[VerifierKey]) -> Promise:
    """The promise of a note that the log itself signed: one of keys that bears the origin's name.

    Raises what `open_note` and `parse` raise, and OriginMismatch when only keys of other names signed it.
    """
    opened = open_note(note, keys)
    promise = parse(opened.text)
    if all(key.name != promise.origin for key in opened.verified):
        raise OriginMismatch(f"the promise of {promise.origin} is signed by {opened.verified[0].name} alone")
    return promise
