"""Who asks at the counter: organisation, outlet, terminal and the member of staff who serves there.

Whoever is shown a talent's code or card is one of these, and nobody else is told anything. It is decided in
the transaction of what follows from it: revoking a terminal, releasing a member of staff and closing an
outlet wait for the acts under way, and no act begun afterwards finds its counter.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Select, bindparam, or_, select
from sqlalchemy.orm import Session

from talentseal.accounts.models import Account
from talentseal.accounts.roles import Actor, Permission
from talentseal.db import Ahead, Instant, only_row
from talentseal.errors import TalentSealError
from talentseal.partners.models import Outlet, Staff, Terminal, TerminalKind


class TerminalUnknown(TalentSealError):
    """One for every cause, so that nobody learns which terminals, outlets and people there are."""

    code = "terminal-unknown"
    status = 403
    zh = "此处不能办理：终端、网点或办理人员未登记、已停用，或不属于同一网点。请由贵单位的网点管理人员核对。"
    en = (
        "Nothing can be done here: terminal, outlet or staff is unknown, out of use, or not of one outlet. "
        "Have whoever manages your organisation's outlets check."
    )


@dataclass(frozen=True, slots=True)
class Counter:
    """Identifiers of who asks. staff: the account of the person who serves."""

    organisation: str
    outlet: str
    terminal: str
    staff: str


@dataclass(frozen=True, slots=True)
class AtDevice:
    """A call by a terminal's key. staff: account of whoever works at it, named with each call."""

    staff: str


@dataclass(frozen=True, slots=True)
class AtBrowser:
    """A page before somebody who is signed in. outlet: where he serves now."""

    outlet: str


Place = AtDevice | AtBrowser


def counter_of(session: Session, actor: Actor, place: Place) -> Counter:
    """At which counter the actor asks. Only within a write: terminal and staff are held until its commit.

    Raises NotPermitted, and TerminalUnknown when terminal, outlet and staff do not belong together now.
    """
    actor.require(Permission.COUNTER_SERVE)
    asked = ahead(actor, place)
    found = only_row(session, asked.statement, **asked.values)
    if found is None:
        raise TerminalUnknown
    return Counter(actor.organisation_id, *found)


def ahead(actor: Actor, place: Place) -> Ahead:
    """What `counter_of` asks, for a write that begins with it."""
    known = {"organisation": actor.organisation_id}
    if isinstance(place, AtDevice):
        return Ahead(_AT_DEVICE, {"terminal": actor.account_id, "staff": place.staff, **known})
    return Ahead(_AT_BROWSER, {"terminal": place.outlet, "staff": actor.account_id, **known})


def _manned(terminal: ColumnElement[bool]) -> Select[str, str, str]:
    """That terminal, live and at an open outlet of the organisation, and who is bound there: held."""
    return (
        select(Terminal.outlet_id, Terminal.id, Staff.account_id)
        .join(Outlet, Outlet.id == Terminal.outlet_id)
        .join(Staff, Staff.outlet_id == Outlet.id)
        .join(Account, Account.id == Staff.account_id)
        .where(
            terminal,
            Terminal.revoked_at.is_(None),
            Outlet.organisation_id == bindparam("organisation"),
            Outlet.closed_at.is_(None),
            Staff.account_id == bindparam("staff"),
            Staff.ended_at.is_(None),
            Account.disabled_at.is_(None),
        )
        .with_for_update(read=True, of=[Terminal, Staff])
    )


# Made once: they are asked at every counter all day, and to make one takes as long as to run it.
_AT_DEVICE: Final = _manned(Terminal.account_id == bindparam("terminal"))
_AT_BROWSER: Final = _manned(
    (Terminal.kind == TerminalKind.BROWSER) & (Terminal.outlet_id == bindparam("terminal"))
)


def counter_at(session: Session, actor: Actor, terminal: str, staff: str, *, at: datetime) -> Counter:
    """The counter of the actor's organisation that a device and a member of staff made at a moment that has
    passed, for what is entered afterwards. Raises NotPermitted, TerminalUnknown.
    """
    actor.require(Permission.OUTLET_MANAGE)
    outlet = only_row(
        session, _STOOD_AT, terminal=terminal, staff=staff, organisation=actor.organisation_id, at=at
    )
    if outlet is None:
        raise TerminalUnknown
    return Counter(actor.organisation_id, outlet.outlet_id, terminal, staff)


_AT: Final = bindparam("at", type_=Instant())
_STOOD_AT: Final = (
    select(Terminal.outlet_id)
    .join(Outlet, Outlet.id == Terminal.outlet_id)
    .join(Staff, Staff.outlet_id == Outlet.id)
    .where(
        Terminal.id == bindparam("terminal"),
        Terminal.added_at <= _AT,
        or_(Terminal.revoked_at.is_(None), Terminal.revoked_at > _AT),
        Outlet.organisation_id == bindparam("organisation"),
        or_(Outlet.closed_at.is_(None), Outlet.closed_at > _AT),
        Staff.account_id == bindparam("staff"),
        Staff.bound_at <= _AT,
        or_(Staff.ended_at.is_(None), Staff.ended_at > _AT),
    )
    .limit(1)
)


def served_by(session: Session, actor: Actor) -> list[Outlet]:
    """The open outlets at which the actor may serve now, by name: what a browser's user chooses from.

    Raises NotPermitted.
    """
    actor.require(Permission.COUNTER_SERVE)
    query = (
        select(Outlet)
        .join(Staff, Staff.outlet_id == Outlet.id)
        .where(
            Staff.account_id == actor.account_id,
            Staff.ended_at.is_(None),
            Outlet.organisation_id == actor.organisation_id,
            Outlet.closed_at.is_(None),
        )
    )
    return list(session.scalars(query.order_by(Outlet.name, Outlet.id)))


@dataclass(frozen=True, slots=True)
class Post:
    """A device's terminal, its outlet, and the people who may be named as working at it."""

    outlet: Outlet
    terminal: Terminal
    staff: list[Account]


def post_of(session: Session, actor: Actor) -> Post:
    """Where the device that calls stands, and whom it may name. Raises NotPermitted, TerminalUnknown."""
    actor.require(Permission.COUNTER_SERVE)
    query = (
        select(Outlet, Terminal)
        .join(Terminal, Terminal.outlet_id == Outlet.id)
        .where(
            Terminal.account_id == actor.account_id,
            Terminal.revoked_at.is_(None),
            Outlet.organisation_id == actor.organisation_id,
            Outlet.closed_at.is_(None),
        )
    )
    met = session.execute(query).one_or_none()
    if met is None:
        raise TerminalUnknown
    outlet, terminal = met
    people = (
        select(Account)
        .join(Staff, Staff.account_id == Account.id)
        .where(Staff.outlet_id == outlet.id, Staff.ended_at.is_(None), Account.disabled_at.is_(None))
    )
    return Post(outlet, terminal, list(session.scalars(people.order_by(Account.name, Account.id))))
