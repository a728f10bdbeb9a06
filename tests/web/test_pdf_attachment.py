"""The proof inside a certificate: taken out exactly, or refused by name."""

import base64
import io
import random
import re
import zlib
from typing import Any, get_args

import pypdf
import pytest

from tests.sealproof.samples import agreement_sample
from tests.web.certificates import Standard, pdf_with
from tests.web.node import MODULES, answers

READER = MODULES.parent / "verify" / "attachment.js"
NAME = "00112233445566778899aabbccddeeff.seal.json"
PROOF = agreement_sample().raw
CERTIFICATE = pdf_with({NAME: PROOF})


def found_in(*pdfs: bytes) -> list[Any]:
    """Name → bytes of the proofs in each, or the code of the refusal."""
    jobs = [("attachment", {"raw": base64.b64encode(pdf).decode()}) for pdf in pdfs]
    return [
        {name: base64.b64decode(raw) for name, raw in answer["found"].items()}
        if "found" in answer
        else answer["code"]
        for answer in answers(jobs, modules=READER)
    ]


@pytest.mark.parametrize("standard", get_args(Standard))
def test_the_proof_comes_out_as_it_went_in(standard: Standard) -> None:
    large = b'{"text":"' + b"9" * 900_000 + b'"}'
    proofs = [PROOF, b"{}", "证明 \U0001f600".encode(), large]

    found = found_in(*(pdf_with({NAME: proof}, standard=standard) for proof in proofs))

    assert found == [{NAME: proof} for proof in proofs]


def test_other_attachments_are_passed_over() -> None:
    other = "f" * 32 + ".seal.json"
    pdfs = [
        pdf_with({"notes.json": b"{}", NAME: PROOF, "seal.json": b"[]"}),
        pdf_with({"notes.json": b"{}"}),
        pdf_with({}),
        pdf_with({NAME: PROOF, other: PROOF}),
    ]

    assert found_in(*pdfs) == [{NAME: PROOF}, "pdf-no-proof", "pdf-no-proof", {NAME: PROOF, other: PROOF}]


def test_what_other_software_saved_anew_is_refused_by_name() -> None:
    saved, encrypted = io.BytesIO(), io.BytesIO()
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(CERTIFICATE))
    writer.write(saved)
    writer.encrypt("secret", algorithm="RC4-128")
    writer.write(encrypted)
    update = (
        b"1 0 obj\n<</Type/Pages>>\nendobj\nxref\n0 1\n0000000000 65535 f \ntrailer\n<</Size 1/Prev 9>>\n"
    )
    updated = CERTIFICATE + update + b"startxref\n%d\n%%%%EOF\n" % (len(CERTIFICATE) + update.index(b"xref"))
    streams = CERTIFICATE.replace(b"xref\n0 ", b"xref\n1 ")

    found = found_in(saved.getvalue(), encrypted.getvalue(), updated, streams)

    assert found[0] == {NAME: PROOF}
    assert found[1:] == ["pdf-encrypted", "pdf-saved-anew", "pdf-saved-anew"]


def test_an_attachment_larger_than_any_proof_is_not_unpacked() -> None:
    assert found_in(pdf_with({NAME: b" " * 1_048_577})) == ["pdf-oversized"]


def repacked(content: bytes) -> bytes:
    """The certificate with these bytes in place of the packed attachment, of the same length."""
    place = re.search(rb"/Type/EmbeddedFile.*?stream\n", CERTIFICATE, re.DOTALL)
    length = re.search(rb"<</Length (\d+)/Type/EmbeddedFile", CERTIFICATE)
    assert place is not None
    assert length is not None
    start, size = place.end(), int(length[1])
    return CERTIFICATE[:start] + content.ljust(size, b"\0")[:size] + CERTIFICATE[start + size :]


def test_a_stream_that_does_not_unpack_to_what_is_said_is_broken() -> None:
    assert (
        found_in(repacked(b""), repacked(zlib.compress(b"{}")), repacked(b"\xff" * 9)) == ["pdf-broken"] * 3
    )


def test_nothing_that_is_altered_crashes_the_reader_or_takes_long() -> None:
    source = random.Random(20261126)
    altered = [CERTIFICATE[: source.randrange(len(CERTIFICATE))] for _ in range(60)]
    for _ in range(300):
        raw = bytearray(CERTIFICATE)
        for _ in range(source.choice([1, 1, 4, 30])):
            raw[source.randrange(len(raw))] = source.randrange(256)
        altered.append(bytes(raw))
    altered += [b"%PDF-1.7\n", b"%PDF-1.7\nstartxref\n0\n%%EOF", CERTIFICATE.replace(b"/Kids", b"/Names")]
    altered.append(CERTIFICATE.replace(b"[14 0 R]", b"[" * 8))

    for found in found_in(*altered):
        assert found == {NAME: PROOF} or str(found).startswith("pdf-"), found
