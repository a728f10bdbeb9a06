"""What makes the pages an app that a phone installs: a manifest, and icons drawn here.

The icon is the seal without its margin, since phones cut their own corners. A service worker is left out: a
code cannot be shown without the service, so it would keep nothing that is worth having.
"""

import struct
import zlib
from functools import cache
from itertools import pairwise
from math import hypot
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from talentseal.web.assets import Assets

APPLE: Final = 180
ANDROID: Final = 192
"""Pixels."""

_RED: Final = (0xB3, 0x26, 0x1E)
_WHITE: Final = (0xFF, 0xFF, 0xFF)
_VIEW: Final = 64
_STROKES: Final = (((14, 52), (32, 12), (50, 52)), ((23, 39), (32, 30), (41, 39)), ((32, 12), (32, 30)))
"""The mark 人 of `seal.svg`, in its units, as lines from point to point."""
_HALF: Final = 3.0
"""Half the width of a line."""
_BEYOND: Final = 56 / 64
"""Of the seal's 64 units, how much is shown: the margin is left out."""

Point = tuple[float, float]


def app_manifest(assets: Assets) -> APIRouter:
    """The routes of the manifest and of the icons."""
    router = APIRouter(include_in_schema=False)
    manifest = _manifest(assets)

    @router.get("/manifest.webmanifest")
    def describe(_request: Request) -> Response:
        return JSONResponse(
            manifest, media_type="application/manifest+json", headers={"Cache-Control": "max-age=3600"}
        )

    def icon(size: int) -> Response:
        return Response(png(size), media_type="image/png", headers={"Cache-Control": "max-age=86400"})

    router.add_api_route("/apple-touch-icon.png", lambda: icon(APPLE), methods=["GET"])
    router.add_api_route("/icon-192.png", lambda: icon(ANDROID), methods=["GET"])
    return router


def _manifest(assets: Assets) -> dict[str, Any]:
    return {
        "id": "/code",
        "name": "人才码 · TalentSeal",
        "short_name": "人才码",
        "lang": "zh-CN",
        "start_url": "/code",
        "scope": "/",
        "display": "standalone",
        "background_color": "#faf8f5",
        "theme_color": "#a3221b",
        "icons": [
            {"src": assets.address("seal.svg"), "sizes": "any", "type": "image/svg+xml"},
            {"src": "/icon-192.png", "sizes": "192x192", "type": "image/png", "purpose": "any"},
            {"src": "/icon-192.png", "sizes": "192x192", "type": "image/png", "purpose": "maskable"},
        ],
    }


@cache
def png(size: int) -> bytes:
    """The icon as a PNG of `size` × `size` pixels."""
    rows = b"".join(b"\x00" + bytes(_row(y, size)) for y in range(size))
    header = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, content) for kind, content in chunks)


def _row(y: int, size: int) -> list[int]:
    unit = _VIEW * _BEYOND / size
    margin = _VIEW * (1 - _BEYOND) / 2
    return [
        channel
        for x in range(size)
        for channel in _colour((margin + (x + 0.5) * unit, margin + (y + 0.5) * unit), unit)
    ]


def _colour(at: Point, unit: float) -> tuple[int, ...]:
    """Red, white, or between them where a line's edge runs through the pixel."""
    distance = min(_distance(at, start, end) for line in _STROKES for start, end in pairwise(line))
    cover = min(1.0, max(0.0, (_HALF - distance) / unit + 0.5))
    return tuple(round(red + (white - red) * cover) for red, white in zip(_RED, _WHITE, strict=True))


def _distance(at: Point, start: Point, end: Point) -> float:
    """From a point to a line between two others."""
    along = (end[0] - start[0], end[1] - start[1])
    from_start = (at[0] - start[0], at[1] - start[1])
    part = (from_start[0] * along[0] + from_start[1] * along[1]) / (along[0] ** 2 + along[1] ** 2)
    part = min(1.0, max(0.0, part))
    return hypot(from_start[0] - part * along[0], from_start[1] - part * along[1])


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
