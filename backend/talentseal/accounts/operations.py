"""Every operation of the service and the permission it takes, as `operations.toml` lists them.

A route that is not listed is not served: `access.declare` refuses to start. The services ask for the same
permissions again, and then whose the thing is; a test walks operations × roles.
"""

import tomllib
from collections.abc import Mapping
from enum import StrEnum
from importlib.resources import files
from types import MappingProxyType
from typing import Final

from talentseal.accounts.roles import Permission


class Audience(StrEnum):
    """Whom an operation is for that takes no permission."""

    EVERYONE = "everyone"
    SIGNED_IN = "signed-in"


Need = Audience | tuple[Permission, ...]
"""Whom an operation is for, or the permissions of which any opens it."""


def _read() -> Mapping[str, Need]:
    """Raises ValueError for a word that is neither an audience nor a permission."""
    text = files(__package__).joinpath("operations.toml").read_text("utf-8")
    listed = {name: need for part in tomllib.loads(text).values() for name, need in part.items()}
    return MappingProxyType({name: _need(need) for name, need in listed.items()})


def _need(said: str | list[str]) -> Need:
    if isinstance(said, list):
        return tuple(Permission(each) for each in said)
    return Audience(said) if said in list(Audience) else (Permission(said),)


OPERATIONS: Final = _read()
"""By method and path template."""
