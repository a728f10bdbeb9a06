"""Pages on which a person sees what is held of him, who looked at it, and says what may be done with it."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request
from sqlalchemy.orm import Session
from starlette.datastructures import UploadFile
from starlette.responses import Response

from talentseal.errors import TalentSealError
from talentseal.talents import (
    consents,
    correcting,
    erasing,
    exporting,
    people,
    photos,
    reading,
    review_reading,
)
from talentseal.talents.desk import (
    MULTIPART_FRAME,
    UPLOAD_LIMIT,
    AtDesk,
    Desk,
    Identifier,
    document_answer,
    documents_in,
    paper_answer,
    photo_answer,
)
from talentseal.talents.models import FieldGroup
from talentseal.talents.privacy import PrivacyDesk
from talentseal.talents.privacy_models import ConsentScope
from talentseal.talents.privacy_schemas import AskCorrection, CorrectionView, GiveConsent
from talentseal.talents.schemas import IdentityDocument, ScopeGround
from talentseal.web.forms import Form, Typed, command_of, nested, texts
from talentseal.web.pages import see_other

pages = APIRouter(include_in_schema=False, prefix="/me")

_GROUPS: Final = [each.value for each in FieldGroup]


async def _privacy(request: Request) -> PrivacyDesk:
    privacy: PrivacyDesk = request.app.state.privacy
    return privacy


Privacy = Annotated[PrivacyDesk, Depends(_privacy)]


@pages.get("/consents")
def show_consents(desk: AtDesk) -> Response:
    """What I have consented to, and what each organisation sees by it."""
    return _consents(desk)


def _consents(desk: Desk, refusal: TalentSealError | None = None, typed: Typed | None = None) -> Response:
    found, partners = desk.database.read(
        lambda session: (consents.own(session, desk.actor), consents.partners_of(session, desk.actor))
    )
    return desk.show(
        "privacy/consents.html",
        refusal=refusal,
        found=found,
        partners=[(each.id, each.name) for each in partners],
        scopes=[each.value for each in ConsentScope],
        values=Typed() if typed is None else typed,
    )


@pages.post("/consents")
def give_consent(desk: AtDesk, form: Form) -> Response:
    """Consent to one thing for one organisation."""
    typed = nested(texts(form))

    def work(session: Session) -> None:
        consents.give(session, desk.actor, command_of(GiveConsent, dict(typed)), now=desk.now)

    return desk.act(
        work,
        lambda: see_other("/me/consents", "consent-given"),
        lambda refusal: _consents(desk, refusal, typed),
    )


@pages.post("/consents/{consent}/withdrawal")
def withdraw_consent(desk: AtDesk, consent: Identifier) -> Response:
    """End it, from now on."""
    return desk.act(
        lambda session: consents.withdraw(session, desk.actor, consent, now=desk.now),
        lambda: see_other("/me/consents", "consent-withdrawn"),
        lambda refusal: _consents(desk, refusal),
    )


@pages.get("/photo")
def show_photo(desk: AtDesk) -> Response:
    """My photo, and who is shown it."""
    return _photo(desk)


def _photo(desk: Desk, refusal: TalentSealError | None = None) -> Response:
    def read(session: Session) -> tuple[photos.PhotoView | None, list[str]]:
        row = photos.own(session, desk.actor)
        sights = consents.own(session, desk.actor).standing
        shown = [
            sight.organisation_name
            for sight in sights
            if any(each.scope is ConsentScope.PHOTO for each in sight.consents)
        ]
        return photos.PhotoView.of(row) if row else None, shown

    found, shown = desk.database.read(read)
    limit = photos.PHOTO_LIMIT >> 10
    return desk.show("privacy/photo.html", refusal=refusal, found=found, shown=shown, limit=limit)


@pages.post("/photo", max_body_size=photos.PHOTO_LIMIT + MULTIPART_FRAME)
def put_photo(desk: AtDesk, form: Form) -> Response:
    """Put one there, in place of the one before."""
    given = form.get("photo")
    plain = given.file.read(photos.PHOTO_LIMIT + 1) if isinstance(given, UploadFile) else b""
    return desk.act(
        lambda session: photos.put(session, desk.actor, desk.vault, plain, now=desk.now).size,
        lambda: see_other("/me/photo", "photo-put"),
        lambda refusal: _photo(desk, refusal),
    )


@pages.post("/photo/removal")
def remove_photo(desk: AtDesk) -> Response:
    """Take it away; it is destroyed."""
    return desk.act(
        lambda session: photos.remove(session, desk.actor),
        lambda: see_other("/me/photo", "photo-removed"),
        lambda refusal: _photo(desk, refusal),
    )


@pages.get("/photo/removal")
def back_to_photo() -> Response:
    """Whoever loads the answer to a form again comes back to where the form is."""
    return see_other("/me/photo")


@pages.get("/photo/picture")
def open_photo(desk: AtDesk) -> Response:
    """The photo itself."""
    return photo_answer(
        desk.database.read(lambda session: photos.own_picture(session, desk.actor, desk.vault))
    )


@pages.get("/access")
def show_access(desk: AtDesk, after: Annotated[str, Query(pattern=r"^[0-9]{0,6}$")] = "") -> Response:
    """Who looked at my data, when and what for."""
    found = desk.database.read(lambda session: exporting.own_openings(session, desk.actor, after=after))
    return desk.show("privacy/access.html", found=found, after=after)


@pages.get("/export")
def show_export(desk: AtDesk, privacy: Privacy) -> Response:
    """What is held of me: its parts, and the whole as a file."""
    told = desk.database.read(lambda session: exporting.own_account(session, desk.actor))
    parts = [*(each.name for each in privacy.holdings), exporting.EVIDENCE]
    return desk.show("privacy/export.html", told=told, parts=parts)


@pages.get("/export/file")
def download_export(desk: AtDesk, privacy: Privacy) -> Response:
    """The same for programs."""
    headers = {
        "Content-Disposition": 'attachment; filename="talentseal-export.json"',
        "Cache-Control": "no-store",
    }
    export = desk.database.read(
        lambda session: exporting.own_export(session, desk.actor, desk.vault, privacy.holdings, now=desk.now)
    )
    return Response(export.model_dump_json(indent=1), media_type="application/json", headers=headers)


@pages.get("/export/{part}")
def show_part(desk: AtDesk, privacy: Privacy, part: str) -> Response:
    """One part of what is held of me, to be read."""
    told = desk.database.read(
        lambda session: exporting.own_part(session, desk.actor, desk.vault, privacy.holdings, part)
    )
    return desk.show("privacy/export-part.html", told=told, part=part)


@pages.get("/export/applications/{application}/documents/{document}")
def open_document(desk: AtDesk, application: Identifier, document: Identifier) -> Response:
    """A document of any of my applications."""
    row, content = desk.database.read(
        lambda session: reading.own_document(session, desk.actor, desk.vault, application, document)
    )
    return document_answer(row, content)


@pages.get("/corrections")
def show_corrections(desk: AtDesk, group: str = "") -> Response:
    """My corrections; with a group the form that asks for one."""
    return _corrections(desk, group if group in _GROUPS else "")


def _corrections(
    desk: Desk, group: str, refusal: TalentSealError | None = None, typed: Typed | None = None
) -> Response:
    def read(session: Session) -> tuple[list[CorrectionView], review_reading.Known, list[str]]:
        talent = people.of_account(session, desk.actor)
        known = people.groups_of(session, desk.vault, talent.id)
        mine = correcting.own(session, desk.actor, desk.vault)
        return mine, known, correcting.records_of(session, talent.id)

    found, known, records = desk.database.read(read)
    return desk.show(
        "privacy/corrections.html",
        refusal=refusal,
        found=found,
        known={each: Typed(fields) for each, fields in known.items()},
        blank=Typed(),
        records=records,
        group=group,
        groups=_GROUPS,
        documents=[each.value for each in IdentityDocument],
        grounds=[each.value for each in ScopeGround],
        values=Typed() if typed is None else typed,
    )


@pages.post("/corrections", max_body_size=UPLOAD_LIMIT)
def ask_correction(desk: AtDesk, form: Form) -> Response:
    """Ask for one, with documents that prove it."""
    typed, proofs = nested(texts(form)), documents_in(form, "documents")

    def work(session: Session) -> None:
        said = command_of(AskCorrection, dict(typed))
        correcting.ask(session, desk.actor, desk.vault, said, proofs=proofs, now=desk.now)

    group = typed["group"] if typed["group"] in _GROUPS else ""
    return desk.act(
        work,
        lambda: see_other("/me/corrections", "correction-asked"),
        lambda refusal: _corrections(desk, group, refusal, typed),
    )


@pages.post("/corrections/{correction}/withdrawal")
def withdraw_correction(desk: AtDesk, correction: Identifier) -> Response:
    """Take it back."""
    return desk.act(
        lambda session: correcting.withdraw(session, desk.actor, correction, now=desk.now),
        lambda: see_other("/me/corrections", "correction-withdrawn"),
        lambda refusal: _corrections(desk, "", refusal),
    )


@pages.get("/corrections/{correction}/papers/{paper}")
def open_paper(desk: AtDesk, correction: Identifier, paper: Identifier) -> Response:
    """A document that I added."""
    row, content = desk.database.write(
        lambda session: correcting.open_paper(
            session, desk.actor, desk.vault, correction, paper, now=desk.now
        )
    )
    return paper_answer(row, content)


@pages.get("/erasure")
def show_erasure(desk: AtDesk) -> Response:
    """What erasure does, what stays, and my wishes for it."""
    return _erasure(desk)


def _erasure(desk: Desk, refusal: TalentSealError | None = None) -> Response:
    found = desk.database.read(lambda session: erasing.own(session, desk.actor, desk.vault))
    return desk.show("privacy/erasure.html", refusal=refusal, found=found)


@pages.post("/erasure")
def ask_erasure(desk: AtDesk, privacy: Privacy) -> Response:
    """Ask for it."""
    return desk.act(
        lambda session: erasing.ask(session, desk.actor, holdings=privacy.holdings, now=desk.now),
        lambda: see_other("/me/erasure", "erasure-asked"),
        lambda refusal: _erasure(desk, refusal),
    )


@pages.post("/erasure/{erasure}/withdrawal")
def withdraw_erasure(desk: AtDesk, erasure: Identifier) -> Response:
    """Take it back."""
    return desk.act(
        lambda session: erasing.withdraw(session, desk.actor, erasure, now=desk.now),
        lambda: see_other("/me/erasure", "erasure-withdrawn"),
        lambda refusal: _erasure(desk, refusal),
    )
