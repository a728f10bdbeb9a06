"""Salted field disclosures (RFC 9901): a field is shown by its disclosure and stands in the entry by its
digest alone.

A disclosure is base64url of the canonical JSON array [salt, name, value]. Destroying it erases the field; the
digest that stays behind cannot be turned back, because the salt is 128 random bits.
"""

from dataclasses import dataclass
from hashlib import sha256

from sealproof import canonical
from sealproof.canonical import Json
from sealproof.encoding import b64url_decode, b64url_encode, check_length, utf8_encode
from sealproof.errors import BadLength, OutOfRange, WrongType

ALGORITHM = "sha-256"
SALT_LENGTH = 16
DISCLOSURE_LIMIT = 65_535
"""Characters of one disclosure."""

_RESERVED = frozenset({"_sd", "_sd_alg", "..."})


@dataclass(frozen=True, slots=True)
class Disclosure:
    """One field as it is shown: salt (16 bytes), name, value."""

    salt: bytes
    name: str
    value: Json


def make(name: str, value: Json, salt: bytes) -> str:
    """Disclosure text of one field. salt: 16 bytes from a cryptographic source, used once.

    Raises BadLength for another salt, OutOfRange for a reserved or empty name, Oversized, and what
    `canonical.encode` raises.
    """
    if len(salt) != SALT_LENGTH:
        raise BadLength(f"expected a salt of {SALT_LENGTH} bytes, met {len(salt)}")
    _check_name(name)
    text = b64url_encode(canonical.encode([b64url_encode(salt), name, value]))
    check_length(text, limit=DISCLOSURE_LIMIT, what="a disclosure")
    return text


def digest(disclosure: str) -> str:
    """base64url of SHA-256 over the disclosure's text, as it stands in `_sd` (RFC 9901 §4.2.3).

    Checks nothing else.
    """
    return b64url_encode(sha256(utf8_encode(disclosure)).digest())


def read(disclosure: str) -> Disclosure:
    """The field that a disclosure shows; only its one canonical text is read.

    Raises Oversized, BadEncoding, WrongType, BadLength, OutOfRange, and what `canonical.decode` raises.
    """
    check_length(disclosure, limit=DISCLOSURE_LIMIT, what="a disclosure")
    array = canonical.decode(b64url_decode(disclosure), limit=DISCLOSURE_LIMIT)
    if not isinstance(array, list) or len(array) != 3:
        raise WrongType("expected a disclosure of three parts: salt, name, value")
    salt, name, value = array
    if not isinstance(salt, str) or not isinstance(name, str):
        raise WrongType("expected the salt and the name of a disclosure to be strings")
    _check_name(name)
    return Disclosure(b64url_decode(salt, length=SALT_LENGTH), name, value)


def _check_name(name: str) -> None:
    # RFC 9901 §7.1: a disclosure under one of its own keys would be read as structure.
    if not name or name in _RESERVED:
        raise OutOfRange(f"expected a field name, met the empty or reserved name {name!r}")
