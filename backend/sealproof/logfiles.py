"""Reads a log's published files (C2SP tlog-tiles) from a directory or over HTTP: checkpoint, hash tiles,
entry bundles.

Files only: nothing read here is believed until its hashes were recomputed.
"""

import urllib.request
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import ClassVar, Final, Protocol

from sealproof.encoding import HASH_LENGTH, utf8_decode
from sealproof.errors import ProofError
from sealproof.note import NOTE_LIMIT
from sealproof.rpc import ChainAnswerGarbled, ChainUnreachable, check_url, fetch, opener_for
from sealproof.tiles import TILE_WIDTH, ReadTile, Tile

ENTRIES_LIMIT: Final = TILE_WIDTH * (2 + 65_535)
"""Bytes of the largest entry bundle."""
TILE_LIMIT: Final = TILE_WIDTH * HASH_LENGTH
_TIMEOUT_SECONDS: Final = 15.0
_PARALLEL: Final = 8


class LogUnreadable(ProofError):
    """A file of the log is not there or cannot be read. It proves nothing either way."""

    code: ClassVar[str] = "log-unreadable"


class LogFiles(Protocol):
    """A place that holds a log's files."""

    def read(self, path: str, limit: int) -> bytes:
        """The file of a path below the log's root, of at most `limit` bytes. Raises LogUnreadable."""

    def read_all(self, paths: Sequence[str], limit: int) -> Iterator[bytes]:
        """The files of these paths, one after the other. Raises LogUnreadable at the first that is not
        there."""


class LogDirectory:
    """A log's files below a directory."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def read(self, path: str, limit: int) -> bytes:
        try:
            with (self._root / path).open("rb") as file:
                raw = file.read(limit + 1)
        except OSError as failure:
            raise LogUnreadable(f"{path}: {failure.strerror or failure}") from None
        if len(raw) > limit:
            raise LogUnreadable(f"{path}: more than {limit} bytes")
        return raw

    def read_all(self, paths: Sequence[str], limit: int) -> Iterator[bytes]:
        return (self.read(path, limit) for path in paths)


class LogSite:
    """A log's files below an http or https address. authorization: the header's value, for entry bundles.

    Raises OutOfRange for another kind of address. Eight files are fetched at a time, in order.
    """

    def __init__(self, url: str, authorization: str | None = None) -> None:
        self._root = check_url(url).rstrip("/") + "/"
        self._authorization = authorization
        self._opener = opener_for(url)

    def read(self, path: str, limit: int) -> bytes:
        headers = {} if self._authorization is None else {"Authorization": self._authorization}
        request = urllib.request.Request(self._root + path, headers=headers)  # noqa: S310 - passed check_url
        try:
            return fetch(self._opener, request, limit=limit, timeout_seconds=_TIMEOUT_SECONDS)
        except (ChainUnreachable, ChainAnswerGarbled) as failure:
            raise LogUnreadable(f"{path}: {failure}") from None

    def read_all(self, paths: Sequence[str], limit: int) -> Iterator[bytes]:
        with ThreadPoolExecutor(_PARALLEL) as pool:
            ahead: deque[Future[bytes]] = deque()
            try:
                for path in paths:
                    ahead.append(pool.submit(self.read, path, limit))
                    if len(ahead) > 2 * _PARALLEL:
                        yield ahead.popleft().result()
                while ahead:
                    yield ahead.popleft().result()
            finally:
                for waiting in ahead:
                    waiting.cancel()


def read_checkpoint(files: LogFiles) -> str:
    """The signed note `checkpoint`. Raises LogUnreadable, BadEncoding."""
    return utf8_decode(files.read("checkpoint", NOTE_LIMIT))


def tile_reader(files: LogFiles) -> ReadTile:
    """Reads hash tiles for proofs; a wider tile stands in for a partial one that is no longer kept."""

    def read_tile(level: int, number: int, width: int) -> bytes:
        tile = Tile(level, number, width)
        try:
            return files.read(tile.path(), TILE_LIMIT)
        except LogUnreadable:
            if width == TILE_WIDTH:
                raise
            return files.read(Tile(level, number).path(), TILE_LIMIT)[: width * HASH_LENGTH]

    return read_tile
