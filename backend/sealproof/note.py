"""Signed note (C2SP signed-note v1.0.0): text, a blank line, and signature lines by named keys.

Only Ed25519 (type 01) is checked. A note says nothing until a key that the caller trusts has signed it.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from sealproof import ed25519
from sealproof.encoding import b64_decode, b64_encode, check_length, excerpt, hex_decode, utf8_encode
from sealproof.errors import (
    BadKey,
    BadLength,
    BadSyntax,
    BadText,
    MissingField,
    NoTrustedSignature,
    Oversized,
    Truncated,
    UnsupportedAlgorithm,
)

ED25519 = 0x01
KEY_ID_LENGTH = 4
PUBLIC_KEY_LENGTH = 32
NOTE_LIMIT = 512 * 1024
"""Bytes of a whole note: room for a hundred post-quantum cosignatures by witnesses."""
MAX_SIGNATURES = 100

_DASH = "\u2014 "
_CONTROL = re.compile("[\x00-\x09\x0b-\x1f]")


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key that may sign notes: name, key_id (4 bytes), algorithm (type byte), public (32 bytes for
    Ed25519).

    Raises BadText or BadKey for a name that no note can carry, UnsupportedAlgorithm, BadLength, BadKey when
    the identifier is not that of the name and key.
    """

    name: str
    key_id: bytes
    algorithm: int
    public: bytes

    def __post_init__(self) -> None:
        check_key_name(self.name)
        if self.algorithm != ED25519:
            raise UnsupportedAlgorithm(f"expected an Ed25519 key (type 1), met type {self.algorithm}")
        if len(self.public) != PUBLIC_KEY_LENGTH:
            raise BadLength(f"expected a public key of {PUBLIC_KEY_LENGTH} bytes, met {len(self.public)}")
        if self.key_id != key_id_of(self.name, self.algorithm, self.public):
            raise BadKey(f"the key identifier does not belong to this name and key of {excerpt(self.name)}")

    @classmethod
    def of(cls, name: str, public: bytes) -> "VerifierKey":
        """The verifier key of an Ed25519 public key (32 bytes) under a name."""
        return cls(name, key_id_of(name, ED25519, public), ED25519, public)

    @classmethod
    def parse(cls, vkey: str) -> "VerifierKey":
        """Key of `name+hex8(key id)+base64(type ‖ public key)`.

        Raises BadSyntax, BadEncoding, BadLength and as above.
        """
        check_length(vkey, limit=1024, what="a verifier key")
        # The name has no plus; base64 may have, so the text is split at the first two only.
        parts = vkey.split("+", 2)
        if len(parts) != 3:
            raise BadSyntax(f"expected a verifier key of name+id+key, met {excerpt(vkey)}")
        name, key_id, key = parts[0], hex_decode(parts[1], length=KEY_ID_LENGTH), b64_decode(parts[2])
        if not key:
            raise BadLength("expected a key type and a key, met nothing")
        return cls(name, key_id, key[0], key[1:])

    def __str__(self) -> str:
        key = b64_encode(bytes([self.algorithm]) + self.public)
        return f"{self.name}+{self.key_id.hex()}+{key}"


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line of a note, not yet checked: key name, key_id (4 bytes), value (1 byte or more)."""

    name: str
    key_id: bytes
    value: bytes


@dataclass(frozen=True, slots=True)
class OpenNote:
    """A note whose signatures were checked: its text, and the trusted keys that signed it, at least one."""

    text: str
    verified: tuple[VerifierKey, ...]


def key_id_of(name: str, algorithm: int, public: bytes) -> bytes:
    """First 4 bytes of SHA-256(name ‖ LF ‖ type ‖ public key)."""
    return sha256(utf8_encode(name) + b"\n" + bytes([algorithm]) + public).digest()[:KEY_ID_LENGTH]


def check_key_name(name: str) -> None:
    """Raise BadText or BadKey unless a note can carry name: not empty, no white space, no control character,
    no plus.
    """
    check_text(name)
    if not name or "+" in name or any(character.isspace() for character in name):
        raise BadKey(f"expected a key name without spaces and '+', met {excerpt(name)}")


def check_text(text: str) -> None:
    """Raise BadText for a lone surrogate or a control character other than a newline."""
    utf8_encode(text)
    if met := _CONTROL.search(text):
        raise BadText(f"expected no control character but the newline, met {excerpt(met[0])}")


def sign_note(text: str, name: str, public: bytes, sign: Callable[[bytes], bytes]) -> str:
    """The note of text under one Ed25519 signature.

    text: ends in a newline. public: 32 bytes. sign: gives 64 bytes for the text's UTF-8.
    Raises BadSyntax, BadText, BadKey, BadLength.
    """
    _check_body(text)
    key = VerifierKey.of(name, public)
    value = sign(utf8_encode(text))
    if len(value) != ed25519.SIGNATURE_LENGTH:
        raise BadLength(
            f"expected an Ed25519 signature of {ed25519.SIGNATURE_LENGTH} bytes, met {len(value)}"
        )
    return f"{text}\n{_DASH}{key.name} {b64_encode(key.key_id + value)}\n"


def open_note(note: str, keys: Sequence[VerifierKey]) -> OpenNote:
    """The text of a note, once every signature on it by one of keys is checked. Signatures by other keys are
    passed over.

    Raises what `split_note` raises, BadKey when two of keys share name and identifier, SignatureFalse when a
    trusted key's signature is false, NoTrustedSignature when there is none.
    """
    known = {(key.name, key.key_id): key for key in keys}
    if len(known) != len(set(keys)):
        raise BadKey("expected trusted keys that differ in name or identifier, met two that share both")
    text, signatures = split_note(note)
    message = utf8_encode(text)
    verified: dict[VerifierKey, None] = {}
    for signature in signatures:
        key = known.get((signature.name, signature.key_id))
        if key is not None:
            ed25519.verify(key.public, message, signature.value)
            verified[key] = None
    if not verified:
        names = ", ".join(key.name for key in keys) or "no key"
        raise NoTrustedSignature(f"expected a signature by a trusted key ({names}), met none")
    return OpenNote(text, tuple(verified))


def split_note(note: str) -> tuple[str, tuple[Signature, ...]]:
    """Text and signature lines of a note, nothing verified.

    Raises Oversized, BadText, Truncated, MissingField without signatures, BadSyntax, BadEncoding, BadLength,
    BadKey.
    """
    check_length(note, limit=NOTE_LIMIT, what="a note")
    check_text(note)
    if not note.endswith("\n"):
        raise Truncated("expected a note to end in a newline")
    # The last blank line divides: the text itself may hold blank lines.
    body, blank, lines = note.rpartition("\n\n")
    if not blank:
        raise BadSyntax("expected a blank line between the text of a note and its signatures")
    if not lines:
        raise MissingField("expected at least one signature on a note")
    text = body + "\n"
    _check_body(text)
    signatures = lines[:-1].split("\n")
    if len(signatures) > MAX_SIGNATURES:
        raise Oversized(f"expected at most {MAX_SIGNATURES} signatures on a note, met {len(signatures)}")
    return text, tuple(_signature(line) for line in signatures)


def _signature(line: str) -> Signature:
    if not line.startswith(_DASH):
        raise BadSyntax(f"expected a signature line that begins with an em dash, met {excerpt(line)}")
    name, space, encoded = line.removeprefix(_DASH).partition(" ")
    if not space:
        raise BadSyntax(f"expected a key name and a signature, met {excerpt(line)}")
    check_key_name(name)
    raw = b64_decode(encoded)
    if len(raw) <= KEY_ID_LENGTH:
        raise BadLength(f"expected a key identifier and a signature, met {len(raw)} bytes")
    return Signature(name, raw[:KEY_ID_LENGTH], raw[KEY_ID_LENGTH:])


def _check_body(text: str) -> None:
    check_text(text)
    if not text.endswith("\n"):
        raise BadSyntax("expected the text of a note to end in a newline")
