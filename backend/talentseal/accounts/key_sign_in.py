"""Signing in by an organisation's signing key: it signs a challenge (EIP-712) that says for whom it is.

The challenge names this service's address, so that a signature given to another site opens nothing here; it
is answered once, within five minutes, by the browser that asked for it. It holds no contract's address: what
is signed here can never be taken for a statement to the registry.
"""

import json
import re
import secrets
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from sealproof import secp256k1
from sealproof.errors import ProofError
from sealproof.keccak import keccak256
from talentseal.accounts import sessions
from talentseal.accounts.arrival import Arrival
from talentseal.accounts.models import Account, KeyChallenge
from talentseal.accounts.signing_in import Door, Known, known_by_id
from talentseal.errors import TalentSealError

_ADDRESS: Final = re.compile(r"0x[0-9a-fA-F]{40}\Z")
_NONCE: Final = re.compile(r"0x[0-9a-f]{64}\Z")
TERM: Final = timedelta(minutes=5)
NAME: Final = "TalentSeal sign-in"
VERSION: Final = "1"
_DOMAIN: Final = (("string", "name"), ("string", "version"), ("uint256", "chainId"))
_MESSAGE: Final = (
    ("string", "origin"),
    ("address", "address"),
    ("bytes32", "nonce"),
    ("string", "issued"),
    ("string", "expires"),
)


class ChallengeUnknown(TalentSealError):
    code: ClassVar[str] = "challenge-unknown"
    status: ClassVar[int] = 401
    zh: ClassVar[str] = "登录质询已过期或已使用。请重新开始。"
    en: ClassVar[str] = "The challenge has expired or was used; begin again."


class KeyRefused(TalentSealError):
    code: ClassVar[str] = "sign-in-key-refused"
    status: ClassVar[int] = 401
    zh: ClassVar[str] = "签名与地址不符。请用该地址的密钥对质询签名（EIP-712）。"
    en: ClassVar[str] = "The signature is not of that address; sign the challenge with its key (EIP-712)."


class KeyOpensNothing(TalentSealError):
    code: ClassVar[str] = "key-opens-nothing"
    status: ClassVar[int] = 403
    zh: ClassVar[str] = (
        "没有账户以此密钥登录，或该密钥未登记、已撤销、不在有效期内。请先以密码登录并在“我的账户”中设置。"
    )
    en: ClassVar[str] = (
        "No account signs in by this key, or it is not registered, revoked or out of its validity;"
        " sign in by password and set it on your account's page."
    )


@dataclass(frozen=True, slots=True)
class Challenge:
    """What is signed. origin: URL of the service. nonce: 0x, 64 hex digits. issued, expires: UTC, as text."""

    chain_id: int
    origin: str
    address: str
    nonce: str
    issued: str
    expires: str

    def typed_data(self) -> dict[str, Any]:
        """As `eth_signTypedData_v4` takes it."""
        message = asdict(self)
        del message["chain_id"]
        return {
            "types": {"EIP712Domain": _listed(_DOMAIN), "SignIn": _listed(_MESSAGE)},
            "primaryType": "SignIn",
            "domain": {"name": NAME, "version": VERSION, "chainId": self.chain_id},
            "message": message,
        }

    def digest(self) -> bytes:
        """The 32 bytes that are signed."""
        domain = _struct("EIP712Domain", _DOMAIN, NAME, VERSION, self.chain_id)
        values = (self.origin, self.address, self.nonce, self.issued, self.expires)
        return keccak256(b"\x19\x01" + domain + _struct("SignIn", _MESSAGE, *values))

    @classmethod
    def parse(cls, typed_data: Any) -> "Challenge":
        """The challenge of such typed data. Raises ValueError for any other."""
        try:
            domain, message = typed_data["domain"], typed_data["message"]
            met = cls(chain_id=domain["chainId"], **message)
            is_whole = met.typed_data() == typed_data and type(met.chain_id) is int
        except (KeyError, TypeError) as error:
            raise ValueError("expected a sign-in challenge of TalentSeal") from error
        if not (is_whole and all(type(value) is str for value in message.values())):
            raise ValueError("expected a sign-in challenge of TalentSeal and nothing besides")
        if not (_ADDRESS.match(met.address) and _NONCE.match(met.nonce)):
            raise ValueError("expected an address and a nonce of 32 bytes")
        return met


def _listed(fields: tuple[tuple[str, str], ...]) -> list[dict[str, str]]:
    return [{"name": name, "type": kind} for kind, name in fields]


def _struct(name: str, fields: tuple[tuple[str, str], ...], *values: Any) -> bytes:
    """hashStruct of EIP-712."""
    written = f"{name}({','.join(f'{kind} {field}' for kind, field in fields)})"
    words = (_word(kind, value) for (kind, _), value in zip(fields, values, strict=True))
    return keccak256(keccak256(written.encode("ascii")) + b"".join(words))


def _word(kind: str, value: Any) -> bytes:
    if kind == "string":
        return keccak256(value.encode())
    if kind == "uint256":
        return int(value).to_bytes(32, "big")
    return bytes.fromhex(value.removeprefix("0x")).rjust(32, b"\0")


@dataclass(frozen=True, slots=True)
class Asked:
    """token: by which the browser answers."""

    challenge: Challenge
    token: str


def ask(door: Door, arrival: Arrival, address: str) -> Asked:
    """Make a challenge for an address, whether or not any account signs in by it.

    Raises TooManyAttempts, NoEpochOpen.
    """
    door.throttle.admit_challenge(arrival.address)
    token = sessions.new_token()
    chain_id = arrival.database.read(lambda session: door.domain(session).chain_id)
    expires = arrival.now + TERM
    challenge = Challenge(
        chain_id, door.origin, address, "0x" + secrets.token_hex(32), _text(arrival.now), _text(expires)
    )
    row = {
        "token_hash": sessions.token_hash(token),
        "address": address,
        "typed_data": json.dumps(challenge.typed_data()),
        "expires_at": expires,
    }
    arrival.database.write(lambda session: session.execute(insert(KeyChallenge).values(row)))
    return Asked(challenge, token)


def answer(door: Door, arrival: Arrival, token: str, address: str, signature: str) -> Known:
    """Whose account the signature opens; the challenge is used up, whatever the outcome.

    signature: 0x and 65 bytes. Raises ChallengeUnknown, KeyRefused, KeyOpensNothing.
    """
    row_hash = sessions.token_hash(token)
    challenge = arrival.database.write(lambda session: _used(session, row_hash, arrival.now))
    if challenge is None or challenge.address != address:
        raise ChallengeUnknown
    try:
        signer = secp256k1.recover(challenge.digest(), bytes.fromhex(signature[2:]))
    except ProofError:
        raise KeyRefused from None
    if signer != address:
        raise KeyRefused
    return arrival.database.read(lambda session: _holder(session, door, address, arrival.now))


def _used(session: Session, row_hash: str, now: datetime) -> Challenge | None:
    """Take a challenge off the table: of two that answer it at once, one finds it."""
    written = session.execute(
        delete(KeyChallenge)
        .where(KeyChallenge.token_hash == row_hash, KeyChallenge.expires_at > now)
        .returning(KeyChallenge.typed_data)
    ).scalar_one_or_none()
    return None if written is None else Challenge.parse(json.loads(written))


def _holder(session: Session, door: Door, address: str, now: datetime) -> Known:
    account = session.scalars(select(Account).where(Account.signing_address == address)).one_or_none()
    known = known_by_id(session, account.id) if account else None
    if account is None or known is None:
        raise KeyOpensNothing
    if not door.holds_key(session, account.organisation_id or "", address, now):
        raise KeyOpensNothing
    return known


def _text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
