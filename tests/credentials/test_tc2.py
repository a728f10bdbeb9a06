"""TC2: a COSE_Sign1 CWT that another library verifies, short-lived, in one encoding only."""

import base64
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import cbor2
import cwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from talentseal.credentials import profiles, tc2
from talentseal.credentials.profiles import Profile
from talentseal.credentials.refusals import Refusal
from talentseal.credentials.tc2 import OfflineProof
from tests.credentials import reference
from tests.credentials.reference import CODE_REF, KEYS, MASTER, NOON, SECOND

TRUSTED = {key.kid: key.public for key in tc2.proof_keys(KEYS)}
*_, KID = TRUSTED
TEXT = tc2.sign(KEYS, CODE_REF, 3, now=NOON)
OCTETS = profiles.read(Profile.TC2, TEXT) or b""
PRIVATE = Ed25519PrivateKey.from_private_bytes(reference.hkdf(MASTER, b"talentcode/TC2"))


def verdict(octets: bytes, now: datetime = NOON) -> OfflineProof | Refusal:
    return tc2.verify(TRUSTED, reference.as_text("TC2", octets), now=now)


def test_a_proof_says_tier_and_code_and_nothing_about_the_person() -> None:
    assert tc2.verify(TRUSTED, TEXT, now=NOON) == OfflineProof(3, CODE_REF, NOON, KID)
    assert cbor2.loads(cbor2.loads(OCTETS).value[2]).keys() == {4, 6, -65537, -65538}


def test_a_proof_is_118_bytes_in_181_characters() -> None:
    assert (len(OCTETS), len(TEXT)) == (118, 181)


def test_another_library_verifies_it_with_the_published_key() -> None:
    (published,) = [key for key in tc2.proof_keys(KEYS) if key.version == 2]
    key = cwt.COSEKey.from_jwk(json.dumps(published.to_jwk()))

    _, _, payload = cwt.COSE.new().decode_with_headers(OCTETS, key)

    assert cbor2.loads(payload) == {
        4: int(NOON.timestamp()) + 600,
        6: int(NOON.timestamp()),
        -65537: 3,
        -65538: CODE_REF,
    }


def test_a_proof_that_another_library_made_under_the_key_is_taken() -> None:
    jwk = tc2.ProofKey(2, PRIVATE.public_key().public_bytes_raw()).to_jwk()
    seed = reference.hkdf(MASTER, b"talentcode/TC2")
    key = cwt.COSEKey.from_jwk(jwk | {"d": base64.urlsafe_b64encode(seed).rstrip(b"=").decode()})
    claims = {4: int(NOON.timestamp()) + 600, 6: int(NOON.timestamp()), -65537: 3, -65538: CODE_REF}

    made = cwt.COSE.new().encode_and_sign(
        cbor2.dumps(claims, canonical=True), key, protected={1: -8, 4: key.kid}
    )

    assert made == OCTETS


@given(st.binary(min_size=8, max_size=8), st.integers(1, 23))
def test_what_was_signed_comes_back(code_ref: bytes, tier: int) -> None:
    text = tc2.sign(KEYS, code_ref, tier, now=NOON)

    assert tc2.verify(TRUSTED, text, now=NOON) == OfflineProof(tier, code_ref, NOON, KID)


@pytest.mark.parametrize(
    ("age", "lives"), [(-6, False), (-5, True), (600, True), (605, True), (606, False), (86400, False)]
)
def test_a_proof_lives_ten_minutes(age: int, lives: bool) -> None:
    met = tc2.verify(TRUSTED, TEXT, now=NOON + age * SECOND)

    assert isinstance(met, OfflineProof) if lives else met is Refusal.TOKEN_EXPIRED


def test_no_bit_can_be_another() -> None:
    for place in range(8 * len(OCTETS)):
        altered = int.from_bytes(OCTETS, "big") ^ 1 << place
        assert isinstance(verdict(altered.to_bytes(118, "big")), Refusal)


def signed(payload: bytes, protected: bytes | None = None) -> bytes:
    """A message under the service's own key, whatever is in it: not even that is taken in another form."""
    own = cbor2.loads(OCTETS).value[0] if protected is None else protected
    signature = PRIVATE.sign(cbor2.dumps(["Signature1", own, b"", payload]))
    return cbor2.dumps(cbor2.CBORTag(18, [own, {}, payload, signature]))


def claims(change: Callable[[dict[Any, Any]], Any]) -> bytes:
    made = {4: int(NOON.timestamp()) + 600, 6: int(NOON.timestamp()), -65537: 3, -65538: CODE_REF}
    change(made)
    return cbor2.dumps(made)


FORMS = {
    "no tier": claims(lambda made: made.update({-65537: 0})),
    "a tier that is true": claims(lambda made: made.update({-65537: True})),
    "another length of life": claims(lambda made: made.update({4: made[4] + 1})),
    "other claims": claims(lambda made: made.update({-65539: made.pop(-65537)})),
    "a text for a code": claims(lambda made: made.update({-65538: "12345678"})),
}


def test_the_form_itself_is_taken() -> None:
    assert verdict(signed(claims(lambda made: made.update({-65537: 4})))) == OfflineProof(
        4, CODE_REF, NOON, KID
    )


@pytest.mark.parametrize("payload", FORMS.values(), ids=FORMS)
def test_another_form_under_the_right_key_is_malformed(payload: bytes) -> None:
    assert len(signed(payload)) == 118
    assert verdict(signed(payload)) is Refusal.TOKEN_MALFORMED


def test_a_key_that_is_not_on_the_list_is_forged() -> None:
    assert tc2.verify({}, TEXT, now=NOON) is Refusal.TOKEN_FORGED


def test_the_list_has_the_key_of_a_version_that_is_still_to_begin() -> None:
    before = NOON - timedelta(days=10)

    assert [key.version for key in tc2.proof_keys(KEYS)] == [1, 2]
    assert isinstance(tc2.verify(TRUSTED, tc2.sign(KEYS, CODE_REF, 1, now=before), now=before), OfflineProof)


@pytest.mark.parametrize(
    "text", ["", "TC2:", TEXT.lower(), TEXT + " ", "TC1" + TEXT[3:], "TC2:" + "0" * 177, "K" * 10_000]
)
def test_other_texts_are_malformed(text: str) -> None:
    assert tc2.verify(TRUSTED, text, now=NOON) is Refusal.TOKEN_MALFORMED


@given(st.binary(min_size=118, max_size=118))
def test_any_bytes_have_an_answer(octets: bytes) -> None:
    assert verdict(octets) is Refusal.TOKEN_MALFORMED


@pytest.mark.parametrize(("code_ref", "tier"), [(CODE_REF, 0), (CODE_REF, 24), (CODE_REF[1:], 1)])
def test_other_values_are_not_signed(code_ref: bytes, tier: int) -> None:
    with pytest.raises(ValueError, match="expected"):
        tc2.sign(KEYS, code_ref, tier, now=NOON)
