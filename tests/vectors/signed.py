"""Vectors of signatures, EIP-712 digests and bundles: `python -m tests.vectors.signed` writes them anew.

Signatures and digests come from other people's code (cryptography, eth-account) and from the naive curve of
the tests; good bundles are put together by the tests' samples. Every verdict is stated here, none is
computed. A bundle vector is a good bundle of `bundles.json` and what is altered in it: `change` is a list of
[place, new value].
"""

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_keys import keys
from eth_utils import keccak

from sealproof.eip712 import AgreementStatement, TerminationStatement
from sealproof.secp256k1 import ORDER
from tests.sealproof import edwards
from tests.sealproof.samples import (
    IDENTITY,
    KEYS,
    TRUST,
    agreement_sample,
    log_note,
    parties,
    plain_sample,
    termination_sample,
    value_of,
)
from tests.vectors.case import Case, accept, refuse

FOLDER = Path(__file__).parent
FALSE, LENGTH = "signature-false", "bad-length"


def signatures() -> Iterator[Case]:
    """Ed25519 under strict rules, then recovery on secp256k1."""
    yield from _plain_ed25519()
    yield from _lax_ed25519()
    yield from _secp256k1()


def _ed(public: bytes, message: bytes, signature: bytes) -> dict[str, str]:
    return {
        "algorithm": "ed25519",
        "public": public.hex(),
        "message": message.hex(),
        "signature": signature.hex(),
    }


def _plain_ed25519() -> Iterator[Case]:
    source = random.Random(20)
    for length in (0, 1, 32, 200):
        secret, message = Ed25519PrivateKey.from_private_bytes(source.randbytes(32)), source.randbytes(length)
        public, good = secret.public_key().public_bytes_raw(), secret.sign(message)
        yield accept(f"Ed25519 over {length} bytes", **_ed(public, message, good))
        yield refuse(
            FALSE, f"Ed25519 over {length} bytes, one more byte", **_ed(public, message + b"\x00", good)
        )
        for place in (0, 31, 32, 62):
            altered = bytearray(good)
            altered[place] ^= 1
            yield refuse(FALSE, f"byte {place} of it altered", **_ed(public, message, bytes(altered)))
        other = Ed25519PrivateKey.from_private_bytes(source.randbytes(32)).public_key().public_bytes_raw()
        yield refuse(FALSE, "under another key", **_ed(other, message, good))
        yield refuse(LENGTH, "cut short", **_ed(public, message, good[:-1]))
        yield refuse(LENGTH, "one byte too long", **_ed(public, message, good + b"\x00"))
        yield refuse(LENGTH, "the key cut short", **_ed(public[:-1], message, good))


def _lax_ed25519() -> Iterator[Case]:
    secret, nonce, message = 12345678901234567890 % edwards.L, 98765432109876543210 % edwards.L, b"message"
    public = edwards.encode(edwards.times(secret, edwards.BASE))
    good = edwards.signature(secret, public, message, nonce)
    s = int.from_bytes(good[32:], "little")
    yield accept("made by the naive curve", **_ed(public, message, good))
    for name, other in (("s plus the order", s + edwards.L), ("s all ones", 2**256 - 1)):
        altered = good[:32] + other.to_bytes(32, "little")
        yield refuse(FALSE, f"second form of s: {name}", **_ed(public, message, altered))
    for order, small in enumerate(edwards.torsion()):
        point = edwards.encode(small)
        forged = edwards.signature(0, point, message, nonce)
        yield refuse(FALSE, f"small-order key {order}: anyone's signature", **_ed(point, message, forged))
        forged = edwards.signature(secret, public, message, 0, twist=small)
        yield refuse(FALSE, f"small-order R {order}", **_ed(public, message, forged))
        if order:
            twisted = edwards.signature(secret, public, message, nonce, twist=small)
            yield refuse(
                FALSE, f"R with torsion {order}: true only with cofactor", **_ed(public, message, twisted)
            )
    for small_y in (0, 1, 3, 18):
        twice = (edwards.P + small_y).to_bytes(32, "little")
        yield refuse(FALSE, f"key y = p + {small_y}, not canonical", **_ed(twice, message, good))
        yield refuse(FALSE, f"R y = p + {small_y}, not canonical", **_ed(public, message, twice + good[32:]))
    yield from _mixed_order(secret, nonce)


def _mixed_order(secret: int, nonce: int) -> Iterator[Case]:
    """A key with a torsion part: the equation without cofactor holds for one message and not for another."""
    twist = edwards.torsion()[1]
    public = edwards.encode(edwards.add(edwards.times(secret, edwards.BASE), twist))
    holding: list[dict[str, str]] = []
    failing: list[dict[str, str]] = []
    for number in range(40):
        message = b"message %d" % number
        signature = edwards.signature(secret, public, message, nonce)
        holds = edwards.challenge(signature[:32], public, message) % 8 == 0
        (holding if holds else failing).append(_ed(public, message, signature))
    yield accept("mixed-order key, equation holds without cofactor", **holding[0])
    yield refuse(FALSE, "mixed-order key, equation holds with cofactor only", **failing[0])


def _secp(digest: bytes, signature: bytes, address: str) -> dict[str, str]:
    return {
        "algorithm": "secp256k1",
        "digest": digest.hex(),
        "signature": signature.hex(),
        "address": address,
    }


def _secp256k1() -> Iterator[Case]:
    source = random.Random(21)
    for secret in (1, 2, ORDER - 1, int.from_bytes(source.randbytes(31), "big")):
        key, digest = keys.PrivateKey(secret.to_bytes(32, "big")), source.randbytes(32)
        signed, address = key.sign_msg_hash(digest), key.public_key.to_checksum_address()
        r, s, v = signed.r, signed.s, 27 + signed.v
        yield accept("recovers its signer", **_secp(digest, _rsv(r, s, v), address))
        for why, altered in (
            ("high s, the second form", _rsv(r, ORDER - s, 55 - v)),
            ("r zero", _rsv(0, s, v)),
            ("s zero", _rsv(r, 0, v)),
            ("r at the order", _rsv(ORDER, s, v)),
            ("s at the order", _rsv(r, ORDER, v)),
            ("v of 0 or 1", _rsv(r, s, v - 27)),
            ("v of EIP-155", _rsv(r, s, v + 10)),
            ("r of no point", _rsv(5, s, v)),
        ):
            yield refuse(FALSE, why, **_secp(digest, altered, address))
        for why, altered in (("64 bytes", _rsv(r, s, v)[:-1]), ("66 bytes", _rsv(r, s, v) + b"\x00")):
            yield refuse(LENGTH, why, **_secp(digest, altered, address))
        yield refuse("other-signer", "the other v: another key", **_secp(digest, _rsv(r, s, 55 - v), address))
        yield refuse("other-signer", "another digest", **_secp(source.randbytes(32), _rsv(r, s, v), address))


def _rsv(r: int, s: int, v: int) -> bytes:
    return r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([v])


def digests() -> Iterator[Case]:
    """Statements with the digest that eth-account gives; then statements that must not be taken."""
    source = random.Random(22)
    for number in range(12):
        statement = _random_agreement(source, 1 + number % 3)
        yield accept(f"agreement, version {statement.version}", **_typed(statement))
        termination = TerminationStatement(
            source.randbytes(32),
            source.randbytes(32),
            source.getrandbits(40),
            source.getrandbits(40),
            parties(source),
        )
        yield accept("termination", **_typed(termination))
    good = _typed(_random_agreement(source, 2))
    for key in ("agreement_id", "commitment", "stipulations_root", "previous"):
        altered = good["statement"][key][:-1] + ("0" if good["statement"][key][-1] != "0" else "1")
        yield refuse("other-digest", f"{key} altered", **_changed(good, key, altered))
    for key in ("version", "stipulation_count", "deadline", "valid_through"):
        yield refuse("other-digest", f"{key} one more", **_changed(good, key, good["statement"][key] + 1))
    yield refuse("other-digest", "for another chain", **(good | {"chain_id": 1}))
    yield refuse(
        "other-digest", "for another contract", **(good | {"contract": Account.from_key(KEYS[0]).address})
    )
    yield from _bad_statements(good)


def _bad_statements(good: dict[str, Any]) -> Iterator[Case]:
    first, second, third = good["statement"]["parties"]
    range_, type_, encoding, length = "out-of-range", "wrong-type", "bad-encoding", "bad-length"
    for code, why, key, value in (
        (range_, "parties not ascending", "parties", [second, first, third]),
        (range_, "one party", "parties", [first]),
        (range_, "a party twice", "parties", [first, first, second]),
        (range_, "one signer for two", "parties", [first, second | {"signer": first["signer"]}]),
        (range_, "no parties", "parties", []),
        ("oversized", "nine parties", "parties", [first] * 9),
        (range_, "version 0", "version", 0),
        (range_, "version 1 with a previous one", "version", 1),
        (range_, "version of 33 bits", "version", 2**32),
        (range_, "a later version without a previous one", "previous", "0x" + "00" * 32),
        (range_, "ends before it begins", "valid_through", 0),
        (range_, "a negative time", "deadline", -1),
        (type_, "a time as text", "deadline", "1"),
        (type_, "a time that is true", "deadline", True),
        (type_, "a hash that is a number", "commitment", 1),
        (encoding, "upper-case hex", "commitment", "0x" + "AB" * 32),
        (encoding, "no 0x", "commitment", "ab" * 32),
        (length, "31 bytes", "commitment", "0x" + "ab" * 31),
        ("oversized", "33 bytes", "commitment", "0x" + "ab" * 33),
        (encoding, "address in lower case", "parties", [first | {"signer": first["signer"].lower()}, second]),
        ("oversized", "address too long", "parties", [first | {"signer": first["signer"] + "0"}, second]),
        (
            "missing-field",
            "a party without nonce",
            "parties",
            [{"organisation": first["organisation"], "signer": first["signer"]}, second],
        ),
        ("unknown-field", "a party with more", "parties", [first | {"name": "x"}, second]),
    ):
        yield refuse(code, why, **_changed(good, key, value))
    fewer = {key: value for key, value in good["statement"].items() if key != "deadline"}
    yield refuse("missing-field", "no deadline", **(good | {"statement": fewer}))
    yield refuse("unknown-field", "a field more", **(good | {"statement": good["statement"] | {"extra": 1}}))


def _changed(good: dict[str, Any], key: str, value: object) -> dict[str, Any]:
    return good | {"statement": good["statement"] | {key: value}}


def _random_agreement(source: random.Random, version: int) -> AgreementStatement:
    start = source.getrandbits(33)
    return AgreementStatement(
        agreement_id=source.randbytes(32),
        version=version,
        previous=bytes(32) if version == 1 else source.randbytes(32),
        commitment=source.randbytes(32),
        stipulations_root=source.randbytes(32),
        stipulation_count=source.getrandbits(8),
        effective_from=start,
        valid_through=start + source.getrandbits(30),
        deadline=source.getrandbits(40),
        parties=parties(source),
    )


def _typed(statement: AgreementStatement | TerminationStatement) -> dict[str, Any]:
    typed = statement.typed_data(IDENTITY.domain)
    signable = encode_typed_data(full_message=json.loads(json.dumps(typed)))
    return {
        "chain_id": IDENTITY.chain_id,
        "contract": IDENTITY.contract,
        "type": typed["primaryType"],
        "statement": json.loads(json.dumps(statement.to_json())),
        "digest": "0x" + keccak(b"\x19" + signable.version + signable.header + signable.body).hex(),
    }


def bundles() -> Iterator[Case]:
    """Offline: trust file given, no document, no node. A refusal names the failing steps, or says
    malformed."""
    samples = {"plain": plain_sample(), "agreement": agreement_sample(), "termination": termination_sample()}
    for name in samples:
        yield accept(f"good: {name}", bundle=name, change=[])
    yield accept("no anchor yet", bundle="plain", change=[[["anchor"], None]])
    yield accept("agreement not shown", bundle="agreement", change=[[["agreement"], None]])
    yield accept("all fields withheld", bundle="agreement", change=[[["disclosures"], []]])
    yield accept("terms' fields withheld", bundle="agreement", change=[[["agreement", "disclosures"], []]])
    yield accept(
        "transaction not named", bundle="agreement", change=[[["agreement", "transaction_hash"], None]]
    )
    values = {name: value_of(sample.raw) for name, sample in samples.items()}
    for verdict, why, place, value in (
        *_false_places(values["agreement"]),
        *_false_terms(values["agreement"]),
    ):
        yield refuse(verdict, why, bundle="agreement", change=[[place, value]])
    yield from _malformed_bundles()


_Alteration = tuple[str, str, list[Any], Any]
"""Steps that fail, what is wrong, the member that is altered and its new value."""


def _false_places(good: Any) -> Iterator[_Alteration]:
    """Well-formed, and false about the entry, its place in the log or the chain."""
    entry, agreement, hash_ = good["entry"], good["agreement"], "0x" + "ab" * 32
    other_root = log_note(13, bytes(32))
    yield from (
        ("2 4", "entry with a space", ["entry"], entry.replace(",", ", ", 1)),
        ("2 4", "entry with a newline", ["entry"], entry + "\n"),
        ("4", "another time", ["entry"], entry.replace("08:00", "09:00")),
        ("4", "another id", ["entry"], _other_id(entry)),
        ("4 8", "another kind", ["entry"], entry.replace('"kind":10', '"kind":13')),
        ("3", "a disclosure twice", ["disclosures"], [good["disclosures"][0]] * 2),
        ("3", "a disclosure of the terms", ["disclosures"], agreement["disclosures"][:1]),
        ("3", "a disclosure that is none", ["disclosures"], ["AAAA"]),
        ("4", "another index", ["index"], 6),
        ("4", "index past the end", ["index"], 13),
        ("6", "another size", ["size"], 14),
        ("4 6", "another size, other shape", ["size"], 2**40),
        ("4", "path without its first", ["path"], good["path"][1:]),
        ("4", "path swapped", ["path"], [good["path"][1], good["path"][0], *good["path"][2:]]),
        ("4", "no path", ["path"], []),
        ("4", "another root, truly signed", ["checkpoint"], other_root),
        ("5", "signature cut off", ["checkpoint"], good["checkpoint"].split("\n\n")[0] + "\n"),
        (
            "5 6",
            "another size in the checkpoint",
            ["checkpoint"],
            good["checkpoint"].replace("\n13\n", "\n12\n"),
        ),
        (
            "5 6",
            "another origin",
            ["checkpoint"],
            good["checkpoint"].replace("log.example.org", "log.example.net", 1),
        ),
        ("5", "empty checkpoint", ["checkpoint"], ""),
        ("11", "another chain", ["anchor", "chain_id"], 1),
        ("11", "another genesis", ["anchor", "genesis_hash"], hash_),
        ("11", "another contract", ["anchor", "contract"], "0x" + "0" * 40),
        ("11", "other code", ["anchor", "code_hash"], hash_),
        ("11", "another deployment", ["anchor", "deployment_id"], hash_),
        ("11", "another deployment block", ["anchor", "deployment_block_hash"], hash_),
    )


def _false_terms(good: Any) -> Iterator[_Alteration]:
    """Well-formed, and false about what was agreed or who signed it."""
    agreement, hash_ = good["agreement"], "0x" + "ab" * 32
    statement = agreement["statement"]
    yield from (
        ("8", "terms with a space", ["agreement", "terms"], agreement["terms"].replace(",", ", ", 1)),
        (
            "8",
            "terms of another version",
            ["agreement", "terms"],
            agreement["terms"].replace('"version":1', '"version":2'),
        ),
        ("8", "terms that are none", ["agreement", "terms"], "{}"),
        ("8", "a disclosure of the entry", ["agreement", "disclosures"], good["disclosures"][:1]),
        ("9", "a stipulation less", ["agreement", "stipulations"], agreement["stipulations"][:-1]),
        ("9", "stipulations reversed", ["agreement", "stipulations"], agreement["stipulations"][::-1]),
        ("9", "a disclosure as stipulation", ["agreement", "stipulations", 0], agreement["disclosures"][0]),
        ("8 10", "another commitment", ["agreement", "statement", "commitment"], hash_),
        ("9 10", "another stipulations root", ["agreement", "statement", "stipulations_root"], hash_),
        ("9 10", "another count", ["agreement", "statement", "stipulation_count"], 4),
        ("8 10", "another agreement", ["agreement", "statement", "agreement_id"], hash_),
        (
            "8 10",
            "another beginning",
            ["agreement", "statement", "effective_from"],
            statement["effective_from"] + 1,
        ),
        (
            "8 10",
            "another end",
            ["agreement", "statement", "valid_through"],
            statement["valid_through"] + 86_400,
        ),
        ("10", "another deadline", ["agreement", "statement", "deadline"], statement["deadline"] + 1),
        ("10", "another nonce", ["agreement", "statement", "parties", 0, "nonce"], 9),
        ("10", "signatures swapped", ["agreement", "signatures"], agreement["signatures"][::-1]),
        ("10", "a signature less", ["agreement", "signatures"], agreement["signatures"][:-1]),
        ("10", "a random signature", ["agreement", "signatures", 0], "0x" + "11" * 64 + "1b"),
        ("10", "high s", ["agreement", "signatures", 0], _high_s(agreement["signatures"][0])),
    )


def _other_id(entry: str) -> str:
    start = entry.index('"id":"') + 6
    return entry[:start] + ("0" if entry[start] != "0" else "1") + entry[start + 1 :]


def _high_s(signature: str) -> str:
    raw = bytes.fromhex(signature[2:])
    s = ORDER - int.from_bytes(raw[32:64], "big")
    return "0x" + raw[:32].hex() + s.to_bytes(32, "big").hex() + bytes([55 - raw[64]]).hex()


def _malformed_bundles() -> Iterator[Case]:
    """Not even well-formed."""
    for why, place, value in (
        ("version 2", ["v"], 2),
        ("another format", ["format"], "talentseal.other"),
        ("entry that is no text", ["entry"], {}),
        ("index as text", ["index"], "5"),
        ("negative index", ["index"], -1),
        ("index that is true", ["index"], True),
        ("size 0", ["size"], 0),
        ("path that is no array", ["path"], {}),
        ("path of hex", ["path", 0], "ab" * 32),
        ("path of short hashes", ["path", 0], "AAAA"),
        ("path of 64 hashes", ["path"], ["A" * 43 + "="] * 64),
        ("no checkpoint", ["checkpoint"], None),
        ("anchor that is true", ["anchor"], True),
        ("anchor with more", ["anchor", "extra"], 1),
        ("block number as hex", ["anchor", "block_number"], "0xa"),
        ("block hash in capitals", ["anchor", "block_hash"], "0x" + "AB" * 32),
        ("contract in lower case", ["anchor", "contract"], "0x5fbdb2315678afecb367f032d93f642f64180aa3"),
        ("agreement with more", ["agreement", "current"], None),
        ("disclosures of numbers", ["agreement", "disclosures"], [1]),
        ("empty signature", ["agreement", "signatures", 0], "0x"),
        ("odd signature", ["agreement", "signatures", 0], "0x1"),
        ("withheld stipulation without leaf", ["agreement", "stipulations", 0], {}),
        (
            "withheld stipulation with more",
            ["agreement", "stipulations", 0],
            {"leaf": "A" * 43 + "=", "x": 1},
        ),
        ("no parties", ["agreement", "statement", "parties"], []),
        ("a field more", ["extra"], 1),
    ):
        yield refuse("malformed", why, bundle="agreement", change=[[place, value]])


def trust_and_bundles() -> dict[str, Any]:
    """The good bundles by name, and the trust file that goes with them."""
    return {
        "trust": json.loads(TRUST.dump()),
        "good": {
            "plain": value_of(plain_sample().raw),
            "agreement": value_of(agreement_sample().raw),
            "termination": value_of(termination_sample().raw),
        },
    }


CASES: dict[str, Callable[[], Iterator[Case]]] = {
    "signatures": signatures,
    "eip712": digests,
    "bundles": bundles,
}


def contents(topic: str) -> str:
    """Text of one topic's file: a JSON object with `cases`, one a line."""
    head = trust_and_bundles() if topic == "bundles" else {}
    lines = [json.dumps(case, ensure_ascii=True, sort_keys=True) for case in CASES[topic]()]
    parts = [f"{json.dumps(name)}: {json.dumps(value, sort_keys=True)},\n" for name, value in head.items()]
    return "{\n" + "".join(parts) + '"cases": [\n' + ",\n".join(lines) + "\n]}\n"


def main() -> None:
    """Writes the three files."""
    for topic in CASES:
        FOLDER.joinpath(f"{topic}.json").write_text(contents(topic), encoding="ascii")


if __name__ == "__main__":
    main()
