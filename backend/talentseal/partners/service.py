"""Signing keys: asked for → proven → registered (on the contract too) → revoked.

An organisation's key counts only after the organisation has shown that it holds the private half, and after
somebody else, the operator, has approved it. Registration and revocation go to the contract as acts and into
the log.
"""

import hashlib
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import ClassVar, Final

from sqlalchemy import bindparam, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from sealproof import canonical, secp256k1
from sealproof.errors import ProofError
from sealproof.keccak import keccak256
from talentseal import evidence
from talentseal.accounts.models import Organisation
from talentseal.accounts.roles import Actor, Permission
from talentseal.db import rows
from talentseal.errors import Conflict, Invalid, NotFound
from talentseal.evidence import acts
from talentseal.evidence.models import ActKind
from talentseal.partners.events import KeyAct, SigningKeyChanged
from talentseal.partners.models import KeyChange, KeyState, OrganisationKey
from talentseal.partners.schemas import RequestKey

CHALLENGE_TERM: Final = timedelta(minutes=15)
"""How long a challenge may be answered."""

DEFAULT_VALIDITY: Final = timedelta(days=730)


class KeyNotFound(NotFound):
    code: ClassVar[str] = "signing-key-not-found"
    zh: ClassVar[str] = "没有找到该签名密钥，或您无权查看。请核对地址。"
    en: ClassVar[str] = "This signing key does not exist or is not yours to see; check the address."


class KeyStateRefused(Conflict):
    code: ClassVar[str] = "signing-key-state"
    zh: ClassVar[str] = "签名密钥当前状态为 {state}，不能执行此操作。"
    en: ClassVar[str] = "The signing key is {state}, which does not allow this."


class PublicKeyRefused(Invalid):
    code: ClassVar[str] = "public-key-refused"
    zh: ClassVar[str] = "地址 {address} 的私钥是公开的测试密钥，仅可用于演示模式。请生成新的密钥。"
    en: ClassVar[str] = (
        "The private key of {address} is public and allowed in demonstrations only; create a new key."
    )


class ValidityRefused(Invalid):
    code: ClassVar[str] = "validity-refused"
    zh: ClassVar[str] = "有效期有误：结束时间须晚于开始时间且晚于现在。"
    en: ClassVar[str] = "The validity is wrong: it must end after it begins and after now."


class PossessionNotProven(Invalid):
    code: ClassVar[str] = "possession-not-proven"
    zh: ClassVar[str] = "签名与所申请的地址不符，未能证明持有私钥。请用该密钥对质询文本重新签名（EIP-191）。"
    en: ClassVar[str] = (
        "The signature is not of the requested address; sign the challenge text with that key (EIP-191)."
    )


class ChallengeExpired(Conflict):
    code: ClassVar[str] = "challenge-expired"
    zh: ClassVar[str] = "质询已过期，请重新申请该密钥。"
    en: ClassVar[str] = "The challenge has expired; ask for the key again."


class OwnRequest(Conflict):
    code: ClassVar[str] = "own-request"
    zh: ClassVar[str] = "申请人不能批准自己的申请，请由另一账户批准。"
    en: ClassVar[str] = "Whoever asked cannot approve; another account must."


class SigningKeyInvalid(Conflict):
    code: ClassVar[str] = "signing-key-invalid"
    zh: ClassVar[str] = "机构 {organisation} 的签名密钥 {address} 未登记、已撤销或不在有效期内。"
    en: ClassVar[str] = (
        "Key {address} of organisation {organisation} is not registered, revoked or out of its validity."
    )


class NoSigningKey(Conflict):
    code: ClassVar[str] = "no-signing-key"
    zh: ClassVar[str] = "机构 {organisation} 没有有效的签名密钥。请先登记密钥。"
    en: ClassVar[str] = "Organisation {organisation} has no valid signing key; register one first."


class SeveralSigningKeys(Conflict):
    code: ClassVar[str] = "several-signing-keys"
    zh: ClassVar[str] = "机构 {organisation} 有多个有效签名密钥，请在 signer 中指明使用哪一个。"
    en: ClassVar[str] = "Organisation {organisation} has several valid keys; name one as `signer`."


def request_key(
    session: Session, actor: Actor, command: RequestKey, *, now: datetime, refused: Collection[str]
) -> OrganisationKey:
    """Ask for a key of the actor's organisation; answers with the challenge that the key must sign.

    refused: addresses that nobody may register. Asking again before approval renews the challenge.
    Raises NotPermitted, PublicKeyRefused, ValidityRefused, KeyStateRefused.
    """
    actor.require(Permission.SIGNING_KEY_REQUEST)
    if command.address in refused:
        raise PublicKeyRefused(address=command.address)
    valid_from = command.valid_from or now
    valid_until = command.valid_until or valid_from + DEFAULT_VALIDITY
    if valid_until <= max(valid_from, now):
        raise ValidityRefused
    key = _locked(session, actor.organisation_id, command.address)
    if key is None:
        key = OrganisationKey(organisation_id=actor.organisation_id, address=command.address, nonce=0)
        session.add(key)
    elif key.state is KeyState.REGISTERED:
        raise KeyStateRefused(state=key.state.value)
    # Whole seconds: that is what the contract stores, and both must agree.
    key.valid_from, key.valid_until = valid_from.replace(microsecond=0), valid_until.replace(microsecond=0)
    key.state, key.proof, key.decided_by, key.decided_at, key.revoked_at = (
        KeyState.REQUESTED,
        None,
        None,
        None,
        None,
    )
    key.requested_by, key.requested_at = actor.account_id, now
    key.challenge_expires_at = now + CHALLENGE_TERM
    key.challenge = _challenge(actor.organisation_id, command.address, key.challenge_expires_at)
    try:
        session.flush()
    except IntegrityError:  # a rival asked for the same key in the same instant
        raise Conflict from None
    return key


def prove_key(
    session: Session, actor: Actor, address: str, signature: str, *, now: datetime
) -> OrganisationKey:
    """Take the key's signature over its challenge.

    Raises KeyNotFound, KeyStateRefused, ChallengeExpired, PossessionNotProven.
    """
    actor.require(Permission.SIGNING_KEY_REQUEST)
    key = _locked(session, actor.organisation_id, address)
    if key is None:
        raise KeyNotFound
    if key.state is KeyState.PROVEN and key.proof == signature:
        return key
    if key.state is not KeyState.REQUESTED:
        raise KeyStateRefused(state=key.state.value)
    if now > key.challenge_expires_at:
        raise ChallengeExpired
    try:
        signer = secp256k1.recover(personal_digest(key.challenge), bytes.fromhex(signature[2:]))
    except ProofError:
        raise PossessionNotProven from None
    if signer != key.address:
        raise PossessionNotProven
    key.state, key.proof = KeyState.PROVEN, signature
    session.flush()
    return key


def approve_key(
    session: Session, actor: Actor, organisation_id: str, address: str, *, now: datetime
) -> OrganisationKey:
    """Register a proven key, here and (queued) on the contract.

    Raises NotPermitted, KeyNotFound, KeyStateRefused, OwnRequest, ValidityRefused.
    """
    actor.require(Permission.SIGNING_KEY_DECIDE)
    key = _locked(session, organisation_id, address)
    if key is None:
        raise KeyNotFound
    if key.state is not KeyState.PROVEN:
        raise KeyStateRefused(state=key.state.value)
    if key.requested_by == actor.account_id:
        raise OwnRequest
    if key.valid_until <= now:
        raise ValidityRefused
    key.state, key.decided_by, key.decided_at = KeyState.REGISTERED, actor.account_id, now
    _carry(session, key, ActKind.SET_KEY, KeyAct.REGISTERED, now=now)
    return key


def revoke_key(
    session: Session, actor: Actor, organisation_id: str, address: str, *, now: datetime
) -> OrganisationKey:
    """Stop a key at once, here and (queued) on the contract. Its own organisation or the operator may.

    Raises NotPermitted, KeyNotFound, KeyStateRefused.
    """
    if actor.organisation_id != organisation_id:
        actor.require(Permission.SIGNING_KEY_DECIDE)
    actor.require(Permission.SIGNING_KEY_REQUEST)
    key = _locked(session, organisation_id, address)
    if key is None:
        raise KeyNotFound
    if key.state is KeyState.REVOKED:
        return key
    registered = key.state is KeyState.REGISTERED
    key.state, key.revoked_at = KeyState.REVOKED, now
    if registered:
        _carry(session, key, ActKind.REVOKE_KEY, KeyAct.REVOKED, now=now)
    session.flush()
    return key


def keys_of(session: Session, actor: Actor, organisation_id: str) -> list[OrganisationKey]:
    """All keys of an organisation: one's own, or any for the operator. Raises KeyNotFound for others."""
    if actor.organisation_id != organisation_id and not actor.may(Permission.SIGNING_KEY_DECIDE):
        raise KeyNotFound
    query = select(OrganisationKey).where(OrganisationKey.organisation_id == organisation_id)
    return list(session.scalars(query.order_by(OrganisationKey.requested_at, OrganisationKey.address)))


def waiting_keys(session: Session, actor: Actor) -> list[tuple[OrganisationKey, Organisation]]:
    """Proven keys that wait for approval, the oldest first; none for whoever cannot approve."""
    if not actor.may(Permission.SIGNING_KEY_DECIDE):
        return []
    query = (
        select(OrganisationKey, Organisation)
        .join(Organisation, Organisation.id == OrganisationKey.organisation_id)
        .where(OrganisationKey.state == KeyState.PROVEN)
        .order_by(OrganisationKey.requested_at, OrganisationKey.address)
    )
    return [(key, owner) for key, owner in session.execute(query)]


_IS_VALID: Final = (
    OrganisationKey.state == KeyState.REGISTERED,
    OrganisationKey.valid_from <= bindparam("now"),
    OrganisationKey.valid_until > bindparam("now"),
)
"""Whether one can sign with a key at the time `now`."""


def valid_key(
    session: Session, organisation_id: str, address: str | None, *, now: datetime
) -> OrganisationKey:
    """The key by which an organisation signs now: the named one, or its only one.

    Raises SigningKeyInvalid, NoSigningKey, SeveralSigningKeys.
    """
    query = select(OrganisationKey).where(*_IS_VALID, OrganisationKey.organisation_id == organisation_id)
    if address is not None:
        key = session.scalars(query.where(OrganisationKey.address == address), {"now": now}).one_or_none()
        if key is None:
            raise SigningKeyInvalid(organisation=organisation_id, address=address)
        return key
    keys = session.scalars(query.limit(2), {"now": now}).all()
    if len(keys) > 1:
        raise SeveralSigningKeys(organisation=organisation_id)
    if not keys:
        raise NoSigningKey(organisation=organisation_id)
    return keys[0]


_VALID: Final = (
    select(OrganisationKey.organisation_id, OrganisationKey.address)
    .where(*_IS_VALID)
    .order_by(OrganisationKey.address)
)
_VALID_ONE: Final = _VALID.where(
    OrganisationKey.organisation_id == bindparam("organisation"),
    OrganisationKey.address == bindparam("address"),
)


def is_valid(session: Session, organisation_id: str, address: str, *, now: datetime) -> bool:
    """Whether the organisation can sign with that key now."""
    return bool(rows(session, _VALID_ONE, now=now, organisation=organisation_id, address=address))


def valid_addresses(session: Session, *, now: datetime) -> dict[str, list[str]]:
    """The addresses with which each organisation can sign now; they stand on the chain for everyone."""
    found: dict[str, list[str]] = {}
    for owner, address in rows(session, _VALID, now=now):
        found.setdefault(owner, []).append(address)
    return found


def registered_keys(session: Session) -> list[tuple[str, str, int]]:
    """(organisation, address, last known nonce) of every registered key: what the worker compares with the
    chain.
    """
    registered = select(OrganisationKey).where(OrganisationKey.state == KeyState.REGISTERED)
    return [(key.organisation_id, key.address, key.nonce) for key in session.scalars(registered)]


def note_nonce(session: Session, organisation_id: str, address: str, nonce: int) -> None:
    """Keep what the contract says about a key's nonce; a higher one voids the signatures given before."""
    key = _locked(session, organisation_id, address)
    if key is not None:
        key.nonce = nonce


def personal_digest(text: str) -> bytes:
    """What a wallet signs for `text` (EIP-191, version 0x45)."""
    raw = text.encode()
    return keccak256(b"\x19Ethereum Signed Message:\n" + str(len(raw)).encode() + raw)


def _challenge(organisation_id: str, address: str, expires_at: datetime) -> str:
    return "\n".join(
        (
            "TalentSeal 人才存证: proof that an organisation holds its signing key 签名密钥持有证明",
            f"organisation: {organisation_id}",
            f"address: {address}",
            f"challenge: {secrets.token_hex(16)}",
            f"expires: {expires_at:%Y-%m-%dT%H:%M:%SZ}",
        )
    )


def _locked(session: Session, organisation_id: str, address: str) -> OrganisationKey | None:
    return session.get(OrganisationKey, (organisation_id, address), with_for_update=True)


def _carry(session: Session, key: OrganisationKey, kind: ActKind, act: KeyAct, *, now: datetime) -> None:
    """Leave the evidence and the registry act of a key's change."""
    recorded = evidence.record(
        session,
        SigningKeyChanged(key.organisation_id, key.address, act, key.valid_from, key.valid_until),
        now=now,
    )
    session.add(
        KeyChange(record_id=recorded.id, organisation_id=key.organisation_id, address=key.address, act=act)
    )
    payload: dict[str, str | int] = {"organisation": key.organisation_id, "signer": key.address}
    if kind is ActKind.SET_KEY:
        payload |= {
            "valid_from": int(key.valid_from.timestamp()),
            "valid_until": int(key.valid_until.timestamp()),
        }
    # The record makes the digest of a second registration of the same key differ from the first.
    meaning = {"kind": kind.value, "record": recorded.id, **payload}
    digest = "0x" + hashlib.sha256(canonical.encode(meaning)).hexdigest()
    acts.enqueue(session, kind, digest=digest, payload=payload, now=now, record_id=recorded.id)


def own_only(actor: Actor, organisation_id: str) -> None:
    """Refuse what concerns another organisation as if it did not exist. Raises KeyNotFound."""
    if actor.organisation_id != organisation_id:
        raise KeyNotFound
