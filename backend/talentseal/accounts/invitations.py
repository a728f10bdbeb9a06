"""Invitations: by one the operator lets a person set a password and a second factor, once.

The code goes from hand to hand and only its digest is kept. A new invitation replaces the one before it, and
accepting one replaces whatever password, second factor and sessions the account had: that is also the way
back for somebody who has lost them.
"""

import base64
import os
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar, Final

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from talentseal.accounts import passwords, second_factor, service, sessions
from talentseal.accounts.arrival import Arrival
from talentseal.accounts.models import Account, Credential, Invitation, Organisation, SignInMethod
from talentseal.accounts.roles import Actor, Permission, Role
from talentseal.accounts.second_factor import SecretBox
from talentseal.accounts.signing_in import CodeRefused, Door, folded
from talentseal.errors import Conflict, NotFound

TERM: Final = timedelta(hours=72)
_CODE_BYTES: Final = 20


class SignInNameTaken(Conflict):
    code: ClassVar[str] = "sign-in-name-taken"
    zh: ClassVar[str] = "该登录名已被其他账户使用。请另选一个。"
    en: ClassVar[str] = "Another account uses this sign-in name; choose another."


class AccountDisabled(Conflict):
    code: ClassVar[str] = "account-disabled"
    zh: ClassVar[str] = "账户 {account} 已停用，不能邀请。"
    en: ClassVar[str] = "Account {account} is disabled and cannot be invited."


class InvitationUnknown(NotFound):
    code: ClassVar[str] = "invitation-unknown"
    zh: ClassVar[str] = "邀请码不正确、已使用或已过期。请核对，或联系运营机构重新邀请。"
    en: ClassVar[str] = (
        "The code is wrong, used or expired; check it, or ask the operator for a new invitation."
    )


@dataclass(frozen=True, slots=True)
class Invited:
    """Whom an invitation is for, and the second factor that he is offered."""

    account_id: str
    name: str
    organisation: str
    sign_in_name: str
    role: Role
    secret: str = field(repr=False)


def new_code() -> str:
    """160 random bits: eight groups of four letters and digits. It is shown once and kept nowhere."""
    text = base64.b32encode(os.urandom(_CODE_BYTES)).decode("ascii")
    return "-".join(text[place : place + 4] for place in range(0, len(text), 4))


def invite(
    session: Session,
    actor: Actor,
    account_id: str,
    name: str,
    *,
    code: str,
    box: SecretBox,
    now: datetime,
) -> Invitation:
    """Invite the person of an account to sign in under `name`, by a `new_code`.

    Raises NotPermitted, AccountNotFound, AccountDisabled, SignInNameTaken.
    """
    actor.require(Permission.ACCOUNT_ADD)
    account = service.account(session, account_id)
    if account.disabled_at is not None:
        raise AccountDisabled(account=account_id)
    try:
        with session.begin_nested():
            account.sign_in_name = folded(name)
    except IntegrityError:
        raise SignInNameTaken from None
    session.execute(delete(Invitation).where(Invitation.account_id == account_id))
    invitation = Invitation(
        code_hash=_digest(code),
        account_id=account_id,
        totp_secret=box.seal(account_id, second_factor.new_secret()),
        expires_at=now + TERM,
    )
    session.add(invitation)
    session.flush()
    return invitation


def invited(session: Session, code: str, box: SecretBox, *, now: datetime) -> Invited:
    """Whom the code invites. Raises InvitationUnknown."""
    found = session.execute(
        select(Invitation, Account, Organisation.name)
        .join(Account, Account.id == Invitation.account_id)
        .join(Organisation, Organisation.id == Account.organisation_id)
        .where(
            Invitation.code_hash == _digest(code),
            Invitation.expires_at > now,
            Account.disabled_at.is_(None),
        )
    ).one_or_none()
    if found is None:
        raise InvitationUnknown
    row, account, organisation = found
    secret = box.open(account.id, row.totp_secret)
    return Invited(account.id, account.name, organisation, account.sign_in_name or "", account.role, secret)


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What the person entered. code: six digits of his authenticator; empty when he does without."""

    invitation: str = field(repr=False)
    password: str = field(repr=False)
    repeated: str = field(repr=False)
    code: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Accepted:
    """token: of the session that was started. recovery_codes: shown now and never again."""

    token: str = field(repr=False)
    recovery_codes: list[str] = field(repr=False)


def accept(door: Door, arrival: Arrival, given: Acceptance) -> Accepted:
    """Set the password and the second factor, and sign in; an invitation is accepted once.

    Raises InvitationUnknown, PasswordTooShort, PasswordIsName, PasswordsDiffer, CodeRefused.
    """
    now = arrival.now
    met = arrival.database.read(lambda session: invited(session, given.invitation, door.box, now=now))
    passwords.check(given.password, given.repeated, met.name, met.sign_in_name)
    step = second_factor.matching_step(met.secret, given.code, now=now)
    if step is None:
        raise CodeRefused
    credential = Credential(
        account_id=met.account_id,
        password_hash=door.passwords.hash(given.password),
        password_set_at=now,
        totp_secret=door.box.seal(met.account_id, met.secret),
        next_totp_secret=None,
        totp_step=step,
    )
    codes = second_factor.new_recovery_codes()

    def write(session: Session) -> str:
        taken = session.execute(
            delete(Invitation)
            .where(Invitation.code_hash == _digest(given.invitation), Invitation.expires_at > now)
            .returning(Invitation.account_id)
        )
        if taken.scalar_one_or_none() is None:
            raise InvitationUnknown
        session.merge(credential)
        second_factor.replace_recovery_codes(session, met.account_id, codes)
        sessions.end_all(session, met.account_id)
        return arrival.start(session, met.account_id, SignInMethod.INVITATION)

    return Accepted(arrival.database.write(write), codes)


def _digest(code: str) -> str:
    return sessions.token_hash("".join(mark for mark in code.upper() if mark.isalnum()))
