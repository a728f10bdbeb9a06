"""JSON API of agreements. Rules live in the services; a route answers after the commit."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, File, Form, Path, Query, Request, UploadFile
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from sqlalchemy.orm import Session
from starlette.responses import Response

from sealproof.eip712 import Domain
from talentseal.accounts.access import ApiActor, Db, Now
from talentseal.accounts.roles import Actor, Permission
from talentseal.agreements import documents, reading, signing, submission, termination
from talentseal.agreements.documents import DocumentCipher, MediaType
from talentseal.agreements.models import AgreementVersion
from talentseal.agreements.reading import Promise, Wanted
from talentseal.agreements.schemas import (
    AgreementReceipt,
    AgreementSummary,
    AgreementView,
    Discarded,
    HashOnlySubmission,
    ReturnInput,
    SignatureInput,
    TerminationInput,
    TypedData,
    UploadedSubmission,
)
from talentseal.agreements.states import AgreementState
from talentseal.agreements.submission import Intake, Submitted
from talentseal.db import Database
from talentseal.web.idempotency import Answer, IdempotencyKey, Once, fingerprint, perform

UPLOAD_LIMIT = documents.SIZE_LIMIT + 1024 * 1024
"""Bytes of an upload request: the document, its JSON part and the multipart frame."""

_VERSION = "/{agreement_id}/versions/{version}"

api = APIRouter(tags=["agreements"], prefix="/agreements")

AgreementPath = Annotated[
    str, Path(pattern=r"^0x[0-9a-f]{64}$", description="0x and 64 lower-case hex digits")
]
VersionPath = Annotated[int, Path(ge=1, le=2**31 - 1)]


@dataclass(frozen=True, slots=True)
class AgreementDesk:
    """Set as `app.state.agreements`.

    domain: reads the open chain epoch's contract; promise: signs for the log.
    """

    cipher: DocumentCipher
    domain: Callable[[Session], Domain]
    promise: Promise


class AgreementPage(BaseModel):
    """A page of versions, newest first. next: cursor of the following page, null on the last."""

    items: list[AgreementSummary]
    next: str | None


async def _desk(request: Request) -> AgreementDesk:
    desk: AgreementDesk = request.app.state.agreements
    return desk


Desk = Annotated[AgreementDesk, Depends(_desk)]


@dataclass(frozen=True, slots=True)
class _Call:
    """One unsafe request about an agreement, made ready to be performed once."""

    database: Database
    desk: AgreementDesk
    actor: Actor
    key: str
    now: datetime

    def perform(self, route: str, meaning: Any, work: Callable[[Session], Submitted]) -> Response:
        """Run `work` once; 201 when it made something, 200 when it was there already."""

        def effect(session: Session) -> Answer:
            done = work(session)
            body = reading.receipt(session, done.version, self.desk.promise, now=self.now)
            return Answer(201 if done.created else 200, body)

        return self.answer(route, meaning, effect)

    def answer(self, route: str, meaning: Any, effect: Callable[[Session], Answer]) -> Response:
        """Run `effect` once under the request's Idempotency-Key."""
        once = Once(self.actor.account_id, route, self.key, fingerprint(route, meaning))
        return perform(self.database, once, effect, now=self.now)

    def change(self, route: str, meaning: Any, work: Callable[[Session], AgreementVersion]) -> Response:
        """Run a `work` that makes no new version."""
        return self.perform(route, meaning, lambda session: Submitted(work(session), created=False))


async def _call(actor: ApiActor, database: Db, desk: Desk, now: Now, key: IdempotencyKey) -> _Call:
    return _Call(database, desk, actor, key, now)


Call = Annotated[_Call, Depends(_call)]

UploadedDocument = Annotated[UploadFile, File(description="PDF or .docx, at most 10 MiB")]
UploadedTerms = Annotated[str, Form(description="JSON of UploadedSubmission", max_length=1024 * 1024)]


def _hash_only(command: HashOnlySubmission) -> Intake:
    return Intake(command, command.document.to_digests(), secrets.token_hex(16), None)


def _uploaded(cipher: DocumentCipher, agreement: str, document: UploadFile) -> Intake:
    """Examine and encrypt an upload, outside any transaction.

    Raises RequestValidationError and document errors.
    """
    try:
        command = UploadedSubmission.model_validate_json(agreement)
    except ValidationError as error:
        found = [{**item, "loc": ("body", "agreement", *item["loc"])} for item in error.errors()]
        raise RequestValidationError(found) from None
    digests = documents.examine(document.file)
    document_id = secrets.token_hex(16)
    sealed = cipher.seal(document_id, digests, document.file.read()) if command.keep_document else None
    return Intake(command, digests, document_id, sealed)


def _submit(call: _Call, intake: Intake) -> Response:
    def work(session: Session) -> Submitted:
        domain = call.desk.domain(session)
        return submission.submit(session, call.actor, intake, now=call.now, domain=domain)

    return call.perform(
        "POST agreement", {"submission": intake.fingerprint, "draft": intake.submission.draft}, work
    )


def _amend(call: _Call, agreement_id: str, version: int, intake: Intake) -> Response:
    def work(session: Session) -> Submitted:
        domain = call.desk.domain(session)
        return submission.amend(
            session, call.actor, agreement_id, version, intake, now=call.now, domain=domain
        )

    meaning = {
        "agreement": agreement_id,
        "version": version,
        "submission": intake.fingerprint,
        "draft": intake.submission.draft,
    }
    return call.perform("POST amendment", meaning, work)


@api.post("", status_code=201, response_model=AgreementReceipt, responses={200: {"model": AgreementReceipt}})
def submit(command: HashOnlySubmission, call: Call) -> Response:
    """Submit an agreement by its document's digests; 200 when it had been submitted before."""
    return _submit(call, _hash_only(command))


@api.post(
    "/upload",
    status_code=201,
    response_model=AgreementReceipt,
    responses={200: {"model": AgreementReceipt}},
    max_body_size=UPLOAD_LIMIT,
    form_limits={"max_files": 1, "max_fields": 1, "max_part_size": 1024 * 1024},
)
def upload(agreement: UploadedTerms, document: UploadedDocument, call: Call) -> Response:
    """Submit an agreement with its document; 200 when it had been submitted before."""
    call.actor.require(Permission.AGREEMENT_SUBMIT)
    return _submit(call, _uploaded(call.desk.cipher, agreement, document))


@api.get("")
def list_agreements(
    actor: ApiActor,
    database: Db,
    now: Now,
    *,
    after: Annotated[str | None, Query(pattern=r"^[0-9a-f]{32}$")] = None,
    limit: Annotated[int, Query(ge=1, le=50)] = 20,
    state: AgreementState | None = None,
    text: Annotated[str, Query(max_length=200, description="Part of number or title")] = "",
) -> AgreementPage:
    """The versions one may see, newest first."""

    def page(session: Session) -> AgreementPage:
        wanted = Wanted(state, text.strip())
        found = reading.page_of(session, actor, after=after, limit=limit, now=now, wanted=wanted)
        return AgreementPage(items=[reading.summary(each) for each in found.standings], next=found.next)

    return database.read(page)


@api.get(_VERSION)
def get_version(
    agreement_id: AgreementPath, version: VersionPath, actor: ApiActor, database: Db, now: Now
) -> AgreementView:
    """One version in full."""
    return database.read(
        lambda session: reading.view(
            session, reading.version_of(session, actor, agreement_id, version), now=now
        )
    )


@api.get(_VERSION + "/typed-data")
def get_typed_data(
    agreement_id: AgreementPath, version: VersionPath, actor: ApiActor, database: Db
) -> TypedData:
    """What the parties sign (eth_signTypedData_v4)."""
    return database.read(
        lambda session: reading.typed_data(reading.version_of(session, actor, agreement_id, version))
    )


@api.post(_VERSION + "/signatures", response_model=AgreementReceipt)
def sign(agreement_id: AgreementPath, version: VersionPath, command: SignatureInput, call: Call) -> Response:
    """Give one's organisation's signature; with the last one the agreement is evidenced and goes to the
    chain.
    """

    def work(session: Session) -> AgreementVersion:
        domain = call.desk.domain(session)
        return signing.sign(
            session, call.actor, agreement_id, version, command.signature, now=call.now, domain=domain
        )

    meaning = {"agreement": agreement_id, "version": version, "signature": command.signature}
    return call.change("POST signature", meaning, work)


@api.post(
    _VERSION + "/amendments",
    status_code=201,
    response_model=AgreementReceipt,
    responses={200: {"model": AgreementReceipt}},
)
def amend(
    agreement_id: AgreementPath, version: VersionPath, command: HashOnlySubmission, call: Call
) -> Response:
    """Submit the version that amends this one, by its document's digests."""
    return _amend(call, agreement_id, version, _hash_only(command))


@api.post(
    _VERSION + "/amendments/upload",
    status_code=201,
    response_model=AgreementReceipt,
    responses={200: {"model": AgreementReceipt}},
    max_body_size=UPLOAD_LIMIT,
    form_limits={"max_files": 1, "max_fields": 1, "max_part_size": 1024 * 1024},
)
def upload_amendment(
    agreement_id: AgreementPath,
    version: VersionPath,
    agreement: UploadedTerms,
    document: UploadedDocument,
    call: Call,
) -> Response:
    """Submit the version that amends this one, with its document."""
    call.actor.require(Permission.AGREEMENT_SUBMIT)
    return _amend(call, agreement_id, version, _uploaded(call.desk.cipher, agreement, document))


@api.post(_VERSION + "/submission", response_model=AgreementReceipt)
def submit_draft(agreement_id: AgreementPath, version: VersionPath, call: Call) -> Response:
    """Open a draft to its parties for signing."""
    return call.change(
        "POST submission",
        {"agreement": agreement_id, "version": version},
        lambda session: submission.submit_draft(session, call.actor, agreement_id, version, now=call.now),
    )


@api.post(_VERSION + "/return", response_model=AgreementReceipt)
def return_version(
    agreement_id: AgreementPath, version: VersionPath, command: ReturnInput, call: Call
) -> Response:
    """Decline (a party) or return (operator, talent office) before all have signed."""
    return call.change(
        "POST return",
        {"agreement": agreement_id, "version": version, "reason": command.reason},
        lambda session: submission.return_version(
            session, call.actor, agreement_id, version, command.reason, now=call.now
        ),
    )


@api.post(_VERSION + "/termination", response_model=AgreementReceipt)
def terminate(
    agreement_id: AgreementPath, version: VersionPath, command: TerminationInput, call: Call
) -> Response:
    """Draw up the version's termination for all parties to sign."""

    def work(session: Session) -> AgreementVersion:
        domain = call.desk.domain(session)
        return termination.propose(
            session, call.actor, agreement_id, version, command, now=call.now, domain=domain
        )

    meaning = {"agreement": agreement_id, "version": version, "command": command.model_dump(mode="json")}
    return call.change("POST termination", meaning, work)


@api.get(_VERSION + "/termination/typed-data")
def get_termination_typed_data(
    agreement_id: AgreementPath, version: VersionPath, actor: ApiActor, database: Db
) -> TypedData:
    """What the parties sign to terminate the version."""
    return database.read(
        lambda session: reading.termination_typed_data(
            session, reading.version_of(session, actor, agreement_id, version)
        )
    )


@api.post(_VERSION + "/termination/signatures", response_model=AgreementReceipt)
def sign_termination(
    agreement_id: AgreementPath, version: VersionPath, command: SignatureInput, call: Call
) -> Response:
    """Give one's organisation's signature over the termination."""

    def work(session: Session) -> AgreementVersion:
        domain = call.desk.domain(session)
        return termination.sign(
            session, call.actor, agreement_id, version, command.signature, now=call.now, domain=domain
        )

    meaning = {"agreement": agreement_id, "version": version, "signature": command.signature}
    return call.change("POST termination signature", meaning, work)


@api.get(
    _VERSION + "/document",
    response_class=Response,
    responses={
        200: {
            "content": {
                media.value: {"schema": {"type": "string", "format": "binary"}} for media in MediaType
            }
        }
    },
)
def get_document(
    agreement_id: AgreementPath, version: VersionPath, actor: ApiActor, database: Db, desk: Desk
) -> Response:
    """The kept document, for parties."""

    def work(session: Session) -> Response:
        row = reading.version_of(session, actor, agreement_id, version)
        return document_answer(session, actor, row, desk)

    return database.read(work)


def document_answer(session: Session, actor: Actor, row: AgreementVersion, desk: AgreementDesk) -> Response:
    """The kept document as a file. Raises as `reading.document_of`."""
    kept = reading.document_of(session, actor, row, desk.cipher)
    suffix = "pdf" if kept.media_type is MediaType.PDF else "docx"
    headers = {"Content-Disposition": f'attachment; filename="{kept.sha256[:16]}.{suffix}"'}
    return Response(kept.plain, media_type=kept.media_type.value, headers=headers)


@api.delete(_VERSION, response_model=Discarded)
def discard_draft(agreement_id: AgreementPath, version: VersionPath, call: Call) -> Response:
    """Delete a draft as if it had never been."""

    def effect(session: Session) -> Answer:
        submission.discard_draft(session, call.actor, agreement_id, version, now=call.now)
        return Answer(200, Discarded(agreement=agreement_id, version=version))

    return call.answer("DELETE draft", {"agreement": agreement_id, "version": version}, effect)
