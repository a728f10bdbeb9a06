"""Passwords: Argon2id, in the same bounded memory as API keys, and as slow for names that there are not."""

import secrets
import unicodedata
from typing import ClassVar, Final

import argon2
from argon2.exceptions import InvalidHashError, VerificationError

from talentseal.accounts.api_keys import HASHING
from talentseal.errors import Invalid

SHORTEST: Final = 12
LONGEST: Final = 200
"""Characters; a bound, so that nobody makes the service hash a megabyte."""


class PasswordTooShort(Invalid):
    code: ClassVar[str] = "password-too-short"
    zh: ClassVar[str] = "密码至少 {shortest} 个字符，至多 {longest} 个；可以是一句话，不要求数字或符号。"
    en: ClassVar[str] = (
        "A password has {shortest} to {longest} characters; a sentence is fine, no signs are needed."
    )


class PasswordIsName(Invalid):
    code: ClassVar[str] = "password-is-name"
    zh: ClassVar[str] = "密码不能与登录名或姓名相同。请另选一个。"
    en: ClassVar[str] = "The password must not be the sign-in name or the person's name; choose another."


class PasswordsDiffer(Invalid):
    code: ClassVar[str] = "passwords-differ"
    zh: ClassVar[str] = "两次输入的密码不同。请重新输入。"
    en: ClassVar[str] = "The two passwords differ; type them again."


def check(password: str, repeated: str, *names: str) -> None:
    """Refuse what will not do. Raises PasswordTooShort, PasswordIsName, PasswordsDiffer.

    There are no rules of composition: they make passwords worse, and length is what a guesser pays for.
    """
    if not SHORTEST <= len(_spelled(password)) <= LONGEST:
        raise PasswordTooShort(shortest=SHORTEST, longest=LONGEST)
    if _spelled(password).casefold() in {_spelled(name).casefold() for name in names}:
        raise PasswordIsName
    if _spelled(password) != _spelled(repeated):
        raise PasswordsDiffer


class Passwords:
    """Hashes and compares. Both are slow by design: call them outside any transaction."""

    def __init__(self, hasher: argon2.PasswordHasher | None = None) -> None:
        self._hasher = hasher or argon2.PasswordHasher()
        # A name that there is not costs the same hash as a wrong password, so that the time tells nothing.
        self._decoy = self._hasher.hash(secrets.token_urlsafe(32))

    def hash(self, password: str) -> str:
        """PHC string of Argon2id."""
        with HASHING:
            return self._hasher.hash(_spelled(password))

    def matches(self, stored: str | None, password: str) -> bool:
        """Whether `password` is the one behind `stored`. None: it is not, and that takes as long."""
        with HASHING:
            try:
                return self._hasher.verify(stored or self._decoy, _spelled(password)[: LONGEST + 1])
            except (VerificationError, InvalidHashError):
                return False


def _spelled(text: str) -> str:
    """One spelling of what looks the same: keyboards differ in how they compose characters."""
    return unicodedata.normalize("NFC", text)
