"""A naive Ed25519 in affine coordinates, for the tests: it signs, builds points of any order, and shares no
code with ours."""

import hashlib

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P

Affine = tuple[int, int]
NEUTRAL: Affine = (0, 1)


def add(one: Affine, two: Affine) -> Affine:
    (x1, y1), (x2, y2) = one, two
    cross = D * x1 * x2 * y1 * y2 % P
    x = (x1 * y2 + x2 * y1) * pow(1 + cross, -1, P) % P
    return x, (y1 * y2 + x1 * x2) * pow(1 - cross, -1, P) % P


def times(scalar: int, point: Affine) -> Affine:
    total = NEUTRAL
    while scalar:
        if scalar & 1:
            total = add(total, point)
        point = add(point, point)
        scalar >>= 1
    return total


def point_at(y: int, odd: bool) -> Affine | None:
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * pow(2, (P - 1) // 4, P) % P
    if x * x % P != square:
        return None
    return (P - x, y) if (x & 1) != odd else (x, y)


def encode(point: Affine) -> bytes:
    return (point[1] | (point[0] & 1) << 255).to_bytes(32, "little")


def _base() -> Affine:
    point = point_at(4 * pow(5, -1, P) % P, odd=False)
    assert point is not None
    return point


def torsion() -> list[Affine]:
    """The eight points of order 1, 2, 4 and 8, as the multiples of one of order 8."""
    for y in range(2, 1000):
        point = point_at(y, odd=False)
        if point is not None:
            small = times(L, point)
            if times(4, small) != NEUTRAL:
                return [times(n, small) for n in range(8)]
    raise AssertionError("no point of order 8 among the first thousand y")


BASE = _base()


def challenge(nonce_point: bytes, public: bytes, message: bytes) -> int:
    return int.from_bytes(hashlib.sha512(nonce_point + public + message).digest(), "little") % L


def signature(secret: int, public: bytes, message: bytes, nonce: int, twist: Affine = NEUTRAL) -> bytes:
    """s·B = R' + h·secret·B with R = R' + twist; any secret and nonce modulo L, `public` written as given."""
    nonce_point = encode(add(times(nonce, BASE), twist))
    s = (nonce + challenge(nonce_point, public, message) * secret) % L
    return nonce_point + s.to_bytes(32, "little")
