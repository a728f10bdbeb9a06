"""PDF pages from typst sources, in the one font that set-up fetched from npm.

Everything made here is PDF/A-3b and carries its attachments inside. A character for which the font has no
glyph is refused by name: a blank box in a person's name would be worse than no paper.
"""

import json
import re
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Final

import typst

from talentseal.errors import Invalid
from talentseal.web.assets import FOLDER

FONT: Final = "Noto Sans S Chinese"
_FONTS: Final = FOLDER / "node_modules" / "@embedpdf" / "fonts-sc" / "fonts"
_PRELUDE: Final = b"""\
#let values = json(bytes(sys.inputs.values))
#for each in json(bytes(sys.inputs.attachments)) {
  let about = (relationship: "data", mime-type: each.media_type, description: each.about)
  pdf.attach(each.name, bytes(each.text), ..about)
}
#set text(font: sys.inputs.font, fallback: false, lang: "zh", region: "cn")
"""
"""Before every source. No fallback: typst itself then refuses what the check below would have let through."""

_EMBEDDED: Final = re.compile(rb"<</Length ([0-9]+)[^\n]*/Type/EmbeddedFile([^\n]*)>>\nstream\n")


class GlyphMissing(Invalid):
    code: ClassVar[str] = "glyph-missing"
    zh: ClassVar[str] = (
        "文字中的字符 {point} 在排版字体中没有字形，为免错印，未生成 PDF。"
        "存证与证明文件不受影响，仍可照常下载和核验。"
    )
    en: ClassVar[str] = (
        "The font has no glyph for the character {point}; no PDF was made rather than a wrong one. "
        "Evidence and proof files are not affected."
    )


class AttachmentAltered(RuntimeError):
    """The PDF does not hold its attachments byte for byte: a fault of the typesetter, never of the input."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file inside a PDF. text: its content, in UTF-8. about: what it is, for whoever lists the files."""

    name: str
    text: str
    media_type: str
    about: str


def typeset(source: Path, values: Any, *, at: datetime, attachments: Sequence[Attachment] = ()) -> bytes:
    """The PDF/A-3b of a typst file, the same bytes for the same input.

    values: JSON that the source reads as `values`, so that no text in it is ever code. at: aware time, the
    PDF's date of creation. Raises GlyphMissing.
    """
    check_glyphs(values)
    carried = [asdict(each) for each in attachments]
    pdf = typst.compile(
        _PRELUDE + source.read_bytes(),
        sys_inputs={
            "values": json.dumps(values, ensure_ascii=False),
            "attachments": json.dumps(carried, ensure_ascii=False),
            "font": FONT,
        },
        font_paths=_fonts(),
        ignore_system_fonts=True,
        timestamp=int(at.timestamp()),
        pdf_standards=["a-3b"],
    )
    if sorted(attached(pdf)) != sorted(each.text.encode() for each in attachments):
        raise AttachmentAltered("the attachments read back from the PDF are not those that went in")
    return pdf


def attached(pdf: bytes) -> list[bytes]:
    """The files inside a PDF that `typeset` made, read back from its bytes."""
    files = []
    for found in _EMBEDDED.finditer(pdf):
        stored = pdf[found.end() : found.end() + int(found[1])]
        # What compression would not make smaller is stored as it is.
        files.append(zlib.decompress(stored) if b"/FlateDecode" in found[2] else stored)
    return files


def check_glyphs(values: Any) -> None:
    """Raises GlyphMissing for the first character in any text of a JSON value that would print as a box."""
    for text in _texts(values):
        for character in text:
            if ord(character) not in _covered():
                raise GlyphMissing(point=f"U+{ord(character):04X}")


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each)


@cache
def _fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False, font_paths=[_FONTS])


@cache
def _covered() -> frozenset[int]:
    """Code points that every weight of the font has a glyph for."""
    return frozenset.intersection(*(code_points(file.read_bytes()) for file in sorted(_FONTS.glob("*.otf"))))


def code_points(font: bytes) -> frozenset[int]:
    """What an OpenType font maps to glyphs, by the format 12 table of its `cmap`. Raises ValueError."""
    (tables,) = struct.unpack_from(">H", font, 4)
    places = {
        font[at : at + 4]: struct.unpack_from(">I", font, at + 8)[0] for at in range(12, 12 + 16 * tables, 16)
    }
    start = places.get(b"cmap")
    if start is None:
        raise ValueError("expected a font with a cmap table")
    (subtables,) = struct.unpack_from(">H", font, start + 2)
    for at in range(start + 4, start + 4 + 8 * subtables, 8):
        table = start + struct.unpack_from(">I", font, at + 4)[0]
        if struct.unpack_from(">H", font, table)[0] == 12:
            return _segments(font, table)
    raise ValueError("expected a font whose cmap reaches beyond the basic plane (format 12)")


def _segments(font: bytes, table: int) -> frozenset[int]:
    """The code points of a format 12 table; glyph 0 is the box that stands for a missing glyph."""
    (count,) = struct.unpack_from(">I", font, table + 12)
    mapped: set[int] = set()
    for at in range(table + 16, table + 16 + 12 * count, 12):
        first, last, glyph = struct.unpack_from(">III", font, at)
        mapped.update(range(first + (glyph == 0), last + 1))
    return frozenset(mapped)
