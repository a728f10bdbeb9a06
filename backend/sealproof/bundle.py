"""The proof bundle `*.seal.json`, version 1: everything about one entry that can be carried away and checked
elsewhere.

Form only: `load` says whether the file is well-formed, `sealproof.verify` whether it is true. Nothing in a
bundle is trusted: keys and chains come from the verifier's own trust file.
"""

from dataclasses import dataclass
from typing import Final

from sealproof.canonical import Json, encode, parse
from sealproof.eip712 import MOST_PARTIES, AgreementStatement, TerminationStatement
from sealproof.encoding import MAX_SIZE, b64_encode
from sealproof.entry import ENTRY_LIMIT
from sealproof.errors import OutOfRange, Oversized, UnknownVersion
from sealproof.fields import base64_hash, elements, integer, members, prefixed_hex, text, to_hex
from sealproof.note import NOTE_LIMIT
from sealproof.trust import ChainIdentity

BUNDLE_LIMIT: Final = 1024 * 1024
"""Bytes of a bundle."""
FORMAT: Final = "talentseal.bundle"
VERSION: Final = 1
SUFFIX: Final = ".seal.json"
_MOST_DISCLOSURES: Final = 1024
_MOST_STIPULATIONS: Final = 4096
_LONGEST_PATH: Final = 63
_DISCLOSURE_LIMIT: Final = 65_535
_TERMS_LIMIT: Final = 65_535
_SIGNATURE_LIMIT: Final = 4096
"""Bytes of one party's signature: 65 for a key, more for a contract account (ERC-1271)."""
_MOST_INTEGER: Final = 2**53 - 1

_TOP: Final = (
    "v",
    "format",
    "entry",
    "disclosures",
    "index",
    "size",
    "path",
    "checkpoint",
    "anchor",
    "agreement",
)
_ANCHOR: Final = (*ChainIdentity.NAMES, "block_number", "block_hash", "transaction_hash")
_AGREEMENT: Final = (
    "terms",
    "disclosures",
    "stipulations",
    "statement",
    "termination",
    "signatures",
    "transaction_hash",
)


@dataclass(frozen=True, slots=True)
class Anchor:
    """Where the bundle's checkpoint stands on a chain, as its maker claims.

    The first six fields are those of `trust.ChainIdentity`; block_hash and transaction_hash: 0x and 64 hex
    digits. Raises WrongType, OutOfRange, BadEncoding, BadLength.
    """

    chain_id: int
    genesis_hash: str
    contract: str
    code_hash: str
    deployment_id: str
    deployment_block_hash: str
    block_number: int
    block_hash: str
    transaction_hash: str

    def __post_init__(self) -> None:
        self.identity()
        integer(self.block_number, "block_number")
        prefixed_hex(self.block_hash, "block_hash")
        prefixed_hex(self.transaction_hash, "transaction_hash")

    def identity(self) -> ChainIdentity:
        """The chain and registry that the bundle names; to be compared with the trusted one."""
        return ChainIdentity(
            self.chain_id,
            self.genesis_hash,
            self.contract,
            self.code_hash,
            self.deployment_id,
            self.deployment_block_hash,
        )

    @classmethod
    def of(
        cls, identity: ChainIdentity, block_number: int, block_hash: str, transaction_hash: str
    ) -> "Anchor":
        """An anchor on the chain of this identity."""
        return cls(
            identity.chain_id,
            identity.genesis_hash,
            identity.contract,
            identity.code_hash,
            identity.deployment_id,
            identity.deployment_block_hash,
            block_number,
            block_hash,
            transaction_hash,
        )

    def to_json(self) -> dict[str, Json]:
        """As in a bundle."""
        return {name: getattr(self, name) for name in _ANCHOR}


@dataclass(frozen=True, slots=True)
class WithheldStipulation:
    """A stipulation whose text is not shown; leaf: the 32-byte leaf hash of its disclosure."""

    leaf: bytes


Stipulation = str | WithheldStipulation
"""A stipulation's disclosure text, or what stands for it when it is withheld."""


@dataclass(frozen=True, slots=True)
class AgreementEvidence:
    """What the parties of an agreement signed, and their signatures.

    For a concluded version `termination` is None, and `terms`, `disclosures`, `signatures` and
    `transaction_hash` are those of the version. For a termination they are those of the termination, while
    `statement` is the version that it ends and `stipulations` may be empty. terms: exact text. stipulations:
    all, in clause order. signatures: one for each party, in their order; 65 bytes for a key.
    transaction_hash: None when not known.
    """

    terms: str
    disclosures: tuple[str, ...]
    stipulations: tuple[Stipulation, ...]
    statement: AgreementStatement
    termination: TerminationStatement | None
    signatures: tuple[bytes, ...]
    transaction_hash: str | None

    @property
    def signed(self) -> AgreementStatement | TerminationStatement:
        """The statement that the signatures belong to."""
        return self.statement if self.termination is None else self.termination

    def to_json(self) -> dict[str, Json]:
        """As in a bundle."""
        return {
            "terms": self.terms,
            "disclosures": self.disclosures,
            "stipulations": [
                item if isinstance(item, str) else {"leaf": b64_encode(item.leaf)}
                for item in self.stipulations
            ],
            "statement": self.statement.to_json(),
            "termination": None if self.termination is None else self.termination.to_json(),
            "signatures": [to_hex(signature) for signature in self.signatures],
            "transaction_hash": self.transaction_hash,
        }


@dataclass(frozen=True, slots=True)
class Bundle:
    """One entry with its proof.

    entry: exact text. disclosures: those the holder shows. index < size: place in the log. path: audit path
    of 32-byte hashes. checkpoint: signed note over `size` entries. anchor: None until that checkpoint is on a
    chain. agreement: None unless the entry is about one, and its holder shows it.
    """

    entry: str
    disclosures: tuple[str, ...]
    index: int
    size: int
    path: tuple[bytes, ...]
    checkpoint: str
    anchor: Anchor | None
    agreement: AgreementEvidence | None

    def dump(self) -> bytes:
        """The bundle's file: canonical JSON (RFC 8785) and a newline, at most 1 MiB. The same bundle gives
        the same bytes, and `load` reads them back. Raises a DecodeError when it could not.
        """
        raw = encode(self.to_json()) + b"\n"
        if len(raw) > BUNDLE_LIMIT:
            raise Oversized(f"expected a bundle of at most {BUNDLE_LIMIT} bytes, met {len(raw)}")
        load(raw)
        return raw

    def to_json(self) -> dict[str, Json]:
        """The bundle as a JSON value."""
        return {
            "v": VERSION,
            "format": FORMAT,
            "entry": self.entry,
            "disclosures": self.disclosures,
            "index": self.index,
            "size": self.size,
            "path": [b64_encode(sibling) for sibling in self.path],
            "checkpoint": self.checkpoint,
            "anchor": None if self.anchor is None else self.anchor.to_json(),
            "agreement": None if self.agreement is None else self.agreement.to_json(),
        }


def load(raw: bytes) -> Bundle:
    """The bundle of a file of at most 1 MiB, in any JSON spelling.

    Raises a DecodeError (Oversized, BadEncoding, BadSyntax, DuplicateKey, UnknownVersion, MissingField,
    UnknownField, WrongType, OutOfRange, BadLength …) whose message names the field.
    """
    value = parse(raw, limit=BUNDLE_LIMIT)
    if isinstance(value, dict) and value.get("format") == FORMAT and value.get("v") != VERSION:
        raise UnknownVersion(f"v: expected a bundle of version {VERSION}; use a newer sealproof")
    fields = members(value, "bundle", _TOP)
    if text(fields["format"], "format", 64) != FORMAT:
        raise UnknownVersion(f"format: expected {FORMAT!r}")
    integer(fields["v"], "v", VERSION, VERSION)
    return Bundle(
        entry=text(fields["entry"], "entry", ENTRY_LIMIT),
        disclosures=_disclosures(fields["disclosures"], "disclosures"),
        index=integer(fields["index"], "index", 0, min(MAX_SIZE, _MOST_INTEGER)),
        size=integer(fields["size"], "size", 1, min(MAX_SIZE, _MOST_INTEGER)),
        path=tuple(
            base64_hash(sibling, f"path[{place}]")
            for place, sibling in enumerate(elements(fields["path"], "path", _LONGEST_PATH))
        ),
        checkpoint=text(fields["checkpoint"], "checkpoint", NOTE_LIMIT),
        anchor=None if fields["anchor"] is None else _anchor(fields["anchor"]),
        agreement=None if fields["agreement"] is None else _agreement(fields["agreement"]),
    )


def _anchor(value: Json) -> Anchor:
    fields = members(value, "anchor", _ANCHOR)
    return Anchor.of(
        ChainIdentity.from_fields(fields, "anchor"),
        integer(fields["block_number"], "anchor.block_number"),
        _hash_text(fields["block_hash"], "anchor.block_hash"),
        _hash_text(fields["transaction_hash"], "anchor.transaction_hash"),
    )


def _agreement(value: Json) -> AgreementEvidence:
    fields = members(value, "agreement", _AGREEMENT)
    termination, transaction = fields["termination"], fields["transaction_hash"]
    stipulations = elements(fields["stipulations"], "agreement.stipulations", _MOST_STIPULATIONS)
    signatures = elements(fields["signatures"], "agreement.signatures", MOST_PARTIES)
    return AgreementEvidence(
        terms=text(fields["terms"], "agreement.terms", _TERMS_LIMIT),
        disclosures=_disclosures(fields["disclosures"], "agreement.disclosures"),
        stipulations=tuple(
            _stipulation(item, f"agreement.stipulations[{place}]") for place, item in enumerate(stipulations)
        ),
        statement=AgreementStatement.from_json(fields["statement"], "agreement.statement"),
        termination=None
        if termination is None
        else TerminationStatement.from_json(termination, "agreement.termination"),
        signatures=tuple(
            _signature(item, f"agreement.signatures[{place}]") for place, item in enumerate(signatures)
        ),
        transaction_hash=None
        if transaction is None
        else _hash_text(transaction, "agreement.transaction_hash"),
    )


def _disclosures(value: Json, path: str) -> tuple[str, ...]:
    listed = elements(value, path, _MOST_DISCLOSURES)
    return tuple(text(item, f"{path}[{place}]", _DISCLOSURE_LIMIT) for place, item in enumerate(listed))


def _stipulation(value: Json, path: str) -> Stipulation:
    if isinstance(value, str):
        return text(value, path, _DISCLOSURE_LIMIT)
    return WithheldStipulation(base64_hash(members(value, path, ("leaf",))["leaf"], f"{path}.leaf"))


def _signature(value: Json, path: str) -> bytes:
    signature = prefixed_hex(value, path, length=None, limit=_SIGNATURE_LIMIT)
    if not signature:
        raise OutOfRange(f"{path}: expected a signature, met no bytes")
    return signature


def _hash_text(value: Json, path: str) -> str:
    prefixed_hex(value, path)
    return str(value)
