"""Somebody shows an offline proof at a counter that has a network: it is looked at, and nothing follows.

No presentation is made, so nothing can be redeemed. The proof is held against the keys and, since that can be
done here, against the code as it is now.
"""

from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from talentseal.accounts.roles import Actor
from talentseal.credentials import profiles, proofs, tc2
from talentseal.credentials.master_keys import MasterKeys
from talentseal.credentials.presenting import STATES, Credentials, Refused, Unfit, refuse
from talentseal.credentials.profiles import Profile
from talentseal.credentials.refusals import Refusal
from talentseal.credentials.tc2 import OfflineProof, ProofKey
from talentseal.partners.counter import Place, counter_of
from talentseal.policy.tiers import Tier
from talentseal.talents import people
from talentseal.talents.models import AccessPurpose, FieldGroup, TalentCode, TalentFields


@dataclass(frozen=True, slots=True)
class Seen:
    """What an offline proof shows. surname: masked. tier: of now. issued_at, expires_at: of the proof.

    key_version: of the key that signed it, in use since key_first_day. revocations_at: as of when it is known
    that the code was not stopped.
    """

    surname: str = field(repr=False)
    tier: Tier
    issued_at: datetime
    expires_at: datetime
    key_version: int
    key_first_day: date
    revocations_at: datetime


def is_proof(text: str) -> bool:
    """Whether what was scanned has the outward form of an offline proof."""
    presented = profiles.presented(text)
    return not isinstance(presented, Refusal) and presented.profile is Profile.TC2


def inspect(
    session: Session, actor: Actor, credentials: Credentials, place: Place, text: str, *, now: datetime
) -> Seen | Refused:
    """Look at a proof, with the trace of that for its holder; or note why it shows nobody. Only within a
    write.

    Raises NotPermitted and TerminalUnknown, with nothing noted.
    """
    counter = counter_of(session, actor, place)
    found = _verified(credentials.keys, text, now)
    if isinstance(found, Refusal):
        return refuse(session, counter, Unfit(found), now=now)
    proof, key = found
    basic = and_(TalentFields.talent_id == TalentCode.talent_id, TalentFields.group == FieldGroup.BASIC)
    query = (
        select(TalentCode, TalentFields.sealed)
        .outerjoin(TalentFields, basic)
        .where(TalentCode.code_ref == proof.code_ref)
    )
    row = session.execute(query).one_or_none()
    if row is None:
        return refuse(session, counter, Unfit(Refusal.CODE_TERMINATED), now=now)
    code, sealed = row
    if withheld := STATES.get(code.state):
        return refuse(session, counter, Unfit(withheld, code.id), now=now)
    people.note_access(
        session, actor, code.talent_id, AccessPurpose.OFFLINE_PROOF, [FieldGroup.BASIC], now=now
    )
    return Seen(
        people.masked_name(credentials.vault, code.talent_id, sealed),
        code.tier,
        proof.issued_at,
        proof.expires_at,
        key.version,
        proofs.first_day_of(credentials.keys, key.version),
        revocations_at=now,
    )


def _verified(keys: MasterKeys, text: str, now: datetime) -> tuple[OfflineProof, ProofKey] | Refusal:
    presented = profiles.presented(text)
    if isinstance(presented, Refusal):
        return presented
    known = {key.kid: key for key in tc2.proof_keys(keys)}
    proof = tc2.verify({kid: key.public for kid, key in known.items()}, presented.text, now=now)
    return proof if isinstance(proof, Refusal) else (proof, known[proof.kid])
