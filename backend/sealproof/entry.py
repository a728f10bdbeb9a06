"""Entry: what the log holds about one record. Canonical JSON that carries digests of disclosures and nothing
personal.

The bytes made here are the leaf's input, for ever: a new field needs a new version, never a new meaning of
this one.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import pairwise

from sealproof import canonical
from sealproof.canonical import Json
from sealproof.disclosure import ALGORITHM
from sealproof.encoding import HASH_LENGTH, b64url_decode, excerpt, instant_decode, instant_encode
from sealproof.errors import (
    BadEncoding,
    MissingField,
    NotCanonical,
    OutOfRange,
    Oversized,
    UnknownField,
    UnknownVersion,
    UnsupportedAlgorithm,
    WrongType,
)

VERSION = 1
ENTRY_LIMIT = 65_535
"""Bytes of one entry: what the 16-bit length prefix of an entry bundle can say."""
MAX_KIND = 65_535

_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)
_DIGEST = re.compile(r"[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]", re.ASCII)
"""The unpadded base64url of 32 bytes, in its one form: the last character carries four bits."""

_REQUIRED = frozenset({"v", "kind", "id", "recorded_at", "_sd_alg", "_sd"})
_OPTIONAL = frozenset({"relation", "refers_to"})


class Relation(StrEnum):
    """What a record does to the earlier record that it refers to."""

    AMENDS = "AMENDS"
    SUPERSEDES = "SUPERSEDES"
    CORRECTS = "CORRECTS"
    RETRACTS = "RETRACTS"
    REVERSES = "REVERSES"
    CURES = "CURES"
    RESOLVES = "RESOLVES"
    DECLARES = "DECLARES"
    ERASES = "ERASES"


@dataclass(frozen=True, slots=True)
class Entry:
    """One record in the log.

    kind: 1..65535. id: 128 random bits, 32 hex digits. recorded_at: aware UTC. relation and refers_to (the id
    of an earlier entry): both or neither. digests: base64url SHA-256 of the disclosures, ascending, each
    once. Raises OutOfRange, BadEncoding, BadLength, NotCanonical, WrongType when built of anything else.
    """

    kind: int
    id: str
    recorded_at: datetime
    relation: Relation | None
    refers_to: str | None
    digests: tuple[str, ...]

    def __post_init__(self) -> None:
        if not 1 <= self.kind <= MAX_KIND:
            raise OutOfRange(f"expected a kind from 1 to {MAX_KIND}, met {self.kind}")
        _check_id(self.id)
        instant_encode(self.recorded_at)
        if (self.relation is None) != (self.refers_to is None):
            raise MissingField("expected relation and refers_to together, met one alone")
        if self.refers_to is not None:
            _check_id(self.refers_to)
        _check_digests(self.digests)

    def encode(self) -> bytes:
        """The entry's only bytes. Raises Oversized above 65,535."""
        members: dict[str, Json] = {
            "v": VERSION,
            "kind": self.kind,
            "id": self.id,
            "recorded_at": instant_encode(self.recorded_at),
            "_sd_alg": ALGORITHM,
            "_sd": self.digests,
        }
        if self.relation is not None and self.refers_to is not None:
            members |= {"relation": self.relation.value, "refers_to": self.refers_to}
        raw = canonical.encode(members)
        if len(raw) > ENTRY_LIMIT:
            raise Oversized(
                f"expected an entry of at most {ENTRY_LIMIT} bytes, met {len(raw)}; show fewer fields"
            )
        return raw


def decode(raw: bytes) -> Entry:
    """The entry of exactly these bytes.

    Raises what `canonical.decode` raises, and MissingField, UnknownField, UnknownVersion,
    UnsupportedAlgorithm, WrongType, OutOfRange, BadEncoding, BadLength, NotCanonical.
    """
    members = canonical.decode(raw, limit=ENTRY_LIMIT)
    if not isinstance(members, dict):
        raise WrongType("expected an entry to be a JSON object")
    _check_fields(members)
    relation = _text(members, "relation") if "relation" in members else None
    return Entry(
        kind=_number(members, "kind"),
        id=_text(members, "id"),
        recorded_at=instant_decode(_text(members, "recorded_at")),
        relation=None if relation is None else _relation(relation),
        refers_to=_text(members, "refers_to") if "refers_to" in members else None,
        digests=_digests(members["_sd"]),
    )


def _check_fields(members: dict[str, Json]) -> None:
    # The version comes first: another version may well have other fields, and that is the thing to say.
    if "v" in members and (members["v"] != VERSION or isinstance(members["v"], bool)):
        raise UnknownVersion(f"expected an entry of version {VERSION}, met another; use a newer sealproof")
    for missing in sorted(_REQUIRED - members.keys()):
        raise MissingField(f"expected the field {missing!r} in an entry")
    for unknown in sorted(members.keys() - _REQUIRED - _OPTIONAL):
        raise UnknownField(f"expected no field {excerpt(unknown)} in an entry")
    if members["_sd_alg"] != ALGORITHM:
        raise UnsupportedAlgorithm(f"expected digests made with {ALGORITHM}")


def _number(members: dict[str, Json], name: str) -> int:
    value = members[name]
    if not isinstance(value, int) or isinstance(value, bool):
        raise WrongType(f"expected the entry's {name} to be an integer")
    return value


def _text(members: dict[str, Json], name: str) -> str:
    value = members[name]
    if not isinstance(value, str):
        raise WrongType(f"expected the entry's {name} to be a string")
    return value


def _relation(name: str) -> Relation:
    try:
        return Relation(name)
    except ValueError:
        raise OutOfRange(f"expected a known relation, met {excerpt(name)}") from None


def _digests(values: Json) -> tuple[str, ...]:
    if not isinstance(values, list):
        raise WrongType("expected the entry's _sd to be an array of strings")
    digests = tuple(value for value in values if isinstance(value, str))
    if len(digests) != len(values):
        raise WrongType("expected the entry's _sd to hold strings only")
    return digests


def _check_id(value: str) -> None:
    if not _ID.fullmatch(value):
        raise BadEncoding(f"expected an id of 32 lower-case hexadecimal digits, met {excerpt(value)}")


def _check_digests(digests: tuple[str, ...]) -> None:
    for value in digests:
        if not _DIGEST.fullmatch(value):
            b64url_decode(value, length=HASH_LENGTH)
    if any(left >= right for left, right in pairwise(digests)):
        raise NotCanonical("expected the digests of an entry in ascending order, each once")
