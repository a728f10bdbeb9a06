"""What a person does about his own account: password, second factor, sign-in key, API keys."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from talentseal.accounts import passwords, second_factor, service, sessions
from talentseal.accounts.api_keys import MintedKey
from talentseal.accounts.arrival import Arrival
from talentseal.accounts.models import Account, ApiKey, Credential, SignInMethod
from talentseal.accounts.roles import Actor, Permission
from talentseal.accounts.service import ApiKeyNotFound
from talentseal.accounts.sessions import SignedIn
from talentseal.accounts.signing_in import CodeRefused, Door, Known, known_by_id
from talentseal.accounts.throttle import Step
from talentseal.errors import Conflict, Invalid, NotPermitted, TalentSealError


class PasswordWrong(TalentSealError):
    code: ClassVar[str] = "password-wrong"
    status: ClassVar[int] = 403
    zh: ClassVar[str] = "当前密码不正确，未作任何改动。"
    en: ClassVar[str] = "The present password is wrong; nothing was changed."


class NoPassword(Conflict):
    code: ClassVar[str] = "no-password"
    zh: ClassVar[str] = "此账户没有密码。如需密码或第二因素，请联系运营机构发出邀请。"
    en: ClassVar[str] = (
        "This account has no password; for one, or a second factor, ask the operator to invite you."
    )


class NothingToConfirm(Conflict):
    code: ClassVar[str] = "nothing-to-confirm"
    zh: ClassVar[str] = "没有等待确认的第二因素。请重新开始。"
    en: ClassVar[str] = "No new second factor waits to be confirmed; begin again."


class KeyNotOfOrganisation(Conflict):
    code: ClassVar[str] = "key-not-of-organisation"
    zh: ClassVar[str] = "地址 {address} 不是贵单位有效的签名密钥。请先登记该密钥。"
    en: ClassVar[str] = "{address} is no valid signing key of your organisation; register it first."


class SigningAddressTaken(Conflict):
    code: ClassVar[str] = "signing-address-taken"
    zh: ClassVar[str] = "另一账户已以该密钥登录。请使用其他密钥。"
    en: ClassVar[str] = "Another account signs in by this key; use another."


class NoScopeChosen(Invalid):
    code: ClassVar[str] = "no-scope-chosen"
    zh: ClassVar[str] = "请至少选择一项权限，否则该密钥没有用处。"
    en: ClassVar[str] = "Choose at least one permission; the key would be of no use without."


@dataclass(frozen=True, slots=True)
class NewPassword:
    """What was entered to change a password."""

    present: str = field(repr=False)
    password: str = field(repr=False)
    repeated: str = field(repr=False)


def change_password(door: Door, arrival: Arrival, known: SignedIn, given: NewPassword) -> str:
    """Change it, end all other sessions and rotate this one; the new session's token.

    Raises NoPassword, PasswordWrong, PasswordTooShort, PasswordIsName, PasswordsDiffer, TooManyAttempts.
    """
    account_id = known.actor.account_id
    met = _check_present(door, arrival, account_id, given.present)
    passwords.check(given.password, given.repeated, known.name, met.name)
    fresh = door.passwords.hash(given.password)

    def write(session: Session) -> str:
        # Compared and set in one statement: of two changes at once, one finds the password it knew.
        changed = session.execute(
            update(Credential)
            .where(Credential.account_id == account_id, Credential.password_hash == met.password_hash)
            .values(password_hash=fresh, password_set_at=arrival.now)
            .returning(Credential.account_id)
        )
        if changed.scalar_one_or_none() is None:
            raise PasswordWrong
        sessions.end_all(session, account_id)
        return arrival.start(session, account_id, SignInMethod.PASSWORD)

    return arrival.database.write(write)


def _check_present(door: Door, arrival: Arrival, account_id: str, password: str) -> Known:
    """Whoever sits at the browser knows the password, as the cookie alone does not show."""
    met = arrival.database.read(lambda session: known_by_id(session, account_id))
    if met is None or met.password_hash is None:
        raise NoPassword
    door.throttle.check(met.name, arrival.address, Step.PASSWORD)
    if not door.passwords.matches(met.password_hash, password):
        door.throttle.failed(met.name, arrival.address)
        raise PasswordWrong
    door.throttle.succeeded(met.name, arrival.address)
    return met


def begin_second_factor(door: Door, arrival: Arrival, account_id: str, password: str) -> None:
    """Offer a new authenticator secret; the present one counts until the new one is confirmed.

    Raises NoPassword, PasswordWrong, TooManyAttempts.
    """
    _check_present(door, arrival, account_id, password)
    sealed = door.box.seal(account_id, second_factor.new_secret())
    arrival.database.write(
        lambda session: session.execute(
            update(Credential).where(Credential.account_id == account_id).values(next_totp_secret=sealed)
        )
    )


def offered_secret(session: Session, door: Door, account_id: str) -> str:
    """The secret that waits to be confirmed. Raises NothingToConfirm."""
    return door.box.open(account_id, _offered(session, account_id))


def _offered(session: Session, account_id: str) -> bytes:
    credential = session.get(Credential, account_id)
    if credential is None or credential.next_totp_secret is None:
        raise NothingToConfirm
    return credential.next_totp_secret


def confirm_second_factor(door: Door, arrival: Arrival, known: SignedIn, code: str) -> list[str]:
    """Let the offered secret be the second factor; the fresh recovery codes. Other sessions end.

    Raises NothingToConfirm, CodeRefused, TooManyAttempts.
    """
    account_id = known.actor.account_id
    sealed = arrival.database.read(lambda session: _offered(session, account_id))
    step = second_factor.matching_step(door.box.open(account_id, sealed), code, now=arrival.now)
    if step is None:
        raise CodeRefused
    codes = second_factor.new_recovery_codes()

    def write(session: Session) -> None:
        confirmed = session.execute(
            update(Credential)
            .where(Credential.account_id == account_id, Credential.next_totp_secret == sealed)
            .values(totp_secret=sealed, next_totp_secret=None, totp_step=step)
            .returning(Credential.account_id)
        )
        if confirmed.scalar_one_or_none() is None:
            raise NothingToConfirm
        second_factor.replace_recovery_codes(session, account_id, codes)
        sessions.end_all(session, account_id, but=known.token_hash)

    arrival.database.write(write)
    return codes


def set_signing_address(
    session: Session, door: Door, actor: Actor, address: str | None, *, now: datetime
) -> None:
    """Let a signing key of one's organisation sign this account in; None: no key any more.

    Raises KeyNotOfOrganisation, SigningAddressTaken.
    """
    if address is not None and not door.holds_key(session, actor.organisation_id, address, now):
        raise KeyNotOfOrganisation(address=address)
    assign_signing_address(session, actor.account_id, address)


def assign_signing_address(session: Session, account_id: str, address: str | None) -> None:
    """The same without a look at the key, which signing in takes anyway.

    Raises AccountNotFound, SigningAddressTaken.
    """
    account = service.account(session, account_id)
    try:
        with session.begin_nested():
            account.signing_address = address
    except IntegrityError:
        raise SigningAddressTaken from None


def api_keys_of(session: Session, actor: Actor) -> list[ApiKey]:
    """One's own API keys, the newest first. Raises NotPermitted."""
    actor.require(Permission.API_KEY_OWN)
    query = select(ApiKey).where(ApiKey.account_id == actor.account_id)
    return list(session.scalars(query.order_by(ApiKey.created_at.desc(), ApiKey.id)))


def add_api_key(
    session: Session,
    actor: Actor,
    minted: MintedKey,
    scopes: Iterable[Permission] | None,
    *,
    now: datetime,
) -> ApiKey:
    """Give oneself a key. scopes: None stands for all that the caller himself may do now.

    A key can give its holder no more than it may itself. Raises NotPermitted, NoScopeChosen.
    """
    actor.require(Permission.API_KEY_OWN)
    held = frozenset(permission for permission in Permission if actor.may(permission))
    wanted = held if scopes is None else frozenset(scopes)
    for scope in sorted(wanted - held):
        raise NotPermitted(permission=scope.value)
    if not wanted:
        raise NoScopeChosen
    return service.enter_api_key(session, actor.account_id, minted, wanted, now=now)


def revoke_api_key(session: Session, actor: Actor, key_id: str, *, now: datetime) -> ApiKey:
    """Make one of one's own keys open nothing from now on. Raises NotPermitted, ApiKeyNotFound."""
    actor.require(Permission.API_KEY_OWN)
    key = session.get(ApiKey, key_id)
    if key is None or key.account_id != actor.account_id:
        raise ApiKeyNotFound(key=key_id)
    key.revoked_at = key.revoked_at or now
    return key


@dataclass(frozen=True, slots=True)
class Standing:
    """What the account's page shows of it."""

    account: Account
    has_password: bool
    password_set_at: datetime | None
    has_second_factor: bool
    recovery_codes: int


def standing(session: Session, account_id: str) -> Standing:
    """How one signs in to the account. Raises AccountNotFound."""
    credential = session.get(Credential, account_id)
    return Standing(
        service.account(session, account_id),
        credential is not None,
        credential.password_set_at if credential else None,
        credential is not None and credential.totp_secret is not None,
        second_factor.recovery_codes_left(session, account_id),
    )
