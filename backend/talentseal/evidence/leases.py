"""Leases with fencing tokens: who of several processes seals or anchors just now.

A lease only avoids wasted work. What must never happen twice is guarded by compare-and-swap: the head store
for checkpoints, the contract's head for anchors, unique hashes for transactions.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import bindparam, select
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Session

from talentseal.db import is_sqlite, only_row
from talentseal.errors import Conflict
from talentseal.evidence.models import Lease

LEASE_TERM = timedelta(seconds=10)

_NAMED: Final = Lease.name == bindparam("name")
_STANDING: Final = select(Lease.holder, Lease.expires_at).where(_NAMED)
_FENCE: Final = select(Lease.fence).where(_NAMED).with_for_update()


class LeaseLost(Conflict):
    code = "lease-lost"
    zh = "任务 {name} 已由另一进程接管。"
    en = "The job {name} has been taken over by another process."


@dataclass(frozen=True, slots=True)
class Held:
    name: str
    holder: str
    fence: int


def is_anothers(session: Session, name: str, holder: str, *, now: datetime) -> bool:
    """Whether another holder's term runs, so that `take` would come to nothing."""
    row = only_row(session, _STANDING, name=name)
    return row is not None and _runs_for_another(row, holder, now)


def _runs_for_another(row: Any, holder: str, now: datetime) -> bool:
    return bool(row.holder != holder and row.expires_at > now)


def take(session: Session, name: str, holder: str, *, now: datetime) -> Held | None:
    """Take or renew the lease `name` for LEASE_TERM; None while another holder's term runs.

    A change of holder raises the fence, so that what the former holder still writes is refused.
    """
    row = _locked(session, name)
    if row is None:
        _create(session, Held(name, holder, 1), now)
        row = _locked(session, name)
    if row is None or _runs_for_another(row, holder, now):
        return None
    if row.holder != holder:
        row.holder, row.fence = holder, row.fence + 1
    row.expires_at = now + LEASE_TERM
    session.flush()
    return Held(name, holder, row.fence)


def _locked(session: Session, name: str) -> Lease | None:
    return session.scalars(select(Lease).where(Lease.name == name).with_for_update()).one_or_none()


def _create(session: Session, held: Held, now: datetime) -> None:
    """Insert the lease; of two that do so together, one does and the other meets its row."""
    insert = insert_sqlite if is_sqlite(session) else insert_postgresql
    values = {"name": held.name, "holder": held.holder, "fence": held.fence, "expires_at": now + LEASE_TERM}
    session.execute(insert(Lease).values(values).on_conflict_do_nothing(index_elements=["name"]))


def guard(session: Session, held: Held) -> None:
    """Refuse, with LeaseLost, a write whose lease has gone to another holder since it was taken."""
    row = only_row(session, _FENCE, name=held.name)
    if row is None or row.fence != held.fence:
        raise LeaseLost(name=held.name)
