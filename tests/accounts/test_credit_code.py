"""Unified social credit codes: the check character catches what a typist gets wrong."""

import pytest

from talentseal.accounts import credit_code

VALID = "91350100M000100Y43"
"""The example that GB 32100-2015 itself computes."""


def test_the_standards_own_example_is_read() -> None:
    assert credit_code.parse(f" {VALID.lower()} ") == VALID


@pytest.mark.parametrize("place", range(18))
def test_any_single_character_changed_is_refused(place: int) -> None:
    other = "2" if VALID[place] != "2" else "3"

    with pytest.raises(ValueError, match="check character"):
        credit_code.parse(VALID[:place] + other + VALID[place + 1 :])


@pytest.mark.parametrize("text", ["", VALID[:17], VALID + "1", VALID.replace("M", "I"), "九一" * 9])
def test_other_forms_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="18 digits"):
        credit_code.parse(text)
