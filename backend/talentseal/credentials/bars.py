"""The bar code of a number of digits, for readers of one dimension: Code 128 (ISO/IEC 15417), subset C.

Two digits to a symbol; one that is left over stands alone at the end in subset B. Each symbol is three bars
and three spaces of 11 modules together, the stop four bars of 13; a check symbol modulo 103 comes before it.
"""

import re
from itertools import pairwise
from typing import Final

from markupsafe import escape

QUIET_ZONE: Final = 10
"""Modules of white before and after."""
HEIGHT: Final = 48
"""Modules: a reader that is held askew still crosses all the bars."""

START_C: Final = 105
TO_B: Final = 100
_MODULUS: Final = 103
_FIRST_OF_B: Final = ord(" ")

_PATTERNS: Final = (
    "212222222122222221121223121322131222122213122312132212221213221312231212112232122132122231113222"
    "123122123221223211221132221231213212223112312131311222321122321221312212322112322211212123212321"
    "232121111323131123131321112313132113132311211313231113231311112133112331132131113123113321133121"
    "313121211331231131213113213311213131311123311321331121312113312311332111314111221411431111111224"
    "111422121124121421141122141221112214112412122114122411142112142211241211221114413111241112134111"
    "111242121142121241114212124112124211411212421112421211212141214121412121111143111341131141114113"
    "1143114111134113111131411141313111414111312114122112142112322331112"
)
"""Modules of bars and spaces by turns, six of each value in the order of the values."""
_STOP_PATTERN: Final = "2331112"


def symbols(digits: str) -> list[int]:
    """The values that stand for a number, from the start to the check. Raises ValueError."""
    if not re.fullmatch(r"[0-9]{2,}", digits):
        raise ValueError("expected two digits or more")
    even = len(digits) // 2 * 2
    values = [START_C, *(int(digits[place : place + 2]) for place in range(0, even, 2))]
    if even < len(digits):
        values += [TO_B, ord(digits[-1]) - _FIRST_OF_B]
    check = (values[0] + sum(place * value for place, value in enumerate(values))) % _MODULUS
    return [*values, check]


def modules(digits: str) -> list[int]:
    """Widths of bars and spaces by turns, a bar first. Raises ValueError."""
    drawn = "".join(_PATTERNS[6 * value : 6 * value + 6] for value in symbols(digits))
    return [int(width) for width in drawn + _STOP_PATTERN]


def svg(digits: str, title: str) -> str:
    """An inline SVG element that takes the size of its container; dark on light in either appearance.

    Raises ValueError.
    """
    edges = [QUIET_ZONE]
    for width in modules(digits):
        edges.append(edges[-1] + width)
    bars = "".join(f"M{start} 0h{end - start}v{HEIGHT}H{start}z" for start, end in list(pairwise(edges))[::2])
    across = edges[-1] + QUIET_ZONE
    return (
        f'<svg role="img" class="bars" viewBox="0 0 {across} {HEIGHT}" preserveAspectRatio="none">'
        f"<title>{escape(title)}</title>"
        f'<path fill="#fff" d="M0 0h{across}v{HEIGHT}H0z"/><path fill="#000" d="{bars}"/></svg>'
    )
