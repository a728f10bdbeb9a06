"""JSON API of a holder's own benefits: the same acts as his page."""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel
from sqlalchemy.orm import Session
from starlette.responses import Response

from talentseal.accounts.access import ApiActor, Db, Now
from talentseal.partners.schemas import Identifier
from talentseal.redemptions import proposing, visiting
from talentseal.redemptions.api import Act
from talentseal.redemptions.schemas import Receipt
from talentseal.redemptions.visiting import Wallet

api = APIRouter(tags=["redemptions"])

BenefitPath = Annotated[Identifier, Path()]


class DecliningReceipt(BaseModel):
    """What is not proposed again in a period."""

    benefit: str
    period: str


@api.get("/me/benefits")
def list_own_benefits(actor: ApiActor, database: Db, now: Now) -> Wallet:
    """What I may use, what remains of it, and why not; and what I can take at once (talents)."""
    return database.read(lambda session: visiting.own(session, actor, now=now))


@api.post("/me/benefits/{benefit_id}/taking", status_code=201, response_model=Receipt)
def take_proposal(benefit_id: BenefitPath, acting: Act) -> Response:
    """Take one unit of what is proposed to me, with the receipt and its promise (talents)."""
    call, credentials = acting.call, acting.desk.credentials
    return acting.once(
        "POST /me/benefits/taking",
        {"benefit": benefit_id},
        lambda session: proposing.confirm(session, call.actor, credentials, benefit_id, now=call.now),
        status=201,
    )


@api.post("/me/benefits/{benefit_id}/declining", response_model=DecliningReceipt)
def decline_proposal(benefit_id: BenefitPath, acting: Act) -> Response:
    """Have it proposed to me no more in this quota period; I can use it all the same (talents)."""
    call = acting.call

    def work(session: Session) -> DecliningReceipt:
        period = proposing.decline(session, call.actor, benefit_id, now=call.now)
        return DecliningReceipt(benefit=benefit_id, period=period)

    return call.perform("POST /me/benefits/declining", {"benefit": benefit_id}, work)
