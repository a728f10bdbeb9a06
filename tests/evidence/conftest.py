"""A log of its own for each test: real database, real head store, a clock that the test moves."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from talentseal import evidence
from talentseal.db import Database
from talentseal.evidence import Event
from talentseal.evidence.headstore import HeadStore
from talentseal.evidence.records import Recorded
from talentseal.evidence.sealing import Round, Sealer
from talentseal.evidence.signing import LogSigner

ORIGIN = "log.test.example/1"


@dataclass(frozen=True, slots=True)
class Observed(Event):
    """A kind of evidence that only these tests know."""

    kind: ClassVar[int] = 21
    measure: str
    value: int


class SetClock:
    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def now(self) -> datetime:
        return self.moment

    def advance(self, **delta: float) -> datetime:
        self.moment += timedelta(**delta)
        return self.moment


@dataclass(slots=True)
class Log:
    """A log and the hands that work on it."""

    database: Database
    head_store: HeadStore
    signer: LogSigner
    clock: SetClock

    def record(self, count: int = 1, **relation: object) -> list[Recorded]:
        now = self.clock.now()
        return self.database.write(
            lambda session: [
                evidence.record(session, Observed(f"服务时限 {number}", number), now=now, **relation)  # type: ignore[arg-type]
                for number in range(count)
            ]
        )

    def sealer(self, holder: str = "first") -> Sealer:
        return Sealer(self.database, self.head_store, self.signer, self.clock, holder)

    def seal(self) -> Round:
        return self.sealer().tick()

    def grow(self, *batches: int) -> None:
        """Record and seal batch after batch, so that there is a checkpoint after each."""
        for batch in batches:
            self.record(batch)
            self.seal()
            self.clock.advance(seconds=1)


@pytest.fixture
def clock() -> SetClock:
    return SetClock(datetime(2026, 11, 23, 8, 0, tzinfo=UTC))


@pytest.fixture
def open_database(database_url: str) -> Iterator[Callable[[], Database]]:
    """Opens the test's database, again and again if asked: what a restart of the service does."""
    opened: list[Database] = []

    def open_one() -> Database:
        opened.append(Database(database_url))
        return opened[-1]

    yield open_one
    for database in opened:
        database.close()


@pytest.fixture
def database(open_database: Callable[[], Database]) -> Database:
    opened = open_database()
    opened.upgrade()
    return opened


@pytest.fixture
def log(database: Database, clock: SetClock, tmp_path: Path) -> Log:
    signer = LogSigner(ORIGIN, Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
    return Log(database, HeadStore(tmp_path / "head" / "head.json"), signer, clock)
