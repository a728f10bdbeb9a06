"""One lane: from what is wanted to a transaction in a block.

    wanted → nonce → signed → stored → sent → in a block → final

- The signed bytes are stored, in a committed write of their own, before they are sent; after any doubt the
same bytes are sent again. Until they are stored nothing has happened: the next round decides anew, on the
same nonce.
- What became of a transaction is read from its hash, the sender's nonce and the contract; never from a node's
words.
- One transaction is in flight. A nonce that something else has used stops the lane; a gap is never made.

A crash between any two steps is answered by the same code that runs without one.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from talentseal.anchoring import conditions, ledger
from talentseal.anchoring.models import ChainTransaction, Condition, Lane, Scope
from talentseal.anchoring.policy import Alarm, AlarmKind, Job, Policy
from talentseal.chain.port import Chain, Fees, Receipt, Sender, SigningRefused
from talentseal.db import Database
from talentseal.failpoints import reach

REPLY_LIMIT = 300
"""Characters of a node's reply that are kept for the operator."""

POINTS = {Lane.ANCHOR: "anchor", Lane.REGISTRAR: "act", Lane.ARBITER: "act"}
"""First part of the names of each lane's failure points; both lanes of acts go through the same."""


class Flight(StrEnum):
    """How a lane stands after a look at what is in flight."""

    CLEAR = "CLEAR"
    PENDING = "PENDING"
    SETTLED = "SETTLED"
    STOPPED = "STOPPED"


@dataclass(slots=True)
class LaneRun:
    """One round of one lane. Alarms pile up in `alarms`; every method may raise ChainUnavailable."""

    database: Database
    chain: Chain
    sender: Sender
    policy: Policy
    epoch_id: int
    lane: Lane
    now: datetime
    alarms: list[Alarm] = field(default_factory=list)

    @property
    def scope(self) -> Scope:
        """The lane's own condition."""
        return Scope(self.lane.value)

    def reach(self, point: str) -> None:
        """A failure point of this lane, such as `anchor.signed` or `act.signed`."""
        reach(f"{POINTS[self.lane]}.{point}")

    # -------------------------------------------------------------------------------------- what is in flight

    def settle(self) -> Flight:
        """Look for what is in flight; send it if that is due; record it when it is in a block."""
        rows = self.database.read(lambda session: ledger.in_flight(session, self.epoch_id, self.lane))
        if not rows:
            return Flight.CLEAR
        met = self._receipt(rows) or self._pursue(rows)
        return met if isinstance(met, Flight) else self._record(rows, met)

    def _receipt(self, rows: Iterable[ChainTransaction]) -> Receipt | None:
        found = (self.chain.receipt(row.hash) for row in rows)
        return next((receipt for receipt in found if receipt is not None), None)

    def _pursue(self, rows: list[ChainTransaction]) -> Receipt | Flight:
        """No candidate is in a block: the sender's nonce tells why."""
        nonce, count = rows[0].nonce, self.chain.nonce(self.sender.address)
        if count > nonce:
            # It may have been mined between the two questions.
            return self._receipt(rows) or self._displaced(rows)
        if count < nonce:
            self.alarm(AlarmKind.NONCE_BEHIND, f"{self.lane}: nonce {nonce} is out, the chain counts {count}")
            return Flight.PENDING
        self._send_when_due(rows)
        return self._receipt(rows) or Flight.PENDING

    def _displaced(self, rows: list[ChainTransaction]) -> Flight:
        former = self.database.read(lambda session: ledger.former_candidates(session, rows[0]))
        if self._receipt(former) is not None:
            # What an earlier epoch sent was mined after all: ours is void, and what it carried is wanted
            # again.
            self.database.write(lambda session: ledger.displace(session, rows[0], now=self.now))
            return Flight.SETTLED
        since = self.database.write(lambda session: ledger.surprised(session, rows[0], now=self.now))
        if self.now - since < self.policy.surprise_grace:
            return Flight.PENDING  # a node that knows the nonce may not have indexed the receipt yet
        why = f"nonce {rows[0].nonce} of {self.sender.address} was used by a foreign transaction"
        return self.stop(AlarmKind.NONCE_TAKEN, why)

    def _record(self, rows: list[ChainTransaction], receipt: Receipt) -> Flight:
        self.reach("mined")
        self.database.write(lambda session: ledger.settle(session, rows[0], receipt, now=self.now))
        self.reach("recorded")
        if not receipt.succeeded:
            where = f"{receipt.transaction_hash} in block {receipt.block_number}"
            self.alarm(AlarmKind.REVERTED, f"{self.lane}: {where} was reverted")
        return Flight.SETTLED

    def _send_when_due(self, rows: list[ChainTransaction]) -> None:
        newest = rows[-1]
        if self.now < newest.next_send_at:
            return
        if newest.sends and self.now - newest.signed_at >= self.policy.bump_after:
            newest = self._replacement(newest) or newest
        age = self.now - rows[0].signed_at
        if rows[0].sends and age >= self.policy.stuck_after:
            reply = newest.last_reply or rows[-1].last_reply
            what = f"nonce {newest.nonce} unmined for {age.total_seconds():.0f} s; the node said: {reply}"
            self.alarm(AlarmKind.STUCK, f"{self.lane}: {what}")
        self._send(newest)

    def _send(self, row: ChainTransaction) -> None:
        self.reach("persisted")
        reply = self.chain.send(bytes(row.raw))
        self.reach("sent")
        again_at = self.now + self.policy.resend_in(row.sends + 1)
        text = f"{reply.outcome.value} {reply.text}".strip()[:REPLY_LIMIT]
        self.reach("reply")
        self.database.write(lambda session: ledger.sent(session, row, text, again_at=again_at))

    def _replacement(self, former: ChainTransaction) -> ChainTransaction | None:
        """The same payload and nonce at a higher price, stored; None when the price cannot be raised."""
        fees = self.policy.raised(Fees(former.max_fee_wei, former.priority_fee_wei), self.chain.fees())
        if fees is None:
            return None
        priced = _Priced(former.nonce, former.gas, fees, former.attempt + 1)
        carried = ledger.Carried(former.size, former.root, former.act_id)
        if not self._sign_and_store(priced, bytes(former.payload), carried):
            return None
        rows = self.database.read(lambda session: ledger.in_flight(session, self.epoch_id, self.lane))
        return rows[-1] if rows else None

    # ----------------------------------------------------------------------------------------- what is wanted

    def submit(self, job: Job, gas: int) -> Flight:
        """Give the job a nonce, sign it, store it and send it."""
        self.reach("job")
        nonce = self._free_nonce()
        if isinstance(nonce, Flight):
            return nonce
        self.reach("nonce")
        priced = _Priced(nonce, gas + gas // 4 + 20_000, self._affordable(self.chain.fees()), 0)
        carried = ledger.Carried(job.size, job.root, job.act_id)
        if not self._sign_and_store(priced, self.chain.encode(job.call), carried):
            return Flight.PENDING
        return self.settle()

    def _free_nonce(self) -> int | Flight:
        """The next nonce of the sender: the ledger's, if the chain agrees."""
        count = self.chain.nonce(self.sender.address)
        address = self.sender.address
        ours = self.database.read(lambda session: ledger.next_nonce(session, self.epoch_id, address))
        expected = count if ours is None or self._operator_accepts_count() else ours
        if count > expected:
            why = f"the chain counts {count} transactions of {address}, ours end at nonce {expected - 1}"
            return self.stop(AlarmKind.NONCE_TAKEN, why)
        if count < expected:
            self.alarm(
                AlarmKind.NONCE_BEHIND, f"{self.lane}: {expected} of ours mined, the chain counts {count}"
            )
            return Flight.PENDING
        return expected

    def _operator_accepts_count(self) -> bool:
        """Whether an operator resumed the lane after the last transaction that we signed on it."""
        resumed = self.database.read(lambda session: conditions.resumed_at(session, self.scope))
        signed = self.database.read(lambda session: ledger.last_signed_at(session, self.epoch_id, self.lane))
        return resumed is not None and (signed is None or resumed > signed)

    def _sign_and_store(self, priced: "_Priced", payload: bytes, carried: ledger.Carried) -> bool:
        try:
            signed = self.chain.sign(
                self.sender, payload, nonce=priced.nonce, gas=priced.gas, fees=priced.fees
            )
        except SigningRefused as refusal:
            self.stop(AlarmKind.SIGNING_REFUSED, str(refusal))
            return False
        self.reach("signed")
        prepared = ledger.Prepared(self.epoch_id, self.lane, priced.attempt, signed, payload, carried)
        return ledger.store(self.database, prepared, now=self.now)

    def _affordable(self, market: Fees) -> Fees:
        """The market's price, held down to the cap: better a slow transaction than a ruinous one."""
        price = min(market.max_fee_wei, self.policy.fee_cap_wei)
        if market.priority_fee_wei is None:
            return Fees(price, None)
        return Fees(price, min(price, market.priority_fee_wei))

    # --------------------------------------------------------------------------------------------- conditions

    def stop(self, kind: AlarmKind, why: str) -> Flight:
        """Stop the lane until an operator resumes it."""
        self.note(Condition.STOPPED, why, kind)
        return Flight.STOPPED

    def note(self, condition: Condition, why: str, kind: AlarmKind | None = None) -> None:
        """Record the lane's condition; the alarm is raised only when the condition is new."""
        met = self.database.read(lambda session: conditions.standing(session, self.scope))
        if met.condition is condition:
            return
        scope, now = self.scope, self.now
        self.database.write(lambda session: conditions.note(session, scope, condition, why, now=now))
        if kind is not None:
            self.alarm(kind, f"{self.lane}: {why}")

    def alarm(self, kind: AlarmKind, detail: str) -> None:
        self.alarms.append(Alarm(kind, detail))


@dataclass(frozen=True, slots=True)
class _Priced:
    """What is chosen for a transaction besides its payload."""

    nonce: int
    gas: int
    fees: Fees
    attempt: int
