"""Complaints: filed by a talent, answered by the organisation, contested once, decided by the talent office.

A refusal of service is evidence at once (kind 32) and is accepted by the talent office alone, which thereby
alleges a breach; everything else is accepted by the organisation itself.
"""

import secrets
from datetime import datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from talentseal import evidence
from talentseal.accounts.models import Account, Organisation
from talentseal.accounts.roles import PERMISSIONS, Actor, Permission, Role
from talentseal.agreements import duties, reading
from talentseal.agreements.duties import Occurrence, StipulationNotFound
from talentseal.agreements.duty_states import BreachSource
from talentseal.agreements.models import AgreementVersion, Stipulation
from talentseal.benefits.models import Benefit, BenefitVersion
from talentseal.clock import legal_date
from talentseal.complaints import terms
from talentseal.complaints.events import ServiceRefused
from talentseal.complaints.models import Complaint, ComplaintStep
from talentseal.complaints.schemas import DecideComplaint, FileComplaint, Say
from talentseal.complaints.states import (
    COMPLAINT,
    DISPUTED,
    UNANSWERED,
    ComplaintAct,
    ComplaintKind,
    ComplaintState,
)
from talentseal.errors import Conflict, Invalid, NotFound, NotPermitted
from talentseal.policy import calendar
from talentseal.redemptions import disputing
from talentseal.redemptions.models import Redemption
from talentseal.talents import people
from talentseal.talents.models import place_of
from talentseal.vault import Vault

ANSWERING: Final = frozenset(role for role in Role if Permission.COMPLAINT_ANSWER in PERMISSIONS[role])
"""Roles whose organisations can be complained of: somebody there can answer."""


class ComplaintNotFound(NotFound):
    code = "complaint-not-found"
    zh = "没有找到该投诉，或您无权查看。请核对编号。"
    en = "There is no such complaint, or it is not yours to see; check the number."


class NobodyAnswers(NotFound):
    code = "nobody-answers"
    zh = "没有该单位，或它不受理人才的投诉。请从列出的单位中选择。"
    en = "There is no such organisation, or none of its people answers complaints; choose one of the list."


class RedemptionNotOwn(NotFound):
    code = "redemption-not-own"
    zh = "没有找到您在该单位的这一次使用。请从自己的凭证进入，或不填。"
    en = "You have no such use of a benefit there; come from your own receipt, or leave it out."


class BenefitNotOffered(NotFound):
    code = "benefit-not-offered"
    zh = "该单位没有这一项权益。请核对，或不填。"
    en = "The organisation offers no such benefit; check it, or leave it out."


class UseUnnamed(Invalid):
    code = "use-unnamed"
    zh = "回执与实际不符的投诉，须指明是哪一次使用。请从自己的凭证进入。"
    en = "A complaint that a receipt is wrong has to name the use; come from your own receipt."


class PromiseForeign(Conflict):
    code = "promise-foreign"
    zh = "这一条约定不是该单位的义务。请从列出的承诺中选择，或不填。"
    en = "That stipulation is not the organisation's duty; choose one of those listed, or leave it out."


class OfficeAccepts(Conflict):
    code = "office-accepts"
    zh = "拒绝服务的投诉由人才办受理。受理后再请贵单位答复。"
    en = "The talent office accepts complaints of refused service; you are asked to answer after that."


class NothingToDecide(Conflict):
    code = "nothing-to-decide"
    zh = "人才办没有在处理这件投诉，无须补充说明。请按现状答复或等待。"
    en = "The talent office has nothing to decide here now; answer the complaint, or wait."


class AnswerAwaited(Conflict):
    code = "answer-awaited"
    zh = "还不能提交人才办：单位仍在答复时限内，或投诉正待人才办受理。逾期未答复的，可以提交。"
    en = "Not yet: the time to answer runs, or the office has yet to accept; try once the answer is late."


def file(session: Session, actor: Actor, vault: Vault, command: FileComplaint, *, now: datetime) -> Complaint:
    """Take a talent's complaint; a refusal of service leaves evidence 32 at once.

    That a receipt is wrong puts its redemption in dispute.

    Raises NotPermitted, NobodyAnswers, RedemptionNotOwn, UseUnnamed, BenefitNotOffered, StipulationNotFound,
    PromiseForeign, StipulationNotOwed, TransitionRefused.
    """
    actor.require(Permission.COMPLAINT_OWN)
    talent = people.of_account(session, actor)
    if not answers(session, command.organisation):
        raise NobodyAnswers
    redemption = _own_redemption(session, talent.id, command)
    if command.kind is ComplaintKind.WRONG_RECEIPT:
        if redemption is None:
            raise UseUnnamed
        disputing.dispute(session, redemption.id)
    benefit = _benefit(session, command, redemption)
    promise = _promise(session, command, redemption, benefit, now)
    complaint = Complaint(
        id=secrets.token_hex(16),
        talent_id=talent.id,
        organisation_id=command.organisation,
        kind=command.kind,
        state=ComplaintState.FILED,
        redemption_id=command.redemption,
        benefit_version_id=benefit.id if benefit else None,
        stipulation_id=promise.id if promise else None,
        filed_at=now,
        answer_due=now + terms.ANSWER,
    )
    if command.kind is ComplaintKind.SERVICE_REFUSED:
        told = ServiceRefused(complaint.id, complaint.organisation_id, legal_date(now))
        complaint.refusal_record_id = evidence.record(session, told, now=now).id
    session.add(complaint)
    session.flush()
    _step(session, complaint, ComplaintAct.FILED, actor, vault=vault, said=command.text, now=now)
    return complaint


def accept(session: Session, actor: Actor, complaint_id: str, *, now: datetime) -> Complaint:
    """Accept a complaint: the organisation itself, or the talent office, which accepts refusals of service.

    With a refusal the office alleges a breach of the promise it is measured by, and the time for the answer
    begins. Raises NotPermitted, ComplaintNotFound, OfficeAccepts, TransitionRefused.
    """
    office = actor.may(Permission.COMPLAINT_DECIDE)
    complaint = _judged(session, actor, complaint_id) if office else _answered(session, actor, complaint_id)
    COMPLAINT.require(complaint.state, ComplaintState.ACCEPTED)
    if complaint.kind is ComplaintKind.SERVICE_REFUSED:
        if not office:
            raise OfficeAccepts
        complaint.answer_due = now + terms.ANSWER
        _allege(session, complaint, actor, now=now)
    _move(session, complaint, ComplaintAct.ACCEPTED, ComplaintState.ACCEPTED, actor, now=now)
    return complaint


def process(session: Session, actor: Actor, complaint_id: str, *, now: datetime) -> Complaint:
    """Say that the organisation is looking into it.

    Raises NotPermitted, ComplaintNotFound, TransitionRefused.
    """
    complaint = _answered(session, actor, complaint_id)
    _move(session, complaint, ComplaintAct.PROCESSING, ComplaintState.PROCESSING, actor, now=now)
    return complaint


def answer(
    session: Session, actor: Actor, vault: Vault, complaint_id: str, command: Say, *, now: datetime
) -> Complaint:
    """Answer; an answer after its time is still one, and that it was late is noted.

    Raises NotPermitted, ComplaintNotFound, TransitionRefused.
    """
    complaint = _answered(session, actor, complaint_id)
    COMPLAINT.require(complaint.state, ComplaintState.ANSWERED)
    if now > complaint.answer_due:
        note_missed(session, complaint, now=now)
    act, after = ComplaintAct.ANSWERED, ComplaintState.ANSWERED
    _move(session, complaint, act, after, actor, vault=vault, said=command.text, now=now)
    complaint.answered_at = now
    return complaint


def close(session: Session, actor: Actor, complaint_id: str, *, now: datetime) -> Complaint:
    """Be content with the answer. Raises NotPermitted, ComplaintNotFound, TransitionRefused."""
    complaint = _own(session, actor, complaint_id)
    _move(session, complaint, ComplaintAct.CLOSED, ComplaintState.CLOSED, actor, now=now)
    complaint.closed_at = now
    _let_stand(session, complaint)
    return complaint


def reopen(
    session: Session, actor: Actor, vault: Vault, complaint_id: str, command: Say, *, now: datetime
) -> Complaint:
    """Contest the answer, or that none came in time, once; the talent office has five working days from then.

    Raises NotPermitted, ComplaintNotFound, AnswerAwaited, TransitionRefused.
    """
    complaint = _own(session, actor, complaint_id)
    if complaint.state in UNANSWERED:
        unaccepted = (complaint.kind, complaint.state) == (
            ComplaintKind.SERVICE_REFUSED,
            ComplaintState.FILED,
        )
        if unaccepted or now <= complaint.answer_due:
            raise AnswerAwaited
        note_missed(session, complaint, now=now)
    act, after = ComplaintAct.REOPENED, ComplaintState.REOPENED
    _move(session, complaint, act, after, actor, vault=vault, said=command.text, now=now)
    complaint.reopened_at = now
    complaint.decide_through = terms.decide_through(calendar.imported(session), legal_date(now))
    return complaint


def state_side(
    session: Session, actor: Actor, vault: Vault, complaint_id: str, command: Say, *, now: datetime
) -> Complaint:
    """Say something for the organisation while the talent office has yet to decide; the state stays.

    Raises NotPermitted, ComplaintNotFound, NothingToDecide.
    """
    complaint = _answered(session, actor, complaint_id)
    if complaint.state not in DISPUTED:
        raise NothingToDecide
    _step(session, complaint, ComplaintAct.STATED, actor, vault=vault, said=command.text, now=now)
    return complaint


def escalate(session: Session, actor: Actor, complaint_id: str, *, now: datetime) -> Complaint:
    """Take up a reopened complaint, as the talent office.

    Raises NotPermitted, ComplaintNotFound, TransitionRefused.
    """
    complaint = _judged(session, actor, complaint_id)
    _move(session, complaint, ComplaintAct.ESCALATED, ComplaintState.ESCALATED, actor, now=now)
    return complaint


def decide(
    session: Session,
    actor: Actor,
    vault: Vault,
    complaint_id: str,
    command: DecideComplaint,
    *,
    now: datetime,
) -> Complaint:
    """Uphold, which alleges a breach of the promise it is measured by and reverses what is in dispute, or
    dismiss.

    Raises NotPermitted, ComplaintNotFound, TransitionRefused.
    """
    complaint = _judged(session, actor, complaint_id)
    act = ComplaintAct.UPHELD if command.uphold else ComplaintAct.DISMISSED
    _move(session, complaint, act, ComplaintState.DECIDED, actor, vault=vault, said=command.reason, now=now)
    complaint.upheld, complaint.closed_at = command.uphold, now
    if not command.uphold:
        _let_stand(session, complaint)
        return complaint
    _allege(session, complaint, actor, now=now)
    if denied := _denied(complaint):
        disputing.undo_rest(session, actor, denied, now=now)
    return complaint


def note_missed(session: Session, complaint: Complaint, *, now: datetime) -> bool:
    """Note once that no answer came in time, and allege that where a promise is named; whether it was new.

    complaint: held by the caller.
    """
    if complaint.missed_at is not None:
        return False
    complaint.missed_at = now
    _step(session, complaint, ComplaintAct.TIME_MISSED, None, now=now)
    if complaint.stipulation_id is not None:
        named = f"complaint/{complaint.id}/answer"
        occurrence = Occurrence(
            complaint.stipulation_id, complaint.organisation_id, BreachSource.MEASURED, named
        )
        duties.raise_breach(session, occurrence, None, now=now)
    return True


def close_by_date(session: Session, complaint: Complaint, *, now: datetime) -> None:
    """Close an answered complaint that was not contested. complaint: held by the caller."""
    _move(session, complaint, ComplaintAct.CLOSED_BY_DATE, ComplaintState.CLOSED, None, now=now)
    complaint.closed_at = now
    _let_stand(session, complaint)


def kinds(*, of_a_use: bool) -> list[ComplaintKind]:
    """What a complaint can be about: that a receipt is wrong only when it names a use."""
    return [each for each in ComplaintKind if of_a_use or each is not ComplaintKind.WRONG_RECEIPT]


def answers(session: Session, organisation_id: str) -> bool:
    """Whether somebody of the organisation can answer a complaint."""
    query = select(Account.id).where(Account.organisation_id == organisation_id, Account.role.in_(ANSWERING))
    return session.scalar(query.limit(1)) is not None


def targets(session: Session) -> list[Organisation]:
    """The organisations that can be complained of, by name."""
    answering = select(Account.organisation_id).where(Account.role.in_(ANSWERING))
    query = select(Organisation).where(Organisation.id.in_(answering)).order_by(Organisation.name)
    return list(session.scalars(query))


def held(session: Session, complaint_id: str) -> Complaint:
    """A complaint, held until the commit. Raises ComplaintNotFound."""
    query = select(Complaint).where(Complaint.id == complaint_id).with_for_update()
    row = session.scalars(query, execution_options={"populate_existing": True}).one_or_none()
    if row is None:
        raise ComplaintNotFound
    return row


def reference_of(complaint_id: str) -> str:
    """By what an allegation names the complaint that it came of."""
    return f"complaint/{complaint_id}"


def steps_of(session: Session, complaint_id: str) -> list[ComplaintStep]:
    """What has happened to a complaint, the first first."""
    query = select(ComplaintStep).where(ComplaintStep.complaint_id == complaint_id)
    return list(session.scalars(query.order_by(ComplaintStep.number)))


def said_in(vault: Vault, step: ComplaintStep) -> str | None:
    """What was said with a step; None when nothing was."""
    if step.sealed is None:
        return None
    return vault.open(place_of("complaint_step", step.complaint_id, step.number), step.sealed).decode()


def _own_redemption(session: Session, talent_id: str, command: FileComplaint) -> Redemption | None:
    if command.redemption is None:
        return None
    row = session.get(Redemption, command.redemption)
    if row is None or (row.talent_id, row.organisation_id) != (talent_id, command.organisation):
        raise RedemptionNotOwn
    return row


def _benefit(
    session: Session, command: FileComplaint, redemption: Redemption | None
) -> BenefitVersion | None:
    """The benefit that it is about: the redemption's, or the one that was named."""
    if redemption is not None:
        return session.get_one(BenefitVersion, redemption.version_id)
    if command.benefit is None:
        return None
    row = session.get(BenefitVersion, command.benefit)
    if row is None or session.get_one(Benefit, row.benefit_id).organisation_id != command.organisation:
        raise BenefitNotOffered
    return row


def _promise(
    session: Session,
    command: FileComplaint,
    redemption: Redemption | None,
    benefit: BenefitVersion | None,
    now: datetime,
) -> Stipulation | None:
    """The stipulation it is measured by: the one that was named, or the benefit's."""
    if command.stipulation is None:
        return _promise_of(session, redemption, benefit, now)
    row = session.get(Stipulation, command.stipulation)
    if row is None or row.record_id is None:
        raise StipulationNotFound
    if duties.duty_holder(row) != command.organisation:
        raise PromiseForeign
    duties.require_owed(session, session.get_one(AgreementVersion, row.version_id), now=now)
    return row


def _promise_of(
    session: Session, redemption: Redemption | None, benefit: BenefitVersion | None, now: datetime
) -> Stipulation | None:
    """The stipulation behind a benefit, in the version that the redemption was made under, or of now."""
    if benefit is None or benefit.agreement_id is None or benefit.stipulation_position is None:
        return None
    version_id = redemption.agreement_version_id if redemption else None
    if version_id is None:
        version = reading.in_force(session, benefit.agreement_id, now=now)
        version_id = version.id if version else None
    query = select(Stipulation).where(
        Stipulation.version_id == version_id,
        Stipulation.position == benefit.stipulation_position,
        Stipulation.record_id.is_not(None),
    )
    return session.scalars(query).one_or_none()


def _allege(session: Session, complaint: Complaint, actor: Actor, *, now: datetime) -> None:
    """Allege what the complaint says, once, where a promise is named."""
    if complaint.stipulation_id is None:
        return
    named = reference_of(complaint.id)
    occurrence = Occurrence(
        complaint.stipulation_id, complaint.organisation_id, BreachSource.COMPLAINT, named
    )
    duties.raise_breach(session, occurrence, actor, now=now)


def _let_stand(session: Session, complaint: Complaint) -> None:
    """What the complaint put in dispute is so no more."""
    if denied := _denied(complaint):
        disputing.let_stand(session, denied)


def _denied(complaint: Complaint) -> str | None:
    """The use whose receipt is said to be wrong; None for any other complaint."""
    return complaint.redemption_id if complaint.kind is ComplaintKind.WRONG_RECEIPT else None


def _own(session: Session, actor: Actor, complaint_id: str) -> Complaint:
    """A held complaint of the actor himself."""
    actor.require(Permission.COMPLAINT_OWN)
    complaint = held(session, complaint_id)
    if complaint.talent_id != people.of_account(session, actor).id:
        raise ComplaintNotFound
    return complaint


def _answered(session: Session, actor: Actor, complaint_id: str) -> Complaint:
    """A held complaint against the actor's organisation."""
    if not actor.may(Permission.COMPLAINT_ANSWER):
        raise NotPermitted(permission=Permission.COMPLAINT_ANSWER.value)
    complaint = held(session, complaint_id)
    if complaint.organisation_id != actor.organisation_id:
        raise ComplaintNotFound
    return complaint


def _judged(session: Session, actor: Actor, complaint_id: str) -> Complaint:
    """A held complaint, for the talent office."""
    actor.require(Permission.COMPLAINT_DECIDE)
    return held(session, complaint_id)


def _move(
    session: Session,
    complaint: Complaint,
    act: ComplaintAct,
    after: ComplaintState,
    actor: Actor | None,
    *,
    vault: Vault | None = None,
    said: str | None = None,
    now: datetime,
) -> None:
    COMPLAINT.require(complaint.state, after)
    complaint.state = after
    _step(session, complaint, act, actor, vault=vault, said=said, now=now)


def _step(
    session: Session,
    complaint: Complaint,
    act: ComplaintAct,
    actor: Actor | None,
    *,
    vault: Vault | None = None,
    said: str | None = None,
    now: datetime,
) -> None:
    mine = ComplaintStep.complaint_id == complaint.id
    number, sealed = (session.scalar(select(func.max(ComplaintStep.number)).where(mine)) or 0) + 1, None
    if vault is not None and said is not None:
        sealed = vault.seal(place_of("complaint_step", complaint.id, number), said.encode())
    session.add(
        ComplaintStep(
            complaint_id=complaint.id,
            number=number,
            act=act,
            state=complaint.state,
            at=now,
            account_id=actor.account_id if actor else None,
            role=actor.role if actor else None,
            sealed=sealed,
        )
    )
    session.flush()
