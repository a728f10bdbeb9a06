"""Offline proofs (TC2): what is signed of a code, and what whoever looks at one without a network trusts."""

from datetime import date, datetime
from typing import Final

from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from talentseal.accounts.roles import Actor, Permission
from talentseal.credentials import tc2
from talentseal.credentials.master_keys import MasterKeys
from talentseal.credentials.tc1 import SKEW
from talentseal.policy.tiers import Tier
from talentseal.talents.models import CodeState, CodeStep, TalentCode

NUMBERS: Final = {
    Tier.HIGH_A: 1,
    Tier.HIGH_B: 2,
    Tier.HIGH_C: 3,
    Tier.HIGH_D: 4,
    Tier.HIGH_E: 5,
    Tier.YOUTH: 6,
    Tier.SOCIALISED: 7,
    Tier.RESERVE: 8,
}
"""How a proof names a tier. A number is never given to another tier: terminals keep the list."""


class TrustedKey(BaseModel):
    """A key under which proofs are taken. jwk: as RFC 8037 writes it. first_day: from which it signs."""

    version: int
    first_day: date
    jwk: dict[str, str]


class ProofTrust(BaseModel):
    """What a terminal fetches while it can, to look at proofs when it cannot; it shows the age of `made_at`.

    revoked: references (16 hex digits) of the codes that were stopped while proofs of theirs may still live;
    a proof outlives its code by ten minutes at most, so older ones are not in the list.
    """

    made_at: datetime
    keys: list[TrustedKey]
    tiers: dict[int, Tier] = Field(description="What the number of a tier in a proof means")
    lifetime_seconds: int
    skew_seconds: int
    revoked: list[str]


def sign(keys: MasterKeys, code: TalentCode, *, now: datetime) -> str:
    """The text of a fresh proof of a code that is ACTIVE. Raises KeyMissing."""
    return tc2.sign(keys, code.code_ref, NUMBERS[code.tier], now=now)


def trust(session: Session, actor: Actor, keys: MasterKeys, *, now: datetime) -> ProofTrust:
    """What proofs are held against now. Raises NotPermitted."""
    actor.require(Permission.COUNTER_SERVE)
    stopped = (
        select(TalentCode.code_ref)
        .join(CodeStep, CodeStep.code_id == TalentCode.id)
        .where(
            CodeStep.at >= now - tc2.LIFETIME - SKEW,
            CodeStep.state != CodeState.ACTIVE,
            TalentCode.state != CodeState.ACTIVE,
        )
        .distinct()
    )
    return ProofTrust(
        made_at=now,
        keys=[
            TrustedKey(version=key.version, first_day=first_day_of(keys, key.version), jwk=key.to_jwk())
            for key in tc2.proof_keys(keys)
        ],
        tiers={number: tier for tier, number in NUMBERS.items()},
        lifetime_seconds=int(tc2.LIFETIME.total_seconds()),
        skew_seconds=int(SKEW.total_seconds()),
        revoked=sorted(reference.hex() for reference in session.scalars(stopped)),
    )


def first_day_of(keys: MasterKeys, version: int) -> date:
    """From which Shanghai date a version is in use; it has to be one of them."""
    return next(key.first_day for key in keys.versions if key.version == version)
