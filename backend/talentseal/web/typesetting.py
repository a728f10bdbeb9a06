"""PDF pages from typst sources, in the one font that set-up fetched from npm."""

import json
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

import typst

from talentseal.web.assets import FOLDER

FONT: Final = "Noto Sans S Chinese"
_FONTS: Final = FOLDER / "node_modules" / "@embedpdf" / "fonts-sc" / "fonts"


def typeset(source: Path, values: Any, *, at: datetime) -> bytes:
    """The PDF of a typst file, the same bytes for the same input.

    values: JSON that the source reads from `sys.inputs.values`, so that no text in it is ever code. at: aware
    time, the PDF's date of creation.
    """
    return typst.compile(
        source.read_bytes(),
        sys_inputs={"values": json.dumps(values, ensure_ascii=False), "font": FONT},
        font_paths=_fonts(),
        ignore_system_fonts=True,
        timestamp=int(at.timestamp()),
    )


@cache
def _fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False, font_paths=[_FONTS])
