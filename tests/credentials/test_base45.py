"""Base45 is that of RFC 9285, and a text is the only one for its bytes."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talentseal.credentials import base45
from tests.credentials import reference

EXAMPLES = [
    (b"AB", "BB8"),
    (b"Hello!!", "%69 VD92EX0"),
    (b"base-45", "UJCLQE7W581"),
    (b"ietf!", "QED8WEX0"),
    (b"", ""),
]


@pytest.mark.parametrize(("octets", "text"), EXAMPLES, ids=[text or "empty" for _, text in EXAMPLES])
def test_the_examples_of_the_rfc(octets: bytes, text: str) -> None:
    assert base45.encode(octets) == text
    assert base45.decode(text) == octets


@given(st.binary(max_size=60))
def test_bytes_come_back_and_the_text_never_ends_in_a_blank(octets: bytes) -> None:
    text = base45.encode(octets)

    assert base45.decode(text) == octets
    assert text == reference.base45(octets)
    assert not text.endswith(" ")


@given(st.text(alphabet=base45.ALPHABET, max_size=12) | st.text(max_size=12))
def test_what_is_taken_is_just_what_is_written(text: str) -> None:
    try:
        octets = base45.decode(text)
    except ValueError:
        return
    assert base45.encode(octets) == text


def test_of_all_texts_of_two_characters_those_of_a_byte_are_taken() -> None:
    taken = set()
    for pair in itertools.product(base45.ALPHABET, repeat=2):
        try:
            taken.add(base45.decode("".join(pair)))
        except ValueError:
            continue
    assert taken == {bytes([value]) for value in range(256)}


@pytest.mark.parametrize("text", ["GGW", ":::", "::", "A", "ABCD", "bb8", "BB٨", "B８8", "BB\n", "=BB"])
def test_other_texts_are_refused(text: str) -> None:
    """GGW is 65536, the RFC's own example of a group too large."""
    with pytest.raises(ValueError, match="expected"):
        base45.decode(text)
