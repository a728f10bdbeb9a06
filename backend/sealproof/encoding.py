"""Text forms of bytes, numbers and times: strict, one form for each value.

base64 and base64url (RFC 4648 §4 and §5), decimal integers, RFC 3339 instants in UTC with six fraction
digits. A reader here accepts exactly what the writer beside it produces, so no value has two spellings.
"""

import base64
import binascii
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sealproof.errors import BadEncoding, BadLength, BadNumber, BadText, OutOfRange, Oversized

HASH_LENGTH = 32
MAX_SIZE = 2**63 - 1
"""Largest tree size and index: what a signed 64-bit integer holds, as in the C2SP clients."""

_NO_OFFSET = timedelta(0)
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_DECIMAL = re.compile(r"(?:0|[1-9][0-9]*)", re.ASCII)
_HEX = re.compile(r"(?:[0-9a-f]{2})*", re.ASCII)
_INSTANT = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})\.([0-9]{6})Z", re.ASCII
)


def b64_encode(raw: bytes) -> str:
    """Padded base64 of the standard alphabet."""
    return base64.b64encode(raw).decode("ascii")


def b64_decode(text: str, *, length: int | None = None) -> bytes:
    """Bytes of padded standard base64. length: the number of bytes it must give, None for any.

    Raises BadEncoding when it is not the one form of its bytes, BadLength when they are too few or too many.
    """
    return _exact_length(_decode(text, text, b64_encode), length)


def b64url_encode(raw: bytes) -> str:
    """Unpadded base64url, the form of RFC 9901."""
    # What base64.urlsafe_b64encode does, in half the time: an entry and its disclosures take three a field.
    return binascii.b2a_base64(raw, newline=False).translate(_URL_SAFE, b"=").decode("ascii")


def b64url_decode(text: str, *, length: int | None = None) -> bytes:
    """Bytes of unpadded base64url. length: the number of bytes it must give, None for any.

    Raises BadEncoding when it is not the one form of its bytes, BadLength when they are too few or too many.
    """
    if "+" in text or "/" in text:
        raise BadEncoding("expected base64url, which writes '-' and '_' for '+' and '/'")
    padded = text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4)
    return _exact_length(_decode(text, padded, b64url_encode), length)


def hex_decode(text: str, *, length: int | None = None) -> bytes:
    """Bytes of lower-case hexadecimal without prefix. Raises BadEncoding, BadLength."""
    if not _HEX.fullmatch(text):
        raise BadEncoding(f"expected lower-case hexadecimal, met {excerpt(text)}")
    return _exact_length(bytes.fromhex(text), length)


def decimal_decode(text: str, *, maximum: int = MAX_SIZE) -> int:
    """Integer 0 ≤ n ≤ maximum of ASCII digits without sign or leading zeros. Raises BadNumber, OutOfRange."""
    # The length is bounded first: turning millions of digits into an integer takes quadratic time.
    if not _DECIMAL.fullmatch(text):
        raise BadNumber(f"expected a decimal number without sign or leading zeros, met {excerpt(text)}")
    if len(text) > len(str(maximum)) or int(text) > maximum:
        raise OutOfRange(f"expected a number of at most {maximum}, met {excerpt(text)}")
    return int(text)


def instant_encode(instant: datetime) -> str:
    """`2026-11-23T08:00:00.000000Z`; always UTC and six fraction digits.

    Raises OutOfRange for a naive or other zone.
    """
    if instant.utcoffset() != _NO_OFFSET:
        raise OutOfRange(f"expected an aware time in UTC, met {instant.isoformat()}")
    return instant.isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def instant_decode(text: str) -> datetime:
    """Aware UTC time of exactly that form.

    Raises BadEncoding, OutOfRange for a day or hour that does not exist.
    """
    match = _INSTANT.fullmatch(text)
    if not match:
        raise BadEncoding(f"expected a time like 2026-11-23T08:00:00.000000Z, met {excerpt(text)}")
    year, month, day, hour, minute, second, fraction = map(int, match.groups())
    try:
        return datetime(year, month, day, hour, minute, second, fraction, tzinfo=UTC)
    except ValueError:
        raise OutOfRange(f"expected a time that exists, met {text}") from None


def utf8_decode(raw: bytes) -> str:
    """Text of strict UTF-8. Raises BadEncoding."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadEncoding(f"expected UTF-8, met a broken sequence at byte {error.start}") from None


def utf8_encode(text: str) -> bytes:
    """UTF-8 of text. Raises BadText for a lone surrogate, which has no UTF-8 form."""
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise BadText(f"expected Unicode text, met a lone surrogate at character {error.start}") from None


def check_length(text: str, *, limit: int, what: str) -> None:
    """Raise Oversized when text has more than limit bytes of UTF-8, BadText when it has none."""
    if len(text) > limit or (not text.isascii() and len(utf8_encode(text)) > limit):
        raise Oversized(f"expected {what} of at most {limit} bytes, met more")


def excerpt(text: str) -> str:
    """At most 40 characters of foreign text, escaped, for an error message."""
    return ascii(text if len(text) <= 40 else text[:37] + "...")


def _decode(text: str, padded: str, encode: Callable[[bytes], str]) -> bytes:
    # Python's decoder skips the bits after the last byte, so several texts give the same bytes: only ours is
    # accepted.
    try:
        raw = base64.b64decode(padded.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise BadEncoding(f"expected base64, met {excerpt(text)}") from None
    if encode(raw) != text:
        raise BadEncoding(f"expected the one base64 form of its bytes, met {excerpt(text)}")
    return raw


def _exact_length(raw: bytes, length: int | None) -> bytes:
    if length is not None and len(raw) != length:
        raise BadLength(f"expected {length} bytes, met {len(raw)}")
    return raw
