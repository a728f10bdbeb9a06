"""Base45 (RFC 9285): bytes in the 45 characters of a QR code's alphanumeric mode.

Two bytes are three characters, least significant first, and a last single byte is two. As every value above
the largest of its bytes is refused, each text that is taken is the only one for its bytes.
"""

from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_VALUES: Final = {character: value for value, character in enumerate(ALPHABET)}
_WEIGHTS: Final = (1, 45, 45**2)
_FOREIGN: Final = 0x10000
"""Counts for a character outside the alphabet: makes any group too large, at the cost of a good one."""


def encode(octets: bytes) -> str:
    """ceil(3 × n / 2) characters for n bytes; never ends in a space."""
    groups = (octets[place : place + 2] for place in range(0, len(octets), 2))
    return "".join(_group(int.from_bytes(group), len(group) + 1) for group in groups)


def _group(value: int, characters: int) -> str:
    return "".join(ALPHABET[value // weight % 45] for weight in _WEIGHTS[:characters])


def decode(text: str) -> bytes:
    """The bytes of `text`. Raises ValueError for any text that `encode` does not make."""
    if len(text) % 3 == 1:
        raise ValueError("expected groups of two or three characters, met a single one")
    groups = [text[place : place + 3] for place in range(0, len(text), 3)]
    values = [
        sum(_VALUES.get(group[at], _FOREIGN) * _WEIGHTS[at] for at in range(len(group))) for group in groups
    ]
    try:
        return b"".join(value.to_bytes(len(group) - 1) for value, group in zip(values, groups, strict=True))
    except OverflowError:
        raise ValueError("expected Base45: a character is foreign or a group too large") from None
