"""Closing a talent's account for good: nothing is left of its name, secrets and sessions."""

from datetime import datetime
from typing import Final

from sqlalchemy import delete
from sqlalchemy.orm import Session

from talentseal.accounts import service
from talentseal.accounts.models import (
    Account,
    Credential,
    HalfSignIn,
    Invitation,
    KeyChallenge,
    RecoveryCode,
    WebSession,
)

CLOSED_NAME: Final = "—"
"""What stands where the sign-in name stood."""

_OF_ACCOUNT: Final = (Credential, HalfSignIn, Invitation, RecoveryCode, WebSession)


def close(session: Session, account: Account, *, now: datetime) -> None:
    """Shut the account out and destroy what tells who it was. May be repeated."""
    for table in _OF_ACCOUNT:
        session.execute(delete(table).where(table.account_id == account.id))
    service.shut_out(session, [account.id], now=now)
    if account.signing_address is not None:
        session.execute(delete(KeyChallenge).where(KeyChallenge.address == account.signing_address))
    account.name, account.sign_in_name, account.signing_address = CLOSED_NAME, None, None
    session.flush()
