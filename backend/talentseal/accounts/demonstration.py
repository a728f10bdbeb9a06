"""The demonstration's invented people, who are signed in without a password.

Nobody else ever is: the people are named in a table that only the demonstration's set-up fills, and the route
that uses this exists in demonstration mode alone.
"""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from talentseal.accounts.models import Account, DemonstrationPerson, Organisation
from talentseal.accounts.roles import Role
from talentseal.errors import NotFound


@dataclass(frozen=True, slots=True)
class Person:
    """One tile of the sign-in page."""

    account: str
    name: str
    organisation: str
    role: Role


def people(session: Session) -> list[Person]:
    """Everyone who can be played, in order."""
    query = (
        select(Account.id, Account.name, Organisation.name, Account.role)
        .join(DemonstrationPerson, DemonstrationPerson.account_id == Account.id)
        .outerjoin(Organisation, Organisation.id == Account.organisation_id)
        .where(Account.disabled_at.is_(None))
        .order_by(DemonstrationPerson.position)
    )
    return [Person(*found) for found in session.execute(query)]


def person(session: Session, account_id: str) -> Person:
    """One of them. Raises NotFound for any other account."""
    for each in people(session):
        if each.account == account_id:
            return each
    raise NotFound


def cast_as(session: Session, account_id: str, position: int, name: str) -> None:
    """Let an account be one of the invented people. Idempotent."""
    session.get_one(Account, account_id).name = name
    session.merge(DemonstrationPerson(account_id=account_id, position=position))
    session.flush()
