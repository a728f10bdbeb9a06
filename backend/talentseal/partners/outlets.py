"""Outlets of organisations: opening, closing, the terminals at them, and who serves there.

Whose outlet it is decides: another organisation's does not exist for the caller. What has been stays: to
revoke, to release and to close is to write down when, and by whom.
"""

import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, select, tuple_, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from talentseal.accounts import service as accounts
from talentseal.accounts.api_keys import MintedKey
from talentseal.accounts.models import Account, ApiKey
from talentseal.accounts.roles import PERMISSIONS, Actor, Permission, Role
from talentseal.errors import Conflict, Invalid, NotFound
from talentseal.partners.models import Outlet, Staff, Terminal, TerminalKind
from talentseal.partners.schemas import (
    AddTerminal,
    BindStaff,
    OpenOutlet,
    OutletSheet,
    OutletView,
    StaffView,
    TerminalView,
)

TERMINAL_SCOPES: Final = frozenset({Permission.COUNTER_SERVE})
"""What a terminal's key opens, and nothing else."""

_SERVING_ROLES: Final = frozenset(role for role in Role if Permission.COUNTER_SERVE in PERMISSIONS[role])


class OutletNotFound(NotFound):
    code = "outlet-not-found"
    zh = "没有找到该网点，或它不属于贵单位。请核对编号。"
    en = "This outlet does not exist or is not your organisation's; check the identifier."


class OutletExists(Conflict):
    code = "outlet-exists"
    zh = "贵单位已有同名的网点。请换一个名称，或使用已有的网点。"
    en = "Your organisation has an open outlet of this name; choose another, or use that one."


class OutletClosed(Conflict):
    code = "outlet-closed"
    zh = "该网点已关闭，不能再增加终端或人员。需要时请另开一个网点。"
    en = "The outlet is closed and takes no more terminals or staff; open another if you need one."


class TerminalNotFound(NotFound):
    code = "terminal-not-found"
    zh = "该网点没有这个终端。请核对编号。"
    en = "The outlet has no such terminal; check the identifier."


class TerminalExists(Conflict):
    code = "terminal-exists"
    zh = "该网点已有同名的终端。请换一个名称，或先撤销已有的终端。"
    en = "The outlet has a live terminal of this name; choose another, or revoke that one first."


class BrowserTerminalStays(Conflict):
    code = "browser-terminal-stays"
    zh = "浏览器终端随网点存在，不能单独撤销。如不让某人在浏览器中办理，请结束其在该网点的办理。"
    en = "The browser's terminal lasts as long as the outlet; release those who are not to serve there."


class StaffNotFound(NotFound):
    code = "staff-not-found"
    zh = "该账户未在此网点办理。请核对编号。"
    en = "This account does not serve at the outlet; check the identifier."


class StaffBound(Conflict):
    code = "staff-bound"
    zh = "该账户已在此网点办理。"
    en = "This account serves at the outlet already."


class StaffRefused(Invalid):
    code = "staff-refused"
    zh = "该账户已停用、属于程序，或其角色不在网点办理。请选择贵单位在用的人员账户。"
    en = "This account is disabled, a machine's, or of a role that serves nowhere; choose a person's in use."


def open_outlet(session: Session, actor: Actor, command: OpenOutlet, *, now: datetime) -> Outlet:
    """Open an outlet of the actor's organisation, with its browser's terminal.

    Raises NotPermitted, OutletExists.
    """
    actor.require(Permission.OUTLET_MANAGE)
    outlet = Outlet(
        id=secrets.token_hex(16),
        organisation_id=actor.organisation_id,
        name=command.name,
        address=command.address,
        opened_at=now,
        opened_by=actor.account_id,
    )
    try:
        with session.begin_nested():
            session.add(outlet)
    except IntegrityError:
        raise OutletExists from None
    browser = Terminal(outlet_id=outlet.id, kind=TerminalKind.BROWSER, name="")
    _enter_terminal(session, actor, browser, now=now)
    return outlet


def outlets_of(session: Session, actor: Actor, *, after: str = "", limit: int) -> list[Outlet]:
    """Up to `limit` outlets of the actor's organisation by name, those behind the outlet of id `after`.

    Raises NotPermitted, OutletNotFound.
    """
    actor.require(Permission.OUTLET_MANAGE)
    query = select(Outlet).where(Outlet.organisation_id == actor.organisation_id)
    if after:
        last = _own(session, actor, after)
        query = query.where(tuple_(Outlet.name, Outlet.id) > tuple_(last.name, last.id))
    return list(session.scalars(query.order_by(Outlet.name, Outlet.id).limit(limit)))


def sheet_of(session: Session, actor: Actor, outlet_id: str) -> OutletSheet:
    """One outlet with its terminals and staff. Raises NotPermitted, OutletNotFound."""
    outlet = _managed(session, actor, outlet_id)
    used = select(ApiKey.last_used_at).where(ApiKey.account_id == Terminal.account_id)
    newest = used.order_by(ApiKey.last_used_at.desc()).limit(1).scalar_subquery()
    terminals = (
        select(Terminal, newest)
        .where(Terminal.outlet_id == outlet.id)
        .order_by(Terminal.added_at, Terminal.name, Terminal.id)
    )
    people = (
        select(Staff, Account)
        .join(Account, Account.id == Staff.account_id)
        .where(Staff.outlet_id == outlet.id)
        .order_by(Staff.bound_at, Account.name, Staff.id)
    )
    return OutletSheet(
        **OutletView.of(outlet).model_dump(),
        terminals=[TerminalView.of(*found) for found in session.execute(terminals)],
        staff=[StaffView.of(*found) for found in session.execute(people)],
    )


def may_be_bound(session: Session, actor: Actor, outlet_id: str) -> list[Account]:
    """The people of the actor's organisation who could serve at the outlet and do not, by name.

    Raises NotPermitted, OutletNotFound.
    """
    outlet = _managed(session, actor, outlet_id)
    bound = select(Staff.id).where(
        Staff.outlet_id == outlet.id, Staff.account_id == Account.id, Staff.ended_at.is_(None)
    )
    query = select(Account).where(*_can_serve(actor), ~bound.exists())
    return list(session.scalars(query.order_by(Account.name, Account.id)))


def close_outlet(session: Session, actor: Actor, outlet_id: str, *, now: datetime) -> Outlet:
    """Close an outlet for good: its terminals are revoked and its staff released at the same instant.

    Raises NotPermitted, OutletNotFound.
    """
    outlet = _managed(session, actor, outlet_id, held=True)
    if outlet.closed_at is not None:
        return outlet
    outlet.closed_at, outlet.closed_by = now, actor.account_id
    live = select(Terminal).where(Terminal.outlet_id == outlet.id, Terminal.revoked_at.is_(None))
    _revoke(session, actor, session.scalars(live), now=now)
    bound = update(Staff).where(Staff.outlet_id == outlet.id, Staff.ended_at.is_(None))
    session.execute(bound.values(ended_at=now, ended_by=actor.account_id))
    session.flush()
    return outlet


def add_terminal(
    session: Session,
    actor: Actor,
    outlet_id: str,
    command: AddTerminal,
    minted: MintedKey,
    *,
    now: datetime,
) -> Terminal:
    """Add a device to an open outlet; the fresh key is its own.

    Raises NotPermitted, OutletNotFound, OutletClosed, TerminalExists.
    """
    outlet = _open(session, actor, outlet_id)
    name = f"{outlet.name} · {command.name}"[:200]
    machine = accounts.enter_account(session, outlet.organisation_id, name, actor.role, now=now)
    accounts.enter_api_key(session, machine.id, minted, TERMINAL_SCOPES, now=now)
    device = Terminal(outlet_id=outlet.id, kind=TerminalKind.DEVICE, name=command.name, account_id=machine.id)
    try:
        return _enter_terminal(session, actor, device, now=now)
    except IntegrityError:
        raise TerminalExists from None


def _enter_terminal(session: Session, actor: Actor, terminal: Terminal, *, now: datetime) -> Terminal:
    """Raises IntegrityError for a name that a live terminal of the outlet has."""
    terminal.id, terminal.added_at, terminal.added_by = secrets.token_hex(16), now, actor.account_id
    with session.begin_nested():
        session.add(terminal)
    return terminal


def revoke_terminal(
    session: Session, actor: Actor, outlet_id: str, terminal_id: str, *, now: datetime
) -> Terminal:
    """Let a device ask nothing from the next request on; its key opens nothing any more.

    Raises NotPermitted, OutletNotFound, TerminalNotFound, BrowserTerminalStays.
    """
    outlet = _managed(session, actor, outlet_id, held=True)
    terminal = session.get(Terminal, terminal_id, with_for_update=True)
    if terminal is None or terminal.outlet_id != outlet.id:
        raise TerminalNotFound
    if terminal.kind is TerminalKind.BROWSER:
        raise BrowserTerminalStays
    if terminal.revoked_at is None:
        _revoke(session, actor, [terminal], now=now)
    return terminal


def _revoke(session: Session, actor: Actor, terminals: Iterable[Terminal], *, now: datetime) -> None:
    machines = []
    for terminal in terminals:
        terminal.revoked_at, terminal.revoked_by = now, actor.account_id
        if terminal.account_id is not None:
            machines.append(terminal.account_id)
    session.flush()
    accounts.shut_out(session, machines, now=now)


def bind_staff(session: Session, actor: Actor, outlet_id: str, command: BindStaff, *, now: datetime) -> Staff:
    """Let somebody of the actor's organisation serve at an open outlet.

    Raises NotPermitted, OutletNotFound, OutletClosed, AccountNotFound, StaffRefused, StaffBound.
    """
    outlet = _open(session, actor, outlet_id)
    account = session.get(Account, command.account)
    if account is None or account.organisation_id != actor.organisation_id:
        raise accounts.AccountNotFound(account=command.account)
    if session.scalar(select(Account.id).where(Account.id == account.id, *_can_serve(actor))) is None:
        raise StaffRefused
    staff = Staff(
        id=secrets.token_hex(16),
        outlet_id=outlet.id,
        account_id=account.id,
        bound_at=now,
        bound_by=actor.account_id,
    )
    try:
        with session.begin_nested():
            session.add(staff)
    except IntegrityError:
        raise StaffBound from None
    return staff


def release_staff(session: Session, actor: Actor, outlet_id: str, account_id: str, *, now: datetime) -> Staff:
    """Let somebody serve at an outlet no more, from the next request on.

    Raises NotPermitted, OutletNotFound, StaffNotFound.
    """
    outlet = _managed(session, actor, outlet_id, held=True)
    latest = (
        select(Staff)
        .where(Staff.outlet_id == outlet.id, Staff.account_id == account_id)
        .order_by(Staff.ended_at.is_not(None), Staff.ended_at.desc())
    )
    staff = session.scalars(latest.limit(1)).one_or_none()
    if staff is None:
        raise StaffNotFound
    if staff.ended_at is None:
        staff.ended_at, staff.ended_by = now, actor.account_id
        session.flush()
    return staff


def _can_serve(actor: Actor) -> tuple[ColumnElement[bool], ...]:
    """What holds for an account of the actor's organisation whose person could serve."""
    is_machine = select(Terminal.id).where(Terminal.account_id == Account.id).exists()
    return (
        Account.organisation_id == actor.organisation_id,
        Account.disabled_at.is_(None),
        Account.role.in_(_SERVING_ROLES),
        ~is_machine,
    )


def _open(session: Session, actor: Actor, outlet_id: str) -> Outlet:
    outlet = _managed(session, actor, outlet_id, held=True)
    if outlet.closed_at is not None:
        raise OutletClosed
    return outlet


def _managed(session: Session, actor: Actor, outlet_id: str, *, held: bool = False) -> Outlet:
    actor.require(Permission.OUTLET_MANAGE)
    return _own(session, actor, outlet_id, held=held)


def _own(session: Session, actor: Actor, outlet_id: str, *, held: bool = False) -> Outlet:
    """held: until the commit, against those who manage the outlet too, not against what refers to it."""
    hold = {"key_share": True} if held else None
    outlet = session.get(Outlet, outlet_id, with_for_update=hold)
    if outlet is None or outlet.organisation_id != actor.organisation_id:
        raise OutletNotFound
    return outlet
