"""What stands on a presentation, and who may see it: nothing is redeemed without one (Article 11)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from talentseal.accounts.models import Organisation
from talentseal.accounts.roles import Actor
from talentseal.credentials.models import Channel, Presentation
from talentseal.errors import Conflict
from talentseal.partners.counter import Place, counter_of
from talentseal.partners.models import Outlet
from talentseal.talents import people
from talentseal.talents.models import TalentCode

SHOWN: Final = 20
"""Presentations that a talent is shown, the newest."""


class PresentationRequired(Conflict):
    """One for every cause, so that nobody learns which presentations there are."""

    code = "presentation-required"
    zh = "请先核验身份：须由顾客在本网点出示人才码或人才卡，核验结果 10 分钟内有效。"
    en = (
        "Establish the customer first: his code or card has to be shown at this outlet, "
        "and the result holds for 10 minutes."
    )


@dataclass(frozen=True, slots=True)
class Shown:
    """One presentation as the holder sees it."""

    organisation: str
    outlet: str
    channel: Channel
    at: datetime


def required(
    session: Session, actor: Actor, place: Place, presentation_id: str, *, now: datetime
) -> Presentation:
    """The presentation on which an act at this counter stands. Only within a write.

    Whether the code may still be used is to be asked anew in the act, which holds the code.
    Raises NotPermitted, TerminalUnknown; PresentationRequired when it is unknown, expired or of elsewhere.
    """
    counter = counter_of(session, actor, place)
    query = select(Presentation).where(
        Presentation.id == presentation_id,
        Presentation.organisation_id == counter.organisation,
        Presentation.outlet_id == counter.outlet,
        Presentation.expires_at > now,
    )
    row = session.scalars(query).one_or_none()
    if row is None:
        raise PresentationRequired
    return row


def shown_of(session: Session, actor: Actor) -> list[Shown]:
    """Where the talent was established lately, the newest first, whichever code of his it was.

    Raises NotPermitted.
    """
    talent = people.of_account(session, actor)
    query = (
        select(Organisation.name, Outlet.name, Presentation.channel, Presentation.presented_at)
        .join(TalentCode, TalentCode.id == Presentation.code_id)
        .join(Outlet, Outlet.id == Presentation.outlet_id)
        .join(Organisation, Organisation.id == Outlet.organisation_id)
        .where(TalentCode.talent_id == talent.id)
        .order_by(Presentation.presented_at.desc(), Presentation.id)
        .limit(SHOWN)
    )
    return [Shown(*row) for row in session.execute(query)]
