"""What is kept of people: sealed under numbered keys, found again by keyed digests.

Keys lie in files outside the database. The newest seals, all open, so that a key can be replaced without a
moment in which nothing can be read. Whoever has the database alone has neither a name nor a way to try one.
"""

import hashlib
import hmac
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from talentseal.errors import TalentSealError

KEY_NUMBER_BYTES: Final = 2
_NONCE: Final = 12


class SealedUnreadable(TalentSealError):
    code: ClassVar[str] = "sealed-unreadable"
    zh: ClassVar[str] = "无法读取加密内容：密钥文件与数据库不匹配。请联系运营机构。"
    en: ClassVar[str] = (
        "Sealed content cannot be read: key files and database do not match; call the operator."
    )


@dataclass(frozen=True, slots=True)
class Vault:
    """AES-256-GCM under `keys` (32 bytes each, by number from 1), HMAC-SHA-256 under `digest_key`."""

    keys: Mapping[int, bytes] = field(repr=False)
    digest_key: bytes = field(repr=False)

    def seal(self, place: str, plain: bytes) -> bytes:
        """`plain` encrypted under the newest key, bound to its place so that rows cannot be swapped.

        place: names table, row and column. Answers 2 bytes of key number, 12 of nonce, the ciphertext.
        """
        version, nonce = max(self.keys), os.urandom(_NONCE)
        sealed = AESGCM(self.keys[version]).encrypt(nonce, plain, _bound(version, place))
        return version.to_bytes(KEY_NUMBER_BYTES) + nonce + sealed

    def open(self, place: str, sealed: bytes) -> bytes:
        """What was sealed in that place. Raises SealedUnreadable."""
        version = int.from_bytes(sealed[:KEY_NUMBER_BYTES])
        nonce, ciphertext = (
            sealed[KEY_NUMBER_BYTES : KEY_NUMBER_BYTES + _NONCE],
            sealed[KEY_NUMBER_BYTES + _NONCE :],
        )
        try:
            return AESGCM(self.keys[version]).decrypt(nonce, ciphertext, _bound(version, place))
        except (KeyError, InvalidTag, ValueError):
            raise SealedUnreadable from None

    def digest(self, purpose: str, text: str) -> str:
        """Keyed digest of `text`, 64 hex digits: the same text can be met again, and not be guessed."""
        return hmac.digest(self.digest_key, f"{purpose}\n{text}".encode(), hashlib.sha256).hex()


class KeyFolder(Mapping[int, bytes]):
    """The keys in a folder of numbered files, which is looked into again for a number that is not known.

    So a process that has been running since before a key was added opens what was sealed under it, and seals
    under it from then on.
    """

    def __init__(self, load: Callable[[], Mapping[int, bytes]]) -> None:
        self._load = load
        self._keys = load()

    def __getitem__(self, number: int) -> bytes:
        if number not in self._keys:
            self._keys = self._load()
        return self._keys[number]

    def __iter__(self) -> Iterator[int]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)

    def __repr__(self) -> str:
        return f"KeyFolder({sorted(self._keys)})"


def _bound(version: int, place: str) -> bytes:
    return f"talentseal/vault/{version}\n{place}".encode()
