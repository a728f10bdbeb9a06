"""A running worker goes where the operator's newest epoch is, without a restart."""

from pathlib import Path

from talentseal.commands.running import EpochFollower
from talentseal.worker import anchoring, watching_keys
from tests.api.conftest import Api
from tests.world import World, clock, sqlite_world, world

__all__ = ["clock", "sqlite_world", "world"]


def test_another_epoch_brings_another_anchorer(world: World, tmp_path: Path) -> None:
    follower = EpochFollower(Api(world, tmp_path).service)
    before, still = follower.anchorer(), follower.anchorer()
    former_chain = follower.chain()

    world.open_another_epoch()

    assert before is still is not None
    assert follower.anchorer() not in (before, None)
    assert follower.chain() not in (former_chain, None)


def test_before_the_first_epoch_the_loops_wait(world: World) -> None:
    looks = anchoring(lambda: None, interval=3.0), watching_keys(world.database, lambda: None)

    assert [loop.tick() for loop in looks] == [3.0, 60.0]
