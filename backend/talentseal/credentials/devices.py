"""The devices on which a talent shows his code: bound by himself, three at most, revoked at any time.

A device is a browser with a token of its own in a cookie, which says nothing without a session of the
talent's beside it. Each binding has a fresh token: one planted beforehand is worth nothing.
"""

import secrets
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Select, bindparam, select
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Session
from starlette.responses import Response

from talentseal.accounts.roles import Actor, Permission
from talentseal.accounts.sessions import Cookie, described, token_hash
from talentseal.credentials.models import DEVICES, Device
from talentseal.db import is_sqlite, only_row
from talentseal.errors import Conflict, NotFound
from talentseal.talents import people
from talentseal.talents.models import Talent

LASTING: Final = timedelta(days=400)
"""How long a browser keeps its token: the longest that browsers allow."""


class DeviceNotBound(Conflict):
    code = "device-not-bound"
    zh = "此设备尚未绑定，不能出示人才码。请先绑定此设备。"
    en = "This device is not bound and cannot show the code; bind it first."


class DevicesExhausted(Conflict):
    code = "devices-exhausted"
    zh = "已绑定 {most} 台设备。请先解除其中一台，再绑定此设备。"
    en = "{most} devices are bound already; revoke one of them, then bind this one."


class DeviceNotFound(NotFound):
    code = "device-not-found"
    zh = "没有找到该设备，或它不是您绑定的。"
    en = "There is no such device, or it is not yours."


def cookie(*, secure: bool) -> Cookie:
    """Holds the device's token."""
    return Cookie("talentseal-device", secure)


def give(response: Response, token: str, *, secure: bool) -> None:
    """Let the browser keep `token` for LASTING."""
    held = cookie(secure=secure)
    response.set_cookie(
        held.name,
        token,
        max_age=int(LASTING.total_seconds()),
        path="/",
        httponly=True,
        samesite="lax",
        secure=held.secure,
    )


def bind(session: Session, actor: Actor, *, token: str, browser: str, now: datetime) -> Device:
    """Let the talent show his code in the browser that is given the fresh `token`. browser: its User-Agent.

    Raises NotPermitted, DevicesExhausted.
    """
    talent = people.of_account(session, actor)
    insert = insert_sqlite if is_sqlite(session) else insert_postgresql
    for place in range(1, DEVICES + 1):
        # Whoever has the place decides, not a count: two that bind at once get a place each or one is told.
        taken = session.scalars(
            insert(Device)
            .values(
                id=secrets.token_hex(16),
                talent_id=talent.id,
                place=place,
                token_hash=token_hash(token),
                name=described(browser),
                bound_at=now,
            )
            .on_conflict_do_nothing()
            .returning(Device)
        ).one_or_none()
        if taken is not None:
            return taken
    raise DevicesExhausted(most=DEVICES)


def revoke(session: Session, actor: Actor, device_id: str, *, now: datetime) -> Device:
    """Let a device show nothing any more, its token on the screen included. Repeating it changes nothing.

    Raises NotPermitted, DeviceNotFound.
    """
    talent = people.of_account(session, actor)
    row = session.get(Device, device_id, with_for_update=True)
    if row is None or row.talent_id != talent.id:
        raise DeviceNotFound
    row.revoked_at, row.current = row.revoked_at or now, None
    session.flush()
    return row


def devices_of(session: Session, actor: Actor) -> list[Device]:
    """The talent's bound devices, the oldest first. Raises NotPermitted."""
    talent = people.of_account(session, actor)
    query = select(Device).where(Device.talent_id == talent.id, Device.revoked_at.is_(None))
    return list(session.scalars(query.order_by(Device.bound_at, Device.id)))


def bound(session: Session, actor: Actor, token: str) -> str:
    """Which device of the talent's has this token. Raises NotPermitted, DeviceNotBound."""
    return _found(session, actor, token, _BOUND)[0]


def held(session: Session, actor: Actor, token: str) -> tuple[str, str]:
    """The device, held until the commit, and its talent. Raises NotPermitted, DeviceNotBound."""
    return _found(session, actor, token, _HELD)


def _found(session: Session, actor: Actor, token: str, query: Select[str, str]) -> tuple[str, str]:
    actor.require(Permission.TALENT_OWN)
    met = only_row(session, query, token=token_hash(token), account=actor.account_id)
    if met is None:
        raise DeviceNotBound
    return met.id, met.talent_id


_BOUND: Final = (
    select(Device.id, Device.talent_id)
    .join(Talent, Talent.id == Device.talent_id)
    .where(
        Device.token_hash == bindparam("token"),
        Talent.account_id == bindparam("account"),
        Device.revoked_at.is_(None),
    )
)
_HELD: Final = _BOUND.with_for_update(of=Device)
