"""Signed-digit form of scalars, shared by the two elliptic curves of this package. Public values only:
nothing here runs in constant time."""


def signed_digits(scalar: int, width: int) -> list[int]:
    """The width-w non-adjacent form of a scalar, lowest digit first.

    scalar: ≥ 0. width: ≥ 2. Each digit is 0 or odd with |digit| < 2^(width-1); the sum of digit_i · 2^i is
    the scalar.
    """
    window, half = 1 << width, 1 << (width - 1)
    digits = []
    while scalar:
        digit = 0
        if scalar & 1:
            digit = scalar & (window - 1)
            if digit >= half:
                digit -= window
            scalar -= digit
        digits.append(digit)
        scalar >>= 1
    return digits


def paired_digits(first: int, first_width: int, second: int, second_width: int) -> list[tuple[int, int]]:
    """Signed digits of two scalars side by side, highest first, for one pass of doublings over both
    (Straus)."""
    low, high = signed_digits(first, first_width), signed_digits(second, second_width)
    length = max(len(low), len(high))
    low += [0] * (length - len(low))
    high += [0] * (length - len(high))
    return list(zip(reversed(low), reversed(high), strict=True))
