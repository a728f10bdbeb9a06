"""Applications for a code (Article 6), the talent's side: enter part by part, submit, withdraw."""

import json
import secrets
from datetime import datetime
from typing import Any, Final

from sqlalchemy import bindparam, delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, defer

from talentseal.accounts.roles import Actor, Permission
from talentseal.clock import legal_date
from talentseal.errors import Conflict, Invalid, NotFound
from talentseal.policy import calendar
from talentseal.policy.reading import Basis
from talentseal.states import Transitions
from talentseal.talents import codes, people
from talentseal.talents.codes import CodeExists
from talentseal.talents.models import (
    Application,
    ApplicationDocument,
    ApplicationState,
    ApplicationStep,
    DocumentKind,
    IdentityBar,
    Purpose,
    Talent,
    place_of,
)
from talentseal.talents.schemas import Content, Part, SavePart
from talentseal.vault import Vault

ANSWER_WORKING_DAYS: Final = 5
"""The office's time for an application (domain specification §1.3, Article 6)."""

DOCUMENT_LIMIT: Final = 10 * 1024 * 1024
DOCUMENTS_LIMIT: Final = 20
"""Documents of one application at most."""

_MEDIA: Final = {
    b"%PDF-": "application/pdf",
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
}

State = ApplicationState
MOVES: Final = Transitions(
    {
        State.DRAFT: frozenset({State.SUBMITTED, State.WITHDRAWN}),
        State.SUBMITTED: frozenset({State.UNDER_REVIEW, State.WITHDRAWN}),
        State.UNDER_REVIEW: frozenset({State.RETURNED, State.APPROVED, State.REJECTED, State.WITHDRAWN}),
        State.RETURNED: frozenset({State.SUBMITTED, State.WITHDRAWN}),
        State.APPROVED: frozenset(),
        State.REJECTED: frozenset(),
        State.WITHDRAWN: frozenset(),
    }
)
"""Domain specification §1.2."""

SET_ASIDE: Final = Transitions(
    {**dict.fromkeys(State, frozenset[State]()), State.REJECTED: frozenset({State.UNDER_REVIEW})}
)
"""Where an objection takes it when the decision is set aside, and nothing else does."""

DECIDED: Final = frozenset({State.APPROVED, State.REJECTED, State.WITHDRAWN})
OPEN_TO_CHANGE: Final = frozenset({State.DRAFT, State.RETURNED})
"""While the talent may still enter."""
ANSWER_AWAITED: Final = frozenset({State.SUBMITTED, State.UNDER_REVIEW})
"""While it is the office's turn."""


class ApplicationNotFound(NotFound):
    code = "application-not-found"
    zh = "没有找到该申请，或您无权查看。请核对编号。"
    en = "There is no such application, or it is not yours to see; check the number."


class ApplicationClosed(Conflict):
    code = "application-closed"
    zh = "申请现为 {state}，不能修改。退回后可以修改。"
    en = "The application is {state} and cannot be changed; it can be once it is returned."


class ApplicationUnderWay(Conflict):
    code = "application-under-way"
    zh = "您已有一份申请正在办理。请先办结或撤回原申请。"
    en = "You have an application under way; finish or withdraw that first."


class ApplicationIncomplete(Invalid):
    code = "application-incomplete"
    zh = "申请尚不完整，还需要：{missing}。"
    en = "The application is not complete; still wanted: {missing}."


class ApplicationBarred(Conflict):
    code = "application-barred"
    zh = "在 {until} 之前不能再次申领。对此有异议的，可以提出申诉。"
    en = "You may apply again from {until} on; you can appeal against that."


class PartNotAsked(Conflict):
    code = "application-part-not-asked"
    zh = "{part} 已经核实在册，申报层次时不再填写。确有变化的，请先办理更正。"
    en = "{part} was verified before and is not asked for again; have it corrected if it has changed."


class DocumentRefused(Invalid):
    code = "application-document-refused"
    zh = "只接受 PDF、PNG、JPEG 文件，每份不超过 {megabytes} MB，最多 {count} 份。"
    en = "Only PDF, PNG and JPEG are taken, up to {megabytes} MB each and {count} in all."


def begin(session: Session, actor: Actor, vault: Vault, *, now: datetime) -> Application:
    """The talent's undecided application, or a fresh draft: for his code, or for his tier once he has one.

    Raises ApplicationUnderWay when two requests begin one at once.
    """
    actor.require(Permission.TALENT_OWN)
    talent = people.of_account(session, actor)
    open_one = undecided_of(session, talent)
    if open_one is not None:
        return open_one
    has_code = people.has_live_code(session, talent_id=talent.id)
    identifier = secrets.token_hex(16)
    known = people.known_of(session, vault, talent.id) if has_code else Content()
    row = Application(
        id=identifier,
        talent_id=talent.id,
        purpose=Purpose.TIER if has_code else Purpose.CODE,
        state=State.DRAFT,
        sealed=vault.seal(place_of("application", identifier), known.model_dump_json().encode()),
        begun_at=now,
    )
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        raise ApplicationUnderWay from None
    return row


def save(session: Session, actor: Actor, vault: Vault, application_id: str, command: SavePart) -> Application:
    """Keep one part of a draft or returned application.

    Raises ApplicationNotFound, ApplicationClosed, PartNotAsked.
    """
    row = _changeable(session, actor, application_id)
    if row.purpose is Purpose.TIER and command.part in {Part.BASIC, Part.WORK}:
        raise PartNotAsked(part=command.part.value)
    cleared = "" if command.part in {Part.RESEARCH, Part.HONOURS} else None
    value = cleared if command.value is None else command.value
    entered = content(vault, row).model_copy(update={command.part.value: value})
    row.sealed = vault.seal(place_of("application", row.id), entered.model_dump_json().encode())
    session.flush()
    return row


def add_document(
    session: Session,
    actor: Actor,
    vault: Vault,
    application_id: str,
    *,
    kind: DocumentKind,
    plain: bytes,
    now: datetime,
) -> ApplicationDocument:
    """Seal a document into a draft or returned application.

    Raises ApplicationNotFound, ApplicationClosed, DocumentRefused.
    """
    row = _changeable(session, actor, application_id)
    media = media_type_of(plain)
    count = session.scalar(
        select(func.count())
        .select_from(ApplicationDocument)
        .where(ApplicationDocument.application_id == row.id)
    )
    if media is None or len(plain) > DOCUMENT_LIMIT or (count or 0) >= DOCUMENTS_LIMIT:
        raise DocumentRefused(megabytes=DOCUMENT_LIMIT >> 20, count=DOCUMENTS_LIMIT)
    identifier = secrets.token_hex(16)
    added = ApplicationDocument(
        id=identifier,
        application_id=row.id,
        kind=kind,
        media_type=media,
        size=len(plain),
        sealed=vault.seal(place_of("application_document", identifier), plain),
        added_at=now,
    )
    session.add(added)
    session.flush()
    return added


def media_type_of(plain: bytes) -> str | None:
    """What kind of document the bytes are by how they begin; None for what is not taken."""
    return next((name for start, name in _MEDIA.items() if plain.startswith(start)), None)


def remove_document(session: Session, actor: Actor, application_id: str, document_id: str) -> None:
    """Take a document out again. Raises ApplicationNotFound, ApplicationClosed."""
    row = _changeable(session, actor, application_id)
    session.delete(document(session, row.id, document_id))
    session.flush()


def submit(
    session: Session, actor: Actor, vault: Vault, application_id: str, *, now: datetime
) -> Application:
    """Hand an application in; the office has ANSWER_WORKING_DAYS from the next day on.

    Raises ApplicationNotFound, TransitionRefused, ApplicationIncomplete, ApplicationBarred, CodeExists.
    """
    row = own(session, actor, application_id)
    MOVES.require(row.state, State.SUBMITTED)
    entered = content(vault, row)
    if missing := entered.missing(row.purpose, kinds_of(session, row.id)):
        raise ApplicationIncomplete(missing=", ".join(missing))
    row.identity_digest, row.submitted_at = _identity(session, vault, row, entered, now), now
    row.due_on = calendar.working_days_after(session, legal_date(now), ANSWER_WORKING_DAYS).day
    try:
        with session.begin_nested():
            move(session, row, State.SUBMITTED, actor, now=now)
    except IntegrityError:
        raise CodeExists from None
    return row


def withdraw(
    session: Session, actor: Actor, vault: Vault, application_id: str, *, now: datetime
) -> Application:
    """Take one's application back. What nobody else has seen, a draft, is destroyed with it.

    Raises ApplicationNotFound, TransitionRefused.
    """
    row = own(session, actor, application_id)
    if row.state is State.DRAFT:
        row.sealed = vault.seal(place_of("application", row.id), b"{}")
        papers = delete(ApplicationDocument).where(ApplicationDocument.application_id == row.id)
        session.execute(papers)
    move(session, row, State.WITHDRAWN, actor, now=now)
    return row


def undecided_of(session: Session, talent: Talent) -> Application | None:
    """The talent's application that is not decided yet."""
    query = select(Application).where(Application.talent_id == talent.id, Application.state.not_in(DECIDED))
    return session.scalars(query).one_or_none()


def content(vault: Vault, row: Application) -> Content:
    """What was entered so far."""
    return Content.model_validate_json(vault.open(place_of("application", row.id), row.sealed))


_LATEST: Final = (
    select(Application)
    .where(Application.talent_id == bindparam("talent"))
    .order_by(Application.begun_at.desc(), Application.id)
    .limit(1)
)


def latest_of(session: Session, talent: Talent) -> Application | None:
    """The talent's newest application, decided or not."""
    return session.scalars(_LATEST, {"talent": talent.id}).one_or_none()


def document(session: Session, application_id: str, document_id: str) -> ApplicationDocument:
    """A document of an application that the caller may open. Raises ApplicationNotFound."""
    row = session.get(ApplicationDocument, document_id)
    if row is None or row.application_id != application_id:
        raise ApplicationNotFound
    return row


def plain_of(vault: Vault, row: ApplicationDocument) -> bytes:
    """The document's bytes."""
    return vault.open(place_of("application_document", row.id), row.sealed)


_DOCUMENTS: Final = (
    select(ApplicationDocument)
    .where(ApplicationDocument.application_id == bindparam("application"))
    .options(defer(ApplicationDocument.sealed, raiseload=True))
    .order_by(ApplicationDocument.added_at, ApplicationDocument.id)
)


def documents_of(session: Session, application_id: str) -> list[ApplicationDocument]:
    """The application's documents in the order in which they were added, without their bytes."""
    return list(session.scalars(_DOCUMENTS, {"application": application_id}))


def kinds_of(session: Session, application_id: str) -> frozenset[DocumentKind]:
    """What the application's documents prove."""
    query = select(ApplicationDocument.kind).where(ApplicationDocument.application_id == application_id)
    return frozenset(session.scalars(query))


_STEPS: Final = (
    select(ApplicationStep)
    .where(ApplicationStep.application_id == bindparam("application"))
    .order_by(ApplicationStep.number)
)


def steps_of(session: Session, application_id: str) -> list[ApplicationStep]:
    """What has happened to an application, the first first."""
    return list(session.scalars(_STEPS, {"application": application_id}))


def said_in(vault: Vault, step: ApplicationStep) -> dict[str, Any]:
    """What was said with a step: reason, defects; empty when nothing."""
    if step.sealed is None:
        return {}
    place = place_of("application_step", step.application_id, step.number)
    said: dict[str, Any] = json.loads(vault.open(place, step.sealed))
    return said


def move(
    session: Session,
    row: Application,
    after: State,
    actor: Actor,
    *,
    vault: Vault | None = None,
    said: dict[str, Any] | None = None,
    basis: Basis | None = None,
    moves: Transitions[State] = MOVES,
    now: datetime,
) -> None:
    """Take a locked application to another state and leave the step. Raises TransitionRefused."""
    moves.require(row.state, after)
    row.state = after
    if after not in ANSWER_AWAITED:
        row.due_on = None
    number = (
        session.scalar(
            select(func.max(ApplicationStep.number)).where(ApplicationStep.application_id == row.id)
        )
        or 0
    ) + 1
    sealed = None
    if vault is not None and said:
        text = json.dumps(said, ensure_ascii=False).encode()
        sealed = vault.seal(place_of("application_step", row.id, number), text)
    session.add(
        ApplicationStep(
            application_id=row.id,
            number=number,
            state=after,
            account_id=actor.account_id,
            organisation_id=actor.organisation_id,
            role=actor.role,
            at=now,
            version_id=basis.version_id if basis else None,
            article=basis.article if basis else None,
            sealed=sealed,
        )
    )
    session.flush()


def own(session: Session, actor: Actor, application_id: str) -> Application:
    """One's own application, held until the commit. Raises NotPermitted, ApplicationNotFound."""
    actor.require(Permission.TALENT_OWN)
    row = session.get(Application, application_id, with_for_update=True)
    if row is None or row.talent_id != people.of_account(session, actor).id:
        raise ApplicationNotFound
    return row


def _changeable(session: Session, actor: Actor, application_id: str) -> Application:
    row = own(session, actor, application_id)
    if row.state not in OPEN_TO_CHANGE:
        raise ApplicationClosed(state=row.state.value)
    return row


def _identity(session: Session, vault: Vault, row: Application, entered: Content, now: datetime) -> str:
    """The digest of whoever applies. Raises ApplicationBarred, CodeExists; CodeNotFound when a holder's code
    ended while he was claiming a tier.
    """
    if row.purpose is Purpose.TIER or entered.basic is None:
        return codes.live_of(session, row.talent_id).identity_digest
    digest = vault.digest("identity", entered.basic.identity)
    _check_bars(session, digest, now)
    if people.has_live_code(session, identity_digest=digest):
        raise CodeExists
    return digest


def _check_bars(session: Session, digest: str, now: datetime) -> None:
    query = select(func.max(IdentityBar.until)).where(IdentityBar.identity_digest == digest)
    until = session.scalar(query)
    if until is not None and legal_date(now) < until:
        raise ApplicationBarred(until=until.isoformat())
