"""Ed25519 verification (RFC 8032 §5.1.7), strict: one encoding for each point, s below the order, no
small-order point.

Two paths with one verdict. The fast one asks OpenSSL through the `cryptography` package when that can be
imported; the other is plain Python, about 1.5 ms a signature. OpenSSL accepts some inputs that a strict
verifier must not (points of small order), so the same prechecks come before both. The equation is the one
without cofactor, [s]B = R + [h]A, as in OpenSSL. Verification only: no secret passes through, so nothing
needs to run in constant time.
"""

import hashlib
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Final

from sealproof.errors import BadLength, SignatureFalse
from sealproof.scalars import paired_digits

PUBLIC_KEY_LENGTH: Final = 32
SIGNATURE_LENGTH: Final = 64

FIELD: Final = 2**255 - 19
ORDER: Final = 2**252 + 27742317777372353535851937790883648493
_D: Final = -121665 * pow(121666, -1, FIELD) % FIELD
_SQRT_MINUS_ONE: Final = pow(2, (FIELD - 1) // 4, FIELD)
_SIGN_BIT: Final = 1 << 255
_BASE_WIDTH: Final = 8
_POINT_WIDTH: Final = 5

_SMALL_ORDER_Y: Final = frozenset(
    {
        0,  # order 4
        1,  # the neutral element
        FIELD - 1,  # order 2
        0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826,  # order 8
        0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7,  # order 8, its negative
    }
)
"""The y coordinates of the eight points whose order divides the cofactor 8; a point and its negative share
one."""

_Point = tuple[int, int, int, int]
"""Extended twisted Edwards coordinates (X, Y, Z, T): x = X/Z, y = Y/Z, T = XY/Z."""

_NEUTRAL: Final[_Point] = (0, 1, 1, 0)


def _double(point: _Point) -> _Point:
    """2P, for any point of the curve −x² + y² = 1 + d x² y²."""
    x, y, z, _ = point
    a, b = x * x % FIELD, y * y % FIELD
    h = a + b
    e = h - (x + y) * (x + y) % FIELD
    g = a - b
    f = 2 * z * z % FIELD + g
    return e * f % FIELD, g * h % FIELD, f * g % FIELD, e * h % FIELD


def _add(left: _Point, right: _Point) -> _Point:
    """P + Q; the formula is complete, so equal, opposite and neutral points need no case of their own."""
    x1, y1, z1, t1 = left
    x2, y2, z2, t2 = right
    a, b = (y1 - x1) * (y2 - x2) % FIELD, (y1 + x1) * (y2 + x2) % FIELD
    c, d = 2 * _D * t1 * t2 % FIELD, 2 * z1 * z2 % FIELD
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % FIELD, g * h % FIELD, f * g % FIELD, e * h % FIELD


def _negative(point: _Point) -> _Point:
    x, y, z, t = point
    return FIELD - x, y, z, FIELD - t


def _odd_multiples(point: _Point, width: int) -> tuple[_Point, ...]:
    """P, 3P, 5P … up to (2^(width-1) − 1)P: what signed digits of that width can ask for."""
    multiples, step = [point], _double(point)
    for _ in range((1 << (width - 2)) - 1):
        multiples.append(_add(multiples[-1], step))
    return tuple(multiples)


@cache
def _base_multiples() -> tuple[_Point, ...]:
    base = _decompress((4 * pow(5, -1, FIELD) % FIELD).to_bytes(32, "little"))
    return _odd_multiples(base, _BASE_WIDTH)


def _signed(multiples: tuple[_Point, ...], digit: int) -> _Point:
    multiple = multiples[abs(digit) >> 1]
    return multiple if digit > 0 else _negative(multiple)


def _combine(base_times: int, point_times: int, point: _Point) -> _Point:
    """base_times · B + point_times · P in one pass of doublings."""
    of_base, of_point = _base_multiples(), _odd_multiples(point, _POINT_WIDTH)
    total = _NEUTRAL
    for first, second in paired_digits(base_times, _BASE_WIDTH, point_times, _POINT_WIDTH):
        total = _double(total)
        if first:
            total = _add(total, _signed(of_base, first))
        if second:
            total = _add(total, _signed(of_point, second))
    return total


def _decompress(encoded: bytes) -> _Point:
    """The point of a canonical 32-byte encoding (RFC 8032 §5.1.3). Raises SignatureFalse when y is on no
    point."""
    number = int.from_bytes(encoded, "little")
    y, sign = number & (_SIGN_BIT - 1), number >> 255
    u, v = (y * y - 1) % FIELD, (_D * y * y + 1) % FIELD
    x = u * pow(v, 3, FIELD) * pow(u * pow(v, 7, FIELD), (FIELD - 5) // 8, FIELD) % FIELD
    if (v * x * x - u) % FIELD:
        x = x * _SQRT_MINUS_ONE % FIELD
    if (v * x * x - u) % FIELD:
        raise SignatureFalse("the public key is not a point of the curve")
    if (x & 1) != sign:
        x = FIELD - x
    return x, y, 1, x * y % FIELD


def _compress(point: _Point) -> bytes:
    """The one 32-byte encoding of a point (RFC 8032 §5.1.2)."""
    x, y, z, _ = point
    over_z = pow(z, -1, FIELD)
    x, y = x * over_z % FIELD, y * over_z % FIELD
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _refuse_lax_point(encoded: bytes, name: str) -> None:
    """Refuses what some verifiers let pass: a second encoding of a point, or a point of small order."""
    y = int.from_bytes(encoded, "little") & (_SIGN_BIT - 1)
    if y >= FIELD:
        raise SignatureFalse(f"{name} is not in its canonical encoding")
    if y in _SMALL_ORDER_Y:
        raise SignatureFalse(f"{name} is a point of small order, under which signatures prove nothing")


def _precheck(public: bytes, signature: bytes) -> None:
    if len(public) != PUBLIC_KEY_LENGTH:
        raise BadLength(f"an Ed25519 public key has 32 bytes, this one has {len(public)}")
    if len(signature) != SIGNATURE_LENGTH:
        raise BadLength(f"an Ed25519 signature has 64 bytes, this one has {len(signature)}")
    _refuse_lax_point(public, "the public key")
    _refuse_lax_point(signature[:32], "R")
    if int.from_bytes(signature[32:], "little") >= ORDER:
        raise SignatureFalse(
            "s is not below the order of the group: the same signature would have several forms"
        )


def verify_in_python(public: bytes, message: bytes, signature: bytes) -> None:
    """As `verify`, in plain Python whatever is installed."""
    _precheck(public, signature)
    point = _decompress(public)
    nonce_point = signature[:32]
    challenge = int.from_bytes(hashlib.sha512(nonce_point + public + message).digest(), "little") % ORDER
    s = int.from_bytes(signature[32:], "little")
    if _compress(_combine(s, challenge, _negative(point))) != nonce_point:
        raise SignatureFalse("the Ed25519 signature does not fit this key and text")


@cache
def _openssl() -> Callable[[bytes, bytes, bytes], bool] | None:
    """OpenSSL's verdict as a function, or None where the `cryptography` package is not installed."""
    try:
        keys = import_module("cryptography.hazmat.primitives.asymmetric.ed25519")
        invalid_signature: type[Exception] = import_module("cryptography.exceptions").InvalidSignature
    except ImportError:
        return None

    def fits(public: bytes, message: bytes, signature: bytes) -> bool:
        try:
            keys.Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
        except (invalid_signature, ValueError):
            return False
        return True

    return fits


def openssl_is_at_hand() -> bool:
    """Whether `verify` will ask OpenSSL rather than plain Python."""
    return _openssl() is not None


def verify(public: bytes, message: bytes, signature: bytes) -> None:
    """Returns silently when `signature` is a strict Ed25519 signature of `message` under `public`.

    public: 32 bytes. signature: 64 bytes R ‖ s.
    Raises BadLength for other lengths, SignatureFalse for everything else that does not verify.
    """
    fits = _openssl()
    if fits is None:
        verify_in_python(public, message, signature)
        return
    _precheck(public, signature)
    if not fits(public, message, signature):
        raise SignatureFalse("the Ed25519 signature does not fit this key and text")
