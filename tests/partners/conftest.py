"""Fixtures of tests/world.py and tests/api for this folder."""

from tests.api.conftest import api
from tests.world import clock, sqlite_world, world

__all__ = ["api", "clock", "sqlite_world", "world"]
