"""What a lane takes up next, and what is done when the contract would refuse it.

Each call is simulated on the newest state before a nonce is spent on it: a refusal costs nothing and is
explained by the contract's own error.
"""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from talentseal.anchoring import acts, conditions, heads, ledger
from talentseal.anchoring.lanes import Flight, LaneRun
from talentseal.anchoring.models import Condition, Scope
from talentseal.anchoring.policy import Alarm, AlarmKind, Job
from talentseal.anchoring.refusals import Verdict, verdict_on
from talentseal.chain.port import ContractError, GasNeeded
from talentseal.evidence.models import ActKind, RegistryAct

MALFORMED = "PayloadMalformed"
REVERTED_TOO_OFTEN = "RevertedRepeatedly"
KEY_ACTS = (ActKind.SET_KEY, ActKind.REVOKE_KEY)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A job that the contract would accept now, and the gas that it took in the simulation."""

    job: Job
    gas: int


def next_head(run: LaneRun) -> Wanted | Flight:
    """The anchor of the newest checkpoint, when it is not on the chain yet. Raises ChainUnavailable."""
    head = run.chain.head()
    found = run.database.read(lambda session: heads.wanted(session, head))
    if isinstance(found, heads.Forked):
        return _forked(run, found.why)
    if found is None or _is_too_soon(run):
        return Flight.CLEAR
    if _reverts(run, None) >= run.policy.most_reverts:
        return run.stop(AlarmKind.REVERTED, f"the last {run.policy.most_reverts} anchors were reverted")
    simulated = run.chain.simulate(found.call, run.sender.address)
    if isinstance(simulated, GasNeeded):
        run.note(Condition.OK, "")
        return Wanted(found, simulated.gas)
    verdict = verdict_on(simulated.error)
    if verdict is Verdict.FORKED:
        return _forked(run, str(simulated.error))
    if verdict is Verdict.HEAD_MOVED:
        return Flight.PENDING
    return _held_up(run, verdict, simulated.error)


def next_act(run: LaneRun) -> Wanted | Flight:
    """The oldest queued act that the contract would accept now; refuses those it never will."""
    waiting = False
    for act in run.database.read(lambda session: acts.queued(session, run.lane)):
        found = _consider(run, act)
        if isinstance(found, Wanted | Flight):
            return found
        waiting = waiting or found is Verdict.TOO_EARLY
    return Flight.PENDING if waiting else Flight.CLEAR


def _consider(run: LaneRun, act: RegistryAct) -> Wanted | Flight | Verdict:
    """Carry this act, end the round of the lane, or (a verdict) look at the next act."""
    try:
        job = acts.job_of(act)
        run.chain.encode(job.call)
    except (acts.PayloadMalformed, ValueError) as broken:
        return _refuse(run, act, f"{MALFORMED}({broken})")
    if _reverts(run, act.id) >= run.policy.most_reverts:
        return _refuse(run, act, f"{REVERTED_TOO_OFTEN}(times={run.policy.most_reverts})")
    simulated = run.chain.simulate(job.call, run.sender.address)
    if isinstance(simulated, GasNeeded):
        run.note(Condition.OK, "")
        return Wanted(job, simulated.gas)
    verdict = verdict_on(simulated.error)
    if verdict is Verdict.TOO_EARLY:
        return verdict
    if verdict is Verdict.REFUSED:
        return _refuse(run, act, str(simulated.error))
    if verdict is Verdict.UNEXPLAINED and act.kind not in KEY_ACTS:
        # Agreements behind it may go on; behind a key that is not carried they would be refused for lack of
        # it.
        run.alarm(AlarmKind.UNEXPLAINED, f"act {act.id}: {simulated.error}")
        return Verdict.TOO_EARLY
    return _held_up(run, verdict, simulated.error)


def _refuse(run: LaneRun, act: RegistryAct, reason: str) -> Verdict:
    run.database.write(lambda session: acts.refuse(session, act.id, reason, now=run.now))
    run.alarm(AlarmKind.ACT_REFUSED, f"act {act.id}: {reason}")
    return Verdict.REFUSED


def _held_up(run: LaneRun, verdict: Verdict, error: ContractError) -> Flight:
    """The lane as a whole cannot go on now."""
    if verdict is Verdict.ROLE_MISSING:
        return run.stop(AlarmKind.ROLE_MISSING, str(error))
    if verdict is Verdict.PAUSED:
        run.note(Condition.PAUSED, str(error), AlarmKind.PAUSED)
    else:
        run.alarm(AlarmKind.UNEXPLAINED, f"{run.lane}: {error}")
    return Flight.PENDING


def _forked(run: LaneRun, why: str) -> Flight:
    """Two histories: nothing goes to the chain until a person has looked."""
    run.database.write(
        lambda session: conditions.note(session, Scope.CHAIN, Condition.FORKED, why, now=run.now)
    )
    run.alarms.append(Alarm(AlarmKind.FORKED, why))
    return Flight.STOPPED


def _is_too_soon(run: LaneRun) -> bool:
    last = run.database.read(lambda session: ledger.last_signed_at(session, run.epoch_id, run.lane))
    return last is not None and run.now - last < run.policy.anchor_every


def _reverts(run: LaneRun, act_id: str | None) -> int:
    def count(session: Session) -> int:
        return ledger.reverts_in_a_row(
            session,
            run.epoch_id,
            run.lane,
            act_id,
            after=conditions.resumed_at(session, run.scope),
            limit=run.policy.most_reverts,
        )

    return run.database.read(count)
