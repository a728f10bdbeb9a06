"""What can be printed is known before it is printed, and what goes into a PDF is in it."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
import typst

from talentseal.web import typesetting
from talentseal.web.typesetting import Attachment, AttachmentAltered, GlyphMissing, typeset

AT = datetime(2026, 11, 26, 2, tzinfo=UTC)
BUNDLE = Attachment("a.seal.json", '{"名":"㛃"}\n', "application/json", "证明")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "words.typ"
    path.write_text("#values.words", "utf-8")
    return path


@pytest.mark.parametrize("character", "㛃䶮㐂𬱖中あA€①\u3000·～")
def test_a_character_with_a_glyph_is_printed(source: Path, character: str) -> None:
    assert typeset(source, {"words": character}, at=AT).startswith(b"%PDF-1.")


@pytest.mark.parametrize("character", "𠮷𰻝한✗😀\ue000")
def test_a_character_without_one_is_refused_by_its_code_point(source: Path, character: str) -> None:
    with pytest.raises(GlyphMissing) as refused:
        typeset(source, {"list": [{"words": f"中{character}"}]}, at=AT)

    assert refused.value.params == {"point": f"U+{ord(character):04X}"}
    assert character not in refused.value.sentence_zh + refused.value.sentence_en


@pytest.mark.parametrize("character", "𠮷𰻝한✗😀")
def test_the_typesetter_itself_has_no_other_font_for_it(
    source: Path, character: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(typesetting, "check_glyphs", lambda _values: None)

    with pytest.raises(typst.TypstError, match="could not be displayed"):
        typeset(source, {"words": character}, at=AT)


def test_attachments_are_read_back_as_they_went_in(source: Path) -> None:
    other = Attachment("b.seal.json", "x" * 100_000, "application/json", "又一份")

    pdf = typeset(source, {"words": "存证"}, at=AT, attachments=[BUNDLE, other])

    assert sorted(typesetting.attached(pdf)) == sorted([BUNDLE.text.encode(), other.text.encode()])


def test_a_pdf_without_its_attachment_is_not_handed_out(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = typeset(source, {"words": "存证"}, at=AT)
    monkeypatch.setattr(typst, "compile", lambda *_arguments, **_options: whole)

    with pytest.raises(AttachmentAltered):
        typeset(source, {"words": "存证"}, at=AT, attachments=[BUNDLE])


def test_what_is_no_such_font_is_said_to_be_none() -> None:
    without_cmap = b"OTTO\x00\x01" + bytes(6) + b"CFF " + bytes(12)
    small_plane_only = b"OTTO\x00\x01" + bytes(6) + b"cmap" + bytes(4) + (28).to_bytes(4, "big") + bytes(4)
    small_plane_only += b"\x00\x00\x00\x01\x00\x03\x00\x01\x00\x00\x00\x0c" + b"\x00\x04"

    for font in (without_cmap, small_plane_only):
        with pytest.raises(ValueError, match="expected a font"):
            typesetting.code_points(font)
