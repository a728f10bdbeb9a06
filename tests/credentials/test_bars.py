"""The bar code of the numeric token: Code 128 as it is published, in the smallest form for digits."""

import re

import pytest

from talentseal.credentials import bars, tcn

NUMBER = "7712345678901234567"

SAMPLES = {
    "12": "11010011100 10110011100 10011001110 1100011101011",
    "123456": "11010011100 10110011100 10001011000 11100010110 10001101110 1100011101011",
}
"""By ISO/IEC 15417's table, held against python-barcode 0.16."""


def drawn(digits: str) -> str:
    return "".join("10"[place % 2] * width for place, width in enumerate(bars.modules(digits)))


@pytest.mark.parametrize("digits", ["12", "123456"])
def test_the_published_patterns_are_drawn(digits: str) -> None:
    assert drawn(digits) == SAMPLES[digits].replace(" ", "")


def test_an_odd_digit_stands_at_the_end() -> None:
    assert bars.symbols("12345") == [105, 12, 34, 100, 21, (105 + 12 + 68 + 300 + 84) % 103]
    assert len(bars.symbols(NUMBER)) == 1 + 9 + 2 + 1


def test_every_symbol_has_eleven_modules_and_its_own_pattern() -> None:
    patterns = [bars._PATTERNS[6 * value : 6 * value + 6] for value in range(106)]

    assert len(set(patterns)) == 106
    assert {sum(map(int, each)) for each in patterns} == {11}
    assert {sum(map(int, each[::2])) % 2 for each in patterns} == {0}, "bars of a symbol are even together"


def test_a_number_is_a_picture_of_176_modules_that_says_what_it_is() -> None:
    picture = bars.svg(tcn.compose(12345678), "<条形码>")

    assert 'viewBox="0 0 176 48"' in picture
    assert "<title>&lt;条形码&gt;</title>" in picture
    assert "style" not in picture
    edges = [int(each) for each in re.findall(r"M(\d+) 0h\d+v48", picture)]
    assert min(each for each in edges if each) == bars.QUIET_ZONE


@pytest.mark.parametrize("text", ["", "1", "12a", "１２"])
def test_only_digits_are_drawn(text: str) -> None:
    with pytest.raises(ValueError, match="digits"):
        bars.modules(text)
