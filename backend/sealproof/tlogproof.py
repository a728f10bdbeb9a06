"""Transparency-log proof (C2SP tlog-proof@v1): one text file with index, audit path and signed checkpoint.

What stands in its `extra` line is signed by nobody; it is carried, never believed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sealproof.checkpoint import Checkpoint, open_checkpoint
from sealproof.encoding import HASH_LENGTH, b64_decode, b64_encode, check_length, decimal_decode, excerpt
from sealproof.errors import BadSyntax, Oversized, UnknownVersion
from sealproof.merkle import check_inclusion
from sealproof.note import VerifierKey, check_text, split_note

HEADER = "c2sp.org/tlog-proof@v1"
SUFFIX = ".tlog-proof"
MAX_PATH = 63
PROOF_LIMIT = 1024 * 1024
"""Bytes of a whole proof."""


@dataclass(frozen=True, slots=True)
class TlogProof:
    """A proof as read, nothing verified.

    checkpoint: the signed note. extra: unauthenticated bytes, None without the line.
    """

    index: int
    path: tuple[bytes, ...]
    checkpoint: str
    extra: bytes | None


def encode(index: int, path: Sequence[bytes], checkpoint_note: str, extra: bytes | None = None) -> str:
    """Text of a proof that `parse` reads back. Raises what `parse` raises when it would not."""
    lines = [HEADER]
    if extra is not None:
        lines.append(f"extra {b64_encode(extra)}")
    lines.append(f"index {index}")
    lines += [b64_encode(sibling) for sibling in path]
    text = "\n".join(lines) + "\n\n" + checkpoint_note
    parse(text)
    return text


def parse(text: str) -> TlogProof:
    """The parts of a proof, strictly read; the note's form is checked, its signatures are not.

    Raises Oversized, BadText, UnknownVersion, BadSyntax, BadNumber, OutOfRange, BadEncoding, BadLength,
    and what `note.split_note` raises.
    """
    check_length(text, limit=PROOF_LIMIT, what="a proof")
    check_text(text)
    head, blank, checkpoint = text.partition("\n\n")
    header, *lines = head.split("\n")
    if header != HEADER:
        raise UnknownVersion(f"expected a first line {HEADER}, met {excerpt(header)}")
    if not blank:
        raise BadSyntax("expected a blank line between the path and the checkpoint")
    extra = None
    if lines and lines[0].startswith("extra "):
        extra = b64_decode(lines.pop(0).removeprefix("extra "))
    if not lines or not lines[0].startswith("index "):
        raise BadSyntax("expected a line 'index <number>'")
    index = decimal_decode(lines.pop(0).removeprefix("index "))
    if len(lines) > MAX_PATH:
        raise Oversized(f"expected a path of at most {MAX_PATH} hashes, met {len(lines)}")
    path = tuple(b64_decode(line, length=HASH_LENGTH) for line in lines)
    split_note(checkpoint)
    return TlogProof(index, path, checkpoint, extra)


def open_proof(text: str, leaf_hash: bytes, keys: Sequence[VerifierKey]) -> Checkpoint:
    """The checkpoint under which leaf_hash (32 bytes) is proved to lie, signed by the log's own key.

    Raises what `parse` and `open_checkpoint` raise, and InclusionFalse.
    """
    proof = parse(text)
    checkpoint = open_checkpoint(proof.checkpoint, keys)
    check_inclusion(leaf_hash, proof.index, checkpoint.size, proof.path, checkpoint.root)
    return checkpoint
