"""Photos as they come from a phone, taken to pieces: what shows the picture is kept, what tells of its making
is not.

A JPEG (ITU-T T.81) and a PNG (ISO/IEC 15948) are lists of parts with a kind and a length. Parts are kept by
a list of kinds, so that whatever an unknown kind holds goes: EXIF with its places and times, thumbnails,
comments, colour profiles with their makers' names, whatever follows the picture's end. Nothing is decoded.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

SHORTEST: Final = 100
LONGEST: Final = 4096
"""Pixels of a side: fewer show nobody, more would be unpacked to hundreds of megabytes at a counter."""

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_PNG_KEPT: Final = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
_PNG_DEPTHS: Final = {0: {1, 2, 4, 8, 16}, 2: {8, 16}, 3: {1, 2, 4, 8}, 4: {8, 16}, 6: {8, 16}}
"""Bits of a sample by colour type (ISO/IEC 15948, 11.2.2)."""

_SOI, _EOI, _SOS = 0xD8, 0xD9, 0xDA
_FRAMES: Final = frozenset({0xC0, 0xC1, 0xC2})
"""Baseline, extended and progressive: what browsers show."""
_TABLES: Final = frozenset({0xC4, 0xDB, 0xDD})
"""Huffman and quantisation tables, restart intervals."""
_TOLD: Final = frozenset({*range(0xE0, 0xF0), 0xFE})
"""Application segments and comments."""
_ADOBE: Final = 0xEE
_ADOBE_CONTENT: Final = 12
"""Bytes: "Adobe", a version, flags, and how the colours were turned, without which they come out wrong."""


class _Unsound(Exception):
    """The bytes are no picture of the kind that they begin as."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A photo without anything but itself. media_type: image/jpeg or image/png. width, height: pixels."""

    media_type: str
    width: int
    height: int
    content: bytes = field(repr=False)


def cleaned(plain: bytes) -> Picture | None:
    """The picture in the bytes, by what they are and not by what they are called; None for anything that is
    neither JPEG nor PNG from the first byte to its end, or has a side out of bounds. Never raises.
    """
    read = _png if plain.startswith(_PNG) else _jpeg
    try:
        picture = read(plain)
    except (_Unsound, struct.error):
        return None
    sides = (picture.width, picture.height)
    return picture if min(sides) >= SHORTEST and max(sides) <= LONGEST else None


def _png(plain: bytes) -> Picture:
    kept, kinds = [_PNG], list[bytes]()
    width = height = 0
    for kind, content in _chunks(plain):
        if kind not in _PNG_KEPT:
            if not kind[0] & 0x20:
                raise _Unsound  # a part without which it cannot be shown, and which is not known
            continue
        if (kind == b"IHDR") != (not kinds):
            raise _Unsound
        if kind == b"IHDR":
            width, height = _header(content)
        kinds.append(kind)
        kept.append(_chunk(kind, content))
    if b"IDAT" not in kinds or kinds[-1] != b"IEND":
        raise _Unsound
    return Picture("image/png", width, height, b"".join(kept))


def _header(content: bytes) -> tuple[int, int]:
    width, height, depth, colour, packing, filtering, interlace = struct.unpack(">IIBBBBB", content)
    if depth not in _PNG_DEPTHS.get(colour, ()) or (packing, filtering) != (0, 0) or interlace > 1:
        raise _Unsound
    return width, height


def _chunks(plain: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and content of each chunk up to the end; what follows that is not looked at."""
    place = len(_PNG)
    while True:
        length, kind = struct.unpack_from(">I4s", plain, place)
        content = plain[place + 8 : place + 8 + length]
        (check,) = struct.unpack_from(">I", plain, place + 8 + length)
        if check != zlib.crc32(kind + content) or not kind.isalpha():
            raise _Unsound
        yield kind, content
        if kind == b"IEND":
            return
        place += 12 + length


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _jpeg(plain: bytes) -> Picture:
    if not plain.startswith(bytes([0xFF, _SOI, 0xFF])):
        raise _Unsound
    kept, place, sides, scans = [plain[:2]], 2, (0, 0), 0
    while True:
        marker, place = _marker(plain, place)
        if marker == _EOI:
            break
        (length,) = struct.unpack_from(">H", plain, place)
        content = plain[place + 2 : place + length]
        if length < 2 or len(content) != length - 2:
            raise _Unsound
        place += length
        if marker in _FRAMES and sides == (0, 0):
            height, width = struct.unpack_from(">HH", content, 1)
            sides = (width, height)
        elif not _is_kept_or_told(marker, has_frame=sides != (0, 0)):
            raise _Unsound
        if marker not in _TOLD or _is_adobe(marker, content):
            kept.append(struct.pack(">BBH", 0xFF, marker, length) + content)
        if marker == _SOS:
            end = _end_of_scan(plain, place)
            kept.append(plain[place:end])
            place, scans = end, scans + 1
    if not scans:
        raise _Unsound
    kept.append(bytes([0xFF, _EOI]))
    return Picture("image/jpeg", *sides, b"".join(kept))


def _is_kept_or_told(marker: int, *, has_frame: bool) -> bool:
    return marker in _TABLES or marker in _TOLD or (marker == _SOS and has_frame)


def _is_adobe(marker: int, content: bytes) -> bool:
    return marker == _ADOBE and content.startswith(b"Adobe") and len(content) == _ADOBE_CONTENT


def _marker(plain: bytes, place: int) -> tuple[int, int]:
    """The marker that has to stand at `place`, after any number of fill bytes, and where it ends."""
    if plain[place : place + 1] != b"\xff":
        raise _Unsound
    while plain[place : place + 1] == b"\xff":
        place += 1
    if place >= len(plain):
        raise _Unsound
    return plain[place], place + 1


def _end_of_scan(plain: bytes, place: int) -> int:
    """Where the coded data end: before the first marker that is neither a stuffed byte nor a restart."""
    while True:
        place = plain.find(b"\xff", place)
        if place < 0 or place + 1 >= len(plain):
            raise _Unsound
        following = plain[place + 1]
        if following != 0 and not 0xD0 <= following <= 0xD7:
            return place
        place += 2
