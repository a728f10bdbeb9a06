"""Where the pages of talents and of their office are served: one request, and all that answers it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import Depends, Path, Request
from pydantic import StringConstraints
from sqlalchemy.orm import Session
from starlette.datastructures import FormData, UploadFile
from starlette.responses import Response

from talentseal.accounts.access import Db, Now, WebActor
from talentseal.accounts.roles import Actor
from talentseal.db import Database
from talentseal.errors import TalentSealError
from talentseal.talents.applications import DOCUMENT_LIMIT
from talentseal.talents.models import ApplicationDocument
from talentseal.talents.pictures import Picture
from talentseal.talents.privacy_models import TalentPaper
from talentseal.vault import Vault
from talentseal.web.forms import SHOWN_ELSEWHERE, errors_of, named, said
from talentseal.web.pages import Pages

MULTIPART_FRAME: Final = 1024 * 1024
"""Bytes that may lie around the file of an upload request, and far more than do."""
UPLOAD_LIMIT: Final = DOCUMENT_LIMIT + MULTIPART_FRAME
"""Bytes of an upload request: the document and the multipart frame."""

Identifier = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$"), Path()]

_SANDBOX: Final = "sandbox; default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"


@dataclass(frozen=True, slots=True)
class Desk:
    """One request of somebody who is signed in."""

    request: Request
    database: Database
    vault: Vault = field(repr=False)
    actor: Actor
    now: datetime

    def show(self, template: str, *, refusal: TalentSealError | None = None, **values: Any) -> Response:
        """A page; after a refusal with its sentence, its status and what is wrong with each field."""
        site: Pages = self.request.app.state.pages
        return site.render(
            self.request,
            template,
            status=refusal.status if refusal else 200,
            refusal=self.said(refusal) if refusal else "",
            errors=errors_of(refusal, self.request),
            **values,
        )

    def said(self, refusal: TalentSealError) -> str:
        """The refusal in the person's language, parts and documents by their names."""
        site: Pages = self.request.app.state.pages
        words = site.words(self.request, "talents/words.html")
        known = {**words.PARTS, **words.DOCUMENTS, **words.APPLICATION_STATES, **words.RECOGNITION_STATES}
        wanted = {str(each) for each in refusal.params.values()}
        listed = {name for each in wanted for name in each.split(", ")}
        return named(
            said(refusal, self.request), {name: known[name] for name in sorted(listed & known.keys())}
        )

    def act(
        self,
        work: Callable[[Session], Any],
        then: Callable[[], Response],
        again: Callable[[TalentSealError], Response],
    ) -> Response:
        """One act in a transaction of its own, and on; or the form again with what stands against it."""
        try:
            self.database.write(work)
        except TalentSealError as refusal:
            if refusal.status in SHOWN_ELSEWHERE:
                raise
            return again(refusal)
        return then()


async def _desk(request: Request, database: Db, actor: WebActor, now: Now) -> Desk:
    return Desk(request, database, request.app.state.vault, actor, now)


AtDesk = Annotated[Desk, Depends(_desk)]


def documents_in(form: FormData, name: str) -> list[bytes]:
    """The files of a form, each as far as a document may be long; an empty field is none."""
    given = [each for each in form.getlist(name) if isinstance(each, UploadFile)]
    contents = [each.file.read(DOCUMENT_LIMIT + 1) for each in given]
    return [each for each in contents if each]


def paper_answer(row: TalentPaper, content: bytes) -> Response:
    """The bytes of a document that belongs to a review or a correction; see `document_answer`."""
    return bytes_answer(row.media_type, f"proof-{row.id[:8]}", content)


def document_answer(row: ApplicationDocument, content: bytes) -> Response:
    """A document's bytes, which may be anything that somebody sent: shown in a sandbox or saved, never run.

    Images are shown. A PDF is saved, since browsers do not show one in a sandbox.
    """
    name = f"{row.kind.value.lower().replace('_', '-')}-{row.id[:8]}"
    return bytes_answer(row.media_type, name, content)


def photo_answer(picture: Picture) -> Response:
    """A photo's bytes; see `document_answer`."""
    return bytes_answer(picture.media_type, "photo", picture.content)


def bytes_answer(media_type: str, name: str, content: bytes) -> Response:
    """Somebody's document under a name of ours; see `document_answer`."""
    shown = "inline" if media_type.startswith("image/") else "attachment"
    headers = {
        "Content-Disposition": f'{shown}; filename="{name}.{media_type.rpartition("/")[2]}"',
        "Content-Security-Policy": _SANDBOX,
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "no-store",
    }
    return Response(content, media_type=media_type, headers=headers)
