"""JSON API of applications, recognitions and shared registers: the same acts as the pages.

What is sent is personal, so an answer is kept under its keyed digest, on which nobody can try numbers.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, File, Form, Query, UploadFile
from pydantic import BaseModel
from sqlalchemy.orm import Session
from starlette.responses import Response

from talentseal.accounts.access import ApiActor, Db, Now, TheVault
from talentseal.accounts.calls import Call
from talentseal.accounts.roles import Actor
from talentseal.accounts.schemas import Command
from talentseal.db import Database
from talentseal.talents import applications, deciding, reading, recognitions, register
from talentseal.talents.applications import DOCUMENT_LIMIT
from talentseal.talents.desk import UPLOAD_LIMIT, Identifier, document_answer
from talentseal.talents.models import (
    Application,
    ApplicationDocument,
    ApplicationState,
    DocumentKind,
    TierRecognition,
)
from talentseal.talents.register import IMPORT_LIMIT
from talentseal.talents.schemas import (
    ApplicationView,
    Approve,
    Confirm,
    ConfirmationView,
    End,
    ImportReport,
    RecognitionRow,
    Refuse,
    Reject,
    Return,
    ReviewView,
    SavePart,
    TierView,
    WorkList,
)
from talentseal.talents.tiers import RecognitionState
from talentseal.vault import Vault

api = APIRouter()
T = TypeVar("T")

REGISTER_LIMIT = IMPORT_LIMIT + 64 * 1024
"""Bytes of a request that imports a register: the file and the multipart frame."""


class ApplicationReceipt(BaseModel):
    """Which application was acted upon, and where it stands now."""

    id: str
    state: ApplicationState

    @classmethod
    def of(cls, row: Application) -> "ApplicationReceipt":
        return cls(id=row.id, state=row.state)


class DocumentReceipt(BaseModel):
    """Which document was added or removed."""

    id: str


class RecognitionReceipt(BaseModel):
    """Which recognition was acted upon, and where it stands now."""

    id: str
    state: RecognitionState

    @classmethod
    def of(cls, row: TierRecognition) -> "RecognitionReceipt":
        return cls(id=row.id, state=row.state)


class Waiting(BaseModel):
    """Recognitions that wait for their second person, the longest first."""

    items: list[RecognitionRow]


@dataclass(frozen=True, slots=True)
class _Act:
    """One unsafe request, made ready to be performed once."""

    call: Call
    vault: Vault = field(repr=False)

    @property
    def actor(self) -> Actor:
        return self.call.actor

    @property
    def now(self) -> datetime:
        return self.call.now

    def perform(
        self,
        route: str,
        about: str,
        work: Callable[[Session], BaseModel],
        *,
        sent: Any = None,
        status: int = 200,
    ) -> Response:
        """Run `work` once. about: what it is done to; sent: what came with the request."""
        meaning = {"about": about, "sent": self.vault.digest("request", json.dumps(sent, sort_keys=True))}
        return self.call.perform(route, meaning, work, status=status)

    def on_application(
        self,
        route: str,
        about: str,
        work: Callable[[Session], Application],
        command: Command | None = None,
    ) -> Response:
        sent = command.model_dump(mode="json") if command else None
        return self.perform(route, about, lambda session: ApplicationReceipt.of(work(session)), sent=sent)

    def on_recognition(
        self, route: str, about: str, work: Callable[[Session], TierRecognition], command: Command
    ) -> Response:
        sent = command.model_dump(mode="json")
        return self.perform(route, about, lambda session: RecognitionReceipt.of(work(session)), sent=sent)


async def _act(call: Call, vault: TheVault) -> _Act:
    return _Act(call, vault)


Acting = Annotated[_Act, Depends(_act)]


@dataclass(frozen=True, slots=True)
class _Look:
    """One request that reads."""

    actor: Actor
    database: Database
    now: datetime
    vault: Vault = field(repr=False)

    def read(self, work: Callable[[Session], T]) -> T:
        return self.database.read(work)

    def opening(self, work: Callable[[Session], T]) -> T:
        """Read what is another person's, in the transaction that keeps that it was read."""
        return self.database.write(work)


async def _look(actor: ApiActor, database: Db, now: Now, vault: TheVault) -> _Look:
    return _Look(actor, database, now, vault)


Looking = Annotated[_Look, Depends(_look)]


@api.get("/applications", tags=["applications"])
def list_applications(
    look: Looking,
    state: ApplicationState | None = None,
    after: Annotated[str, Query(pattern=r"^[0-9]{0,6}$")] = "",
) -> WorkList:
    """What awaits the office's answer, the most urgent first; or what stands in another state."""
    return look.read(
        lambda session: reading.work_list(session, look.actor, state=state, after=after, now=look.now)
    )


@api.post("/applications", tags=["applications"], status_code=201, response_model=ApplicationReceipt)
def begin_application(act: Acting) -> Response:
    """Begin my application, for a code or, with one, for a tier; or the one that is under way."""

    def work(session: Session) -> ApplicationReceipt:
        return ApplicationReceipt.of(applications.begin(session, act.actor, act.vault, now=act.now))

    return act.perform("POST application", "", work, status=201)


@api.get("/applications/{application}", tags=["applications"])
def get_application(application: Identifier, look: Looking) -> ApplicationView:
    """My application with everything in it."""
    return look.read(lambda session: reading.own_application(session, look.actor, look.vault, application))


@api.post("/applications/{application}/parts", tags=["applications"], response_model=ApplicationReceipt)
def save_part(application: Identifier, command: SavePart, act: Acting) -> Response:
    """Keep one part of my application."""

    def work(session: Session) -> Application:
        return applications.save(session, act.actor, act.vault, application, command)

    return act.on_application("POST application part", application, work, command)


@api.post(
    "/applications/{application}/documents",
    tags=["applications"],
    status_code=201,
    response_model=DocumentReceipt,
    max_body_size=UPLOAD_LIMIT,
)
def add_document(
    application: Identifier,
    kind: Annotated[DocumentKind, Form()],
    document: Annotated[UploadFile, File(description="PDF, PNG or JPEG, at most 10 MiB")],
    act: Acting,
) -> Response:
    """Add a document to my application; it is kept encrypted."""
    plain = document.file.read(DOCUMENT_LIMIT + 1)

    def work(session: Session) -> DocumentReceipt:
        row = applications.add_document(
            session, act.actor, act.vault, application, kind=kind, plain=plain, now=act.now
        )
        return DocumentReceipt(id=row.id)

    sent = [kind.value, plain.hex()]
    return act.perform("POST application document", application, work, sent=sent, status=201)


@api.get("/applications/{application}/documents/{document}", tags=["applications"])
def get_document(application: Identifier, document: Identifier, look: Looking) -> Response:
    """A document of my application."""
    found = look.read(
        lambda session: reading.own_document(session, look.actor, look.vault, application, document)
    )
    return document_answer(*found)


@api.delete(
    "/applications/{application}/documents/{document}", tags=["applications"], response_model=DocumentReceipt
)
def remove_document(application: Identifier, document: Identifier, act: Acting) -> Response:
    """Take a document out of my application."""

    def work(session: Session) -> DocumentReceipt:
        applications.remove_document(session, act.actor, application, document)
        return DocumentReceipt(id=document)

    return act.perform("DELETE application document", application, work, sent=document)


@api.post("/applications/{application}/submission", tags=["applications"], response_model=ApplicationReceipt)
def submit_application(application: Identifier, act: Acting) -> Response:
    """Hand my application in; the office answers within five working days."""

    def work(session: Session) -> Application:
        return applications.submit(session, act.actor, act.vault, application, now=act.now)

    return act.on_application("POST application submission", application, work)


@api.post("/applications/{application}/withdrawal", tags=["applications"], response_model=ApplicationReceipt)
def withdraw_application(application: Identifier, act: Acting) -> Response:
    """Take my application back."""

    def work(session: Session) -> Application:
        return applications.withdraw(session, act.actor, act.vault, application, now=act.now)

    return act.on_application("POST application withdrawal", application, work)


@api.post("/applications/{application}/review", tags=["applications"], response_model=ApplicationReceipt)
def take_up_application(application: Identifier, act: Acting) -> Response:
    """Take an application up (talent office)."""

    def work(session: Session) -> Application:
        return deciding.take_up(session, act.actor, application, now=act.now)

    return act.on_application("POST application review", application, work)


@api.get("/applications/{application}/review", tags=["applications"])
def review_application(application: Identifier, look: Looking) -> ReviewView:
    """An application as the office opens it; that it was opened is kept and shown to the applicant."""
    return look.opening(
        lambda session: reading.for_review(session, look.actor, look.vault, application, now=look.now)
    )


@api.get("/applications/{application}/review/documents/{document}", tags=["applications"])
def review_document(application: Identifier, document: Identifier, look: Looking) -> Response:
    """A document as the office opens it; that it was opened is kept and shown to the applicant."""

    def work(session: Session) -> tuple[ApplicationDocument, bytes]:
        return deciding.document(session, look.actor, look.vault, application, document, now=look.now)

    return document_answer(*look.opening(work))


@api.post("/applications/{application}/return", tags=["applications"], response_model=ApplicationReceipt)
def return_application(application: Identifier, command: Return, act: Acting) -> Response:
    """Return an application with one list of all its defects (talent office)."""

    def work(session: Session) -> Application:
        return deciding.send_back(session, act.actor, act.vault, application, command, now=act.now)

    return act.on_application("POST application return", application, work, command)


@api.post("/applications/{application}/rejection", tags=["applications"], response_model=ApplicationReceipt)
def reject_application(application: Identifier, command: Reject, act: Acting) -> Response:
    """Reject an application with its reason (talent office)."""

    def work(session: Session) -> Application:
        return deciding.reject(session, act.actor, act.vault, application, command, now=act.now)

    return act.on_application("POST application rejection", application, work, command)


@api.post("/applications/{application}/approval", tags=["applications"], response_model=ApplicationReceipt)
def approve_application(application: Identifier, command: Approve, act: Acting) -> Response:
    """Approve an application, and verify the claim that it proves (talent office)."""

    def work(session: Session) -> Application:
        return deciding.approve(session, act.actor, act.vault, application, command, now=act.now)

    return act.on_application("POST application approval", application, work, command)


@api.get("/me/tier", tags=["recognitions"])
def get_own_tier(look: Looking) -> TierView:
    """My tier today, and every recognition with its term, reasons and what it stands on."""
    return look.read(lambda session: reading.own_tier(session, look.actor, look.vault, now=look.now))


@api.get("/recognitions", tags=["recognitions"])
def list_recognitions(look: Looking) -> Waiting:
    """What waits for its second person (talent office)."""
    return look.read(lambda session: Waiting(items=reading.waiting_recognitions(session, look.actor)))


@api.get("/recognitions/{recognition}", tags=["recognitions"])
def get_recognition(recognition: Identifier, look: Looking) -> ConfirmationView:
    """A recognition as the second person opens it; that it was opened is kept and shown to its holder."""
    return look.opening(
        lambda session: reading.for_confirmation(session, look.actor, look.vault, recognition, now=look.now)
    )


@api.post(
    "/recognitions/{recognition}/confirmation", tags=["recognitions"], response_model=RecognitionReceipt
)
def confirm_recognition(recognition: Identifier, command: Confirm, act: Acting) -> Response:
    """Let a verified recognition count (talent office, not whoever verified it)."""

    def work(session: Session) -> TierRecognition:
        return recognitions.confirm(session, act.actor, act.vault, recognition, command, now=act.now)

    return act.on_recognition("POST recognition confirmation", recognition, work, command)


@api.post("/recognitions/{recognition}/refusal", tags=["recognitions"], response_model=RecognitionReceipt)
def refuse_recognition(recognition: Identifier, command: Refuse, act: Acting) -> Response:
    """Refuse to confirm a verified recognition (talent office, not whoever verified it)."""

    def work(session: Session) -> TierRecognition:
        return recognitions.refuse(session, act.actor, act.vault, recognition, command, now=act.now)

    return act.on_recognition("POST recognition refusal", recognition, work, command)


@api.post("/recognitions/{recognition}/ending", tags=["recognitions"], response_model=RecognitionReceipt)
def end_recognition(recognition: Identifier, command: End, act: Acting) -> Response:
    """Adjust or revoke a recognition (talent office, not whoever confirmed it)."""

    def work(session: Session) -> TierRecognition:
        return recognitions.end(session, act.actor, act.vault, recognition, command, now=act.now)

    return act.on_recognition("POST recognition ending", recognition, work, command)


@api.post("/registers", tags=["shared registers"], response_model=ImportReport, max_body_size=REGISTER_LIMIT)
def import_register(
    file: Annotated[UploadFile, File(description="CSV in UTF-8 with the columns kind and number")],
    act: Acting,
) -> Response:
    """Import numbers that another office shares (big-data bureau). Lines that are wrong are listed."""
    raw = file.file.read(IMPORT_LIMIT + 1)

    def work(session: Session) -> ImportReport:
        return register.import_csv(session, act.actor, act.vault, raw, now=act.now)

    return act.perform("POST register", "", work, sent=raw.hex())
