"""The formats written a second time, with nothing but the standard library: what the vectors hang on, and
what a forger works with who holds some keys and not others.
"""

import hashlib
import hmac
from datetime import UTC, date, datetime, timedelta, timezone

from talentseal.credentials.master_keys import MasterKey, MasterKeys

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
FIRST_DAY = date(2026, 11, 1)
SECOND_DAY = date(2026, 11, 20)
MASTER = bytes(range(32))
KEYS = MasterKeys((MasterKey(1, FIRST_DAY, bytes(reversed(MASTER))), MasterKey(2, SECOND_DAY, MASTER)))
"""What the service of these tests holds: version 2 is in use."""

NOON = datetime(2026, 11, 26, 4, 0, tzinfo=UTC)
"""Noon in Shanghai."""

MIDNIGHT = datetime(2026, 11, 26, 16, 0, tzinfo=UTC)
"""When the 27th begins in Shanghai."""

CODE_REF = bytes.fromhex("a1b2c3d4e5f60718")
NONCE = bytes.fromhex("0a0b0c")
SECOND = timedelta(seconds=1)


def hkdf(secret: bytes, info: bytes) -> bytes:
    """32 bytes of HKDF-SHA256 without salt: extract, then one round of expand (RFC 5869 §2)."""
    return mac(mac(bytes(32), secret), info + b"\x01")


def mac(key: bytes, message: bytes) -> bytes:
    return hmac.new(key, message, hashlib.sha256).digest()


def base45(octets: bytes) -> str:
    groups = [octets[place : place + 2] for place in range(0, len(octets), 2)]
    return "".join(group45(int.from_bytes(group, "big"), len(group) + 1) for group in groups)


def group45(value: int, characters: int) -> str:
    text = ""
    for _ in range(characters):
        value, rest = divmod(value, 45)
        text += ALPHABET[rest]
    return text


def shanghai(at: datetime) -> date:
    return at.astimezone(timezone(timedelta(hours=8))).date()


def day_key(master: bytes, day: date) -> bytes:
    return hkdf(master, b"talentcode/day" + day.isoformat().encode())


def tc1(
    code_ref: bytes,
    at: datetime,
    *,
    key: bytes | None = None,
    purpose: bytes = b"TC1",
    slot_day: date | None = None,
    nonce: bytes = NONCE,
) -> bytes:
    """A token's 28 bytes; by default a genuine one. key: stands for the day's."""
    day = slot_day or shanghai(at)
    seconds = int(at.timestamp()).to_bytes(4, "big")
    signed = bytes([day.toordinal() % 256]) + code_ref + seconds + nonce
    own = hkdf(key or day_key(MASTER, day), b"talentcode/" + purpose + code_ref)
    return signed + mac(own, signed)[:12]


def tc3(card_ref: bytes, *, version: int = 2, master: bytes = MASTER, purpose: bytes = b"TC3") -> bytes:
    signed = bytes([version]) + card_ref
    return signed + mac(hkdf(master, b"talentcode/" + purpose + card_ref), signed)[:8]


def as_text(prefix: str, octets: bytes) -> str:
    return f"{prefix}:{base45(octets)}"
