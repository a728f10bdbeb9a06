"""Acts on instruments: drafting, deciding step by step, entering what was issued elsewhere, interpreting."""

import json
import secrets
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from talentseal import evidence
from talentseal.accounts.roles import Actor, Permission
from talentseal.clock import legal_date
from talentseal.errors import Conflict, Invalid, NotFound
from talentseal.policy import reading
from talentseal.policy.events import InstrumentInForce, InterpretationIssued
from talentseal.policy.models import (
    InstrumentAct,
    InstrumentArticle,
    InstrumentBasis,
    InstrumentVersion,
    Interpretation,
)
from talentseal.policy.reading import Known, Version
from talentseal.policy.schemas import Decide, DraftVersion, EnterVersion, ProposeInterpretation
from talentseal.policy.states import InstrumentState, Step, Turn, end_of, turns_until

AnyVersion = InstrumentVersion | Version
"""One that is written, or one that was read."""


class VersionExists(Conflict):
    code = "instrument-version-exists"
    zh = "同一文本已在册，或者另有人刚起草了新的版本。请刷新核对。"
    en = "The same text is there already, or someone else has just drafted a version; reload and look."


class DocumentNumberTaken(Conflict):
    code = "document-number-taken"
    zh = "文号 {document_number} 已用于另一文本或另一日期。请核对文号与内容。"
    en = "The document number {document_number} stands on another text or date; check both."


class StepRefused(Conflict):
    code = "instrument-step-refused"
    zh = "该版本现为 {state}，不能办理 {step}。请刷新后重试。"
    en = "The version is {state}, from where {step} does not follow; reload and decide again."


class OwnProposal(Conflict):
    code = "own-proposal"
    zh = "提出者和上一环节的经办人不能再作决定，请由另一账户办理。"
    en = "Whoever proposed it or took an earlier step cannot decide; another account must."


class NotLater(Conflict):
    code = "instrument-not-later"
    zh = "新版本应在已印发的版本之后生效（{latest}）。请先办理较早的版本，或改定生效日期。"
    en = "A version has to take effect after those issued already ({latest}); change its first day."


class TooLate(Invalid):
    code = "instrument-too-late"
    zh = "生效日期 {effective_from} 早于印发日期 {issued_on}。请重新拟定日期。"
    en = (
        "Its first day, {effective_from}, lies before the day of issue, {issued_on}; draft it with new dates."
    )


class IssuedAhead(Invalid):
    code = "instrument-issued-ahead"
    zh = "印发日期 {issued_on} 尚未到来。"
    en = "The day of issue, {issued_on}, is still to come."


class RepealRefused(Invalid):
    code = "repeal-day-refused"
    zh = "废止后的最后有效日应在今日（{today}）或以后，且早于 {ends_on} 的前一日。"
    en = "The last day has to be today ({today}) or later, and before the day that precedes {ends_on}."


class ArticleNotFound(NotFound):
    code = "article-not-found"
    zh = "该版本没有第 {article} 条。请核对条号。"
    en = "The version has no article {article}; check the number."


class InterpretationExists(Conflict):
    code = "interpretation-exists"
    zh = "关于该条的同一问题已在册。请刷新核对。"
    en = "The same question about this article is there already; reload and look."


class InterpretationNotFound(NotFound):
    code = "interpretation-not-found"
    zh = "没有编号为 {interpretation} 的解释。请核对编号。"
    en = "There is no interpretation {interpretation}; check the number."


class InterpretationRefused(Conflict):
    code = "interpretation-refused"
    zh = "该解释已经发布，或其所属版本尚未印发。请刷新后重试。"
    en = "The interpretation is issued already, or its version is not; reload and decide again."


_DECISIONS: Final[Mapping[Step, tuple[Permission, InstrumentState]]] = {
    Step.PASSED: (Permission.INSTRUMENT_ADOPT, InstrumentState.DRAFT),
    Step.APPROVED: (Permission.INSTRUMENT_APPROVE, InstrumentState.JOINT_MEETING_PASSED),
    Step.ISSUED: (Permission.INSTRUMENT_ISSUE, InstrumentState.APPROVED),
    Step.REPEALED: (Permission.INSTRUMENT_REPEAL, InstrumentState.IN_FORCE),
}
"""Who takes each step, and from where."""

_PROPOSING: Final = (Step.PASSED, Step.APPROVED)


def draft(session: Session, actor: Actor, command: DraftVersion, *, now: datetime) -> InstrumentVersion:
    """Enter the next version's text. Raises NotPermitted, VersionExists."""
    actor.require(Permission.INSTRUMENT_DRAFT)
    return _insert(session, actor, command, _locked(session, command.instrument), now=now)


def decide(
    session: Session, actor: Actor, instrument: str, number: int, command: Decide, *, now: datetime
) -> InstrumentAct:
    """Take a version a step further, or repeal it, with its evidence.

    Raises NotPermitted, VersionNotFound, StepRefused, OwnProposal; when issuing NotLater, TooLate and
    DocumentNumberTaken; when repealing RepealRefused.
    """
    permission, expected = _DECISIONS[command.step]
    actor.require(permission)
    _locked(session, instrument)
    found, today = reading.known(session, instrument, number), legal_date(now)
    if (state := found.state(today)) is not expected or command.step in found.acts:
        raise StepRefused(state=state.value, step=command.step.value)
    if command.step is not Step.REPEALED and actor.account_id in _proposers(found):
        raise OwnProposal
    if command.step is Step.ISSUED:
        _check_dates(session, found.row, today)
    on = today if command.last_day is None else _after(command.last_day, found, today)
    act = _act(found.row, Turn(command.step, on), actor, command.reference, now, reason=command.reason)
    return _carry(session, found.row, act)


def enter(
    session: Session, actor: Actor, command: EnterVersion, *, now: datetime
) -> tuple[InstrumentVersion, bool]:
    """Enter a version issued outside this system; the same once more changes nothing.

    Answers whether it is new. Raises NotPermitted, IssuedAhead, NotLater, TooLate, DocumentNumberTaken,
    VersionExists, ArticleNotFound.
    """
    actor.require(Permission.INSTRUMENT_ENTER)
    if command.issued_on > legal_date(now):
        raise IssuedAhead(issued_on=command.issued_on.isoformat())
    rows = _locked(session, command.instrument)
    same = [row for row in rows if row.text_sha256 == command.text_sha256(command.instrument)]
    if same:
        row = _as_entered(session, same[0], command)
    else:
        row = _insert(session, actor, command, rows, now=now)
        _check_dates(session, row, command.issued_on)
        turn = Turn(Step.ENTERED, command.issued_on)
        _carry(session, row, _act(row, turn, actor, command.document_number, now))
    for proposal in command.interpretations:
        if not _is_proposed(session, row, proposal):
            _propose(session, actor, row, proposal, now=now)
    return row, not same


def _as_entered(session: Session, row: InstrumentVersion, command: EnterVersion) -> InstrumentVersion:
    """The version, if it was entered with the same number and date."""
    act = session.get(InstrumentAct, (row.id, Step.ENTERED))
    if act is None:
        raise VersionExists
    if (act.reference, act.on) != (command.document_number, command.issued_on):
        raise DocumentNumberTaken(document_number=command.document_number)
    return row


def propose_interpretation(
    session: Session,
    actor: Actor,
    instrument: str,
    number: int,
    command: ProposeInterpretation,
    *,
    now: datetime,
) -> Interpretation:
    """Propose what an article means. Raises NotPermitted, VersionNotFound, ArticleNotFound,
    InterpretationExists.
    """
    actor.require(Permission.INTERPRETATION_PROPOSE)
    return _propose(session, actor, reading.known(session, instrument, number).row, command, now=now)


def issue_interpretation(
    session: Session, actor: Actor, instrument: str, number: int, interpretation: str, *, now: datetime
) -> Interpretation:
    """Issue a proposed interpretation of an issued version, with its evidence.

    Raises NotPermitted, VersionNotFound, InterpretationNotFound, InterpretationRefused, OwnProposal.
    """
    actor.require(Permission.INTERPRETATION_ISSUE)
    found = reading.known(session, instrument, number)
    row = session.get(Interpretation, interpretation, with_for_update=True)
    if row is None or row.version_id != found.row.id:
        raise InterpretationNotFound(interpretation=interpretation)
    if row.issued_at is not None or found.issue is None:
        raise InterpretationRefused
    if row.proposed_by == actor.account_id:
        raise OwnProposal
    said = InterpretationIssued(instrument, number, row.article, row.question, row.answer, row.valid_from)
    recorded = evidence.record(session, said, now=now)
    row.issued_by, row.issued_at, row.record_id = actor.account_id, now, recorded.id
    session.flush()
    return row


def is_public_record(session: Session, record_id: str) -> bool:
    """Whether a record is about an instrument or its interpretation: the law is for everyone to read."""
    act = select(InstrumentAct.record_id).where(InstrumentAct.record_id == record_id)
    meant = select(Interpretation.record_id).where(Interpretation.record_id == record_id)
    return session.scalar(act.union_all(meant).limit(1)) is not None


def apply_day(session: Session, day: date, now: datetime) -> int:
    """Leave the evidence of what the date has brought by `day`: into force, expired, superseded, once each.

    Answers how many were new. May be repeated, for any day, in any order, by several at once.
    """
    due = [
        (found.row, turn)
        for found in reading.book(session)
        for turn in turns_until(found.facts, day)
        if turn.step not in found.acts
    ]
    return sum(_bring(session, row, turn, now) for row, turn in due)


def _bring(session: Session, row: AnyVersion, turn: Turn, now: datetime) -> bool:
    try:
        with session.begin_nested():
            _carry(session, row, _act(row, turn, None, None, now))
    except IntegrityError:
        return False  # another worker has left it meanwhile, and with this savepoint goes what we left
    return True


def _locked(session: Session, instrument: str) -> list[InstrumentVersion]:
    """The versions of an instrument, held until the commit: its dates are decided on one at a time."""
    query = select(InstrumentVersion).where(InstrumentVersion.instrument == instrument)
    return list(session.scalars(query.order_by(InstrumentVersion.number).with_for_update()))


def _insert(
    session: Session, actor: Actor, command: DraftVersion, before: list[InstrumentVersion], *, now: datetime
) -> InstrumentVersion:
    row = InstrumentVersion(
        id=secrets.token_hex(16),
        instrument=command.instrument,
        number=max((each.number for each in before), default=0) + 1,
        title=command.title,
        issuer=command.issuer,
        effective_from=command.effective_from,
        valid_through=command.valid_through,
        legal_basis=json.dumps(command.legal_basis, ensure_ascii=False),
        text_sha256=command.text_sha256(command.instrument),
        drafted_by=actor.account_id,
        drafted_at=now,
    )
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        raise VersionExists from None
    _insert_articles(session, row, command)
    return row


def _insert_articles(session: Session, row: InstrumentVersion, command: DraftVersion) -> None:
    session.add_all(
        InstrumentArticle(
            version_id=row.id, number=each.number, chapter=each.chapter, text=each.text, gloss=each.gloss
        )
        for each in command.articles
    )
    session.flush()
    session.add_all(
        InstrumentBasis(version_id=row.id, deed=deed, article=each.number)
        for each in command.articles
        for deed in each.deeds
    )
    session.flush()


def _proposers(found: Known) -> set[str | None]:
    """Who drafted it or took a step towards its issue."""
    steps = (found.acts[step].account_id for step in _PROPOSING if step in found.acts)
    return {found.row.drafted_by, *steps}


def _check_dates(session: Session, row: AnyVersion, issued_on: date) -> None:
    """Refuse what would take effect before its issue, or before a version issued already."""
    if row.effective_from < issued_on:
        raise TooLate(effective_from=row.effective_from.isoformat(), issued_on=issued_on.isoformat())
    others = (each for each in reading.book(session, row.instrument) if each.issue and each.row.id != row.id)
    latest = max((each.row.effective_from for each in others), default=None)
    if latest is not None and row.effective_from <= latest:
        raise NotLater(latest=latest.isoformat())


def _after(last_day: date, found: Known, today: date) -> date:
    """The first day out of force of a repeal, which has to shorten what is left."""
    ends_on, gone = end_of(found.facts).on, last_day + timedelta(days=1)
    if not today <= last_day < ends_on - timedelta(days=1):
        raise RepealRefused(today=today.isoformat(), ends_on=ends_on.isoformat())
    return gone


def _act(
    row: AnyVersion,
    turn: Turn,
    actor: Actor | None,
    reference: str | None,
    now: datetime,
    *,
    reason: str | None = None,
) -> InstrumentAct:
    return InstrumentAct(
        version_id=row.id,
        step=turn.step,
        on=turn.on,
        reference=reference,
        reason=reason,
        account_id=actor.account_id if actor else None,
        organisation_id=actor.organisation_id if actor else None,
        role=actor.role if actor else None,
        at=now,
    )


def _carry(session: Session, row: AnyVersion, act: InstrumentAct) -> InstrumentAct:
    """Leave the act with its evidence. Raises DocumentNumberTaken, IntegrityError for a step taken before."""
    told = InstrumentInForce(
        row.instrument,
        row.number,
        act.step,
        act.on,
        row.text_sha256,
        row.effective_from,
        row.valid_through,
        act.reference,
        act.role,
    )
    act.record_id = evidence.record(session, told, now=act.at).id
    try:
        with session.begin_nested():
            session.add(act)
    except IntegrityError:
        if act.step in {Step.ISSUED, Step.ENTERED} and act.reference is not None:
            raise DocumentNumberTaken(document_number=act.reference) from None
        raise
    return act


def _is_proposed(session: Session, row: InstrumentVersion, command: ProposeInterpretation) -> bool:
    same = select(Interpretation.id).where(
        Interpretation.version_id == row.id,
        Interpretation.article == command.article,
        Interpretation.question == command.question,
    )
    return session.scalar(same) is not None


def _propose(
    session: Session,
    actor: Actor,
    row: AnyVersion,
    command: ProposeInterpretation,
    *,
    now: datetime,
) -> Interpretation:
    if session.get(InstrumentArticle, (row.id, command.article)) is None:
        raise ArticleNotFound(article=command.article)
    proposal = Interpretation(
        id=secrets.token_hex(16),
        version_id=row.id,
        proposed_by=actor.account_id,
        proposed_at=now,
        **command.model_dump(),
    )
    try:
        with session.begin_nested():
            session.add(proposal)
    except IntegrityError:
        raise InterpretationExists from None
    return proposal
