"""Commands and read models of contribution value. Amounts are whole fen, contributions whole points."""

import hashlib
from datetime import date, datetime
from typing import Annotated, Self

from pydantic import BaseModel, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from sealproof import canonical
from talentseal.accounts.schemas import Command, Name, OrganisationId
from talentseal.benefits.models import Category
from talentseal.contributions.models import RewardKind, RewardState
from talentseal.partners.schemas import Identifier
from talentseal.policy.schemas import Sentence

BasisPoints = Annotated[int, Field(ge=0, le=100_000, strict=True)]
Quarter = Annotated[
    str,
    StringConstraints(pattern=r"^2[0-9]{3}-Q[1-4]$"),
    Field(description="A quarter of Asia/Shanghai (2026-Q4)"),
]
Stars = Annotated[int, Field(ge=1, le=5, strict=True)]
ONE_BP = 10_000


class FormulaText(Command):
    """concession in fen × weight of the category × factor of the rating, both in basis points.

    ratings_bp: the factors of one to five stars, in that order.
    """

    government_bp: BasisPoints = ONE_BP
    financial_bp: BasisPoints = ONE_BP
    consumption_bp: BasisPoints = ONE_BP
    ratings_bp: tuple[BasisPoints, BasisPoints, BasisPoints, BasisPoints, BasisPoints]
    unrated_bp: BasisPoints = Field(default=ONE_BP, description="Factor of whoever has no rating")

    def weight_bp(self, category: Category) -> int:
        """Of a category of benefits."""
        return {
            Category.GOVERNMENT: self.government_bp,
            Category.FINANCIAL: self.financial_bp,
            Category.CONSUMPTION: self.consumption_bp,
        }[category]

    def rating_bp(self, stars: int | None) -> int:
        """Of a rating."""
        return self.unrated_bp if stars is None else self.ratings_bp[stars - 1]

    def canonical_text(self) -> str:
        """The text that is hashed."""
        return canonical.encode(self.model_dump(mode="json")).decode()

    def sha256(self) -> str:
        """64 hex digits, which the measure's text has to name."""
        return hashlib.sha256(self.canonical_text().encode()).hexdigest()


class EnterFormula(Command):
    """Enter a formula that was approved as a measure."""

    measure: Identifier = Field(description="An approved version of a measure, whose text names the SHA-256")
    formula: FormulaText


class Rate(Command):
    """Say how a third party served in a quarter."""

    organisation: OrganisationId
    period: Quarter
    stars: Stars
    reason: Sentence


class ClosePeriod(Command):
    """Close the ledger of a quarter."""

    period: Quarter


class ProposeReward(Command):
    """Propose a reward for a third party."""

    organisation: OrganisationId
    period: Quarter
    kind: RewardKind
    title: Name
    amount_fen: Annotated[int, Field(ge=1, le=10**12, strict=True)] | None = Field(
        default=None, description="Of a material reward, and only of one"
    )
    reason: Sentence

    @model_validator(mode="after")
    def _amount_of_material(self) -> Self:
        if (self.kind is RewardKind.MATERIAL) != (self.amount_fen is not None):
            raise PydanticCustomError("amount_of_material", "expected an amount for a material reward alone")
        return self


class DecideReward(Command):
    """Grant or decline a proposed reward."""

    grant: bool
    reason: Sentence


class FormulaDigest(BaseModel):
    """What a formula's hash is, for the measure that is to carry it."""

    text: str
    sha256: str


class FormulaView(BaseModel):
    """One version of the formula."""

    id: str
    number: int
    measure: str
    effective_from: date
    formula: FormulaText
    sha256: str
    entered_at: datetime


class RatingView(BaseModel):
    """How a third party served in a quarter."""

    organisation: str
    period: str
    stars: int
    reason: str
    rated_at: datetime


class EntryView(BaseModel):
    """One line of the ledger. reversal: None for the use itself."""

    id: str
    organisation: str
    name: str
    redemption: str
    reversal: str | None
    benefit_title: str
    formula: int
    concession_fen: int
    weight_bp: int
    rating_bp: int
    contribution: int
    at: datetime
    period: str | None


class EntryPage(BaseModel):
    """A page of the ledger, the newest first. next: id after which the following page begins."""

    items: list[EntryView]
    next: str | None


class StandingView(BaseModel):
    """What a third party's lines come to. place: from 1; equal sums share one."""

    place: int
    organisation: str
    name: str
    entries: int
    concession_fen: int
    contribution: int


class PeriodView(BaseModel):
    """A closed quarter with its ranking."""

    period: str
    closed_at: datetime
    sha256: str
    record: str
    standings: list[StandingView]


class RankingView(BaseModel):
    """What is open, and the closed quarters, the newest first. closable: the quarter that may be closed."""

    open: list[StandingView]
    periods: list[PeriodView]
    closable: str | None


class RewardView(BaseModel):
    """A reward, proposed or decided."""

    id: str
    organisation: str
    name: str
    period: str
    kind: RewardKind
    title: str
    amount_fen: int | None
    reason: str
    state: RewardState
    proposed_at: datetime
    decided_at: datetime | None
    decision: str | None
    record: str | None
    mine: bool
