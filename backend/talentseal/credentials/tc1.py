"""TC1, the token of the dynamic code: minted by the server, shown once, dead after a minute.

    0        1               9           13      16             28
    | slot   | code_ref      | issued_at | nonce | MAC          |

slot: the Shanghai date of issue, counted in days, modulo 256. issued_at: Unix seconds, big-endian. MAC:
HMAC-SHA-256 over the 16 bytes before it, cut to 12, under a key of its own for each code and day:
HKDF(HKDF(master key, "talentcode/day" ‖ date), "talentcode/TC1" ‖ code_ref).

Two days' keys are live: today's and the one before, so that yesterday's last tokens outlive midnight and a
screenshot of yesterday is known as one. What an unknown slot, an unknown code, a wrong time or a wrong MAC
costs is the same, and so is the answer: everything hangs on the MAC, and nothing is looked up before it.

Here a token is verified; that it is burnt, and the state of its code, is the business of the transaction in
which it is presented.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Final

from talentseal.clock import legal_date
from talentseal.credentials import profiles
from talentseal.credentials.master_keys import MasterKeys, derive
from talentseal.credentials.profiles import Profile
from talentseal.credentials.refusals import Refusal

LIFETIME: Final = timedelta(seconds=60)
OFFLINE_LIFETIME: Final = timedelta(minutes=10)
"""Of those that were minted to be shown without a network, which only the one that minted them can tell."""
SKEW: Final = timedelta(seconds=5)
"""By how much the clock that minted may differ from the one that verifies, either way."""

REF_SIZE: Final = 8
NONCE_SIZE: Final = 3
_SIGNED: Final = 16
_MAC_SIZE: Final = 12
_NOTHING: Final = bytes(profiles.SIZES[Profile.TC1])
"""Verified in place of a text that is malformed, so that this costs the same."""


@dataclass(frozen=True, slots=True)
class OnlineToken:
    """A genuine token. code_ref: 8 bytes, the code it stands for. issued_at: whole seconds, UTC. text: what
    the QR code holds, and as good as the code itself while it lives: never to be stored or logged.
    """

    code_ref: bytes
    issued_at: datetime
    text: str = field(repr=False)

    @property
    def digest(self) -> bytes:
        """SHA-256 of the text: what a burnt token is known by, since a token has one text only."""
        return digest(self.text)

    @property
    def expires_at(self) -> datetime:
        """When a phone should have shown the next one; a verifier bears with `SKEW` more."""
        return self.issued_at + LIFETIME

    def is_live(self, lifetime: timedelta, *, now: datetime) -> bool:
        """Whether one that may live so long is taken at `now`."""
        return is_live(self.issued_at, lifetime, now=now)


def is_live(issued_at: datetime, lifetime: timedelta, *, now: datetime) -> bool:
    """Whether a token of that time, which may live so long, is taken at `now`."""
    return -SKEW <= now - issued_at <= lifetime + SKEW


def digest(text: str) -> bytes:
    """What a token's text is known by: SHA-256, 32 bytes. Only for a text that is genuine."""
    return hashlib.sha256(text.encode("ascii")).digest()


def mint(keys: MasterKeys, code_ref: bytes, *, now: datetime) -> OnlineToken:
    """A fresh token of a code. Raises KeyMissing."""
    return compose(keys, code_ref, now, secrets.token_bytes(NONCE_SIZE))


def compose(keys: MasterKeys, code_ref: bytes, issued_at: datetime, nonce: bytes) -> OnlineToken:
    """The token that these make. code_ref: 8 bytes; nonce: 3 bytes. Raises KeyMissing."""
    if len(code_ref) != REF_SIZE or len(nonce) != NONCE_SIZE:
        raise ValueError(f"expected {REF_SIZE} bytes of reference and {NONCE_SIZE} of nonce")
    day, second = legal_date(issued_at), int(issued_at.timestamp())
    keys.in_use(day)
    signed = bytes([_slot(day)]) + code_ref + second.to_bytes(4) + nonce
    text = profiles.write(Profile.TC1, signed + _mac(keys.day_key(day), signed))
    return OnlineToken(code_ref, datetime.fromtimestamp(second, UTC), text)


def verify(
    keys: MasterKeys, text: str, *, now: datetime, lifetime: timedelta = LIFETIME
) -> OnlineToken | Refusal:
    """The token that `text` is; TOKEN_MALFORMED, TOKEN_FORGED or TOKEN_EXPIRED. Never raises for a text.

    lifetime: what is older is expired; the age is no secret, nor is anything looked up for it.
    """
    octets = profiles.read(Profile.TC1, text)
    claimed = octets or _NOTHING
    issued_at = datetime.fromtimestamp(int.from_bytes(claimed[9:13]), UTC)
    genuine = hmac.compare_digest(
        _mac(_live_key(keys, claimed[0], issued_at, now), claimed[:_SIGNED]), claimed[_SIGNED:]
    )
    if octets is None:
        return Refusal.TOKEN_MALFORMED
    if not genuine:
        return Refusal.TOKEN_FORGED
    if not is_live(issued_at, lifetime, now=now):
        return Refusal.TOKEN_EXPIRED
    return OnlineToken(octets[1:9], issued_at, text)


def _live_key(keys: MasterKeys, slot: int, issued_at: datetime, now: datetime) -> bytes:
    """The key of the live day that both the slot and the time of issue name; otherwise one under which no
    token was made. Both days' keys are derived whatever is claimed.
    """
    newest, claimed = legal_date(now + SKEW), legal_date(issued_at)
    live = {day: keys.day_key(day) for day in (newest, newest - timedelta(days=1))}
    unknown = keys.day_key(date.min)
    return live.get(claimed, unknown) if slot == _slot(claimed) else unknown


def _slot(day: date) -> int:
    return day.toordinal() % 256


def _mac(day_key: bytes, signed: bytes) -> bytes:
    key = derive(day_key, "TC1", signed[1 : 1 + REF_SIZE])
    return hmac.digest(key, signed, hashlib.sha256)[:_MAC_SIZE]
