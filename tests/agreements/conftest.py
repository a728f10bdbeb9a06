"""Fixtures of tests/world.py for this folder."""

from tests.world import clock, sqlite_world, world

__all__ = ["clock", "sqlite_world", "world"]
