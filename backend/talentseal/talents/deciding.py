"""Applications for a code, the office's side: take up, return once with all defects, reject, approve.

Scope comes first, the tier second: whoever is within the support's scope has at least RESERVE, and a tier
that he claims is verified with the application and confirmed by a second person (`recognitions`).
"""

import hashlib
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from talentseal.accounts.roles import Actor, Permission
from talentseal.errors import Conflict, Invalid
from talentseal.policy import reading
from talentseal.policy.effects import Deed
from talentseal.policy.tiers import HIGH
from talentseal.talents import applications, codes, people, recognitions, register
from talentseal.talents.applications import MOVES, ApplicationIncomplete, ApplicationNotFound, State
from talentseal.talents.models import (
    AccessPurpose,
    Application,
    ApplicationDocument,
    DocumentKind,
    FieldGroup,
    Purpose,
)
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


class RejecterDecides(Conflict):
    code = "rejecter-decides"
    zh = "此申请曾由您驳回，该决定已因异议撤销，须由另一账户重新决定。"
    en = "You rejected this application and that was set aside on objection; another account must decide it."


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

    Raises NotPermitted, ApplicationNotFound, TransitionRefused, RejecterDecides, DefectTooLate.
    """
    row = _for_decision(session, actor, application_id, State.RETURNED)
    shape = _shape(session, vault, row)
    _check_once(_returns(session, vault, row), shape, command)
    said = {"defects": command.model_dump(mode="json")["defects"], "shape": shape}
    applications.move(session, row, State.RETURNED, actor, vault=vault, said=said, now=now)
    return row


def reject(
    session: Session, actor: Actor, vault: Vault, application_id: str, command: Reject, *, now: datetime
) -> Application:
    """Reject an application with its reason. Raises NotPermitted, ApplicationNotFound, TransitionRefused,
    RejecterDecides, InstrumentExpired.
    """
    row = _for_decision(session, actor, application_id, State.REJECTED)
    deed = Deed.NEW_CODE if row.purpose is Purpose.CODE else Deed.NEW_TIER
    basis = reading.basis_of(session, deed, now=now)
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

    Raises NotPermitted, ApplicationNotFound, TransitionRefused, RejecterDecides, InstrumentExpired,
    NothingProved, CodeExists, and what `recognitions.verify` raises.
    """
    row = _for_decision(session, actor, application_id, State.APPROVED)
    is_code, entered = row.purpose is Purpose.CODE, applications.content(vault, row)
    if not is_code and (entered.claim is None or command.proved is None):
        raise NothingProved
    basis = reading.basis_of(session, Deed.NEW_CODE if is_code else Deed.NEW_TIER, now=now)
    said = command.model_dump(mode="json")
    applications.move(session, row, State.APPROVED, actor, vault=vault, said=said, basis=basis, now=now)
    if is_code:
        codes.issue(session, row, by=actor.account_id, basis=basis, now=now)
    borne_out = register.certificate(session, vault, entered) is True
    shared = {FieldGroup.ACADEMIC} if borne_out else set[FieldGroup]()
    people.enter(session, vault, row.talent_id, entered, shared=shared, by=actor.account_id, now=now)
    if entered.claim is not None and command.proved is not None:
        proved = command.proved & applications.kinds_of(session, row.id)
        starts_on = _starts(entered, entered.claim)
        found = recognitions.Finding(row, entered.claim, starts_on, proved, command.reason)
        tier_basis = reading.basis_of(session, Deed.NEW_TIER, now=now)
        recognitions.verify(session, actor, vault, found, basis=tier_basis, now=now)
    return row


def closed_to_objection(session: Session, vault: Vault, row: Application) -> frozenset[str]:
    """Parts and documents that were not objected to at the last return and have not changed since, so that
    they cannot be now.
    """
    returned = _returns(session, vault, row)
    if not returned:
        return frozenset()
    shape = _shape(session, vault, row)
    names = (*(part.value for part in Part), *(kind.value for kind in DocumentKind))
    return frozenset(name for name in names if _is_closed(returned[-1], shape, name))


def document(
    session: Session, actor: Actor, vault: Vault, application_id: str, document_id: str, *, now: datetime
) -> tuple[ApplicationDocument, bytes]:
    """A document as the reviewer opens it, with the trace of that for the talent.

    Raises NotPermitted, ApplicationNotFound.
    """
    row = _for_review(session, actor, application_id)
    found = applications.document(session, row.id, document_id)
    people.note_access(
        session,
        actor,
        row.talent_id,
        AccessPurpose.APPLICATION_REVIEW,
        _GROUPS[found.kind],
        application_id=row.id,
        document_id=found.id,
        now=now,
    )
    return found, applications.plain_of(vault, found)


_GROUPS: Final = {
    DocumentKind.IDENTITY: {FieldGroup.BASIC},
    DocumentKind.WORK_IN_AREA: {FieldGroup.BASIC},
    DocumentKind.GRADUATION: {FieldGroup.ACADEMIC},
    DocumentKind.RECOGNITION: {FieldGroup.HONOUR},
    DocumentKind.ECONOMIC_CONTRIBUTION: {FieldGroup.HONOUR},
    DocumentKind.INNOVATION: {FieldGroup.RESEARCH},
}
"""What a document tells of somebody."""


def _for_review(session: Session, actor: Actor, application_id: str) -> Application:
    """Any application that was ever submitted, held until the commit; a draft is its talent's alone."""
    actor.require(Permission.APPLICATION_REVIEW)
    row = session.get(Application, application_id, with_for_update=True)
    if row is None or row.submitted_at is None:
        raise ApplicationNotFound
    return row


def _for_decision(session: Session, actor: Actor, application_id: str, after: State) -> Application:
    """An application that can be decided so by this person, held until the commit."""
    row = _for_review(session, actor, application_id)
    MOVES.require(row.state, after)
    if any(
        step.state is State.REJECTED and step.account_id == actor.account_id
        for step in applications.steps_of(session, row.id)
    ):
        raise RejecterDecides
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


def _returns(session: Session, vault: Vault, row: Application) -> list[dict[str, Any]]:
    """What was said at each return, the first first."""
    steps = applications.steps_of(session, row.id)
    return [applications.said_in(vault, each) for each in steps if each.state is State.RETURNED]


def _check_once(returned: Sequence[dict[str, Any]], shape: dict[str, str], command: Return) -> None:
    """Refuse an objection to what stood there unchanged at the last return, and was not objected to then."""
    for defect in command.defects:
        if returned and _is_closed(returned[-1], shape, defect.part.value):
            raise DefectTooLate(part=defect.part.value)


def _is_closed(last: dict[str, Any], shape: dict[str, str], name: str) -> bool:
    told = {defect["part"] for defect in last["defects"]}
    return name not in told and shape.get(name) == last["shape"].get(name)
