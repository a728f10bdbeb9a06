"""Recognitions of a tier (Article 7): verified by one person, confirmed by another, ended by date or act.

All are kept. The effective tier is computed from those that are confirmed and live (`tiers.effective_tier`).
"""

import secrets
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from talentseal.accounts.roles import Actor, Permission
from talentseal.clock import legal_date
from talentseal.errors import Conflict, Invalid, NotFound
from talentseal.policy import reading
from talentseal.policy.effects import Deed
from talentseal.policy.tiers import Tier
from talentseal.talents import codes
from talentseal.talents.models import DocumentKind, TalentCode, TierRecognition, place_of
from talentseal.talents.schemas import Claim
from talentseal.talents.terms import youth_last_day
from talentseal.talents.tiers import RECOGNITION, RecognitionState, require_may_be_socialised
from talentseal.vault import Vault


class RecognitionNotFound(NotFound):
    code = "recognition-not-found"
    zh = "没有找到该认定，或您无权查看。请核对编号。"
    en = "There is no such recognition, or it is not yours to see; check the number."


class SecondPersonNeeded(Conflict):
    code = "second-person-needed"
    zh = "核实与确认须由两人分别办理，请由另一账户确认。"
    en = "Whoever verified it cannot confirm it; another account must."


class ClaimNotProved(Invalid):
    code = "claim-not-proved"
    zh = "申报的人才层次（{tier}）尚缺以下证明：{missing}。请补齐后再核实，或按储备人才批准。"
    en = "The claimed tier, {tier}, lacks the proof {missing}; have it supplied, or approve as RESERVE."


@dataclass(frozen=True, slots=True)
class Finding:
    """What a reviewer found of a talent's claim.

    starts_on: YOUTH, the first verified day in the area; else the day of the recognition.
    proved: kinds of the documents that prove it.
    """

    talent_id: str
    claim: Claim
    starts_on: date
    proved: frozenset[DocumentKind]


def verify(
    session: Session,
    actor: Actor,
    vault: Vault,
    found: Finding,
    *,
    now: datetime,
) -> TierRecognition:
    """Enter what was claimed as verified. Raises NotPermitted, ClaimNotProved, SocialisedExcluded."""
    actor.require(Permission.RECOGNITION_VERIFY)
    talent_id, claim, starts_on, proved = found.talent_id, found.claim, found.starts_on, found.proved
    if missing := claim.wanted - proved:
        raise ClaimNotProved(tier=claim.tier.value, missing=", ".join(sorted(missing)))
    _check_socialised(session, talent_id, claim.tier, legal_date(now))
    identifier = secrets.token_hex(16)
    row = TierRecognition(
        id=identifier,
        talent_id=talent_id,
        tier=claim.tier,
        state=RecognitionState.VERIFIED,
        starts_on=starts_on,
        valid_through=youth_last_day(starts_on) if claim.tier is Tier.YOUTH else claim.valid_through,
        sealed=vault.seal(place_of("tier_recognition", identifier), claim.model_dump_json().encode()),
        claimed_at=now,
        verified_by=actor.account_id,
        verified_at=now,
    )
    session.add(row)
    session.flush()
    return row


def confirm(session: Session, actor: Actor, recognition_id: str, *, now: datetime) -> TierRecognition:
    """Let a verified recognition count from now on; the code is marked anew, with evidence.

    Raises NotPermitted, RecognitionNotFound, TransitionRefused, SecondPersonNeeded, SocialisedExcluded,
    InstrumentExpired, CodeNotFound.
    """
    actor.require(Permission.RECOGNITION_CONFIRM)
    row, code = _locked(session, recognition_id)
    RECOGNITION.require(row.state, RecognitionState.CONFIRMED)
    if row.verified_by == actor.account_id:
        raise SecondPersonNeeded
    _check_socialised(session, row.talent_id, row.tier, legal_date(now))
    basis = reading.basis_of(session, Deed.NEW_TIER, now=now)
    row.state, row.confirmed_by, row.confirmed_at = RecognitionState.CONFIRMED, actor.account_id, now
    session.flush()
    codes.mark(session, code, basis, now=now)
    return row


def end(
    session: Session, actor: Actor, recognition_id: str, state: RecognitionState, *, now: datetime
) -> TierRecognition:
    """Adjust or revoke a recognition; the code is marked anew, with evidence.

    Raises NotPermitted, RecognitionNotFound, TransitionRefused, SecondPersonNeeded, CodeNotFound.
    """
    actor.require(Permission.RECOGNITION_CONFIRM)
    row, code = _locked(session, recognition_id)
    RECOGNITION.require(row.state, state)
    if row.confirmed_by == actor.account_id:
        raise SecondPersonNeeded
    row.state, row.ended_at = state, now
    session.flush()
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
        session.flush()
        codes.mark(session, code, None, now=now)
    return expired


def of_talent(session: Session, talent_id: str) -> list[TierRecognition]:
    """Every recognition a talent has or had, the newest first."""
    query = select(TierRecognition).where(TierRecognition.talent_id == talent_id)
    return list(session.scalars(query.order_by(TierRecognition.claimed_at.desc(), TierRecognition.id)))


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
