"""Talent codes: issued, moved from state to state, marked with the effective tier.

Everyone who changes a code comes here, whatever made him: applications, reviews, cases, the date. A change
holds the code's row until the commit, so that two of them follow one another.
"""

import secrets
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from talentseal import evidence
from talentseal.clock import legal_date
from talentseal.errors import Conflict, NotFound
from talentseal.policy.reading import Basis
from talentseal.policy.tiers import Tier
from talentseal.states import Transitions
from talentseal.talents.events import TierChanged
from talentseal.talents.models import (
    Application,
    CodeState,
    CodeStep,
    TalentCode,
    TierChange,
    TierRecognition,
)
from talentseal.talents.tiers import effective_tier

CODE_REF_BYTES: Final = 8

MOVES: Final = Transitions(
    {
        CodeState.ACTIVE: frozenset(
            {CodeState.SUSPENDED, CodeState.REVIEW_OVERDUE, CodeState.TERMINATED, CodeState.CANCELLED}
        ),
        CodeState.SUSPENDED: frozenset({CodeState.ACTIVE, CodeState.TERMINATED}),
        CodeState.REVIEW_OVERDUE: frozenset({CodeState.ACTIVE, CodeState.TERMINATED, CodeState.CANCELLED}),
        CodeState.TERMINATED: frozenset({CodeState.ACTIVE}),
        CodeState.CANCELLED: frozenset(),
    }
)
"""Domain specification §1.2; TERMINATED → ACTIVE is a termination annulled on appeal (Article 14), and
REVIEW_OVERDUE → CANCELLED lets a holder leave who does not answer (PIPL Art. 47)."""

ENDED: Final = frozenset({CodeState.TERMINATED, CodeState.CANCELLED})


class CodeExists(Conflict):
    code = "code-exists"
    zh = "该身份已有有效的人才码，或另有申请正在办理，不能重复申领。如非本人办理，请联系人才办。"
    en = "This identity has a live code or an application under way; if that was not you, call the office."


class CodeNotFound(NotFound):
    code = "code-not-found"
    zh = "没有有效的人才码。请先申领。"
    en = "There is no live code; apply for one first."


def issue(session: Session, application: Application, *, by: str, basis: Basis, now: datetime) -> TalentCode:
    """Give the applicant his code, marked RESERVE, with its evidence. by: account that approved.

    Raises CodeExists when the person has a live one, in this account or another.
    """
    row = TalentCode(
        id=secrets.token_hex(16),
        talent_id=application.talent_id,
        code_ref=secrets.token_bytes(CODE_REF_BYTES),
        identity_digest=application.identity_digest,
        state=CodeState.ACTIVE,
        tier=Tier.RESERVE,
        issued_at=now,
    )
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        raise CodeExists from None
    _step(session, row, by, application.id, now)
    _leave_change(session, row, None, basis, now)
    return row


_LIVE: Final = select(TalentCode).where(
    TalentCode.talent_id == bindparam("talent"), TalentCode.ended_at.is_(None)
)


def live_of(session: Session, talent_id: str, *, lock: bool = False) -> TalentCode:
    """The talent's code that has not ended. lock: hold it until the commit. Raises CodeNotFound."""
    query = _LIVE.with_for_update() if lock else _LIVE
    row = session.scalars(query, {"talent": talent_id}).one_or_none()
    if row is None:
        raise CodeNotFound
    return row


def as_of(session: Session, code: TalentCode, at: datetime) -> tuple[CodeState, Tier] | None:
    """State and tier that a code had at a moment that has passed; None before it was issued."""
    steps = select(CodeStep.state).where(CodeStep.code_id == code.id, CodeStep.at <= at)
    state = session.scalar(steps.order_by(CodeStep.number.desc()).limit(1))
    if state is None:
        return None
    later = select(TierChange.before).where(TierChange.code_id == code.id, TierChange.at > at)
    before = session.scalar(later.order_by(TierChange.at).limit(1))
    return state, before or code.tier


def hold_of(session: Session, talent_id: str) -> None:
    """Hold the talent's live code until the commit, where he has one: what everybody holds first."""
    session.scalars(
        select(TalentCode.id)
        .where(TalentCode.talent_id == talent_id, TalentCode.ended_at.is_(None))
        .with_for_update()
    ).all()


def move(
    session: Session, code_id: str, after: CodeState, *, by: str | None, cause: str | None, now: datetime
) -> TalentCode:
    """Take a code to another state. by: account, None for the date; cause: id of what brought it about.

    Raises CodeNotFound, TransitionRefused; CodeExists when a termination is annulled after the person was
    given another code.
    """
    row = session.get(TalentCode, code_id, with_for_update=True)
    if row is None:
        raise CodeNotFound
    MOVES.require(row.state, after)
    try:
        with session.begin_nested():
            row.state, row.ended_at = after, now if after in ENDED else None
    except IntegrityError:
        raise CodeExists from None
    _step(session, row, by, cause, now)
    return row


def mark(session: Session, code: TalentCode, basis: Basis | None, *, now: datetime) -> TierChange | None:
    """Mark a locked code with what its holder's recognitions come to today, with evidence 44 (Article 12).

    basis: what a decision stands on, None for what the date brought. Answers None when nothing changed.
    """
    rows = session.scalars(select(TierRecognition).where(TierRecognition.talent_id == code.talent_id))
    before, after = code.tier, effective_tier([row.fact for row in rows], legal_date(now))
    if after is before:
        return None
    code.tier = after
    return _leave_change(session, code, before, basis, now)


def _leave_change(
    session: Session, code: TalentCode, before: Tier | None, basis: Basis | None, now: datetime
) -> TierChange:
    told = TierChanged(
        code=code.id,
        before=before,
        after=code.tier,
        on=legal_date(now),
        instrument=basis.instrument if basis else None,
        version=basis.number if basis else None,
        article=basis.article if basis else None,
    )
    change = TierChange(
        id=secrets.token_hex(16),
        code_id=code.id,
        before=before,
        after=code.tier,
        at=now,
        record_id=evidence.record(session, told, now=now).id,
    )
    session.add(change)
    session.flush()
    return change


def _step(session: Session, row: TalentCode, by: str | None, cause: str | None, now: datetime) -> None:
    taken = session.scalar(select(func.max(CodeStep.number)).where(CodeStep.code_id == row.id))
    session.add(
        CodeStep(code_id=row.id, number=(taken or 0) + 1, state=row.state, at=now, account_id=by, cause=cause)
    )
    session.flush()
