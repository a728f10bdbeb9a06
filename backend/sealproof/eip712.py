"""What the parties of an agreement sign: EIP-712 typed data, its digest, and the JSON that wallets show.

The structures, their order and their names are those of contracts/IEvidenceRegistry.sol; the digest of an
agreement is its key in the registry. Values only: nothing here knows whether anyone signed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sealproof.canonical import Json
from sealproof.errors import OutOfRange
from sealproof.fields import address, elements, integer, members, prefixed_hex, to_hex
from sealproof.keccak import keccak256
from sealproof.secp256k1 import parse_address

NAME: Final = "TalentSeal"
VERSION: Final = "1"
LEAST_PARTIES: Final = 2
MOST_PARTIES: Final = 8
ZERO_HASH: Final = bytes(32)
_MOST_UINT32: Final = 2**32 - 1
_MOST_UINT64: Final = 2**64 - 1
_MOST_UINT256: Final = 2**256 - 1

_DOMAIN_FIELDS: Final = (
    ("string", "name"),
    ("string", "version"),
    ("uint256", "chainId"),
    ("address", "verifyingContract"),
)
_PARTY_FIELDS: Final = (("bytes32", "organisation"), ("address", "signer"), ("uint64", "nonce"))
_AGREEMENT_FIELDS: Final = (
    ("bytes32", "agreementId"),
    ("uint32", "version"),
    ("bytes32", "previous"),
    ("bytes32", "commitment"),
    ("bytes32", "stipulationsRoot"),
    ("uint32", "stipulationCount"),
    ("uint64", "effectiveFrom"),
    ("uint64", "validThrough"),
    ("uint64", "deadline"),
    ("Party[]", "parties"),
)
_TERMINATION_FIELDS: Final = (
    ("bytes32", "agreement"),
    ("bytes32", "commitment"),
    ("uint64", "effectiveAt"),
    ("uint64", "deadline"),
    ("Party[]", "parties"),
)

_Members = tuple[tuple[str, str], ...]


def _type_text(name: str, fields: _Members) -> str:
    return name + "(" + ",".join(f"{kind} {field}" for kind, field in fields) + ")"


_PARTY_TYPE: Final = _type_text("Party", _PARTY_FIELDS)
AGREEMENT_TYPE: Final = _type_text("Agreement", _AGREEMENT_FIELDS) + _PARTY_TYPE
TERMINATION_TYPE: Final = _type_text("Termination", _TERMINATION_FIELDS) + _PARTY_TYPE
_DOMAIN_HASH: Final = keccak256(_type_text("EIP712Domain", _DOMAIN_FIELDS).encode("ascii"))
_PARTY_HASH: Final = keccak256(_PARTY_TYPE.encode("ascii"))
_AGREEMENT_HASH: Final = keccak256(AGREEMENT_TYPE.encode("ascii"))
_TERMINATION_HASH: Final = keccak256(TERMINATION_TYPE.encode("ascii"))
_NAME_HASH: Final = keccak256(NAME.encode("ascii"))
_VERSION_HASH: Final = keccak256(VERSION.encode("ascii"))


def _word(number: int) -> bytes:
    return number.to_bytes(32, "big")


def _account_word(account: str) -> bytes:
    return parse_address(account).rjust(32, b"\x00")


def _in_range(number: int, most: int, name: str) -> None:
    if not 0 <= number <= most:
        raise OutOfRange(f"{name}: expected an integer from 0 to {most}, met {number}")


def _is_hash(value: bytes, name: str) -> None:
    if len(value) != 32:
        raise OutOfRange(f"{name}: expected 32 bytes, met {len(value)}")


def _listed(fields: _Members) -> list[Json]:
    return [{"name": name, "type": kind} for kind, name in fields]


@dataclass(frozen=True, slots=True)
class Domain:
    """Where a signature holds: on one chain, for one contract.

    chain_id: 1 to 2^256 − 1. contract: EIP-55 address. Raises OutOfRange, BadEncoding.
    """

    chain_id: int
    contract: str

    def __post_init__(self) -> None:
        _in_range(self.chain_id, _MOST_UINT256, "chain_id")
        parse_address(self.contract)

    def separator(self) -> bytes:
        """The 32-byte domain separator (EIP-712)."""
        return keccak256(
            _DOMAIN_HASH + _NAME_HASH + _VERSION_HASH + _word(self.chain_id) + _account_word(self.contract)
        )

    def digest(self, struct_hash: bytes) -> bytes:
        """keccak256(0x1901 ‖ domain separator ‖ struct hash): the 32 bytes that are signed."""
        return keccak256(b"\x19\x01" + self.separator() + struct_hash)

    def typed_data(self, primary: str, fields: _Members, message: Json) -> dict[str, Json]:
        """The whole typed data as `eth_signTypedData_v4` takes it."""
        return {
            "types": {
                "EIP712Domain": _listed(_DOMAIN_FIELDS),
                primary: _listed(fields),
                "Party": _listed(_PARTY_FIELDS),
            },
            "primaryType": primary,
            "domain": {
                "name": NAME,
                "version": VERSION,
                "chainId": self.chain_id,
                "verifyingContract": self.contract,
            },
            "message": message,
        }


@dataclass(frozen=True, slots=True)
class Party:
    """One party and the key it signs with.

    organisation: 32 bytes, not zero. signer: EIP-55 address. nonce: uint64, the key's nonce in the registry
    at signing. Raises OutOfRange, BadEncoding.
    """

    organisation: bytes
    signer: str
    nonce: int

    def __post_init__(self) -> None:
        _is_hash(self.organisation, "organisation")
        parse_address(self.signer)
        _in_range(self.nonce, _MOST_UINT64, "nonce")

    def struct_hash(self) -> bytes:
        """hashStruct of EIP-712."""
        return keccak256(_PARTY_HASH + self.organisation + _account_word(self.signer) + _word(self.nonce))

    def to_json(self) -> dict[str, Json]:
        """As in a bundle; the keys are the same in a wallet's message."""
        return {"organisation": to_hex(self.organisation), "signer": self.signer, "nonce": self.nonce}

    @classmethod
    def from_json(cls, value: Json, path: str) -> "Party":
        """Reads what `to_json` writes. Raises a DecodeError that names the field under `path`."""
        fields = members(value, path, ("organisation", "signer", "nonce"))
        return cls(
            prefixed_hex(fields["organisation"], f"{path}.organisation"),
            address(fields["signer"], f"{path}.signer"),
            integer(fields["nonce"], f"{path}.nonce"),
        )


def _check_parties(parties: Sequence[Party]) -> None:
    """The registry's own rule: 2 to 8 parties, strictly ascending by organisation, none zero, each with its
    own key."""
    if not LEAST_PARTIES <= len(parties) <= MOST_PARTIES:
        raise OutOfRange(f"parties: expected {LEAST_PARTIES} to {MOST_PARTIES}, met {len(parties)}")
    before = ZERO_HASH
    for party in parties:
        if party.organisation <= before:
            raise OutOfRange("parties: expected strictly ascending organisations, none of them zero")
        before = party.organisation
    if len({party.signer for party in parties}) != len(parties):
        raise OutOfRange("parties: expected a signer of its own for each party")


def _parties_hash(parties: Sequence[Party]) -> bytes:
    return keccak256(b"".join(party.struct_hash() for party in parties))


def _read_parties(value: Json, path: str) -> tuple[Party, ...]:
    listed = elements(value, path, MOST_PARTIES)
    return tuple(Party.from_json(party, f"{path}[{place}]") for place, party in enumerate(listed))


@dataclass(frozen=True, slots=True)
class AgreementStatement:
    """One version of an agreement as every party signs it. Times are seconds since 1970 UTC.

    agreement_id, commitment (SHA-256 of the terms text): 32 bytes. version: from 1. previous: digest of the
    version it amends, zero for version 1. stipulations_root: RFC 9162 root over stipulation_count leaves.
    effective_from ≤ valid_through (last second in force). deadline: last second at which the signatures may
    be carried to the registry. parties: 2 to 8, strictly ascending by organisation. Raises OutOfRange.
    """

    agreement_id: bytes
    version: int
    previous: bytes
    commitment: bytes
    stipulations_root: bytes
    stipulation_count: int
    effective_from: int
    valid_through: int
    deadline: int
    parties: tuple[Party, ...]

    def __post_init__(self) -> None:
        for name in ("agreement_id", "previous", "commitment", "stipulations_root"):
            _is_hash(getattr(self, name), name)
        for name in ("version", "stipulation_count"):
            _in_range(getattr(self, name), _MOST_UINT32, name)
        for name in ("effective_from", "valid_through", "deadline"):
            _in_range(getattr(self, name), _MOST_UINT64, name)
        if self.version < 1:
            raise OutOfRange("version: expected 1 or more, met 0")
        if (self.version == 1) != (self.previous == ZERO_HASH):
            raise OutOfRange(
                "previous: expected zero for version 1 and the former digest for every later version"
            )
        if self.valid_through < self.effective_from:
            raise OutOfRange("valid_through: expected a time not before effective_from")
        _check_parties(self.parties)

    def struct_hash(self) -> bytes:
        """hashStruct of EIP-712."""
        return keccak256(
            _AGREEMENT_HASH
            + self.agreement_id
            + _word(self.version)
            + self.previous
            + self.commitment
            + self.stipulations_root
            + _word(self.stipulation_count)
            + _word(self.effective_from)
            + _word(self.valid_through)
            + _word(self.deadline)
            + _parties_hash(self.parties)
        )

    def digest(self, domain: Domain) -> bytes:
        """The 32 bytes that every party signs, and the key of this version in the registry."""
        return domain.digest(self.struct_hash())

    def typed_data(self, domain: Domain) -> dict[str, Json]:
        """What a wallet shows and signs (`eth_signTypedData_v4`)."""
        written = self.to_json()
        message = {_camel(key): value for key, value in written.items()}
        return domain.typed_data("Agreement", _AGREEMENT_FIELDS, message)

    def to_json(self) -> dict[str, Json]:
        """As in a bundle: hashes as 0x hex, numbers as numbers."""
        return {
            "agreement_id": to_hex(self.agreement_id),
            "version": self.version,
            "previous": to_hex(self.previous),
            "commitment": to_hex(self.commitment),
            "stipulations_root": to_hex(self.stipulations_root),
            "stipulation_count": self.stipulation_count,
            "effective_from": self.effective_from,
            "valid_through": self.valid_through,
            "deadline": self.deadline,
            "parties": [party.to_json() for party in self.parties],
        }

    @classmethod
    def from_json(cls, value: Json, path: str = "statement") -> "AgreementStatement":
        """Reads what `to_json` writes. Raises a DecodeError that names the field under `path`."""
        fields = members(value, path, _AGREEMENT_KEYS)
        return cls(
            agreement_id=prefixed_hex(fields["agreement_id"], f"{path}.agreement_id"),
            version=integer(fields["version"], f"{path}.version", 1, _MOST_UINT32),
            previous=prefixed_hex(fields["previous"], f"{path}.previous"),
            commitment=prefixed_hex(fields["commitment"], f"{path}.commitment"),
            stipulations_root=prefixed_hex(fields["stipulations_root"], f"{path}.stipulations_root"),
            stipulation_count=integer(
                fields["stipulation_count"], f"{path}.stipulation_count", 0, _MOST_UINT32
            ),
            effective_from=integer(fields["effective_from"], f"{path}.effective_from"),
            valid_through=integer(fields["valid_through"], f"{path}.valid_through"),
            deadline=integer(fields["deadline"], f"{path}.deadline"),
            parties=_read_parties(fields["parties"], f"{path}.parties"),
        )


@dataclass(frozen=True, slots=True)
class TerminationStatement:
    """The end of an agreement version as every party signs it. Times are seconds since 1970 UTC.

    agreement: digest of the version that ends. commitment: SHA-256 of the termination's text. effective_at:
    last second in force. deadline and parties as in an agreement. Raises OutOfRange.
    """

    agreement: bytes
    commitment: bytes
    effective_at: int
    deadline: int
    parties: tuple[Party, ...]

    def __post_init__(self) -> None:
        _is_hash(self.agreement, "agreement")
        _is_hash(self.commitment, "commitment")
        _in_range(self.effective_at, _MOST_UINT64, "effective_at")
        _in_range(self.deadline, _MOST_UINT64, "deadline")
        _check_parties(self.parties)

    def struct_hash(self) -> bytes:
        """hashStruct of EIP-712."""
        return keccak256(
            _TERMINATION_HASH
            + self.agreement
            + self.commitment
            + _word(self.effective_at)
            + _word(self.deadline)
            + _parties_hash(self.parties)
        )

    def digest(self, domain: Domain) -> bytes:
        """The 32 bytes that every party signs."""
        return domain.digest(self.struct_hash())

    def typed_data(self, domain: Domain) -> dict[str, Json]:
        """What a wallet shows and signs (`eth_signTypedData_v4`)."""
        message = {_camel(key): value for key, value in self.to_json().items()}
        return domain.typed_data("Termination", _TERMINATION_FIELDS, message)

    def to_json(self) -> dict[str, Json]:
        """As in a bundle: hashes as 0x hex, numbers as numbers."""
        return {
            "agreement": to_hex(self.agreement),
            "commitment": to_hex(self.commitment),
            "effective_at": self.effective_at,
            "deadline": self.deadline,
            "parties": [party.to_json() for party in self.parties],
        }

    @classmethod
    def from_json(cls, value: Json, path: str = "termination") -> "TerminationStatement":
        """Reads what `to_json` writes. Raises a DecodeError that names the field under `path`."""
        fields = members(value, path, _TERMINATION_KEYS)
        return cls(
            agreement=prefixed_hex(fields["agreement"], f"{path}.agreement"),
            commitment=prefixed_hex(fields["commitment"], f"{path}.commitment"),
            effective_at=integer(fields["effective_at"], f"{path}.effective_at"),
            deadline=integer(fields["deadline"], f"{path}.deadline"),
            parties=_read_parties(fields["parties"], f"{path}.parties"),
        )


def _camel(key: str) -> str:
    first, *rest = key.split("_")
    return first + "".join(part.capitalize() for part in rest)


_AGREEMENT_KEYS: Final = (
    "agreement_id",
    "version",
    "previous",
    "commitment",
    "stipulations_root",
    "stipulation_count",
    "effective_from",
    "valid_through",
    "deadline",
    "parties",
)
_TERMINATION_KEYS: Final = ("agreement", "commitment", "effective_at", "deadline", "parties")
