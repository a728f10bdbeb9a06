"""What is alleged, stated and decided of breaches, and how they are shown."""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from talentseal.accounts.roles import Role
from talentseal.accounts.schemas import Command
from talentseal.agreements.duty_states import BreachAct, BreachSource, BreachState
from talentseal.evidence.models import ActState
from talentseal.partners.modules import Module
from talentseal.policy.schemas import Reference, clean_paragraphs

Words = Annotated[str, StringConstraints(min_length=1, max_length=4000), AfterValidator(clean_paragraphs)]


class Allege(Command):
    """Say that a stipulation was not kept.

    position: of the stipulation in its version, from 0. reference: one's own number of the occurrence; the
    same once more is no other allegation. Leave persons unnamed in it.
    """

    agreement: Annotated[str, StringConstraints(pattern=r"^0x[0-9a-f]{64}$")]
    version: Annotated[int, Field(ge=1, le=32_767)]
    position: Annotated[int, Field(ge=0, le=99)]
    reference: Reference
    text: Words


class Say(Command):
    """A statement, what was done for a cure, or an acknowledgement; read by the parties and the office."""

    text: Words


class DecideBreach(Command):
    """The decision of an allegation. confirm: the stipulation was not kept; False dismisses it."""

    confirm: bool
    reason: Words


class CloseBreach(Command):
    """The end of a confirmed breach. cured: it was put right; False waives it."""

    cured: bool
    reason: Words


class BreachReceipt(BaseModel):
    """Where an allegation stands after an act."""

    id: str
    state: BreachState


class BreachLine(BaseModel):
    """An allegation in a list. organisation: name of whose duty it is. clause: None once erased."""

    id: str
    state: BreachState
    source: BreachSource
    organisation: str
    number: str | None = Field(description="The agreement's own number; null once erased")
    clause: str | None
    alleged_at: datetime
    decided_at: datetime | None


class BreachStepView(BaseModel):
    """What happened to an allegation. said: None where nothing was said."""

    act: BreachAct
    at: datetime
    role: Role | None
    organisation: str | None
    said: str | None


class OnContract(BaseModel):
    """How far something has come on the registry contract. reason: why it was refused."""

    state: ActState
    transaction: str | None
    reason: str


class BreachView(BreachLine):
    """One allegation in full.

    mine: whether it is the reader's own duty. receiving: whether his is another party. alleged_by_me: then
    another has to decide.
    """

    agreement: str
    version: int
    position: int
    measure: str | None
    threshold: str | None
    remedy: str | None
    reference: str
    mine: bool
    receiving: bool
    alleged_by_me: bool
    acknowledged_by_me: bool
    cure_offered: bool
    cure_acknowledged: bool
    record: str
    decision_record: str | None
    closing_record: str | None
    finding: OnContract | None
    ending: OnContract | None
    steps: list[BreachStepView]


class BreachList(BaseModel):
    """Allegations, the newest first. next: cursor of the following page."""

    items: list[BreachLine]
    next: str | None


class PauseProposal(BaseModel):
    """An admission of an organisation whose breaches repeat. newest_at: when the last was confirmed."""

    access: str
    module: Module
    organisation: str
    name: str
    breaches: int
    newest_at: datetime


class PauseProposalList(BaseModel):
    """Most breaches first."""

    items: list[PauseProposal]
