"""The log's Ed25519 key: signs checkpoints and promises as C2SP notes. It is used for nothing else."""

import os
import stat
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sealproof import cosignature, note
from sealproof.checkpoint import Checkpoint
from sealproof.note import VerifierKey
from sealproof.promise import Promise
from talentseal.errors import Conflict


class KeyFileRefused(Conflict):
    code = "key-file-refused"
    zh = "密钥文件 {path} 不可用：{why}。"
    en = "The key file {path} cannot be used: {why}."


@dataclass(frozen=True, slots=True)
class LogSigner:
    """origin: the log's name, a schema-less URL, which is also the key's name in notes."""

    origin: str
    key: Ed25519PrivateKey = field(repr=False)
    _public: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_public", self.key.public_key().public_bytes_raw())

    @property
    def verifier_key(self) -> VerifierKey:
        return VerifierKey.of(self.origin, self._public)

    def sign_checkpoint(self, size: int, root: bytes, signed_at: datetime) -> str:
        """The checkpoint note: the log's signature, and its timestamped cosignature, which says when it was
        made.
        """
        checkpoint = Checkpoint(self.origin, size, root).encode()
        signed = self._sign(checkpoint)
        return cosignature.add(signed, self.origin, self._public, self.key.sign, signed_at)

    def sign_promise(self, promise: Promise) -> str:
        return self._sign(promise.encode())

    def _sign(self, text: str) -> str:
        return note.sign_note(text, self.origin, self._public, self.key.sign)


def load_signer(origin: str, path: Path) -> LogSigner:
    """The signer whose 32-byte seed lies in `path` as hex, readable by its owner only. Raises
    KeyFileRefused.
    """
    return LogSigner(origin, Ed25519PrivateKey.from_private_bytes(read_secret(path, length=32)))


def create_secret(path: Path, *, length: int = 32) -> None:
    """Write `length` fresh random bytes as hex to `path`, mode 0600. Raises FileExistsError: a key is never
    replaced.
    """
    create_private(path, os.urandom(length).hex() + "\n")


def create_private(path: Path, text: str) -> None:
    """Write ASCII `text` to the new file `path`, mode 0600, and have it on the disk. Raises
    FileExistsError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def read_secret(path: Path, *, length: int) -> bytes:
    """The secret in `path`: 2 × `length` hex digits. Raises KeyFileRefused when missing, malformed or
    readable by others.
    """
    try:
        secret = bytes.fromhex(read_private(path).strip())
    except ValueError:
        secret = b""
    if len(secret) != length:
        raise KeyFileRefused(path=str(path), why=f"expected {2 * length} hex digits")
    return secret


def read_private(path: Path) -> str:
    """The ASCII text of `path`. Raises KeyFileRefused when missing, not ASCII or readable by others."""
    try:
        mode = path.stat().st_mode
        text = path.read_text("ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise KeyFileRefused(path=str(path), why=type(error).__name__) from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise KeyFileRefused(path=str(path), why="readable by others than its owner; chmod 600")
    return text
