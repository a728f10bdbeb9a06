"""References that an issuer gives a card: its own names for things, never somebody's account number."""

import re
from typing import Final

from talentseal.credentials import luhn
from talentseal.credentials.profiles import CARD_LENGTH, CARD_PREFIX

_BETWEEN: Final = re.compile(r"[ ._/-]")
_DIGITS: Final = re.compile(r"[0-9]+")
_BANK_CARD_LENGTHS: Final = range(16, 20)
"""Digits of a payment card's number (ISO/IEC 7812-1)."""


def holds_bank_card_number(text: str) -> bool:
    """Whether digits stand in `text` that a payment card could bear: 16 to 19 with their check digit, unless
    they are a talent card's. What stands between groups of digits is overlooked.
    """
    runs = _DIGITS.findall(_BETWEEN.sub("", text))
    return any(
        len(run) in _BANK_CARD_LENGTHS and luhn.holds(run, len(run)) and not _is_talent_card(run)
        for run in runs
    )


def _is_talent_card(digits: str) -> bool:
    return len(digits) == CARD_LENGTH and digits.startswith(CARD_PREFIX)
