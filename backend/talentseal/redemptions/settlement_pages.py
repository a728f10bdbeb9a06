"""Pages of settlements: the list with what is open, one with its lines, signing, objecting, reconciling."""

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends
from pydantic import ValidationError
from sqlalchemy.orm import Session
from starlette.responses import Response

from talentseal.accounts.roles import Actor
from talentseal.benefits.api import MEDIA_TYPES
from talentseal.benefits.sheets import Format
from talentseal.errors import TalentSealError
from talentseal.redemptions import confirming, settlement_reading, settlement_sheets, settling
from talentseal.redemptions.settlement_api import PDF, as_file
from talentseal.redemptions.settlement_models import Settlement
from talentseal.redemptions.settlement_refusals import SettlementNotFound
from talentseal.redemptions.settlement_schemas import (
    CloseSettlement,
    ConfirmPayment,
    Object,
    Reconcile,
    SetCycle,
    SignStatement,
)
from talentseal.sanctions.desk import AtDesk, Desk
from talentseal.web.forms import WHOLE, Form, FormRefused, Typed, command_of, fen_of, nested, texts
from talentseal.web.pages import see_other

_IDENTIFIER: Final = re.compile(r"[0-9a-f]{32}\Z")

pages = APIRouter(include_in_schema=False, prefix="/settlements")


async def _settlement(settlement: str) -> str:
    if not _IDENTIFIER.match(settlement):
        raise SettlementNotFound
    return settlement


SettlementId = Annotated[str, Depends(_settlement)]


@pages.get("")
def list_settlements(desk: AtDesk, after: str = "") -> Response:
    """What is open, and the settlements one has a part in."""
    return _list(desk, after if _IDENTIFIER.match(after) else "")


@pages.post("")
def close(desk: AtDesk, form: Form) -> Response:
    """Close a period, and go on to its settlement."""
    typed = nested(texts(form))

    def work(session: Session) -> str:
        command = command_of(CloseSettlement, dict(typed))
        return settling.close(session, desk.actor, command, now=desk.now).id

    return desk.act(
        work,
        lambda settlement: (f"/settlements/{settlement}", "settlement-closed"),
        lambda refusal: _list(desk, "", refusal),
    )


@pages.post("/cycles")
def set_cycle(desk: AtDesk, form: Form) -> Response:
    """Say how often a partner is settled with."""
    typed = nested(texts(form))

    def work(session: Session) -> None:
        command = command_of(SetCycle, {"cycle": typed["cycle"]})
        settling.set_cycle(session, desk.actor, typed["organisation"], command, now=desk.now)

    return desk.act(
        work, lambda _done: ("/settlements", "settlement-cycle-set"), lambda refusal: _list(desk, "", refusal)
    )


@pages.get("/{settlement}")
def show_settlement(desk: AtDesk, settlement: SettlementId) -> Response:
    """One settlement, and what is to be done with it."""
    return _show(desk, settlement)


@pages.get("/{settlement}/acts")
def show_acts(desk: AtDesk, settlement: SettlementId, after: str = "") -> Response:
    """The redemptions and reversals in it."""
    place = after if _IDENTIFIER.match(after) else ""

    def read(session: Session) -> dict[str, Any]:
        return {
            "met": settlement_reading.view(session, desk.actor, settlement),
            "acts": settlement_reading.acts(session, desk.actor, settlement, after=place, limit=50),
        }

    return desk.show("settlements/acts.html", **desk.database.read(read))


@pages.get("/{settlement}/sign")
def show_signing(desk: AtDesk, settlement: SettlementId) -> Response:
    """What is signed, in plain words, and the ways to sign it."""
    return _signing(desk, settlement)


@pages.post("/{settlement}/sign")
def sign(desk: AtDesk, settlement: SettlementId, form: Form) -> Response:
    """Take the signature of one's side."""
    given = dict(texts(form))

    def work(session: Session) -> Settlement:
        command = _signature(given)
        return confirming.sign(session, desk.actor, settlement, command, now=desk.now)

    return desk.act(
        work,
        lambda row: (f"/settlements/{row.id}", "signed"),
        lambda refusal: _signing(desk, settlement, refusal, given.get("signature", "")),
    )


@pages.get("/{settlement}/statement.json")
def download_statement(desk: AtDesk, settlement: SettlementId) -> Response:
    """What `talentseal keys sign-settlement` checks and signs."""
    met = desk.database.read(
        lambda session: settlement_reading.statement(session, desk.actor, settlement, now=desk.now)
    )
    name = f"settlement-{settlement[:16]}-v{met.number}.json"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(met.model_dump_json(indent=1).encode(), media_type="application/json", headers=headers)


@pages.get("/{settlement}/statement.csv")
def download_csv(desk: AtDesk, settlement: SettlementId) -> Response:
    """The lines with their sums."""
    return _sheet(desk, settlement, Format.CSV)


@pages.get("/{settlement}/statement.xlsx")
def download_excel(desk: AtDesk, settlement: SettlementId) -> Response:
    """The lines with their sums, and every act."""
    return _sheet(desk, settlement, Format.XLSX)


@pages.get("/{settlement}/statement.pdf")
def download_paper(desk: AtDesk, settlement: SettlementId) -> Response:
    """The statement with its signatures."""
    made = desk.database.read(lambda session: settlement_sheets.paper(session, desk.actor, settlement))
    return as_file(made, PDF)


@pages.get("/{settlement}/acts.csv")
def download_acts(desk: AtDesk, settlement: SettlementId) -> Response:
    """Every act in it."""
    made = desk.database.read(lambda session: settlement_sheets.acts_csv(session, desk.actor, settlement))
    return as_file(made, MEDIA_TYPES[Format.CSV])


@pages.post("/{settlement}/objection")
def object_to(desk: AtDesk, settlement: SettlementId, form: Form) -> Response:
    """Say why it is not confirmed."""
    typed = nested(texts(form), lists=frozenset({"lines"}))
    lines = [int(each) for each in typed["lines"] or () if WHOLE.match(each)]

    def work(session: Session, actor: Actor) -> Settlement:
        command = command_of(Object, {**typed, "lines": lines})
        return confirming.object_to(session, actor, settlement, command, now=desk.now)

    return _act(desk, settlement, work, "settlement-objected", typed)


@pages.post("/{settlement}/reconciliation")
def reconcile(desk: AtDesk, settlement: SettlementId, form: Form) -> Response:
    """Answer an objection."""
    typed = nested(texts(form))

    def work(session: Session, actor: Actor) -> Settlement:
        command = command_of(Reconcile, _reconciliation(typed))
        return confirming.reconcile(session, actor, settlement, command, now=desk.now)

    return _act(desk, settlement, work, "settlement-reconciled", typed)


@pages.post("/{settlement}/payment")
def confirm_payment(desk: AtDesk, settlement: SettlementId, form: Form) -> Response:
    """Say that the money came."""
    typed = nested(texts(form))

    def work(session: Session, actor: Actor) -> Settlement:
        command = command_of(ConfirmPayment, dict(typed))
        return confirming.confirm_payment(session, actor, settlement, command, now=desk.now)

    return _act(desk, settlement, work, "settlement-paid", typed)


@pages.get("/{settlement}/{_act:path}")
def back_to_settlement(settlement: SettlementId, _act: str) -> Response:
    """Whoever loads the answer to a form again comes back to where the form is."""
    return see_other(f"/settlements/{settlement}")


def _list(desk: Desk, after: str, refusal: TalentSealError | None = None) -> Response:
    def read(session: Session) -> dict[str, Any]:
        return {
            "open": settlement_reading.open_periods(session, desk.actor, now=desk.now),
            "found": settlement_reading.listed(session, desk.actor, after=after),
        }

    return desk.show(
        "settlements/list.html", refusal, mine=desk.actor.organisation_id, **desk.database.read(read)
    )


def _show(
    desk: Desk, settlement: str, refusal: TalentSealError | None = None, typed: Typed | None = None
) -> Response:
    met = desk.database.read(lambda session: settlement_reading.view(session, desk.actor, settlement))
    return desk.show("settlements/settlement.html", refusal, met=met, typed=typed or Typed())


def _signing(
    desk: Desk, settlement: str, refusal: TalentSealError | None = None, signature: str = ""
) -> Response:
    def read(session: Session) -> dict[str, Any]:
        return {
            "met": settlement_reading.view(session, desk.actor, settlement),
            "said": settlement_reading.statement(session, desk.actor, settlement, now=desk.now),
        }

    return desk.show("settlements/sign.html", refusal, signature=signature, **desk.database.read(read))


def _act(
    desk: Desk, settlement: str, work: Callable[[Session, Actor], Settlement], notice: str, typed: Typed
) -> Response:
    return desk.act(
        lambda session: work(session, desk.actor),
        lambda row: (f"/settlements/{row.id}", notice),
        lambda refusal: _show(desk, settlement, refusal, typed),
    )


def _sheet(desk: Desk, settlement: str, form: Format) -> Response:
    made = desk.database.read(lambda session: settlement_sheets.sheet(session, desk.actor, settlement, form))
    return as_file(made, MEDIA_TYPES[form])


_NO_SIGNATURE: Final = (
    "这不是签名：应为 0x 开头的 132 个字符，或 talentseal keys sign-settlement 写出的文件。",
    "No signature: expected 132 characters from 0x on, or what talentseal keys sign-settlement wrote.",
)


def _signature(given: Mapping[str, str]) -> SignStatement:
    number = given.get("statement", "")
    try:
        return SignStatement(
            statement=int(number) if WHOLE.match(number) else 0, signature=given.get("signature", "").strip()
        )
    except ValidationError:
        raise FormRefused({"signature": _NO_SIGNATURE}) from None


def _reconciliation(typed: Typed) -> dict[str, Any]:
    """What the form says; amounts in yuan become fen, and what is no number stays to be refused."""
    rows = typed["adjustments"]
    named = [each for each in rows if isinstance(each, dict)] if isinstance(rows, list) else []
    return {"reason": typed["reason"], "adjustments": tuple(_adjustment(each) for each in named)}


def _adjustment(row: Mapping[str, Any]) -> dict[str, Any]:
    values = {name: each for name, each in row.items() if name in {"amount_fen", "reason", "line"}}
    if "amount_fen" in values:
        values["amount_fen"] = fen_of(values["amount_fen"], digits=9, signed=True)
    if WHOLE.match(str(values.get("line", ""))):
        values["line"] = int(values["line"])
    return values
