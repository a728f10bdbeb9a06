"""Typed data of agreements against eth-account, field by field and for thousands of random statements."""

import dataclasses
import json
import random
from collections.abc import Callable
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_utils import keccak

from sealproof.canonical import encode
from sealproof.eip712 import (
    AGREEMENT_TYPE,
    TERMINATION_TYPE,
    AgreementStatement,
    Domain,
    Party,
    TerminationStatement,
)
from sealproof.errors import DecodeError, OutOfRange
from sealproof.secp256k1 import checksum_address, recover

Statement = AgreementStatement | TerminationStatement
Make = Callable[[random.Random], Statement]


def random_integer(source: random.Random, bits: int) -> int:
    return source.choice(
        (0, 1, 2 ** min(bits, 53) - 1, source.getrandbits(min(bits, 53)), source.getrandbits(8))
    )


def random_domain(source: random.Random) -> Domain:
    return Domain(1 + source.getrandbits(source.choice((8, 32, 52))), checksum_address(source.randbytes(20)))


def random_parties(source: random.Random) -> tuple[Party, ...]:
    organisations = sorted({source.randbytes(32) for _ in range(source.randrange(2, 9))})
    return tuple(
        Party(organisation, checksum_address(source.randbytes(20)), random_integer(source, 64))
        for organisation in organisations
    )


def random_agreement(source: random.Random) -> AgreementStatement:
    version = source.choice((1, 1, 2, 2**32 - 1))
    start, end = sorted((random_integer(source, 64), random_integer(source, 64)))
    return AgreementStatement(
        agreement_id=source.randbytes(32),
        version=version,
        previous=bytes(32) if version == 1 else source.randbytes(32),
        commitment=source.randbytes(32),
        stipulations_root=source.randbytes(32),
        stipulation_count=random_integer(source, 32),
        effective_from=start,
        valid_through=end,
        deadline=random_integer(source, 64),
        parties=random_parties(source),
    )


def random_termination(source: random.Random) -> TerminationStatement:
    return TerminationStatement(
        source.randbytes(32),
        source.randbytes(32),
        random_integer(source, 64),
        random_integer(source, 64),
        random_parties(source),
    )


def oracle_digest(typed: object) -> bytes:
    signable = encode_typed_data(full_message=json.loads(json.dumps(typed)))
    return keccak(b"\x19" + signable.version + signable.header + signable.body)


@pytest.mark.parametrize("make", [random_agreement, random_termination])
def test_a_thousand_random_digests_agree_with_eth_account(make: Make) -> None:
    source = random.Random(8)
    for _ in range(1000):
        statement, domain = make(source), random_domain(source)
        assert statement.digest(domain) == oracle_digest(statement.typed_data(domain))


@pytest.mark.parametrize("make", [random_agreement, random_termination])
def test_what_a_wallet_signs_recovers_its_address(make: Make) -> None:
    source = random.Random(9)
    for _ in range(100):
        key, statement, domain = source.randbytes(32), make(source), random_domain(source)
        signed = Account.sign_typed_data(key, full_message=statement.typed_data(domain))
        assert recover(statement.digest(domain), signed.signature) == Account.from_key(key).address


@pytest.mark.parametrize("make", [random_agreement, random_termination])
def test_the_json_form_reads_back(make: Make) -> None:
    source = random.Random(10)
    for _ in range(300):
        statement = make(source)
        assert type(statement).from_json(json.loads(encode(statement.to_json())), "s") == statement


@pytest.mark.parametrize("make", [random_agreement, random_termination])
def test_every_field_changes_the_digest(make: Make) -> None:
    source = random.Random(11)
    statement, domain = make(source), random_domain(source)
    other = make(random.Random(12))
    digests = {statement.digest(domain)}
    fields = [field.name for field in dataclasses.fields(statement)]
    for name in fields:
        changed = dataclasses.replace(statement)
        object.__setattr__(changed, name, getattr(other, name))
        if getattr(changed, name) != getattr(statement, name):
            digests.add(changed.digest(domain))
    differing = sum(getattr(statement, name) != getattr(other, name) for name in fields)
    assert len(digests) == differing + 1 > 4
    assert statement.digest(Domain(domain.chain_id + 1, domain.contract)) not in digests
    assert statement.digest(Domain(domain.chain_id, checksum_address(bytes(20)))) not in digests


def test_the_type_strings_are_the_agreed_ones() -> None:
    parties = "Party[] parties)Party(bytes32 organisation,address signer,uint64 nonce)"
    expected = (
        "Agreement(bytes32 agreementId,uint32 version,bytes32 previous,bytes32 commitment,bytes32 "
        "stipulationsRoot,"
        "uint32 stipulationCount,uint64 effectiveFrom,uint64 validThrough,uint64 deadline," + parties
    )
    termination = (
        "Termination(bytes32 agreement,bytes32 commitment,uint64 effectiveAt,uint64 deadline," + parties
    )
    assert (expected, termination) == (AGREEMENT_TYPE, TERMINATION_TYPE)


def test_statements_that_the_registry_would_refuse_cannot_be_built() -> None:
    good = random_agreement(random.Random(13))
    first, second = good.parties[:2]
    with pytest.raises(OutOfRange):
        dataclasses.replace(good, parties=(first,))
    with pytest.raises(OutOfRange):
        dataclasses.replace(good, parties=(second, first))
    with pytest.raises(OutOfRange):
        dataclasses.replace(good, parties=(first, first))
    with pytest.raises(OutOfRange):
        dataclasses.replace(good, parties=(first, dataclasses.replace(second, signer=first.signer)))
    with pytest.raises(OutOfRange):
        dataclasses.replace(
            good,
            parties=tuple(Party(bytes([n]) * 32, checksum_address(bytes([n]) * 20), 0) for n in range(1, 10)),
        )
    with pytest.raises(OutOfRange):
        dataclasses.replace(good, version=0)
    with pytest.raises(OutOfRange):
        dataclasses.replace(good, version=1, previous=b"\x01" * 32)
    with pytest.raises(OutOfRange):
        dataclasses.replace(good, version=2, previous=bytes(32))
    with pytest.raises(OutOfRange):
        dataclasses.replace(good, effective_from=2, valid_through=1)
    with pytest.raises(OutOfRange):
        dataclasses.replace(good, deadline=2**64)
    with pytest.raises(OutOfRange):
        dataclasses.replace(good, commitment=bytes(31))


@pytest.mark.parametrize("make", [random_agreement, random_termination])
def test_a_field_removed_added_or_of_another_type_is_a_named_refusal(make: Make) -> None:
    statement = make(random.Random(14))
    good = statement.to_json()
    for name in good:
        wrongs: tuple[Any, ...] = (
            None,
            True,
            -1,
            "",
            "0x",
            "0X" + "a" * 64,
            "0x" + "A" * 64,
            [],
            {},
            2**53,
            [None],
            "é",
        )
        for wrong in wrongs:
            with pytest.raises(DecodeError, match=rf"statement\.{name}|parties|^{name}"):
                type(statement).from_json(good | {name: wrong}, "statement")
        with pytest.raises(DecodeError, match=name):
            type(statement).from_json({key: value for key, value in good.items() if key != name}, "statement")
    with pytest.raises(DecodeError, match="extra"):
        type(statement).from_json(good | {"extra": 1}, "statement")
