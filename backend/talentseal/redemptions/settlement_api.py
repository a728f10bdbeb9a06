"""JSON API of settlements, for partners' and payers' own programs."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel
from sqlalchemy.orm import Session
from starlette.responses import Response

from talentseal.accounts.access import ApiActor, Db, Now
from talentseal.accounts.calls import Call
from talentseal.accounts.schemas import OrganisationId
from talentseal.benefits.api import MEDIA_TYPES, SHEET_ANSWER
from talentseal.benefits.sheets import Format
from talentseal.partners.schemas import Identifier
from talentseal.redemptions import confirming, settlement_reading, settlement_sheets, settling
from talentseal.redemptions.settlement_models import Settlement
from talentseal.redemptions.settlement_schemas import (
    ActPage,
    CloseSettlement,
    ConfirmPayment,
    CycleView,
    Object,
    OpenPeriod,
    Reconcile,
    SetCycle,
    SettlementPage,
    SettlementReceipt,
    SettlementStatementView,
    SettlementView,
    SignStatement,
)
from talentseal.redemptions.settlement_sheets import File

PDF: Final = "application/pdf"
PAPER_ANSWER: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {PDF: {"schema": {"type": "string", "format": "binary"}}}}
}

api = APIRouter(tags=["settlements"])

SettlementPath = Annotated[Identifier, Path()]
After = Annotated[str, Query(pattern=r"^([0-9a-f]{32})?$")]


def _receipt(row: Settlement) -> SettlementReceipt:
    return SettlementReceipt(
        id=row.id,
        organisation=row.organisation_id,
        period=row.period,
        state=row.state,
        statement=row.statement,
    )


def as_file(made: File, media_type: str) -> Response:
    """A download."""
    headers = {"Content-Disposition": f'attachment; filename="{made.name}"'}
    return Response(made.content, media_type=media_type, headers=headers)


def _meaning(settlement: str, command: BaseModel) -> dict[str, object]:
    return {"settlement": settlement, **command.model_dump(mode="json")}


@api.get("/settlements")
def list_settlements(actor: ApiActor, database: Db, after: After = "") -> SettlementPage:
    """The settlements in which my organisation has a part, the newest first."""
    return database.read(lambda session: settlement_reading.listed(session, actor, after=after))


@api.get("/settlements/open")
def list_open_periods(actor: ApiActor, database: Db, now: Now) -> list[OpenPeriod]:
    """What no settlement has taken in yet."""
    return database.read(lambda session: settlement_reading.open_periods(session, actor, now=now))


@api.post("/settlements", status_code=201, response_model=SettlementReceipt)
def close_settlement(command: CloseSettlement, call: Call) -> Response:
    """Close a period of a partner (operator, talent office)."""

    def work(session: Session) -> SettlementReceipt:
        return _receipt(settling.close(session, call.actor, command, now=call.now))

    return call.perform("POST settlement", command.model_dump(mode="json"), work, status=201)


@api.put("/settlements/cycles/{organisation}", response_model=CycleView)
def set_settlement_cycle(
    organisation: Annotated[OrganisationId, Path()], command: SetCycle, call: Call
) -> Response:
    """Say how often a partner is settled with (operator, talent office)."""

    def work(session: Session) -> CycleView:
        cycle = settling.set_cycle(session, call.actor, organisation, command, now=call.now)
        return CycleView(organisation=organisation, cycle=cycle)

    meaning = {"organisation": organisation, **command.model_dump(mode="json")}
    return call.perform("PUT settlement cycle", meaning, work)


@api.get("/settlements/{settlement_id}")
def get_settlement(settlement_id: SettlementPath, actor: ApiActor, database: Db) -> SettlementView:
    """One settlement: its lines, sums, signatures and steps."""
    return database.read(lambda session: settlement_reading.view(session, actor, settlement_id))


@api.get("/settlements/{settlement_id}/acts")
def list_settlement_acts(
    settlement_id: SettlementPath, actor: ApiActor, database: Db, after: After = ""
) -> ActPage:
    """The redemptions and reversals in it, without the person."""
    return database.read(lambda session: settlement_reading.acts(session, actor, settlement_id, after=after))


@api.get("/settlements/{settlement_id}/statement")
def get_settlement_statement(
    settlement_id: SettlementPath, actor: ApiActor, database: Db, now: Now
) -> SettlementStatementView:
    """The text that my organisation signs (EIP-191)."""
    return database.read(lambda session: settlement_reading.statement(session, actor, settlement_id, now=now))


@api.get("/settlements/{settlement_id}/sheet", response_class=Response, responses=SHEET_ANSWER)
def get_settlement_sheet(
    settlement_id: SettlementPath,
    actor: ApiActor,
    database: Db,
    form: Annotated[Format, Query(alias="format")] = Format.CSV,
) -> Response:
    """The statement as CSV or Excel; in Excel with every act."""
    made = database.read(lambda session: settlement_sheets.sheet(session, actor, settlement_id, form))
    return as_file(made, MEDIA_TYPES[form])


@api.get("/settlements/{settlement_id}/paper", response_class=Response, responses=PAPER_ANSWER)
def get_settlement_paper(settlement_id: SettlementPath, actor: ApiActor, database: Db) -> Response:
    """The statement as PDF, with what both sides sign attached."""
    made = database.read(lambda session: settlement_sheets.paper(session, actor, settlement_id))
    return as_file(made, PDF)


@api.post("/settlements/{settlement_id}/signatures", response_model=SettlementReceipt)
def sign_settlement(settlement_id: SettlementPath, command: SignStatement, call: Call) -> Response:
    """Confirm the newest statement by my side's signature."""

    def work(session: Session) -> SettlementReceipt:
        return _receipt(confirming.sign(session, call.actor, settlement_id, command, now=call.now))

    return call.perform("POST settlement signature", _meaning(settlement_id, command), work)


@api.post("/settlements/{settlement_id}/objections", response_model=SettlementReceipt)
def object_to_settlement(settlement_id: SettlementPath, command: Object, call: Call) -> Response:
    """Say why my organisation does not confirm the newest statement (partner)."""

    def work(session: Session) -> SettlementReceipt:
        return _receipt(confirming.object_to(session, call.actor, settlement_id, command, now=call.now))

    return call.perform("POST settlement objection", _meaning(settlement_id, command), work)


@api.post("/settlements/{settlement_id}/reconciliations", response_model=SettlementReceipt)
def reconcile_settlement(settlement_id: SettlementPath, command: Reconcile, call: Call) -> Response:
    """Answer an objection by another statement, with adjustments as lines of their own."""

    def work(session: Session) -> SettlementReceipt:
        return _receipt(confirming.reconcile(session, call.actor, settlement_id, command, now=call.now))

    return call.perform("POST settlement reconciliation", _meaning(settlement_id, command), work)


@api.post("/settlements/{settlement_id}/payment", response_model=SettlementReceipt)
def confirm_settlement_payment(
    settlement_id: SettlementPath, command: ConfirmPayment, call: Call
) -> Response:
    """Say that the money came, outside this service."""

    def work(session: Session) -> SettlementReceipt:
        return _receipt(confirming.confirm_payment(session, call.actor, settlement_id, command, now=call.now))

    return call.perform("POST settlement payment", _meaning(settlement_id, command), work)
