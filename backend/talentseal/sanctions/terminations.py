"""Terminations (Article 14): proposed, heard, decided by two persons who did not propose, appealed.

Each ground has its guard: the decision of the second person is refused while it is not met. A code that was
ended is restored when the termination is annulled; both records stay.
"""

import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, exists, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from sealproof.entry import Relation
from talentseal import evidence
from talentseal.accounts.roles import Actor, Permission
from talentseal.clock import legal_date
from talentseal.errors import Conflict, Invalid, NotFound
from talentseal.policy import calendar
from talentseal.policy.service import OwnProposal
from talentseal.sanctions import deadlines, facts, restrictions
from talentseal.sanctions.events import Outcome, TerminationDecided
from talentseal.sanctions.models import (
    Finding,
    SuspensionCase,
    TerminationAct,
    TerminationCase,
    TerminationDecision,
    TerminationStep,
)
from talentseal.sanctions.refusals import AppealTooLate, HearingOpen, OwnDecision, StatementTooLate
from talentseal.sanctions.schemas import Attach, Confirm, Decide, FindingView, Hear, Propose, Say
from talentseal.sanctions.states import TERMINATION, Ground, TerminationState
from talentseal.talents import codes, people
from talentseal.talents.codes import ENDED, CodeNotFound
from talentseal.talents.models import CodeState, IdentityBar, TalentCode, place_of
from talentseal.talents.review_models import ReviewState, ReviewTask
from talentseal.talents.reviews import ReviewNotFound
from talentseal.vault import Vault

FINDING_LIMIT: Final = 10 * 1024 * 1024
"""Bytes of an external finding."""

_S = TerminationState
_A = TerminationAct


class TerminationNotFound(NotFound):
    code = "termination-case-not-found"
    zh = "没有找到该终止案件，或您无权查看。请核对编号。"
    en = "There is no such termination, or it is not yours to see; check the number."


class TerminationExists(Conflict):
    code = "termination-case-exists"
    zh = "该人才码已有同一事由的终止案件正在办理。请在原案中处理。"
    en = "A termination of this code on the same ground is under way; deal with it there."


class ReviewNotFailed(Conflict):
    code = "review-not-failed"
    zh = "只有未通过的复核才能由此提出终止。请先作出复核决定。"
    en = "Only a review that failed leads to a termination; decide the review first."


class FindingMissing(Conflict):
    code = "finding-missing"
    zh = "以严重违法违德为由终止，须附外部认定文书（判决、处罚决定等）。请先上传。"
    en = "Terminating for serious misconduct needs an external finding; attach the judgment or penalty first."


class FindingNotFound(NotFound):
    code = "finding-not-found"
    zh = "没有找到该认定文书，或您无权查看。请从案件页面打开。"
    en = "There is no such finding, or it is not yours to see; open it from the page of its case."


class FindingRefused(Invalid):
    code = "finding-refused"
    zh = "认定文书应为 PDF 文件，不超过 {megabytes} MB。"
    en = "A finding has to be a PDF of up to {megabytes} MB."


class FindingNeedless(Conflict):
    code = "finding-needless"
    zh = "该终止事由不需要外部认定文书。"
    en = "This ground needs no external finding."


class ConfirmationMissing(Conflict):
    code = "leading-group-confirmation-missing"
    zh = "以其他不适宜情形终止，须经领导小组确认。请先报请确认。"
    en = "Terminating for other circumstances needs the leading group's confirmation; ask for it first."


class ConfirmationNeedless(Conflict):
    code = "leading-group-confirmation-needless"
    zh = "该终止事由不需要领导小组确认，或已经确认。"
    en = "This ground needs no confirmation of the leading group, or has it already."


@dataclass(frozen=True, slots=True)
class Step:
    """One step to be left. said: the reason or statement, which is sealed."""

    act: TerminationAct
    after: TerminationState
    actor: Actor | None
    said: str | None = None


def propose(
    session: Session, actor: Actor, vault: Vault, command: Propose, *, now: datetime
) -> TerminationCase:
    """Propose to terminate a code. The holder of one proposed by the office is notified at once.

    Raises NotPermitted, CodeNotFound, TerminationExists.
    """
    actor.require(Permission.TERMINATION_PROPOSE)
    code = facts.code_of(session, command.code)
    row = _enter(session, actor, vault, code.id, ground=command.ground, reason=command.reason, now=now)
    row.resolution = command.resolution
    if actor.may(Permission.TERMINATION_DECIDE):
        _notify(session, row, actor, vault, now)
    return row


def of_referral(
    session: Session, actor: Actor, vault: Vault, case: SuspensionCase, reason: str, *, now: datetime
) -> TerminationCase:
    """Propose what a suspension case has come to. Raises CodeNotFound, TerminationExists."""
    if session.get_one(TalentCode, case.code_id).ended_at is not None:
        raise CodeNotFound
    row = _enter(
        session, actor, vault, case.code_id, ground=Ground.PERSONAL_USE_BREACH, reason=reason, now=now
    )
    row.case_id = case.id
    _notify(session, row, actor, vault, now)
    return row


def of_review(
    session: Session, actor: Actor, vault: Vault, review_id: str, command: Say, *, now: datetime
) -> TerminationCase:
    """Propose to terminate the code of somebody whose review failed because he has left (Article 14, no. 1).

    Raises NotPermitted, ReviewNotFound, ReviewNotFailed, CodeNotFound, TerminationExists.
    """
    actor.require(Permission.TERMINATION_DECIDE)
    review = session.get(ReviewTask, review_id)
    if review is None:
        raise ReviewNotFound
    if review.state is not ReviewState.FAILED:
        raise ReviewNotFailed
    if session.get_one(TalentCode, review.code_id, with_for_update=True).ended_at is not None:
        raise CodeNotFound
    row = _enter(
        session,
        actor,
        vault,
        review.code_id,
        ground=Ground.LEFT_AREA,
        reason=command.text,
        review=review.id,
        now=now,
    )
    _notify(session, row, actor, vault, now)
    return row


def notify(
    session: Session, actor: Actor, vault: Vault, termination_id: str, *, now: datetime
) -> TerminationCase:
    """Let the holder know of a proposal that another body made; his term for a statement begins.

    Raises NotPermitted, TerminationNotFound, TransitionRefused.
    """
    actor.require(Permission.TERMINATION_DECIDE)
    row = held(session, termination_id)
    TERMINATION.require(row.state, _S.NOTIFIED)
    _notify(session, row, actor, vault, now)
    return row


def attach(
    session: Session,
    actor: Actor,
    vault: Vault,
    termination_id: str,
    command: Attach,
    *,
    plain: bytes,
    now: datetime,
) -> Finding:
    """Seal an external finding into the case, by its proposer's organisation or the office.

    Raises NotPermitted, TerminationNotFound, TransitionRefused, FindingNeedless, FindingRefused.
    """
    actor.require(Permission.TERMINATION_PROPOSE)
    row = held(session, termination_id)
    if row.proposed_for != actor.organisation_id and not actor.may(Permission.TERMINATION_DECIDE):
        raise TerminationNotFound
    _require_undecided(row)
    if row.ground is not Ground.SERIOUS_MISCONDUCT:
        raise FindingNeedless
    if not plain.startswith(b"%PDF-") or len(plain) > FINDING_LIMIT:
        raise FindingRefused(megabytes=FINDING_LIMIT >> 20)
    identifier = secrets.token_hex(16)
    about = command.model_dump_json().encode()
    finding = Finding(
        id=identifier,
        termination_id=row.id,
        sealed_about=vault.seal(place_of("termination_finding", identifier, "about"), about),
        sealed=vault.seal(place_of("termination_finding", identifier), plain),
        size=len(plain),
        added_by=actor.account_id,
        added_at=now,
    )
    session.add(finding)
    _step(session, vault, row, Step(_A.FINDING_ATTACHED, row.state, actor), now)
    return finding


def confirm(
    session: Session, actor: Actor, vault: Vault, termination_id: str, command: Confirm, *, now: datetime
) -> TerminationCase:
    """The leading group's confirmation of what no other ground covers.

    Raises NotPermitted, TerminationNotFound, TransitionRefused, ConfirmationNeedless, OwnProposal.
    """
    actor.require(Permission.TERMINATION_CONFIRM)
    row = held(session, termination_id)
    _require_undecided(row)
    if row.ground is not Ground.OTHER_UNSUITABLE or row.confirmed_at is not None:
        raise ConfirmationNeedless
    if row.proposed_by == actor.account_id:
        raise OwnProposal
    row.confirmed_by, row.confirmed_at, row.confirmation = actor.account_id, now, command.reference
    _step(session, vault, row, Step(_A.CONFIRMED, row.state, actor), now)
    return row


def make_statement(
    session: Session, actor: Actor, vault: Vault, termination_id: str, command: Say, *, now: datetime
) -> TerminationCase:
    """Take the holder's statement, from the notice to the end of its term.

    Raises NotPermitted, TerminationNotFound, TransitionRefused, StatementTooLate.
    """
    row = _own(session, actor, termination_id)
    if row.state is not _S.STATEMENT_OPEN:
        TERMINATION.require(row.state, _S.STATEMENT_OPEN)
    if row.statement_through is not None and legal_date(now) > row.statement_through:
        raise StatementTooLate(closes_on=row.statement_through.isoformat())
    row.stated_at, row.state = now, _S.STATEMENT_OPEN
    _step(session, vault, row, Step(_A.STATED, row.state, actor, command.text), now)
    return row


def decide(
    session: Session, actor: Actor, vault: Vault, termination_id: str, command: Decide, *, now: datetime
) -> TerminationCase:
    """One of two persons decides to terminate, or one dismisses; with the second the code ends, evidence 43.

    Raises NotPermitted, TerminationNotFound, TransitionRefused, OwnProposal, OwnDecision, HearingOpen,
    FindingMissing, ConfirmationMissing.
    """
    actor.require(Permission.TERMINATION_DECIDE)
    row = held(session, termination_id)
    TERMINATION.require(row.state, _S.DECIDED if command.grant else _S.DISMISSED)
    if row.proposed_by == actor.account_id:
        raise OwnProposal
    if not command.grant:
        row.closed_at = now
        _move(session, vault, row, Step(_A.DISMISSED, _S.DISMISSED, actor, command.reason), now)
        return row
    if row.stated_at is None and row.statement_through and legal_date(now) <= row.statement_through:
        raise HearingOpen(closes_on=row.statement_through.isoformat())
    _check_ground(session, row)
    if actor.account_id in deciders_of(session, row):
        raise OwnDecision
    session.add(TerminationDecision(termination_id=row.id, account_id=actor.account_id, at=now))
    session.flush()
    if len(deciders_of(session, row)) < 2:
        _step(session, vault, row, Step(_A.DECIDED_BY_FIRST, row.state, actor, command.reason), now)
        return row
    _move(session, vault, row, Step(_A.DECIDED, _S.DECIDED, actor, command.reason), now)
    _conclude(session, vault, row, now)
    return row


def appeal(
    session: Session, actor: Actor, vault: Vault, termination_id: str, command: Say, *, now: datetime
) -> TerminationCase:
    """Take the holder's appeal, which does not hold up the end.

    Raises NotPermitted, TerminationNotFound, TransitionRefused, AppealTooLate.
    """
    row = _own(session, actor, termination_id)
    TERMINATION.require(row.state, _S.APPEALED)
    if row.appeal_through is None or legal_date(now) > row.appeal_through:
        raise AppealTooLate(closes_on=row.appeal_through.isoformat() if row.appeal_through else "")
    _move(session, vault, row, Step(_A.APPEALED, _S.APPEALED, actor, command.text), now)
    return row


def hear(
    session: Session, actor: Actor, vault: Vault, termination_id: str, command: Hear, *, now: datetime
) -> TerminationCase:
    """Decide the appeal, by somebody who neither proposed nor decided; annulling restores the code.

    Raises NotPermitted, TerminationNotFound, TransitionRefused, OwnProposal, OwnDecision; CodeExists when
    the person was given another code meanwhile.
    """
    actor.require(Permission.TERMINATION_DECIDE)
    row = held(session, termination_id)
    TERMINATION.require(row.state, _S.UPHELD if command.uphold else _S.ANNULLED)
    if row.proposed_by == actor.account_id:
        raise OwnProposal
    if actor.account_id in deciders_of(session, row):
        raise OwnDecision
    row.closed_at = now
    if command.uphold:
        _move(session, vault, row, Step(_A.UPHELD, _S.UPHELD, actor, command.reason), now)
        return row
    _move(session, vault, row, Step(_A.ANNULLED, _S.ANNULLED, actor, command.reason), now)
    _annul(session, row, actor, now)
    return row


def end_code(session: Session, vault: Vault | None, row: TerminationCase, *, now: datetime) -> None:
    """End the code of a decided termination whose day has come. row: held with its code."""
    code = session.get_one(TalentCode, row.code_id)
    if code.state not in ENDED:
        codes.move(session, code.id, CodeState.TERMINATED, by=None, cause=row.id, now=now)
        row.ended_at = now
        _step(session, vault, row, Step(_A.CODE_ENDED, row.state, None), now)


def open_hearing(session: Session, row: TerminationCase, *, now: datetime) -> None:
    """Let the term for the statement begin."""
    _move(session, None, row, Step(_A.HEARING_OPENED, _S.STATEMENT_OPEN, None), now)


def held(session: Session, termination_id: str) -> TerminationCase:
    """A termination with its code, both held until the commit. Raises TerminationNotFound."""
    code_id = session.scalar(select(TerminationCase.code_id).where(TerminationCase.id == termination_id))
    if code_id is None:
        raise TerminationNotFound
    session.get_one(TalentCode, code_id, with_for_update=True)
    return session.get_one(TerminationCase, termination_id, with_for_update=True, populate_existing=True)


def deciders_of(session: Session, row: TerminationCase) -> frozenset[str]:
    """Accounts that have decided to terminate."""
    query = select(TerminationDecision.account_id).where(TerminationDecision.termination_id == row.id)
    return frozenset(session.scalars(query))


def steps_of(session: Session, termination_id: str) -> list[TerminationStep]:
    """What has happened to a termination, the first first."""
    query = select(TerminationStep).where(TerminationStep.termination_id == termination_id)
    return list(session.scalars(query.order_by(TerminationStep.number)))


def said_in(vault: Vault, step: TerminationStep) -> str | None:
    """What was said with a step; None when nothing was."""
    if step.sealed is None:
        return None
    place = place_of("termination_step", step.termination_id, step.number)
    return vault.open(place, step.sealed).decode()


def findings_of(session: Session, vault: Vault, termination_id: str) -> list[FindingView]:
    """What the external findings of a case are."""
    query = select(Finding.id, Finding.size, Finding.sealed_about)
    of_case = query.where(Finding.termination_id == termination_id).order_by(Finding.added_at, Finding.id)
    return [
        FindingView(
            id=identifier,
            size=size,
            **json.loads(vault.open(place_of("termination_finding", identifier, "about"), sealed)),
        )
        for identifier, size, sealed in session.execute(of_case)
    ]


def plain_of(session: Session, vault: Vault, termination_id: str, finding_id: str) -> bytes:
    """The PDF of a finding of that case. Raises FindingNotFound."""
    row = session.get(Finding, finding_id)
    if row is None or row.termination_id != termination_id:
        raise FindingNotFound
    return vault.open(place_of("termination_finding", row.id), row.sealed)


def _enter(
    session: Session,
    actor: Actor,
    vault: Vault,
    code_id: str,
    *,
    ground: Ground,
    reason: str,
    review: str | None = None,
    now: datetime,
) -> TerminationCase:
    row = TerminationCase(
        id=secrets.token_hex(16),
        code_id=code_id,
        ground=ground,
        state=_S.PROPOSED,
        proposed_by=actor.account_id,
        proposed_for=actor.organisation_id,
        proposed_at=now,
        review_id=review,
    )
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        raise TerminationExists from None
    _step(session, vault, row, Step(_A.PROPOSED, _S.PROPOSED, actor, reason), now)
    return row


def _notify(session: Session, row: TerminationCase, actor: Actor, vault: Vault, now: datetime) -> None:
    term = deadlines.hearing(
        calendar.imported(session),
        legal_date(now),
        notice_days=deadlines.NOTICE_DAYS,
        statement_days=deadlines.STATEMENT_WORKING_DAYS,
    )
    row.statement_from, row.statement_through = term.opens_on, term.closes_on
    _move(session, vault, row, Step(_A.NOTIFIED, _S.NOTIFIED, actor), now)


def _check_ground(session: Session, row: TerminationCase) -> None:
    """The guards of Article 14 as §1.7 of the domain specification has them."""
    if row.ground is Ground.SERIOUS_MISCONDUCT:
        attached = select(exists().where(Finding.termination_id == row.id))
        if not session.scalar(attached):
            raise FindingMissing
    if row.ground is Ground.OTHER_UNSUITABLE and row.confirmed_at is None:
        raise ConfirmationMissing


def _conclude(session: Session, vault: Vault, row: TerminationCase, now: datetime) -> None:
    """What follows from the second person's decision."""
    today = legal_date(now)
    grace = timedelta(days=deadlines.GRACE_DAYS + 1 if row.ground is Ground.LEFT_AREA else 0)
    row.decided_at, row.effective_on = now, today + grace
    row.appeal_through = deadlines.appeal_closes(calendar.imported(session), today, deadlines.APPEAL_DAYS)
    row.record_id = _record(session, row, Outcome.TERMINATED, now, None)
    if row.ground is Ground.FALSE_MATERIALS:
        code = session.get_one(TalentCode, row.code_id)
        until = deadlines.years_after(today, deadlines.BAR_YEARS)
        session.add(IdentityBar(identity_digest=code.identity_digest, until=until, cause=row.id))
    if row.effective_on <= today:
        end_code(session, vault, row, now=now)
    session.flush()


def _annul(session: Session, row: TerminationCase, actor: Actor, now: datetime) -> None:
    row.annulment_record_id = _record(session, row, Outcome.ANNULLED, now, row.record_id)
    session.execute(delete(IdentityBar).where(IdentityBar.cause == row.id))
    if row.ended_at is not None:
        codes.move(session, row.code_id, CodeState.ACTIVE, by=actor.account_id, cause=row.id, now=now)
        restrictions.settle(session, row.code_id, by=None, cause=row.id, now=now)
    session.flush()


def _record(
    session: Session, row: TerminationCase, outcome: Outcome, now: datetime, reverses: str | None
) -> str:
    is_end = outcome is Outcome.TERMINATED and row.effective_on is not None
    told = TerminationDecided(
        case=row.id,
        code=row.code_id,
        ground=row.ground,
        article=row.ground.article,
        outcome=outcome,
        effective_on=row.effective_on if is_end and row.effective_on else legal_date(now),
    )
    relation = Relation.REVERSES if reverses else None
    return evidence.record(session, told, now=now, relation=relation, refers_to=reverses).id


def _require_undecided(row: TerminationCase) -> None:
    """Raises TransitionRefused once it is decided or dismissed."""
    if row.state not in {_S.PROPOSED, _S.NOTIFIED, _S.STATEMENT_OPEN}:
        TERMINATION.require(row.state, _S.DECIDED)


def _own(session: Session, actor: Actor, termination_id: str) -> TerminationCase:
    actor.require(Permission.SANCTION_OWN)
    row = held(session, termination_id)
    if session.get_one(TalentCode, row.code_id).talent_id != people.of_account(session, actor).id:
        raise TerminationNotFound
    return row


def _move(session: Session, vault: Vault | None, row: TerminationCase, step: Step, now: datetime) -> None:
    TERMINATION.require(row.state, step.after)
    row.state = step.after
    _step(session, vault, row, step, now)


def _step(session: Session, vault: Vault | None, row: TerminationCase, step: Step, now: datetime) -> None:
    taken = session.scalar(
        select(func.max(TerminationStep.number)).where(TerminationStep.termination_id == row.id)
    )
    number = (taken or 0) + 1
    sealed = None
    if vault is not None and step.said is not None:
        sealed = vault.seal(place_of("termination_step", row.id, number), step.said.encode())
    session.add(
        TerminationStep(
            termination_id=row.id,
            number=number,
            act=step.act,
            state=step.after,
            at=now,
            account_id=step.actor.account_id if step.actor else None,
            role=step.actor.role if step.actor else None,
            sealed=sealed,
        )
    )
    session.flush()
