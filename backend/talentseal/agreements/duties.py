"""The duty under a stipulation: alleged to be broken, found so or not, cured or waived (Article 20).

The talent office decides, by another person than whoever alleged; a cure also needs the receiving side. A
confirmed breach goes to the contract, which holds it for the agreement's parties and everybody else.
"""

import hashlib
import json
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from sealproof import disclosure, merkle
from sealproof.entry import Relation
from sealproof.keccak import keccak256
from talentseal import evidence
from talentseal.accounts.roles import Actor, Permission
from talentseal.agreements import reading
from talentseal.agreements.duty_models import Breach, BreachStep
from talentseal.agreements.duty_schemas import Allege, CloseBreach, DecideBreach, Say
from talentseal.agreements.duty_states import BREACH, BreachAct, BreachSource, BreachState
from talentseal.agreements.events import BreachAlleged, BreachClosed, BreachConfirmed, BreachDismissed
from talentseal.agreements.models import AgreementParty, AgreementVersion, Stipulation
from talentseal.agreements.states import AgreementState
from talentseal.errors import Conflict, NotFound, NotPermitted
from talentseal.evidence import acts, records
from talentseal.evidence.models import ActKind
from talentseal.vault import Vault

OWED: Final = frozenset(
    {
        AgreementState.IN_FORCE,
        AgreementState.SUPERSEDED,
        AgreementState.EXPIRED,
        AgreementState.TERMINATED,
    }
)
"""States of a version under which something is, or was, owed."""

_CURED: Final = 1
_WAIVED: Final = 2
"""The contract's `Resolution`."""


class BreachNotFound(NotFound):
    code = "breach-not-found"
    zh = "没有找到该违约主张，或您无权查看。请核对编号。"
    en = "There is no such allegation of a breach, or it is not yours to see; check the number."


class StipulationNotFound(NotFound):
    code = "stipulation-not-found"
    zh = "该版本没有这一条约定，或其内容已经销毁。请核对协议、版本和序号。"
    en = "The version has no such stipulation, or its content was destroyed; check agreement and position."


class StipulationNotOwed(Conflict):
    code = "stipulation-not-owed"
    zh = "协议版本处于 {state} 状态，尚无可违反的义务。生效后再提出。"
    en = "The agreement's version is {state}: nothing is owed under it yet; wait until it is in force."


class OwnDuty(Conflict):
    code = "own-duty"
    zh = "这是贵单位自己的义务，不能由本方主张违约、确认补正。请由对方或人才办办理。"
    en = "The duty is your own: the other side or the talent office alleges its breach and sees its cure."


class NotOwnDuty(Conflict):
    code = "not-own-duty"
    zh = "这不是贵单位的义务，只有义务方可以陈述和提交补正。"
    en = "The duty is not yours; whoever owes it makes the statement and offers the cure."


class AnotherDecides(Conflict):
    code = "another-decides"
    zh = "须由另一人决定：提出违约或确认补正的人不能再作决定。"
    en = "Another person has to decide: not whoever alleged the breach or acknowledged its cure."


class CureNotAcknowledged(Conflict):
    code = "cure-not-acknowledged"
    zh = "还不能认定补正：须先由义务方提交补正情况，再由受益一方确认。"
    en = "It is not cured yet: whoever owes it offers the cure, and the receiving side acknowledges it first."


@dataclass(frozen=True, slots=True)
class Occurrence:
    """What an allegation is about. reference: names it; under one stipulation the same is alleged once.

    organisation: whose duty it is.
    """

    stipulation: str
    organisation: str
    source: BreachSource
    reference: str


def allege(session: Session, actor: Actor, vault: Vault, command: Allege, *, now: datetime) -> Breach:
    """Allege, as another party or as the talent office, that a stipulation was not kept; evidence 22.

    Raises NotPermitted, AgreementNotFound, StipulationNotFound, StipulationNotOwed, OwnDuty.
    """
    actor.require(Permission.BREACH_TAKE_PART)
    version = reading.version_of(session, actor, command.agreement, command.version)
    is_party = session.get(AgreementParty, (version.id, actor.organisation_id)) is not None
    if not (is_party or actor.may(Permission.BREACH_DECIDE)):
        raise NotPermitted(permission=Permission.BREACH_DECIDE.value)
    found = select(Stipulation).where(
        Stipulation.version_id == version.id, Stipulation.position == command.position
    )
    stipulation = session.scalars(found).one_or_none()
    holder = None if stipulation is None else duty_holder(stipulation)
    if stipulation is None or holder is None:
        raise StipulationNotFound
    require_owed(session, version, now=now)
    if holder == actor.organisation_id:
        raise OwnDuty
    named = f"{actor.organisation_id}/{command.reference}"
    occurrence = Occurrence(stipulation.id, holder, BreachSource.PARTY, named)
    return raise_breach(session, occurrence, actor, vault=vault, said=command.text, now=now)


def raise_breach(
    session: Session,
    occurrence: Occurrence,
    actor: Actor | None,
    *,
    vault: Vault | None = None,
    said: str | None = None,
    now: datetime,
) -> Breach:
    """Allege an occurrence, with evidence 22 that belongs to the stipulation's record; the same again
    changes nothing. actor: None for the clock. The caller has checked who may.
    """
    # Held, so that of two who allege one occurrence the second finds the first's.
    stipulation = session.get_one(Stipulation, occurrence.stipulation, with_for_update=True)
    known = select(Breach).where(
        Breach.stipulation_id == stipulation.id, Breach.reference == occurrence.reference
    )
    if met := session.scalars(known).one_or_none():
        return met
    breach_id = secrets.token_hex(16)
    event = BreachAlleged(breach_id, *_named(session, stipulation), occurrence.source.value)
    recorded = evidence.record(
        session, event, now=now, relation=Relation.DECLARES, refers_to=stipulation.record_id
    )
    breach = Breach(
        id=breach_id,
        stipulation_id=stipulation.id,
        organisation_id=occurrence.organisation,
        state=BreachState.BREACH_ALLEGED,
        source=occurrence.source,
        reference=occurrence.reference,
        alleged_by=actor.account_id if actor else None,
        alleged_for=actor.organisation_id if actor else None,
        alleged_at=now,
        record_id=recorded.id,
    )
    session.add(breach)
    session.flush()
    _step(session, breach, BreachAct.ALLEGED, actor, vault=vault, said=said, now=now)
    return breach


def state_duty(
    session: Session, actor: Actor, vault: Vault, breach_id: str, command: Say, *, now: datetime
) -> Breach:
    """Take the statement of whoever owes the duty, while nothing is decided.

    Raises NotPermitted, BreachNotFound, NotOwnDuty, TransitionRefused.
    """
    breach = _owing(session, actor, breach_id)
    if breach.state is not BreachState.BREACH_ALLEGED:
        BREACH.require(breach.state, BreachState.BREACH_CONFIRMED)
    _step(session, breach, BreachAct.STATED, actor, vault=vault, said=command.text, now=now)
    return breach


def decide(
    session: Session, actor: Actor, vault: Vault, breach_id: str, command: DecideBreach, *, now: datetime
) -> Breach:
    """Confirm an allegation, evidence 23 and the contract's act, or dismiss it, evidence 24.

    Raises NotPermitted, BreachNotFound, AnotherDecides, TransitionRefused.
    """
    breach = _judged(session, actor, breach_id)
    after = BreachState.BREACH_CONFIRMED if command.confirm else BreachState.DISMISSED
    BREACH.require(breach.state, after)
    stipulation = session.get_one(Stipulation, breach.stipulation_id)
    told = BreachConfirmed if command.confirm else BreachDismissed
    event = told(breach.id, *_named(session, stipulation), actor.role.value)
    recorded = evidence.record(
        session, event, now=now, relation=Relation.RESOLVES, refers_to=breach.record_id
    )
    breach.state, breach.decision_record_id = after, recorded.id
    breach.decided_by, breach.decided_at = actor.account_id, now
    if command.confirm:
        _find(session, breach, stipulation, now=now)
    else:
        breach.closed_at = now
    act = BreachAct.CONFIRMED if command.confirm else BreachAct.DISMISSED
    _step(session, breach, act, actor, vault=vault, said=command.reason, now=now)
    return breach


def offer_cure(
    session: Session, actor: Actor, vault: Vault, breach_id: str, command: Say, *, now: datetime
) -> Breach:
    """Say how the breach was put right; whatever was acknowledged before has to be acknowledged anew.

    Raises NotPermitted, BreachNotFound, NotOwnDuty, TransitionRefused.
    """
    breach = _owing(session, actor, breach_id)
    BREACH.require(breach.state, BreachState.CURED)
    breach.cure_offered_at = now
    breach.cure_acknowledged_by = breach.cure_acknowledged_for = None
    _step(session, breach, BreachAct.CURE_OFFERED, actor, vault=vault, said=command.text, now=now)
    return breach


def acknowledge_cure(
    session: Session, actor: Actor, vault: Vault, breach_id: str, command: Say, *, now: datetime
) -> Breach:
    """Acknowledge, as a party that receives the duty, that it was put right.

    Raises NotPermitted, BreachNotFound, OwnDuty, TransitionRefused, CureNotAcknowledged when none is offered.
    """
    actor.require(Permission.BREACH_TAKE_PART)
    breach = held(session, breach_id)
    if not is_party(session, breach, actor.organisation_id):
        raise BreachNotFound
    if breach.organisation_id == actor.organisation_id:
        raise OwnDuty
    BREACH.require(breach.state, BreachState.CURED)
    if breach.cure_offered_at is None:
        raise CureNotAcknowledged
    breach.cure_acknowledged_by, breach.cure_acknowledged_for = actor.account_id, actor.organisation_id
    _step(session, breach, BreachAct.CURE_ACKNOWLEDGED, actor, vault=vault, said=command.text, now=now)
    return breach


def close(
    session: Session, actor: Actor, vault: Vault, breach_id: str, command: CloseBreach, *, now: datetime
) -> Breach:
    """Find a confirmed breach cured or waive it: evidence 25, and the contract's act.

    Raises NotPermitted, BreachNotFound, AnotherDecides, TransitionRefused, CureNotAcknowledged.
    """
    breach = _judged(session, actor, breach_id)
    after = BreachState.CURED if command.cured else BreachState.WAIVED
    BREACH.require(breach.state, after)
    if command.cured and breach.cure_acknowledged_by is None:
        raise CureNotAcknowledged
    if command.cured and breach.cure_acknowledged_by == actor.account_id:
        raise AnotherDecides
    stipulation = session.get_one(Stipulation, breach.stipulation_id)
    seen = breach.cure_acknowledged_for if command.cured else None
    event = BreachClosed(
        breach.id, *_named(session, stipulation), actor.role.value, after.value, acknowledged_for=seen
    )
    relation = Relation.CURES if command.cured else Relation.RESOLVES
    recorded = evidence.record(
        session, event, now=now, relation=relation, refers_to=breach.decision_record_id
    )
    breach.state, breach.closed_at, breach.closing_record_id = after, now, recorded.id
    _resolve(session, breach, _CURED if command.cured else _WAIVED, now=now)
    act = BreachAct.CURED if command.cured else BreachAct.WAIVED
    _step(session, breach, act, actor, vault=vault, said=command.reason, now=now)
    return breach


def held(session: Session, breach_id: str) -> Breach:
    """An allegation, held until the commit. Raises BreachNotFound."""
    query = select(Breach).where(Breach.id == breach_id).with_for_update()
    row = session.scalars(query, execution_options={"populate_existing": True}).one_or_none()
    if row is None:
        raise BreachNotFound
    return row


def is_party(session: Session, breach: Breach, organisation_id: str) -> bool:
    """Whether an organisation is a party of the agreement's version."""
    version_id = session.get_one(Stipulation, breach.stipulation_id).version_id
    return session.get(AgreementParty, (version_id, organisation_id)) is not None


def content_of(stipulation: Stipulation) -> dict[str, Any]:
    """What a stipulation says; nothing once it was destroyed."""
    if stipulation.disclosure is None:
        return {}
    value = disclosure.read(stipulation.disclosure).value
    return dict(value) if isinstance(value, dict) else {}


def duty_holder(stipulation: Stipulation) -> str | None:
    """The organisation that owes it; None once the content was destroyed."""
    holder = content_of(stipulation).get("duty_holder")
    return None if holder is None else str(holder)


def require_owed(session: Session, version: AgreementVersion, *, now: datetime) -> None:
    """Raises StipulationNotOwed unless something is, or was, owed under the version."""
    state = reading.state_at(session, version, now=now)
    if state not in OWED:
        raise StipulationNotOwed(state=state.value)


def steps_of(session: Session, breach_id: str) -> list[BreachStep]:
    """What has happened to an allegation, the first first."""
    query = select(BreachStep).where(BreachStep.breach_id == breach_id)
    return list(session.scalars(query.order_by(BreachStep.number)))


def said_in(vault: Vault, step: BreachStep) -> str | None:
    """What was said with a step; None when nothing was."""
    if step.sealed is None:
        return None
    return vault.open(_place(step.breach_id, step.number), step.sealed).decode()


def _find(session: Session, breach: Breach, stipulation: Stipulation, *, now: datetime) -> None:
    """Ask the contract to record the finding; its text is the entry of the decision's record."""
    version = session.get_one(AgreementVersion, stipulation.version_id)
    leaves = [bytes.fromhex(each.leaf_hash) for each in reading.stipulations_of(session, version)]
    leaf, index, commitment = leaves[stipulation.position], stipulation.position, _commitment(session, breach)
    named = bytes.fromhex(version.digest[2:]) + leaf + index.to_bytes(32, "big") + commitment
    breach.finding = _hex(keccak256(named))
    payload = {
        "agreement": version.digest,
        "statement": json.loads(version.statement),
        "stipulation": _hex(leaf),
        "index": index,
        "path": [_hex(each) for each in merkle.inclusion_path(leaves, index)],
        "commitment": _hex(commitment),
    }
    acts.enqueue(
        session,
        ActKind.RECORD_BREACH,
        digest=breach.finding,
        payload=payload,
        now=now,
        record_id=breach.decision_record_id,
    )


def _resolve(session: Session, breach: Breach, resolution: int, *, now: datetime) -> None:
    """Ask the contract to close the finding."""
    stipulation = session.get_one(Stipulation, breach.stipulation_id)
    version = session.get_one(AgreementVersion, stipulation.version_id)
    finding, commitment = breach.finding or "", _commitment(session, breach)
    breach.ending = _hex(keccak256(bytes.fromhex(finding[2:]) + bytes([resolution]) + commitment))
    payload = {
        "agreement": version.digest,
        "breach": finding,
        "resolution": resolution,
        "commitment": _hex(commitment),
    }
    acts.enqueue(
        session,
        ActKind.RESOLVE_BREACH,
        digest=breach.ending,
        payload=payload,
        now=now,
        record_id=breach.closing_record_id,
    )


def _commitment(session: Session, breach: Breach) -> bytes:
    """SHA-256 of the newest record's entry, exactly as the log holds it."""
    record_id = breach.closing_record_id or breach.decision_record_id or breach.record_id
    return hashlib.sha256(records.find(session, record_id).entry).digest()


def _hex(value: bytes) -> str:
    return "0x" + value.hex()


def _named(session: Session, stipulation: Stipulation) -> tuple[str, int, int]:
    """Agreement, version and position, as entries name a stipulation."""
    version = session.get_one(AgreementVersion, stipulation.version_id)
    return version.agreement_id, version.version, stipulation.position


def _owing(session: Session, actor: Actor, breach_id: str) -> Breach:
    """A held allegation against the actor's own organisation."""
    actor.require(Permission.BREACH_TAKE_PART)
    breach = held(session, breach_id)
    if breach.organisation_id != actor.organisation_id:
        raise NotOwnDuty if is_party(session, breach, actor.organisation_id) else BreachNotFound
    return breach


def _judged(session: Session, actor: Actor, breach_id: str) -> Breach:
    """A held allegation, for whoever decides and did not allege it."""
    actor.require(Permission.BREACH_DECIDE)
    breach = held(session, breach_id)
    if breach.alleged_by == actor.account_id:
        raise AnotherDecides
    return breach


def _step(
    session: Session,
    breach: Breach,
    act: BreachAct,
    actor: Actor | None,
    *,
    vault: Vault | None = None,
    said: str | None = None,
    now: datetime,
) -> None:
    taken = session.scalar(select(func.max(BreachStep.number)).where(BreachStep.breach_id == breach.id))
    number, sealed = (taken or 0) + 1, None
    if vault is not None and said is not None:
        sealed = vault.seal(_place(breach.id, number), said.encode())
    session.add(
        BreachStep(
            breach_id=breach.id,
            number=number,
            act=act,
            state=breach.state,
            at=now,
            account_id=actor.account_id if actor else None,
            organisation_id=actor.organisation_id if actor else None,
            role=actor.role if actor else None,
            sealed=sealed,
        )
    )
    session.flush()


def _place(breach_id: str, number: int) -> str:
    """What a step's content is bound to, as for every sealed column: table and key."""
    return f"breach_step/{breach_id}/{number}"
