"""Pages of the office: what waits, one application or recognition a page, and the decision on it.

Whoever opens what an applicant entered leaves a trace for him, in the transaction that reads it. A list opens
nothing, and an application that nobody has taken up shows no more than the list does.
"""

from collections.abc import Callable
from typing import Annotated, Final

from fastapi import APIRouter, Query
from sqlalchemy.orm import Session
from starlette.responses import Response

from talentseal.errors import TalentSealError
from talentseal.talents import deciding, reading, recognitions
from talentseal.talents.desk import AtDesk, Desk, Identifier, document_answer
from talentseal.talents.models import ApplicationState, DocumentKind
from talentseal.talents.schemas import (
    Approve,
    Confirm,
    End,
    Ending,
    Part,
    Refuse,
    Reject,
    RejectionGround,
    Return,
    ReviewView,
)
from talentseal.web.forms import Form, Typed, command_of, nested, texts
from talentseal.web.pages import see_other

pages = APIRouter(include_in_schema=False)

_LISTED: Final = [each.value for each in ApplicationState if each is not ApplicationState.DRAFT]


@pages.get("/applications")
def list_applications(
    desk: AtDesk,
    state: str = "",
    after: Annotated[str, Query(pattern=r"^[0-9]{0,6}$")] = "",
) -> Response:
    """What awaits an answer, the most urgent first; or what stands in another state."""
    wanted = ApplicationState(state) if state in _LISTED else None
    found = desk.database.read(
        lambda session: reading.work_list(session, desk.actor, state=wanted, after=after, now=desk.now)
    )
    return desk.show(
        "talents/applications.html", found=found, state=wanted.value if wanted else "", states=_LISTED
    )


@pages.get("/applications/{application}")
def show_application(desk: AtDesk, application: Identifier) -> Response:
    """One application: before it is taken up what the list says, then everything."""
    row = desk.database.read(lambda session: reading.awaited(session, desk.actor, application, now=desk.now))
    if row is not None:
        return desk.show("talents/taking-up.html", row=row)
    return _review(desk, application)


def _review(
    desk: Desk, application: str, refusal: TalentSealError | None = None, typed: Typed | None = None
) -> Response:
    """The application with what was typed to decide on it. do: which decision that was."""
    view: ReviewView = desk.database.write(
        lambda session: reading.for_review(session, desk.actor, desk.vault, application, now=desk.now)
    )
    values = typed if typed is not None else _suggested(view)
    names = [*(part.value for part in Part), *(kind.value for kind in DocumentKind)]
    content = view.content
    proofs = sorted(content.claim.wanted) if content.claim else []
    return desk.show(
        "talents/review.html",
        refusal=refusal,
        view=view,
        values=values,
        defects=values["defects"] or {},
        objectable=[name for name in names if name not in view.closed],
        proofs=[(kind.value, any(each.kind is kind for each in view.documents)) for kind in proofs],
        grounds=[each.value for each in RejectionGround],
    )


def _suggested(view: ReviewView) -> Typed:
    """What stands in the forms at first: the defects that the registers show."""
    return Typed(
        defects={each.part.value: each.text for each in view.ready}, do="return" if view.ready else ""
    )


@pages.post("/applications/{application}/review")
def take_up(desk: AtDesk, application: Identifier) -> Response:
    """Begin the review."""
    desk.database.write(lambda session: deciding.take_up(session, desk.actor, application, now=desk.now).id)
    return see_other(f"/applications/{application}", "application-taken-up")


@pages.get("/applications/{application}/documents/{document}")
def open_document(desk: AtDesk, application: Identifier, document: Identifier) -> Response:
    """A document; that it was opened is kept."""
    row, content = desk.database.write(
        lambda session: deciding.document(
            session, desk.actor, desk.vault, application, document, now=desk.now
        )
    )
    return document_answer(row, content)


@pages.post("/applications/{application}/return")
def send_back(desk: AtDesk, application: Identifier, form: Form) -> Response:
    """Return it with one list of all that is wrong."""

    def work(session: Session, values: Typed) -> None:
        typed = values["defects"] or {}
        listed = [{"part": name, "text": text} for name, text in typed.items()]
        command = command_of(Return, {"defects": listed})
        deciding.send_back(session, desk.actor, desk.vault, application, command, now=desk.now)

    return _decide(desk, application, _typed(form, "return"), work, "application-returned")


@pages.post("/applications/{application}/rejection")
def reject(desk: AtDesk, application: Identifier, form: Form) -> Response:
    """Reject it."""

    def work(session: Session, values: Typed) -> None:
        command = command_of(Reject, {"ground": values["ground"], "reason": values["reason"]})
        deciding.reject(session, desk.actor, desk.vault, application, command, now=desk.now)

    return _decide(desk, application, _typed(form, "reject"), work, "application-rejected")


@pages.post("/applications/{application}/approval")
def approve(desk: AtDesk, application: Identifier, form: Form) -> Response:
    """Approve it, and with it the claim when that is proved."""

    def work(session: Session, values: Typed) -> None:
        proved = (values["proved"] or []) if values["recognise"] == "yes" else None
        command = command_of(Approve, {"proved": proved, "reason": values["reason"]})
        deciding.approve(session, desk.actor, desk.vault, application, command, now=desk.now)

    return _decide(desk, application, _typed(form, "approve"), work, "application-approved")


def _typed(form: Form, decision: str) -> Typed:
    """What stands in a decision's form. do: which decision that is."""
    values = nested(texts(form), lists=frozenset({"proved"}))
    values["do"] = decision
    return values


def _decide(
    desk: Desk, application: str, values: Typed, work: Callable[[Session, Typed], None], notice: str
) -> Response:
    return desk.act(
        lambda session: work(session, values),
        lambda: see_other(f"/applications/{application}", notice),
        lambda refusal: _review(desk, application, refusal, values),
    )


@pages.get("/recognitions")
def list_recognitions(desk: AtDesk) -> Response:
    """What waits for its second person."""
    found = desk.database.read(lambda session: reading.waiting_recognitions(session, desk.actor))
    return desk.show("talents/recognitions.html", found=found)


@pages.get("/recognitions/{recognition}")
def show_recognition(desk: AtDesk, recognition: Identifier) -> Response:
    """One recognition with its proofs."""
    return _recognition(desk, recognition)


def _recognition(
    desk: Desk, recognition: str, refusal: TalentSealError | None = None, typed: Typed | None = None
) -> Response:
    view = desk.database.write(
        lambda session: reading.for_confirmation(session, desk.actor, desk.vault, recognition, now=desk.now)
    )
    return desk.show(
        "talents/recognition.html",
        refusal=refusal,
        view=view,
        values=Typed() if typed is None else typed,
        endings=[each.value for each in Ending],
    )


@pages.post("/recognitions/{recognition}/confirmation")
def confirm(desk: AtDesk, recognition: Identifier, form: Form) -> Response:
    """Let it count."""

    def work(session: Session, values: Typed) -> None:
        command = command_of(Confirm, {"reason": values["reason"]})
        recognitions.confirm(session, desk.actor, desk.vault, recognition, command, now=desk.now)

    return _on_recognition(desk, recognition, form, work, "recognition-confirmed")


@pages.post("/recognitions/{recognition}/refusal")
def refuse(desk: AtDesk, recognition: Identifier, form: Form) -> Response:
    """Refuse to confirm it."""

    def work(session: Session, values: Typed) -> None:
        values["do"] = "refuse"
        command = command_of(Refuse, {"reason": values["reason"]})
        recognitions.refuse(session, desk.actor, desk.vault, recognition, command, now=desk.now)

    return _on_recognition(desk, recognition, form, work, "recognition-refused")


@pages.post("/recognitions/{recognition}/ending")
def end(desk: AtDesk, recognition: Identifier, form: Form) -> Response:
    """Adjust or revoke it."""

    def work(session: Session, values: Typed) -> None:
        command = command_of(End, {"state": values["state"], "reason": values["reason"]})
        recognitions.end(session, desk.actor, desk.vault, recognition, command, now=desk.now)

    return _on_recognition(desk, recognition, form, work, "recognition-ended")


def _on_recognition(
    desk: Desk, recognition: str, form: Form, work: Callable[[Session, Typed], None], notice: str
) -> Response:
    values = nested(texts(form))
    return desk.act(
        lambda session: work(session, values),
        lambda: see_other(f"/recognitions/{recognition}", notice),
        lambda refusal: _recognition(desk, recognition, refusal, values),
    )
