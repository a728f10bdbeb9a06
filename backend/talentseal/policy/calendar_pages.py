"""The page of the working-day calendar: for everyone to read, for the offices to import a notice."""

from datetime import datetime
from typing import Final

from fastapi import APIRouter, Request
from sqlalchemy.orm import Session
from starlette.datastructures import FormData, UploadFile
from starlette.responses import Response

from talentseal.accounts.access import Db, Now, WebActor
from talentseal.accounts.roles import Permission
from talentseal.db import Database
from talentseal.errors import TalentSealError
from talentseal.policy import calendar
from talentseal.policy.calendar import NoticeFileRefused
from talentseal.web.forms import SHOWN_ELSEWHERE, Form, said
from talentseal.web.language import Language, language_of
from talentseal.web.pages import Pages, see_other

ADDRESS: Final = "/policy/calendar"

pages = APIRouter(prefix=ADDRESS, include_in_schema=False)


@pages.get("")
def show_calendar(request: Request, database: Db, now: Now) -> Response:
    """Days off and days worked, year by year, and which years are missing."""
    return _page(request, database, now, None)


@pages.post("")
def import_notice(request: Request, database: Db, now: Now, actor: WebActor, form: Form) -> Response:
    """Take a notice's file, or show the page again with every place at fault."""
    actor.require(Permission.CALENDAR_IMPORT)
    try:
        command = calendar.read_notice(_content(form))

        def work(session: Session) -> bool:
            return calendar.import_notice(session, actor, command, now=now)[1]

        new = database.write(work)
    except TalentSealError as refusal:
        if refusal.status in SHOWN_ELSEWHERE:
            raise
        return _page(request, database, now, refusal)
    return see_other(ADDRESS, "holidays-imported" if new else "holidays-unchanged")


def _page(request: Request, database: Database, now: datetime, refusal: TalentSealError | None) -> Response:
    """The page; after a refusal with its sentence, its status, and every place at fault."""
    site: Pages = request.app.state.pages
    return site.render(
        request,
        "policy/calendar.html",
        status=refusal.status if refusal else 200,
        met=database.read(lambda session: calendar.overview(session, now=now)),
        problems=[said(refusal, request), *_places(refusal, request)] if refusal else [],
        example=calendar.EXAMPLE,
    )


def _content(form: FormData) -> bytes:
    """What stands in the file, as far as a notice may be long; nothing when none was chosen."""
    file = form.get("file")
    return file.file.read(calendar.LONGEST_FILE + 1) if isinstance(file, UploadFile) else b""


def _places(refusal: TalentSealError, request: Request) -> list[str]:
    if not isinstance(refusal, NoticeFileRefused):
        return []
    english = language_of(request) is Language.EN
    return [f"{each.path}: {each.en if english else each.zh}" for each in refusal.findings]
