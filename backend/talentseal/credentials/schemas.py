"""Commands and read models of presentations."""

from datetime import datetime

from pydantic import BaseModel, Field

from talentseal.accounts.schemas import Command
from talentseal.credentials.models import Channel
from talentseal.credentials.presenting import Established
from talentseal.partners.schemas import Identifier
from talentseal.policy.tiers import Tier


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
        )
