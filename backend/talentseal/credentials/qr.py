"""The QR codes of the profiles: version and error level are fixed, so that every code of a kind has one size.

SVG and PNG; the SVG has no style attribute and no script, and its title is what a screen reader says.
"""

import io
from typing import Final

import segno
from segno import QRCode

from talentseal.credentials.profiles import Profile

QUIET_ZONE: Final = 4
"""Modules of white around a code (ISO/IEC 18004)."""

_SYMBOLS: Final = {
    Profile.TC1: (3, "Q"),
    Profile.TCN: (1, "Q"),
    Profile.TC2: (8, "M"),
    Profile.TC3: (2, "M"),
    Profile.TCR: (4, "M"),
}
_SMALL: Final = {Profile.TC2: (6, "L")}
"""For screens on which the usual one would have modules too fine to read."""


def svg(profile: Profile, text: str, title: str, *, small: bool = False) -> str:
    """An inline SVG element that takes the size of its container; dark on light in either appearance."""
    drawn = io.BytesIO()
    _symbol(profile, text, small=small).save(
        drawn,
        kind="svg",
        border=QUIET_ZONE,
        xmldecl=False,
        svgns=False,
        omitsize=True,
        svgclass="qr",
        lineclass=None,
        light="#fff",
        title=title,
    )
    return drawn.getvalue().decode("utf-8").replace("<svg ", '<svg role="img" ', 1)


def png(profile: Profile, text: str, *, scale: int = 8, small: bool = False) -> bytes:
    """A PNG with `scale` pixels a module."""
    drawn = io.BytesIO()
    _symbol(profile, text, small=small).save(drawn, kind="png", border=QUIET_ZONE, scale=scale)
    return drawn.getvalue()


def _symbol(profile: Profile, text: str, *, small: bool) -> QRCode:
    """Raises ValueError (segno's) for a text too long for its profile, KeyError for one that has no code."""
    version, level = (_SMALL if small else _SYMBOLS)[profile]
    return segno.make_qr(text, version=version, error=level, boost_error=False)
