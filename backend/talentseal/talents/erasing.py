"""Erasure (PIPL Art. 47): a person asks, the office looks for what speaks against it, all is destroyed.

What is destroyed: every sealed content, and the disclosures of every record about him. What stays, because
the law wants decisions and accounts of access to be kept: that something was decided, when and by whom, under
random numbers that lead to nobody, and the log's entries, which hold salted digests alone. So every proof
that somebody holds still verifies.
"""

import json
import secrets
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from talentseal.accounts import closing
from talentseal.accounts.models import Account
from talentseal.accounts.roles import Actor, Permission
from talentseal.clock import legal_date
from talentseal.errors import Conflict, NotFound
from talentseal.evidence import records
from talentseal.evidence.records import ErasureReason
from talentseal.policy import calendar
from talentseal.talents import applications, attempts, codes, consents, people
from talentseal.talents.correcting import ANSWER_WORKING_DAYS, WISHES
from talentseal.talents.holdings import Holding
from talentseal.talents.models import Application, CodeState, Talent, TalentCode, place_of
from talentseal.talents.privacy_models import AccessGrant, TalentCorrection, TalentErasure, WishState
from talentseal.talents.privacy_schemas import DecideWish, WishView
from talentseal.vault import Vault


class ErasureNotFound(NotFound):
    code = "erasure-not-found"
    zh = "没有找到该删除申请，或您无权查看。请核对编号。"
    en = "There is no such wish for erasure, or it is not yours to see; check the number."


class ErasureUnderWay(Conflict):
    code = "erasure-under-way"
    zh = "您已申请删除个人信息，正在办理。"
    en = "You have asked for erasure already; it is being dealt with."


class ErasureBlocked(Conflict):
    code = "erasure-blocked"
    zh = "人才码正在暂停，或另有暂停、终止事项尚未办结或仍可申诉，须待办结后才能删除。"
    en = "The code is suspended, or a case is undecided or open to appeal; erasure waits until it is closed."


def ask(session: Session, actor: Actor, *, holdings: Sequence[Holding], now: datetime) -> TalentErasure:
    """Ask for everything about oneself to be erased; the office has fifteen working days.

    Raises NotPermitted, ErasureBlocked, ErasureUnderWay.
    """
    talent = people.of_account(session, actor)
    _check_open(session, talent.id, holdings, now)
    row = TalentErasure(
        id=secrets.token_hex(16),
        talent_id=talent.id,
        state=WishState.ASKED,
        asked_at=now,
        due_on=calendar.working_days_after(session, legal_date(now), ANSWER_WORKING_DAYS).day,
    )
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        raise ErasureUnderWay from None
    return row


def withdraw(session: Session, actor: Actor, erasure_id: str, *, now: datetime) -> TalentErasure:
    """Take one's wish back. Raises NotPermitted, ErasureNotFound, TransitionRefused."""
    talent = people.of_account(session, actor)
    row = session.get(TalentErasure, erasure_id, with_for_update=True)
    if row is None or row.talent_id != talent.id:
        attempts.note(actor, "erasure", erasure_id)
        raise ErasureNotFound
    WISHES.require(row.state, WishState.WITHDRAWN)
    row.state, row.decided_at = WishState.WITHDRAWN, now
    session.flush()
    return row


def own(session: Session, actor: Actor, vault: Vault) -> list[WishView]:
    """One's own wishes for erasure, the newest first. Raises NotPermitted."""
    talent = people.of_account(session, actor)
    query = select(TalentErasure).where(TalentErasure.talent_id == talent.id)
    rows = session.scalars(query.order_by(TalentErasure.asked_at.desc(), TalentErasure.id))
    return [view_of(vault, row) for row in rows]


def for_decision(session: Session, actor: Actor, vault: Vault, erasure_id: str) -> WishView:
    """A wish as the office opens it: nothing of who asks. Raises NotPermitted, ErasureNotFound."""
    actor.require(Permission.WISH_DECIDE)
    row = session.get(TalentErasure, erasure_id)
    if row is None:
        raise ErasureNotFound
    return view_of(vault, row)


def view_of(vault: Vault, row: TalentErasure) -> WishView:
    """The wish with the reason of its refusal."""
    said = json.loads(vault.open(place_of("talent_erasure", row.id), row.sealed)) if row.sealed else {}
    return WishView(
        id=row.id,
        state=row.state,
        asked_at=row.asked_at,
        due_on=row.due_on,
        decided_at=row.decided_at,
        reason=said.get("reason", ""),
        payloads=row.payloads,
        records=row.records,
    )


def decide(
    session: Session,
    actor: Actor,
    vault: Vault,
    erasure_id: str,
    command: DecideWish,
    *,
    holdings: Sequence[Holding],
    now: datetime,
) -> TalentErasure:
    """Refuse a wish for a reason, or grant it: everything in `holdings` is destroyed in this transaction.

    Raises NotPermitted, ErasureNotFound, TransitionRefused, ErasureBlocked.
    """
    actor.require(Permission.WISH_DECIDE)
    row = session.get(TalentErasure, erasure_id, with_for_update=True)
    if row is None:
        raise ErasureNotFound
    after = WishState.GRANTED if command.granted else WishState.REFUSED
    WISHES.require(row.state, after)
    if command.granted:
        _erase(session, actor, vault, row, holdings=holdings, now=now)
    else:
        text = json.dumps({"reason": command.reason}, ensure_ascii=False)
        row.sealed = vault.seal(place_of("talent_erasure", row.id), text.encode())
    row.state, row.decided_at, row.decided_by = after, now, actor.account_id
    session.flush()
    return row


def _erase(
    session: Session,
    actor: Actor,
    vault: Vault,
    row: TalentErasure,
    *,
    holdings: Sequence[Holding],
    now: datetime,
) -> None:
    talent = people.find(session, row.talent_id)
    _check_open(session, talent.id, holdings, now)
    _end_everything(session, actor, talent, row.id, now=now)
    numbers = [number for each in holdings for number in each.records(session, talent.id)]
    row.records = sum(
        records.erase(session, number, ErasureReason.DATA_SUBJECT_REQUEST, now=now) is not None
        for number in numbers
    )
    row.payloads = sum(each.destroy(session, vault, talent.id, now) for each in holdings)
    _forget_identity(session, talent.id)
    closing.close(session, session.get_one(Account, talent.account_id), now=now)


def _end_everything(
    session: Session, actor: Actor, talent: Talent, erasure_id: str, *, now: datetime
) -> None:
    """End the code, applications, consents, corrections and grants of somebody who leaves."""
    alive = (TalentCode.talent_id == talent.id) & TalentCode.ended_at.is_(None)
    for code in session.scalars(select(TalentCode).where(alive)).all():
        codes.move(session, code.id, CodeState.CANCELLED, by=talent.account_id, cause=erasure_id, now=now)
    undecided = (Application.talent_id == talent.id) & Application.state.not_in(applications.DECIDED)
    for application in session.scalars(select(Application).where(undecided).with_for_update()).all():
        applications.move(session, application, applications.State.WITHDRAWN, actor, now=now)
    consents.withdraw_all(session, talent.id, now=now)
    asked = (TalentCorrection.talent_id == talent.id) & (TalentCorrection.state == WishState.ASKED)
    for wish in session.scalars(select(TalentCorrection).where(asked).with_for_update()):
        wish.state, wish.decided_at = WishState.WITHDRAWN, now
    live = (AccessGrant.talent_id == talent.id) & AccessGrant.revoked_at.is_(None)
    for grant in session.scalars(select(AccessGrant).where(live).with_for_update()):
        grant.revoked_at, grant.revoked_by = now, actor.account_id
    session.flush()


def _forget_identity(session: Session, talent_id: str) -> None:
    """Put a random number where the ended codes knew him again; a bar by decision stands in its own table."""
    for code in session.scalars(select(TalentCode).where(TalentCode.talent_id == talent_id)):
        code.identity_digest = secrets.token_hex(32)
    session.flush()


def _check_open(session: Session, talent_id: str, holdings: Sequence[Holding], now: datetime) -> None:
    if any(each.is_open(session, talent_id, now) for each in holdings):
        raise ErasureBlocked
