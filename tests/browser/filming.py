"""What Chromium's fake camera sees: a QR code held before it, as a film of one picture (YUV4MPEG2)."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import segno
from playwright.sync_api import Browser

from tests.browser import chromium

SCENE: Final = (640, 480)
"""Pixels of width and height."""
_MODULE: Final = 10
_LIGHT, _DARK, _ROOM, _GREY = 235, 16, 120, 128
"""Luma of paper, ink and the room (BT.601), and the chroma of all of them."""


@contextmanager
def holding_up(browser: Browser, text: str, folder: Path) -> Iterator[Browser]:
    """A browser like `browser` before whose camera a code that says `text` is held."""
    scene = _film(folder / "scene.y4m", text)
    fake = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")
    filming = chromium.find().launch(
        browser.browser_type, *fake, f"--use-file-for-fake-video-capture={scene}"
    )
    yield filming
    filming.close()


def _film(path: Path, text: str) -> Path:
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
