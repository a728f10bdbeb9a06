"""Signer recovery on secp256k1 (SEC 1 v2 §4.1.6), as Ethereum's `ecrecover` does it but strict: low s, v of
27 or 28 only.

Verification only: there is no signing here, no secret ever passes through, so nothing needs to run in
constant time. About 2 ms for each recovery. What a recovered address may sign for is the contract's business,
not this module's.
"""

from functools import cache, lru_cache
from typing import Final

from sealproof.errors import BadEncoding, BadLength, SignatureFalse
from sealproof.keccak import keccak256
from sealproof.scalars import paired_digits

FIELD: Final = 2**256 - 2**32 - 977
ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
HALF_ORDER: Final = ORDER // 2
_GENERATOR: Final = (
    0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
    0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8,
    1,
)
_GENERATOR_WIDTH: Final = 8
_POINT_WIDTH: Final = 5

_Point = tuple[int, int, int]
"""Jacobian coordinates (X, Y, Z): the point (X/Z², Y/Z³); Z = 0 is the point at infinity."""

_INFINITY: Final[_Point] = (1, 1, 0)


def _double(point: _Point) -> _Point:
    """2P on y² = x³ + 7, which has no point of order two, so only infinity stays at infinity."""
    x, y, z = point
    square = y * y % FIELD
    chord = 4 * x * square % FIELD
    slope = 3 * x * x % FIELD
    out = (slope * slope - 2 * chord) % FIELD
    return out, (slope * (chord - out) - 8 * square * square) % FIELD, 2 * y * z % FIELD


def _add(left: _Point, right: _Point) -> _Point:
    """P + Q for any two points, equal, opposite or at infinity."""
    x1, y1, z1 = left
    x2, y2, z2 = right
    if not z1:
        return right
    if not z2:
        return left
    zz1, zz2 = z1 * z1 % FIELD, z2 * z2 % FIELD
    u1, u2 = x1 * zz2 % FIELD, x2 * zz1 % FIELD
    s1, s2 = y1 * z2 * zz2 % FIELD, y2 * z1 * zz1 % FIELD
    if u1 == u2:
        return _double(left) if s1 == s2 else _INFINITY
    run, rise = u2 - u1, s2 - s1
    run_squared = run * run % FIELD
    run_cubed, base = run * run_squared % FIELD, u1 * run_squared % FIELD
    x3 = (rise * rise - run_cubed - 2 * base) % FIELD
    return x3, (rise * (base - x3) - s1 * run_cubed) % FIELD, z1 * z2 * run % FIELD


def _odd_multiples(point: _Point, width: int) -> tuple[_Point, ...]:
    """P, 3P, 5P … up to (2^(width-1) − 1)P: what signed digits of that width can ask for."""
    multiples, step = [point], _double(point)
    for _ in range((1 << (width - 2)) - 1):
        multiples.append(_add(multiples[-1], step))
    return tuple(multiples)


@cache
def _generator_multiples() -> tuple[_Point, ...]:
    return _odd_multiples(_GENERATOR, _GENERATOR_WIDTH)


def _signed(multiples: tuple[_Point, ...], digit: int) -> _Point:
    x, y, z = multiples[abs(digit) >> 1]
    return (x, y, z) if digit > 0 else (x, FIELD - y, z)


def _combine(generator_times: int, point_times: int, point: _Point) -> _Point:
    """generator_times · G + point_times · P in one pass of doublings."""
    of_generator, of_point = _generator_multiples(), _odd_multiples(point, _POINT_WIDTH)
    total = _INFINITY
    for first, second in paired_digits(generator_times, _GENERATOR_WIDTH, point_times, _POINT_WIDTH):
        total = _double(total)
        if first:
            total = _add(total, _signed(of_generator, first))
        if second:
            total = _add(total, _signed(of_point, second))
    return total


def _lift(x: int, odd: bool) -> _Point:
    """The curve point with this x and parity of y. Raises SignatureFalse when x is on no point."""
    square = (pow(x, 3, FIELD) + 7) % FIELD
    y = pow(square, (FIELD + 1) // 4, FIELD)
    if y * y % FIELD != square:
        raise SignatureFalse(f"r = {x:#x} is not the x of any point of secp256k1; the signature was altered")
    return x, FIELD - y if (y & 1) != odd else y, 1


@lru_cache(maxsize=4096)  # The same few accounts come up again and again, and a hash takes 0.2 ms.
def checksum_address(account: bytes) -> str:
    """EIP-55 text of a 20-byte account: 0x and 40 hex digits whose letter case carries a checksum."""
    if len(account) != 20:
        raise BadLength(f"an address has 20 bytes, this one has {len(account)}")
    digits = account.hex()
    nibbles = keccak256(digits.encode("ascii")).hex()
    cased = (d.upper() if int(n, 16) >= 8 else d for d, n in zip(digits, nibbles, strict=False))
    return "0x" + "".join(cased)


def parse_address(text: str) -> bytes:
    """The 20 bytes of an address in its EIP-55 form; any other spelling raises BadEncoding, so that each
    account has one."""
    digits = text[2:]
    if len(text) != 42 or text[:2] != "0x" or not all(c in "0123456789abcdefABCDEF" for c in digits):
        raise BadEncoding(f"expected an address (0x and 40 hex digits), met {text[:60]!r}")
    account = bytes.fromhex(digits)
    if checksum_address(account) != text:
        raise BadEncoding(
            f"address {text} is not in its EIP-55 form {checksum_address(account)}; a digit may be wrong"
        )
    return account


def public_address(public: bytes) -> str:
    """Address of an uncompressed public key of 64 bytes (x ‖ y). Raises BadEncoding when it is no point of
    the curve."""
    if len(public) != 64:
        raise BadLength(f"an uncompressed public key has 64 bytes (x, y), this one has {len(public)}")
    x, y = int.from_bytes(public[:32], "big"), int.from_bytes(public[32:], "big")
    if x >= FIELD or y >= FIELD or (y * y - x * x * x - 7) % FIELD:
        raise BadEncoding("the public key is not a point of secp256k1")
    return checksum_address(keccak256(public)[12:])


def recover(digest: bytes, signature: bytes) -> str:
    """The checksummed address whose key signed `digest`.

    digest: 32 bytes. signature: 65 bytes r ‖ s ‖ v with 0 < r < n, 0 < s ≤ n/2 and v of 27 or 28. Raises
    BadLength for another length, SignatureFalse for anything outside these ranges or without a public key.
    Any signature in range recovers *some* address: the caller must compare it with the one expected.
    """
    if len(digest) != 32:
        raise BadLength(f"a digest has 32 bytes, this one has {len(digest)}")
    if len(signature) != 65:
        raise BadLength(f"a signature has 65 bytes (r, s, v), this one has {len(signature)}")
    r, s, v = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big"), signature[64]
    if v not in (27, 28):
        raise SignatureFalse(f"v must be 27 or 28, met {v}")
    if not 0 < r < ORDER:
        raise SignatureFalse("r is zero or not below the order of the curve")
    if not 0 < s <= HALF_ORDER:
        raise SignatureFalse(
            "s is zero or in the upper half: the same signature has a second form, which is refused (EIP-2)"
        )
    inverse = pow(r, -1, ORDER)
    message = int.from_bytes(digest, "big")
    x, y, z = _combine(-message * inverse % ORDER, s * inverse % ORDER, _lift(r, odd=v == 28))
    if not z:
        raise SignatureFalse("the signature recovers the point at infinity, which is no public key")
    over_z = pow(z, -1, FIELD)
    x, y = x * over_z * over_z % FIELD, y * pow(over_z, 3, FIELD) % FIELD
    return public_address(x.to_bytes(32, "big") + y.to_bytes(32, "big"))
