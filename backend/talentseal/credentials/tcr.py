"""TCR, printed on a receipt: its id and the hash of its leaf in the log, for whoever wants to look it up.

It is public and proves nothing by itself; what it leads to is verified against the log.
"""

from dataclasses import dataclass
from typing import Final

from talentseal.credentials import profiles
from talentseal.credentials.profiles import Profile
from talentseal.credentials.refusals import Refusal

_ID_SIZE: Final = 16


@dataclass(frozen=True, slots=True)
class ReceiptCheck:
    """receipt_id: 16 bytes. leaf_hash: 32 bytes (RFC 9162 §2.1)."""

    receipt_id: bytes
    leaf_hash: bytes

    def write(self) -> str:
        return profiles.write(Profile.TCR, self.receipt_id + self.leaf_hash)


def read(text: str) -> ReceiptCheck | Refusal:
    """What the text names, or TOKEN_MALFORMED."""
    octets = profiles.read(Profile.TCR, text)
    return Refusal.TOKEN_MALFORMED if octets is None else ReceiptCheck(octets[:_ID_SIZE], octets[_ID_SIZE:])
