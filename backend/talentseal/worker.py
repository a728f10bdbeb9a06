"""The worker: seals, anchors, tidies and turns the day, each in a loop and thread of its own, until told to
stop.

A loop that fails logs what kind of failure it was and comes again, later each time: nothing that goes wrong
in one round may end it. What a round does is safe to repeat, so a loop may be killed at any moment.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

import structlog

from talentseal.accounts import sessions
from talentseal.accounts.sessions import SessionRules
from talentseal.anchoring.service import Anchorer
from talentseal.anchoring.service import Outcome as Progress
from talentseal.benefits import service as benefits
from talentseal.chain.port import Chain
from talentseal.clock import Clock
from talentseal.complaints import clockwork as complaints
from talentseal.contributions import service as contributions
from talentseal.credentials import card_days, minting
from talentseal.db import Database
from talentseal.events import gathering
from talentseal.events.sending import Courier
from talentseal.evidence.headstore import HeadStore
from talentseal.evidence.sealing import BATCH, Sealer
from talentseal.evidence.signing import LogSigner
from talentseal.nightly import Nightly, Walk, Work
from talentseal.partners import mandates
from talentseal.partners import service as partners
from talentseal.policy import measures
from talentseal.policy import service as policy
from talentseal.redemptions import service as redemptions
from talentseal.redemptions import settling
from talentseal.sanctions import clockwork as sanctions
from talentseal.talents import recognitions, review_days
from talentseal.web import idempotency

log = structlog.get_logger(__name__)

SEAL_EVERY: Final = 0.5
"""Seconds between two looks for records that another process wrote; our own writes wake the sealer at
once.
"""

GATHER: Final = 0.2
"""Seconds that a woken loop waits for more to come, so that one checkpoint covers many records."""

IN_FLIGHT_EVERY: Final = 0.5
"""Seconds between two looks at the chain while a transaction is on its way."""

KEYS_EVERY: Final = 60.0
CASES_EVERY: Final = 60.0
RELEASE_EVERY: Final = 10.0
TIDY_EVERY: Final = 3600.0
GATHER_EVERY: Final = 2.0
TELL_EVERY: Final = 30.0
"""Seconds between two looks for changes of tier that issuers of cards have not been told of."""

NIGHTLY: Final[Mapping[str, Work | Walk]] = MappingProxyType(
    {
        "instruments": policy.apply_day,
        "measures": measures.apply_day,
        "mandates": mandates.apply_day,
        "recognitions": recognitions.apply_day,
        "reviews": Walk(review_days.apply_day),
        "cards": card_days.apply_day,
        "sanctions": sanctions.apply_day,
        "benefits": benefits.apply_day,
        "exhausted benefits": benefits.apply_budgets,
        "complaints": complaints.apply_day,
        "settlements": Walk(settling.apply_day),
        "contributions": Walk(contributions.apply_day),
        "events": gathering.apply_day,
    }
)
"""What the date brings, in this order; a feature adds its step here."""

SHORTEST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 30.0
"""Seconds of pause after a failed round; doubles up to the longest."""


@dataclass(slots=True)
class Loop:
    """One kind of work. tick: one round; answers how many seconds may pass before the next, unless woken.

    gather: seconds that a woken loop waits for more to come.
    """

    name: str
    tick: Callable[[], float]
    gather: float = 0.0
    _wake: threading.Event = field(default_factory=threading.Event)
    _stopping: threading.Event = field(default_factory=threading.Event)

    def wake(self) -> None:
        """Run the next round now. Quick, safe from any thread."""
        self._wake.set()

    def stop(self) -> None:
        """End after the round in progress."""
        self._stopping.set()
        self._wake.set()

    def run(self) -> None:
        """Round after round until stopped."""
        pause = SHORTEST_PAUSE
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                rest = self.tick()
            except Exception as error:  # noqa: BLE001 - a round's failure must never end the loop
                log.error("worker.round-failed", loop=self.name, error=type(error).__name__, pause=pause)  # noqa: TRY400 - a traceback would show values
                self._stopping.wait(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
                continue
            pause = SHORTEST_PAUSE
            if rest > 0 and self._wake.wait(rest) and self.gather:
                self._stopping.wait(self.gather)


class Worker:
    """The loops of one process."""

    def __init__(self, loops: Sequence[Loop]) -> None:
        self.loops = tuple(loops)
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Start a thread for each loop."""
        for loop in self.loops:
            thread = threading.Thread(target=loop.run, name=f"worker-{loop.name}", daemon=True)
            thread.start()
            self._threads.append(thread)
        log.info("worker.started", loops=[loop.name for loop in self.loops])

    def stop(self, timeout: float = 15.0) -> None:
        """Let each loop finish its round; after `timeout` seconds they are left to die with the process."""
        for loop in self.loops:
            loop.stop()
        ends = time.monotonic() + timeout
        for thread in self._threads:
            thread.join(max(0.0, ends - time.monotonic()))
        left = [thread.name for thread in self._threads if thread.is_alive()]
        self._threads.clear()
        log.info("worker.stopped", left_running=left)


def sealing(
    database: Database, head_store: HeadStore, signer: LogSigner, clock: Clock, *, holder: str
) -> Loop:
    """Seals at once after a write of this process, and every SEAL_EVERY seconds."""
    sealer = Sealer(database, head_store, signer, clock, holder)

    def tick() -> float:
        return 0.0 if sealer.tick().sealed >= BATCH else SEAL_EVERY

    loop = Loop("sealer", tick, GATHER)
    database.after_commit(loop.wake)
    return loop


def tidying(database: Database, clock: Clock, rules: SessionRules) -> Loop:
    """Forgets what is kept for a time only: answers for Idempotency-Key, sessions, unfinished sign-ins, whose
    tokens were.
    """

    def tick() -> float:
        now = clock.now()
        database.write(lambda session: idempotency.prune(session, now=now))
        database.write(lambda session: sessions.prune(session, rules, now=now))
        database.write(lambda session: minting.prune(session, now=now))
        return TIDY_EVERY

    return Loop("tidier", tick)


def turning(database: Database, clock: Clock) -> Loop:
    """Brings what the date brings, once a day soon after midnight in Shanghai, in one of all processes."""
    nightly = Nightly(database, NIGHTLY)
    return Loop("nightly", lambda: nightly.run_due(now=clock.now()))


def telling_issuers(database: Database, clock: Clock) -> Loop:
    """Tells issuers of cards that a tier changed; the nightly step tells what was committed too late."""

    def tick() -> float:
        now = clock.now()
        since = now - card_days.OF_LATE
        if database.read(lambda session: card_days.is_anyone_untold(session, since=since)):
            database.write(lambda session: card_days.tell_issuers(session, since=since, now=now))
        return TELL_EVERY

    return Loop("issuers", tick)


def watching_complaints(database: Database, clock: Clock) -> Loop:
    """Notes, and alleges, that answers to complaints are missing."""

    def tick() -> float:
        now = clock.now()
        if database.read(lambda session: complaints.is_anything_late(session, now)):
            database.write(lambda session: complaints.tick(session, now))
        return CASES_EVERY

    return Loop("complaints", tick)


def gathering_events(database: Database, clock: Clock) -> Loop:
    """Makes events for partners of what has happened; the nightly step makes what was committed too late."""

    def tick() -> float:
        now = clock.now()
        if database.read(lambda session: gathering.is_due(session, now=now)):
            told = database.write(lambda session: gathering.gather(session, now=now))
            return 0.0 if told else GATHER_EVERY
        return GATHER_EVERY

    return Loop("events", tick)


def sending_webhooks(courier: Courier) -> Loop:
    """Sends what webhooks are due."""
    return Loop("webhooks", courier.tick)


def watching_cases(database: Database, clock: Clock) -> Loop:
    """Opens cases on new facts, and ends provisional suspensions when their hours are over."""

    def tick() -> float:
        now = clock.now()
        database.write(lambda session: sanctions.tick(session, now))
        return CASES_EVERY

    return Loop("cases", tick)


def releasing(database: Database, clock: Clock) -> Loop:
    """Gives back what reservations hold that ran out or whose code came to rest."""

    def tick() -> float:
        now = clock.now()
        released = database.write(lambda session: redemptions.release_due(session, now=now))
        return 0.0 if released else RELEASE_EVERY

    return Loop("reservations", tick)


def anchoring(anchorer: Callable[[], Anchorer | None], *, interval: float) -> Loop:
    """Looks at the chain every `interval` seconds, and more often while something is in flight.

    anchorer: that of the newest epoch, None before the first; asked for in every round.
    """

    def tick() -> float:
        found = anchorer()
        outcome = found.tick().outcome if found else Progress.NO_EPOCH
        if outcome is Progress.WORKED:
            return 0.0
        return min(interval, IN_FLIGHT_EVERY) if outcome is Progress.WAITING else interval

    return Loop("anchorer", tick)


def watching_keys(database: Database, chain: Callable[[], Chain | None]) -> Loop:
    """Reads from the contract whether a key voided the signatures it had given out.

    chain: that of the newest epoch, None before the first; asked for in every round.
    """

    def tick() -> float:
        found = chain()
        if found is None:
            return KEYS_EVERY
        for organisation, address, known in database.read(partners.registered_keys):
            nonce = found.key_of(bytes.fromhex(organisation[2:]), address).nonce
            if nonce != known:
                _note_nonce(database, organisation, address, nonce)
        return KEYS_EVERY

    return Loop("keys", tick)


def _note_nonce(database: Database, organisation: str, address: str, nonce: int) -> None:
    database.write(lambda session: partners.note_nonce(session, organisation, address, nonce))
