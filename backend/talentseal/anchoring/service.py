"""The anchorer: one look at the chain, and one step forward on each lane.

A round asks in this order, and stops where the answer forbids going on:

1. Is the chain there, is it the one of the open epoch, and does it still hold the newest block that we rely
on? No answer: UNREACHABLE, nothing but the lag grows. Another or a shorter chain: CHAIN_RESET. Another block
at that
   height: a reorganisation; what was in lost blocks goes back to SIGNED and the same bytes are sent again.
2. Each lane settles what is in flight, then takes up what is wanted next.
3. What is in a block becomes final under the network's policy, its block's hash and the contract's root
re-read.

Any number of workers may run rounds: every write is guarded by the state it expects, and the unique
constraint on (epoch, sender, nonce, attempt) lets one payload have a nonce.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

import structlog
from sqlalchemy.orm import Session

from sealproof.rpc import Block
from talentseal.anchoring import conditions, epochs, jobs, ledger, watching
from talentseal.anchoring.lanes import POINTS, Flight, LaneRun
from talentseal.anchoring.models import ChainEpoch, ChainTransaction, Condition, Lane, Scope
from talentseal.anchoring.policy import Alarm, AlarmKind, Policy
from talentseal.anchoring.watching import Reorganised, Reset
from talentseal.chain.port import Chain, ChainUnavailable, Sender
from talentseal.clock import Clock
from talentseal.db import Database
from talentseal.failpoints import reach

log = structlog.get_logger(__name__)


class Outcome(StrEnum):
    """How a round went. Only WORKED and IDLE are good news."""

    WORKED = "WORKED"
    IDLE = "IDLE"
    WAITING = "WAITING"
    """Something is in flight or has to wait for its time."""
    NO_EPOCH = "NO_EPOCH"
    UNREACHABLE = "UNREACHABLE"
    CHAIN_RESET = "CHAIN_RESET"
    STOPPED = "STOPPED"


@dataclass(frozen=True, slots=True)
class Tick:
    """What a round did. The sizes are the log's high-water marks after it."""

    outcome: Outcome
    alarms: tuple[Alarm, ...] = ()
    anchored_size: int = 0
    final_size: int = 0


@dataclass(frozen=True, slots=True)
class Network:
    """What a round works with: one database, one chain, a sender for each lane that this process runs."""

    database: Database
    chain: Chain
    senders: Mapping[Lane, Sender]
    policy: Policy


class Anchorer:
    """Carries the log's heads and the registry acts of one database to one chain."""

    def __init__(
        self,
        database: Database,
        chain: Chain,
        senders: Mapping[Lane, Sender],
        clock: Clock,
        policy: Policy | None = None,
    ) -> None:
        self._network = Network(database, chain, senders, policy or Policy())
        self._clock = clock

    def tick(self) -> Tick:
        """One round. Raises nothing for what a chain may do; the database's own errors come through."""
        database = self._network.database
        epoch = database.read(epochs.newest)
        if epoch is None:
            return Tick(Outcome.NO_EPOCH)
        round_ = Round(self._network, epoch, self._clock.now())
        outcome = round_.run()
        for alarm in round_.alarms:
            log.warning("anchor.alarm", kind=alarm.kind.value, detail=alarm.detail)
        anchored, final = database.read(ledger.marks)
        return Tick(outcome, tuple(round_.alarms), anchored, final)

    def resume(self, scope: Scope) -> None:
        """An operator's command after FORKED or STOPPED. Raises NothingToResume.

        For a lane whose key was used elsewhere it accepts the chain's count of its transactions: what we
        had signed for a nonce that was taken is given up, and what it carried is wanted again.
        """
        now = self._clock.now()

        def write(session: Session) -> None:
            conditions.resume(session, scope, now=now)
            if scope is Scope.CHAIN:
                return
            rows = ledger.in_flight(session, epochs.current(session).id, Lane(scope.value))
            if rows and rows[0].surprised_at is not None:
                ledger.displace(session, rows[0], now=now)

        self._network.database.write(write)


@dataclass(slots=True)
class Round:
    """One round on the open epoch."""

    network: Network
    epoch: ChainEpoch
    now: datetime
    alarms: list[Alarm] = field(default_factory=list)

    def run(self) -> Outcome:
        """The whole round."""
        try:
            return self._run()
        except ChainUnavailable as silence:
            if self._standing(Scope.CHAIN).condition is Condition.OK:
                self._note(Condition.UNREACHABLE, str(silence), AlarmKind.CHAIN_UNREACHABLE)
            return Outcome.UNREACHABLE

    def _run(self) -> Outcome:
        network = self.network
        found = watching.look(network.database, network.chain, self.epoch, network.policy.recheck_blocks)
        if isinstance(found, Reset):
            return self._reset(found)
        if isinstance(found, Reorganised):
            self._reorganised(found)
        self._welcome_back()
        if self._standing(Scope.CHAIN).condition is not Condition.OK:
            return Outcome.STOPPED
        flights = [self._advance(lane, sender) for lane, sender in network.senders.items()]
        if self._finalise() or isinstance(found, Reorganised) or Flight.SETTLED in flights:
            return Outcome.WORKED
        if Flight.STOPPED in flights:
            return Outcome.STOPPED
        return Outcome.WAITING if Flight.PENDING in flights else Outcome.IDLE

    # ----------------------------------------------------------------------------------- the chain as a whole

    def _reset(self, found: Reset) -> Outcome:
        """Nothing may be called anchored or final that this chain cannot show."""
        if self._standing(Scope.CHAIN).condition is not Condition.CHAIN_RESET:
            self._write(lambda session: epochs.move_progress(session, 0, 0))
            self._note(Condition.CHAIN_RESET, found.why, AlarmKind.CHAIN_RESET)
        return Outcome.CHAIN_RESET

    def _reorganised(self, found: Reorganised) -> None:
        hashes = [row.hash for row in found.lost]
        self._write(lambda session: ledger.unsettle(session, hashes, self.epoch.id, now=self.now))
        kind = AlarmKind.FINALITY_BROKEN if found.was_final else AlarmKind.REORGANISED
        self.alarms.append(Alarm(kind, f"{len(hashes)} transactions lost their block and are sent again"))

    def _welcome_back(self) -> None:
        """The chain answers and is the one we knew, with everything on it that we rely on."""
        met = self._standing(Scope.CHAIN).condition
        if met is Condition.CHAIN_RESET:
            self._write(lambda session: ledger.recount(session, self.epoch.id))
            self._note(Condition.OK, "", AlarmKind.CHAIN_RETURNED)
        elif met is Condition.UNREACHABLE:
            self._note(Condition.OK, "", None)

    def _standing(self, scope: Scope) -> conditions.Standing:
        return self.network.database.read(lambda session: conditions.standing(session, scope))

    def _note(self, condition: Condition, why: str, kind: AlarmKind | None) -> None:
        self._write(lambda session: conditions.note(session, Scope.CHAIN, condition, why, now=self.now))
        if kind is not None:
            self.alarms.append(Alarm(kind, why or "the chain of the open epoch is back"))

    def _write(self, work: Callable[[Session], None]) -> None:
        self.network.database.write(work)

    # -------------------------------------------------------------------------------------------------- lanes

    def _advance(self, lane: Lane, sender: Sender) -> Flight:
        """Settle what is in flight; when nothing is any more, take up the next thing."""
        network = self.network
        run = LaneRun(
            network.database,
            network.chain,
            sender,
            network.policy,
            self.epoch.id,
            lane,
            self.now,
            self.alarms,
        )
        if self._standing(run.scope).condition in (Condition.STOPPED, Condition.FORKED):
            return Flight.STOPPED
        flight = run.settle()
        if flight in (Flight.PENDING, Flight.STOPPED):
            return flight
        wanted = jobs.next_head(run) if lane is Lane.ANCHOR else jobs.next_act(run)
        if isinstance(wanted, Flight):
            return flight if wanted is Flight.CLEAR else wanted
        return run.submit(wanted.job, wanted.gas)

    # ----------------------------------------------------------------------------------------------- finality

    def _finalise(self) -> bool:
        """Move to FINAL what the policy allows, oldest first; whether anything moved."""
        rows = self.network.database.read(lambda session: ledger.mined(session, self.epoch.id))
        if not rows:
            return False
        latest = self.network.chain.latest_block()
        deep = [row for row in rows if self._is_deep(row, latest)]
        if lost := tuple(row for row in deep if self._lost_its_block(row)):
            # Written after another worker's look, which by then relied on a later block alone.
            self._reorganised(Reorganised(lost))
        ripe = [row for row in deep if row not in lost and self._is_on_the_contract(row)]
        for row in ripe:
            reach(f"{POINTS[row.lane]}.final")
        if ripe:
            hashes = [row.hash for row in ripe]
            self._write(lambda session: ledger.finalise(session, hashes, self.epoch.id, now=self.now))
            for lane in dict.fromkeys(row.lane for row in ripe):
                reach(f"{POINTS[lane]}.announced")
        return bool(ripe or lost)

    def _is_deep(self, row: ChainTransaction, latest: Block) -> bool:
        return self.network.policy.is_final(self.network.chain, row.block_number or 0, latest)

    def _lost_its_block(self, row: ChainTransaction) -> bool:
        block = self.network.chain.block(row.block_number or 0)
        return block is None or block.hash != row.block_hash

    def _is_on_the_contract(self, row: ChainTransaction) -> bool:
        """Whether the contract holds the head that it wrote."""
        return row.size is None or self.network.chain.head_at(row.size) == row.root
