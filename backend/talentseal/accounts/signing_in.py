"""Signing in by password and second factor, and the half-way house between the two.

Each refusal says the same for a wrong password, an unknown name and a disabled account, and takes the same
time. Between the factors a browser holds the token of a row that lasts five minutes and a few wrong codes.
"""

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar, Final

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from sealproof.eip712 import Domain
from talentseal.accounts import second_factor, sessions
from talentseal.accounts.arrival import Arrival
from talentseal.accounts.models import Account, Credential, HalfSignIn, SignInMethod
from talentseal.accounts.passwords import Passwords
from talentseal.accounts.roles import Role
from talentseal.accounts.second_factor import WINDOW, SecretBox
from talentseal.accounts.throttle import Step, Throttle
from talentseal.errors import Conflict, TalentSealError

HALF_TERM: Final = timedelta(minutes=5)
HALF_FAILURES: Final = 5
"""Wrong codes after which the first factor has to be shown again."""

ONE_FACTOR: Final[Mapping[SignInMethod, frozenset[Role]]] = {
    SignInMethod.PASSWORD: frozenset({Role.TALENT}),
    SignInMethod.KEY: frozenset({Role.PARTNER, Role.THIRD_PARTY}),
}
"""Whom a first factor of that kind lets in alone: a talent, who sees his own affairs only; a partner by his
organisation's signing key, which a wallet or a passphrase keeps. Nobody else of any organisation's staff.
"""


class SignInRefused(TalentSealError):
    code: ClassVar[str] = "sign-in-refused"
    status: ClassVar[int] = 401
    zh: ClassVar[str] = "登录名或密码不正确。请核对后重试；忘记密码请联系运营机构重新邀请。"
    en: ClassVar[str] = (
        "Name or password is wrong; check both. If you forgot it, ask the operator for a new invitation."
    )


class CodeRefused(TalentSealError):
    code: ClassVar[str] = "code-refused"
    status: ClassVar[int] = 401
    zh: ClassVar[str] = "验证码不正确，或已使用过。请等待下一个验证码后重试，或使用恢复码。"
    en: ClassVar[str] = "The code is wrong or was used before; wait for the next one, or use a recovery code."


class SignInExpired(TalentSealError):
    code: ClassVar[str] = "sign-in-expired"
    status: ClassVar[int] = 401
    zh: ClassVar[str] = "本次登录已超时或验证码错误次数过多。请重新输入登录名和密码。"
    en: ClassVar[str] = "This sign-in took too long or met too many wrong codes; begin again."


class SecondFactorMissing(Conflict):
    code: ClassVar[str] = "second-factor-missing"
    zh: ClassVar[str] = "您的角色须启用第二因素，而账户尚未设置。请联系运营机构重新邀请。"
    en: ClassVar[str] = (
        "Your role needs a second factor and the account has none; ask the operator for a new invitation."
    )


@dataclass(frozen=True, slots=True)
class Door:
    """What signing in works with. Set as `app.state.door` by the composition root.

    origin: the service's public address, which a wallet shows. domain: where signatures hold now.
    holds_key: whether an organisation's key of that address is registered and valid at that time.
    """

    passwords: Passwords = field(repr=False)
    box: SecretBox = field(repr=False)
    throttle: Throttle = field(repr=False)
    issuer: str
    origin: str
    domain: Callable[[Session], Domain] = field(repr=False)
    holds_key: Callable[[Session, str, str, datetime], bool] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Known:
    """What signing in needs of an account. totp_secret: encrypted."""

    account_id: str
    name: str = field(repr=False)
    role: Role
    password_hash: str | None = field(repr=False)
    totp_secret: bytes | None = field(repr=False)


def folded(name: str) -> str:
    """The one spelling of a sign-in name under which it is kept and looked for."""
    return unicodedata.normalize("NFKC", name).strip().casefold()


def known_by_name(session: Session, name: str) -> Known | None:
    """Who signs in under that name; None when nobody does, or nobody may."""
    query = select(Account).where(Account.sign_in_name == folded(name))
    return _known(session, session.scalars(query).one_or_none())


def known_by_id(session: Session, account_id: str) -> Known | None:
    """The same by the account."""
    return _known(session, session.get(Account, account_id))


def _known(session: Session, account: Account | None) -> Known | None:
    if account is None or account.disabled_at is not None:
        return None
    credential = session.get(Credential, account.id)
    return Known(
        account.id,
        account.sign_in_name or account.id,
        account.role,
        None if credential is None else credential.password_hash,
        None if credential is None else credential.totp_secret,
    )


def check_password(door: Door, arrival: Arrival, name: str, password: str) -> Known:
    """The first factor. Raises SignInRefused, TooManyAttempts."""
    door.throttle.check(folded(name), arrival.address, Step.PASSWORD)
    known = arrival.database.read(lambda session: known_by_name(session, name))
    matches = door.passwords.matches(known.password_hash if known else None, password)
    if known is None or known.password_hash is None or not matches:
        door.throttle.failed(folded(name), arrival.address)
        raise SignInRefused
    return known


def needs_second_factor(known: Known, method: SignInMethod) -> bool:
    """Whether a code is still to be shown. Raises SecondFactorMissing for staff that has none enrolled."""
    if known.totp_secret is None and known.role not in ONE_FACTOR[method]:
        raise SecondFactorMissing
    return known.totp_secret is not None


def wait_for_code(arrival: Arrival, known: Known, method: SignInMethod) -> str:
    """Remember that the first factor held; the token by which the browser comes back with a code."""
    token = sessions.new_token()
    row = {
        "token_hash": sessions.token_hash(token),
        "account_id": known.account_id,
        "method": method,
        "failures": 0,
        "expires_at": arrival.now + HALF_TERM,
    }
    arrival.database.write(lambda session: session.execute(insert(HalfSignIn).values(row)))
    return token


def check_code(door: Door, arrival: Arrival, half_token: str, code: str) -> str:
    """The second factor; the token of the session that was started.

    Raises SignInExpired, CodeRefused, TooManyAttempts.
    """
    row_hash = sessions.token_hash(half_token)
    known, method = arrival.database.read(lambda session: _halfway(session, row_hash, arrival.now))
    door.throttle.check(known.name, arrival.address, Step.CODE)
    window = 0 if door.throttle.is_pressed(known.name) else WINDOW
    step = _step_of(door, known, code, arrival.now, window)

    def complete(session: Session) -> str:
        if not _use(session, known, code, step):
            raise CodeRefused
        if not _end_half(session, row_hash):
            raise SignInExpired
        return arrival.start(session, known.account_id, method)

    try:
        token = arrival.database.write(complete)
    except CodeRefused:
        door.throttle.failed(known.name, arrival.address)
        arrival.database.write(lambda session: _count_failure(session, row_hash))
        raise
    door.throttle.succeeded(known.name, arrival.address)
    return token


def _halfway(session: Session, row_hash: str, now: datetime) -> tuple[Known, SignInMethod]:
    half = session.get(HalfSignIn, row_hash)
    if half is None or half.expires_at <= now or half.failures >= HALF_FAILURES:
        raise SignInExpired
    known = known_by_id(session, half.account_id)
    if known is None or known.totp_secret is None:
        raise SignInExpired
    return known, half.method


def _step_of(door: Door, known: Known, code: str, now: datetime, window: int) -> int | None:
    if known.totp_secret is None:
        return None
    secret = door.box.open(known.account_id, known.totp_secret)
    return second_factor.matching_step(secret, code, now=now, window=window)


def _use(session: Session, known: Known, code: str, step: int | None) -> bool:
    """Use the code up, whichever of the two kinds it is."""
    if step is None or known.totp_secret is None:
        return second_factor.use_recovery_code(session, known.account_id, code)
    return second_factor.use_step(session, known.account_id, known.totp_secret, step)


def _end_half(session: Session, row_hash: str) -> bool:
    ended = session.execute(
        delete(HalfSignIn).where(HalfSignIn.token_hash == row_hash).returning(HalfSignIn.token_hash)
    )
    return ended.scalar_one_or_none() is not None


def _count_failure(session: Session, row_hash: str) -> None:
    counted = HalfSignIn.failures + 1
    session.execute(update(HalfSignIn).where(HalfSignIn.token_hash == row_hash).values(failures=counted))
