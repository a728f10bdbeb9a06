"""Suspension cases (Article 13): opened by facts, heard, decided by a person, appealed, lifted.

The service itself only ever suspends provisionally; whatever lasts longer than 72 hours a person has decided.
A case holds its code's row first and its own next, as everybody who changes a code does.
"""

import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from sealproof.entry import Relation
from talentseal import evidence
from talentseal.accounts.roles import Actor, Permission
from talentseal.clock import legal_date
from talentseal.errors import Conflict, NotFound, NotPermitted
from talentseal.policy import calendar
from talentseal.sanctions import deadlines, restrictions, rules, terminations
from talentseal.sanctions.events import Lifting, SuspensionDecided, SuspensionLifted
from talentseal.sanctions.models import (
    CaseAct,
    CaseFact,
    CaseStep,
    Fact,
    SuspensionCase,
    SuspensionRule,
    TerminationCase,
)
from talentseal.sanctions.refusals import AppealTooLate, HearingOpen, OwnDecision, StatementTooLate
from talentseal.sanctions.schemas import Decide, Hear, RuleText, Say
from talentseal.sanctions.states import CASE, CaseState
from talentseal.sanctions.triggers import PERSONAL_USE
from talentseal.talents import people
from talentseal.talents.codes import CodeNotFound
from talentseal.talents.models import TalentCode, place_of
from talentseal.vault import Vault

_LIFTED: Final = {
    Lifting.APPEAL: CaseAct.LIFTED_ON_APPEAL,
    Lifting.TERM_OVER: CaseAct.LIFTED_BY_DATE,
    Lifting.CURED: CaseAct.LIFTED_AS_CURED,
}


class CaseNotFound(NotFound):
    code = "case-not-found"
    zh = "没有找到该案件，或您无权查看。请核对编号。"
    en = "There is no such case, or it is not yours to see; check the number."


class NotPersonalUse(Conflict):
    code = "not-personal-use"
    zh = "只有违反本人使用要求的案件可以移送终止（第十三条）。"
    en = "Only a breach of personal use is referred for termination (Article 13)."


def open_case(
    session: Session, rule: SuspensionRule, code: TalentCode, found: Sequence[Fact], *, now: datetime
) -> SuspensionCase:
    """Open a case on these facts and notify the holder; suspend at once where the rule allows that.

    code: held by the caller, so that nobody else opens one meanwhile.
    """
    text, counted = rules.text_of(rule), calendar.imported(session)
    procedure = text.procedure
    term = deadlines.hearing(
        counted,
        legal_date(now),
        notice_days=procedure.notice_days,
        statement_days=procedure.statement_days,
    )
    case = SuspensionCase(
        id=secrets.token_hex(16),
        rule_version_id=rule.id,
        code_id=code.id,
        state=CaseState.DETECTED,
        opened_at=now,
        statement_from=term.opens_on,
        statement_through=term.closes_on,
        until_cured=text.duration_days is None,
    )
    session.add(case)
    session.flush()
    take_in(session, case, found)
    _step(session, case, CaseAct.DETECTED, CaseState.DETECTED, None, now=now)
    if not procedure.provisional_allowed:
        _move(session, case, CaseAct.NOTIFIED, CaseState.NOTIFIED, None, now=now)
        return case
    case.provisional_until = now + deadlines.PROVISIONAL
    _move(session, case, CaseAct.SUSPENDED_PROVISIONALLY, CaseState.PROVISIONAL, None, now=now)
    restrictions.impose(session, case, text.scope, until=case.provisional_until, by=None, now=now)
    return case


def take_in(session: Session, case: SuspensionCase, found: Iterable[Fact]) -> None:
    """Let facts be the case's own."""
    session.add_all(
        CaseFact(fact_id=fact.id, rule_version_id=case.rule_version_id, case_id=case.id) for fact in found
    )
    session.flush()


def make_statement(
    session: Session, actor: Actor, vault: Vault, case_id: str, command: Say, *, now: datetime
) -> SuspensionCase:
    """Take the holder's statement, from the notice to the end of its term.

    Raises NotPermitted, CaseNotFound, TransitionRefused, StatementTooLate.
    """
    case = _own(session, actor, case_id)
    after = CaseState.PROVISIONAL if case.state is CaseState.PROVISIONAL else CaseState.STATEMENT_OPEN
    if case.state is not after:
        CASE.require(case.state, after)
    if legal_date(now) > case.statement_through:
        raise StatementTooLate(closes_on=case.statement_through.isoformat())
    case.stated_at, case.state = now, after
    _step(session, case, CaseAct.STATED, after, actor, vault=vault, said=command.text, now=now)
    return case


def decide(
    session: Session, actor: Actor, vault: Vault, case_id: str, command: Decide, *, now: datetime
) -> SuspensionCase:
    """Suspend or dismiss, by a person of the role that the rule charges with it; evidence 41.

    Nothing is decided against a holder who has neither been heard nor let his term pass, save while he is
    suspended provisionally, which somebody has to end or take upon himself within 72 hours.
    Raises NotPermitted, CaseNotFound, TransitionRefused, HearingOpen, CodeNotFound.
    """
    case, text = _judged(session, actor, case_id)
    if not command.grant:
        _move(
            session,
            case,
            CaseAct.DISMISSED,
            CaseState.DISMISSED,
            actor,
            vault=vault,
            said=command.reason,
            now=now,
        )
        case.decided_by, case.decided_at, case.closed_at = actor.account_id, now, now
        _end_provisional(case, now)
        restrictions.lift(session, case, by=actor.account_id, now=now)
        return case
    CASE.require(case.state, CaseState.SUSPENDED)
    is_heard = case.stated_at is not None or legal_date(now) > case.statement_through
    if case.state is not CaseState.PROVISIONAL and not is_heard:
        raise HearingOpen(closes_on=case.statement_through.isoformat())
    _suspend(session, case, text, actor, now)
    _move(
        session,
        case,
        CaseAct.SUSPENDED,
        CaseState.SUSPENDED,
        actor,
        vault=vault,
        said=command.reason,
        now=now,
    )
    return case


def appeal(
    session: Session, actor: Actor, vault: Vault, case_id: str, command: Say, *, now: datetime
) -> SuspensionCase:
    """Take the holder's appeal; what rests goes on resting.

    Raises NotPermitted, CaseNotFound, TransitionRefused, AppealTooLate.
    """
    case = _own(session, actor, case_id)
    CASE.require(case.state, CaseState.APPEALED)
    if case.appeal_through is None or legal_date(now) > case.appeal_through:
        raise AppealTooLate(closes_on=case.appeal_through.isoformat() if case.appeal_through else "")
    _move(session, case, CaseAct.APPEALED, CaseState.APPEALED, actor, vault=vault, said=command.text, now=now)
    return case


def hear(
    session: Session, actor: Actor, vault: Vault, case_id: str, command: Hear, *, now: datetime
) -> SuspensionCase:
    """Decide the appeal, by another person than whoever suspended; lifting leaves evidence 42.

    Raises NotPermitted, CaseNotFound, TransitionRefused, OwnDecision.
    """
    case, _ = _judged(session, actor, case_id)
    after = CaseState.UPHELD if command.uphold else CaseState.LIFTED
    if case.state is not CaseState.APPEALED:
        CASE.require(case.state, CaseState.UPHELD)
    if case.decided_by == actor.account_id:
        raise OwnDecision
    if after is CaseState.UPHELD:
        _move(session, case, CaseAct.UPHELD, after, actor, vault=vault, said=command.reason, now=now)
    else:
        lift(session, case, Lifting.APPEAL, actor=actor, vault=vault, said=command.reason, now=now)
    return case


def refer(
    session: Session, actor: Actor, vault: Vault, case_id: str, command: Say, *, now: datetime
) -> TerminationCase:
    """Propose to terminate the code for a repeated or grave breach of personal use (Article 13).

    Raises NotPermitted, CaseNotFound, TransitionRefused, NotPersonalUse, CodeNotFound, TerminationExists.
    """
    case, text = _judged(session, actor, case_id)
    CASE.require(case.state, CaseState.REFERRED_FOR_TERMINATION)
    if text.trigger not in PERSONAL_USE:
        raise NotPersonalUse
    _move(
        session,
        case,
        CaseAct.REFERRED,
        CaseState.REFERRED_FOR_TERMINATION,
        actor,
        vault=vault,
        said=command.text,
        now=now,
    )
    return terminations.of_referral(session, actor, vault, case, command.text, now=now)


def lift(
    session: Session,
    case: SuspensionCase,
    cause: Lifting,
    *,
    actor: Actor | None = None,
    vault: Vault | None = None,
    said: str | None = None,
    now: datetime,
) -> None:
    """End what a person had decided, with evidence 42, which resolves that of the decision.

    case: held with its code. Raises TransitionRefused.
    """
    _move(session, case, _LIFTED[cause], CaseState.LIFTED, actor, vault=vault, said=said, now=now)
    told = SuspensionLifted(case=case.id, code=case.code_id, cause=cause, on=legal_date(now))
    recorded = evidence.record(session, told, now=now, relation=Relation.RESOLVES, refers_to=case.record_id)
    case.closed_at, case.lifting_record_id = now, recorded.id
    restrictions.lift(session, case, by=actor.account_id if actor else None, now=now)


def lapse(session: Session, case: SuspensionCase, *, now: datetime) -> None:
    """End a provisional suspension that nobody has decided on; the case is heard as any other."""
    _move(session, case, CaseAct.PROVISION_LAPSED, CaseState.STATEMENT_OPEN, None, now=now)
    restrictions.lift(session, case, by=None, now=now)


def open_hearing(session: Session, case: SuspensionCase, *, now: datetime) -> None:
    """Let the term for the statement begin."""
    _move(session, case, CaseAct.HEARING_OPENED, CaseState.STATEMENT_OPEN, None, now=now)


def held(session: Session, case_id: str) -> SuspensionCase:
    """A case with its code, both held until the commit. Raises CaseNotFound."""
    code_id = session.scalar(select(SuspensionCase.code_id).where(SuspensionCase.id == case_id))
    if code_id is None:
        raise CaseNotFound
    session.get_one(TalentCode, code_id, with_for_update=True)
    return session.get_one(SuspensionCase, case_id, with_for_update=True, populate_existing=True)


_FACTS: Final = (
    select(Fact)
    .join(CaseFact, CaseFact.fact_id == Fact.id)
    .where(CaseFact.case_id == bindparam("case"))
    .order_by(Fact.occurred_at, Fact.id)
)
_STEPS: Final = select(CaseStep).where(CaseStep.case_id == bindparam("case")).order_by(CaseStep.number)


def facts_of(session: Session, case_id: str) -> list[Fact]:
    """What a case stands on, in order."""
    return list(session.scalars(_FACTS, {"case": case_id}))


def steps_of(session: Session, case_id: str) -> list[CaseStep]:
    """What has happened to a case, the first first."""
    return list(session.scalars(_STEPS, {"case": case_id}))


def said_in(vault: Vault, step: CaseStep) -> str | None:
    """What was said with a step; None when nothing was."""
    if step.sealed is None:
        return None
    return vault.open(place_of("case_step", step.case_id, step.number), step.sealed).decode()


def rule_of(session: Session, case: SuspensionCase) -> SuspensionRule:
    """The version of the rule under which it was opened."""
    return session.get_one(SuspensionRule, case.rule_version_id)


def _suspend(session: Session, case: SuspensionCase, text: RuleText, actor: Actor, now: datetime) -> None:
    """Impose what the rule says, with its evidence and the term for an appeal."""
    code, today, rule = session.get_one(TalentCode, case.code_id), legal_date(now), rule_of(session, case)
    if code.ended_at is not None:
        raise CodeNotFound
    _end_provisional(case, now)
    spent = deadlines.days_spent(case.opened_at, case.provisional_until) if case.provisional_until else 0
    maximum = text.procedure.max_total_days
    case.suspended_through = deadlines.last_day(
        today, duration=text.duration_days, maximum=maximum, spent=spent
    )
    case.appeal_through = deadlines.appeal_closes(
        calendar.imported(session), today, text.procedure.appeal_days
    )
    case.decided_by, case.decided_at = actor.account_id, now
    told = SuspensionDecided(
        case=case.id,
        code=case.code_id,
        rule=rule.rule,
        version=rule.number,
        reach=text.scope.reach,
        on=today,
        through=case.suspended_through,
    )
    case.record_id = evidence.record(session, told, now=now).id
    until = deadlines.end_of(case.suspended_through)
    restrictions.impose(session, case, text.scope, until=until, by=actor.account_id, now=now)


def _end_provisional(case: SuspensionCase, now: datetime) -> None:
    if case.provisional_until is not None and case.provisional_until > now:
        case.provisional_until = now


def _judged(session: Session, actor: Actor, case_id: str) -> tuple[SuspensionCase, RuleText]:
    """A held case and its rule, for whoever decides under it."""
    actor.require(Permission.CASE_DECIDE)
    case = held(session, case_id)
    text = rules.text_of(rule_of(session, case))
    if actor.role is not text.procedure.decider_role:
        raise NotPermitted(permission=Permission.CASE_DECIDE.value)
    return case, text


def _own(session: Session, actor: Actor, case_id: str) -> SuspensionCase:
    """A held case against the actor's own code."""
    actor.require(Permission.SANCTION_OWN)
    case = held(session, case_id)
    if session.get_one(TalentCode, case.code_id).talent_id != people.of_account(session, actor).id:
        raise CaseNotFound
    return case


def _move(
    session: Session,
    case: SuspensionCase,
    act: CaseAct,
    after: CaseState,
    actor: Actor | None,
    *,
    vault: Vault | None = None,
    said: str | None = None,
    now: datetime,
) -> None:
    CASE.require(case.state, after)
    case.state = after
    _step(session, case, act, after, actor, vault=vault, said=said, now=now)


def _step(
    session: Session,
    case: SuspensionCase,
    act: CaseAct,
    after: CaseState,
    actor: Actor | None,
    *,
    vault: Vault | None = None,
    said: str | None = None,
    now: datetime,
) -> None:
    taken = session.scalar(select(func.max(CaseStep.number)).where(CaseStep.case_id == case.id))
    number = (taken or 0) + 1
    sealed = None
    if vault is not None and said is not None:
        sealed = vault.seal(place_of("case_step", case.id, number), said.encode())
    session.add(
        CaseStep(
            case_id=case.id,
            number=number,
            act=act,
            state=after,
            at=now,
            account_id=actor.account_id if actor else None,
            role=actor.role if actor else None,
            sealed=sealed,
        )
    )
    session.flush()
