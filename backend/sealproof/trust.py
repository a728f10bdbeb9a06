"""What a verifier trusts: one log key, one chain with one registry on it, and when a block there counts as
final.

`trust.json` comes to the verifier by his own way (a contract, a notice board, a visit) and never out of a
bundle.
"""

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Final

from sealproof.canonical import MAX_INTEGER, Json, encode, parse
from sealproof.eip712 import Domain
from sealproof.errors import OutOfRange, UnknownVersion
from sealproof.fields import Fields, address, at, integer, members, prefixed_hex, text
from sealproof.note import VerifierKey

TRUST_LIMIT: Final = 64 * 1024
"""Bytes of a trust file: a real one has about a thousand."""
_VERSION: Final = 1
_LABEL_LIMIT: Final = 200


@dataclass(frozen=True, slots=True)
class ChainIdentity:
    """What makes a chain and a registry this one and no other.

    Hashes and ids: 0x and 64 lower-case hex digits; contract: EIP-55 address; code_hash: Keccak-256 of the
    code that runs there. Raises WrongType, OutOfRange, BadEncoding, BadLength.
    """

    chain_id: int
    genesis_hash: str
    contract: str
    code_hash: str
    deployment_id: str
    deployment_block_hash: str

    NAMES: ClassVar[tuple[str, ...]] = (
        "chain_id",
        "genesis_hash",
        "contract",
        "code_hash",
        "deployment_id",
        "deployment_block_hash",
    )

    def __post_init__(self) -> None:
        integer(self.chain_id, "chain_id", 1, MAX_INTEGER)
        address(self.contract, "contract")
        for name in ("genesis_hash", "code_hash", "deployment_id", "deployment_block_hash"):
            prefixed_hex(getattr(self, name), name)

    @property
    def domain(self) -> Domain:
        """Where signatures of agreements hold."""
        return Domain(self.chain_id, self.contract)

    def differences(self, other: "ChainIdentity") -> tuple[str, ...]:
        """Names of the parts in which the two differ, in the order of `NAMES`."""
        return tuple(name for name in self.NAMES if getattr(self, name) != getattr(other, name))

    def to_json(self) -> dict[str, Json]:
        """As in a trust file, and as the first fields of a bundle's anchor."""
        return {name: getattr(self, name) for name in self.NAMES}

    @classmethod
    def from_fields(cls, fields: Fields, path: str) -> "ChainIdentity":
        """Reads the fields that `to_json` writes. Raises a DecodeError that names the field under `path`."""
        return cls(
            integer(fields["chain_id"], f"{path}.chain_id", 1, MAX_INTEGER),
            _hash(fields, path, "genesis_hash"),
            address(fields["contract"], f"{path}.contract"),
            _hash(fields, path, "code_hash"),
            _hash(fields, path, "deployment_id"),
            _hash(fields, path, "deployment_block_hash"),
        )


class FinalityPolicy(StrEnum):
    """When a block counts as final. INSTANT: at once (consensus with finality, or one development node).

    DEPTH: when that many blocks stand on top of it. TAG: when the node's `finalized` block has reached it.
    """

    INSTANT = "instant"
    DEPTH = "depth"
    TAG = "tag"


@dataclass(frozen=True, slots=True)
class Finality:
    """A network's policy. depth: blocks on top, at least 1 under DEPTH and 0 otherwise. Raises OutOfRange."""

    policy: FinalityPolicy
    depth: int = 0

    def __post_init__(self) -> None:
        if (self.depth > 0) != (self.policy is FinalityPolicy.DEPTH) or self.depth < 0:
            raise OutOfRange("finality.depth: expected 1 or more with the policy 'depth', 0 with any other")


@dataclass(frozen=True, slots=True)
class Trust:
    """A verifier's trust roots. chain: None as long as the log is anchored nowhere. label: for people
    only."""

    log: VerifierKey
    chain: ChainIdentity | None
    finality: Finality
    label: str

    def dump(self) -> bytes:
        """The trust file: JSON with sorted keys, two spaces of indentation, a newline at its end."""
        value: dict[str, Json] = {
            "v": _VERSION,
            "log": str(self.log),
            "chain": None if self.chain is None else self.chain.to_json(),
            "finality": {"policy": self.finality.policy.value, "depth": self.finality.depth},
            "label": self.label,
        }
        encode(value)  # refuses what JSON cannot carry, such as a lone surrogate in the label
        return (json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True) + "\n").encode("utf-8")


def load(raw: bytes) -> Trust:
    """Reads a trust file strictly, in any JSON spelling. Raises a DecodeError that names the field."""
    value = parse(raw, limit=TRUST_LIMIT)
    fields = members(value, "trust", ("v", "log", "chain", "finality", "label"))
    if integer(fields["v"], "v") != _VERSION:
        raise UnknownVersion(f"v: expected a trust file of version {_VERSION}; use a newer sealproof")
    vkey = text(fields["log"], "log", 1024)
    chain = fields["chain"]
    if chain is not None:
        chain = members(chain, "chain", ChainIdentity.NAMES)
    return Trust(
        log=at("log", lambda: VerifierKey.parse(vkey)),
        chain=None if chain is None else ChainIdentity.from_fields(chain, "chain"),
        finality=_finality(fields["finality"]),
        label=text(fields["label"], "label", _LABEL_LIMIT),
    )


def _finality(value: Json) -> Finality:
    fields = members(value, "finality", ("policy", "depth"))
    name = text(fields["policy"], "finality.policy", 16)
    if name not in set(FinalityPolicy):
        raise OutOfRange(f"finality.policy: expected instant, depth or tag, met {name!r}")
    return Finality(FinalityPolicy(name), integer(fields["depth"], "finality.depth", 0, 1_000_000))


def _hash(fields: Fields, path: str, name: str) -> str:
    prefixed_hex(fields[name], f"{path}.{name}")
    return str(fields[name])
