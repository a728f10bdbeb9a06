"""The number on a talent card: 9156, issuer, serial, check digit. It names the card; it is no secret."""

from dataclasses import dataclass
from typing import Final, Self

from talentseal.credentials import luhn
from talentseal.credentials.profiles import CARD_LENGTH, CARD_PREFIX
from talentseal.credentials.refusals import Refusal

LAST_ISSUER: Final = 999
LAST_SERIAL: Final = 99_999_999


@dataclass(frozen=True, slots=True, order=True)
class CardNumber:
    """issuer: 1 to 999. serial: 1 to 99,999,999, of which none is ever given out twice."""

    issuer: int
    serial: int

    def __post_init__(self) -> None:
        if not (1 <= self.issuer <= LAST_ISSUER and 1 <= self.serial <= LAST_SERIAL):
            raise ValueError(f"expected an issuer of 1 to {LAST_ISSUER} and a serial of 1 to {LAST_SERIAL}")

    @classmethod
    def read(cls, text: str) -> Self | Refusal:
        """The number of 16 digits; TOKEN_MALFORMED when the check digit or anything else is wrong, before
        any card is looked for.
        """
        if not (text.startswith(CARD_PREFIX) and luhn.holds(text, CARD_LENGTH)):
            return Refusal.TOKEN_MALFORMED
        try:
            return cls(int(text[4:7]), int(text[7:15]))
        except ValueError:
            return Refusal.TOKEN_MALFORMED

    def __str__(self) -> str:
        body = f"{CARD_PREFIX}{self.issuer:03d}{self.serial:08d}"
        return body + luhn.check_digit(body)

    @property
    def grouped(self) -> str:
        """In fours, as people read it."""
        digits = str(self)
        return " ".join(digits[place : place + 4] for place in range(0, CARD_LENGTH, 4))
