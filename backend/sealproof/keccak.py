"""Keccak-256 as Ethereum uses it (the Keccak team's submission, padding byte 0x01; not NIST's SHA3-256, which
pads with 0x06).

Hashing only, standard library only: `hashlib` has SHA-3 but not this padding. About 0.2 ms for each 136
bytes.
"""

from typing import Final

RATE_BYTES: Final = 136  # 1600 bits of state less twice the 256 bits of security
_LANES: Final = 25
_MASK: Final = 0xFFFFFFFFFFFFFFFF


def _round_constants() -> tuple[int, ...]:
    """The 24 constants of step iota, from the linear feedback register x^8 + x^6 + x^5 + x^4 + 1 (FIPS 202
    §3.2.5)."""
    register, constants = 1, []
    for _ in range(24):
        constant = 0
        for power in range(7):
            if register & 1:
                constant |= 1 << ((1 << power) - 1)
            register = (register << 1) ^ (0x171 if register & 0x80 else 0)
        constants.append(constant)
    return tuple(constants)


def _moves() -> tuple[tuple[int, int, int], ...]:
    """Steps rho and pi for each target lane in order: (source lane, its column, left rotation in bits)."""
    moves = [(0, 0, 0)] * _LANES
    x, y = 1, 0
    for step in range(24):
        turned = (y, (2 * x + 3 * y) % 5)
        moves[turned[0] + 5 * turned[1]] = (x + 5 * y, x, (step + 1) * (step + 2) // 2 % 64)
        x, y = turned
    return tuple(moves)


_CONSTANTS: Final = _round_constants()
_MOVES: Final = _moves()


def _permute(lanes: list[int]) -> list[int]:
    """Keccak-f[1600] on 25 lanes of 64 bits, lane x + 5y."""
    mask, moves = _MASK, _MOVES
    for constant in _CONSTANTS:
        c0, c1, c2, c3, c4 = [
            lanes[x] ^ lanes[x + 5] ^ lanes[x + 10] ^ lanes[x + 15] ^ lanes[x + 20] for x in range(5)
        ]
        parity = (
            c4 ^ (c1 << 1 & mask | c1 >> 63),
            c0 ^ (c2 << 1 & mask | c2 >> 63),
            c1 ^ (c3 << 1 & mask | c3 >> 63),
            c2 ^ (c4 << 1 & mask | c4 >> 63),
            c3 ^ (c0 << 1 & mask | c0 >> 63),
        )
        moved = []
        for source, column, turn in moves:
            lane = lanes[source] ^ parity[column]
            moved.append((lane << turn & mask) | lane >> (64 - turn))
        lanes = []
        for row in range(0, _LANES, 5):
            b0, b1, b2, b3, b4 = moved[row : row + 5]
            lanes += (b0 ^ ~b1 & b2, b1 ^ ~b2 & b3, b2 ^ ~b3 & b4, b3 ^ ~b4 & b0, b4 ^ ~b0 & b1)
        lanes[0] ^= constant
    return lanes


def keccak256(message: bytes) -> bytes:
    """The 32-byte Keccak-256 digest of `message`, of any length."""
    padded = bytearray(message)
    padded += bytes(RATE_BYTES - len(padded) % RATE_BYTES)
    padded[len(message)] ^= 0x01
    padded[-1] ^= 0x80
    lanes = [0] * _LANES
    for start in range(0, len(padded), RATE_BYTES):
        for lane in range(RATE_BYTES // 8):
            lanes[lane] ^= int.from_bytes(padded[start + 8 * lane : start + 8 * lane + 8], "little")
        lanes = _permute(lanes)
    return b"".join(lane.to_bytes(8, "little") for lane in lanes[:4])
