"""The agreement behind an admission to the consumption module (Article 18)."""

from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from talentseal.accounts.roles import Actor
from talentseal.agreements import reading
from talentseal.agreements.states import AgreementState
from talentseal.errors import Conflict
from talentseal.partners import access
from talentseal.partners.access_models import ModuleAccess

_EVIDENCED: Final = frozenset({AgreementState.EVIDENCED, AgreementState.IN_FORCE})


class AccessAgreementRefused(Conflict):
    code = "access-agreement-refused"
    zh = "所列协议须由运营机构与该单位共同签署、已完成存证且未失效。请核对协议编号与状态。"
    en = "The agreement named has to be between the operator and this partner, evidenced, and not over."


def sign_access(
    session: Session, actor: Actor, access_id: str, agreement_id: str, *, now: datetime
) -> ModuleAccess:
    """Name the agreement that operator and partner have signed and that is evidenced.

    Raises NotPermitted, AccessNotFound, AccessAgreementRefused, TransitionRefused.
    """
    row = access.find(session, access_id)
    sides = {actor.organisation_id, row.organisation_id}
    for standing in reading.standings(
        session, reading.visible_versions(session, actor, agreement_id), now=now
    ):
        parties = {party.organisation_id for party in reading.parties_of(session, standing.version)}
        if standing.state in _EVIDENCED and sides <= parties:
            return access.note_signed(session, actor, access_id, agreement_id, now=now)
    raise AccessAgreementRefused
