"""Pages of a talent's application: one part a page, the documents, a look at all of it, and off it goes."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends
from sqlalchemy.orm import Session
from starlette.datastructures import UploadFile
from starlette.responses import Response

from talentseal.accounts.schemas import Command
from talentseal.errors import TalentSealError
from talentseal.policy.tiers import Tier
from talentseal.talents import applications, reading
from talentseal.talents.applications import (
    DOCUMENT_LIMIT,
    OPEN_TO_CHANGE,
    ApplicationClosed,
    ApplicationNotFound,
)
from talentseal.talents.desk import UPLOAD_LIMIT, AtDesk, Desk, Identifier, document_answer
from talentseal.talents.models import DocumentKind, Purpose
from talentseal.talents.schemas import (
    PROOFS,
    AddDocument,
    ApplicationView,
    Basic,
    Claim,
    Education,
    IdentityDocument,
    Part,
    RecognisingBody,
    SavePart,
    ScopeGround,
    Work,
)
from talentseal.web.forms import Form, Typed, command_of, nested, texts
from talentseal.web.pages import see_other

pages = APIRouter(prefix="/me/application", include_in_schema=False)

HOME: Final = "/me/application"


class Sheet(StrEnum):
    """One page of the form; its address ends in the value."""

    IDENTITY = "identity"
    WORK = "work"
    EDUCATION = "education"
    CLAIM = "claim"
    ACHIEVEMENTS = "achievements"
    DOCUMENTS = "documents"
    CHECK = "check"


PARTS: Final[Mapping[Sheet, tuple[Part, ...]]] = {
    Sheet.IDENTITY: (Part.BASIC,),
    Sheet.WORK: (Part.WORK,),
    Sheet.EDUCATION: (Part.EDUCATION,),
    Sheet.CLAIM: (Part.CLAIM,),
    Sheet.ACHIEVEMENTS: (Part.RESEARCH, Part.HONOURS),
    Sheet.DOCUMENTS: (),
    Sheet.CHECK: (),
}
"""What is entered on each."""

_MODELS: Final[Mapping[Part, type[Command]]] = {
    Part.BASIC: Basic,
    Part.WORK: Work,
    Part.EDUCATION: Education,
    Part.CLAIM: Claim,
}


def sheets_of(purpose: Purpose) -> list[Sheet]:
    """The pages of an application: who claims a tier is known already, and where he works."""
    known = {Sheet.IDENTITY, Sheet.WORK} if purpose is Purpose.TIER else set[Sheet]()
    return [sheet for sheet in Sheet if sheet not in known]


@dataclass(frozen=True, slots=True)
class Filing:
    """One request about one's newest application, which is there."""

    desk: Desk
    application: ApplicationView

    @property
    def sheets(self) -> list[Sheet]:
        return sheets_of(self.application.purpose)

    def sheet(self, name: str) -> Sheet:
        """The page of that name. Raises ApplicationNotFound for one that this application has not."""
        for each in self.sheets:
            if each.value == name:
                return each
        raise ApplicationNotFound

    def following(self, sheet: Sheet) -> str:
        """Address of the page after it."""
        place = self.sheets.index(sheet)
        return f"{HOME}/{self.sheets[place + 1].value}"

    def standing(self, sheet: Sheet) -> str:
        """Whether a page is done, wrong or still to be filled in, as its step says."""
        parts = {part.value for part in PARTS[sheet]}
        kinds = {kind.value for kind in DocumentKind} if sheet is Sheet.DOCUMENTS else set[str]()
        concerned = parts | kinds
        if any(defect.part.value in concerned for defect in self.application.defects):
            return "wrong"
        if any(each.value in concerned for each in self.application.missing):
            return "wanted"
        content = self.application.content
        filled = any(getattr(content, part.value) for part in PARTS[sheet])
        return "done" if filled or (kinds and self.application.documents) else "open"

    def show(
        self,
        sheet: Sheet,
        values: Typed | None = None,
        refusal: TalentSealError | None = None,
    ) -> Response:
        """A page of the form: as it was saved, or as it was typed when that was not taken."""
        concerned = {part.value for part in PARTS[sheet]}
        if sheet is Sheet.DOCUMENTS:
            concerned = {kind.value for kind in DocumentKind}
        return self.desk.show(
            f"talents/{sheet.value}.html",
            refusal=refusal,
            application=self.application,
            sheet=sheet.value,
            steps=[(each.value, self.standing(each)) for each in self.sheets],
            values=_saved(self.application, sheet) if values is None else values,
            defects=[each for each in self.application.defects if each.part.value in concerned],
            choices=_CHOICES,
            proofs={tier.value: sorted(kinds) for tier, kinds in PROOFS.items()},
            wanted=sorted(self.application.content.documents_wanted(self.application.purpose)),
        )


_CHOICES: Final = {
    "documents": [each.value for each in IdentityDocument],
    "grounds": [each.value for each in ScopeGround],
    "tiers": [each.value for each in Tier if each is not Tier.RESERVE],
    "bodies": [each.value for each in RecognisingBody],
    "kinds": [each.value for each in DocumentKind],
}


def _saved(application: ApplicationView, sheet: Sheet) -> Typed:
    """What the page's fields hold on the server."""
    content = application.content.model_dump(mode="json")
    values = Typed()
    for part in PARTS[sheet]:
        found = content[part.value]
        entered = found if isinstance(found, dict) else {part.value: found}
        values.update({name: value for name, value in entered.items() if value is not None})
    return values


def _newest(desk: Desk) -> ApplicationView | None:
    return desk.database.read(lambda session: reading.newest_application(session, desk.actor, desk.vault))


def _at_hand(desk: AtDesk) -> Filing:
    """Raises ApplicationNotFound before the first."""
    found = _newest(desk)
    if found is None:
        raise ApplicationNotFound
    return Filing(desk, found)


AtHand = Annotated[Filing, Depends(_at_hand)]


def _open(filing: AtHand) -> Filing:
    """Raises ApplicationClosed unless the talent may still enter."""
    if filing.application.state not in OPEN_TO_CHANGE:
        raise ApplicationClosed(state=filing.application.state.value)
    return filing


Open = Annotated[Filing, Depends(_open)]


@pages.get("")
def show(desk: AtDesk) -> Response:
    """Where my application stands, and what I can do about it."""
    found = _newest(desk)
    filing = Filing(desk, found) if found else None
    return desk.show(
        "talents/application.html",
        application=found,
        steps=[(each.value, filing.standing(each)) for each in filing.sheets] if filing else [],
    )


@pages.post("")
def begin(desk: AtDesk) -> Response:
    """Begin one, or go on with the one there is."""
    row = desk.database.write(
        lambda session: applications.begin(session, desk.actor, desk.vault, now=desk.now)
    )
    if row.state not in OPEN_TO_CHANGE:
        return see_other(HOME)
    return see_other(f"{HOME}/{sheets_of(row.purpose)[0].value}")


@pages.get("/documents/{document}")
def open_document(filing: AtHand, document: Identifier) -> Response:
    """One of my own documents."""
    desk = filing.desk
    row, content = desk.database.read(
        lambda session: reading.own_document(session, desk.actor, desk.vault, filing.application.id, document)
    )
    return document_answer(row, content)


@pages.get("/withdrawal")
def show_withdrawal(filing: AtHand) -> Response:
    """Really take it back?"""
    return filing.desk.show("talents/withdrawal.html", application=filing.application)


@pages.post("/withdrawal")
def withdraw(filing: AtHand) -> Response:
    """Take it back."""
    desk = filing.desk

    def again(refusal: TalentSealError) -> Response:
        return desk.show("talents/withdrawal.html", refusal=refusal, application=filing.application)

    def work(session: Session) -> None:
        applications.withdraw(session, desk.actor, desk.vault, filing.application.id, now=desk.now)

    return desk.act(work, lambda: see_other(HOME, "application-withdrawn"), again)


@pages.post("/submission")
def submit(filing: Open) -> Response:
    """Hand it in."""
    desk = filing.desk

    def work(session: Session) -> None:
        applications.submit(session, desk.actor, desk.vault, filing.application.id, now=desk.now)

    return desk.act(
        work,
        lambda: see_other(HOME, "application-submitted"),
        lambda refusal: filing.show(Sheet.CHECK, refusal=refusal),
    )


@pages.get("/{sheet}")
def show_sheet(filing: AtHand, sheet: str) -> Response:
    """One page of the form; once it is handed in, what has become of it."""
    if filing.application.state not in OPEN_TO_CHANGE:
        return see_other(HOME)
    return filing.show(filing.sheet(sheet))


@pages.post("/documents", max_body_size=UPLOAD_LIMIT)
def add_document(filing: Open, form: Form) -> Response:
    """Take a document in."""
    desk, given = filing.desk, form.get("document")
    values = nested(texts(form))
    plain = given.file.read(DOCUMENT_LIMIT + 1) if isinstance(given, UploadFile) else b""

    def work(session: Session) -> None:
        kind = command_of(AddDocument, {"kind": values["kind"]}).kind
        applications.add_document(
            session, desk.actor, desk.vault, filing.application.id, kind=kind, plain=plain, now=desk.now
        )

    return desk.act(
        work,
        lambda: see_other(f"{HOME}/documents", "document-added"),
        lambda refusal: filing.show(Sheet.DOCUMENTS, values, refusal),
    )


@pages.post("/documents/{document}/removal")
def remove_document(filing: Open, document: Identifier) -> Response:
    """Take one of them out again."""
    desk = filing.desk

    def work(session: Session) -> None:
        applications.remove_document(session, desk.actor, filing.application.id, document)

    return desk.act(
        work,
        lambda: see_other(f"{HOME}/documents", "document-removed"),
        lambda refusal: filing.show(Sheet.DOCUMENTS, refusal=refusal),
    )


@pages.post("/{sheet}")
def save(filing: Open, sheet: str, form: Form) -> Response:
    """Keep a page of the form, and go on to the next."""
    values, desk, at = nested(texts(form)), filing.desk, filing.sheet(sheet)

    def work(session: Session) -> None:
        for command in commands:
            applications.save(session, desk.actor, desk.vault, filing.application.id, command)

    try:
        commands = [_save(part, values) for part in PARTS[at]]
    except TalentSealError as refusal:
        return filing.show(at, values, refusal)
    return desk.act(
        work,
        lambda: see_other(filing.following(at), "part-saved"),
        lambda refusal: filing.show(at, values, refusal),
    )


def _save(part: Part, values: Typed) -> SavePart:
    """The part as the page's fields say it; nothing in them clears it. Raises FormRefused."""
    model = _MODELS.get(part)
    if model is None:
        return command_of(SavePart, {"part": part, "value": values[part.value]})
    entered = {name: values[name] for name in model.model_fields if values[name]}
    optional = part in {Part.EDUCATION, Part.CLAIM}
    if optional and (not entered or (part is Part.CLAIM and "tier" not in entered)):
        return SavePart(part=part, value=None)
    value: Any = command_of(model, entered)
    return SavePart(part=part, value=value)
