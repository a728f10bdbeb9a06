"""Commands and read models of instruments."""

import hashlib
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field, StringConstraints, ValidationInfo, field_validator

from sealproof import canonical
from talentseal.accounts.roles import Role
from talentseal.accounts.schemas import Command, Name, clean_text
from talentseal.policy.effects import Deed, Verdict
from talentseal.policy.states import InstrumentState, Step

LONGEST_TEXT = 20_000
"""Characters of one article or answer."""

ARTICLES = 500


def clean_paragraphs(text: str) -> str:
    """`text` with each paragraph clean on a line of its own. Raises ValueError when nothing is left."""
    return "\n".join(clean_text(line) for line in text.split("\n") if line.strip()) or clean_text("")


def _optional(text: str) -> str:
    return clean_paragraphs(text) if text.strip() else ""


def _plausible(day: date) -> date:
    if not 1970 <= day.year <= 2200:
        raise ValueError("expected a date from 1970 to 2200")
    return day


InstrumentId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64)]
Number = Annotated[int, Field(ge=1, le=32_767)]
Day = Annotated[date, AfterValidator(_plausible)]
Paragraphs = Annotated[
    str, StringConstraints(min_length=1, max_length=LONGEST_TEXT), AfterValidator(clean_paragraphs)
]
Gloss = Annotated[str, StringConstraints(max_length=LONGEST_TEXT), AfterValidator(_optional)]
Reference = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(clean_text)]
Sentence = Annotated[str, StringConstraints(min_length=1, max_length=500), AfterValidator(clean_text)]


class ArticleInput(Command):
    """One article. deeds: what is done under this article of the version."""

    number: Number
    chapter: Annotated[str, StringConstraints(max_length=100), AfterValidator(_optional)] = ""
    text: Paragraphs
    gloss: Gloss = Field(default="", description="What it says, in English")
    deeds: tuple[Deed, ...] = ()


class VersionText(Command):
    """A version as a whole."""

    title: Name
    issuer: Name
    effective_from: Day = Field(description="First day in force, Asia/Shanghai")
    valid_through: Day = Field(description="Last day in force, Asia/Shanghai")
    legal_basis: tuple[Name, ...] = Field(default=(), max_length=50)
    articles: tuple[ArticleInput, ...] = Field(min_length=1, max_length=ARTICLES)

    @field_validator("valid_through", mode="after")
    @classmethod
    def _ends_after_it_begins(cls, last: date, info: ValidationInfo) -> date:
        if last < info.data.get("effective_from", last):
            raise ValueError("lies before effective_from")
        return last

    @field_validator("articles", mode="after")
    @classmethod
    def _is_whole(cls, articles: tuple[ArticleInput, ...]) -> tuple[ArticleInput, ...]:
        if [article.number for article in articles] != list(range(1, len(articles) + 1)):
            raise ValueError("expected articles numbered from 1 without a gap")
        deeds = [deed for article in articles for deed in article.deeds]
        if len(set(deeds)) != len(deeds):
            raise ValueError("expected each deed to stand on one article")
        return articles

    def text_sha256(self, instrument: str) -> str:
        """64 hex digits over the canonical JSON of the text and the instrument it belongs to."""
        whole = {"instrument": instrument, **VersionText.model_dump(self, mode="json")}
        shown = {name: whole[name] for name in ("instrument", *VersionText.model_fields)}
        return hashlib.sha256(canonical.encode(shown)).hexdigest()


class DraftVersion(VersionText):
    """Draft the next version of an instrument."""

    instrument: InstrumentId


class ProposeInterpretation(Command):
    """Propose what an article means."""

    article: Number
    question: Sentence
    answer: Paragraphs
    gloss: Gloss = Field(default="", description="Question and answer in English")
    valid_from: Day


class EnterVersion(DraftVersion):
    """Enter a version that was issued outside this system, from its published text."""

    document_number: Reference
    issued_on: Day
    interpretations: tuple[ProposeInterpretation, ...] = ()


Decided = Literal[Step.PASSED, Step.APPROVED, Step.ISSUED, Step.REPEALED]


class Decide(Command):
    """Take a version a step further, or repeal it."""

    step: Decided
    reference: Reference = Field(description="Number of the minutes, of the decision, of the document")
    reason: Sentence
    last_day: Day | None = Field(
        default=None, validate_default=True, description="Last day in force; for REPEALED alone"
    )

    @field_validator("last_day", mode="after")
    @classmethod
    def _belongs_to_a_repeal(cls, last: date | None, info: ValidationInfo) -> date | None:
        if "step" in info.data and (info.data["step"] is Step.REPEALED) != (last is not None):
            raise ValueError("expected with REPEALED, and with nothing else")
        return last


class ActView(BaseModel):
    """One step. role: None for what the date brought."""

    step: Step
    on: date
    reference: str | None
    reason: str | None
    role: Role | None
    recorded_at: datetime
    record: str = Field(description="Number of its evidence record")


class VersionSummary(BaseModel):
    """A version without its text."""

    instrument: str
    number: int
    title: str
    issuer: str
    state: InstrumentState
    document_number: str | None = Field(description="None before it was issued")
    issued_on: date | None
    effective_from: date
    valid_through: date
    ends_on: date = Field(description="First day out of force, as known by now")
    entered: bool = Field(description="Issued outside this system and entered from the published text")
    text_sha256: str


class ArticleView(BaseModel):
    """One article."""

    number: int
    chapter: str
    text: str
    gloss: str
    deeds: list[Deed]


class InterpretationView(BaseModel):
    """What an article means. issued_at: None while a proposal, which binds nobody."""

    id: str
    article: int
    question: str
    answer: str
    gloss: str
    valid_from: date
    issued_at: datetime | None
    record: str | None


class VersionView(VersionSummary):
    """A version with everything."""

    legal_basis: list[str]
    articles: list[ArticleView]
    interpretations: list[InterpretationView]
    acts: list[ActView]


class Standing(BaseModel):
    """Whether a deed may be done, and under what.

    version: the version in force that provides for it, else the last one that did; None when none ever has,
    or when the deed depends on none.
    """

    deed: Deed
    verdict: Verdict
    version: VersionSummary | None
    article: int | None


class InstrumentList(BaseModel):
    """Every version, newest first, and what may be done on that day."""

    day: date
    versions: list[VersionSummary]
    standings: list[Standing]
