"""A node that is killed at any moment and comes back with any state: CHAIN_RESET, or all as it was.

One service lives through all trials. In each it anchors until its Anvil dies under it, and Anvil comes back
with its newest dump, an older one, or none (with the same genesis or another). What the service calls final
afterwards must be on that chain; where the chain is not the one it knew it must say CHAIN_RESET, and a new
epoch takes everything along.
"""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from random import Random

import pytest

from chainkit.node import Anvil
from sealproof import tiles
from talentseal.anchoring import epochs
from talentseal.anchoring.models import TransactionState
from talentseal.anchoring.service import Outcome, Tick
from talentseal.chain.port import ZERO_HASH, Chain
from talentseal.evidence import tree
from tests.anchoring.conftest import Service
from tests.anchoring.registry import connect, identity_of, open_on, put_registry
from tests.crash.conftest import SEED, TRIALS
from tests.evidence.conftest import SetClock

GENESIS = 1_790_000_000
"""Time of the first block in seconds since 1970: the same time gives the same genesis hash."""


class Return(StrEnum):
    """With what a killed node comes back."""

    NEWEST = "the newest dump"
    OLDER = "an older dump"
    EMPTY = "nothing, and the same genesis"
    FOREIGN = "nothing, and another genesis"


class World:
    """One service, and the nodes that it sees one after another at one address."""

    def __init__(self, folder: Path, url: str, rng: Random) -> None:
        self._folder = folder
        self._rng = rng
        self._made = 0
        self._port = 0
        self.node = self._new_node(GENESIS)
        self.record = put_registry(self.node)
        self.service = Service(url, folder, SetClock(datetime(2026, 11, 23, 8, 0, tzinfo=UTC)), self._chain())
        open_on(self.service, self.record)

    def _chain(self) -> Chain:
        return connect(self.node, self.record)

    def _new_node(self, genesis: int) -> Anvil:
        self._made += 1
        folder = self._folder / f"node{self._made}"
        node = Anvil(folder, self._port, keep_history=True, extra=("--timestamp", str(genesis))).start()
        self._port = node.port
        return node

    def anchor_until_the_node_dies(self) -> bytes:
        """Seal and anchor until a kill from another thread; the dump of before."""
        self.node.stop()
        older = self.node.state_file.read_bytes()
        self.node.start()
        killer = threading.Timer(self._rng.uniform(0.01, 0.4), self.node.kill)
        killer.start()
        for _ in range(200):
            self.service.grow(self._rng.randint(1, 3))
            if self.service.anchorer_for(self.record.chain_id, self.record.contract).tick().outcome is (
                Outcome.UNREACHABLE
            ):
                break
        killer.join()
        return older

    def bring_back(self, how: Return, older: bytes) -> None:
        """Start the node again, and the service."""
        if how is Return.NEWEST:
            self.node.start()
        elif how is Return.OLDER:
            self.node.state_file.write_bytes(older)
            self.node.start()
        else:
            self.node = self._new_node(GENESIS if how is Return.EMPTY else GENESIS + self._made * 1000)
        self.service.restart()

    def look(self) -> Tick:
        """One round of the anchorer that knows the deployment of before."""
        self.service.chain = self._chain()
        return self.service.anchorer_for(self.record.chain_id, self.record.contract).tick()

    def begin_again(self) -> None:
        """The operator's step after CHAIN_RESET: the old contract if it is still there, else a new one."""
        if identity_of(self.record) != self.service.port.identity():
            former = self.service.database.read(epochs.newest)
            named = epochs.identity_hash(epochs.identity_of(former)) if former else ZERO_HASH
            self.record = put_registry(self.node, named)
            self.service.chain = self._chain()
        open_on(self.service, self.record)

    def drain(self) -> None:
        """Seal once more and anchor until all of it is final."""
        size = self.service.grow(1)
        for _ in range(20):
            if self.look().final_size == size:
                return
            self.service.clock.advance(seconds=16)
        raise AssertionError(f"{size} entries were sealed, {self.service.marks()} are anchored and final")

    def falsehoods(self) -> list[str]:
        """What the service says of the chain and the chain does not confirm."""
        chain, found = self.service.port, []
        _anchored, final = self.service.marks()
        if final and chain.head_at(final) != self.root(final):
            found.append(f"{final} entries are called final; the contract knows no such head")
        newest = self.service.database.read(epochs.newest)
        for row in self.service.rows() if final and newest else []:
            if row.state is TransactionState.FINAL and newest and row.epoch_id == newest.id:
                receipt = chain.receipt(row.hash)
                if receipt is None or receipt.block_hash != row.block_hash:
                    found.append(f"{row.hash} is called final and is not on the chain")
        head = chain.head() if not found and identity_of(self.record) == chain.identity() else None
        if head and head.size and head.root != self.root(head.size):
            found.append(f"the chain's head of {head.size} entries is not of this log")
        return found

    def root(self, size: int) -> bytes:
        return self.service.database.read(
            lambda session: tiles.root_from_tiles(tree.read_tile(session), size)
        )

    def close(self) -> None:
        self.node.kill()
        for database in self.service.opened:
            database.close()


@pytest.fixture
def world(tmp_path: Path, sqlite_url: str) -> Iterator[World]:
    made = World(tmp_path, sqlite_url, Random(SEED))
    yield made
    made.close()


def trial(world: World, how: Return) -> tuple[Outcome, list[str]]:
    """One death of the node: what the anchorer said when it was back, and what was wrong afterwards."""
    older = world.anchor_until_the_node_dies()
    world.bring_back(how, older)
    tick = world.look()
    found = world.falsehoods()
    if tick.outcome is Outcome.CHAIN_RESET:
        if (tick.anchored_size, tick.final_size) != (0, 0):
            found.append(f"a reset chain, and yet {tick}")
        world.begin_again()
    elif how in (Return.EMPTY, Return.FOREIGN):
        found.append(f"a wiped chain was not noticed: {tick}")
    world.drain()
    return tick.outcome, found + world.falsehoods()


@pytest.mark.timeout(1800)
def test_a_killed_node_never_leaves_a_false_final(world: World) -> None:
    """An eighth of the trials of a point: one takes a second or two."""
    rng, outcomes = Random(SEED), []
    for number in range(max(8, TRIALS // 8)):
        how = list(Return)[number] if number < len(Return) else rng.choice(list(Return))
        outcome, found = trial(world, how)
        assert found == [], f"trial {number}: it came back with {how}; TALENTSEAL_SEED={SEED}"
        outcomes.append(outcome)

    assert outcomes.count(Outcome.CHAIN_RESET) >= 2
