"""Pictures that browsers show, made here: a grey JPEG, a coloured PNG, and what phones put around them."""

import struct
import zlib

GPS = b"GPSLatitude 34.7472 GPSLongitude 113.6249"
EXIF = (0xE1, b"Exif\x00\x00MM\x00*" + GPS)
ADOBE = (0xEE, b"Adobe\x00d\x00\x00\x00\x00\x00")
COMMENT = (0xFE, b"Shot by an invented phone")


def segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def jpeg(
    width: int = 120, height: int = 160, *, told: tuple[tuple[int, bytes], ...] = (), frame: int = 0xC0
) -> bytes:
    """A baseline JPEG of one grey; told: segments before its tables."""
    blocks = ((width + 7) // 8) * ((height + 7) // 8)
    one_code = bytes([1, *[0] * 15, 0])
    parts = [
        *(segment(*each) for each in told),
        segment(0xDB, bytes([0, *[16] * 64])),
        segment(frame, struct.pack(">BHHB", 8, height, width, 1) + bytes([1, 0x11, 0])),
        segment(0xC4, b"\x00" + one_code + b"\x10" + one_code),
        segment(0xDA, bytes([1, 1, 0, 0, 63, 0])),
        bytes(blocks // 4 + 1),
    ]
    return b"\xff\xd8" + b"".join(parts) + b"\xff\xd9"


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(
    width: int = 120, height: int = 160, *, told: tuple[tuple[bytes, bytes], ...] = (), depth: int = 8
) -> bytes:
    """A PNG of one colour; told: chunks after its header."""
    row = b"\x00" + bytes((196, 164, 132)) * width
    parts = [
        chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, 2, 0, 0, 0)),
        *(chunk(*each) for each in told),
        chunk(b"IDAT", zlib.compress(row * height, 9)),
        chunk(b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)
