"""What Chromium's fake camera sees: a QR code held before it, as a film of one picture (YUV4MPEG2)."""

from pathlib import Path
from typing import Final

import segno

SCENE: Final = (640, 480)
"""Pixels of width and height."""
_MODULE: Final = 10
_LIGHT, _DARK, _ROOM, _GREY = 235, 16, 120, 128
"""Luma of paper, ink and the room (BT.601), and the chroma of all of them."""


def film(path: Path, text: str) -> Path:
    """A film in which a code that says `text` lies in the middle of the picture."""
    width, height = SCENE
    modules = [list(row) for row in segno.make_qr(text, boost_error=False).matrix_iter(border=4)]
    left, top = ((side - len(modules) * _MODULE) // 2 for side in SCENE)

    def luma(x: int, y: int) -> int:
        column, row = (x - left) // _MODULE, (y - top) // _MODULE
        if not (0 <= column < len(modules) and 0 <= row < len(modules)):
            return _ROOM
        return _DARK if modules[row][column] else _LIGHT

    picture = bytes(luma(x, y) for y in range(height) for x in range(width))
    chroma = bytes([_GREY]) * (width * height // 2)
    header = f"YUV4MPEG2 W{width} H{height} F10:1 Ip A1:1 C420jpeg\n".encode()
    path.write_bytes(header + (b"FRAME\n" + picture + chroma) * 2)
    return path
