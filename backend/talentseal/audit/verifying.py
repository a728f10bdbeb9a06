"""The verification page for everyone, and what it may ask of this service; no visitor's file comes here."""

import gzip
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from talentseal.accounts.access import Db
from talentseal.anchoring import epochs
from talentseal.anchoring.models import ChainEpoch
from talentseal.audit import proofs
from talentseal.audit.api import RecordPath
from talentseal.audit.offline import NAME, LonePage
from talentseal.audit.proofs import Notary
from talentseal.audit.relay import ChainRelay, question
from talentseal.db import rows
from talentseal.web.pages import Pages
from talentseal.web.security import CAMERA, page_policy

verifying = APIRouter(include_in_schema=False)

_POLICY: Final = page_policy(connect="'self' http: https:")
"""This page's scripts may ask the chain's node that the visitor names, wherever it is."""


@dataclass(frozen=True, slots=True)
class VerifyingDesk:
    """Set as `app.state.verifying`. node: JSON-RPC address offered to browsers, or an empty text."""

    notary: Notary
    relay: ChainRelay
    lone: LonePage
    node: str


@dataclass(frozen=True, slots=True)
class EpochKnown:
    """An epoch that the page may choose a trust statement for."""

    number: int
    contract: str
    deployment_block_hash: str
    closed: bool


async def _desk(request: Request) -> VerifyingDesk:
    desk: VerifyingDesk = request.app.state.verifying
    return desk


Desk = Annotated[VerifyingDesk, Depends(_desk)]


_EPOCHS: Final = select(
    ChainEpoch.id, ChainEpoch.contract, ChainEpoch.deployment_block_hash, ChainEpoch.closed_at.is_not(None)
).order_by(ChainEpoch.id.desc())


def _known(session: Session) -> list[EpochKnown]:
    """Newest first."""
    return [EpochKnown(*row) for row in rows(session, _EPOCHS)]


@verifying.get("/verify")
def verify(request: Request, database: Db, desk: Desk) -> Response:
    """Check a proof in the browser."""
    pages: Pages = request.app.state.pages
    known = database.read(_known)
    lone = {"sha256": desk.lone.sha256, "kibibytes": desk.lone.kibibytes}
    page = pages.render(request, "audit/verify.html", online=True, epochs=known, node=desk.node, lone=lone)
    page.headers["Content-Security-Policy"] = _POLICY
    page.headers["Permissions-Policy"] = CAMERA
    return _packed(request, page)


def _packed(request: Request, page: Response) -> Response:
    """The page compressed, for half of it are texts: nothing on it is secret or repeats what was asked."""
    if "gzip" in request.headers.get("accept-encoding", ""):
        page.body = gzip.compress(page.body, mtime=0)
        page.headers["Content-Encoding"] = "gzip"
        page.headers["Content-Length"] = str(len(page.body))
    page.headers["Vary"] += ", Accept-Encoding"
    return page


@verifying.get("/verify/offline.html")
def offline(desk: Desk) -> Response:
    """The same page as one file."""
    headers = {"Content-Disposition": f'attachment; filename="{NAME}"'}
    return Response(desk.lone.content, media_type="text/html; charset=utf-8", headers=headers)


@verifying.get("/verify/records/{record_id}.seal.json")
def record(record_id: RecordPath, database: Db, desk: Desk) -> Response:
    """What the log says of a record, without any content."""
    proof = database.read(lambda session: proofs.public_proof(session, record_id, desk.notary))
    return Response(proof.raw, media_type="application/json")


@verifying.post("/verify/chain")
async def ask_chain(request: Request, database: Db, desk: Desk) -> Response:
    """One read-only question to the chain, passed on."""
    desk.relay.turnstile.enter(request.client.host if request.client else "")
    raw = await request.body()

    def work() -> bytes:
        contracts = database.read(lambda session: set(session.scalars(select(ChainEpoch.contract))))
        return desk.relay.ask(question(raw, contracts))

    return Response(await run_in_threadpool(work), media_type="application/json")


@verifying.get("/trust.json")
def trust(
    database: Db, desk: Desk, epoch: Annotated[int | None, Query(ge=1, le=1_000_000)] = None
) -> Response:
    """This service's own trust statement, for the newest epoch or a numbered one."""
    find = epochs.newest if epoch is None else lambda session: epochs.numbered(session, epoch)
    statement = database.read(lambda session: desk.notary.trust(find(session)))
    headers = {"Content-Disposition": 'attachment; filename="trust.json"'}
    return Response(statement.dump(), media_type="application/json", headers=headers)
