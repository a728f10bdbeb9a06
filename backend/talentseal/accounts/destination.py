"""Where a person goes on after signing in: a page of this service, and never anywhere else."""

from typing import Final
from urllib.parse import quote

HOME: Final = "/agreements"
"""Where the work of those who have an account is."""

_LONGEST: Final = 2000
_SIGNING: Final = ("/sign-in", "/sign-out", "/invitation")


def local_path(text: str) -> str:
    """`text` when it is an absolute path on this service, else HOME.

    Browsers take backslashes for slashes and drop control characters, so `/\\host` and `/<tab>/host` lead to
    other sites as `//host` does.
    """
    is_plain = text.isascii() and all(" " < mark < "\x7f" and mark != "\\" for mark in text)
    is_local = text.startswith("/") and not text.startswith("//") and len(text) <= _LONGEST
    if not (is_plain and is_local) or text.split("?", maxsplit=1)[0].startswith(_SIGNING):
        return HOME
    return text


def with_next(page: str, destination: str) -> str:
    """The address of a page that leads on to `destination`."""
    return f"{page}?next={quote(destination, safe='/')}"
