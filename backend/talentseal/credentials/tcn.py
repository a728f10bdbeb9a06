"""TCN, the numeric token for readers that know digits alone: 77, 16 random digits, a check digit.

It lives as long as TC1 and once, but carries nothing: it is what a row is found by. The row holds a keyed
digest, for 16 digits can be tried out and a plain hash would be the number itself.
"""

import hashlib
import hmac
import secrets
from datetime import date, datetime, timedelta
from typing import Final

from talentseal.clock import legal_date
from talentseal.credentials import luhn, profiles
from talentseal.credentials.master_keys import MasterKeys, derive
from talentseal.credentials.refusals import Refusal
from talentseal.credentials.tc1 import SKEW

RANDOM_DIGITS: Final = 16
_NOTHING: Final = "0" * profiles.TCN_LENGTH


def mint() -> str:
    """19 fresh digits."""
    return compose(secrets.randbelow(10**RANDOM_DIGITS))


def compose(number: int) -> str:
    """The text of the 16 digits `number`."""
    body = f"{profiles.TCN_PREFIX}{number:0{RANDOM_DIGITS}d}"
    return body + luhn.check_digit(body)


def digest(keys: MasterKeys, text: str, *, now: datetime) -> bytes:
    """What a number minted at `now` is kept by: 32 bytes, under a key of the day. Raises KeyMissing."""
    day = legal_date(now)
    keys.in_use(day)
    return _digest(keys, text, day)


def candidates(keys: MasterKeys, text: str, *, now: datetime) -> tuple[bytes, bytes] | Refusal:
    """The digests that a live number may be kept by: today's and yesterday's. TOKEN_MALFORMED otherwise."""
    sound = text.startswith(profiles.TCN_PREFIX) and luhn.holds(text, profiles.TCN_LENGTH)
    number, newest = text if sound else _NOTHING, legal_date(now + SKEW)
    met = _digest(keys, number, newest), _digest(keys, number, newest - timedelta(days=1))
    return met if sound else Refusal.TOKEN_MALFORMED


def _digest(keys: MasterKeys, text: str, day: date) -> bytes:
    return hmac.digest(derive(keys.day_key(day), "TCN"), text.encode("ascii"), hashlib.sha256)
