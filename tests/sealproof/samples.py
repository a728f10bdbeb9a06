"""A small log, a chain that answers JSON-RPC, and good bundles over them.

The tests alter them and expect to be told.
"""

import hashlib
import json
import random
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from eth_account import Account

from sealproof import merkle
from sealproof.bundle import AgreementEvidence, Anchor, Bundle, WithheldStipulation
from sealproof.canonical import Json, encode, parse
from sealproof.checkpoint import Checkpoint
from sealproof.disclosure import digest, make
from sealproof.eip712 import AgreementStatement, Domain, Party, TerminationStatement
from sealproof.entry import Entry
from sealproof.fields import to_hex
from sealproof.keccak import keccak256
from sealproof.note import VerifierKey, sign_note
from sealproof.rpc import (
    AGREEMENT_CONCLUDED,
    AGREEMENT_TERMINATED,
    CHECKPOINT_ANCHORED,
    JsonRpcChain,
)
from sealproof.trust import ChainIdentity, Finality, FinalityPolicy, Trust

# A library under eth_account raises this limit a hundredfold; deep JSON would then kill the process.
sys.setrecursionlimit(1000)

ORIGIN = "log.example.org/talentseal"
LOG_SECRET = Ed25519PrivateKey.from_private_bytes(b"\x07" * 32)
LOG_PUBLIC = LOG_SECRET.public_key().public_bytes_raw()
RECORDED_AT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
DOCUMENT = "人才服务合作协议\n第一条 ……\n".encode() * 50
CONTRACT = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
CODE = bytes(range(256)) * 3
ANCHORED_AT = 1_795_420_860
CONCLUDED_AT = 1_795_420_855


def word(number: int) -> str:
    return f"0x{number:064x}"


IDENTITY = ChainIdentity(
    chain_id=31337,
    genesis_hash=word(0xA0),
    contract=CONTRACT,
    code_hash=to_hex(keccak256(CODE)),
    deployment_id=word(0xDE),
    deployment_block_hash=word(0xA1),
)
LOG_KEY = VerifierKey.of(ORIGIN, LOG_PUBLIC)
TRUST = Trust(LOG_KEY, IDENTITY, Finality(FinalityPolicy.INSTANT), "test network")
KEYS = sorted((bytes([seed]) * 32 for seed in (1, 2, 3)), key=lambda key: Account.from_key(key).address)


@dataclass
class ChainState:
    """What the pretended chain holds; a test alters it at will. `refuse` maps a method to the raw
    reply it gets.
    """

    blocks: dict[int, dict[str, Json]] = field(default_factory=dict)
    code: dict[str, str] = field(default_factory=dict)
    heads: dict[int, str] = field(default_factory=dict)
    agreements: dict[str, str] = field(default_factory=dict)
    receipts: dict[str, Json] = field(default_factory=dict)
    accepting: set[str] = field(default_factory=set)
    finalized: int | None = None
    chain_id: int = 31337
    refuse: dict[str, bytes] = field(default_factory=dict)

    def answer(self, body: bytes) -> bytes:
        """The raw JSON-RPC reply to a raw request."""
        request = json.loads(body)
        method, parameters = request["method"], request["params"]
        if method in self.refuse:
            return self.refuse[method]
        result = getattr(self, "_" + method)(*parameters)
        return json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": result}).encode()

    def _eth_chainId(self) -> str:  # noqa: N802  (the name of the JSON-RPC method)
        return hex(self.chain_id)

    def _eth_getBlockByNumber(self, which: str, _full: bool) -> Json:  # noqa: N802
        named = {"latest": max(self.blocks), "finalized": self.finalized}
        number = named[which] if which in named else int(which, 16)
        return None if number is None else self.blocks.get(number)

    def _eth_getBlockByHash(self, block_hash: str, _full: bool) -> Json:  # noqa: N802
        return next((block for block in self.blocks.values() if block["hash"] == block_hash), None)

    def _eth_getCode(self, account: str, _at: str) -> str:  # noqa: N802
        return self.code.get(account, "0x")

    def _eth_getTransactionReceipt(self, transaction: str) -> Json:  # noqa: N802
        return self.receipts.get(transaction)

    def _eth_call(self, call: Mapping[str, str], _at: str) -> str:
        selector, argument = call["data"][2:10], call["data"][10:]
        if call["to"] != CONTRACT:
            return "0x1626ba7e" + "00" * 28 if call["to"] in self.accepting else "0x"
        views = {
            keccak256(b"headAt(uint64)")[:4].hex(): lambda: self.heads.get(int(argument, 16), word(0)),
            keccak256(b"agreementAt(bytes32)")[:4].hex(): lambda: self.agreements.get(
                argument, "0x" + "00" * 224
            ),
            keccak256(b"deploymentId()")[:4].hex(): lambda: word(0xDE),
        }
        return views[selector]()


class LocalChain(JsonRpcChain):
    """The reader of sealproof with the wire taken out: requests and replies are the same bytes."""

    def __init__(self, state: ChainState) -> None:
        super().__init__("http://127.0.0.1:1/")
        self.state = state

    def _post(self, body: bytes) -> bytes:
        return self.state.answer(body)


@dataclass(frozen=True)
class Sample:
    """A good bundle with all that a verifier brings along."""

    bundle: Bundle
    trust: Trust
    document: bytes
    state: ChainState

    @property
    def raw(self) -> bytes:
        return self.bundle.dump()

    @property
    def chain(self) -> LocalChain:
        return LocalChain(self.state)


def disclose(source: random.Random, fields: Mapping[str, Json]) -> tuple[str, ...]:
    return tuple(make(name, value, source.randbytes(16)) for name, value in fields.items())


def log_note(size: int, root: bytes, origin: str = ORIGIN, secret: Ed25519PrivateKey = LOG_SECRET) -> str:
    return sign_note(
        Checkpoint(origin, size, root).encode(), origin, secret.public_key().public_bytes_raw(), secret.sign
    )


def block(number: int, block_hash: str, timestamp: int) -> dict[str, Json]:
    return {"number": hex(number), "hash": block_hash, "timestamp": hex(timestamp), "transactions": []}


def receipt(transaction: str, number: int, block_hash: str, topics: list[str]) -> Json:
    return {
        "transactionHash": transaction,
        "blockNumber": hex(number),
        "blockHash": block_hash,
        "status": "0x1",
        "logs": [{"address": CONTRACT.lower(), "topics": topics, "data": "0x"}],
    }


def new_chain() -> ChainState:
    state = ChainState()
    for number in range(12):
        state.blocks[number] = block(number, word(0xA0 + number), ANCHORED_AT - 50 + 5 * number)
    state.code[CONTRACT] = to_hex(CODE)
    return state


def parties(source: random.Random) -> tuple[Party, ...]:
    organisations = sorted(source.randbytes(32) for _ in KEYS)
    return tuple(
        Party(organisation, Account.from_key(key).address, place)
        for place, (organisation, key) in enumerate(zip(organisations, KEYS, strict=True))
    )


def terms_text(kind: str, agreement: str, version: int, disclosures: tuple[str, ...]) -> str:
    text: dict[str, Json] = {
        "_sd": sorted(digest(item) for item in disclosures),
        "_sd_alg": "sha-256",
        "agreement": agreement,
        "kind": kind,
        "v": 1,
        "version": version,
    }
    return encode(text).decode()


def sign(
    statement: AgreementStatement | TerminationStatement, domain: Domain = IDENTITY.domain
) -> tuple[bytes, ...]:
    typed = statement.typed_data(domain)
    return tuple(bytes(Account.sign_typed_data(key, full_message=typed).signature) for key in KEYS)


def sealed(
    source: random.Random,
    kind: int,
    fields: Mapping[str, Json],
    state: ChainState,
    *,
    index: int = 5,
    size: int = 13,
) -> Bundle:
    """The bundle of one entry in a log of `size`, anchored in block 10 of `state`."""
    disclosures = disclose(source, fields)
    digests = tuple(sorted(digest(item) for item in disclosures))
    entry = Entry(kind, source.randbytes(16).hex(), RECORDED_AT, None, None, digests).encode()
    leaves = [merkle.leaf_hash(source.randbytes(40)) for _ in range(size)]
    leaves[index] = merkle.leaf_hash(entry)
    root = merkle.root_of(leaves)
    state.heads[size] = to_hex(root)
    topics = [
        to_hex(CHECKPOINT_ANCHORED),
        word(size),
        to_hex(root),
    ]
    state.receipts[word(0x77)] = receipt(word(0x77), 10, word(0xAA), topics)
    return Bundle(
        entry=entry.decode(),
        disclosures=disclosures,
        index=index,
        size=size,
        path=tuple(merkle.inclusion_path(leaves, index)),
        checkpoint=log_note(size, root),
        anchor=Anchor.of(IDENTITY, 10, word(0xAA), word(0x77)),
        agreement=None,
    )


def plain_sample(seed: int = 1) -> Sample:
    """An entry that is about no agreement, such as a redemption."""
    state = new_chain()
    bundle = sealed(random.Random(seed), 30, {"partner": "p-17", "quantity": 1, "channel": "QR"}, state)
    return Sample(bundle, TRUST, DOCUMENT, state)


def document_field(document: bytes = DOCUMENT) -> dict[str, Json]:
    return {
        "sha256": hashlib.sha256(document).hexdigest(),
        "sm3": hashlib.new("sm3", document).hexdigest(),
        "size": len(document),
        "media_type": "application/pdf",
    }


def stipulation(source: random.Random, clause: str) -> str:
    content: dict[str, Json] = {
        "clause": clause,
        "duty_holder": "0x" + source.randbytes(32).hex(),
        "beneficiary_tiers": ["A", "B"],
        "measure": "discount",
        "period": "MONTH",
        "threshold": "9000",
        "remedy": "refund",
    }
    return make("stipulation", content, source.randbytes(16))


def _statement(source: random.Random, text: str, leaves: list[bytes], version: int) -> AgreementStatement:
    return AgreementStatement(
        agreement_id=bytes.fromhex(json.loads(text)["agreement"][2:]),
        version=version,
        previous=bytes(32) if version == 1 else source.randbytes(32),
        commitment=hashlib.sha256(text.encode()).digest(),
        stipulations_root=merkle.root_of(leaves),
        stipulation_count=len(leaves),
        effective_from=int(datetime(2026, 11, 30, 16, tzinfo=UTC).timestamp()),  # 1 December in Shanghai
        valid_through=int(datetime(2028, 11, 30, 16, tzinfo=UTC).timestamp()) - 1,
        deadline=ANCHORED_AT + 86_400,
        parties=parties(source),
    )


def agreement_sample(seed: int = 2, *, version: int = 1, withheld: frozenset[int] = frozenset({1})) -> Sample:
    """An agreement of three parties with three stipulations, one of them withheld; concluded in block 9."""
    source, state = random.Random(seed), new_chain()
    evidence = _agreement_evidence(source, version, withheld)
    statement = evidence.statement
    digest_bytes = statement.digest(IDENTITY.domain)
    state.agreements[digest_bytes.hex()] = "0x" + "".join(
        word(number)[2:]
        for number in (1, version, CONCLUDED_AT, 0, statement.effective_from, statement.valid_through, 0)
    )
    state.receipts[word(0x66)] = receipt(
        word(0x66), 9, word(0xA9), [to_hex(AGREEMENT_CONCLUDED), to_hex(digest_bytes)]
    )
    fields = _entry_fields(statement, statement.commitment, digest_bytes)
    bundle = sealed(source, 10 if version == 1 else 11, fields, state)
    return Sample(replace(bundle, agreement=evidence), TRUST, DOCUMENT, state)


def _entry_fields(statement: AgreementStatement, commitment: bytes, digest_bytes: bytes) -> dict[str, Json]:
    return {
        "agreement": to_hex(statement.agreement_id),
        "version": statement.version,
        "commitment": to_hex(commitment),
        "digest": to_hex(digest_bytes),
    }


def _agreement_evidence(source: random.Random, version: int, withheld: frozenset[int]) -> AgreementEvidence:
    agreement = "0x" + source.randbytes(32).hex()
    shown = disclose(
        source,
        {
            "number": "TS-2026-0001",
            "title": "人才卡合作协议",
            "category": "FINANCE",
            "document": document_field(),
            "effective_from": "2026-12-01",
            "valid_through": "2028-11-30",
        },
    )
    stipulations = [stipulation(source, f"第{number}条") for number in "一二三"]
    leaves = [merkle.leaf_hash(item.encode()) for item in stipulations]
    text = terms_text("agreement-terms", agreement, version, shown)
    statement = _statement(source, text, leaves, version)
    return AgreementEvidence(
        terms=text,
        disclosures=shown,
        stipulations=tuple(
            WithheldStipulation(leaves[place]) if place in withheld else item
            for place, item in enumerate(stipulations)
        ),
        statement=statement,
        termination=None,
        signatures=sign(statement),
        transaction_hash=word(0x66),
    )


def termination_sample(seed: int = 3) -> Sample:
    """The end of an agreement version, recorded in block 9."""
    source, state = random.Random(seed), new_chain()
    ended = _agreement_evidence(source, 1, frozenset()).statement
    shown = disclose(source, {"reason": "MUTUAL", "effective_at": "2027-06-30T15:59:59Z"})
    text = terms_text("termination-terms", to_hex(ended.agreement_id), 1, shown)
    termination = TerminationStatement(
        agreement=ended.digest(IDENTITY.domain),
        commitment=hashlib.sha256(text.encode()).digest(),
        effective_at=int(datetime(2027, 6, 30, 15, 59, 59, tzinfo=UTC).timestamp()),
        deadline=ANCHORED_AT + 86_400,
        parties=ended.parties,
    )
    digest_bytes = termination.digest(IDENTITY.domain)
    state.agreements[termination.agreement.hex()] = "0x" + "".join(
        [word(number)[2:] for number in (3, 1, CONCLUDED_AT, CONCLUDED_AT + 1)]
        + [word(ended.effective_from)[2:], word(termination.effective_at)[2:], digest_bytes.hex()]
    )
    topics = [to_hex(AGREEMENT_TERMINATED), to_hex(termination.agreement), to_hex(digest_bytes)]
    state.receipts[word(0x66)] = receipt(word(0x66), 9, word(0xA9), topics)
    bundle = sealed(source, 13, _entry_fields(ended, termination.commitment, digest_bytes), state)
    evidence = AgreementEvidence(text, shown, (), ended, termination, sign(termination), word(0x66))
    return Sample(replace(bundle, agreement=evidence), TRUST, DOCUMENT, state)


def value_of(raw: bytes) -> dict[str, Json]:
    """A bundle's JSON, to be altered."""
    value = parse(raw, limit=1024 * 1024)
    if not isinstance(value, dict):
        raise TypeError("a bundle is a JSON object")
    return value
