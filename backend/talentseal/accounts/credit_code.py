"""The unified social credit code of an organisation (GB 32100-2015): form and check character."""

from typing import Final

_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_MODULUS: Final = 31
LENGTH: Final = 18


def check_character(body: str) -> str:
    """The 18th character for the 17 given ones. Raises ValueError for a character outside the alphabet."""
    total = sum(
        _ALPHABET.index(character) * pow(3, position, _MODULUS) for position, character in enumerate(body)
    )
    return _ALPHABET[-total % _MODULUS]


def parse(text: str) -> str:
    """The code in capital letters. Raises ValueError when length, alphabet or check character are wrong."""
    code = text.strip().upper()
    if len(code) != LENGTH or any(character not in _ALPHABET for character in code):
        raise ValueError("expected 18 digits and capital letters without I, O, S, V, Z")
    if check_character(code[:-1]) != code[-1]:
        raise ValueError("the check character of the credit code is wrong; compare it with the licence")
    return code
