"""Fixtures of tests/world.py and tests/api for this folder."""

from tests.api.conftest import api, bank, office
from tests.world import clock, sqlite_world, world

__all__ = ["api", "bank", "clock", "office", "sqlite_world", "world"]
