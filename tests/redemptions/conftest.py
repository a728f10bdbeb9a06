"""Markets on both kinds of database."""

import pytest

from tests.redemptions.market import Market
from tests.world import World, clock, sqlite_world, world

__all__ = ["clock", "sqlite_world", "world"]


@pytest.fixture
def market(world: World) -> Market:
    """On both kinds of database."""
    return Market.of(world)


@pytest.fixture
def sqlite_market(sqlite_world: World) -> Market:
    """On SQLite alone, for what does not depend on the database."""
    return Market.of(sqlite_world)


@pytest.fixture
def ending_market(world: World) -> Market:
    """On both kinds, under measures that run out after twenty days."""
    return Market.of(world, days=20)
