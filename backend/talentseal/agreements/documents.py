"""Documents: what they are, their digests, and how they are kept encrypted.

Two types are taken, recognised by their bytes and not by their name: PDF, and Word's OOXML (.docx, no
macros). The bytes are what is evidenced; nothing is converted. A kept document is AES-256-GCM ciphertext
bound to its row and digest; without the key file it is noise, and without its row there is no way back.
"""

import hashlib
import os
import re
import zipfile
from dataclasses import dataclass, field
from enum import StrEnum
from typing import IO, ClassVar, Final
from xml.etree import ElementTree as ET

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from talentseal.errors import Conflict, Invalid, TalentSealError

SIZE_LIMIT: Final = 10 * 1024 * 1024
"""Bytes of a document at most."""

_PIECE: Final = 64 * 1024
_TYPES_LIMIT: Final = 1024 * 1024
"""Bytes of [Content_Types].xml at most; real ones have about 2 kB."""

_MEMBER_LIMIT: Final = 5000
_PDF: Final = re.compile(rb"%PDF-[12]\.[0-9]")
_OOXML_OVERRIDE: Final = "{http://schemas.openxmlformats.org/package/2006/content-types}Override"
_WORD_MAIN: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"


class MediaType(StrEnum):
    """What may be submitted as an agreement's document."""

    PDF = "application/pdf"
    DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


class DocumentTooLarge(TalentSealError):
    code: ClassVar[str] = "document-too-large"
    status: ClassVar[int] = 413
    zh: ClassVar[str] = "文件超过 10 MiB。请压缩后提交，或仅提交摘要。"
    en: ClassVar[str] = "The document is larger than 10 MiB; reduce it, or submit its digests only."


class DocumentEmpty(Invalid):
    code: ClassVar[str] = "document-empty"
    zh: ClassVar[str] = "文件为空。请重新选择文件。"
    en: ClassVar[str] = "The document is empty; choose the file again."


class DocumentTypeRefused(TalentSealError):
    code: ClassVar[str] = "document-type-refused"
    status: ClassVar[int] = 415
    zh: ClassVar[str] = "文件内容不是 PDF 或 Word（.docx，不含宏）。请转换后提交。"
    en: ClassVar[str] = "The content is neither PDF nor Word (.docx without macros); convert it first."


class DocumentUnreadable(Conflict):
    code: ClassVar[str] = "document-unreadable"
    zh: ClassVar[str] = "保存的文件无法解密或已被改动，未予提供。请联系运营机构。"
    en: ClassVar[str] = (
        "The kept document does not decrypt or was altered, and is not handed out; contact the operator."
    )


@dataclass(frozen=True, slots=True)
class Digests:
    """What identifies a document. sha256, sm3: 64 lower-case hex digits; size: bytes."""

    sha256: str
    sm3: str
    size: int
    media_type: MediaType


def examine(file: IO[bytes]) -> Digests:
    """Digests and type of a document, read in pieces and rewound afterwards.

    Raises DocumentTooLarge, DocumentEmpty, DocumentTypeRefused.
    """
    sha256, sm3, size = hashlib.sha256(), hashes.Hash(hashes.SM3()), 0
    file.seek(0)
    while piece := file.read(_PIECE):
        size += len(piece)
        if size > SIZE_LIMIT:
            raise DocumentTooLarge
        sha256.update(piece)
        sm3.update(piece)
    if size == 0:
        raise DocumentEmpty
    media_type = _media_type(file)
    file.seek(0)
    return Digests(sha256.hexdigest(), sm3.finalize().hex(), size, media_type)


def _media_type(file: IO[bytes]) -> MediaType:
    file.seek(0)
    start = file.read(8)
    if _PDF.match(start):
        return MediaType.PDF
    if start.startswith(b"PK\x03\x04") and _is_word(file):
        return MediaType.DOCX
    raise DocumentTypeRefused


def _is_word(file: IO[bytes]) -> bool:
    """Whether the archive's content types name a Word main part that is really there.

    Reads one bounded member.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
            member = archive.getinfo("[Content_Types].xml")
            if len(names) > _MEMBER_LIMIT or member.file_size > _TYPES_LIMIT:
                return False
            with archive.open(member) as part:
                text = part.read(_TYPES_LIMIT + 1)
        return _names_word_part(text, frozenset(names))
    except (zipfile.BadZipFile, KeyError, ValueError, NotImplementedError, RuntimeError, EOFError, OSError):
        return False


def _names_word_part(text: bytes, names: frozenset[str]) -> bool:
    # A document type declaration has no place there and is how XML entity bombs are made.
    if len(text) > _TYPES_LIMIT or b"<!DOCTYPE" in text or b"<!ENTITY" in text:
        return False
    try:
        root = ET.fromstring(text)  # noqa: S314 - declarations, the way in for entity bombs, are refused above
    except ET.ParseError:
        return False
    return any(
        override.get("ContentType") == _WORD_MAIN and (override.get("PartName") or "").lstrip("/") in names
        for override in root.iter(_OOXML_OVERRIDE)
    )


@dataclass(frozen=True, slots=True)
class Sealed:
    """A document as stored.

    nonce: 12 bytes, fresh for each; ciphertext: as long as the document plus 16 bytes.
    """

    nonce: bytes
    ciphertext: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class DocumentCipher:
    """AES-256-GCM under the key of the service's document key file. key: 32 bytes."""

    key: bytes = field(repr=False)

    def seal(self, document_id: str, digests: Digests, plain: bytes) -> Sealed:
        """`plain` encrypted, bound to its row and digest so that rows cannot be swapped."""
        nonce = os.urandom(12)
        return Sealed(nonce, AESGCM(self.key).encrypt(nonce, plain, _bound(document_id, digests.sha256)))

    def open(self, document_id: str, sha256: str, sealed: Sealed) -> bytes:
        """The document's bytes, compared with their digest. Raises DocumentUnreadable."""
        try:
            plain = AESGCM(self.key).decrypt(sealed.nonce, sealed.ciphertext, _bound(document_id, sha256))
        except InvalidTag:
            raise DocumentUnreadable from None
        if hashlib.sha256(plain).hexdigest() != sha256:
            raise DocumentUnreadable
        return plain


def _bound(document_id: str, sha256: str) -> bytes:
    return f"talentseal/document/1\n{document_id}\n{sha256}".encode()
