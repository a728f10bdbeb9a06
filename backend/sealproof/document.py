"""Digests of a document beside those that a bundle discloses: SHA-256, SM3 where this Python has it, and
size."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from sealproof.canonical import Json
from sealproof.fields import integer, members, plain_hex, text
from sealproof.report import Finding, failed, not_checked, passed

_SM3 = "sm3"
_MEDIA_TYPE_LIMIT = 255


@dataclass(frozen=True, slots=True)
class DocumentDigests:
    """sha256: 32 bytes. sm3: 32 bytes, None where it cannot be computed. size: bytes."""

    sha256: bytes
    sm3: bytes | None
    size: int

    @classmethod
    def of(cls, blocks: Iterable[bytes]) -> "DocumentDigests":
        """Digests of a document given in blocks, so that it need not fit into memory."""
        sha256, sm3, size = hashlib.sha256(), _sm3(), 0
        for block in blocks:
            sha256.update(block)
            if sm3 is not None:
                sm3.update(block)
            size += len(block)
        return cls(sha256.digest(), None if sm3 is None else sm3.digest(), size)

    @classmethod
    def from_json(cls, value: Json, path: str) -> "DocumentDigests":
        """Reads the disclosed field `document`: sha256, sm3, size, media_type. Raises a DecodeError."""
        fields = members(value, path, ("sha256", "sm3", "size", "media_type"))
        text(fields["media_type"], f"{path}.media_type", _MEDIA_TYPE_LIMIT)
        return cls(
            plain_hex(fields["sha256"], f"{path}.sha256"),
            plain_hex(fields["sm3"], f"{path}.sm3"),
            integer(fields["size"], f"{path}.size"),
        )


def compare(given: DocumentDigests, disclosed: DocumentDigests) -> Finding:
    """Whether the given document is the disclosed one; names every digest that differs."""
    differing = [
        name
        for name, mine, theirs in (
            ("SHA-256", given.sha256, disclosed.sha256),
            ("SM3", given.sm3 or disclosed.sm3, disclosed.sm3),
            ("size", given.size, disclosed.size),
        )
        if mine != theirs
    ]
    if differing:
        names = ", ".join(differing)
        return failed(
            f"the document is not the one that was recorded; different: {names}",
            f"文件与当初记录的不同，不一致的有：{names.replace('size', '长度')}",
        )
    if given.sm3 is None:
        return not_checked(
            "SHA-256 and size are those recorded; SM3 was not checked, this Python's OpenSSL has no SM3",
            "SHA-256 与长度均与记录一致；本机 Python 的 OpenSSL 不含 SM3，SM3 未检查",
        )
    return passed(
        "the document is, byte for byte, the one recorded: SHA-256, SM3 and size are equal",
        "文件与当初记录的逐字节相同：SHA-256、SM3 与长度均一致",
    )


def _sm3() -> "hashlib._Hash | None":
    try:
        return hashlib.new(_SM3)
    except ValueError:
        return None
