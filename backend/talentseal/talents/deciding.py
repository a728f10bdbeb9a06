"""Applications for a code, the office's side: take up, return once with all defects, reject, approve.

Scope comes first, the tier second: whoever is within the support's scope has at least RESERVE, and a tier
that he claims is verified with the application and confirmed by a second person (`recognitions`).
"""

import hashlib
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from talentseal.accounts.roles import Actor, Permission
from talentseal.errors import Invalid
from talentseal.policy import reading
from talentseal.policy.effects import Deed
from talentseal.policy.tiers import HIGH
from talentseal.talents import applications, codes, people, recognitions
from talentseal.talents.applications import MOVES, ApplicationIncomplete, ApplicationNotFound, State
from talentseal.talents.models import Application, Purpose
from talentseal.talents.schemas import Approve, Claim, Content, Part, Reject, Return
from talentseal.vault import Vault


class DefectTooLate(Invalid):
    code = "defect-too-late"
    zh = "上次退回时未指出 {part}，且其后未作改动，不能再次就此退回（一次性告知）。"
    en = "{part} was not objected to before and has not changed since, so it cannot be now: once means once."


class NothingProved(Invalid):
    code = "claim-undecided"
    zh = "层次认定申请只能在证明属实后批准，否则请退回或驳回。"
    en = "A claim of a tier can be approved only when it is proved; return or reject it otherwise."


def take_up(session: Session, actor: Actor, application_id: str, *, now: datetime) -> Application:
    """Begin the review. Raises NotPermitted, ApplicationNotFound, TransitionRefused."""
    row = _for_review(session, actor, application_id)
    row.reviewer_id = actor.account_id
    applications.move(session, row, State.UNDER_REVIEW, actor, now=now)
    return row


def send_back(
    session: Session, actor: Actor, vault: Vault, application_id: str, command: Return, *, now: datetime
) -> Application:
    """Return an application with one list of all its defects.

    Raises NotPermitted, ApplicationNotFound, TransitionRefused, DefectTooLate.
    """
    row = _for_review(session, actor, application_id)
    MOVES.require(row.state, State.RETURNED)
    shape = _shape(session, vault, row)
    steps = applications.steps_of(session, row.id)
    returned = [applications.said_in(vault, each) for each in steps if each.state is State.RETURNED]
    _check_once(returned, shape, command)
    said = {"defects": command.model_dump(mode="json")["defects"], "shape": shape}
    applications.move(session, row, State.RETURNED, actor, vault=vault, said=said, now=now)
    return row


def reject(
    session: Session, actor: Actor, vault: Vault, application_id: str, command: Reject, *, now: datetime
) -> Application:
    """Reject an application with its reason. Raises NotPermitted, ApplicationNotFound, TransitionRefused,
    InstrumentExpired.
    """
    row = _for_review(session, actor, application_id)
    basis = reading.basis_of(session, Deed.NEW_CODE, now=now)
    applications.move(
        session,
        row,
        State.REJECTED,
        actor,
        vault=vault,
        said=command.model_dump(mode="json"),
        basis=basis,
        now=now,
    )
    return row


def approve(
    session: Session, actor: Actor, vault: Vault, application_id: str, command: Approve, *, now: datetime
) -> Application:
    """Approve an application: the talent has a code, marked RESERVE until a recognition is confirmed.

    Raises NotPermitted, ApplicationNotFound, TransitionRefused, InstrumentExpired, NothingProved, CodeExists,
    and what `recognitions.verify` raises.
    """
    row = _for_review(session, actor, application_id)
    MOVES.require(row.state, State.APPROVED)
    is_code, entered = row.purpose is Purpose.CODE, applications.content(vault, row)
    basis = reading.basis_of(session, Deed.NEW_CODE if is_code else Deed.NEW_TIER, now=now)
    said = command.model_dump(mode="json")
    applications.move(session, row, State.APPROVED, actor, vault=vault, said=said, basis=basis, now=now)
    if is_code:
        codes.issue(session, row, by=actor.account_id, basis=basis, now=now)
    people.enter(session, vault, row.talent_id, entered, by=actor.account_id, now=now)
    if entered.claim is not None and command.proved is not None:
        starts_on = _starts(entered, entered.claim)
        found = recognitions.Finding(row.talent_id, entered.claim, starts_on, command.proved)
        recognitions.verify(session, actor, vault, found, now=now)
    elif not is_code:
        raise NothingProved
    return row


def _for_review(session: Session, actor: Actor, application_id: str) -> Application:
    """Any application that was submitted, held until the commit."""
    actor.require(Permission.APPLICATION_REVIEW)
    row = session.get(Application, application_id, with_for_update=True)
    if row is None or row.state is State.DRAFT:
        raise ApplicationNotFound
    return row


def _starts(entered: Content, claim: Claim) -> date:
    """YOUTH and SOCIALISED count from the first day in the area, a recognition from its own."""
    if claim.recognised_on is not None and claim.tier in HIGH:
        return claim.recognised_on
    if entered.work is None:
        raise ApplicationIncomplete(missing="work")
    return entered.work.started_on


def _shape(session: Session, vault: Vault, row: Application) -> dict[str, str]:
    """A digest of each part and kind of document, by which a later return knows what has changed."""
    parts = applications.content(vault, row).model_dump(mode="json")
    documents = applications.documents_of(session, row.id)
    shape: dict[str, Any] = {part.value: parts[part.value] for part in Part}
    for each in documents:
        shape[each.kind.value] = [*shape.get(each.kind.value, []), each.id]
    return {
        name: hashlib.sha256(f"{row.id}{name}{value}".encode()).hexdigest() for name, value in shape.items()
    }


def _check_once(returned: Sequence[dict[str, Any]], shape: dict[str, str], command: Return) -> None:
    """Refuse an objection to what stood there unchanged at the last return, and was not objected to then."""
    if not returned:
        return
    last = returned[-1]
    told = {defect["part"] for defect in last["defects"]}
    for defect in command.defects:
        name = defect.part.value
        if name not in told and shape.get(name) == last["shape"].get(name):
            raise DefectTooLate(part=name)
