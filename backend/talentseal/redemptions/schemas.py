"""Commands and read models of redemptions. Amounts are whole fen."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import BaseModel, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from talentseal.accounts.schemas import Command, Name
from talentseal.evidence.status import RecordState
from talentseal.partners.schemas import Identifier
from talentseal.redemptions.models import RedemptionState, Release

Fen = Annotated[int, Field(ge=1, le=10**12, strict=True)]
Units = Annotated[int, Field(ge=1, le=10_000, strict=True)]
Reason = Annotated[Name, StringConstraints(max_length=200)]


class Order(Command):
    """What is to be used. benefit: its id; the version of the day counts."""

    benefit: Identifier
    quantity: Units = 1
    value_fen: Fen | None = Field(
        default=None, description="What all units are worth to the holder; only where the benefit fixes none"
    )
    list_value_fen: Fen | None = Field(default=None, description="What it costs without the benefit")


class Redeem(Order):
    """Use a benefit for whoever was established, or shows this now."""

    staff: Identifier = Field(description="Account of the person who serves; see GET /counter")
    presentation: Identifier | None = Field(default=None, description="Of POST /presentations")
    sent: str | None = Field(
        default=None, repr=False, description="Instead: what was scanned or typed, established in one step"
    )
    reserve: bool = Field(default=False, description="Reserve for ten minutes, to be completed or cancelled")
    dry_run: bool = Field(default=False, description="Only say what would be answered; a token is used up")

    @model_validator(mode="after")
    def _established_one_way(self) -> Self:
        if (self.presentation is None) == (self.sent is None):
            raise PydanticCustomError("presentation_or_sent", "expected either presentation or sent")
        return self


class AtPost(Command):
    """An act at a terminal."""

    staff: Identifier = Field(description="Account of the person who serves; see GET /counter")


class Undo(Command):
    """Undo units of a redemption."""

    quantity: Units = 1
    reason: Reason = Field(description="Says nothing of the person")


class Reverse(Undo):
    """Undo units of a redemption at a terminal."""

    staff: Identifier = Field(description="Account of the person who serves; see GET /counter")


class Correct(Undo):
    """Undo units of a redemption that the counter can no longer reverse; it counts in the next settlement."""


class Receipt(BaseModel):
    """What an act on a redemption is answered with: identifiers, states and amounts, never a person.

    record, promise: the evidence and the signed promise to log it; None while it is reserved.
    """

    id: str
    state: RedemptionState
    benefit: str
    benefit_version: int
    quantity: int
    value_fen: int
    partner_fen: int
    subsidy_fen: int
    reversed_units: int
    reserved_until: datetime | None
    completed_at: datetime | None
    record: str | None
    promise: str | None


class ReversalReceipt(BaseModel):
    """What a reversal is answered with. redemption: as it stands now."""

    id: str
    quantity: int
    value_fen: int
    record: str
    promise: str
    redemption: Receipt


class DryRun(BaseModel):
    """What a redemption would be answered with; nothing was counted. refusal: None when it would pass."""

    refusal: str | None
    article: int | None
    benefit_version: int | None
    remaining_units: int | None


class RedemptionView(BaseModel):
    """One redemption as its partner sees it: the person by a reference that is the partner's alone."""

    id: str
    state: RedemptionState
    benefit: str
    benefit_title: str
    benefit_version: int
    outlet: str | None
    terminal: str | None
    staff: str | None
    talent_ref: str
    quantity: int
    list_value_fen: int | None
    value_fen: int
    partner_fen: int
    subsidy_fen: int
    reversed_units: int
    reversed_fen: int
    made_at: datetime
    completed_at: datetime | None
    release: Release | None
    settlement: str | None
    record: str | None
    evidence: RecordState | None


class RedemptionPage(BaseModel):
    """A page of a list, the newest first. next: id after which the following page begins."""

    items: list[RedemptionView]
    next: str | None


class IdleEnterprise(BaseModel):
    """A state-owned enterprise of which talents can use nothing today (Article 4)."""

    organisation: str
    name: str
    known_since: datetime
    """When it was entered."""


class IdleEnterpriseList(BaseModel):
    """The longest known first."""

    items: list[IdleEnterprise]
