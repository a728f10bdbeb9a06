"""What is said of consents, corrections, erasures and grants, and how they are shown."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, BaseModel, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from talentseal.accounts.roles import Role
from talentseal.accounts.schemas import Command
from talentseal.talents.models import AccessPurpose, FieldGroup
from talentseal.talents.privacy_models import ConsentScope, WishState
from talentseal.talents.schemas import Basic, Education, Reason, Work, clean_lines

OrganisationId = Annotated[str, StringConstraints(pattern=r"^0x[0-9a-f]{64}$")]
RandomId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
Summary = Annotated[str, StringConstraints(min_length=1, max_length=4000), AfterValidator(clean_lines)]

ORGANISATION_GROUPS: Final = frozenset({FieldGroup.ORG_PROJECT, FieldGroup.ORG_COOPERATION})
"""What is the organisation's to show as well as its holder's (domain specification §1.3, Article 9)."""


class GiveConsent(Command):
    """Let an organisation do one thing with one's data. notice_version: of the text that was shown."""

    organisation: OrganisationId
    scope: ConsentScope
    notice_version: Annotated[str, Field(max_length=16)]


class ConsentView(BaseModel):
    """One consent. withdrawn_at: None while it stands."""

    id: str
    organisation: str
    organisation_name: str
    scope: ConsentScope
    notice_version: str
    given_at: datetime
    withdrawn_at: datetime | None


class PartnerSight(BaseModel):
    """What one organisation may see of the holder now. waiting: what another organisation has not allowed."""

    organisation: str
    organisation_name: str
    consents: list[ConsentView]
    groups: list[FieldGroup]
    waiting: list[ConsentScope]


class Consents(BaseModel):
    """A holder's consents: what stands, by organisation, and what he withdrew, the newest first."""

    notice_version: str
    standing: list[PartnerSight]
    withdrawn: list[ConsentView]


class AskCorrection(Command):
    """Ask for a group of fields to be corrected: the whole of what it should say.

    basic, work: for BASIC, either or both; education: for ACADEMIC; summary: for the others.
    record: evidence number of a tier change that is wrong for the same reason.
    """

    group: FieldGroup
    basic: Basic | None = None
    work: Work | None = None
    education: Education | None = None
    summary: Summary | None = None
    explanation: Reason
    record: RandomId | None = None

    @model_validator(mode="after")
    def _fits_the_group(self) -> Self:
        given = {
            name for name in ("basic", "work", "education", "summary") if getattr(self, name) is not None
        }
        if not given or not given <= _PARTS.get(self.group, frozenset({"summary"})):
            raise PydanticCustomError("part_mismatch", "the value is that of another part; send it there")
        return self

    @property
    def values(self) -> Mapping[str, Any]:
        """The wanted fields."""
        said = self.model_dump(mode="json")
        if self.summary is not None:
            return {"summary": self.summary}
        return {**(said["basic"] or {}), **(said["work"] or {}), **(said["education"] or {})}


_PARTS: Final[Mapping[FieldGroup, frozenset[str]]] = {
    FieldGroup.BASIC: frozenset({"basic", "work"}),
    FieldGroup.ACADEMIC: frozenset({"education"}),
}


class DecideWish(Command):
    """Grant or refuse a correction or an erasure. reason: for the holder.

    organisation_agreed: corrections of ORG_… only; whether the organisation's own permission was among the
    papers.
    """

    granted: bool
    reason: Reason
    organisation_agreed: bool = False


class PaperView(BaseModel):
    """A document without its bytes."""

    id: str
    media_type: str
    size: int
    added_at: datetime


class WishView(BaseModel):
    """A wish for erasure as its holder sees it. reason: of a refusal."""

    id: str
    state: WishState
    asked_at: datetime
    due_on: date
    decided_at: datetime | None
    reason: str = ""
    payloads: int | None = None
    records: int | None = None


class CorrectionView(BaseModel):
    """A correction. values: what it should say. before: what stood there, once granted."""

    id: str
    group: FieldGroup
    state: WishState
    asked_at: datetime
    due_on: date
    decided_at: datetime | None
    values: dict[str, Any]
    explanation: str
    reason: str
    before: dict[str, Any]
    papers: list[PaperView]
    record: str | None
    corrected_by: str | None


class OfficeCorrection(CorrectionView):
    """A correction with what stands there now, for a decision."""

    known: dict[str, Any]


class WishRow(BaseModel):
    """A line of the office's list of wishes: nothing that tells whose it is."""

    id: str
    state: WishState
    group: FieldGroup | None
    asked_at: datetime
    due_on: date
    overdue: bool


class WishList(BaseModel):
    """Wishes that await the office's answer, the most urgent first."""

    corrections: list[WishRow]
    erasures: list[WishRow]


class AccessView(BaseModel):
    """That somebody opened the holder's data. who: name of the organisation."""

    at: datetime
    who: str
    role: Role
    purpose: AccessPurpose
    groups: list[FieldGroup]
    document: bool
    granted: bool


class AccessPage(BaseModel):
    """Openings, the newest first. next: cursor of the following page."""

    items: list[AccessView]
    next: str | None


class GiveGrant(Command):
    """Let an auditor read some groups of one person's fields for some days.

    about: number of an application or of a tier change's record of that person.
    """

    auditor: RandomId
    about: RandomId
    groups: Annotated[frozenset[FieldGroup], Field(min_length=1)]
    days: Annotated[int, Field(ge=1, le=30)]
    reason: Reason


class GrantView(BaseModel):
    """A grant, with nothing of the person. live: whether it opens anything now. reads: how often it did."""

    id: str
    auditor: str
    groups: list[FieldGroup]
    reason: str
    given_at: datetime
    until: datetime
    revoked_at: datetime | None
    live: bool
    reads: int


class GrantList(BaseModel):
    """Grants, the newest first; of an auditor his own. auditors: accounts that can be given one."""

    items: list[GrantView]
    auditors: dict[str, str]


class GrantedSight(BaseModel):
    """What a grant shows: the fields of its groups."""

    grant: GrantView
    fields: dict[FieldGroup, dict[str, Any]]
