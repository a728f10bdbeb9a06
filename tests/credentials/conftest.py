"""People, counters and their world, for the tests of presentations."""

import pytest

from tests.credentials.counters import Street
from tests.talents.conftest import People, crowd, sqlite_crowd
from tests.world import clock, sqlite_world, world

__all__ = ["clock", "crowd", "sqlite_crowd", "sqlite_world", "world"]


@pytest.fixture
def street(crowd: People) -> Street:
    """On both kinds of database."""
    return Street(crowd)


@pytest.fixture
def sqlite_street(sqlite_crowd: People) -> Street:
    """On SQLite alone, for what does not depend on the database."""
    return Street(sqlite_crowd)
