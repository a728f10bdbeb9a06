"""Chip cards answer a challenge: HMAC-SHA-256 under the card's own secret, so that a copy of what was seen
once is worth nothing.

    response = HMAC(secret, "talentcode/chip" ‖ card_ref ‖ challenge), cut to 16 bytes

Each challenge is the server's, and is used once; keeping that is the business of whoever gave it out.
"""

import hashlib
import hmac
import secrets
from typing import Final

SIZE: Final = 16
"""Bytes of a card's secret, of a challenge and of a response."""

_PURPOSE: Final = b"talentcode/chip"


def new() -> bytes:
    """A fresh challenge, or a fresh card's secret."""
    return secrets.token_bytes(SIZE)


def response(secret: bytes, card_ref: bytes, challenge: bytes) -> bytes:
    """What the card answers. card_ref: 8 bytes; the others: 16."""
    if len(challenge) != SIZE or len(secret) != SIZE:
        raise ValueError(f"expected {SIZE} bytes of secret and of challenge")
    return hmac.digest(secret, _PURPOSE + card_ref + challenge, hashlib.sha256)[:SIZE]


def is_answered(secret: bytes, card_ref: bytes, challenge: bytes, answer: bytes) -> bool:
    """Did the card with this secret answer this challenge? In constant time."""
    return hmac.compare_digest(response(secret, card_ref, challenge), answer)
