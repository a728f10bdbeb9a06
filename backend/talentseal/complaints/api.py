"""JSON API of complaints, marks and service records."""

from collections.abc import Callable
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel
from sqlalchemy.orm import Session
from starlette.responses import Response

from talentseal.accounts.access import ApiActor, Db, Now, TheVault
from talentseal.accounts.calls import Call
from talentseal.accounts.schemas import OrganisationId
from talentseal.complaints import ratings, reading, service, service_records
from talentseal.complaints.models import Complaint, Rating
from talentseal.complaints.schemas import (
    ComplaintLine,
    ComplaintList,
    ComplaintReceipt,
    ComplaintView,
    DecideComplaint,
    FileComplaint,
    Identifier,
    PromiseView,
    Rate,
    RatingReceipt,
    Say,
    ServiceRecordList,
    TargetView,
)
from talentseal.complaints.states import ComplaintState

api = APIRouter(tags=["complaints"])

ComplaintPath = Annotated[Identifier, Path()]
RedemptionPath = Annotated[Identifier, Path()]
OrganisationPath = Annotated[OrganisationId, Path()]
After = Annotated[str, Query(pattern=r"^([0-9a-f]{32})?$")]
Limit = Annotated[int, Query(ge=1, le=100)]


def _perform(
    call: Call,
    route: str,
    work: Callable[[Session], Complaint],
    *,
    command: BaseModel | None = None,
    complaint: str = "",
    status: int = 200,
) -> Response:
    def answer(session: Session) -> ComplaintReceipt:
        row = work(session)
        return ComplaintReceipt(id=row.id, state=row.state)

    said: dict[str, Any] = command.model_dump(mode="json") if command else {}
    return call.perform(route, {"complaint": complaint, **said}, answer, status=status)


def _said(
    call: Call,
    vault: TheVault,
    route: str,
    act: Callable[..., Complaint],
    *,
    complaint: str,
    command: Say,
) -> Response:
    """An act that says something."""
    return _perform(
        call,
        route,
        lambda session: act(session, call.actor, vault, complaint, command, now=call.now),
        command=command,
        complaint=complaint,
    )


def _marked(row: Rating) -> RatingReceipt:
    return RatingReceipt(id=row.id, stars=row.stars, changeable_until=row.changeable_until)


@api.get("/complaint-targets")
def list_targets(actor: ApiActor, database: Db) -> list[TargetView]:
    """The organisations that I can complain of (talents)."""
    return database.read(lambda session: reading.targets(session, actor))


@api.get("/complaint-targets/{organisation_id}/promises")
def list_promises(
    organisation_id: OrganisationPath, actor: ApiActor, database: Db, now: Now
) -> list[PromiseView]:
    """What an organisation has promised under its agreements in force (talents)."""
    return database.read(lambda session: reading.promises(session, actor, organisation_id, now=now))


@api.get("/me/complaints")
def list_own_complaints(actor: ApiActor, database: Db, now: Now) -> list[ComplaintLine]:
    """My complaints, the newest first."""
    return database.read(lambda session: reading.own_complaints(session, actor, now=now))


@api.post("/me/complaints", status_code=201, response_model=ComplaintReceipt)
def file_complaint(command: FileComplaint, call: Call, vault: TheVault) -> Response:
    """Complain of an organisation."""
    return _perform(
        call,
        "POST complaint",
        lambda session: service.file(session, call.actor, vault, command, now=call.now),
        command=command,
        status=201,
    )


@api.get("/me/complaints/{complaint_id}")
def get_own_complaint(
    complaint_id: ComplaintPath, actor: ApiActor, database: Db, vault: TheVault, now: Now
) -> ComplaintView:
    """One of my complaints with everything that was said."""
    return database.read(lambda session: reading.own_complaint(session, actor, vault, complaint_id, now=now))


@api.post("/me/complaints/{complaint_id}/closing", response_model=ComplaintReceipt)
def close_complaint(complaint_id: ComplaintPath, call: Call) -> Response:
    """Be content with the answer."""
    return _perform(
        call,
        "POST complaint closing",
        lambda session: service.close(session, call.actor, complaint_id, now=call.now),
        complaint=complaint_id,
    )


@api.post("/me/complaints/{complaint_id}/reopening", response_model=ComplaintReceipt)
def reopen_complaint(complaint_id: ComplaintPath, command: Say, call: Call, vault: TheVault) -> Response:
    """Contest the answer, or that none came in time, once; the talent office decides then."""
    return _said(
        call, vault, "POST complaint reopening", service.reopen, complaint=complaint_id, command=command
    )


@api.post("/me/complaints/{complaint_id}/rating", response_model=RatingReceipt)
def rate_complaint(complaint_id: ComplaintPath, command: Rate, call: Call, vault: TheVault) -> Response:
    """Mark how my complaint was dealt with, or change the mark within 7 days."""
    return call.perform(
        "POST complaint rating",
        {"complaint": complaint_id, **command.model_dump(mode="json")},
        lambda session: _marked(
            ratings.rate_complaint(session, call.actor, vault, complaint_id, command, now=call.now)
        ),
    )


@api.post("/me/redemptions/{redemption_id}/rating", response_model=RatingReceipt)
def rate_redemption(redemption_id: RedemptionPath, command: Rate, call: Call, vault: TheVault) -> Response:
    """Mark the service at my use of a benefit, or change the mark within 7 days."""
    return call.perform(
        "POST redemption rating",
        {"redemption": redemption_id, **command.model_dump(mode="json")},
        lambda session: _marked(
            ratings.rate_redemption(session, call.actor, vault, redemption_id, command, now=call.now)
        ),
    )


@api.get("/complaints")
def list_complaints(
    actor: ApiActor,
    database: Db,
    now: Now,
    state: ComplaintState | None = None,
    *,
    overdue: bool = False,
    after: After = "",
    limit: Limit = 20,
) -> ComplaintList:
    """Complaints against my organisation, or all of them (talent office), the newest first."""
    return database.read(
        lambda session: reading.complaint_list(
            session, actor, state=state, overdue=overdue, after=after, limit=limit, now=now
        )
    )


@api.get("/complaints/{complaint_id}")
def get_complaint(
    complaint_id: ComplaintPath, actor: ApiActor, database: Db, vault: TheVault, now: Now
) -> ComplaintView:
    """One complaint, without its complainant's name."""
    return database.read(lambda session: reading.complaint_view(session, actor, vault, complaint_id, now=now))


@api.post("/complaints/{complaint_id}/acceptance", response_model=ComplaintReceipt)
def accept_complaint(complaint_id: ComplaintPath, call: Call) -> Response:
    """Accept a complaint; one of refused service is accepted by the talent office."""
    return _perform(
        call,
        "POST complaint acceptance",
        lambda session: service.accept(session, call.actor, complaint_id, now=call.now),
        complaint=complaint_id,
    )


@api.post("/complaints/{complaint_id}/processing", response_model=ComplaintReceipt)
def process_complaint(complaint_id: ComplaintPath, call: Call) -> Response:
    """Say that my organisation is looking into it."""
    return _perform(
        call,
        "POST complaint processing",
        lambda session: service.process(session, call.actor, complaint_id, now=call.now),
        complaint=complaint_id,
    )


@api.post("/complaints/{complaint_id}/answer", response_model=ComplaintReceipt)
def answer_complaint(complaint_id: ComplaintPath, command: Say, call: Call, vault: TheVault) -> Response:
    """Answer for my organisation."""
    return _said(
        call, vault, "POST complaint answer", service.answer, complaint=complaint_id, command=command
    )


@api.post("/complaints/{complaint_id}/statement", response_model=ComplaintReceipt)
def state_side(complaint_id: ComplaintPath, command: Say, call: Call, vault: TheVault) -> Response:
    """Say something for my organisation while the talent office has yet to decide."""
    return _said(
        call, vault, "POST complaint statement", service.state_side, complaint=complaint_id, command=command
    )


@api.post("/complaints/{complaint_id}/escalation", response_model=ComplaintReceipt)
def escalate_complaint(complaint_id: ComplaintPath, call: Call) -> Response:
    """Take up a reopened complaint (talent office)."""
    return _perform(
        call,
        "POST complaint escalation",
        lambda session: service.escalate(session, call.actor, complaint_id, now=call.now),
        complaint=complaint_id,
    )


@api.post("/complaints/{complaint_id}/decision", response_model=ComplaintReceipt)
def decide_complaint(
    complaint_id: ComplaintPath, command: DecideComplaint, call: Call, vault: TheVault
) -> Response:
    """Uphold, which alleges a breach where a promise is named, or dismiss (talent office)."""
    return _perform(
        call,
        "POST complaint decision",
        lambda session: service.decide(session, call.actor, vault, complaint_id, command, now=call.now),
        command=command,
        complaint=complaint_id,
    )


@api.get("/service-records")
def list_service_records(
    actor: ApiActor, database: Db, now: Now, since: date | None = None, through: date | None = None
) -> ServiceRecordList:
    """How my organisation, or every one (talent office), has served: complaints, marks, breaches."""
    return database.read(
        lambda session: service_records.service_records(session, actor, since=since, through=through, now=now)
    )
