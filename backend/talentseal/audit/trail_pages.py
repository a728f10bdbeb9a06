"""Pages of the audit trail, and what can be taken home of each record."""

import csv
import io
import re
from datetime import date
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from talentseal.accounts.access import Db, Now, WebActor
from talentseal.agreements.reading import AgreementNotFound
from talentseal.audit import certificate, proofs, trail
from talentseal.audit.api import Desk, as_bundle, as_pdf, as_tlog_proof
from talentseal.audit.trail import Period
from talentseal.clock import legal_date
from talentseal.evidence.records import RecordNotFound
from talentseal.web.pages import Pages, plain

_ID: Final = re.compile(r"[0-9a-f]{32}\Z")
_AGREEMENT: Final = re.compile(r"0x[0-9a-f]{64}\Z")

PAGE_LENGTH: Final = 20
EXPORT_LIMIT: Final = 20_000
"""Lines of an export at most; a longer trail is exported period by period."""

pages = APIRouter(include_in_schema=False)


def _day(typed: str) -> date | None:
    try:
        return date.fromisoformat(typed)
    except ValueError:
        return None


async def _period(kind: str = "", first: str = "", last: str = "") -> Period:
    """What the filter asks for; what cannot be read asks for nothing."""
    chosen = int(kind) if kind in {str(each) for each in trail.KINDS} else None
    return Period(chosen, _day(first), _day(last))


Wanted = Annotated[Period, Depends(_period)]


async def _record(record_id: str) -> str:
    if not _ID.match(record_id):
        raise RecordNotFound(record="")
    return record_id


Record = Annotated[str, Depends(_record)]


async def _cursor(after: str = "") -> str:
    return after if _ID.match(after) else ""


Cursor = Annotated[str, Depends(_cursor)]


async def _agreement(agreement_id: str) -> str:
    if not _AGREEMENT.match(agreement_id):
        raise AgreementNotFound
    return agreement_id


Agreement = Annotated[str, Depends(_agreement)]


@pages.get("/trail")
def show_trail(request: Request, actor: WebActor, database: Db, period: Wanted, after: Cursor) -> Response:
    """The organisation's records, the newest first."""
    found = database.read(
        lambda session: trail.trail_of(session, actor, after=after, limit=PAGE_LENGTH, period=period)
    )
    site: Pages = request.app.state.pages
    return site.render(
        request, "audit/trail.html", found=found, period=period, kinds=trail.KINDS, after=after
    )


@pages.get("/trail.csv")
def export_trail(request: Request, actor: WebActor, database: Db, now: Now, period: Wanted) -> Response:
    """The same records in the same words, for a spreadsheet."""

    lines = database.read(lambda session: trail.whole(session, actor, limit=EXPORT_LIMIT, period=period))
    site: Pages = request.app.state.pages
    words = site.words(request, "audit/words.html")
    cells = (words.time, words.kind, words.about, words.state, words.index, words.record)
    written = io.StringIO()
    table = csv.writer(written)
    table.writerow([plain(each) for each in words.COLUMNS])
    for line in lines:
        table.writerow([_cell(plain(cell(line))) for cell in cells])
    headers = {"Content-Disposition": f'attachment; filename="trail-{legal_date(now):%Y%m%d}.csv"'}
    # Spreadsheets take a file without this mark for something else than UTF-8.
    content = "\ufeff" + written.getvalue()
    return Response(content.encode(), media_type="text/csv; charset=utf-8", headers=headers)


def _cell(text: str) -> str:
    """Text that a spreadsheet does not take for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


@pages.get("/trail/{record_id}.seal.json")
def download_bundle(record_id: Record, actor: WebActor, database: Db, desk: Desk) -> Response:
    """The record's proof bundle, verified before it is handed out."""
    proof = database.read(lambda session: proofs.proof_of(session, actor, record_id, desk.notary))
    return as_bundle(proof, record_id)


@pages.get("/trail/{record_id}.tlog-proof")
def download_tlog_proof(record_id: Record, actor: WebActor, database: Db, desk: Desk) -> Response:
    """The record's inclusion in the log, alone."""
    proof = database.read(lambda session: proofs.proof_of(session, actor, record_id, desk.notary))
    return as_tlog_proof(proof, record_id)


@pages.get("/trail/{record_id}.pdf")
def download_certificate(record_id: Record, actor: WebActor, database: Db, desk: Desk) -> Response:
    """The record's certificate."""
    return as_pdf(certificate.of_record(database, actor, record_id, desk.issuer))


@pages.get("/agreements/{agreement_id}/certificate.pdf")
def download_agreement_certificate(agreement_id: str, actor: WebActor, database: Db, desk: Desk) -> Response:
    """The certificate of an agreement's whole history."""
    return as_pdf(certificate.of_agreement(database, actor, agreement_id, desk.issuer))
