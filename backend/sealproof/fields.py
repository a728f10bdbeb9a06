"""Reading JSON objects field by field: exact keys, exact types, one spelling, and errors that name the place.

Every reader raises a DecodeError whose message begins with the path of the field, such as
`agreement.statement.version`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from sealproof.canonical import MAX_INTEGER, Json
from sealproof.encoding import b64_decode, excerpt, hex_decode
from sealproof.errors import (
    BadEncoding,
    DecodeError,
    MissingField,
    OutOfRange,
    Oversized,
    UnknownField,
    WrongType,
)
from sealproof.secp256k1 import parse_address

Value = TypeVar("Value")
Fields = Mapping[str, Json]

HASH_BYTES = 32


def members(value: Json, path: str, names: Sequence[str]) -> Fields:
    """The object at `path`, which must have exactly these keys. Raises WrongType, MissingField,
    UnknownField."""
    if not isinstance(value, Mapping):
        raise WrongType(f"{path}: expected an object, met {_kind(value)}")
    for name in names:
        if name not in value:
            raise MissingField(f"{path}: the field {name!r} is missing")
    for name in value:
        if name not in names:
            raise UnknownField(f"{path}: the field {excerpt(name)} is not part of this format")
    return value


def elements(value: Json, path: str, limit: int) -> Sequence[Json]:
    """The array at `path`, of at most `limit` elements. Raises WrongType, Oversized."""
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise WrongType(f"{path}: expected an array, met {_kind(value)}")
    if len(value) > limit:
        raise Oversized(f"{path}: expected at most {limit} elements, met {len(value)}")
    return value


def text(value: Json, path: str, limit: int) -> str:
    """The string at `path`, of at most `limit` characters. Raises WrongType, Oversized."""
    if not isinstance(value, str):
        raise WrongType(f"{path}: expected a string, met {_kind(value)}")
    if len(value) > limit:
        raise Oversized(f"{path}: expected at most {limit} characters, met {len(value)}")
    return value


def integer(value: Json, path: str, least: int = 0, most: int = MAX_INTEGER) -> int:
    """The integer at `path`, least ≤ n ≤ most. Raises WrongType, OutOfRange."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise WrongType(f"{path}: expected an integer, met {_kind(value)}")
    if not least <= value <= most:
        raise OutOfRange(f"{path}: expected {least} to {most}, met {value}")
    return value


def prefixed_hex(value: Json, path: str, length: int | None = HASH_BYTES, limit: int = HASH_BYTES) -> bytes:
    """Bytes written as 0x and lower-case hex. length: how many, None for any up to `limit`. Raises WrongType,
    BadEncoding …"""
    digits = text(value, path, 2 + 2 * (limit if length is None else length))
    if not digits.startswith("0x"):
        raise BadEncoding(f"{path}: expected 0x and lower-case hexadecimal, met {excerpt(digits)}")
    return at(path, lambda: hex_decode(digits[2:], length=length))


def plain_hex(value: Json, path: str, length: int = HASH_BYTES) -> bytes:
    """Bytes written as lower-case hex without prefix, as document digests are. Raises WrongType, BadEncoding,
    BadLength."""
    digits = text(value, path, 2 * length)
    return at(path, lambda: hex_decode(digits, length=length))


def base64_hash(value: Json, path: str) -> bytes:
    """A 32-byte hash in padded base64. Raises WrongType, BadEncoding, BadLength."""
    encoded = text(value, path, 44)
    return at(path, lambda: b64_decode(encoded, length=HASH_BYTES))


def address(value: Json, path: str) -> str:
    """An account in its EIP-55 form. Raises WrongType, BadEncoding."""
    spelled = text(value, path, 42)
    at(path, lambda: parse_address(spelled))
    return spelled


def to_hex(raw: bytes) -> str:
    """0x and lower-case hex."""
    return "0x" + raw.hex()


def at(path: str, read: Callable[[], Value]) -> Value:
    """What `read` gives; a DecodeError from it is raised again with `path` in front."""
    try:
        return read()
    except DecodeError as error:
        raise type(error)(f"{path}: {error}") from None


def _kind(value: Json) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int):
        return "a number"
    if isinstance(value, str):
        return "a string"
    return "an object" if isinstance(value, Mapping) else "an array"
