"""The demonstration's complaint: the invented holder waits for the bank's answer."""

from datetime import datetime
from functools import partial
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from talentseal.accounts.models import Account
from talentseal.accounts.roles import PERMISSIONS, Actor
from talentseal.complaints import reading, service
from talentseal.complaints.schemas import FileComplaint
from talentseal.complaints.states import ComplaintKind
from talentseal.db import Database
from talentseal.demonstration.scheme import Cast
from talentseal.demonstration.talents import HOLDER
from talentseal.vault import Vault

_SAID: Final = "在网点等候近两小时，人才窗口无人办理。请说明原因并预约时间。（虚构）"


def enter(database: Database, vault: Vault, cast: Cast, *, now: datetime) -> None:
    """Let the holder complain of the bank, unless he has."""
    database.write(partial(_enter, vault=vault, bank=cast.bank.organisation, now=now))


def _enter(session: Session, vault: Vault, bank: str, now: datetime) -> None:
    account = session.scalars(select(Account).where(Account.sign_in_name == HOLDER.sign_in_name)).one()
    holder = Actor(account.id, "", account.role, PERMISSIONS[account.role])
    if not reading.own_complaints(session, holder, now=now):
        command = FileComplaint(organisation=bank, kind=ComplaintKind.SLOW, text=_SAID)
        service.file(session, holder, vault, command, now=now)
