"""TC2, the proof that is shown where there is no network: a CWT (RFC 8392) as COSE_Sign1 (RFC 9052), EdDSA.

For display only: it says which tier a live code had at most ten minutes ago, and nothing is redeemed by it.
It can be copied while it lives and not be revoked one by one; whoever looks at it has to look at the person.

    protected   {1: -8, 4: kid}            EdDSA; kid: 8 letters, from the public key's SHA-256
    payload     {4: exp, 6: iat, -65537: tier, -65538: code_ref}       integers, 8 bytes

118 bytes in RFC 8949 §4.2.1's deterministic encoding, and no other is taken.
"""

import base64
import hashlib
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from talentseal.clock import legal_date
from talentseal.credentials import profiles
from talentseal.credentials.master_keys import MasterKey, MasterKeys, derive
from talentseal.credentials.profiles import Profile
from talentseal.credentials.refusals import Refusal
from talentseal.credentials.tc1 import REF_SIZE, SKEW

LIFETIME: Final = timedelta(minutes=10)
LAST_TIER: Final = 23
"""Tiers are numbers of one byte, 1 to 23."""

_SIGN1: Final = 18
_ALG, _KID, _EDDSA = 1, 4, -8
_EXP, _IAT, _TIER, _CODE_REF = 4, 6, -65537, -65538
_PLACES: Final = struct.Struct(">8x8s6xI2xI5xB6x8s2x64s")
"""Where kid, exp, iat, tier, code_ref and signature stand in the 118 bytes."""


@dataclass(frozen=True, slots=True)
class OfflineProof:
    """What the service signed. tier: 1 to 23. code_ref: 8 bytes, to hold against a list of revoked codes.

    kid: of the key that signed it.
    """

    tier: int
    code_ref: bytes
    issued_at: datetime
    kid: bytes

    @property
    def expires_at(self) -> datetime:
        return self.issued_at + LIFETIME


@dataclass(frozen=True, slots=True)
class ProofKey:
    """A public key under which proofs are taken. public: 32 bytes (RFC 8032)."""

    version: int
    public: bytes

    @property
    def kid(self) -> bytes:
        """8 ASCII letters, so that the bytes of COSE and the text of a JWK are the same."""
        return base64.urlsafe_b64encode(hashlib.sha256(self.public).digest()[:6])

    def to_jwk(self) -> dict[str, str]:
        """As RFC 8037 writes it."""
        return {
            "kty": "OKP",
            "crv": "Ed25519",
            "alg": "EdDSA",
            "use": "sig",
            "kid": self.kid.decode("ascii"),
            "x": base64.urlsafe_b64encode(self.public).rstrip(b"=").decode("ascii"),
        }


def proof_keys(keys: MasterKeys) -> list[ProofKey]:
    """One of each trusted version, also of those whose first day has not come: who fetches the list once a
    day has tomorrow's key today.
    """
    return [ProofKey(key.version, _private(key).public_key().public_bytes_raw()) for key in keys.versions]


def sign(keys: MasterKeys, code_ref: bytes, tier: int, *, now: datetime) -> str:
    """The text of a fresh proof. Raises KeyMissing."""
    if len(code_ref) != REF_SIZE or not 1 <= tier <= LAST_TIER:
        raise ValueError(f"expected {REF_SIZE} bytes and a tier of 1 to {LAST_TIER}")
    private = _private(keys.in_use(legal_date(now)))
    kid = ProofKey(0, private.public_key().public_bytes_raw()).kid
    protected, payload = _encode({_ALG: _EDDSA, _KID: kid}), _claims(int(now.timestamp()), tier, code_ref)
    signature = private.sign(_to_sign(protected, payload))
    return profiles.write(Profile.TC2, _message(protected, payload, signature))


def verify(trusted: Mapping[bytes, bytes], text: str, *, now: datetime) -> OfflineProof | Refusal:
    """What a proof says; TOKEN_MALFORMED, TOKEN_FORGED or TOKEN_EXPIRED. Never raises for a text.

    trusted: public keys by kid.
    """
    octets = profiles.read(Profile.TC2, text)
    if octets is None:
        return Refusal.TOKEN_MALFORMED
    # No decoder sees bytes of a stranger: the values are taken from where they stand in every proof, and
    # what they encode to has to be what came in.
    kid, _, second, tier, code_ref, signature = _PLACES.unpack(octets)
    protected, payload = _encode({_ALG: _EDDSA, _KID: kid}), _claims(second, tier, code_ref)
    if _message(protected, payload, signature) != octets or tier == 0:
        return Refusal.TOKEN_MALFORMED
    try:
        Ed25519PublicKey.from_public_bytes(trusted[kid]).verify(signature, _to_sign(protected, payload))
    except (KeyError, InvalidSignature):
        return Refusal.TOKEN_FORGED
    issued_at = datetime.fromtimestamp(second, UTC)
    if not -SKEW <= now - issued_at <= LIFETIME + SKEW:
        return Refusal.TOKEN_EXPIRED
    return OfflineProof(tier, code_ref, issued_at, kid)


def _claims(second: int, tier: int, code_ref: bytes) -> bytes:
    lasting = int(LIFETIME.total_seconds())
    return _encode({_EXP: second + lasting, _IAT: second, _TIER: tier, _CODE_REF: code_ref})


def _message(protected: bytes, payload: bytes, signature: bytes) -> bytes:
    return _encode(cbor2.CBORTag(_SIGN1, [protected, {}, payload, signature]))


def _encode(value: Any) -> bytes:
    return cbor2.dumps(value, canonical=True)


def _to_sign(protected: bytes, payload: bytes) -> bytes:
    """Sig_structure (RFC 9052 §4.4) without external data."""
    return _encode(["Signature1", protected, b"", payload])


def _private(key: MasterKey) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(derive(key.secret, "TC2"))
