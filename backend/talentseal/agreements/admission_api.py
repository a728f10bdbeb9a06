"""JSON API of the agreement behind an admission, and of what breaches of it propose."""

from typing import Annotated

from fastapi import APIRouter, Path
from sqlalchemy.orm import Session
from starlette.responses import Response

from talentseal.accounts.access import ApiActor, Db, Now
from talentseal.accounts.calls import Call
from talentseal.agreements import admission, pausing
from talentseal.agreements.duty_schemas import PauseProposalList
from talentseal.partners.access_api import access_receipt
from talentseal.partners.access_schemas import AccessReceipt, SignAccess
from talentseal.partners.schemas import Identifier

api = APIRouter(tags=["admission"])


@api.post("/access/{access_id}/signature", response_model=AccessReceipt)
def sign_access(access_id: Annotated[Identifier, Path()], command: SignAccess, call: Call) -> Response:
    """Name the evidenced agreement that operator and partner have signed (operator)."""

    def work(session: Session) -> AccessReceipt:
        return access_receipt(
            admission.sign_access(session, call.actor, access_id, command.agreement, now=call.now)
        )

    meaning = {"access": access_id, "agreement": command.agreement}
    return call.perform("POST access signature", meaning, work)


@api.get("/pause-proposals")
def list_pause_proposals(actor: ApiActor, database: Db, now: Now) -> PauseProposalList:
    """Admissions whose organisation has broken its duties repeatedly; nothing follows by itself (talent
    office).
    """
    return database.read(
        lambda session: PauseProposalList(items=pausing.pause_proposals(session, actor, now=now))
    )
