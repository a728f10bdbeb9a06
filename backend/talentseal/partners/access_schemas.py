"""Commands and read models of the operator's mandates and of admissions to the modules."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Field, StringConstraints, field_validator
from pydantic_core import PydanticCustomError
from pydantic_core.core_schema import ValidationInfo

from talentseal.accounts.models import OrganisationKind
from talentseal.accounts.schemas import Command, OrganisationId, clean_text
from talentseal.partners.access_models import (
    AccessState,
    AccessStep,
    MandateState,
    MandateStep,
    ModuleAccess,
    OperatorMandate,
)
from talentseal.partners.modules import Module

Reference = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(clean_text)]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=500), AfterValidator(clean_text)]
LicenceNumber = Annotated[str, StringConstraints(min_length=1, max_length=64), AfterValidator(clean_text)]


class DraftMandate(Command):
    """Draft a mandate of an operator."""

    operator: OrganisationId
    reference: Reference = Field(description="Number of the mandate's document")
    starts_on: date
    ends_on: date = Field(description="The last day, Asia/Shanghai")
    scope: Annotated[tuple[OrganisationKind, ...], Field(min_length=1)] = Field(
        description="Kinds of partners that the operator may negotiate with"
    )

    @field_validator("ends_on")
    @classmethod
    def _ends_after_it_begins(cls, last: date, given: ValidationInfo) -> date:
        if last < given.data.get("starts_on", last):
            raise PydanticCustomError("dates_reversed", "lies before starts_on")
        return last

    @field_validator("scope")
    @classmethod
    def _each_once(cls, scope: tuple[OrganisationKind, ...]) -> tuple[OrganisationKind, ...]:
        return tuple(sorted(set(scope)))


class Because(Command):
    """Say why."""

    reason: Reason


class MandateReceipt(BaseModel):
    """Answer to an unsafe request about a mandate."""

    id: str
    state: MandateState


class StepView(BaseModel):
    """One move of a mandate or of an admission."""

    state: str
    at: datetime
    reason: str | None

    @classmethod
    def of(cls, row: MandateStep | AccessStep) -> "StepView":
        return cls(state=row.state.value, at=row.at, reason=row.reason)


class MandateView(MandateReceipt):
    """A mandate."""

    operator: str
    reference: str
    starts_on: date
    ends_on: date
    scope: list[OrganisationKind]
    steps: list[StepView]

    @classmethod
    def of(cls, row: OperatorMandate, steps: Sequence[MandateStep]) -> "MandateView":
        return cls(
            id=row.id,
            state=row.state,
            operator=row.operator_id,
            reference=row.reference,
            starts_on=row.starts_on,
            ends_on=row.ends_on,
            scope=[OrganisationKind(each) for each in row.scope.split()],
            steps=[StepView.of(each) for each in steps],
        )


class ApplyForFinance(Command):
    """Apply for the finance module for one's own enterprise. Without its licence it comes back."""

    organisation: OrganisationId
    licence_type: Reference | None = None
    licence_number: LicenceNumber | None = None


class OpenNegotiation(Command):
    """Open a negotiation on the consumption module."""

    organisation: OrganisationId


class SignAccess(Command):
    """Name the agreement that was signed."""

    agreement: OrganisationId = Field(description="The agreement's id: 0x and 64 hex digits")


class AccessReceipt(BaseModel):
    """Answer to an unsafe request about an admission. reason: why it came back, when it did."""

    id: str
    module: Module
    state: AccessState
    reason: str | None = None


class AccessSummary(AccessReceipt):
    """An admission in a list."""

    organisation: str
    organisation_name: str
    opened_at: datetime
    record: str | None

    @classmethod
    def of(cls, row: ModuleAccess, name: str) -> "AccessSummary":
        return cls(**_summary(row, name))


class AccessView(AccessSummary):
    """An admission in full."""

    licence_type: str | None
    licence_number: str | None
    mandate: str | None
    agreement: str | None
    steps: list[StepView]

    @classmethod
    def with_steps(cls, row: ModuleAccess, name: str, steps: Sequence[AccessStep]) -> "AccessView":
        return cls(
            **_summary(row, name),
            licence_type=row.licence_type,
            licence_number=row.licence_number,
            mandate=row.mandate_id,
            agreement=row.agreement_id,
            steps=[StepView.of(each) for each in steps],
        )


def _summary(row: ModuleAccess, name: str) -> dict[str, Any]:
    return {
        "id": row.id,
        "module": row.module,
        "state": row.state,
        "organisation": row.organisation_id,
        "organisation_name": name,
        "opened_at": row.opened_at,
        "record": row.record_id,
    }
