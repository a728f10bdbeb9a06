"""API keys: `ts_<id>_<secret>`, Argon2id at rest, verified in bounded memory and remembered while used.

A revoked key or a disabled account is refused by the next request: both are read from the database every
time, if not before the act then within its transaction (`Recalled`). Only the slow hash is remembered, and
that under a keyed digest which lives in this process alone.
"""

import hashlib
import hmac
import math
import re
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Final, TypeVar

import argon2
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from talentseal.accounts.models import Account, ApiKey
from talentseal.accounts.roles import PERMISSIONS, Actor, Permission, Role
from talentseal.db import Ahead, Database, Writes, only_row
from talentseal.errors import TalentSealError

T = TypeVar("T")

REMEMBERED_SECONDS: Final = 24 * 3600
"""How long after a use a verified secret is not hashed again. Otherwise all terminals' would be hashed when
counters open, each for 0.2 s of processor.
"""

NOTED_SECONDS: Final = 300
"""How often it is noted that a key is in use."""

REMEMBERED_KEYS: Final = 10_000
"""Secrets and addresses kept in memory at most; the oldest go first."""

FREE_FAILURES: Final = 5
"""Wrong secrets in a row from one address before it has to wait."""

LONGEST_WAIT_SECONDS: Final = 900

_FORM: Final = re.compile(r"ts_([0-9a-f]{16})_([A-Za-z0-9_-]{43})\Z")
HASHING: Final = threading.BoundedSemaphore(2)
"""Argon2id takes 64 MiB a call: two at a time, whatever the number of request threads."""


class Unauthenticated(TalentSealError):
    code: ClassVar[str] = "unauthenticated"
    status: ClassVar[int] = 401
    zh: ClassVar[str] = "未通过身份验证。请在 Authorization 请求头中提供有效的 API 密钥（Bearer ts_…）。"
    en: ClassVar[str] = "Not authenticated; send a valid API key as `Authorization: Bearer ts_…`."


class TooManyAttempts(TalentSealError):
    code: ClassVar[str] = "too-many-attempts"
    status: ClassVar[int] = 429
    zh: ClassVar[str] = "验证失败次数过多，请在 {retry_after} 秒后重试。"
    en: ClassVar[str] = "Too many failed attempts; try again in {retry_after} seconds."


@dataclass(frozen=True, slots=True)
class MintedKey:
    """A fresh key.

    `text` is shown once to its holder and kept nowhere; `secret_hash` is what the table takes.
    """

    id: str
    text: str = field(repr=False)
    secret_hash: str = field(repr=False)


def mint(hasher: argon2.PasswordHasher | None = None) -> MintedKey:
    """A new key with a 256-bit secret. Slow by design (Argon2id): call it outside any transaction."""
    identifier, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
    with HASHING:
        digest = (hasher or argon2.PasswordHasher()).hash(secret)
    return MintedKey(identifier, f"ts_{identifier}_{secret}", digest)


@dataclass(frozen=True, slots=True)
class _Holder:
    """What one request needs to know about a key, read fresh."""

    secret_hash: str = field(repr=False)
    actor: Actor


def _holder_of(session: Session, key_id: str) -> _Holder | None:
    """The key's hash and actor; None when the key is unknown or revoked, or its account disabled."""
    found = only_row(session, _HOLDER, key=key_id)
    if found is None:
        return None
    scopes = frozenset(Permission(scope) for scope in found.scopes.split())
    return _Holder(found.secret_hash, Actor(found.id, found.organisation_id or "", found.role, scopes))


_HOLDER: Final = (
    select(ApiKey.secret_hash, ApiKey.scopes, Account.id, Account.organisation_id, Account.role)
    .join(Account, Account.id == ApiKey.account_id)
    .where(ApiKey.id == bindparam("key"), ApiKey.revoked_at.is_(None), Account.disabled_at.is_(None))
)


@dataclass(frozen=True, slots=True)
class Recalled:
    """The holder of a key that was verified in this process, as he was then: good for nothing but what goes
    on to `confirm` him in the transaction of his act.
    """

    _key: str
    _holder: _Holder

    @property
    def actor(self) -> Actor:
        return self._holder.actor

    @property
    def asked(self) -> Ahead:
        """What `confirm` asks, for a write that begins with it."""
        return Ahead(_HOLDER, {"key": self._key})

    def confirm(self, session: Session) -> None:
        """Raises Unauthenticated unless key and account are as they were."""
        if _holder_of(session, self._key) != self._holder:
            raise Unauthenticated


@dataclass(frozen=True, slots=True)
class ConfirmedWrites:
    """The writes of a recalled holder: each confirms him before all else, in the same transaction."""

    database: Writes
    recalled: Recalled

    @property
    def dialect(self) -> str:
        return self.database.dialect

    def write(self, work: Callable[[Session], T], ahead: Sequence[Ahead] = ()) -> T:
        """As `Database.write`. Raises Unauthenticated as well, with nothing changed."""

        def confirmed(session: Session) -> T:
            self.recalled.confirm(session)
            return work(session)

        return self.database.write(confirmed, [self.recalled.asked, *ahead])


def all_scopes(role: Role) -> frozenset[Permission]:
    """What a key of that role may be scoped to at most."""
    return PERMISSIONS[role]


class BackOff:
    """Failures by address: after FREE_FAILURES in a row each further one doubles the wait, 1 s to 15 min."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def check(self, address: str) -> None:
        """Raises TooManyAttempts while `address` has to wait."""
        with self._lock:
            _, until = self._failures.get(address, (0, 0.0))
        remaining = until - self._monotonic()
        if remaining > 0:
            raise TooManyAttempts(retry_after=int(remaining) + 1)

    def failed(self, address: str) -> None:
        with self._lock:
            count = self._failures.pop(address, (0, 0.0))[0] + 1
            excess = count - FREE_FAILURES
            wait = 0 if excess < 0 else min(LONGEST_WAIT_SECONDS, 2 ** min(excess, 20))
            self._failures[address] = (count, self._monotonic() + wait)
            while len(self._failures) > REMEMBERED_KEYS:
                self._failures.popitem(last=False)

    def succeeded(self, address: str) -> None:
        with self._lock:
            self._failures.pop(address, None)


@dataclass(frozen=True, slots=True)
class _Noted:
    """When the use of a verified secret was last noted, and whose it was."""

    at: float
    holder: _Holder


class Authenticator:
    """Turns an `Authorization` header into an Actor. One per process; safe between threads."""

    def __init__(
        self,
        database: Database,
        now: Callable[[], datetime],
        *,
        hasher: argon2.PasswordHasher | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._now = now
        self._hasher = hasher or argon2.PasswordHasher()
        self._monotonic = monotonic
        self._back_off = BackOff(monotonic)
        self._process_key = secrets.token_bytes(32)
        self._noted: OrderedDict[bytes, _Noted] = OrderedDict()
        self._lock = threading.Lock()
        # An unknown key id costs the same hash as a wrong secret, so that the time tells nothing.
        self._decoy = self._hasher.hash(secrets.token_urlsafe(32))

    def authenticate(self, authorization: str | None, address: str) -> Actor:
        """The actor behind the header. address: the caller's network address, for the back-off only.

        Raises Unauthenticated for a missing, malformed, unknown, wrong or revoked key, TooManyAttempts.
        """
        key_id, secret = _parse(authorization)
        holder = self._database.read(lambda session: _holder_of(session, key_id))
        token = self._token(key_id, secret)
        noted = self._noted_of(token)
        unnoted = math.inf
        if noted is not None and holder is not None and noted.holder.secret_hash == holder.secret_hash:
            unnoted = self._monotonic() - noted.at
        if holder is None or unnoted > REMEMBERED_SECONDS:
            holder = self._verified(holder, secret, address)
        if unnoted > NOTED_SECONDS:
            self._remember(token, holder)
            self._note_use(key_id)
        return holder.actor

    def recall(self, authorization: str | None) -> Recalled | None:
        """Whoever was authenticated by the same header within NOTED_SECONDS; nothing is read or hashed.

        Raises Unauthenticated for a missing or malformed key.
        """
        key_id, secret = _parse(authorization)
        noted = self._noted_of(self._token(key_id, secret))
        if noted is None or self._monotonic() - noted.at > NOTED_SECONDS:
            return None
        return Recalled(key_id, noted.holder)

    def _token(self, key_id: str, secret: str) -> bytes:
        return hmac.digest(self._process_key, f"{key_id}\n{secret}".encode(), hashlib.sha256)

    def _noted_of(self, token: bytes) -> "_Noted | None":
        with self._lock:
            return self._noted.get(token)

    def _remember(self, token: bytes, holder: _Holder) -> None:
        with self._lock:
            self._noted[token] = _Noted(self._monotonic(), holder)
            self._noted.move_to_end(token)
            while len(self._noted) > REMEMBERED_KEYS:
                self._noted.popitem(last=False)

    def _verified(self, holder: _Holder | None, secret: str, address: str) -> _Holder:
        """The holder whose secret it is. Raises Unauthenticated, TooManyAttempts."""
        self._back_off.check(address)
        if not self._secret_matches(holder, secret) or holder is None:
            self._back_off.failed(address)
            raise Unauthenticated
        self._back_off.succeeded(address)
        return holder

    def _secret_matches(self, holder: _Holder | None, secret: str) -> bool:
        with HASHING:
            try:
                return self._hasher.verify(holder.secret_hash if holder else self._decoy, secret)
            except (VerificationError, InvalidHashError):
                return False

    def _note_use(self, key_id: str) -> None:
        now = self._now()
        self._database.write(
            lambda session: session.execute(
                update(ApiKey).where(ApiKey.id == key_id).values(last_used_at=now)
            )
        )


def _parse(authorization: str | None) -> tuple[str, str]:
    """Key id and secret of a Bearer header. Raises Unauthenticated."""
    scheme, _, credentials = (authorization or "").partition(" ")
    form = _FORM.match(credentials.strip())
    if scheme.lower() != "bearer" or form is None:
        raise Unauthenticated
    return form[1], form[2]
