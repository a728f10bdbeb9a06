"""Reading the PNG files that typst draws, 8 bits of RGBA: as much of one as a test looks at."""

import struct
import zlib
from dataclasses import dataclass
from typing import Final

CHANNELS: Final = 4


@dataclass(frozen=True, slots=True)
class Grey:
    """Rows from the top, one byte a pixel; white is 255."""

    width: int
    rows: tuple[bytes, ...]

    def view(self) -> memoryview:
        """Two-dimensional, as zxing reads it."""
        return memoryview(b"".join(self.rows)).cast("B", (len(self.rows), self.width))


def read(png: bytes, share: float = 1.0) -> Grey:
    """The upper `share` of the picture. Raises ValueError for another kind of PNG."""
    width, height, depth, colours = struct.unpack_from(">IIBB", png, 16)
    if (depth, colours) != (8, 6):
        raise ValueError(f"expected 8-bit RGBA, met {depth} bits of colour type {colours}")
    raw, length = zlib.decompress(_data(png)), width * CHANNELS
    before, rows = bytes(length), []
    for place in range(int(height * share)):
        start = place * (length + 1)
        before = _row(raw[start], bytearray(raw[start + 1 : start + 1 + length]), before)
        rows.append(before[1::CHANNELS])
    return Grey(width, tuple(rows))


def _data(png: bytes) -> bytes:
    parts, at = [], 8
    while at < len(png):
        (length,) = struct.unpack_from(">I", png, at)
        if png[at + 4 : at + 8] == b"IDAT":
            parts.append(png[at + 8 : at + 8 + length])
        at += 12 + length
    return b"".join(parts)


def _row(kind: int, row: bytearray, above: bytes) -> bytes:
    """One row without its filter (PNG §9: none, sub, up, average, Paeth)."""
    if kind == 0 or not (any(row) or any(above)):
        return bytes(row)
    if kind == 2:
        return bytes((value + up) & 255 for value, up in zip(row, above, strict=True))
    for place, value in enumerate(row):
        left = row[place - CHANNELS] if place >= CHANNELS else 0
        corner = above[place - CHANNELS] if place >= CHANNELS else 0
        guess = (left, (left + above[place]) // 2, _paeth(left, above[place], corner))[
            (kind == 3) + 2 * (kind == 4)
        ]
        row[place] = (value + guess) & 255
    return bytes(row)


def _paeth(left: int, up: int, corner: int) -> int:
    estimate = left + up - corner
    return min((left, up, corner), key=lambda value: abs(estimate - value))
