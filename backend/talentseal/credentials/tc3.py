"""TC3, the code printed on a card: names the card, proves that the service made the text, and no more.

    | version | card_ref 8 | MAC 8 |       HMAC-SHA-256 over the first nine bytes, cut to eight, under
                                         HKDF(master key of the version, "talentcode/TC3" ‖ card_ref)

It is static, so a copy is as good as the card. That is why a second factor stands behind it.
"""

import hashlib
import hmac
from datetime import datetime
from typing import Final

from talentseal.clock import legal_date
from talentseal.credentials import profiles
from talentseal.credentials.master_keys import MasterKeys, derive
from talentseal.credentials.profiles import Profile
from talentseal.credentials.refusals import Refusal
from talentseal.credentials.tc1 import REF_SIZE

_SIGNED: Final = 1 + REF_SIZE
_MAC_SIZE: Final = 8
_NOTHING: Final = bytes(profiles.SIZES[Profile.TC3])


def write(keys: MasterKeys, card_ref: bytes, *, now: datetime) -> str:
    """The text to print on a card; the same on every day of a key version. Raises KeyMissing."""
    if len(card_ref) != REF_SIZE:
        raise ValueError(f"expected {REF_SIZE} bytes of reference, met {len(card_ref)}")
    key = keys.in_use(legal_date(now))
    signed = bytes([key.version]) + card_ref
    return profiles.write(Profile.TC3, signed + _mac(key.secret, signed))


def verify(keys: MasterKeys, text: str) -> bytes | Refusal:
    """The card_ref, 8 bytes, of a genuine text; TOKEN_MALFORMED or TOKEN_FORGED. Never raises for a text."""
    octets = profiles.read(Profile.TC3, text)
    claimed = octets or _NOTHING
    mac = _mac(keys.secret_of(claimed[0]), claimed[:_SIGNED])
    genuine = hmac.compare_digest(mac, claimed[_SIGNED:])
    if octets is None:
        return Refusal.TOKEN_MALFORMED
    return octets[1:_SIGNED] if genuine else Refusal.TOKEN_FORGED


def _mac(secret: bytes, signed: bytes) -> bytes:
    return hmac.digest(derive(secret, "TC3", signed[1:]), signed, hashlib.sha256)[:_MAC_SIZE]
