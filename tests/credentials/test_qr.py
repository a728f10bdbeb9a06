"""QR codes: of the computed size for each profile, readable as SVG and as PNG, allowed by the pages' CSP."""

import re
from pathlib import Path

import pytest
import typst
import zxingcpp
from segno import DataOverflowError

from talentseal.credentials import qr, tc1, tc2, tc3, tcn
from talentseal.credentials.profiles import Profile
from talentseal.credentials.tcr import ReceiptCheck
from tests.audit import png
from tests.credentials.reference import CODE_REF, KEYS, NOON

TEXTS = {
    Profile.TC1: tc1.mint(KEYS, CODE_REF, now=NOON).text,
    Profile.TCN: tcn.mint(),
    Profile.TC2: tc2.sign(KEYS, CODE_REF, 8, now=NOON),
    Profile.TC3: tc3.write(KEYS, CODE_REF, now=NOON),
    Profile.TCR: ReceiptCheck(bytes(16), bytes(32)).write(),
}
SYMBOLS = [
    (Profile.TC1, False, 29, "Q"),
    (Profile.TCN, False, 21, "Q"),
    (Profile.TC2, False, 49, "M"),
    (Profile.TC2, True, 41, "L"),
    (Profile.TC3, False, 25, "M"),
    (Profile.TCR, False, 33, "M"),
]
each_symbol = pytest.mark.parametrize(("profile", "small", "modules", "level"), SYMBOLS)


def scanned(folder: Path, name: str, image: bytes) -> zxingcpp.Barcode:
    """The one code in a picture, drawn by an independent renderer."""
    (folder / name).write_bytes(image)
    page = folder / "page.typ"
    page.write_text(f'#set page(width: 4cm, height: 4cm, margin: 0cm)\n#image("{name}", width: 4cm)', "utf-8")
    drawn = typst.compile(page, format="png", ppi=150)
    assert isinstance(drawn, bytes)
    (code,) = zxingcpp.read_barcodes(png.read(drawn).view())
    return code


@each_symbol
def test_a_code_has_the_computed_size_and_is_read_back(
    profile: Profile, small: bool, modules: int, level: str, tmp_path: Path
) -> None:
    text = TEXTS[profile]
    svg = qr.svg(profile, text, "人才码", small=small)

    as_file = svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1).encode()
    codes = [
        scanned(tmp_path, "code.svg", as_file),
        scanned(tmp_path, "code.png", qr.png(profile, text, small=small)),
    ]
    assert [(code.text, code.ec_level) for code in codes] == [(text, level)] * 2
    assert f'viewBox="0 0 {modules + 8} {modules + 8}"' in svg


def test_the_svg_breaks_no_content_security_policy_and_has_a_name() -> None:
    svg = qr.svg(Profile.TC1, TEXTS[Profile.TC1], "人才码 <当前>")

    assert svg.startswith('<svg role="img" ')
    assert "<title>人才码 &lt;当前&gt;</title>" in svg
    assert not re.search(r"style|script|onload|href", svg)


def test_a_png_has_as_many_pixels_a_module_as_asked_for() -> None:
    drawn = qr.png(Profile.TC1, TEXTS[Profile.TC1], scale=5)

    assert int.from_bytes(drawn[16:20], "big") == 5 * (29 + 8)


def test_what_is_too_long_for_its_profile_is_not_drawn() -> None:
    with pytest.raises(DataOverflowError):
        qr.svg(Profile.TCN, TEXTS[Profile.TC1], "")
