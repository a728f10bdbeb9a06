"""TCN: 19 digits that carry nothing, kept by a keyed digest of the day."""

import hashlib
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talentseal.credentials import tcn
from talentseal.credentials.refusals import Refusal
from tests.credentials import reference
from tests.credentials.reference import KEYS, MASTER, MIDNIGHT, NOON, SECOND

TEXT = tcn.compose(1234567890123456)
PAYMENT_PREFIXES = {"10", "11", "12", "13", "14", "15", "16", "25", "26", "27", "28", "29", "30", "62"}


def candidates(text: str) -> tuple[bytes, ...]:
    met = tcn.candidates(KEYS, text, now=NOON)
    assert not isinstance(met, Refusal)
    return met


def test_a_number_is_19_digits_with_a_check_digit_and_no_payment_code() -> None:
    assert TEXT == "7712345678901234567"
    assert TEXT[:2] not in PAYMENT_PREFIXES


def test_minted_numbers_are_of_the_form_and_differ() -> None:
    minted = {tcn.mint() for _ in range(100)}

    assert len(minted) == 100
    assert all(len(text) == 19 and candidates(text) for text in minted)


@given(st.integers(0, 10**16 - 1))
def test_a_number_is_found_by_what_it_is_kept_by(number: int) -> None:
    text = tcn.compose(number)

    assert tcn.digest(KEYS, text, now=NOON) in candidates(text)


def test_a_number_is_kept_under_a_key_of_the_day() -> None:
    key = reference.hkdf(reference.day_key(MASTER, reference.shanghai(NOON)), b"talentcode/TCN")

    assert tcn.digest(KEYS, TEXT, now=NOON) == reference.mac(key, TEXT.encode())
    assert tcn.digest(KEYS, TEXT, now=NOON) != hashlib.sha256(TEXT.encode()).digest()


def test_a_number_outlives_midnight_and_is_gone_a_day_later() -> None:
    kept = tcn.digest(KEYS, TEXT, now=MIDNIGHT - SECOND)

    after = tcn.candidates(KEYS, TEXT, now=MIDNIGHT + 30 * SECOND)
    later = tcn.candidates(KEYS, TEXT, now=MIDNIGHT + timedelta(days=1))
    assert not isinstance(after, Refusal)
    assert not isinstance(later, Refusal)
    assert kept in after
    assert kept not in later


@pytest.mark.parametrize("place", range(19))
def test_any_wrong_digit_is_refused(place: int) -> None:
    for digit in set("0123456789") - {TEXT[place]}:
        assert (
            tcn.candidates(KEYS, TEXT[:place] + digit + TEXT[place + 1 :], now=NOON)
            is Refusal.TOKEN_MALFORMED
        )


@pytest.mark.parametrize(
    "text",
    ["", TEXT[:-1], TEXT + "0", " " + TEXT, TEXT + "\n", "７" + TEXT[1:], "x" * 19, "7" * 10_000, "٧" * 19],
)
def test_other_texts_are_malformed(text: str) -> None:
    assert tcn.candidates(KEYS, text, now=NOON) is Refusal.TOKEN_MALFORMED
