"""Where a person goes on after signing in: a page of this service, and never anywhere else."""

from typing import Final
from urllib.parse import quote

from talentseal.accounts.roles import Role

HOME: Final = "/agreements"
"""Where the work of those who act for an organisation is."""
TALENT_HOME: Final = "/me"

_LONGEST: Final = 2000
_SIGNING: Final = ("/sign-in", "/sign-out", "/sign-up", "/invitation")


def home_of(role: Role) -> str:
    """Where somebody goes on who has said nothing else."""
    return TALENT_HOME if role is Role.TALENT else HOME


def local_path(text: str) -> str:
    """`text` when it is an absolute path on this service, else empty.

    Browsers take backslashes for slashes and drop control characters, so `/\\host` and `/<tab>/host` lead to
    other sites as `//host` does.
    """
    is_plain = text.isascii() and all(" " < mark < "\x7f" and mark != "\\" for mark in text)
    is_local = text.startswith("/") and not text.startswith("//") and len(text) <= _LONGEST
    if not (is_plain and is_local) or text.split("?", maxsplit=1)[0].startswith(_SIGNING):
        return ""
    return text


def with_next(page: str, destination: str) -> str:
    """The address of a page that leads on to `destination`; empty: to wherever the person is at home."""
    if not destination:
        return page
    return f"{page}?next={quote(destination, safe='/')}"
