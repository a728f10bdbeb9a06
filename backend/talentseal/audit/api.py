"""JSON API of evidence: state, bundle, `.tlog-proof`, correction, retraction, erasure."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, StringConstraints
from sqlalchemy.orm import Session
from starlette.responses import Response

from sealproof.entry import Relation
from talentseal.accounts.access import ApiActor, Db, Now
from talentseal.accounts.roles import Actor, Permission
from talentseal.agreements import proofs as agreement_proofs
from talentseal.agreements import reading
from talentseal.agreements.api import AgreementPath, VersionPath
from talentseal.agreements.reading import Promise
from talentseal.audit import certificate, corrections, proofs, trail, visibility
from talentseal.audit.certificate import Certificate, Issuer
from talentseal.audit.models import RecordClosure
from talentseal.audit.proofs import Notary, Proof
from talentseal.audit.schemas import (
    CloseRecord,
    Closure,
    EraseContent,
    ErasureReceipt,
    EvidenceLine,
    EvidencePage,
    RecordReceipt,
    RecordView,
)
from talentseal.audit.trail import Period
from talentseal.db import Database
from talentseal.evidence import bundles, records, status
from talentseal.evidence.records import Recorded
from talentseal.web.idempotency import Answer, IdempotencyKey, Once, fingerprint, perform

api = APIRouter(tags=["evidence"])

RecordPath = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$", description="32 lower-case hex digits")]
FieldNames = Annotated[
    list[Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,64}$")]] | None,
    Query(
        description="Fields to disclose; left out: all, with the agreement's section",
        max_length=32,
    ),
]

BUNDLE_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/json": {"schema": {"type": "object"}}}}
}
TEXT_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/plain": {"schema": {"type": "string"}}}}
}
PDF_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}}
}


@dataclass(frozen=True, slots=True)
class AuditDesk:
    """Set as `app.state.audit`."""

    issuer: Issuer
    promise: Promise

    @property
    def notary(self) -> Notary:
        return self.issuer.notary


async def _desk(request: Request) -> AuditDesk:
    desk: AuditDesk = request.app.state.audit
    return desk


Desk = Annotated[AuditDesk, Depends(_desk)]


@dataclass(frozen=True, slots=True)
class _Call:
    """One unsafe request about a record, made ready to be performed once."""

    database: Database
    desk: AuditDesk
    actor: Actor
    key: str
    now: datetime

    def perform(
        self, route: str, record_id: str, command: BaseModel, effect: Callable[[Session], Answer]
    ) -> Response:
        meaning = {"record": record_id, "command": command.model_dump(mode="json")}
        once = Once(self.actor.account_id, route, self.key, fingerprint(route, meaning))
        return perform(self.database, once, effect, now=self.now)

    def receipt(self, session: Session, recorded: Recorded) -> Answer:
        promise = self.desk.promise(records.find(session, recorded.id))
        return Answer(201, RecordReceipt(record=recorded.id, promise=promise))


async def _call(actor: ApiActor, database: Db, desk: Desk, now: Now, key: IdempotencyKey) -> _Call:
    return _Call(database, desk, actor, key, now)


Call = Annotated[_Call, Depends(_call)]


@api.get("/evidence")
def list_evidence(
    actor: ApiActor,
    database: Db,
    *,
    after: Annotated[str | None, Query(pattern=r"^[0-9a-f]{32}$")] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
    kind: Annotated[int | None, Query(ge=0, le=255)] = None,
    first: Annotated[date | None, Query(description="First day, Asia/Shanghai")] = None,
    last: Annotated[date | None, Query(description="Last day, Asia/Shanghai")] = None,
) -> EvidencePage:
    """The records that concern one's own organisation, the newest first."""
    period = Period(kind, first, last)
    found = database.read(
        lambda session: trail.trail_of(session, actor, after=after, limit=limit, period=period)
    )
    return EvidencePage(items=[EvidenceLine.of(line) for line in found.lines], next=found.next)


@api.get("/evidence/{record_id}")
def get_record(record_id: RecordPath, actor: ApiActor, database: Db, desk: Desk) -> RecordView:
    """How far a record has come, and what closes it."""

    def work(session: Session) -> RecordView:
        row = visibility.see(session, actor, record_id).row
        return RecordView(
            record=row.id,
            kind=row.kind,
            state=status.state_of(session, row),
            recorded_at=row.recorded_at,
            leaf_hash=bytes(row.leaf_hash).hex(),
            index=row.log_index,
            relation=None if row.relation is None else Relation(row.relation),
            refers_to=row.refers_to,
            closed_by=[_closure(each) for each in corrections.effective(session, row.id)],
            content_kept=bool(records.disclosures_of(session, row.id)),
            deadline=row.deadline,
            promise=desk.promise(row),
        )

    return database.read(work)


def _closure(row: RecordClosure) -> Closure:
    return Closure(relation=row.relation, record=row.record_id)


@api.get("/evidence/{record_id}/bundle", response_class=Response, responses=BUNDLE_ANSWER)
def get_bundle(
    record_id: RecordPath, actor: ApiActor, database: Db, desk: Desk, disclose: FieldNames = None
) -> Response:
    """The record's proof bundle (`.seal.json`), verified before it is handed out."""
    names = None if disclose is None else frozenset(disclose)
    proof = database.read(
        lambda session: proofs.proof_of(session, actor, record_id, desk.notary, names=names)
    )
    return as_bundle(proof, record_id)


@api.get("/evidence/{record_id}/tlog-proof", response_class=Response, responses=TEXT_ANSWER)
def get_tlog_proof(record_id: RecordPath, actor: ApiActor, database: Db, desk: Desk) -> Response:
    """The record's inclusion as a C2SP `.tlog-proof`."""
    proof = database.read(lambda session: proofs.proof_of(session, actor, record_id, desk.notary))
    return as_tlog_proof(proof, record_id)


@api.get("/evidence/{record_id}/certificate", response_class=Response, responses=PDF_ANSWER)
def get_certificate(record_id: RecordPath, actor: ApiActor, database: Db, desk: Desk) -> Response:
    """The record's certificate: one page of PDF/A in Chinese, with the proof bundle attached inside."""
    return as_pdf(certificate.of_record(database, actor, record_id, desk.issuer))


@api.get("/agreements/{agreement_id}/certificate", response_class=Response, responses=PDF_ANSWER)
def get_agreement_certificate(
    agreement_id: AgreementPath, actor: ApiActor, database: Db, desk: Desk
) -> Response:
    """The certificate of an agreement's whole history, with the proof bundle of each version attached."""
    return as_pdf(certificate.of_agreement(database, actor, agreement_id, desk.issuer))


@api.get(
    "/agreements/{agreement_id}/versions/{version}/bundle", response_class=Response, responses=BUNDLE_ANSWER
)
def get_agreement_bundle(
    agreement_id: AgreementPath, version: VersionPath, actor: ApiActor, database: Db, desk: Desk
) -> Response:
    """The proof bundle of a signed version."""
    record_id = database.read(lambda session: _record_of(session, actor, agreement_id, version))
    return as_bundle(
        database.read(lambda session: proofs.proof_of(session, actor, record_id, desk.notary)), record_id
    )


@api.get(
    "/agreements/{agreement_id}/versions/{version}/tlog-proof",
    response_class=Response,
    responses=TEXT_ANSWER,
)
def get_agreement_tlog_proof(
    agreement_id: AgreementPath, version: VersionPath, actor: ApiActor, database: Db, desk: Desk
) -> Response:
    """The `.tlog-proof` of a signed version."""
    record_id = database.read(lambda session: _record_of(session, actor, agreement_id, version))
    return as_tlog_proof(
        database.read(lambda session: proofs.proof_of(session, actor, record_id, desk.notary)), record_id
    )


def _record_of(session: Session, actor: Actor, agreement_id: str, number: int) -> str:
    record_id = reading.version_of(session, actor, agreement_id, number).record_id
    if record_id is None:
        raise reading.NotEvidencedYet
    return record_id


def as_bundle(proof: Proof, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}.seal.json"'}
    return Response(proof.raw, media_type="application/json", headers=headers)


def as_pdf(made: Certificate) -> Response:
    """A certificate as a download."""
    headers = {"Content-Disposition": f'attachment; filename="{made.file_name}"'}
    return Response(made.pdf, media_type="application/pdf", headers=headers)


def as_tlog_proof(proof: Proof, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}.tlog-proof"'}
    return Response(bundles.tlog_proof(proof.bundle), media_type="text/plain", headers=headers)


@api.post("/evidence/{record_id}/corrections", status_code=201, response_model=RecordReceipt)
def correct(record_id: RecordPath, command: CloseRecord, call: Call) -> Response:
    """Record that this record was wrong from the start."""

    def effect(session: Session) -> Answer:
        recorded = corrections.correct(
            session, call.actor, record_id, command.reason, command.explanation, now=call.now
        )
        return call.receipt(session, recorded)

    return call.perform("POST correction", record_id, command, effect)


@api.post("/evidence/{record_id}/retractions", status_code=201, response_model=RecordReceipt)
def retract(record_id: RecordPath, command: CloseRecord, call: Call) -> Response:
    """Record that this record should never have been made."""

    def effect(session: Session) -> Answer:
        recorded = corrections.retract(
            session, call.actor, record_id, command.reason, command.explanation, now=call.now
        )
        return call.receipt(session, recorded)

    return call.perform("POST retraction", record_id, command, effect)


@api.post("/evidence/{record_id}/erasure", response_model=ErasureReceipt)
def erase(record_id: RecordPath, command: EraseContent, call: Call) -> Response:
    """Destroy the content behind a record's digests; for an agreement, all that is kept of its version."""

    def effect(session: Session) -> Answer:
        call.actor.require(Permission.DISCLOSURE_ERASE)
        visibility.see(session, call.actor, record_id)
        version = agreement_proofs.version_of_record(session, record_id)
        if version is not None:
            agreement_proofs.erase(session, version, command.reason, now=call.now)
        records.erase(session, record_id, command.reason, now=call.now)
        return Answer(200, ErasureReceipt(record=record_id, content_kept=False))

    return call.perform("POST erasure", record_id, command, effect)
