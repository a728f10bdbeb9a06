"""A world for each run of a state machine, which pytest's fixtures cannot give."""

import shutil
import tempfile
from collections.abc import Generator
from contextlib import closing
from functools import cache
from pathlib import Path

from talentseal.db import Database
from tests.world import SetClock, World, make_world


@cache
def _template() -> "tempfile.TemporaryDirectory[str]":
    """A folder with a SQLite database with its tables, made once; gone with the process."""
    folder = tempfile.TemporaryDirectory()
    with closing(Database(f"sqlite:///{folder.name}/world.db")) as database:
        database.upgrade()
    return folder


def fresh_world() -> Generator[World]:
    """One world; closing the generator ends it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "world.db"
        shutil.copy(Path(_template().name) / "world.db", path)
        yield from make_world(f"sqlite:///{path}", SetClock(), Path(folder))
