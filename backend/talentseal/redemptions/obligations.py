"""State-owned enterprises owe talents scenarios from their own resources (Article 4): who gives none now.

A scenario is live while a talent can use it: a benefit that is published for today, of an enterprise that is
not paused, under an agreement in force. An agreement alone, or one that nobody can use, is none.
"""

from datetime import datetime
from typing import Final

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from talentseal.accounts.models import Organisation, OrganisationKind
from talentseal.accounts.roles import Actor, Permission
from talentseal.clock import legal_date
from talentseal.db import rows
from talentseal.errors import NotPermitted
from talentseal.redemptions import facts
from talentseal.redemptions.schemas import IdleEnterprise

_IDLE: Final[Select[str, str, datetime]] = (
    select(Organisation.id, Organisation.name, Organisation.created_at)
    .where(Organisation.kind == OrganisationKind.STATE_OWNED, ~facts.gives_a_benefit(Organisation.id))
    .order_by(Organisation.created_at, Organisation.id)
)


def may_see_idle(actor: Actor) -> bool:
    """Whether the report is the actor's to read: the talent office's, and the operator's, who onboards."""
    return actor.may(Permission.ACCESS_DECIDE) or actor.may(Permission.ACCESS_NEGOTIATE)


def idle_enterprises(session: Session, actor: Actor, *, now: datetime) -> list[IdleEnterprise]:
    """The state-owned enterprises without a live scenario, the longest known first (scenario 71).

    Raises NotPermitted.
    """
    if not may_see_idle(actor):
        raise NotPermitted(permission=Permission.ACCESS_DECIDE.value)
    found = rows(session, _IDLE, day=legal_date(now), now=now)
    return [IdleEnterprise(organisation=row.id, name=row.name, known_since=row.created_at) for row in found]
