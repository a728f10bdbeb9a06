"""Sessions of signed-in browsers: an opaque token in a cookie, its digest and everything else in the table.

A session ends by itself when it was idle too long or has grown too old, and at once when its row is deleted
or its account disabled. Every sign-in starts a new one under a fresh token and ends the one whose token the
browser brought along, so that a token planted beforehand is worth nothing.
"""

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from talentseal.accounts.models import (
    Account,
    HalfSignIn,
    KeyChallenge,
    Organisation,
    SignInMethod,
    WebSession,
)
from talentseal.accounts.roles import PERMISSIONS, Actor

SEEN_EVERY: Final = timedelta(minutes=1)
"""How exact `last_seen_at` is: it is written no more often than that."""

_BROWSERS: Final = {"Edg/": "Edge", "Firefox/": "Firefox", "Chrome/": "Chrome", "Safari/": "Safari"}
"""By a mark of its own, those that carry the marks of others first."""
_SYSTEMS: Final = {
    "HarmonyOS": "HarmonyOS",
    "Android": "Android",
    "iPhone": "iOS",
    "iPad": "iOS",
    "Windows": "Windows",
    "Macintosh": "macOS",
    "Linux": "Linux",
}


@dataclass(frozen=True, slots=True)
class Cookie:
    """A cookie that scripts cannot read and other sites cannot make a browser send with an unsafe request.

    secure: the service's public address is https; then the browser itself binds the cookie to this host.
    """

    base_name: str
    secure: bool

    @property
    def name(self) -> str:
        return f"__Host-{self.base_name}" if self.secure else self.base_name

    def read(self, request: Request) -> str:
        """The token that the browser brought; empty when none."""
        return request.cookies.get(self.name, "")

    def give(self, response: Response, token: str) -> None:
        """Let the browser keep `token` until it is closed."""
        response.set_cookie(self.name, token, path="/", httponly=True, samesite="lax", secure=self.secure)

    def take(self, response: Response) -> None:
        """Let the browser forget the token."""
        response.delete_cookie(self.name, path="/", httponly=True, samesite="lax", secure=self.secure)


@dataclass(frozen=True, slots=True)
class SessionRules:
    """How long a session lasts: idle since its last request, absolute since the sign-in."""

    idle: timedelta
    absolute: timedelta
    secure: bool

    @property
    def cookie(self) -> Cookie:
        """Holds the session's token."""
        return Cookie("talentseal", self.secure)

    @property
    def half_cookie(self) -> Cookie:
        """Holds the token of a sign-in that is under way."""
        return Cookie("talentseal-sign-in", self.secure)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Whoever a request's session belongs to, read fresh. session: its public id."""

    session: str
    token_hash: str = field(repr=False)
    actor: Actor
    name: str = field(repr=False)
    organisation: str
    """Its name; empty for a talent."""
    last_seen_at: datetime


def new_token() -> str:
    """256 random bits as text of 43 characters."""
    return secrets.token_urlsafe(32)


def described(user_agent: str) -> str:
    """Browser and system by which a person knows his device again: "Firefox · Linux". Empty when unknown."""
    found = (
        next((name for mark, name in marks.items() if mark in user_agent), "")
        for marks in (_BROWSERS, _SYSTEMS)
    )
    return " · ".join(name for name in found if name)


def token_hash(token: str) -> str:
    """What the tables hold in a token's place: SHA-256 hex."""
    return hashlib.sha256(token.encode()).hexdigest()


def start(
    session: Session,
    account_id: str,
    method: SignInMethod,
    *,
    token: str,
    browser: str,
    replaces: str,
    now: datetime,
) -> None:
    """Sign a browser in under the fresh `token`. browser: its User-Agent.

    replaces: the token it brought, whose session ends.
    """
    end(session, token_hash(replaces))
    session.add(
        WebSession(
            token_hash=token_hash(token),
            id=secrets.token_hex(16),
            account_id=account_id,
            method=method,
            browser=described(browser),
            created_at=now,
            last_seen_at=now,
        )
    )
    session.flush()


def signed_in(session: Session, token: str, rules: SessionRules, *, now: datetime) -> SignedIn | None:
    """Whose session `token` opens; None when it is unknown, over, or its account disabled."""
    found = session.execute(
        select(WebSession, Account, Organisation.name)
        .join(Account, Account.id == WebSession.account_id)
        .outerjoin(Organisation, Organisation.id == Account.organisation_id)
        .where(
            WebSession.token_hash == token_hash(token),
            WebSession.last_seen_at > now - rules.idle,
            WebSession.created_at > now - rules.absolute,
            Account.disabled_at.is_(None),
        )
    ).one_or_none()
    if found is None:
        return None
    row, account, organisation = found
    actor = Actor(account.id, account.organisation_id or "", account.role, PERMISSIONS[account.role])
    return SignedIn(row.id, row.token_hash, actor, account.name, organisation or "", row.last_seen_at)


def note_seen(session: Session, row_hash: str, *, now: datetime) -> None:
    """Keep that the session was in use. A session that has ended meanwhile stays ended."""
    session.execute(update(WebSession).where(WebSession.token_hash == row_hash).values(last_seen_at=now))


def end(session: Session, row_hash: str) -> None:
    """End one session, by the digest of its token."""
    session.execute(delete(WebSession).where(WebSession.token_hash == row_hash))


def end_by_id(session: Session, account_id: str, session_id: str) -> None:
    """End one of the account's own sessions; of others' it knows nothing."""
    session.execute(
        delete(WebSession).where(WebSession.id == session_id, WebSession.account_id == account_id)
    )


def end_all(session: Session, account_id: str, *, but: str = "") -> None:
    """End every session of an account, and what is half signed in. but: digest of a token to spare."""
    session.execute(
        delete(WebSession).where(WebSession.account_id == account_id, WebSession.token_hash != but)
    )
    session.execute(delete(HalfSignIn).where(HalfSignIn.account_id == account_id))


def sessions_of(
    session: Session, account_id: str, rules: SessionRules, *, limit: int, now: datetime
) -> list[WebSession]:
    """Up to `limit` of the account's open sessions, the last used first."""
    query = select(WebSession).where(
        WebSession.account_id == account_id,
        WebSession.last_seen_at > now - rules.idle,
        WebSession.created_at > now - rules.absolute,
    )
    newest = query.order_by(WebSession.last_seen_at.desc(), WebSession.id).limit(limit)
    return list(session.scalars(newest))


def prune(session: Session, rules: SessionRules, *, now: datetime) -> None:
    """Forget sessions that are over and sign-ins that were not completed."""
    session.execute(
        delete(WebSession).where(
            or_(WebSession.last_seen_at <= now - rules.idle, WebSession.created_at <= now - rules.absolute)
        )
    )
    for table in (HalfSignIn, KeyChallenge):
        session.execute(delete(table).where(table.expires_at <= now))
