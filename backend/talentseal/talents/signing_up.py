"""A talent opens an account: a name to sign in under, a password, and the privacy notice accepted.

Nobody invites him, so the name alone is not to tell a stranger who else has an account: a name that cannot be
had is refused without a reason, and trying names out costs the network a wait (`throttle`).
"""

import secrets
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from talentseal.accounts import passwords
from talentseal.accounts.arrival import Arrival
from talentseal.accounts.models import Account, Credential, SignInMethod
from talentseal.accounts.roles import Role
from talentseal.accounts.schemas import Command, SignInName
from talentseal.accounts.signing_in import Door, folded
from talentseal.errors import Conflict
from talentseal.talents import people


class SignInNameUnavailable(Conflict):
    code = "sign-in-name-unavailable"
    zh = "该登录名不能使用。请另选一个。"
    en = "This sign-in name cannot be had; choose another."


def _accepted(version: str) -> str:
    if version != people.NOTICE_VERSION:
        raise PydanticCustomError("notice_not_accepted", "read the notice of today and accept it")
    return version


class SignUp(Command):
    """Open an account. notice: version of the privacy notice that was accepted."""

    name: SignInName
    password: Annotated[str, Field(max_length=1000, repr=False)]
    repeated: Annotated[str, Field(max_length=1000, repr=False)]
    notice: Annotated[str, AfterValidator(_accepted)]


def sign_up(door: Door, arrival: Arrival, command: SignUp) -> str:
    """Open a talent's account and sign him in; the token of the session that was started.

    Raises PasswordTooShort, PasswordIsName, PasswordsDiffer, SignInNameUnavailable, TooManyAttempts.
    """
    passwords.check(command.password, command.repeated, command.name)
    door.throttle.admit_sign_up(arrival.address)
    identifier, now = secrets.token_hex(16), arrival.now
    account = {
        "id": identifier,
        "organisation_id": None,
        "name": command.name,
        "role": Role.TALENT,
        "created_at": now,
        "sign_in_name": folded(command.name),
    }
    credential = {
        "account_id": identifier,
        "password_hash": door.passwords.hash(command.password),
        "password_set_at": now,
        "totp_step": 0,
    }

    def write(session: Session) -> str:
        opened = Account(**account)
        try:
            with session.begin_nested():
                session.add(opened)
        except IntegrityError:
            raise SignInNameUnavailable from None
        session.add(Credential(**credential))
        people.accept_notice(session, people.register(session, opened, now=now), now=now)
        return arrival.start(session, identifier, SignInMethod.PASSWORD)

    with door.throttle.guarding_network(arrival.address, SignInNameUnavailable):
        return arrival.database.write(write)
