"""The check digit of ISO/IEC 7812-1 annex B (Luhn): catches every wrong digit, and neighbours swapped but
for 09 and 90.
"""

from typing import Final

_DOUBLED: Final = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
"""Twice a digit, with the digits of the result added up."""


def check_digit(body: str) -> str:
    """The digit to put behind `body`, which holds ASCII digits alone."""
    digits = [int(character) for character in reversed(body)]
    return str(-(sum(_DOUBLED[digit] for digit in digits[::2]) + sum(digits[1::2])) % 10)


def holds(number: str, length: int) -> bool:
    """Are these `length` ASCII digits, the last of which is the check digit of the others?"""
    digits = len(number) == length and number.isascii() and number.isdecimal()
    return digits and check_digit(number[:-1]) == number[-1]
