"""TC1: bytes as laid down, a minute of life, keys of two days, one answer for all that is not genuine."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talentseal.credentials import profiles, tc1
from talentseal.credentials.master_keys import KeyMissing, MasterKey, MasterKeys
from talentseal.credentials.profiles import Profile
from talentseal.credentials.refusals import Refusal
from talentseal.credentials.tc1 import OnlineToken
from tests.credentials import reference
from tests.credentials.reference import (
    ALPHABET,
    CODE_REF,
    FIRST_DAY,
    KEYS,
    MASTER,
    MIDNIGHT,
    NONCE,
    NOON,
    SECOND,
)

VECTORS = json.loads((Path(__file__).parent / "vectors.json").read_text(encoding="utf-8"))
TOKEN = tc1.compose(KEYS, CODE_REF, NOON, NONCE)


def verdict(text: str, now: datetime = NOON) -> str:
    met = tc1.verify(KEYS, text, now=now)
    return met.value if isinstance(met, Refusal) else f"accepted {met.code_ref.hex()}"


@pytest.mark.parametrize("vector", VECTORS["TC1"], ids=lambda vector: vector["why"])
def test_a_stored_token_has_its_verdict(vector: dict[str, Any]) -> None:
    assert verdict(vector["text"], datetime.fromisoformat(vector["now"])) == vector["verdict"]


def test_a_token_is_28_bytes_in_46_characters_as_laid_down() -> None:
    assert TOKEN.text == reference.as_text("TC1", reference.tc1(CODE_REF, NOON))
    assert len(TOKEN.text) == 46
    assert len(reference.tc1(CODE_REF, NOON)) == 28


@given(
    st.binary(min_size=8, max_size=8),
    st.integers(0, 10**15).map(lambda micros: NOON + timedelta(microseconds=micros)),
    st.binary(min_size=3, max_size=3),
)
def test_what_was_minted_is_taken_for_what_it_is(code_ref: bytes, at: datetime, nonce: bytes) -> None:
    made = tc1.compose(KEYS, code_ref, at, nonce)

    assert tc1.verify(KEYS, made.text, now=at) == made
    assert made.code_ref == code_ref
    assert timedelta() <= at - made.issued_at < SECOND


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (-6, "TOKEN_EXPIRED"),
        (-5, "accepted"),
        (0, "accepted"),
        (60, "accepted"),
        (65, "accepted"),
        (66, "TOKEN_EXPIRED"),
    ],
)
def test_a_token_lives_a_minute_and_five_seconds_of_skew_either_way(age: int, expected: str) -> None:
    assert verdict(TOKEN.text, NOON + age * SECOND).split()[0] == expected


def test_a_fraction_of_a_second_too_old_is_too_old() -> None:
    assert verdict(TOKEN.text, NOON + timedelta(seconds=65, microseconds=1)) == "TOKEN_EXPIRED"


def test_a_token_outlives_midnight_in_shanghai_and_no_longer_than_any_other() -> None:
    made = tc1.mint(KEYS, CODE_REF, now=MIDNIGHT - SECOND)

    assert verdict(made.text, MIDNIGHT + 64 * SECOND).startswith("accepted")
    assert verdict(made.text, MIDNIGHT + 65 * SECOND) == "TOKEN_EXPIRED"


def test_a_token_of_a_clock_that_is_past_midnight_already_is_taken() -> None:
    made = tc1.mint(KEYS, CODE_REF, now=MIDNIGHT)

    assert verdict(made.text, MIDNIGHT - 5 * SECOND).startswith("accepted")


def test_a_screenshot_is_known_as_one_until_its_days_key_is_gone() -> None:
    assert verdict(TOKEN.text, NOON + timedelta(days=1)) == "TOKEN_EXPIRED"
    assert verdict(TOKEN.text, NOON + timedelta(days=2)) == "TOKEN_FORGED"


def test_a_key_of_yesterday_makes_no_token_of_today() -> None:
    yesterday = reference.shanghai(NOON) - timedelta(days=1)

    forged = reference.tc1(CODE_REF, NOON, slot_day=yesterday)

    assert verdict(reference.as_text("TC1", forged)) == "TOKEN_FORGED"


def test_no_character_can_be_another_and_the_answer_says_only_whether_it_is_a_token_at_all() -> None:
    for place in range(4, len(TOKEN.text)):
        for other in ALPHABET:
            altered = TOKEN.text[:place] + other + TOKEN.text[place + 1 :]
            well_formed = profiles.read(Profile.TC1, altered) is not None
            expected = "TOKEN_FORGED" if well_formed else "TOKEN_MALFORMED"
            assert altered == TOKEN.text or verdict(altered) == expected


def test_an_unknown_slot_an_unknown_code_another_time_and_a_wrong_mac_have_one_answer() -> None:
    octets = reference.tc1(CODE_REF, NOON)

    for place in range(28):
        for bit in range(8):
            altered = octets[:place] + bytes([octets[place] ^ 1 << bit]) + octets[place + 1 :]
            assert verdict(reference.as_text("TC1", altered)) == "TOKEN_FORGED"


MALFORMED = {
    "empty": "",
    "a random text of its length": "K" * 46,
    "10 kB": "TC1:" + "0" * 10_000,
    "another prefix": "TC3" + TOKEN.text[3:],
    "no colon": "TC1" + TOKEN.text[4:],
    "small letters": TOKEN.text.lower(),
    "small prefix": "tc1" + TOKEN.text[3:],
    "blank before": " " + TOKEN.text,
    "blank behind": TOKEN.text + " ",
    "line end behind": TOKEN.text + "\n",
    "one short": TOKEN.text[:-1],
    "one long": TOKEN.text + "0",
    "a group too large": TOKEN.text[:-3] + ":::",
    "a second text for the same bytes": TOKEN.text[:4] + "GGW" + TOKEN.text[7:],
    "wide digits": "ＴＣ１：" + TOKEN.text[4:],
    "a surrogate": "TC1:" + "\ud800" * 42,
    "nothing but zero bytes": "TC1:" + "\0" * 42,
}


@pytest.mark.parametrize("text", MALFORMED.values(), ids=MALFORMED)
def test_what_is_no_token_is_malformed_and_never_an_exception(text: str) -> None:
    assert verdict(text) == "TOKEN_MALFORMED"


@given(st.text(max_size=60) | st.text(alphabet=ALPHABET, min_size=42, max_size=42).map("TC1:".__add__))
def test_any_text_has_an_answer(text: str) -> None:
    assert verdict(text) in {"TOKEN_MALFORMED", "TOKEN_FORGED"}


def test_a_master_key_that_leaked_is_ended_today_with_all_of_todays_tokens() -> None:
    replaced = MasterKeys((*KEYS.versions, MasterKey(3, reference.shanghai(NOON), bytes(32))))

    assert tc1.verify(replaced, TOKEN.text, now=NOON) is Refusal.TOKEN_FORGED
    assert tc1.verify(replaced, tc1.mint(replaced, CODE_REF, now=NOON).text, now=NOON)


def test_a_master_key_that_begins_at_midnight_ends_no_token() -> None:
    tomorrow = reference.shanghai(MIDNIGHT)
    planned = MasterKeys((*KEYS.versions, MasterKey(3, tomorrow, bytes(32))))
    made = tc1.mint(planned, CODE_REF, now=MIDNIGHT - SECOND)

    assert tc1.verify(planned, made.text, now=MIDNIGHT + 50 * SECOND) == made


def test_without_a_key_nothing_is_minted() -> None:
    before = datetime(FIRST_DAY.year, FIRST_DAY.month, FIRST_DAY.day, tzinfo=UTC) - timedelta(days=1)

    with pytest.raises(KeyMissing):
        tc1.mint(KEYS, CODE_REF, now=before)


@pytest.mark.parametrize(("code_ref", "nonce"), [(CODE_REF[:7], NONCE), (CODE_REF, NONCE + b"1")])
def test_other_sizes_make_no_token(code_ref: bytes, nonce: bytes) -> None:
    with pytest.raises(ValueError, match="expected 8 bytes"):
        tc1.compose(KEYS, code_ref, NOON, nonce)


def test_two_tokens_of_one_second_differ() -> None:
    minted = {tc1.mint(KEYS, CODE_REF, now=NOON).digest for _ in range(50)}

    assert len(minted) == 50


def test_a_token_shows_neither_itself_nor_a_key_when_it_is_logged() -> None:
    assert TOKEN.text not in repr(TOKEN)
    assert MASTER.hex() not in repr(KEYS)
    assert OnlineToken(CODE_REF, NOON, TOKEN.text).expires_at == NOON + 60 * SECOND
