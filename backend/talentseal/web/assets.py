"""What pages load besides themselves: our own styles and scripts, and what set-up fetched from npm.

They are served under a path that holds the SHA-256 of them all, so that any cache may keep them for ever and
a new version is never mistaken for an old one. Beneath it they keep their names: scripts find each other.
"""

import gzip
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from talentseal.errors import NotFound
from talentseal.web.onefile import merged

FOLDER: Final = Path(__file__).parent
_OWN: Final = FOLDER / "static"
_NPM: Final = {
    "htmx.js": "htmx.org/dist/htmx.min.js",
    "qr/decode.js": "qr/decode.js",
    "qr/index.js": "qr/index.js",
    "tabler.css": "@tabler/core/dist/css/tabler.min.css",
}
"""Names in pages, and where set-up puts the files."""

_MERGED: Final = {
    "verify.js": "verify/page.js",
}
"""Scripts of many modules: names in pages, and the module that begins. One request on a phone, not forty."""

_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_IMMUTABLE: Final = "public, max-age=31536000, immutable"


class AssetsMissing(RuntimeError):
    """Set-up has not fetched the pages' files."""


@dataclass(frozen=True, slots=True)
class Asset:
    """One file. address: path on this service. compressed: gzip of `content`."""

    address: str
    media_type: str
    content: bytes
    compressed: bytes


class Assets:
    """All files of the pages, read once. Raises AssetsMissing."""

    def __init__(self) -> None:
        files = dict(_files())
        sources = {name: content.decode() for name, content in files.items() if name.endswith(".js")}
        files |= {name: merged(entry, sources, bare=True).encode() for name, entry in _MERGED.items()}
        version = hashlib.sha256()
        for name, content in sorted(files.items()):
            version.update(hashlib.sha256(name.encode()).digest() + hashlib.sha256(content).digest())
        self.version = version.hexdigest()[:16]
        root = f"/static/{self.version}"
        self._by_name = {name: _asset(root, name, content) for name, content in files.items()}
        self._by_address = {asset.address: asset for asset in self._by_name.values()}

    def address(self, name: str) -> str:
        """Where a page finds the file. Raises KeyError for a name that there is not."""
        return self._by_name[name].address

    def named(self) -> Mapping[str, Asset]:
        """All of them, by the names that pages use."""
        return self._by_name

    def router(self) -> APIRouter:
        """Serves them."""
        router = APIRouter(include_in_schema=False)

        @router.get("/static/{name:path}")
        def static(name: str, request: Request) -> Response:
            asset = self._by_address.get(f"/static/{name}")
            if asset is None:
                raise NotFound
            headers = {"Cache-Control": _IMMUTABLE, "Vary": "Accept-Encoding"}
            if "gzip" in request.headers.get("accept-encoding", ""):
                headers["Content-Encoding"] = "gzip"
                return Response(asset.compressed, media_type=asset.media_type, headers=headers)
            return Response(asset.content, media_type=asset.media_type, headers=headers)

        return router


def _files() -> Iterator[tuple[str, bytes]]:
    for file in sorted(_OWN.rglob("*")):
        if file.suffix in _TYPES:
            yield file.relative_to(_OWN).as_posix(), file.read_bytes()
    for name, place in _NPM.items():
        try:
            yield name, (FOLDER / "node_modules" / place).read_bytes()
        except FileNotFoundError:
            raise AssetsMissing(f"{place} is not there: scripts/setup fetches it from npm") from None


def _asset(root: str, name: str, content: bytes) -> Asset:
    # A time in the gzip header would make every process serve other bytes at one address.
    return Asset(f"{root}/{name}", _TYPES[Path(name).suffix], content, gzip.compress(content, mtime=0))
