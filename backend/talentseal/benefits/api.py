"""JSON API of the catalogue and its budgets."""

import hashlib
from collections.abc import Callable
from typing import Annotated, Any, Final

from fastapi import APIRouter, File, Path, Query, Request, UploadFile
from pydantic import BaseModel
from sqlalchemy.orm import Session
from starlette.responses import Response

from talentseal.accounts.access import ApiActor, Db
from talentseal.accounts.calls import Call
from talentseal.benefits import budgeting, importing, reading, service, sheets
from talentseal.benefits.models import BenefitVersion
from talentseal.benefits.schemas import (
    Because,
    BenefitPage,
    BenefitReceipt,
    BudgetInput,
    BudgetLimits,
    BudgetReceipt,
    BudgetView,
    DraftBenefit,
    ImportReceipt,
    VersionInput,
    VersionView,
    Wanted,
)
from talentseal.partners.schemas import Identifier
from talentseal.policy.schemas import Number
from talentseal.web import problems
from talentseal.web.language import prefers_english
from talentseal.web.problems import FieldProblem

IMPORT_LIMIT = sheets.SIZE_LIMIT + 64 * 1024
"""Bytes of a request with a sheet: the file and the multipart frame."""

MEDIA_TYPES = {
    sheets.Format.CSV: "text/csv; charset=utf-8",
    sheets.Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

SHEET_ANSWER: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "content": {each: {"schema": {"type": "string", "format": "binary"}} for each in MEDIA_TYPES.values()}
    }
}
"""CSV or Excel, in the OpenAPI document."""

api = APIRouter(tags=["benefits"])

BenefitPath = Annotated[Identifier, Path()]
BudgetPath = Annotated[Identifier, Path()]
NumberPath = Annotated[Number, Path()]

_VERSION = "/benefits/{benefit_id}/versions/{number}"


class BudgetList(BaseModel):
    """Budgets, newest first."""

    items: list[BudgetView]


def _receipt(row: BenefitVersion) -> BenefitReceipt:
    return BenefitReceipt(benefit=row.benefit_id, version=row.number, state=row.state)


def _meaning(command: BaseModel, **more: Any) -> dict[str, Any]:
    return {**more, **command.model_dump(mode="json")}


@api.get("/benefits")
def list_benefits(actor: ApiActor, database: Db, wanted: Annotated[Wanted, Query()]) -> BenefitPage:
    """Versions of benefits, newest first: mine, and those that I may review."""

    def read(session: Session) -> BenefitPage:
        items, following = reading.page_of(session, actor, wanted)
        return BenefitPage(items=items, next=following)

    return database.read(read)


@api.post("/benefits", status_code=201, response_model=BenefitReceipt)
def draft_benefit(command: DraftBenefit, call: Call) -> Response:
    """Draft a new benefit of my organisation."""

    def work(session: Session) -> BenefitReceipt:
        return _receipt(service.draft(session, call.actor, command, now=call.now))

    return call.perform("POST benefit", _meaning(command), work, status=201)


@api.get("/benefits/sheet", response_class=Response, responses=SHEET_ANSWER)
def export_benefits(
    actor: ApiActor, database: Db, form: Annotated[sheets.Format, Query(alias="format")] = sheets.Format.CSV
) -> Response:
    """The newest version of each benefit of mine as CSV or Excel."""
    content = database.read(lambda session: importing.export(session, actor, form))
    headers = {"Content-Disposition": f'attachment; filename="benefits.{form.value}"'}
    return Response(content, media_type=MEDIA_TYPES[form], headers=headers)


@api.post(
    "/benefits/sheet",
    response_model=ImportReceipt,
    max_body_size=IMPORT_LIMIT,
    form_limits={"max_files": 1, "max_fields": 1, "max_part_size": 1024},
)
def import_benefits(file: Annotated[UploadFile, File()], request: Request, call: Call) -> Response:
    """Draft what a CSV or Excel file says: all of it, or nothing and what is wrong with each row."""
    plain = file.file.read(sheets.SIZE_LIMIT + 1)

    def work(session: Session) -> ImportReceipt:
        return importing.take_in(session, call.actor, plain, now=call.now)

    try:
        return call.perform("POST benefits sheet", {"sha256": hashlib.sha256(plain).hexdigest()}, work)
    except importing.SheetRefused as refusal:
        return _refused_sheet(refusal, english=prefers_english(request.headers.get("accept-language")))


def _refused_sheet(refusal: importing.SheetRefused, *, english: bool) -> Response:
    found = [
        FieldProblem(path=f"{each.row}.{each.column}".rstrip("."), code="sheet-row", zh=each.zh, en=each.en)
        for each in refusal.problems
    ]
    zh, en = refusal.sentence_zh, refusal.sentence_en
    return problems.answer(refusal.status, refusal.code, zh, en, english=english, errors=found)


@api.post("/benefits/{benefit_id}/versions", status_code=201, response_model=BenefitReceipt)
def revise_benefit(benefit_id: BenefitPath, command: VersionInput, call: Call) -> Response:
    """Draft the next version of a benefit, or write its draft anew."""

    def work(session: Session) -> BenefitReceipt:
        return _receipt(service.revise(session, call.actor, benefit_id, command, now=call.now))

    return call.perform("POST benefit version", _meaning(command, benefit=benefit_id), work, status=201)


@api.get(_VERSION)
def get_benefit(benefit_id: BenefitPath, number: NumberPath, actor: ApiActor, database: Db) -> VersionView:
    """One version with its matrix, outlets and steps."""
    return database.read(lambda session: reading.version_view(session, actor, benefit_id, number))


@api.post(_VERSION + "/review", response_model=BenefitReceipt)
def send_benefit_to_review(benefit_id: BenefitPath, number: NumberPath, call: Call) -> Response:
    """Let a draft be reviewed."""
    return _plainly("review", service.send_to_review, (benefit_id, number), call)


@api.post(_VERSION + "/publication", response_model=BenefitReceipt)
def publish_benefit(benefit_id: BenefitPath, number: NumberPath, call: Call) -> Response:
    """Publish a version under review (operator or talent office, not who proposed it)."""
    return _plainly("publication", service.publish, (benefit_id, number), call)


@api.post(_VERSION + "/return", response_model=BenefitReceipt)
def return_benefit(benefit_id: BenefitPath, number: NumberPath, command: Because, call: Call) -> Response:
    """Send a version under review back to its provider."""
    return _plainly("return", service.give_back, (benefit_id, number, command.reason), call)


@api.post(_VERSION + "/pause", response_model=BenefitReceipt)
def pause_benefit(benefit_id: BenefitPath, number: NumberPath, command: Because, call: Call) -> Response:
    """Let nothing be redeemed under a version for now (its provider or reviewer)."""
    return _plainly("pause", service.pause, (benefit_id, number, command.reason), call)


@api.post(_VERSION + "/resumption", response_model=BenefitReceipt)
def resume_benefit(benefit_id: BenefitPath, number: NumberPath, call: Call) -> Response:
    """Let a paused version go on (its reviewer)."""
    return _plainly("resumption", service.resume, (benefit_id, number), call)


@api.post(_VERSION + "/withdrawal", response_model=BenefitReceipt)
def withdraw_benefit(benefit_id: BenefitPath, number: NumberPath, command: Because, call: Call) -> Response:
    """End a version for good (its provider)."""
    return _plainly("withdrawal", service.withdraw, (benefit_id, number, command.reason), call)


def _plainly(name: str, act: Callable[..., BenefitVersion], given: tuple[Any, ...], call: Call) -> Response:
    def work(session: Session) -> BenefitReceipt:
        return _receipt(act(session, call.actor, *given, now=call.now))

    return call.perform(f"POST benefit {name}", {"given": given}, work)


@api.get("/budgets")
def list_budgets(actor: ApiActor, database: Db) -> BudgetList:
    """Budgets with what is used of them: everyone's for the talent office, else mine."""
    return database.read(lambda session: BudgetList(items=budgeting.listed(session, actor)))


@api.post("/benefits/{benefit_id}/budgets", status_code=201, response_model=BudgetReceipt)
def set_budget(benefit_id: BenefitPath, command: BudgetInput, call: Call) -> Response:
    """Set a budget of a benefit for days that have none."""

    def work(session: Session) -> BudgetReceipt:
        row = budgeting.set_budget(session, call.actor, benefit_id, command, now=call.now)
        return BudgetReceipt(id=row.id, benefit=row.benefit_id)

    return call.perform("POST budget", _meaning(command, benefit=benefit_id), work, status=201)


@api.post("/budgets/{budget_id}/limits", response_model=BudgetReceipt)
def change_budget(budget_id: BudgetPath, command: BudgetLimits, call: Call) -> Response:
    """Raise or lower a budget, not below what is used."""

    def work(session: Session) -> BudgetReceipt:
        row = budgeting.change(session, call.actor, budget_id, command, now=call.now)
        return BudgetReceipt(id=row.id, benefit=row.benefit_id)

    return call.perform("POST budget limits", _meaning(command, budget=budget_id), work)
