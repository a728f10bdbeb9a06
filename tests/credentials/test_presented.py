"""What a scanner or a keyboard sends is told apart, and trimmed in this one place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talentseal.credentials import profiles
from talentseal.credentials.profiles import Presented, Profile
from talentseal.credentials.refusals import Refusal

BLANKS = st.text(alphabet=" \t\r\n", max_size=4)


@given(st.sampled_from(sorted(profiles.SIZES)), st.data(), BLANKS, BLANKS)
def test_what_a_scanner_adds_around_a_text_is_taken_off_and_nothing_else(
    profile: Profile, data: st.DataObject, before: str, behind: str
) -> None:
    size = profiles.SIZES[profile]
    octets = data.draw(st.binary(min_size=size, max_size=size))
    text = profiles.write(profile, octets)

    assert profiles.presented(before + text + behind) == Presented(profile, text)
    assert profiles.read(profile, text) == octets


@pytest.mark.parametrize(
    ("sent", "profile", "text"),
    [
        ("7712345678901234567\r\n", Profile.TCN, "7712345678901234567"),
        ("77 1234 5678 9012 3456 7", Profile.TCN, "7712345678901234567"),
        ("9156 0010 0000 0019", Profile.CARD, "9156001000000019"),
        ("9156-0010-0000-0019\n", Profile.CARD, "9156001000000019"),
    ],
)
def test_a_number_may_be_typed_in_groups(sent: str, profile: Profile, text: str) -> None:
    assert profiles.presented(sent) == Presented(profile, text)


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "  \r\n",
        "K" * 46,
        "TC1:" + "0" * 10_000,
        " " * 2000,
        "tc1:" + "0" * 42,
        "TC9:" + "0" * 42,
        "https://evil.example/TC1:",
        "6212345678901234563",
        "7712345678",
        "\ud800",
    ],
)
def test_anything_else_is_malformed(sent: str) -> None:
    assert profiles.presented(sent) is Refusal.TOKEN_MALFORMED


@given(st.text(max_size=100))
def test_any_text_has_an_answer(sent: str) -> None:
    assert isinstance(profiles.presented(sent), Presented | Refusal)


def test_a_text_of_another_size_is_not_written() -> None:
    with pytest.raises(ValueError, match="28 bytes"):
        profiles.write(Profile.TC1, bytes(27))
