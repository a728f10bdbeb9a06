"""Account numbers are never kept: what a bank's card could bear is refused as an issuer's reference."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from talentseal.credentials import luhn
from talentseal.credentials.card_models import DeliveryWay
from talentseal.credentials.card_numbers import CardNumber
from talentseal.credentials.card_schemas import DeliverCard, PersonaliseCard
from talentseal.credentials.references import holds_bank_card_number

BODIES = st.integers(15, 18).flatmap(lambda size: st.integers(10 ** (size - 1), 10**size - 1))


@given(
    BODIES.map(str).filter(lambda body: not body.startswith("9156")),
    st.sampled_from(["", " ", "-", ".", "/"]),
)
def test_a_bank_card_number_is_known_however_it_is_grouped(body: str, between: str) -> None:
    digits = body + luhn.check_digit(body)
    grouped = between.join(digits[place : place + 4] for place in range(0, len(digits), 4))

    assert holds_bank_card_number(grouped)
    assert holds_bank_card_number(f"ACC{grouped}")


@pytest.mark.parametrize("text", ["XG-2026-000001", "KH0042", "1234567890123456", str(CardNumber(1, 1))])
def test_references_and_our_own_numbers_pass(text: str) -> None:
    assert not holds_bank_card_number(text)


@pytest.mark.parametrize("number", ["4111 1111 1111 1111", "6222020200112230", "6212261234567890126"])
def test_an_account_number_is_refused_as_a_reference(number: str) -> None:
    if not holds_bank_card_number(number):
        number = number[:-1] + luhn.check_digit(number[:-1])

    with pytest.raises(ValidationError, match="bank card number"):
        PersonaliseCard.model_validate({"valid_through": "2029-01-01", "reference": number}, strict=False)
    with pytest.raises(ValidationError, match="bank card number"):
        DeliverCard(way=DeliveryWay.BY_MAIL, mail_reference=number)
