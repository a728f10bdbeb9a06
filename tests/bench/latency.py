"""How long after its acknowledgement a record is SEALED, and ANCHORED on a chain with one-second blocks.

The embedded service's own loops, on SQLite and Anvil; records arrive at fixed times, whether or not the
earlier ones were acknowledged, so that a stall is seen by all who would have come meanwhile.
"""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from chainkit.node import Anvil
from talentseal import evidence, worker
from talentseal.anchoring import epochs
from talentseal.anchoring.models import Lane
from talentseal.anchoring.policy import LANE_FUNCTIONS
from talentseal.anchoring.service import Anchorer
from talentseal.chain.contract import registry_abi
from talentseal.chain.keys import LocalSender, SigningPolicy
from talentseal.chain.web3_chain import Web3Chain
from talentseal.clock import SystemClock
from talentseal.config import Settings
from talentseal.db import Database
from talentseal.evidence.headstore import HeadStore
from talentseal.evidence.models import CheckpointRow, EvidenceRecord, LogProgress
from tests.bench.figures import Budget, Figure, Reference, say
from tests.bench.places import ANCHOR, databases, event, put_registry, signer

RATE = 200
SEALED = Budget("value", "<=", 1.0)
ANCHORED = Budget("value", "<=", 5.0)
BLOCK = Reference("time between blocks", 1.0)
GATHERING = Reference("time the sealer gathers for", worker.GATHER)
LOOK_EVERY = 0.01
PATIENCE = 30.0
"""Seconds after the last record within which all must be anchored."""


@dataclass(slots=True)
class Arrivals:
    """When each record was due and acknowledged, and which sizes were seen sealed and anchored when."""

    late: list[float] = field(default_factory=list)
    acknowledged: dict[str, float] = field(default_factory=dict)
    sealed: list[tuple[float, int]] = field(default_factory=list)
    anchored: list[tuple[float, int]] = field(default_factory=list)

    def after(self, seen: list[tuple[float, int]], indices: dict[str, int]) -> list[float]:
        """Sorted seconds from each acknowledgement to the first look that found its index covered."""
        waits = []
        looks = iter(seen)
        at, size = next(looks)
        for record, index in sorted(indices.items(), key=lambda item: item[1]):
            while size <= index:
                at, size = next(looks)
            waits.append(max(0.0, at - self.acknowledged[record]))
        return sorted(waits)


def measure(tiny: bool) -> list[Figure]:
    """Percentiles over all records."""
    count = 20 if tiny else RATE * 30
    with databases("sqlite") as place, Anvil(place.folder / "chain", block_time=1) as node:
        database = Database(place.make())
        with _running(database, place.folder, node):
            say(f"  {count} records, {RATE} a second")
            arrivals = _arrive(database, count)
        indices = database.read(_indices)
        database.close()
    return [
        *_figures("SEALED", arrivals.after(arrivals.sealed, indices), GATHERING, SEALED),
        *_figures("ANCHORED", arrivals.after(arrivals.anchored, indices), BLOCK, ANCHORED),
        *_figures("the acknowledgement, from when it was due", sorted(arrivals.late), None, None),
    ]


def _figures(
    state: str, waits: list[float], floor: Reference | None, budget: Budget | None
) -> Iterator[Figure]:
    """The median, and the 99th percentile with the budget; spread is the least and the longest wait."""
    spread = (round(waits[0], 3), round(waits[-1], 3))
    since = f"acknowledgement to {state}" if floor else state
    for name, part, bound in (("median", 0.5, None), ("p99", 0.99, budget)):
        value = round(waits[int(part * (len(waits) - 1))], 3)
        ratio = None if floor is None else round(value / floor.value, 2)
        yield Figure(f"{since}, {name}", value, "s", floor, None, ratio, spread, bound)


@contextmanager
def _running(database: Database, folder: Path, node: Anvil) -> Iterator[None]:
    """The embedded service's sealer and anchorer, at their default intervals."""
    clock = SystemClock()
    deployed = put_registry(node)
    chain = Web3Chain(node.url, deployed.contract, deployed.deployment_block_number)
    identity = chain.identity()
    epochs.open_epoch(database, chain, identity, deployed.deployment_block_number, "bench", now=clock.now())
    selectors = frozenset(registry_abi().selector(name) for name in LANE_FUNCTIONS[Lane.ANCHOR])
    policy = SigningPolicy(identity.chain_id, identity.contract, selectors)
    sender = LocalSender.of_key(bytes.fromhex(ANCHOR.key[2:]), policy, demonstration=True)
    interval = Settings.model_fields["anchor_interval"].default
    anchorer = Anchorer(database, chain, {Lane.ANCHOR: sender}, clock)
    loops = (
        worker.sealing(database, HeadStore(folder / "head" / "head.json"), signer(), clock, holder="bench"),
        worker.anchoring(lambda: anchorer, interval=interval),
    )
    running = worker.Worker(loops)
    running.start()
    yield
    running.stop()


def _arrive(database: Database, count: int) -> Arrivals:
    """Record `count` events at RATE, and look on until the last is anchored."""
    arrivals = Arrivals()
    ended = threading.Event()
    looking = threading.Thread(target=_look_on, args=(database, arrivals, ended))
    looking.start()
    begun = time.monotonic() + 0.1

    def come(number: int) -> None:
        due = begun + number / RATE
        now = datetime.now(UTC)
        happened = event(now)
        recorded = database.write(lambda session: evidence.record(session, happened, now=now))
        arrivals.acknowledged[recorded.id] = time.monotonic()
        arrivals.late.append(time.monotonic() - due)

    with ThreadPoolExecutor(32) as arriving:
        for number in range(count):
            time.sleep(max(0.0, begun + number / RATE - time.monotonic()))
            arriving.submit(come, number)
    size = (
        database.read(lambda session: session.scalar(select(func.count()).select_from(EvidenceRecord))) or 0
    )
    patience = time.monotonic() + PATIENCE
    while (not arrivals.anchored or arrivals.anchored[-1][1] < size) and time.monotonic() < patience:
        time.sleep(LOOK_EVERY)
    ended.set()
    looking.join()
    return arrivals


def _look_on(database: Database, arrivals: Arrivals, ended: threading.Event) -> None:
    while not ended.wait(LOOK_EVERY):
        sealed, anchored = database.read(_sizes)
        now = time.monotonic()
        arrivals.sealed.append((now, sealed))
        arrivals.anchored.append((now, anchored))


def _sizes(session: Session) -> tuple[int, int]:
    sealed = session.scalar(select(func.max(CheckpointRow.size))) or 0
    return sealed, session.scalar(select(LogProgress.anchored_size)) or 0


def _indices(session: Session) -> dict[str, int]:
    """Places of the records that arrived; the epoch's own record is none of them."""
    rows = session.execute(
        select(EvidenceRecord.id, EvidenceRecord.log_index).where(EvidenceRecord.kind == 30)
    )
    return {record: index for record, index in rows if index is not None}
