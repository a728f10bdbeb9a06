"""The six forms in which somebody or something is named at the counter, and their texts.

| profile | bytes | text |
|---|---|---|
| TC1 online token | 28 | `TC1:` + 42 characters of Base45 |
| TCN numeric token | – | 19 digits, the first two 77 |
| TC2 offline proof | 118 | `TC2:` + 177 |
| TC3 card's printed code | 17 | `TC3:` + 26 |
| TCR receipt check | 48 | `TCR:` + 72 |
| CARD card number | – | 16 digits, the first four 9156 |
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from talentseal.credentials import base45
from talentseal.credentials.refusals import Refusal


class Profile(StrEnum):
    TC1 = "TC1"
    TCN = "TCN"
    TC2 = "TC2"
    TC3 = "TC3"
    TCR = "TCR"
    CARD = "CARD"


SIZES: Final = {Profile.TC1: 28, Profile.TC2: 118, Profile.TC3: 17, Profile.TCR: 48}
"""Bytes of those that are written in Base45; always exactly these."""

TCN_PREFIX: Final = "77"
TCN_LENGTH: Final = 19
CARD_PREFIX: Final = "9156"
CARD_LENGTH: Final = 16
LONGEST: Final = 1024
"""Characters of what a scanner or a keyboard sent that are looked at; more is refused unread."""

_AROUND: Final = " \t\r\n"
_BETWEEN: Final = str.maketrans("", "", " -")


@dataclass(frozen=True, slots=True)
class Presented:
    """What came in at the counter, told apart by its outward form alone; nothing of it is verified."""

    profile: Profile
    text: str


def write(profile: Profile, octets: bytes) -> str:
    """The text of a profile's bytes."""
    if len(octets) != SIZES[profile]:
        raise ValueError(f"{profile} has {SIZES[profile]} bytes, met {len(octets)}")
    return f"{profile}:{base45.encode(octets)}"


def read(profile: Profile, text: str) -> bytes | None:
    """The bytes of a profile's text; None for any text that `write` does not make for it. Takes no spaces
    and no small letters: what a scanner adds is taken off by `presented`.
    """
    prefix, size = f"{profile}:", SIZES[profile]
    characters = size + (size + 1) // 2
    shaped = len(text) == len(prefix) + characters and text.startswith(prefix)
    try:
        # Something is decoded whatever came, so that the time taken does not tell what is wrong with it.
        octets = base45.decode(text[len(prefix) :] if shaped else "0" * characters)
    except ValueError:
        return None
    return octets if shaped else None


def presented(sent: str) -> Presented | Refusal:
    """What a scanner or a keyboard sent, told apart. The one place where anything is taken off: blanks and
    line ends around it, which hand scanners add and no text of ours has there; in numbers also the spaces
    and hyphens between the groups as people type them. TOKEN_MALFORMED for anything else.
    """
    if len(sent) > LONGEST:
        return Refusal.TOKEN_MALFORMED
    text = sent.strip(_AROUND)
    for profile in SIZES:
        if text.startswith(f"{profile}:"):
            return Presented(profile, text)
    number = text.translate(_BETWEEN)
    if len(number) == TCN_LENGTH and number.startswith(TCN_PREFIX):
        return Presented(Profile.TCN, number)
    if len(number) == CARD_LENGTH and number.startswith(CARD_PREFIX):
        return Presented(Profile.CARD, number)
    return Refusal.TOKEN_MALFORMED
