"""A holder's own proof of what he used, with the fields open that he chooses; finding one by its TCR."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from sqlalchemy.orm import Session
from starlette.responses import Response

from talentseal.accounts.access import Db
from talentseal.audit import proofs
from talentseal.audit.api import AuditDesk, as_bundle
from talentseal.audit.proofs import Proof
from talentseal.credentials import tcr
from talentseal.credentials.refusals import Refusal
from talentseal.errors import Invalid
from talentseal.evidence.models import EvidenceRecord
from talentseal.redemptions import reading
from talentseal.talents.desk import AtDesk, Identifier
from talentseal.web.pages import see_other

pages = APIRouter(include_in_schema=False)


class ReceiptUnknown(Invalid):
    """One for every cause: what is no code of ours, what is not in this log, what was altered."""

    code = "receipt-unknown"
    zh = "这个查验码在本日志中查不到。请核对是否完整，或请对方重新出示。"
    en = "This code names nothing in this log; check that it is complete, or have it shown anew."


async def _desk(request: Request) -> AuditDesk:
    desk: AuditDesk = request.app.state.audit
    return desk


Audit = Annotated[AuditDesk, Depends(_desk)]
Names = Annotated[frozenset[str], Query(description="Fields to show; all of them when none is named")]


@pages.get("/me/receipts/{redemption}/bundle")
def download_own_proof(
    desk: AtDesk, audit: Audit, redemption: Identifier, disclose: Names = frozenset()
) -> Response:
    """The bundle of my receipt, verified, with the fields that I want to show."""

    def work(session: Session) -> tuple[str, Proof]:
        record = reading.own_record(session, desk.actor, redemption)
        return record, proofs.own_proof(session, record, audit.notary, names=disclose or None)

    record, proof = desk.database.read(work)
    return as_bundle(proof, record)


@pages.get("/verify/receipt")
def find_receipt(database: Db, code: Annotated[str, Query(max_length=200)] = "") -> Response:
    """From a TCR to the proof of its record, for anyone: entry and place, and no content."""
    named = tcr.read(code.strip())
    if isinstance(named, Refusal):
        raise ReceiptUnknown
    row = database.read(lambda session: session.get(EvidenceRecord, named.receipt_id.hex()))
    if row is None or bytes(row.leaf_hash) != named.leaf_hash:
        raise ReceiptUnknown
    return see_other(f"/verify?record={row.id}&leaf={named.leaf_hash.hex()}")
