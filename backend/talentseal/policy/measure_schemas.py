"""Commands and read models of measures."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, Field
from pydantic_core import PydanticCustomError

from talentseal.accounts.schemas import Command, Name, OrganisationId
from talentseal.policy.measure_models import Measure, MeasureState, MeasureStep
from talentseal.policy.schemas import Paragraphs, Reference, Sentence


def _by_people(to: MeasureState) -> MeasureState:
    if to is MeasureState.IN_FORCE:
        raise PydanticCustomError("state_of_the_clock", "the date alone brings a measure into force")
    return to


ByPeople = Annotated[MeasureState, AfterValidator(_by_people), Field(description="Any but IN_FORCE")]


class DraftMeasure(Command):
    """Draft a measure."""

    organisation: OrganisationId = Field(description="The body that carries it out")
    title: Name
    text: Paragraphs
    effective_from: date = Field(description="First day in force, Asia/Shanghai")


class MeasureMove(Command):
    """Take a measure a step further."""

    to: ByPeople
    reference: Reference | None = Field(default=None, description="Agenda, minutes or decision")
    reason: Sentence | None = None


class MeasureReceipt(BaseModel):
    """Answer to an unsafe request about a measure."""

    id: str
    measure: str
    number: int
    state: MeasureState

    @classmethod
    def of(cls, row: Measure) -> Self:
        return cls(**{name: value for name, value in _fields(row).items() if name in cls.model_fields})


class MeasureSummary(MeasureReceipt):
    """One version in a list."""

    organisation: str
    title: str
    effective_from: date
    drafted_at: datetime
    record: str | None


class MeasureStepView(BaseModel):
    """One move of a version."""

    state: MeasureState
    at: datetime
    reference: str | None
    reason: str | None


class MeasureView(MeasureSummary):
    """One version in full."""

    text: str
    steps: list[MeasureStepView]

    @classmethod
    def with_steps(cls, row: Measure, steps: Sequence[MeasureStep]) -> "MeasureView":
        told = [
            MeasureStepView(state=each.state, at=each.at, reference=each.reference, reason=each.reason)
            for each in steps
        ]
        return cls(**_fields(row), text=row.text, steps=told)


def _fields(row: Measure) -> dict[str, Any]:
    return {
        "id": row.id,
        "measure": row.measure,
        "number": row.number,
        "state": row.state,
        "organisation": row.organisation_id,
        "title": row.title,
        "effective_from": row.effective_from,
        "drafted_at": row.drafted_at,
        "record": row.record_id,
    }
