"""Pages of objections to a decision: of whoever objects, and of the office, one answer a page."""

from fastapi import APIRouter
from sqlalchemy.orm import Session
from starlette.responses import Response

from talentseal.errors import TalentSealError
from talentseal.talents import objecting
from talentseal.talents.desk import AtDesk, Desk, Identifier
from talentseal.talents.objection_schemas import AnswerObjection, FileObjection
from talentseal.web.forms import Form, Typed, command_of, nested, texts
from talentseal.web.pages import see_other

pages = APIRouter(include_in_schema=False)


@pages.get("/me/objections")
def show_own(desk: AtDesk) -> Response:
    """What I can object to, and what became of my objections."""
    return _own(desk)


def _own(desk: Desk, refusal: TalentSealError | None = None, typed: Typed | None = None) -> Response:
    found = desk.database.read(lambda session: objecting.own(session, desk.actor, desk.vault, now=desk.now))
    return desk.show("objections/mine.html", refusal=refusal, found=found, values=typed or Typed())


@pages.post("/me/objections")
def file(desk: AtDesk, form: Form) -> Response:
    """Object to a decision."""
    typed = nested(texts(form))

    def work(session: Session) -> None:
        command = command_of(FileObjection, dict(typed))
        objecting.file(session, desk.actor, desk.vault, command, now=desk.now)

    return desk.act(
        work,
        lambda: see_other("/me/objections", "objection-filed"),
        lambda refusal: _own(desk, refusal, typed),
    )


@pages.get("/objections")
def list_objections(desk: AtDesk) -> Response:
    """What awaits an answer."""
    found = desk.database.read(lambda session: objecting.waiting(session, desk.actor, now=desk.now))
    return desk.show("objections/list.html", found=found)


@pages.get("/objections/{objection}")
def show_objection(desk: AtDesk, objection: Identifier) -> Response:
    """One objection with the decision it is against; that it was opened is kept."""
    return _objection(desk, objection)


def _objection(
    desk: Desk, objection: str, refusal: TalentSealError | None = None, typed: Typed | None = None
) -> Response:
    view = desk.database.write(
        lambda session: objecting.for_answer(session, desk.actor, desk.vault, objection, now=desk.now)
    )
    return desk.show("objections/answer.html", refusal=refusal, view=view, values=typed or Typed())


@pages.post("/objections/{objection}")
def answer(desk: AtDesk, objection: Identifier, form: Form) -> Response:
    """Let the decision stand, or set it aside."""
    typed = nested(texts(form))

    def work(session: Session) -> None:
        set_aside = {"yes": True, "no": False}.get(typed["set_aside"])
        command = command_of(AnswerObjection, {"set_aside": set_aside, "reason": typed["reason"]})
        objecting.answer(session, desk.actor, desk.vault, objection, command, now=desk.now)

    return desk.act(
        work,
        lambda: see_other(f"/objections/{objection}", "objection-answered"),
        lambda refusal: _objection(desk, objection, refusal, typed),
    )
