"""JSON API of the operator's mandates and of admissions to the modules."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel
from sqlalchemy.orm import Session
from starlette.responses import Response

from talentseal.accounts.access import ApiActor, Db
from talentseal.accounts.calls import Call
from talentseal.partners import access, mandates
from talentseal.partners.access_models import AccessState, ModuleAccess, OperatorMandate
from talentseal.partners.access_schemas import (
    AccessReceipt,
    AccessSummary,
    AccessView,
    ApplyForFinance,
    Because,
    DraftMandate,
    MandateReceipt,
    MandateView,
    OpenNegotiation,
)
from talentseal.partners.schemas import Identifier

api = APIRouter(tags=["admission"])

MandatePath = Annotated[Identifier, Path()]
AccessPath = Annotated[Identifier, Path()]


class MandateList(BaseModel):
    """Mandates, newest first."""

    items: list[MandateView]


class AccessList(BaseModel):
    """Admissions, newest first."""

    items: list[AccessSummary]


@api.get("/mandates")
def list_mandates(actor: ApiActor, database: Db) -> MandateList:
    """The operator's mandates with their steps."""
    return database.read(lambda session: MandateList(items=mandates.views(session, actor)))


@api.post("/mandates", status_code=201, response_model=MandateReceipt)
def draft_mandate(command: DraftMandate, call: Call) -> Response:
    """Draft a mandate (talent office)."""

    def work(session: Session) -> MandateReceipt:
        return _mandate(mandates.draft(session, call.actor, command, now=call.now))

    return call.perform("POST mandate", command.model_dump(mode="json"), work, status=201)


@api.post("/mandates/{mandate_id}/activation", response_model=MandateReceipt)
def activate_mandate(mandate_id: MandatePath, call: Call) -> Response:
    """Make a mandate live (talent office, not who drafted it); no day has two."""

    def work(session: Session) -> MandateReceipt:
        return _mandate(mandates.activate(session, call.actor, mandate_id, now=call.now))

    return call.perform("POST mandate activation", {"mandate": mandate_id}, work)


@api.post("/mandates/{mandate_id}/end", response_model=MandateReceipt)
def end_mandate(mandate_id: MandatePath, command: Because, call: Call) -> Response:
    """End a mandate before its last day, or drop a draft (talent office)."""

    def work(session: Session) -> MandateReceipt:
        return _mandate(mandates.end(session, call.actor, mandate_id, command.reason, now=call.now))

    return call.perform("POST mandate end", {"mandate": mandate_id, "reason": command.reason}, work)


@api.get("/access")
def list_access(actor: ApiActor, database: Db) -> AccessList:
    """The admissions that one may see: all of them, or one's own."""

    def read(session: Session) -> AccessList:
        return AccessList(items=[AccessSummary.of(row, name) for row, name in access.listed(session, actor)])

    return database.read(read)


@api.post("/access/finance", status_code=201, response_model=AccessReceipt)
def apply_for_finance(command: ApplyForFinance, call: Call) -> Response:
    """Apply for the finance module (the enterprise itself), or again after a return."""

    def work(session: Session) -> AccessReceipt:
        return access_receipt(access.apply(session, call.actor, command, now=call.now))

    return call.perform("POST finance application", command.model_dump(mode="json"), work, status=201)


@api.post("/access/consumption", status_code=201, response_model=AccessReceipt)
def open_negotiation(command: OpenNegotiation, call: Call) -> Response:
    """Open a negotiation on the consumption module (operator, under its mandate)."""

    def work(session: Session) -> AccessReceipt:
        return access_receipt(access.open_negotiation(session, call.actor, command, now=call.now))

    return call.perform("POST consumption negotiation", command.model_dump(mode="json"), work, status=201)


@api.get("/access/{access_id}")
def get_access(access_id: AccessPath, actor: ApiActor, database: Db) -> AccessView:
    """One admission with its steps."""
    return database.read(lambda session: access.view(session, actor, access_id))


@api.post("/access/{access_id}/examination", response_model=AccessReceipt)
def examine_access(access_id: AccessPath, command: Because, call: Call) -> Response:
    """Say what the examination found (financial affairs bureau)."""
    return _because("examination", access.examine, access_id, command, call)


@api.post("/access/{access_id}/terms", response_model=AccessReceipt)
def agree_access_terms(access_id: AccessPath, call: Call) -> Response:
    """Note that the terms are agreed (operator)."""
    return _plainly("terms", access.agree_terms, access_id, call)


@api.post("/access/{access_id}/filing", response_model=AccessReceipt)
def file_access(access_id: AccessPath, call: Call) -> Response:
    """Lay a signed admission before the talent office (operator)."""
    return _plainly("filing", access.file, access_id, call)


@api.post("/access/{access_id}/abandonment", response_model=AccessReceipt)
def abandon_access(access_id: AccessPath, command: Because, call: Call) -> Response:
    """Give a negotiation up (operator)."""
    return _because("abandonment", access.abandon, access_id, command, call)


@api.post("/access/{access_id}/admission", response_model=AccessReceipt)
def admit_access(access_id: AccessPath, call: Call) -> Response:
    """Admit, with evidence; or let a paused admission go on (talent office)."""
    return _plainly("admission", access.admit, access_id, call)


@api.post("/access/{access_id}/refusal", response_model=AccessReceipt)
def refuse_access(access_id: AccessPath, command: Because, call: Call) -> Response:
    """Refuse an examined application (talent office)."""
    return _because("refusal", access.refuse, access_id, command, call)


@api.post("/access/{access_id}/pause", response_model=AccessReceipt)
def pause_access(access_id: AccessPath, command: Because, call: Call) -> Response:
    """Pause an admission (talent office)."""
    return _because("pause", access.pause, access_id, command, call)


@api.post("/access/{access_id}/keeping", response_model=AccessReceipt)
def keep_access(access_id: AccessPath, command: Because, call: Call) -> Response:
    """Decide against pausing an admission that is proposed to be (talent office)."""
    return _because("keeping", access.keep, access_id, command, call)


@api.post("/access/{access_id}/withdrawal", response_model=AccessReceipt)
def withdraw_access(access_id: AccessPath, call: Call) -> Response:
    """Leave a module, or take an application back (the organisation itself)."""
    return _plainly("withdrawal", access.withdraw, access_id, call)


def access_receipt(row: ModuleAccess) -> AccessReceipt:
    """What an act on an admission answers."""
    reason = access.NO_LICENCE if row.state is AccessState.RETURNED else None
    return AccessReceipt(id=row.id, module=row.module, state=row.state, reason=reason)


def _plainly(name: str, act: Callable[..., ModuleAccess], access_id: str, call: Call) -> Response:
    def work(session: Session) -> AccessReceipt:
        return access_receipt(act(session, call.actor, access_id, now=call.now))

    return call.perform(f"POST access {name}", {"access": access_id}, work)


def _because(
    name: str, act: Callable[..., ModuleAccess], access_id: str, command: Because, call: Call
) -> Response:
    def work(session: Session) -> AccessReceipt:
        return access_receipt(act(session, call.actor, access_id, command.reason, now=call.now))

    return call.perform(f"POST access {name}", {"access": access_id, "reason": command.reason}, work)


def _mandate(row: OperatorMandate) -> MandateReceipt:
    return MandateReceipt(id=row.id, state=row.state)
