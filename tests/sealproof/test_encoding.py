"""Bytes, numbers and times have one text each; every other text is refused."""

import base64
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealproof import encoding
from sealproof.errors import BadEncoding, BadLength, BadNumber, BadText, OutOfRange, Oversized, ProofError

ALPHABETS = "ABab01+/-_= \n"


@given(st.binary(max_size=100))
def test_base64_is_read_back(raw: bytes) -> None:
    assert encoding.b64_decode(encoding.b64_encode(raw)) == raw
    assert encoding.b64url_decode(encoding.b64url_encode(raw), length=len(raw)) == raw
    assert encoding.hex_decode(raw.hex()) == raw


@given(st.text(ALPHABETS, max_size=12))
def test_no_second_text_is_read_as_the_same_bytes(text: str) -> None:
    for decode, encode in (
        (encoding.b64_decode, encoding.b64_encode),
        (encoding.b64url_decode, encoding.b64url_encode),
    ):
        try:
            raw = decode(text)
        except BadEncoding:
            continue
        assert encode(raw) == text


def test_pythons_own_reader_would_take_what_ours_refuses() -> None:
    assert base64.b64decode("QUJD\nREVG") == base64.b64decode("QUJDREVG")
    for text in ("QUJD\nREVG", "QQ", "QQ=", "QR==", "QQ===", "人才"):
        with pytest.raises(BadEncoding):
            encoding.b64_decode(text)


def test_another_length_is_named() -> None:
    with pytest.raises(BadLength):
        encoding.b64_decode("QUJD", length=32)
    with pytest.raises(BadLength):
        encoding.hex_decode("00", length=2)
    for text in ("AB", "0", "0x00", "00\n"):
        with pytest.raises(BadEncoding):
            encoding.hex_decode(text)


@given(st.integers(0, encoding.MAX_SIZE))
def test_decimals_are_read_back(number: int) -> None:
    assert encoding.decimal_decode(str(number)) == number


@pytest.mark.parametrize("text", ["", "01", "+1", "-1", " 1", "1 ", "1\n", "1_0", "٣", "1.0", "0x1"])
def test_other_spellings_of_numbers_are_refused(text: str) -> None:
    with pytest.raises(BadNumber):
        encoding.decimal_decode(text)


@pytest.mark.parametrize("text", [str(2**63), "9" * 5_000_000])
def test_numbers_beyond_the_maximum_are_refused_at_once(text: str) -> None:
    with pytest.raises(OutOfRange):
        encoding.decimal_decode(text)


@given(st.datetimes(timezones=st.just(UTC)))
def test_instants_are_read_back(instant: datetime) -> None:
    assert encoding.instant_decode(encoding.instant_encode(instant)) == instant


def test_instants_without_utc_are_not_written() -> None:
    noon = datetime(2026, 11, 23, 12, tzinfo=timezone(timedelta(hours=8)))

    for instant in (noon, noon.replace(tzinfo=None)):
        with pytest.raises(OutOfRange):
            encoding.instant_encode(instant)


@given(st.text(max_size=40))
def test_any_text_as_an_instant_is_read_or_refused_by_name(text: str) -> None:
    with pytest.raises(ProofError):
        encoding.instant_decode(text)


def test_text_is_unicode_and_bounded() -> None:
    with pytest.raises(BadText):
        encoding.utf8_encode("\udc80")
    with pytest.raises(BadEncoding):
        encoding.utf8_decode(b"\x80")
    with pytest.raises(Oversized):
        encoding.check_length("人才", limit=5, what="a name")
    assert encoding.excerpt("a" * 100) == repr("a" * 37 + "...")
