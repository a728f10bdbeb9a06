"""What is drafted, reported, stated and decided."""

import hashlib
from datetime import date, datetime
from typing import Annotated, Final, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from sealproof import canonical
from talentseal.accounts.roles import PERMISSIONS, Permission, Role
from talentseal.accounts.schemas import Command, OrganisationId, Signature, clean_text
from talentseal.policy.schemas import Day, Reference, clean_paragraphs
from talentseal.sanctions import deadlines
from talentseal.sanctions.states import CaseState, Ground, RuleState, TerminationState
from talentseal.sanctions.triggers import CURABLE, REPORTED, Reach, Trigger

Line = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(clean_text)]
Paragraphs = Annotated[
    str, StringConstraints(min_length=1, max_length=4000), AfterValidator(clean_paragraphs)
]
Days = Annotated[int, Field(ge=1, le=deadlines.MAXIMUM_DAYS)]
CodeRef = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9a-f]{16}$"),
    Field(description="The 8 bytes by which a token names the code, in hexadecimal"),
]
Identifier = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]

DECIDERS: Final = frozenset(role for role in Role if Permission.CASE_DECIDE in PERMISSIONS[role])
"""Roles that a rule may charge with its cases."""

_YEAR_MINUTES: Final = 366 * 24 * 60


class Scope(Command):
    """How far a suspension reaches. value: the category, partner or benefit; None for ALL."""

    reach: Reach = Reach.ALL
    value: Line | None = None

    @model_validator(mode="after")
    def _names_what_it_reaches(self) -> Self:
        if (self.reach is Reach.ALL) != (self.value is None):
            raise PydanticCustomError(
                "scope_value", "name the category, partner or benefit, and nothing when everything rests"
            )
        return self


class Procedure(Command):
    """How a case under the rule is heard and ends (defaults of domain specification §1.6).

    statement_days are working days; provisional_allowed: whether it is suspended at once, up to 72 hours.
    """

    notice_days: Annotated[int, Field(ge=0, le=30)] = deadlines.NOTICE_DAYS
    statement_days: Annotated[int, Field(ge=1, le=60)] = deadlines.STATEMENT_WORKING_DAYS
    provisional_allowed: bool = False
    decider_role: Role = Role.TALENT_OFFICE
    appeal_days: Annotated[int, Field(ge=1, le=90)] = deadlines.APPEAL_DAYS
    max_total_days: Days = deadlines.MAXIMUM_DAYS

    @model_validator(mode="after")
    def _somebody_may_decide(self) -> Self:
        if self.decider_role not in DECIDERS:
            raise PydanticCustomError(
                "decider_role", "this role decides no cases; the talent office does (Article 13)"
            )
        return self


class RuleText(Command):
    """The text of a rule, all of which is signed.

    threshold: so many facts within `window_minutes`. duration_days: None until the facts are cured.
    partner_set: the partners whose side has to sign, every one of them; of a rule for one partner that alone.
    """

    title: Line
    wording: Paragraphs
    trigger: Trigger
    threshold: Annotated[int, Field(ge=1, le=1000)]
    window_minutes: Annotated[int, Field(ge=1, le=_YEAR_MINUTES)]
    scope: Scope = Scope()
    duration_days: Days | None
    procedure: Procedure = Procedure()
    partner_set: Annotated[tuple[OrganisationId, ...], Field(min_length=1, max_length=100)]
    effective_from: Day

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if len(set(self.partner_set)) < len(self.partner_set):
            raise PydanticCustomError("partner_twice", "each partner signs once; name it once")
        if self.scope.reach is Reach.PARTNER and self.partner_set != (self.scope.value,):
            raise PydanticCustomError(
                "partner_rule", "a rule for one partner is signed by that partner alone; name no other"
            )
        if self.duration_days is None and self.trigger not in CURABLE:
            raise PydanticCustomError(
                "duration_missing", "nobody can cure this afterwards; say how many days it lasts"
            )
        return self

    def canonical_text(self) -> str:
        """The one text of the rule (RFC 8785)."""
        return canonical.encode(self.model_dump(mode="json")).decode()

    def sha256(self) -> str:
        """Hash of the canonical text, 64 hex digits: what every side signs."""
        return hashlib.sha256(self.canonical_text().encode()).hexdigest()


def statement_of(rule: str, version: int, text_sha256: str, organisation: str) -> str:
    """What an organisation signs (EIP-191): which rule, which version, the hash of its text, and for whom."""
    return "\n".join(
        (
            "TalentSeal 人才存证: approval of a rule of suspension 签署暂停规则",
            f"rule: {rule}",
            f"version: {version}",
            f"sha256: {text_sha256}",
            f"organisation: {organisation}",
        )
    )


class GiveSignature(Command):
    """An organisation's signature over the statement of a rule's version (EIP-191)."""

    signature: Signature


class Refuse(Command):
    """Why a version is refused, for all sides to read."""

    reason: Annotated[str, StringConstraints(min_length=1, max_length=500), AfterValidator(clean_text)]


class Report(Command):
    """Something noticed at a counter, or counted by a partner.

    presentation: by which the holder was established at a counter of the reporter's organisation.
    reference: the reporter's own number of the occurrence; the same once more is no other fact.
    """

    trigger: Trigger
    presentation: Identifier
    occurred_at: AwareDatetime
    reference: Reference
    note: Paragraphs | None = None

    @model_validator(mode="after")
    def _is_for_reporting(self) -> Self:
        if self.trigger not in REPORTED:
            raise PydanticCustomError(
                "trigger_own", "the service finds this itself; report what is seen at a counter"
            )
        return self


class Say(Command):
    """A statement, an appeal, or the reason of a decision, for the holder and the deciders alone."""

    text: Paragraphs


class Decide(Command):
    """The decision of a case or a termination. grant: to suspend or terminate; False dismisses it."""

    grant: bool
    reason: Paragraphs


class Hear(Command):
    """The decision of an appeal. uphold: what was decided stays; False lifts or annuls it."""

    uphold: bool
    reason: Paragraphs


class Propose(Command):
    """Propose to terminate a code. resolution: of the joint meeting, for OTHER_UNSUITABLE."""

    code: CodeRef
    ground: Ground
    reason: Paragraphs
    resolution: Reference | None = None

    @model_validator(mode="after")
    def _may_be_proposed(self) -> Self:
        if self.ground is Ground.PERSONAL_USE_BREACH:
            raise PydanticCustomError(
                "ground_by_referral", "this ground comes from a suspension case alone; refer that"
            )
        if (self.ground is Ground.OTHER_UNSUITABLE) != (self.resolution is not None):
            raise PydanticCustomError(
                "resolution", "OTHER_UNSUITABLE needs the joint meeting's resolution, the others none"
            )
        return self


class Confirm(Command):
    """The leading group's confirmation. reference: of its decision."""

    reference: Reference


class Attach(Command):
    """What an external finding is. issuer: whose finding it is. reference: its number."""

    issuer: Line
    reference: Reference
    issued_on: Day


class FindingView(BaseModel):
    """An external finding without its bytes. size: bytes of the PDF. See `Attach`."""

    id: str
    issuer: str
    reference: str
    issued_on: date
    size: int


class SideView(BaseModel):
    """One side of a rule and its signature, if it has given one. name: None for an office's role."""

    side: str
    name: str | None
    signer: str | None
    signed_at: datetime | None
    mine: bool


class RuleView(BaseModel):
    """One version of a rule."""

    rule: str
    version: int
    newest: int
    state: RuleState
    text: RuleText
    text_sha256: str
    drafted_at: datetime
    sides: list[SideView]
    refused_by: str | None
    refusal: str | None
    in_force_from: datetime | None
    superseded_from: datetime | None
    record: str | None


class RuleList(BaseModel):
    """The newest version of each rule, and whatever is in force."""

    items: list[RuleView]


class StatementView(BaseModel):
    """What my organisation is to sign. signers: addresses of its keys that are valid now."""

    rule: str
    version: int
    text: RuleText
    text_sha256: str
    organisation: str
    statement: str
    signers: list[str]

    def is_whole(self) -> bool:
        """Whether the statement is the one over this very text; to be asked before it is signed."""
        made = statement_of(self.rule, self.version, self.text.sha256(), self.organisation)
        return self.statement == made and self.text_sha256 == self.text.sha256()


class RuleReceipt(BaseModel):
    """Which version was drafted, signed or refused."""

    rule: str
    version: int
    state: RuleState


class FactReceipt(BaseModel):
    """Which fact was noted; nothing is told of what became of it."""

    id: str


class StepView(BaseModel):
    """What happened to a case. said: the reason or statement; None where nothing was said."""

    act: str
    at: datetime
    role: Role | None
    said: str | None


class FactView(BaseModel):
    """What a case was opened on. note: what the reporter said; only for those who decide."""

    id: str
    trigger: Trigger
    occurred_at: datetime
    cured_at: datetime | None
    where: str | None
    note: str | None


class CaseLine(BaseModel):
    """A suspension case in a list."""

    id: str
    state: CaseState
    title: str
    trigger: Trigger
    opened_at: datetime
    statement_through: date
    provisional_until: datetime | None
    suspended_through: date | None
    appeal_through: date | None


class CaseView(CaseLine):
    """A suspension case as its holder or those who decide see it. holder: masked; None for himself."""

    rule: str
    version: int
    wording: str
    scope: Scope
    partner: str | None
    statement_from: date
    stated: bool
    decided_by_me: bool
    referral: str | None
    holder: str | None
    facts: list[FactView]
    steps: list[StepView]
    record: str | None
    lifting_record: str | None


class CaseList(BaseModel):
    """Suspension cases, the oldest open ones first. next: cursor of the following page."""

    items: list[CaseLine]
    next: str | None


class TerminationLine(BaseModel):
    """A termination in a list."""

    id: str
    state: TerminationState
    ground: Ground
    proposed_at: datetime
    statement_through: date | None
    effective_on: date | None
    appeal_through: date | None


class TerminationView(TerminationLine):
    """A termination as its holder or those who decide see it. holder: masked; None for himself."""

    article: int
    case: str | None
    review: str | None
    holder: str | None
    resolution: str | None
    confirmation: str | None
    findings: list[FindingView]
    decisions: int
    proposed_by_me: bool
    decided_by_me: bool
    stated: bool
    statement_from: date | None
    ended: bool
    steps: list[StepView]
    record: str | None
    annulment_record: str | None


class TerminationList(BaseModel):
    """Terminations, the newest first. next: cursor of the following page."""

    items: list[TerminationLine]
    next: str | None


class CaseReceipt(BaseModel):
    """Where a case stands after an act."""

    id: str
    state: CaseState


class TerminationReceipt(BaseModel):
    """Where a termination stands after an act."""

    id: str
    state: TerminationState
