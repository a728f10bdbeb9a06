"""JSON API of outlets, their terminals and staff; and where a terminal stands."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from sqlalchemy.orm import Session
from starlette.responses import Response

from talentseal.accounts import api_keys
from talentseal.accounts.access import ApiActor, Db
from talentseal.accounts.calls import Call
from talentseal.partners import counter, outlets
from talentseal.partners.schemas import (
    AddTerminal,
    BindStaff,
    Identifier,
    OpenOutlet,
    OutletPage,
    OutletReceipt,
    OutletSheet,
    OutletView,
    PostView,
    TerminalReceipt,
)

api = APIRouter(tags=["outlets"])

OutletPath = Annotated[Identifier, Path()]
TerminalPath = Annotated[Identifier, Path()]
AccountPath = Annotated[Identifier, Path()]


@api.get("/outlets")
def list_outlets(
    actor: ApiActor,
    database: Db,
    after: Annotated[str, Query(pattern=r"^([0-9a-f]{32})?$")] = "",
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
) -> OutletPage:
    """My organisation's outlets by name, closed ones too."""

    def page(session: Session) -> OutletPage:
        rows = outlets.outlets_of(session, actor, after=after, limit=limit)
        following = rows[-1].id if len(rows) == limit else None
        return OutletPage(items=[OutletView.of(row) for row in rows], next=following)

    return database.read(page)


@api.post("/outlets", status_code=201, response_model=OutletReceipt)
def open_outlet(command: OpenOutlet, call: Call) -> Response:
    """Open an outlet of my organisation."""

    def work(session: Session) -> OutletReceipt:
        return OutletReceipt(id=outlets.open_outlet(session, call.actor, command, now=call.now).id)

    return call.perform("POST outlet", command.model_dump(mode="json"), work, status=201)


@api.get("/outlets/{outlet_id}")
def get_outlet(outlet_id: OutletPath, actor: ApiActor, database: Db) -> OutletSheet:
    """One outlet with its terminals and staff, former ones included."""
    return database.read(lambda session: outlets.sheet_of(session, actor, outlet_id))


@api.post("/outlets/{outlet_id}/closure", response_model=OutletReceipt)
def close_outlet(outlet_id: OutletPath, call: Call) -> Response:
    """Close an outlet for good: its terminals are revoked and its staff released."""

    def work(session: Session) -> OutletReceipt:
        return OutletReceipt(id=outlets.close_outlet(session, call.actor, outlet_id, now=call.now).id)

    return call.perform("POST outlet closure", {"outlet": outlet_id}, work)


@api.post("/outlets/{outlet_id}/terminals", status_code=201, response_model=TerminalReceipt)
def add_terminal(outlet_id: OutletPath, command: AddTerminal, call: Call) -> Response:
    """Add a terminal. Its key is answered once: the same request sent again names it and no more."""
    minted = api_keys.mint()

    def work(session: Session) -> TerminalReceipt:
        row = outlets.add_terminal(session, call.actor, outlet_id, command, minted, now=call.now)
        return TerminalReceipt(id=row.id)

    meaning = {"outlet": outlet_id, **command.model_dump(mode="json")}
    answer = call.perform("POST terminal", meaning, work, status=201)
    if "Idempotency-Replayed" in answer.headers:
        return answer
    entered = TerminalReceipt.model_validate_json(bytes(answer.body))
    shown = TerminalReceipt(id=entered.id, key=minted.text)
    return Response(shown.model_dump_json(), 201, media_type="application/json")


@api.post("/outlets/{outlet_id}/terminals/{terminal_id}/revocation", response_model=TerminalReceipt)
def revoke_terminal(outlet_id: OutletPath, terminal_id: TerminalPath, call: Call) -> Response:
    """Let a terminal ask nothing from the next request on."""

    def work(session: Session) -> TerminalReceipt:
        row = outlets.revoke_terminal(session, call.actor, outlet_id, terminal_id, now=call.now)
        return TerminalReceipt(id=row.id)

    return call.perform("POST terminal revocation", {"outlet": outlet_id, "terminal": terminal_id}, work)


@api.post("/outlets/{outlet_id}/staff", status_code=201, response_model=OutletReceipt)
def bind_staff(outlet_id: OutletPath, command: BindStaff, call: Call) -> Response:
    """Let somebody of my organisation serve at an outlet."""

    def work(session: Session) -> OutletReceipt:
        row = outlets.bind_staff(session, call.actor, outlet_id, command, now=call.now)
        return OutletReceipt(id=row.outlet_id)

    meaning = {"outlet": outlet_id, **command.model_dump(mode="json")}
    return call.perform("POST outlet staff", meaning, work, status=201)


@api.post("/outlets/{outlet_id}/staff/{account_id}/release", response_model=OutletReceipt)
def release_staff(outlet_id: OutletPath, account_id: AccountPath, call: Call) -> Response:
    """Let somebody serve at an outlet no more, from the next request on."""

    def work(session: Session) -> OutletReceipt:
        row = outlets.release_staff(session, call.actor, outlet_id, account_id, now=call.now)
        return OutletReceipt(id=row.outlet_id)

    return call.perform("POST outlet staff release", {"outlet": outlet_id, "account": account_id}, work)


@api.get("/counter")
def get_counter(actor: ApiActor, database: Db) -> PostView:
    """Where does this terminal stand, and who may be named as working at it?"""

    def read(session: Session) -> PostView:
        met = counter.post_of(session, actor)
        return PostView.of(met.outlet, met.terminal, met.staff)

    return database.read(read)
