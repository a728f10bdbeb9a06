"""Keccak-256 against an independent implementation."""

import hashlib
import random

from eth_hash.auto import keccak as oracle

from sealproof.keccak import RATE_BYTES, keccak256


def test_every_length_around_the_block_borders_agrees_with_the_oracle() -> None:
    source = random.Random(1)
    for length in range(3 * RATE_BYTES + 2):
        message = source.randbytes(length)
        assert keccak256(message) == oracle(message), length


def test_thousands_of_random_messages_agree_with_the_oracle() -> None:
    source = random.Random(2)
    for _ in range(3000):
        message = source.randbytes(source.randrange(200))
        assert keccak256(message) == oracle(message)


def test_it_is_not_the_sha3_of_the_standard() -> None:
    assert keccak256(b"") != hashlib.sha3_256(b"").digest()
    assert keccak256(b"").hex() == "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
