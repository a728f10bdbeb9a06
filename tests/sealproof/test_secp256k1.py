"""Signer recovery against eth-keys, eth-utils and the rules of EIP-2 and EIP-55."""

import random

import pytest
from eth_keys import keys
from eth_keys.datatypes import PrivateKey
from eth_keys.exceptions import BadSignature, ValidationError
from eth_utils import to_checksum_address

from sealproof.errors import BadEncoding, BadLength, DecodeError, SignatureFalse
from sealproof.secp256k1 import (
    FIELD,
    HALF_ORDER,
    ORDER,
    checksum_address,
    parse_address,
    public_address,
    recover,
)

DIGEST = bytes(range(32))
KEY = PrivateKey(b"\x01" * 32)


def signature_of(key: PrivateKey, digest: bytes) -> bytes:
    signed = key.sign_msg_hash(digest)
    return bytes(signed.to_bytes()[:64]) + bytes([27 + signed.v])


def with_parts(r: int, s: int, v: int) -> bytes:
    return r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([v])


def test_the_signer_of_thousands_of_random_digests_is_recovered() -> None:
    source = random.Random(3)
    for _ in range(2000):
        key = PrivateKey(source.randrange(1, ORDER).to_bytes(32, "big"))
        digest = source.randbytes(32)
        assert recover(digest, signature_of(key, digest)) == key.public_key.to_checksum_address()


def test_random_signatures_recover_what_the_oracle_recovers_or_nothing() -> None:
    source = random.Random(4)
    recovered = 0
    for _ in range(1000):
        r, s, v = source.randrange(1, ORDER), source.randrange(1, HALF_ORDER + 1), source.choice((27, 28))
        try:
            expected = (
                keys.Signature(vrs=(v - 27, r, s))
                .recover_public_key_from_msg_hash(DIGEST)
                .to_checksum_address()
            )
        except (BadSignature, ValidationError):
            with pytest.raises(SignatureFalse):
                recover(DIGEST, with_parts(r, s, v))
        else:
            recovered += 1
            assert recover(DIGEST, with_parts(r, s, v)) == expected
    assert 400 < recovered < 600


@pytest.mark.parametrize(
    "scalar", [1, 2, 3, 7, 8, 255, 256, ORDER - 1, ORDER - 2, HALF_ORDER, HALF_ORDER + 1]
)
@pytest.mark.parametrize(
    "digest", [bytes(32), b"\xff" * 32, ORDER.to_bytes(32, "big"), b"\x00" * 31 + b"\x01"]
)
def test_keys_and_digests_at_the_edges_are_recovered(scalar: int, digest: bytes) -> None:
    key = PrivateKey(scalar.to_bytes(32, "big"))
    assert recover(digest, signature_of(key, digest)) == key.public_key.to_checksum_address()


def test_the_second_form_of_a_signature_is_refused() -> None:
    good = signature_of(KEY, DIGEST)
    r, s, v = int.from_bytes(good[:32], "big"), int.from_bytes(good[32:64], "big"), good[64]
    with pytest.raises(SignatureFalse, match="upper half"):
        recover(DIGEST, with_parts(r, ORDER - s, 55 - v))


@pytest.mark.parametrize(
    ("r", "s", "v"),
    [
        (0, 1, 27),
        (ORDER, 1, 27),
        (2**256 - 1, 1, 27),
        (1, 0, 27),
        (1, HALF_ORDER + 1, 27),
        (1, ORDER, 28),
        (1, 1, 0),
        (1, 1, 1),
        (1, 1, 26),
        (1, 1, 29),
        (1, 1, 35),
        (5, 1, 27),
    ],
)
def test_values_out_of_range_are_refused(r: int, s: int, v: int) -> None:
    with pytest.raises(SignatureFalse):
        recover(DIGEST, with_parts(r, s, v))


def test_a_signature_made_to_recover_infinity_is_refused() -> None:
    """With R = G and s = z the recovered point is r⁻¹(z·G − z·G): no key at all."""
    x = int("79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798", 16)
    with pytest.raises(SignatureFalse, match="infinity"):
        recover((5).to_bytes(32, "big"), with_parts(x, 5, 27))


@pytest.mark.parametrize("length", [0, 1, 31, 33, 64])
def test_another_length_of_digest_is_malformed(length: int) -> None:
    with pytest.raises(BadLength):
        recover(bytes(length), bytes(65))


@pytest.mark.parametrize("length", [0, 63, 64, 66, 130])
def test_another_length_of_signature_is_malformed(length: int) -> None:
    with pytest.raises(BadLength):
        recover(DIGEST, bytes(length))


def test_checksummed_addresses_agree_with_the_oracle_and_have_one_spelling() -> None:
    source = random.Random(5)
    for _ in range(500):
        account = source.randbytes(20)
        spelled = checksum_address(account)
        assert spelled == to_checksum_address(account)
        assert parse_address(spelled) == account
    spelled = checksum_address(bytes.fromhex("5fbdb2315678afecb367f032d93f642f64180aa3"))
    for wrong in (
        spelled.lower(),
        spelled[2:],
        "0X" + spelled[2:],
        spelled[:-1],
        spelled + "0",
        "0x" + "g" * 40,
        "",
    ):
        with pytest.raises(BadEncoding):
            parse_address(wrong)
    with pytest.raises(BadLength):
        checksum_address(bytes(19))


def test_a_public_key_off_the_curve_has_no_address() -> None:
    good = KEY.public_key.to_bytes()
    assert public_address(good) == KEY.public_key.to_checksum_address()
    for wrong in (
        good[:-1],
        good + b"\x00",
        good[:63] + bytes([good[63] ^ 1]),
        FIELD.to_bytes(32, "big") + good[32:],
    ):
        with pytest.raises(DecodeError):
            public_address(wrong)
