"""What must hold after every kill, by what the patrons were told and what the database holds. Each finding
begins with the oracle's name.

R1  each acknowledged act is there as it was acknowledged, and its answer is kept under its key
R2  nothing is there that nobody was told of: no key had two effects
R3  no token established two presentations, none was redeemed twice
R4  each redemption stands as its acts make it stand
R5  budget, quotas and ledger agree with the redemptions and keep their limits
R6  each completion has one record of kind 30, each reversal one of kind 31, each sealed as promised
R7  all checkpoints are of one history, and fsck finds nothing
R8  an acknowledged request sent again is answered as before and changes nothing
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from sealproof.promise import open_promise
from talentseal.benefits.models import Budget, QuotaUse
from talentseal.credentials.models import Presentation, TokenBurn
from talentseal.db import is_sqlite
from talentseal.evidence.fsck import check_log
from talentseal.evidence.headstore import Head
from talentseal.evidence.models import EvidenceRecord
from talentseal.evidence.signing import LogSigner
from talentseal.evidence.status import log_status
from talentseal.redemptions import ledger
from talentseal.redemptions.models import Redemption, RedemptionRefusal, RedemptionState, Release, Reversal
from talentseal.web.models import IdempotentAnswer
from tests.crash.oracles import History, one_history
from tests.redemptions.patrons import Act, Told

_S: Final = RedemptionState
_MAY_BE_REFUSED: Final = frozenset(
    {
        *("token-used", "token-expired", "presentation-required", "quota-exhausted", "budget-exhausted"),
        *("reservation-lapsed", "transition-refused", "reversal-over-original", "reversal-window-closed"),
    }
)
"""Codes of refusals that are no fault where everybody does everything at any time."""

_COUNTED: Final = (
    Redemption, Reversal, RedemptionRefusal, EvidenceRecord, Presentation, TokenBurn, IdempotentAnswer,
)  # fmt: skip


@dataclass(slots=True)
class Course:
    """What one redemption went through, by what was acknowledged. units: that were reversed."""

    made: Act | None = None
    completed: list[Act] = field(default_factory=list)
    cancelled: list[Act] = field(default_factory=list)
    units: int = 0

    @property
    def is_completed(self) -> bool:
        """In one step or in two."""
        return bool(self.completed) or (self.made is not None and not self.made.body["reserve"])


@dataclass
class Judge:
    """Looks at one state of the database. quota: units that a person has a day."""

    session: Session
    told: Told
    head: Head
    signer: LogSigner
    quota: int

    def findings(self) -> Iterator[str]:
        """Everything that does not hold, in words."""
        yield from self._answers()
        yield from self._acts()
        yield from self._tokens()
        yield from self._states()
        yield from self._counters()
        yield from self._evidence()
        yield from self._log()

    @cached_property
    def _done(self) -> list[Act]:
        return [act for act in self.told.acts if act.is_done]

    @cached_property
    def _rows(self) -> dict[str, Redemption]:
        return {row.id: row for row in self.session.scalars(select(Redemption))}

    @cached_property
    def _reversals(self) -> dict[str, Reversal]:
        return {row.id: row for row in self.session.scalars(select(Reversal))}

    def _of(self, route: str) -> list[Act]:
        return [act for act in self._done if act.route == route]

    def _answers(self) -> Iterator[str]:
        kept = {
            (row.route, row.key): (row.status, row.body)
            for row in self.session.scalars(select(IdempotentAnswer))
        }
        asked = [act for act in self._done if act.route != "POST /presentations"]
        for act in asked:
            if kept.pop((act.route, act.key), None) != (act.status, act.answer):
                yield f"R1: the answer to {act.route} {act.key} is not kept as it was given"
        if kept:
            yield f"R2: {len(kept)} answers are kept that nobody was given, as to {next(iter(kept))}"
        for act in self.told.acts:
            if not act.is_done and act.receipt["code"] not in _MAY_BE_REFUSED:
                yield f"UNEXPECTED: {act.route} was answered {act.status} {act.receipt['code']}"

    def _acts(self) -> Iterator[str]:
        for what, route, rows in (
            ("redemption", "POST /redemptions", self._rows),
            ("reversal", "POST /redemptions/reversals", self._reversals),
        ):
            met = Counter(act.receipt["id"] for act in self._of(route))
            yield from (f"R1: the acknowledged {what} {each} is lost" for each in met if each not in rows)
            yield from (
                f"R2: {n} keys were answered with the {what} {each}" for each, n in met.items() if n > 1
            )
            strange = rows.keys() - met.keys()
            if strange:
                yield f"R2: {len(strange)} acts of the kind {what} were acknowledged to nobody"
        for act in self._of("POST /redemptions"):
            row, receipt = self._rows.get(act.receipt["id"]), act.receipt
            if row and (row.quantity, row.value_fen) != (receipt["quantity"], receipt["value_fen"]):
                yield f"R1: the redemption {row.id} is not as it was acknowledged"

    def _tokens(self) -> Iterator[str]:
        used = Counter(act.shown for act in self._done if act.shown)
        yield from (f"R3: a code was taken {n} times" for n in used.values() if n > 1)
        shown = {row.id: row.token_digest for row in self.session.scalars(select(Presentation))}
        burnt = Counter(shown.values())
        yield from (f"R3: a token established {n} presentations" for n in burnt.values() if n > 1)
        burns = {row.digest: row.presentation_id for row in self.session.scalars(select(TokenBurn))}
        for identifier, digest in shown.items():
            if digest is None or burns.get(digest) != identifier:
                yield f"R3: the presentation {identifier} has no burn"
        at_once = [act.receipt["id"] for act in self._of("POST /redemptions") if act.shown]
        stood_on = Counter(self._rows[each].presentation_id for each in at_once if each in self._rows)
        yield from (f"R3: {n} redemptions at once share a code" for n in stood_on.values() if n > 1)
        for act in self._of("POST /presentations"):
            if act.receipt["id"] not in shown:
                yield f"R1: the acknowledged presentation {act.receipt['id']} is lost"

    def _courses(self) -> dict[str, Course]:
        courses: dict[str, Course] = defaultdict(Course)
        for act in self._done:
            match act.route.rpartition("/")[2]:
                case "redemptions":
                    courses[act.receipt["id"]].made = act
                case "completion":
                    courses[act.of].completed.append(act)
                case "cancellation":
                    courses[act.of].cancelled.append(act)
                case "reversals":
                    courses[act.of].units += act.receipt["quantity"]
        return courses

    def _states(self) -> Iterator[str]:
        for identifier, course in self._courses().items():
            if (
                len(course.completed) > 1
                or len(course.cancelled) > 1
                or (course.is_completed and course.cancelled)
            ):
                yield f"R4: {identifier} was completed or cancelled more than once"
            row = self._rows.get(identifier)
            if row is not None and not _stands(row, course):
                yield f"R4: {identifier} is {row.state} {row.release} after {_told(course)}"
            records = {act.receipt["record"] for act in (course.made, *course.completed) if act} - {None}
            if row is not None and records != ({row.record_id} - {None}):
                yield f"R1: the record of {identifier} is not the one that was acknowledged"

    def _counters(self) -> Iterator[str]:
        held = [row for row in self._rows.values() if row.state is not _S.RELEASED]
        units = sum(row.quantity - row.reversed_units for row in held)
        fen = sum(row.value_fen - row.reversed_fen for row in held)
        budget = self.session.scalars(select(Budget)).one()
        if (budget.used_units, budget.used_fen) != (units, fen):
            yield f"R5: the budget counts {budget.used_units}, the redemptions {units} units"
        if budget.used_units > (budget.limit_units or 0):
            yield f"R5: the budget of {budget.limit_units} was exceeded: {budget.used_units}"
        used: Counter[tuple[str, str]] = Counter()
        for row in held:
            used[row.talent_id, row.period] += row.quantity - row.reversed_units
        counted = {(row.talent_id, row.period): row.used for row in self.session.scalars(select(QuotaUse))}
        if {who: n for who, n in counted.items() if n} != {who: n for who, n in used.items() if n}:
            yield "R5: the quotas do not agree with the redemptions"
        yield from (f"R5: a quota was exceeded: {n}" for n in used.values() if n > self.quota)
        open_units = sum(row.quantity for row in held if row.state is _S.RESERVED)
        sums = ledger.total(ledger.open_by_partner(self.session).values())
        if sums.units - sums.reversed_units != units - open_units:
            yield f"R5: the ledger says {sums}, the redemptions {units - open_units} units"

    def _evidence(self) -> Iterator[str]:
        kinds = select(EvidenceRecord.id, EvidenceRecord.kind).where(EvidenceRecord.kind.in_([30, 31]))
        logged = Counter((kind, identifier) for identifier, kind in self.session.execute(kinds))
        acts = Counter([(30, row.record_id) for row in self._rows.values() if row.completed_at])
        acts.update((31, row.record_id) for row in self._reversals.values())
        if logged != acts:
            yield f"R6: {acts.total()} acts were completed, {logged.total()} are recorded"
        for identifier, row in self._reversals.items():
            if row.redemption_id not in self._rows:
                yield f"R6: the reversal {identifier} undoes nothing"

    def _log(self) -> Iterator[str]:
        history, signed = History.of(self.session), log_status(self.session).signed_size
        key = self.signer.verifier_key
        for act in self._done:
            promised = act.receipt.get("promise")
            if promised is None:
                continue
            index = history.indices.get(act.receipt["record"])
            if index is None or index >= signed:
                yield f"R6: the record of {act.route} {act.key} is not sealed"
            elif history.leaves[index] != open_promise(promised, [key]).leaf_hash:
                yield f"R6: the record of {act.route} {act.key} is not what was promised"
        yield from (
            f"R7: {each}" for each in one_history(self.session, history, self.signer, sorted(self.told.notes))
        )
        for finding in check_log(self.session, self.head, key):
            yield f"R7: {finding.table} {finding.key}: {finding.what}"
        if is_sqlite(self.session) and self.session.scalar(text("PRAGMA integrity_check")) != "ok":
            yield "R7: the file is damaged"


def _stands(row: Redemption, course: Course) -> bool:
    """Whether a redemption is in the state that its acknowledged acts lead to."""
    if course.cancelled:
        return (row.state, row.release) == (_S.RELEASED, Release.CANCELLED)
    if not course.is_completed:
        return row.state is _S.RESERVED or (row.state, row.release) == (_S.RELEASED, Release.LAPSED)
    if row.reversed_units != course.units:
        return False
    if course.units == row.quantity:
        return row.state is _S.REVERSED
    return row.state is (_S.PARTIALLY_REVERSED if course.units else _S.COMPLETED)


def _told(course: Course) -> str:
    return (
        f"{'completion' if course.is_completed else 'reservation'}, {len(course.cancelled)} cancellations, "
        f"{course.units} units reversed"
    )


def counts(session: Session) -> dict[str, Any]:
    """How many rows there are of each kind that an act makes, and what the counters say."""
    rows = {
        table.__tablename__: session.scalar(select(func.count()).select_from(table)) for table in _COUNTED
    }
    spent = session.execute(select(func.sum(Budget.used_units), func.sum(Budget.used_fen))).one()
    return {**rows, "spent": tuple(spent), "used": session.scalar(select(func.sum(QuotaUse.used)))}


def sample(acts: Sequence[Act], most: int) -> list[Act]:
    """Acknowledged acts from the whole run."""
    done = [act for act in acts if act.is_done and act.route != "POST /presentations"]
    return done[:: max(1, len(done) // most)]
