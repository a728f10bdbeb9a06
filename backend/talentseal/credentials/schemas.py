"""Commands and read models of presentations."""

from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from talentseal.accounts.schemas import Command
from talentseal.credentials.inspecting import Seen
from talentseal.credentials.models import Channel
from talentseal.credentials.presenting import Established
from talentseal.partners.schemas import Identifier
from talentseal.policy.tiers import Tier
from talentseal.talents.models import FieldGroup


class LookAtProof(Command):
    """Look at an offline proof at a terminal."""

    sent: str = Field(repr=False, description="What was scanned, as it came")
    staff: Identifier = Field(description="Account of the person who serves; see GET /counter")


class ProofView(BaseModel):
    """What an offline proof shows, for the eye alone: nothing can be redeemed by it.

    issued_at, expires_at: of the proof. key_first_day: since when the key that signed it is in use.
    revocations_at: as of when it is known that the code was not stopped.
    """

    display_only: Literal[True] = True
    surname: str = Field(repr=False, description="Masked: 张**")
    tier: Tier
    issued_at: datetime
    expires_at: datetime
    key_version: int
    key_first_day: date
    revocations_at: datetime

    @classmethod
    def of(cls, met: Seen) -> "ProofView":
        """As it was answered."""
        return cls(
            surname=met.surname,
            tier=met.tier,
            issued_at=met.issued_at,
            expires_at=met.expires_at,
            key_version=met.key_version,
            key_first_day=met.key_first_day,
            revocations_at=met.revocations_at,
        )


class ShownFields(BaseModel):
    """What the holder consents to this organisation's reading, by group of fields; empty without consent."""

    groups: dict[FieldGroup, dict[str, Any]] = Field(repr=False)


class Present(Command):
    """Establish whoever shows this at a terminal."""

    sent: str = Field(repr=False, description="What was scanned or typed, as it came")
    staff: Identifier = Field(description="Account of the person who serves; see GET /counter")


class PresentationView(BaseModel):
    """Who stands at the counter, as far as the counter has to know. Acts there name `id` until it expires."""

    id: str
    surname: str = Field(repr=False, description="Masked: 张**")
    tier: Tier
    channel: Channel
    presented_at: datetime
    expires_at: datetime
    offline: bool = Field(description="Shown without a network: good for benefits of low risk alone")
    photo: str | None = Field(description="Where the photo is fetched, if the holder lets you see it")

    @classmethod
    def of(cls, met: Established) -> "PresentationView":
        """As it was answered."""
        return cls(
            id=met.presentation,
            surname=met.surname,
            tier=met.tier,
            channel=met.channel,
            presented_at=met.presented_at,
            expires_at=met.expires_at,
            offline=met.offline,
            photo=f"/api/v1/presentations/{met.presentation}/photo" if met.photo else None,
        )
