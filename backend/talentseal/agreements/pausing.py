"""Repeated breaches propose that the organisation's admission to a module be paused (specification §1.2).

It is read from what is recorded, and nothing follows by itself: the talent office pauses, or does not. A
breach that was cured or waived counts no more, nor does one from before the admission last went on, or the
office last decided that it should.
"""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from talentseal.accounts.models import Organisation
from talentseal.accounts.roles import Actor, Permission
from talentseal.agreements.duty_models import Breach
from talentseal.agreements.duty_schemas import PauseProposal
from talentseal.agreements.duty_states import BreachState
from talentseal.partners.access_models import AccessState, AccessStep, ModuleAccess

REPEATED: Final = 2
"""So many breaches that stand are a repetition [R]."""
WITHIN: Final = timedelta(days=365)
"""Confirmed so long ago at most [R]."""


def pause_proposals(session: Session, actor: Actor, *, now: datetime) -> list[PauseProposal]:
    """Admissions that are proposed to be paused, most breaches first. Raises NotPermitted."""
    actor.require(Permission.ACCESS_DECIDE)
    went_on = (
        select(func.max(AccessStep.at))
        .where(AccessStep.access_id == ModuleAccess.id, AccessStep.state == AccessState.ADMITTED)
        .correlate(ModuleAccess)
        .scalar_subquery()
    )
    breaches = func.count(Breach.id)
    query = (
        select(
            ModuleAccess.id,
            ModuleAccess.module,
            ModuleAccess.organisation_id,
            Organisation.name,
            breaches.label("breaches"),
            func.max(Breach.decided_at).label("newest"),
        )
        .join(Organisation, Organisation.id == ModuleAccess.organisation_id)
        .join(Breach, Breach.organisation_id == ModuleAccess.organisation_id)
        .where(
            ModuleAccess.state == AccessState.ADMITTED,
            Breach.state == BreachState.BREACH_CONFIRMED,
            Breach.decided_at >= now - WITHIN,
            Breach.decided_at > went_on,
        )
        .group_by(ModuleAccess.id, ModuleAccess.module, ModuleAccess.organisation_id, Organisation.name)
        .having(breaches >= REPEATED)
        .order_by(breaches.desc(), ModuleAccess.id)
    )
    return [
        PauseProposal(
            access=row.id,
            module=row.module,
            organisation=row.organisation_id,
            name=row.name,
            breaches=row.breaches,
            newest_at=row.newest,
        )
        for row in session.execute(query)
    ]
