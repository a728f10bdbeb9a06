"""Disclosures hide and show single fields, and RFC 9901 software outside this project understands them."""

import importlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sd_jwt.verifier import SDJWTVerifier

from sealproof import disclosure
from sealproof.canonical import Json
from sealproof.errors import BadLength, NotCanonical, OutOfRange, Oversized
from tests.sealproof.test_canonical import values

# Imported by name, for these two ship no types.
jwk = importlib.import_module("jwcrypto.jwk")
jws = importlib.import_module("jwcrypto.jws")

SALT = bytes(range(16))
names = st.text(min_size=1, max_size=20).filter(lambda name: name not in {"_sd", "_sd_alg", "..."})


@given(names, values, st.binary(min_size=16, max_size=16))
def test_a_disclosure_is_read_back(name: str, value: Any, salt: bytes) -> None:
    text = disclosure.make(name, value, salt)

    assert disclosure.read(text) == disclosure.Disclosure(salt, name, value)
    assert len(disclosure.digest(text)) == 43


def test_the_examples_of_rfc_9901_have_the_digests_printed_there() -> None:
    # RFC 9901 §4.2.1 and §4.2.3. Its text has spaces: the digest covers them, our strict reader refuses them.
    example = "WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0"

    assert disclosure.digest(example) == "X9yH0Ajrdm1Oij4tWso9UzzKJvPoDxwmuEcO3XAdRC0"
    with pytest.raises(NotCanonical):
        disclosure.read(example)


def test_the_python_reference_implementation_shows_our_fields() -> None:
    shown: dict[str, Json] = {"number": "ZD-2026-001", "size": 12, "title": "人才卡合作协议"}
    texts = [disclosure.make(name, value, SALT) for name, value in shown.items()]
    hidden = disclosure.digest(disclosure.make("reason", "withheld", SALT))
    payload = {"_sd_alg": "sha-256", "_sd": sorted([hidden, *map(disclosure.digest, texts)])}
    key = jwk.JWK.generate(kty="EC", crv="P-256")
    token = jws.JWS(json.dumps(payload))
    token.add_signature(key, alg="ES256", protected=json.dumps({"alg": "ES256"}))

    presentation = "~".join([token.serialize(compact=True), *texts, ""])
    verifier = SDJWTVerifier(presentation, lambda _issuer, _header: key)

    assert verifier.get_verified_payload() == shown


@pytest.mark.parametrize("length", [0, 15, 17, 32])
def test_a_salt_has_sixteen_bytes(length: int) -> None:
    with pytest.raises(BadLength):
        disclosure.make("name", 1, bytes(length))


@pytest.mark.parametrize("name", ["", "_sd", "_sd_alg", "..."])
def test_reserved_names_are_refused(name: str) -> None:
    with pytest.raises(OutOfRange):
        disclosure.make(name, 1, SALT)


def test_a_field_has_a_largest_size() -> None:
    with pytest.raises(Oversized):
        disclosure.make("name", "a" * 50_000, SALT)
