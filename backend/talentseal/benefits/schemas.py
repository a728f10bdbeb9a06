"""Commands and read models of the catalogue and its budgets."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, BaseModel, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from talentseal.accounts.schemas import Command, OrganisationId, clean_text
from talentseal.benefits.models import (
    Benefit,
    BenefitState,
    BenefitVersion,
    Budget,
    Category,
    QuotaPeriod,
    Showing,
)
from talentseal.partners.schemas import Identifier
from talentseal.policy.schemas import Day, Paragraphs, Sentence
from talentseal.policy.tiers import Tier

MOST_FEN: Final = 10**13
"""A hundred thousand million yuan: more than any benefit or budget is worth."""
MOST_UNITS: Final = 10**9
LONGEST_REVERSAL: Final = 7 * 24 * 60
"""Minutes; whatever comes later is a case, not the counter's."""
LINES: Final = 64
"""Lines of the matrix of one version at most."""

Code = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]*$", max_length=64),
    Field(description="Letters, digits, dots, hyphens, underscores and slashes"),
]
Title = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(clean_text)]
Fen = Annotated[int, Field(ge=0, le=MOST_FEN, strict=True, description="Fen, whole")]
Units = Annotated[int, Field(ge=0, le=MOST_UNITS, strict=True)]


class TierLine(Command):
    """One line of the matrix. starts_on, ends_on: the version's own when left out."""

    tier: Tier
    quota: Annotated[int, Field(ge=1, le=1_000_000, strict=True)] | None = Field(
        default=None, description="Units a person and period; null for no limit"
    )
    starts_on: Day | None = None
    ends_on: Day | None = None


class VersionInput(Command):
    """What a version promises."""

    title: Title
    text: Paragraphs
    starts_on: Day
    ends_on: Day = Field(description="The last day, Asia/Shanghai")
    tiers: Annotated[tuple[TierLine, ...], Field(min_length=1, max_length=LINES)]
    outlets: Annotated[tuple[Identifier, ...], Field(max_length=500)] = Field(
        default=(), description="Without any: at every outlet of the provider"
    )
    showings: Annotated[tuple[Showing, ...], Field(min_length=1)] = (Showing.CODE, Showing.CARD)
    quota_period: QuotaPeriod = QuotaPeriod.MONTH
    value_fen: Fen | None = Field(default=None, description="null when the counter says so each time")
    value_limit_fen: Fen | None = None
    subsidy_bp: Annotated[int, Field(ge=0, le=10_000, strict=True)] = Field(
        default=0, description="Basis points of the value that the budget's owner bears"
    )
    low_risk: bool = False
    regulated: bool = Field(default=False, description="Whether it takes a financial licence")
    proactive: bool = Field(
        default=False, description="Proposed to whoever is eligible, who takes it by a click (免申即享)"
    )
    exclusion_group: Code | None = None
    agreement: OrganisationId | None = Field(default=None, description="0x and 64 hex digits")
    stipulation: Annotated[int, Field(ge=0, le=99, strict=True)] | None = Field(
        default=None, description="Position in the agreement, from 0"
    )
    measure: Identifier | None = None
    reversal_minutes: Annotated[int, Field(ge=0, le=LONGEST_REVERSAL, strict=True)] = 60

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.ends_on < self.starts_on:
            raise PydanticCustomError("dates_reversed", "ends_on lies before starts_on")
        if self.value_fen is not None and self.value_fen > (self.value_limit_fen or MOST_FEN):
            raise PydanticCustomError("value_over_limit", "value_fen is above value_limit_fen")
        if self.proactive and (self.value_fen is None or any(line.quota is None for line in self.tiers)):
            # Nobody stands at a counter who could say an amount, and what has no end is proposed for ever.
            raise PydanticCustomError("proactive_open", "a proactive benefit fixes value_fen and every quota")
        if len(set(self.outlets)) != len(self.outlets) or len(set(self.showings)) != len(self.showings):
            raise PydanticCustomError("named_twice", "an outlet or a showing is named twice")
        self._check_lines()
        return self

    def _check_lines(self) -> None:
        """Every line lies within the term, and no day has two lines of one tier."""
        last: dict[Tier, date] = {}
        for tier, starts_on, ends_on, _quota in sorted(self.lines()):
            if not self.starts_on <= starts_on <= ends_on <= self.ends_on:
                raise PydanticCustomError("line_outside_term", "a line of the matrix lies outside the term")
            if tier in last and starts_on <= last[tier]:
                raise PydanticCustomError("lines_overlap", "two lines of one tier share a day")
            last[tier] = ends_on

    def lines(self) -> list[tuple[Tier, date, date, int]]:
        """(tier, first day, last day, quota) of every line; a quota of 0 stands for none."""
        return [
            (each.tier, each.starts_on or self.starts_on, each.ends_on or self.ends_on, each.quota or 0)
            for each in self.tiers
        ]


class DraftBenefit(Command):
    """A new benefit with its first version."""

    number: Code = Field(description="The provider's own")
    category: Category
    version: VersionInput


class Because(Command):
    """Say why."""

    reason: Sentence


class BenefitReceipt(BaseModel):
    """Answer to an unsafe request about a benefit."""

    benefit: str
    version: int
    state: BenefitState


class SheetProblem(BaseModel):
    """What a row of a sheet says wrongly. row: as a spreadsheet counts; column: empty when it is the row."""

    row: int
    column: str
    zh: str
    en: str


class ImportReceipt(BaseModel):
    """How many benefits a sheet made, gave a next version, and said as they are already."""

    drafted: int = 0
    revised: int = 0
    unchanged: int = 0


class BudgetInput(Command):
    """What may be used of a benefit by all together, from one day through another. null: no limit."""

    owner: OrganisationId | None = Field(default=None, description="Who bears the subsidy; default: oneself")
    starts_on: Day
    ends_on: Day
    limit_units: Units | None = None
    limit_fen: Fen | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.ends_on < self.starts_on:
            raise PydanticCustomError("dates_reversed", "ends_on lies before starts_on")
        _require_limit(self.limit_units, self.limit_fen)
        return self


class BudgetLimits(Command):
    """New limits of a budget. null: no limit."""

    limit_units: Units | None = None
    limit_fen: Fen | None = None

    @model_validator(mode="after")
    def _is_limited(self) -> Self:
        _require_limit(self.limit_units, self.limit_fen)
        return self


def _require_limit(units: int | None, fen: int | None) -> None:
    if units is None and fen is None:
        raise PydanticCustomError("budget_unlimited", "a budget has a limit in units, in fen, or both")


class TierLineView(BaseModel):
    """One line of the matrix."""

    tier: Tier
    starts_on: date
    ends_on: date
    quota: int | None


class BenefitSummary(BenefitReceipt):
    """One version of a benefit in a list."""

    number: str
    category: Category
    provider: str
    provider_name: str
    title: str
    starts_on: date
    ends_on: date
    proposed_at: datetime


class Wanted(Command):
    """Which versions a list is to show. after: the id of the version behind which it begins."""

    state: BenefitState | None = None
    awaits_review: bool = Field(default=False, description="Only what waits for my review")
    after: Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{32})?$")] = ""
    limit: Annotated[int, Field(ge=1, le=100)] = 50


class BenefitPage(BaseModel):
    """A page of versions. next: cursor of the following page, null on the last."""

    items: list[BenefitSummary]
    next: str | None


class BudgetReceipt(BaseModel):
    """Answer to an unsafe request about a budget."""

    id: str
    benefit: str


class BenefitStepView(BaseModel):
    """One move of a version."""

    state: BenefitState
    at: datetime
    reason: str | None


class VersionView(BenefitSummary):
    """One version in full."""

    id: str
    text: str
    showings: list[Showing]
    quota_period: QuotaPeriod
    value_fen: int | None
    value_limit_fen: int | None
    subsidy_bp: int
    low_risk: bool
    regulated: bool
    proactive: bool
    exclusion_group: str | None
    agreement: str | None
    stipulation: int | None
    measure: str | None
    reversal_minutes: int
    published_at: datetime | None
    ended_at: datetime | None
    tiers: list[TierLineView]
    outlets: list[str]
    steps: list[BenefitStepView]


class BudgetView(BaseModel):
    """A budget and what is used of it. alarms: the percentages that were reached."""

    id: str
    benefit: str
    title: str
    owner: str
    starts_on: date
    ends_on: date
    limit_units: int | None
    limit_fen: int | None
    used_units: int
    used_fen: int
    alarms: list[int]

    @classmethod
    def of(cls, row: Budget, title: str, alarms: Sequence[int]) -> "BudgetView":
        return cls(
            id=row.id,
            benefit=row.benefit_id,
            title=title,
            owner=row.owner_id,
            starts_on=row.starts_on,
            ends_on=row.ends_on,
            limit_units=row.limit_units,
            limit_fen=row.limit_fen,
            used_units=row.used_units,
            used_fen=row.used_fen,
            alarms=sorted(alarms),
        )


def summary_fields(version: BenefitVersion, benefit: Benefit, provider_name: str) -> dict[str, Any]:
    """What a summary and a full view have in common."""
    return {
        "benefit": benefit.id,
        "version": version.number,
        "state": version.state,
        "number": benefit.number,
        "category": benefit.category,
        "provider": benefit.organisation_id,
        "provider_name": provider_name,
        "title": version.title,
        "starts_on": version.starts_on,
        "ends_on": version.ends_on,
        "proposed_at": version.proposed_at,
    }
