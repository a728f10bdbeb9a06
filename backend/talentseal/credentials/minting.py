"""Minting: a signed-in talent's bound device gets the next token of his code, in two forms.

The one that it had counts no longer, whether or not it was used. Only a code that is ACTIVE is shown; for
any other the holder is told here why, which the counter never is.

For a phone that may lose its network a few are minted beforehand, which live ten minutes and stand beside the
one that it shows. They end with the device and the session like any other; at the counter they are known for
what they are.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil
from typing import ClassVar, Final

from sqlalchemy import bindparam, delete, insert, or_, select, update
from sqlalchemy.orm import Session

from talentseal.accounts.roles import Actor
from talentseal.credentials import devices, proofs, tc1, tc2, tcn
from talentseal.credentials.master_keys import MasterKeys
from talentseal.credentials.models import Device, MintedToken, TokenBurn
from talentseal.credentials.tc1 import OnlineToken
from talentseal.db import Instant, connection_of, rows, table_of
from talentseal.errors import Conflict, TalentSealError
from talentseal.policy.tiers import Tier
from talentseal.statements import carry_out
from talentseal.talents.codes import CodeNotFound
from talentseal.talents.models import CodeState, TalentCode

MINTS: Final = 20
WINDOW: Final = timedelta(minutes=1)
"""A device may mint MINTS times in any WINDOW."""

OFFLINE: Final = 5
"""Tokens for times without a network that a device has in one session at most, used ones not counted."""
OFFLINE_AT_ONCE: Final = 2
"""Minted by one request, so that those that a phone holds do not all run out together."""

KEPT: Final = timedelta(days=1)
"""How long it is known whose an old token was, so that showing a screenshot can be told from forging."""
OFFLINE_KEPT: Final = timedelta(days=3)
"""The same for a token for times without a network: what was done by it is entered up to two days later."""


class TooManyMints(TalentSealError):
    code: ClassVar[str] = "too-many-mints"
    status: ClassVar[int] = 429
    zh: ClassVar[str] = "人才码刷新过于频繁，请在 {retry_after} 秒后重试。"
    en: ClassVar[str] = "The code was refreshed too often; try again in {retry_after} seconds."


class OwnCodeUnusable(Conflict):
    code = "own-code-unusable"
    zh = "您的人才码目前不能出示。"
    en = "Your code cannot be shown at present."


class OwnCodeSuspended(OwnCodeUnusable):
    code = "own-code-suspended"
    zh = "您的人才码已暂停使用，暂时不能出示。暂停的原因、期限与申诉方式见给您的通知。"
    en = (
        "Your code is suspended and cannot be shown; the notice to you says why, how long, and how to appeal."
    )


class OwnReviewOverdue(OwnCodeUnusable):
    code = "own-review-overdue"
    zh = "您的定期复核已逾期，完成复核后即可恢复出示人才码。"
    en = "Your periodic review is overdue; complete it and the code can be shown again."


class OwnCodeTerminated(OwnCodeUnusable):
    code = "own-code-terminated"
    zh = "您的人才码已终止，不能再出示。终止的原因与申诉方式见给您的决定。"
    en = "Your code was terminated and cannot be shown; the decision sent to you says why and how to appeal."


class OwnCodeCancelled(OwnCodeUnusable):
    code = "own-code-cancelled"
    zh = "您的人才码已注销。如需使用，请重新申领。"
    en = "Your code was cancelled; apply again if you want to use one."


_UNUSABLE: Final[dict[CodeState, type[OwnCodeUnusable]]] = {
    CodeState.SUSPENDED: OwnCodeSuspended,
    CodeState.REVIEW_OVERDUE: OwnReviewOverdue,
    CodeState.TERMINATED: OwnCodeTerminated,
    CodeState.CANCELLED: OwnCodeCancelled,
}


@dataclass(frozen=True, slots=True)
class Minted:
    """What the phone shows, and nobody keeps. text: of the QR code; number: the 19 digits."""

    text: str = field(repr=False)
    number: str = field(repr=False)
    tier: Tier
    issued_at: datetime
    expires_at: datetime

    @property
    def grouped(self) -> str:
        """The number in fours, as people read it out."""
        return " ".join(self.number[place : place + 4] for place in range(0, len(self.number), 4))


@dataclass(frozen=True, slots=True)
class Stock:
    """What a phone keeps in memory for a time without a network. proof: text of a TC2, for display only, and
    until `expires_at`.
    """

    tokens: list[Minted]
    proof: str = field(repr=False)
    tier: Tier
    issued_at: datetime
    expires_at: datetime


def mint(
    session: Session, actor: Actor, keys: MasterKeys, *, device_token: str, session_id: str, now: datetime
) -> Minted:
    """The next token of the actor's code on the device. session_id: of the session that he is signed in by.

    Raises NotPermitted, DeviceNotBound, TooManyMints, CodeNotFound, one of the Own… errors, KeyMissing.
    """
    device, talent = devices.held(session, actor, device_token)
    _admit(session, device, now)
    code = own_code(session, talent)
    require_usable(code)
    token, minted = _mint(session, keys, code, device, session_id, offline=False, now=now)
    carry_out(connection_of(session), _SUPERSEDE, {"of_device": device, "newest": token.digest})
    return minted


def mint_offline(
    session: Session, actor: Actor, keys: MasterKeys, *, device_token: str, session_id: str, now: datetime
) -> Stock:
    """What the phone keeps for a time without a network: tokens as far as it may have more, and a proof.

    Raises as `mint` does.
    """
    device, talent = devices.held(session, actor, device_token)
    _admit(session, device, now)
    code = own_code(session, talent)
    require_usable(code)
    unused = rows(session, _UNUSED, device=device, signed_in=session_id, since=now - tc1.OFFLINE_LIFETIME)
    tokens = [
        _mint(session, keys, code, device, session_id, offline=True, now=now)[1]
        for _ in range(min(OFFLINE_AT_ONCE, OFFLINE - len(unused)))
    ]
    return Stock(tokens, proofs.sign(keys, code, now=now), code.tier, now, now + tc2.LIFETIME)


def _mint(
    session: Session,
    keys: MasterKeys,
    code: TalentCode,
    device: str,
    session_id: str,
    *,
    offline: bool,
    now: datetime,
) -> tuple[OnlineToken, Minted]:
    token, number = tc1.mint(keys, code.code_ref, now=now), tcn.mint()
    row = {
        "digest": token.digest,
        "number_digest": tcn.digest(keys, number, now=now),
        "device_id": device,
        "code_id": code.id,
        "session_id": session_id,
        "minted_at": now,
        "offline": offline,
    }
    carry_out(connection_of(session), _MINT, row)
    lifetime = tc1.OFFLINE_LIFETIME if offline else tc1.LIFETIME
    return token, Minted(token.text, number, code.tier, token.issued_at, token.issued_at + lifetime)


def own_code(session: Session, talent_id: str) -> TalentCode:
    """The talent's newest code, whatever its state. Raises CodeNotFound when he never had one."""
    row = session.scalars(_NEWEST_CODE, {"talent": talent_id}).first()
    if row is None:
        raise CodeNotFound
    return row


_NEWEST_CODE: Final = (
    select(TalentCode)
    .where(TalentCode.talent_id == bindparam("talent"))
    .order_by(TalentCode.issued_at.desc(), TalentCode.id)
    .limit(1)
)
_RECENT: Final = (
    select(MintedToken.minted_at)
    .where(
        MintedToken.device_id == bindparam("device"),
        MintedToken.minted_at > bindparam("since", type_=Instant),
    )
    .order_by(MintedToken.minted_at.desc())
    .limit(MINTS)
)
_UNUSED: Final = (
    select(MintedToken.digest)
    .outerjoin(TokenBurn, TokenBurn.digest == MintedToken.digest)
    .where(
        MintedToken.device_id == bindparam("device"),
        MintedToken.session_id == bindparam("signed_in"),
        MintedToken.minted_at > bindparam("since", type_=Instant),
        MintedToken.offline,
        TokenBurn.digest.is_(None),
    )
)
_MINT: Final = insert(table_of(MintedToken))
_DEVICES: Final = table_of(Device)
_SUPERSEDE: Final = (
    update(_DEVICES).where(_DEVICES.c.id == bindparam("of_device")).values(current=bindparam("newest"))
)


def require_usable(code: TalentCode) -> None:
    """Raises one of the Own… errors, which says why its holder cannot show it."""
    if code.state is not CodeState.ACTIVE:
        raise _UNUSABLE[code.state]


def prune(session: Session, *, now: datetime) -> None:
    """Forget tokens minted longer ago than KEPT, OFFLINE_KEPT; that they were burnt is never forgotten."""
    old = MintedToken.minted_at < now - KEPT
    older = MintedToken.minted_at < now - OFFLINE_KEPT
    session.execute(delete(MintedToken).where(old, or_(~MintedToken.offline, older)))


def _admit(session: Session, device: str, now: datetime) -> None:
    """Let a locked device mint once more. Raises TooManyMints."""
    recent = rows(session, _RECENT, device=device, since=now - WINDOW)
    if len(recent) == MINTS:
        raise TooManyMints(retry_after=ceil((recent[-1].minted_at + WINDOW - now).total_seconds()))
