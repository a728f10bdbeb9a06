"""Corrections (PIPL Art. 46): asked for with proof, decided by the office; a wrong record is struck."""

import json
import secrets
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from talentseal.accounts.roles import Actor, Permission
from talentseal.clock import legal_date
from talentseal.errors import Conflict, NotFound
from talentseal.policy import calendar
from talentseal.states import Transitions
from talentseal.talents import attempts, fields, papers, people
from talentseal.talents.codes import CodeExists
from talentseal.talents.models import (
    AccessPurpose,
    TalentCode,
    TierChange,
    place_of,
)
from talentseal.talents.privacy_models import TalentCorrection, TalentPaper, WishState
from talentseal.talents.privacy_schemas import (
    ORGANISATION_GROUPS,
    AskCorrection,
    CorrectionView,
    DecideWish,
    OfficeCorrection,
)
from talentseal.talents.schemas import Basic
from talentseal.vault import Vault

ANSWER_WORKING_DAYS: Final = 15
"""The office's time for a wish of a person about his data."""

WISHES: Final = Transitions(
    {
        WishState.ASKED: frozenset({WishState.GRANTED, WishState.REFUSED, WishState.WITHDRAWN}),
        WishState.GRANTED: frozenset(),
        WishState.REFUSED: frozenset(),
        WishState.WITHDRAWN: frozenset(),
    }
)

CorrectRecord = Callable[[Session, Actor, str, datetime], str]
"""Records (kind 80) that a record was wrong: session, actor, its number, now; answers the new number."""


class CorrectionNotFound(NotFound):
    code = "correction-not-found"
    zh = "没有找到该更正申请，或您无权查看。请核对编号。"
    en = "There is no such correction, or it is not yours to see; check the number."


class CorrectionUnderWay(Conflict):
    code = "correction-under-way"
    zh = "此类信息已有一份更正申请正在办理。请等待答复，或先撤回。"
    en = "A correction of this group is under way; wait for the answer, or withdraw it first."


class RecordNotYours(NotFound):
    code = "record-not-yours"
    zh = "没有找到这一存证记录，或它不是您的层次变更记录。请从列表中选择。"
    en = "There is no such record, or it is no tier change of yours; choose one of the list."


def ask(
    session: Session,
    actor: Actor,
    vault: Vault,
    command: AskCorrection,
    *,
    proofs: Sequence[bytes] = (),
    now: datetime,
) -> TalentCorrection:
    """Ask for a correction; proofs: documents. The office has ANSWER_WORKING_DAYS.

    Raises NotPermitted, RecordNotYours, CorrectionUnderWay, DocumentRefused.
    """
    talent = people.of_account(session, actor)
    if command.record is not None and command.record not in records_of(session, talent.id):
        raise RecordNotYours
    identifier = secrets.token_hex(16)
    row = TalentCorrection(
        id=identifier,
        talent_id=talent.id,
        group=command.group,
        state=WishState.ASKED,
        sealed=_sealed(vault, identifier, {"values": command.values, "explanation": command.explanation}),
        asked_at=now,
        due_on=calendar.working_days_after(session, legal_date(now), ANSWER_WORKING_DAYS).day,
        record_id=command.record,
    )
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        raise CorrectionUnderWay from None
    papers.add(session, vault, talent.id, proofs, correction_id=row.id, now=now)
    return row


def withdraw(session: Session, actor: Actor, correction_id: str, *, now: datetime) -> TalentCorrection:
    """Take one's wish back. Raises NotPermitted, CorrectionNotFound, TransitionRefused."""
    row = _held(session, actor, correction_id, of=people.of_account(session, actor).id)
    WISHES.require(row.state, WishState.WITHDRAWN)
    row.state, row.decided_at = WishState.WITHDRAWN, now
    session.flush()
    return row


def decide(
    session: Session,
    actor: Actor,
    vault: Vault,
    correction_id: str,
    command: DecideWish,
    *,
    correct_record: CorrectRecord,
    now: datetime,
) -> TalentCorrection:
    """Grant or refuse a correction. Granted, the fields say what was asked for, and a record of kind 80
    strikes the one that was wrong.

    Raises NotPermitted, CorrectionNotFound, TransitionRefused, CodeExists when the corrected identity is
    another holder's, and what `correct_record` raises.
    """
    actor.require(Permission.WISH_DECIDE)
    row = _held(session, actor, correction_id)
    after = WishState.GRANTED if command.granted else WishState.REFUSED
    WISHES.require(row.state, after)
    said = {**said_in(vault, row), "reason": command.reason}
    if command.granted:
        said["before"] = _grant(session, actor, vault, row, command, now=now)
        if row.record_id is not None:
            row.corrected_by_record = correct_record(session, actor, row.record_id, now)
    row.sealed = _sealed(vault, row.id, said)
    row.state, row.decided_at, row.decided_by = after, now, actor.account_id
    session.flush()
    return row


def _grant(
    session: Session,
    actor: Actor,
    vault: Vault,
    row: TalentCorrection,
    command: DecideWish,
    *,
    now: datetime,
) -> dict[str, Any]:
    """Enter the wanted fields; what stood there before."""
    values = said_in(vault, row)["values"]
    before = fields.change(
        session,
        vault,
        row.talent_id,
        row.group,
        values,
        by=actor.account_id,
        organisation_agreed=row.group in ORGANISATION_GROUPS and command.organisation_agreed,
        now=now,
    )
    if "document_number" in values:
        _reidentify(session, vault, row.talent_id, {**before, **values})
    return before


def _reidentify(session: Session, vault: Vault, talent_id: str, basic: dict[str, Any]) -> None:
    """Let the live code be found under the corrected identity. Raises CodeExists."""
    who = Basic.model_validate({name: basic[name] for name in Basic.model_fields})
    alive = (TalentCode.talent_id == talent_id) & TalentCode.ended_at.is_(None)
    code = session.scalars(select(TalentCode).where(alive).with_for_update()).one_or_none()
    if code is None:
        return
    try:
        with session.begin_nested():
            code.identity_digest = vault.digest("identity", who.identity)
    except IntegrityError:
        raise CodeExists from None


def own(session: Session, actor: Actor, vault: Vault) -> list[CorrectionView]:
    """One's own corrections, the newest first. Raises NotPermitted."""
    talent = people.of_account(session, actor)
    query = select(TalentCorrection).where(TalentCorrection.talent_id == talent.id)
    rows = session.scalars(query.order_by(TalentCorrection.asked_at.desc(), TalentCorrection.id))
    return [view_of(session, vault, row) for row in rows]


def for_decision(
    session: Session, actor: Actor, vault: Vault, correction_id: str, *, now: datetime
) -> OfficeCorrection:
    """A correction as the office opens it, with the trace of that for its holder.

    Raises NotPermitted, CorrectionNotFound.
    """
    actor.require(Permission.WISH_DECIDE)
    row = session.get(TalentCorrection, correction_id)
    if row is None:
        raise CorrectionNotFound
    people.note_access(session, actor, row.talent_id, AccessPurpose.CORRECTION, {row.group}, now=now)
    view = view_of(session, vault, row)
    return OfficeCorrection(
        **view.model_dump(), known=people.fields_of(session, vault, row.talent_id, row.group)
    )


def open_paper(
    session: Session, actor: Actor, vault: Vault, correction_id: str, paper_id: str, *, now: datetime
) -> tuple[TalentPaper, bytes]:
    """A document of a correction as its holder or the office opens it. Raises NotPermitted, PaperNotFound."""
    row = session.get(TalentCorrection, correction_id)
    if actor.may(Permission.TALENT_OWN):
        mine = people.of_account(session, actor).id
        if row is None or row.talent_id != mine:
            attempts.note(actor, "paper", paper_id)
            raise papers.PaperNotFound
    else:
        actor.require(Permission.WISH_DECIDE)
    found = papers.one(session, paper_id, correction_id=correction_id)
    if row is not None and not actor.may(Permission.TALENT_OWN):
        people.note_access(
            session,
            actor,
            row.talent_id,
            AccessPurpose.CORRECTION,
            {row.group},
            document_id=found.id,
            now=now,
        )
    return found, papers.plain_of(vault, found)


def records_of(session: Session, talent_id: str) -> list[str]:
    """Evidence numbers of somebody's tier changes, the newest first."""
    query = (
        select(TierChange.record_id)
        .join(TalentCode, TalentCode.id == TierChange.code_id)
        .where(TalentCode.talent_id == talent_id)
        .order_by(TierChange.at.desc())
    )
    return list(session.scalars(query))


def said_in(vault: Vault, row: TalentCorrection) -> dict[str, Any]:
    """What was asked for and answered; empty once it was erased."""
    said: dict[str, Any] = json.loads(vault.open(place_of("talent_correction", row.id), row.sealed))
    return said


def view_of(session: Session, vault: Vault, row: TalentCorrection) -> CorrectionView:
    said = said_in(vault, row)
    return CorrectionView(
        id=row.id,
        group=row.group,
        state=row.state,
        asked_at=row.asked_at,
        due_on=row.due_on,
        decided_at=row.decided_at,
        values=said.get("values", {}),
        explanation=said.get("explanation", ""),
        reason=said.get("reason", ""),
        before=said.get("before", {}),
        papers=papers.of(session, correction_id=row.id),
        record=row.record_id,
        corrected_by=row.corrected_by_record,
    )


def _held(session: Session, actor: Actor, correction_id: str, *, of: str | None = None) -> TalentCorrection:
    """A correction, held until the commit. of: the talent whose it must be."""
    row = session.get(TalentCorrection, correction_id, with_for_update=True)
    if row is None or (of is not None and row.talent_id != of):
        attempts.note(actor, "correction", correction_id)
        raise CorrectionNotFound
    return row


def _sealed(vault: Vault, identifier: str, said: dict[str, Any]) -> bytes:
    text = json.dumps(said, ensure_ascii=False, sort_keys=True)
    return vault.seal(place_of("talent_correction", identifier), text.encode())
