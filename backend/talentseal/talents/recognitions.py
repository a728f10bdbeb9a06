"""Recognitions of a tier (Article 7): verified by one person, confirmed by another, ended by date or act.

All are kept. The effective tier is computed from those that are confirmed and live (`tiers.effective_tier`).
"""

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from talentseal.accounts.roles import Actor, Permission
from talentseal.clock import legal_date
from talentseal.errors import Conflict, Invalid, NotFound
from talentseal.policy import reading
from talentseal.policy.effects import Deed
from talentseal.policy.reading import Basis
from talentseal.policy.tiers import Tier
from talentseal.states import TransitionRefused
from talentseal.talents import codes
from talentseal.talents.models import (
    ERASED,
    Application,
    DocumentKind,
    RecognitionStep,
    TalentCode,
    TierRecognition,
    place_of,
)
from talentseal.talents.schemas import Claim, Confirm, End, Refuse
from talentseal.talents.terms import youth_last_day
from talentseal.talents.tiers import (
    RECOGNITION,
    SET_ASIDE,
    RecognitionState,
    require_may_be_socialised,
)
from talentseal.vault import Vault


class RecognitionNotFound(NotFound):
    code = "recognition-not-found"
    zh = "没有找到该认定，或您无权查看。请核对编号。"
    en = "There is no such recognition, or it is not yours to see; check the number."


class SecondPersonNeeded(Conflict):
    code = "second-person-needed"
    zh = "核实与确认须由两人分别办理，曾经办这项认定的人员不能再办。请由另一账户办理。"
    en = "Whoever has decided on this recognition before cannot be the second person; another account must."


class ClaimNotProved(Invalid):
    code = "claim-not-proved"
    zh = "申报的人才层次（{tier}）尚缺以下证明：{missing}。请补齐后再核实，或按储备人才批准。"
    en = "The claimed tier, {tier}, lacks the proof {missing}; have it supplied, or approve as RESERVE."


class RecognitionNotCurrent(Invalid):
    code = "recognition-not-current"
    zh = "所申报的认定尚未开始，或已经到期，不能认定。请核对日期；无其他申报的，按储备人才批准。"
    en = "The recognition claimed has not begun or is over; compare its dates, or approve as RESERVE."


@dataclass(frozen=True, slots=True)
class Finding:
    """What a reviewer found of the claim in an application.

    starts_on: YOUTH, the first verified day in the area; else the day of the recognition.
    proved: kinds of the documents that prove it. reason: what the reviewer says to it.
    """

    application: Application
    claim: Claim
    starts_on: date
    proved: frozenset[DocumentKind]
    reason: str


def verify(
    session: Session, actor: Actor, vault: Vault, found: Finding, *, basis: Basis, now: datetime
) -> TierRecognition:
    """Enter what was claimed as verified.

    Raises NotPermitted, ClaimNotProved, RecognitionNotCurrent, SocialisedExcluded.
    """
    actor.require(Permission.RECOGNITION_VERIFY)
    claim, talent_id = found.claim, found.application.talent_id
    if missing := claim.wanted - found.proved:
        raise ClaimNotProved(tier=claim.tier.value, missing=", ".join(sorted(missing)))
    _check_socialised(session, talent_id, claim.tier, legal_date(now))
    identifier = secrets.token_hex(16)
    row = TierRecognition(
        id=identifier,
        talent_id=talent_id,
        tier=claim.tier,
        state=RecognitionState.VERIFIED,
        starts_on=found.starts_on,
        valid_through=youth_last_day(found.starts_on) if claim.tier is Tier.YOUTH else claim.valid_through,
        application_id=found.application.id,
        sealed=vault.seal(place_of("tier_recognition", identifier), claim.model_dump_json().encode()),
        claimed_at=found.application.submitted_at or now,
        verified_by=actor.account_id,
        verified_at=now,
    )
    _check_current(row, legal_date(now))
    session.add(row)
    said = {"reason": found.reason, "proved": sorted(found.proved)}
    _step(session, row, actor, basis=basis, sealed=_sealed(session, vault, row, said), now=now)
    return row


def confirm(
    session: Session, actor: Actor, vault: Vault, recognition_id: str, command: Confirm, *, now: datetime
) -> TierRecognition:
    """Let a verified recognition count from now on; the code is marked anew, with evidence.

    Raises NotPermitted, RecognitionNotFound, TransitionRefused, SecondPersonNeeded, RecognitionNotCurrent,
    SocialisedExcluded, InstrumentExpired, CodeNotFound.
    """
    actor.require(Permission.RECOGNITION_CONFIRM)
    row, code = _locked(session, recognition_id)
    RECOGNITION.require(row.state, RecognitionState.CONFIRMED)
    _check_second_person(session, row, actor)
    _check_current(row, legal_date(now))
    _check_socialised(session, row.talent_id, row.tier, legal_date(now))
    basis = reading.basis_of(session, Deed.NEW_TIER, now=now)
    row.state, row.confirmed_by, row.confirmed_at = RecognitionState.CONFIRMED, actor.account_id, now
    sealed = _sealed(session, vault, row, {"reason": command.reason})
    _step(session, row, actor, basis=basis, sealed=sealed, now=now)
    codes.mark(session, code, basis, now=now)
    return row


def refuse(
    session: Session, actor: Actor, vault: Vault, recognition_id: str, command: Refuse, *, now: datetime
) -> TierRecognition:
    """Refuse to confirm a verified recognition, for a reason: it never counted, so the code stays as marked.

    Raises NotPermitted, RecognitionNotFound, TransitionRefused, SecondPersonNeeded, CodeNotFound.
    """
    actor.require(Permission.RECOGNITION_CONFIRM)
    row, _code = _locked(session, recognition_id)
    if row.state is not RecognitionState.VERIFIED:
        raise TransitionRefused(before=row.state.value, after=RecognitionState.REVOKED.value)
    _check_second_person(session, row, actor)
    row.state, row.ended_at = RecognitionState.REVOKED, now
    sealed = _sealed(session, vault, row, {"reason": command.reason, "refused": True})
    _step(session, row, actor, basis=None, sealed=sealed, now=now)
    return row


def restore(
    session: Session, actor: Actor, vault: Vault, recognition_id: str, reason: str, *, now: datetime
) -> TierRecognition:
    """Put a recognition back to where it was before a decision that is set aside: one that counted counts
    again, with evidence; one that was refused waits for another second person.

    Raises RecognitionNotFound, TransitionRefused, SocialisedExcluded, CodeNotFound.
    """
    row, code = _locked(session, recognition_id)
    after = RecognitionState.CONFIRMED if row.confirmed_at else RecognitionState.VERIFIED
    SET_ASIDE.require(row.state, after)
    if after is RecognitionState.CONFIRMED:
        _check_socialised(session, row.talent_id, row.tier, legal_date(now))
    row.state, row.ended_at = after, None
    sealed = _sealed(session, vault, row, {"reason": reason})
    _step(session, row, actor, basis=None, sealed=sealed, now=now)
    codes.mark(session, code, None, now=now)
    return row


def end(
    session: Session, actor: Actor, vault: Vault, recognition_id: str, command: End, *, now: datetime
) -> TierRecognition:
    """Adjust or revoke a recognition; the code is marked anew, with evidence.

    Raises NotPermitted, RecognitionNotFound, TransitionRefused, SecondPersonNeeded, CodeNotFound.
    """
    actor.require(Permission.RECOGNITION_CONFIRM)
    row, code = _locked(session, recognition_id)
    after = RecognitionState(command.state.value)
    if row.state is not RecognitionState.CONFIRMED:
        raise TransitionRefused(before=row.state.value, after=after.value)
    if row.confirmed_by == actor.account_id:
        raise SecondPersonNeeded
    row.state, row.ended_at = after, now
    sealed = _sealed(session, vault, row, {"reason": command.reason})
    _step(session, row, actor, basis=None, sealed=sealed, now=now)
    codes.mark(session, code, None, now=now)
    return row


def apply_day(session: Session, day: date, now: datetime) -> int:
    """Let what ran out before `day` expire and mark the codes anew, once each; how many expired.

    May be repeated for any day that has come; leaves the same whatever ran before it.
    """
    over = select(TierRecognition.id, TierRecognition.talent_id).where(
        TierRecognition.state == RecognitionState.CONFIRMED, TierRecognition.valid_through < day
    )
    expired = 0
    for recognition_id, talent_id in session.execute(over.order_by(TierRecognition.talent_id)).all():
        code = codes.live_of(session, talent_id, lock=True)
        row = session.get_one(TierRecognition, recognition_id, populate_existing=True)
        if row.state is not RecognitionState.CONFIRMED:
            continue  # another worker was here while we waited for the code
        row.state, row.ended_at, expired = RecognitionState.EXPIRED, now, expired + 1
        _step(session, row, None, basis=None, sealed=None, now=now)
        codes.mark(session, code, None, now=now)
    return expired


_OF_TALENT: Final = (
    select(TierRecognition)
    .where(TierRecognition.talent_id == bindparam("talent"))
    .order_by(TierRecognition.claimed_at.desc(), TierRecognition.id)
)


def of_talent(session: Session, talent_id: str) -> list[TierRecognition]:
    """Every recognition a talent has or had, the newest first."""
    return list(session.scalars(_OF_TALENT, {"talent": talent_id}))


def find(session: Session, recognition_id: str) -> TierRecognition:
    """The recognition of that id. Raises RecognitionNotFound."""
    row = session.get(TierRecognition, recognition_id)
    if row is None:
        raise RecognitionNotFound
    return row


def steps_of(session: Session, recognition_id: str) -> list[RecognitionStep]:
    """What has happened to a recognition, the first first."""
    return steps_of_all(session, [recognition_id])[recognition_id]


_STEPS: Final = (
    select(RecognitionStep)
    .where(RecognitionStep.recognition_id.in_(bindparam("recognitions", expanding=True)))
    .order_by(RecognitionStep.number)
)


def steps_of_all(session: Session, recognitions: Sequence[str]) -> dict[str, list[RecognitionStep]]:
    """The same of many."""
    found: dict[str, list[RecognitionStep]] = {each: [] for each in recognitions}
    for row in session.scalars(_STEPS, {"recognitions": recognitions}) if recognitions else ():
        found[row.recognition_id].append(row)
    return found


def is_of(session: Session, row: TierRecognition, actor: Actor) -> bool:
    """Whether the actor verified it, or refused it before an objection, and so is not the second person."""
    refused = select(RecognitionStep.account_id).where(
        RecognitionStep.recognition_id == row.id, RecognitionStep.state == RecognitionState.REVOKED
    )
    return actor.account_id in {row.verified_by, *session.scalars(refused)}


def claim_of(vault: Vault, row: TierRecognition) -> Claim:
    """What was claimed, as certified. Raises RecognitionNotFound once its holder had it erased."""
    plain = vault.open(place_of("tier_recognition", row.id), row.sealed)
    if plain == ERASED:
        raise RecognitionNotFound
    return Claim.model_validate_json(plain)


def said_in(vault: Vault, step: RecognitionStep) -> dict[str, Any]:
    """What was said with a step: reason, documents that prove it; empty for what the date brought."""
    if step.sealed is None:
        return {}
    place = place_of("recognition_step", step.recognition_id, step.number)
    said: dict[str, Any] = json.loads(vault.open(place, step.sealed))
    return said


def _next_number(session: Session, row: TierRecognition) -> int:
    taken = select(func.max(RecognitionStep.number)).where(RecognitionStep.recognition_id == row.id)
    return (session.scalar(taken) or 0) + 1


def _sealed(session: Session, vault: Vault, row: TierRecognition, said: dict[str, Any]) -> bytes:
    place = place_of("recognition_step", row.id, _next_number(session, row))
    return vault.seal(place, json.dumps(said, ensure_ascii=False).encode())


def _step(
    session: Session,
    row: TierRecognition,
    actor: Actor | None,
    *,
    basis: Basis | None,
    sealed: bytes | None,
    now: datetime,
) -> None:
    """Leave the step by which a held recognition came to its state. actor: None for the date."""
    session.flush()
    session.add(
        RecognitionStep(
            recognition_id=row.id,
            number=_next_number(session, row),
            state=row.state,
            account_id=actor.account_id if actor else None,
            at=now,
            version_id=basis.version_id if basis else None,
            article=basis.article if basis else None,
            sealed=sealed,
        )
    )
    session.flush()


def _check_second_person(session: Session, row: TierRecognition, actor: Actor) -> None:
    if is_of(session, row, actor):
        raise SecondPersonNeeded


def _check_current(row: TierRecognition, day: date) -> None:
    """What counts on no day from today on, or not today yet, is not recognised."""
    last = row.fact.last_day
    if day < row.starts_on or (last is not None and last < day):
        raise RecognitionNotCurrent


def _locked(session: Session, recognition_id: str) -> tuple[TierRecognition, TalentCode]:
    """A recognition and its holder's live code, the code held first as everybody does."""
    talent_id = session.scalar(select(TierRecognition.talent_id).where(TierRecognition.id == recognition_id))
    if talent_id is None:
        raise RecognitionNotFound
    code = codes.live_of(session, talent_id, lock=True)
    return session.get_one(TierRecognition, recognition_id, populate_existing=True), code


def _check_socialised(session: Session, talent_id: str, tier: Tier, day: date) -> None:
    if tier is Tier.SOCIALISED:
        require_may_be_socialised([row.fact for row in of_talent(session, talent_id)], day)
