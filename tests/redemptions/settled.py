"""What pages of settlements are to show: last month of an organisation, closed."""

from datetime import datetime, timedelta

from sqlalchemy import update

from talentseal.accounts.roles import PERMISSIONS, Actor, Role
from talentseal.clock import legal_date
from talentseal.db import Database
from talentseal.redemptions import settling
from talentseal.redemptions.models import Redemption
from talentseal.redemptions.settlement_models import Cycle, Settlement
from talentseal.redemptions.settlement_schemas import CloseSettlement
from talentseal.redemptions.settlement_states import Period

CLOSER = Actor("operator-who-closes", "0x" + "3" * 64, Role.OPERATOR, PERMISSIONS[Role.OPERATOR])


def last_month(now: datetime) -> Period:
    """The newest month that is over."""
    return Period.before(Cycle.MONTH, legal_date(now))


def moved_to_last_month(database: Database, organisation: str, *, now: datetime) -> None:
    """Let what the organisation's counters gave and nobody settled have been given last month."""
    theirs = (Redemption.organisation_id == organisation) & Redemption.settlement_id.is_(None)
    then = last_month(now).end - timedelta(hours=1)
    move = update(Redemption).where(theirs, Redemption.completed_at.is_not(None)).values(completed_at=then)
    database.write(lambda session: session.execute(move).close())


def sold_by(database: Database, redemption: str, seller: str, *, now: datetime) -> None:
    """Let a redemption have been another organisation's, last month."""
    row = update(Redemption).where(Redemption.id == redemption).values(organisation_id=seller)
    database.write(lambda session: session.execute(row).close())
    moved_to_last_month(database, seller, now=now)


def settled(database: Database, organisation: str, *, now: datetime) -> Settlement:
    """Last month of it, closed by the operator."""
    moved_to_last_month(database, organisation, now=now)
    command = CloseSettlement(organisation=organisation, period=last_month(now).key)
    return database.write(lambda session: settling.close(session, CLOSER, command, now=now))
