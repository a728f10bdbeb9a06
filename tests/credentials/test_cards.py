"""Cards: numbers, the printed code TC3, challenge and response; and TCR, the code on a receipt."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talentseal.credentials import challenges, luhn, tc3, tcr
from talentseal.credentials.card_numbers import CardNumber
from talentseal.credentials.master_keys import MasterKeys
from talentseal.credentials.refusals import Refusal
from talentseal.credentials.tcr import ReceiptCheck
from tests.credentials import reference
from tests.credentials.reference import KEYS, MASTER, NOON

NUMBER = "9156001000000019"
CARD_REF = bytes.fromhex("0102030405060708")
CHALLENGE = bytes(range(16))
CARD_SECRET = bytes(range(16, 32))


def test_the_specifications_own_number() -> None:
    assert str(CardNumber(1, 1)) == NUMBER
    assert CardNumber.read(NUMBER) == CardNumber(1, 1)
    assert CardNumber(1, 1).grouped == "9156 0010 0000 0019"


@given(st.integers(1, 999), st.integers(1, 99_999_999))
def test_a_number_comes_back(issuer: int, serial: int) -> None:
    assert CardNumber.read(str(CardNumber(issuer, serial))) == CardNumber(issuer, serial)


@pytest.mark.parametrize("place", range(16))
def test_any_wrong_digit_is_refused(place: int) -> None:
    for digit in set("0123456789") - {NUMBER[place]}:
        assert CardNumber.read(NUMBER[:place] + digit + NUMBER[place + 1 :]) is Refusal.TOKEN_MALFORMED


@given(st.from_regex(r"[0-9]{15}", fullmatch=True), st.integers(0, 14))
def test_neighbours_swapped_are_refused_but_for_nought_and_nine(body: str, place: int) -> None:
    whole = body + luhn.check_digit(body)
    one, other = whole[place], whole[place + 1]

    swapped = whole[:place] + other + one + whole[place + 2 :]

    assert luhn.holds(whole, 16)
    assert luhn.holds(swapped, 16) is (one == other or {one, other} == {"0", "9"})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "9156",
        NUMBER + "0",
        " " + NUMBER,
        "９１５６００１０００００００１９",
        "9156000000000011",
        "9156001000000000",
        "7" * 16,
    ],
)
def test_other_numbers_are_refused(text: str) -> None:
    assert CardNumber.read(text) is Refusal.TOKEN_MALFORMED


@pytest.mark.parametrize("issuer", ["000", "001"])
def test_a_number_of_no_issuer_or_no_card_is_refused(issuer: str) -> None:
    body = f"9156{issuer}00000000"

    assert CardNumber.read(body + luhn.check_digit(body)) is Refusal.TOKEN_MALFORMED


@pytest.mark.parametrize(("issuer", "serial"), [(0, 1), (1000, 1), (1, 0), (1, 100_000_000)])
def test_numbers_end(issuer: int, serial: int) -> None:
    with pytest.raises(ValueError, match="expected"):
        CardNumber(issuer, serial)


def test_a_cards_code_is_17_bytes_in_30_characters() -> None:
    text = tc3.write(KEYS, CARD_REF, now=NOON)

    assert text == reference.as_text("TC3", reference.tc3(CARD_REF))
    assert (len(reference.tc3(CARD_REF)), len(text)) == (17, 30)


@given(st.binary(min_size=8, max_size=8))
def test_a_cards_code_names_its_card(card_ref: bytes) -> None:
    assert tc3.verify(KEYS, tc3.write(KEYS, card_ref, now=NOON)) == card_ref


def test_a_card_outlives_the_key_version_it_was_printed_under_until_that_is_removed() -> None:
    text = tc3.write(MasterKeys(KEYS.versions[:1]), CARD_REF, now=NOON)

    assert tc3.verify(KEYS, text) == CARD_REF
    assert tc3.verify(MasterKeys(KEYS.versions[1:]), text) is Refusal.TOKEN_FORGED


def test_no_bit_of_a_cards_code_can_be_another() -> None:
    octets = reference.tc3(CARD_REF)
    for place in range(8 * 17):
        altered = (int.from_bytes(octets, "big") ^ 1 << place).to_bytes(17, "big")
        assert tc3.verify(KEYS, reference.as_text("TC3", altered)) is Refusal.TOKEN_FORGED


@pytest.mark.parametrize(
    "text", ["", "TC3:" + "0" * 25, "tc3:" + "0" * 26, "TC3:" + ":" * 26, "TC1:" + "0" * 26]
)
def test_other_texts_are_malformed(text: str) -> None:
    assert tc3.verify(KEYS, text) is Refusal.TOKEN_MALFORMED


def test_a_reference_of_another_size_is_not_printed() -> None:
    with pytest.raises(ValueError, match="8 bytes"):
        tc3.write(KEYS, CARD_REF + b"1", now=NOON)


def test_a_chip_answers_its_own_challenge_alone() -> None:
    answer = challenges.response(CARD_SECRET, CARD_REF, CHALLENGE)

    assert answer == reference.mac(CARD_SECRET, b"talentcode/chip" + CARD_REF + CHALLENGE)[:16]
    assert challenges.is_answered(CARD_SECRET, CARD_REF, CHALLENGE, answer)
    for secret, card_ref, challenge in (
        (MASTER[:16], CARD_REF, CHALLENGE),
        (CARD_SECRET, CARD_REF[::-1], CHALLENGE),
        (CARD_SECRET, CARD_REF, challenges.new()),
    ):
        assert not challenges.is_answered(secret, card_ref, challenge, answer)


@pytest.mark.parametrize("answer", [b"", bytes(16), bytes(32)])
def test_another_answer_is_none(answer: bytes) -> None:
    assert not challenges.is_answered(CARD_SECRET, CARD_REF, CHALLENGE, answer)


def test_a_challenge_of_another_size_is_not_answered() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        challenges.response(CARD_SECRET, CARD_REF, CHALLENGE[1:])


@given(st.binary(min_size=16, max_size=16), st.binary(min_size=32, max_size=32))
def test_a_receipts_code_is_48_bytes_in_76_characters(receipt_id: bytes, leaf_hash: bytes) -> None:
    check = ReceiptCheck(receipt_id, leaf_hash)

    assert len(check.write()) == 76
    assert tcr.read(check.write()) == check


@pytest.mark.parametrize("text", ["", "TCR:", "TCR:" + "0" * 71, "TCR:" + "a" * 72])
def test_other_texts_are_no_receipt(text: str) -> None:
    assert tcr.read(text) is Refusal.TOKEN_MALFORMED
