"""Documents: recognised by their bytes, digested as other tools digest them, kept only encrypted."""

import hashlib
import io
import subprocess
import zipfile

import docx
import pytest
import typst

from talentseal.agreements import documents
from talentseal.agreements.documents import DocumentCipher, DocumentUnreadable, MediaType, Sealed
from tests.world import PDF, examined
from tests.world import docx as tiny_docx

CIPHER = DocumentCipher(bytes(range(32)))


def real_pdf() -> bytes:
    return bytes(typst.compile(b"Agreement"))


def real_docx() -> bytes:
    raw = io.BytesIO()
    document = docx.Document()
    document.add_paragraph("合作协议")
    document.save(raw)
    return raw.getvalue()


def test_a_real_pdf_and_a_real_word_file_are_told_apart() -> None:
    met = [examined(plain).media_type for plain in (real_pdf(), real_docx(), PDF, tiny_docx())]

    assert met == [MediaType.PDF, MediaType.DOCX, MediaType.PDF, MediaType.DOCX]


def test_the_digests_are_those_of_other_tools() -> None:
    met = examined(PDF)

    assert (met.size, met.sha256) == (len(PDF), hashlib.sha256(PDF).hexdigest())
    answer = subprocess.run(["openssl", "dgst", "-sm3"], input=PDF, capture_output=True, check=True)
    assert met.sm3 == answer.stdout.decode().split()[-1]


def bomb() -> bytes:
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", b" " * 50_000_000)
        archive.writestr("word/document.xml", b"")
    return raw.getvalue()


def entities() -> bytes:
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as archive:
        archive.writestr("[Content_Types].xml", b'<!DOCTYPE x [<!ENTITY a "a">]><Types>&a;</Types>')
        archive.writestr("word/document.xml", b"")
    return raw.getvalue()


def plain_zip() -> bytes:
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as archive:
        archive.writestr("contract.txt", b"text")
    return raw.getvalue()


@pytest.mark.parametrize(
    "plain",
    [
        b"hello",
        b"%PDF",
        b"\x00%PDF-1.7",
        b"PK\x03\x04",
        b"PK\x03\x04" + b"\xff" * 200,
        plain_zip(),
        bomb(),
        entities(),
        tiny_docx(main="application/vnd.ms-word.document.macroEnabled.main+xml"),
        tiny_docx(main="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"),
        tiny_docx(part="word/other.xml"),
        tiny_docx()[:-30],
    ],
    ids=[
        "text", "short", "late", "zip-head", "zip-noise", "zip", "zip-bomb", "entity-bomb", "macros",
        "excel", "part-missing", "truncated",
    ],
)  # fmt: skip
def test_what_only_looks_like_a_document_is_refused(plain: bytes) -> None:
    with pytest.raises(documents.DocumentTypeRefused):
        examined(plain)


def test_size_limits_hold_to_the_byte() -> None:
    fitting = PDF.ljust(documents.SIZE_LIMIT)

    assert examined(fitting).size == documents.SIZE_LIMIT
    with pytest.raises(documents.DocumentTooLarge):
        examined(fitting + b" ")
    with pytest.raises(documents.DocumentEmpty):
        examined(b"")


def test_a_kept_document_is_noise_without_the_key_and_comes_back_with_it() -> None:
    digests = examined(PDF)

    sealed = CIPHER.seal("a" * 32, digests, PDF)

    assert b"Catalog" not in sealed.ciphertext
    assert CIPHER.open("a" * 32, digests.sha256, sealed) == PDF
    assert CIPHER.seal("a" * 32, digests, PDF).ciphertext != sealed.ciphertext


def test_a_kept_document_altered_swapped_or_under_another_key_is_not_handed_out() -> None:
    digests = examined(PDF)
    sealed = CIPHER.seal("a" * 32, digests, PDF)
    flipped = Sealed(sealed.nonce, bytes([sealed.ciphertext[0] ^ 1]) + sealed.ciphertext[1:])

    cases = (
        (CIPHER, "a" * 32, flipped),
        (CIPHER, "b" * 32, sealed),
        (DocumentCipher(bytes(32)), "a" * 32, sealed),
    )
    for cipher, document_id, kept in cases:
        with pytest.raises(DocumentUnreadable):
            cipher.open(document_id, digests.sha256, kept)
