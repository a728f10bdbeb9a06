"""One life of the service, in a child: requests, sealer and anchorer at work until a fault ends it."""

import hashlib
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import ClassVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import BaseModel
from sqlalchemy.orm import Session

from talentseal import evidence, failpoints
from talentseal.anchoring.models import Lane
from talentseal.anchoring.policy import Policy
from talentseal.anchoring.service import Anchorer
from talentseal.chain.memory_chain import MemoryChain
from talentseal.config import FinalityPolicy
from talentseal.db import DatabaseBusy, StorageFailed
from talentseal.evidence import Event, acts
from talentseal.evidence.headstore import HeadStore
from talentseal.evidence.models import ActKind
from talentseal.evidence.sealing import Sealer
from talentseal.evidence.signing import LogSigner
from talentseal.web import idempotency
from tests.anchoring.conftest import FOR_EVER, sender_for
from tests.crash.faults import DoorDatabase, DoorHeadStore, Fault, Injected
from tests.crash.line import Acknowledged, FarChain, Line, Marks, Signed, Struck, Tried
from tests.crash.plan import Round, Strike, Weather
from tests.evidence.conftest import ORIGIN, SetClock

BEGINNING = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
LIFE = timedelta(seconds=300)
"""Simulated time between the beginnings of two lives: every lease of the former has run out."""

DEPTH = 2
POLICY = Policy(finality=FinalityPolicy.DEPTH, depth=DEPTH)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


class ServiceEnded(BaseException):
    """Storage is in doubt: the process has to end, and the operator's restart is the next life."""


@dataclass(frozen=True, slots=True)
class Requested(Event):
    """The evidence of one request of these tests."""

    kind: ClassVar[int] = 21
    request: str


class Receipt(BaseModel):
    """What a request is answered with."""

    record_id: str
    leaf_hash: str


@dataclass(frozen=True, slots=True)
class TappedSigner(LogSigner):
    """Tells the witness of every checkpoint before anybody in the process gets it."""

    line: Line
    fault: Fault

    def sign_checkpoint(self, size: int, root: bytes, signed_at: datetime) -> str:
        note = LogSigner.sign_checkpoint(self, size, root, signed_at)
        self.line.tell(Signed(note))
        self.fault.effect_done()
        return note


@dataclass(frozen=True, slots=True)
class Place:
    """Where a trial happens: its database, its folder and a copy of its chain to encode and sign with."""

    database: DoorDatabase
    url: str
    folder: Path
    chain: MemoryChain


@dataclass(frozen=True, slots=True)
class Trial:
    """What all lives of a trial share. plant: puts a bug into a child, or none."""

    place: Place
    seed: int
    plant: Callable[[], None]


class Life:
    """The service in this process. number: 0 for the first life of the trial."""

    def __init__(self, trial: Trial, line: Line, number: int, strike: Strike | None = None) -> None:
        trial.plant()
        place = trial.place
        self.line = line
        self.number = number
        self.clock = SetClock(BEGINNING + LIFE * (number + 1))
        self.fault = Fault(strike, lambda point: line.tell(Struck(point)), self._rival)
        _repeatable_randomness(Random(f"{trial.seed} {number}"))
        self.database = place.database
        self.database.at(place.url, self.fault)
        self.head_store = DoorHeadStore(HeadStore(place.folder / "head" / "head.json"), self.fault)
        self.signer = TappedSigner(ORIGIN, KEY, line, self.fault)
        self.chain = FarChain(line, place.chain, self.fault)
        senders = {lane: sender_for(lane, place.chain.chain_id, place.chain.contract) for lane in Lane}
        self.anchorer = Anchorer(self.database, self.chain, senders, self.clock, POLICY)
        self.sealer = self._sealer(f"life-{number}")
        line.ask("set_weather", Weather.CALM)
        failpoints.arm(self.fault)

    def _sealer(self, holder: str) -> Sealer:
        return Sealer(self.database, self.head_store, self.signer, self.clock, holder)

    def play(self, rounds: tuple[Round, ...]) -> None:
        """All rounds; a planned error ends the step in which it struck, as the worker's loop would."""
        for place, one in enumerate(rounds):
            keys = [f"{self.number}-{place}-{number}" for number in range(one.requests)]
            if one.together:
                self._together(keys, one.weather)
            else:
                for key in keys:
                    self.step(lambda key=key: self.request(key))  # type: ignore[misc]
                self.step(self.seal)
                self._anchor_in(one.weather)

    def _together(self, keys: list[str], weather: Weather) -> None:
        works: list[Callable[[], None]] = [lambda key=key: self.request(key) for key in keys]  # type: ignore[misc]
        works += [self.seal, lambda: self._anchor_in(weather), self.seal]
        with ThreadPoolExecutor(len(works)) as pool:
            for done in [pool.submit(self.step, work) for work in works]:
                done.result()

    def step(self, work: Callable[[], object]) -> None:
        """Do one thing. Raises ServiceEnded when the process may not go on."""
        try:
            work()
        except (Injected, DatabaseBusy):
            return
        except StorageFailed:
            raise ServiceEnded from None

    def request(self, key: str) -> None:
        """A client's idempotent request: a record, and for the first of a round an act for the contract."""
        self.line.tell(Tried(key))
        failpoints.reach("request.begin")
        once = idempotency.Once("account", "POST /requests", key, idempotency.fingerprint("/requests", key))
        answer = idempotency.perform(self.database, once, self.effect(key), now=self.clock.now())
        failpoints.reach("request.reply")
        self.fault.effect_done()
        self.acknowledge(key, Receipt.model_validate_json(bytes(answer.body)))

    def effect(self, key: str) -> Callable[[Session], idempotency.Answer]:
        """What the request does in its transaction."""
        now = self.clock.now()

        def work(session: Session) -> idempotency.Answer:
            recorded = evidence.record(session, Requested(key), now=now)
            if key.endswith("-0"):
                _ask_for_key(session, key, recorded.id, now)
            failpoints.reach("request.inside")
            return idempotency.Answer(201, Receipt(record_id=recorded.id, leaf_hash=recorded.leaf_hash.hex()))

        return work

    def acknowledge(self, key: str, receipt: Receipt) -> None:
        """The client has its answer."""
        self.line.tell(Acknowledged(key, receipt.record_id, bytes.fromhex(receipt.leaf_hash)))

    def seal(self) -> None:
        self.sealer.tick()
        self.clock.advance(seconds=1)

    def anchor(self) -> None:
        tick = self.anchorer.tick()
        self.line.tell(Marks(tick.anchored_size, tick.final_size))

    def _anchor_in(self, weather: Weather) -> None:
        """One look in that weather, then, when it is calm, until what was sent is deep enough to be final."""
        self.line.ask("set_weather", weather)
        self.step(self.anchor)
        self.line.ask("set_weather", Weather.CALM)
        for _ in range(2):
            self.clock.advance(seconds=2)
            self.line.ask("mine", DEPTH)
            self.step(self.anchor)

    def _rival(self) -> None:
        """Another process takes over while this worker stands still: its leases run out, new work comes."""
        self.clock.advance(seconds=11)
        self.request(f"{self.number}-rival-0")
        self._sealer("rival").tick()
        for _ in range(3):
            self.anchor()
            self.line.ask("mine", DEPTH)
            self.clock.advance(seconds=2)


def _ask_for_key(session: Session, key: str, record_id: str, now: datetime) -> None:
    digest = "0x" + hashlib.sha256(key.encode()).hexdigest()
    payload = {"organisation": digest, "signer": signer_of(key), "valid_from": 0, "valid_until": FOR_EVER}
    acts.enqueue(session, ActKind.SET_KEY, digest=digest, payload=payload, now=now, record_id=record_id)


def signer_of(key: str) -> str:
    """A made-up address for the act of a request."""
    return "0x" + hashlib.sha256(f"signer {key}".encode()).hexdigest()[:40]


def _repeatable_randomness(rng: Random) -> None:
    """Ids and salts of this process come from the seed."""
    secrets.token_hex = lambda nbytes=None: rng.randbytes(nbytes or 32).hex()
    secrets.token_bytes = lambda nbytes=None: rng.randbytes(nbytes or 32)
