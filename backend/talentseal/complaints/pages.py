"""Pages of complaints and marks: what a talent files and follows, what is answered and decided."""

import re
from collections.abc import Callable
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends
from sqlalchemy.orm import Session
from starlette.responses import Response

from talentseal.accounts.roles import Permission
from talentseal.complaints import ratings, reading, service, service_records
from talentseal.complaints.schemas import DecideComplaint, FileComplaint, Rate, Say
from talentseal.complaints.service import ComplaintNotFound, RedemptionNotOwn
from talentseal.complaints.states import ComplaintState
from talentseal.errors import TalentSealError
from talentseal.redemptions import obligations
from talentseal.sanctions.desk import AtDesk, Desk
from talentseal.web.forms import Form, Typed, command_of, nested, texts
from talentseal.web.pages import see_other

PAGE_LENGTH: Final = 30

_IDENTIFIER: Final = re.compile(r"[0-9a-f]{32}\Z")
_ORGANISATION: Final = re.compile(r"0x[0-9a-f]{64}\Z")

pages = APIRouter(include_in_schema=False)


async def _complaint(complaint: str) -> str:
    if not _IDENTIFIER.match(complaint):
        raise ComplaintNotFound
    return complaint


async def _redemption(redemption: str) -> str:
    if not _IDENTIFIER.match(redemption):
        raise RedemptionNotOwn
    return redemption


ComplaintId = Annotated[str, Depends(_complaint)]
RedemptionId = Annotated[str, Depends(_redemption)]
Decided = Callable[[Session], Any]


@pages.get("/me/complaints")
def list_own(desk: AtDesk) -> Response:
    """My complaints."""
    met = desk.database.read(lambda session: reading.own_complaints(session, desk.actor, now=desk.now))
    return desk.show("complaints/mine.html", met=met)


@pages.get("/me/complaints/new")
def show_form(desk: AtDesk, organisation: str = "", redemption: str = "") -> Response:
    """Of whom, and of what? redemption: one's own use of a benefit that it is about."""
    typed = Typed(organisation=organisation if _ORGANISATION.match(organisation) else "")
    if _IDENTIFIER.match(redemption):
        row = desk.database.read(lambda session: ratings.own_redemption(session, desk.actor, redemption))
        typed |= {"redemption": redemption, "organisation": row.organisation_id}
    return _form(desk, typed)


@pages.post("/me/complaints/new")
def file(desk: AtDesk, form: Form) -> Response:
    """File it, and go on to its page."""
    typed = nested(texts(form))

    def work(session: Session) -> str:
        command = command_of(FileComplaint, dict(typed))
        return service.file(session, desk.actor, desk.vault, command, now=desk.now).id

    return desk.act(
        work,
        lambda row: (f"/me/complaints/{row}", "complaint-filed"),
        lambda refusal: _form(desk, typed, refusal),
    )


def _form(desk: Desk, typed: Typed, refusal: TalentSealError | None = None) -> Response:
    chosen = typed["organisation"] if _ORGANISATION.match(str(typed["organisation"])) else ""

    def read(session: Session) -> dict[str, Any]:
        promised = reading.promises(session, desk.actor, chosen, now=desk.now) if chosen else []
        return {"targets": reading.targets(session, desk.actor), "promises": promised}

    kinds = service.kinds(of_a_use=bool(typed["redemption"]))
    return desk.show("complaints/file.html", refusal, typed=typed, kinds=kinds, **desk.database.read(read))


@pages.get("/me/complaints/{complaint}")
def show_own(desk: AtDesk, complaint: ComplaintId) -> Response:
    """One of mine: what was said, by when I hear, what I can do."""
    return _own(desk, complaint)


@pages.post("/me/complaints/{complaint}/closing")
def close(desk: AtDesk, complaint: ComplaintId) -> Response:
    """Be content."""
    return _on_own(
        desk,
        complaint,
        lambda session: service.close(session, desk.actor, complaint, now=desk.now),
        "complaint-closed",
        Typed(),
    )


@pages.post("/me/complaints/{complaint}/reopening")
def reopen(desk: AtDesk, complaint: ComplaintId, form: Form) -> Response:
    """Contest the answer, or that none came in time."""
    typed = nested(texts(form))

    def work(session: Session) -> Any:
        command = command_of(Say, dict(typed))
        return service.reopen(session, desk.actor, desk.vault, complaint, command, now=desk.now)

    return _on_own(desk, complaint, work, "complaint-reopened", typed)


@pages.post("/me/complaints/{complaint}/rating")
def rate_complaint(desk: AtDesk, complaint: ComplaintId, form: Form) -> Response:
    """Mark how it was dealt with."""
    typed = nested(texts(form))

    def work(session: Session) -> Any:
        command = command_of(Rate, dict(typed))
        return ratings.rate_complaint(session, desk.actor, desk.vault, complaint, command, now=desk.now)

    return _on_own(desk, complaint, work, "rating-taken", typed)


@pages.get("/me/complaints/{complaint}/{_act:path}")
def back_to_own(complaint: ComplaintId, _act: str) -> Response:
    """Whoever loads the answer to a form again comes back to where the form is."""
    return see_other(f"/me/complaints/{complaint}")


def _on_own(desk: Desk, complaint: str, work: Decided, notice: str, typed: Typed) -> Response:
    return desk.act(
        work,
        lambda _row: (f"/me/complaints/{complaint}", notice),
        lambda refusal: _own(desk, complaint, refusal, typed),
    )


def _own(
    desk: Desk, complaint: str, refusal: TalentSealError | None = None, typed: Typed | None = None
) -> Response:
    met = desk.database.read(
        lambda session: reading.own_complaint(session, desk.actor, desk.vault, complaint, now=desk.now)
    )
    return desk.show("complaints/my-complaint.html", refusal, met=met, typed=typed or Typed())


@pages.get("/me/ratings/{redemption}")
def show_rating(desk: AtDesk, redemption: RedemptionId) -> Response:
    """Mark one use of a benefit."""
    return _rating(desk, redemption)


@pages.post("/me/ratings/{redemption}")
def rate_redemption(desk: AtDesk, redemption: RedemptionId, form: Form) -> Response:
    """Take the mark."""
    typed = nested(texts(form))

    def work(session: Session) -> Any:
        command = command_of(Rate, dict(typed))
        return ratings.rate_redemption(session, desk.actor, desk.vault, redemption, command, now=desk.now)

    return desk.act(
        work,
        lambda _row: (f"/me/ratings/{redemption}", "rating-taken"),
        lambda refusal: _rating(desk, redemption, refusal, typed),
    )


def _rating(
    desk: Desk, redemption: str, refusal: TalentSealError | None = None, typed: Typed | None = None
) -> Response:
    def read(session: Session) -> Any:
        ratings.own_redemption(session, desk.actor, redemption)
        row = ratings.of_redemption(session, redemption)
        return ratings.view(desk.vault, row, now=desk.now) if row else None

    met = desk.database.read(read)
    return desk.show(
        "complaints/rating.html", refusal, met=met, redemption=redemption, typed=typed or Typed()
    )


@pages.get("/complaints")
def list_complaints(desk: AtDesk, state: str = "", after: str = "", overdue: str = "") -> Response:
    """Complaints to be answered or decided, the newest first."""
    wanted = ComplaintState(state) if state in set(ComplaintState) else None
    last, is_late = after if _IDENTIFIER.match(after) else "", overdue == "true"
    met = desk.database.read(
        lambda session: reading.complaint_list(
            session, desk.actor, state=wanted, overdue=is_late, after=last, limit=PAGE_LENGTH, now=desk.now
        )
    )
    states, shown = [each.value for each in ComplaintState], wanted.value if wanted else ""
    return desk.show(
        "complaints/complaints.html", met=met, states=states, state=shown, overdue=is_late, after=last
    )


@pages.get("/complaints/{complaint}")
def show_complaint(desk: AtDesk, complaint: ComplaintId) -> Response:
    """One complaint, and the one thing that is to be done about it."""
    return _show(desk, complaint)


@pages.post("/complaints/{complaint}/acceptance")
def accept(desk: AtDesk, complaint: ComplaintId) -> Response:
    """Accept it."""
    return _on(
        desk,
        complaint,
        lambda session: service.accept(session, desk.actor, complaint, now=desk.now),
        "complaint-accepted",
        Typed(),
    )


@pages.post("/complaints/{complaint}/processing")
def process(desk: AtDesk, complaint: ComplaintId) -> Response:
    """Begin to look into it."""
    return _on(
        desk,
        complaint,
        lambda session: service.process(session, desk.actor, complaint, now=desk.now),
        "complaint-processing",
        Typed(),
    )


@pages.post("/complaints/{complaint}/answer")
def answer(desk: AtDesk, complaint: ComplaintId, form: Form) -> Response:
    """Answer."""
    return _said(desk, complaint, form, service.answer, "complaint-answered")


@pages.post("/complaints/{complaint}/statement")
def state_side(desk: AtDesk, complaint: ComplaintId, form: Form) -> Response:
    """Say something before the talent office decides."""
    return _said(desk, complaint, form, service.state_side, "complaint-stated")


def _said(desk: Desk, complaint: str, form: Form, act: Callable[..., Any], notice: str) -> Response:
    typed = nested(texts(form))

    def work(session: Session) -> Any:
        command = command_of(Say, dict(typed))
        return act(session, desk.actor, desk.vault, complaint, command, now=desk.now)

    return _on(desk, complaint, work, notice, typed)


@pages.post("/complaints/{complaint}/escalation")
def escalate(desk: AtDesk, complaint: ComplaintId) -> Response:
    """Take it up, as the talent office."""
    return _on(
        desk,
        complaint,
        lambda session: service.escalate(session, desk.actor, complaint, now=desk.now),
        "complaint-escalated",
        Typed(),
    )


@pages.post("/complaints/{complaint}/decision")
def decide(desk: AtDesk, complaint: ComplaintId, form: Form) -> Response:
    """Uphold or dismiss."""
    typed = nested(texts(form))

    def work(session: Session) -> Any:
        command = command_of(DecideComplaint, dict(typed))
        return service.decide(session, desk.actor, desk.vault, complaint, command, now=desk.now)

    return _on(desk, complaint, work, "complaint-decided", typed)


@pages.get("/complaints/{complaint}/{_act:path}")
def back_to_complaint(complaint: ComplaintId, _act: str) -> Response:
    """Whoever loads the answer to a form again comes back to where the form is."""
    return see_other(f"/complaints/{complaint}")


def _on(desk: Desk, complaint: str, work: Decided, notice: str, typed: Typed) -> Response:
    return desk.act(
        work,
        lambda _row: (f"/complaints/{complaint}", notice),
        lambda refusal: _show(desk, complaint, refusal, typed),
    )


def _show(
    desk: Desk, complaint: str, refusal: TalentSealError | None = None, typed: Typed | None = None
) -> Response:
    met = desk.database.read(
        lambda session: reading.complaint_view(session, desk.actor, desk.vault, complaint, now=desk.now)
    )
    office = desk.actor.may(Permission.COMPLAINT_DECIDE)
    return desk.show("complaints/complaint.html", refusal, met=met, office=office, typed=typed or Typed())


@pages.get("/service-records")
def show_service_records(desk: AtDesk) -> Response:
    """How organisations have served in the last year; for the office also who owes a scenario."""

    def read(session: Session) -> dict[str, Any]:
        office = obligations.may_see_idle(desk.actor)
        return {
            "met": service_records.service_records(session, desk.actor, now=desk.now),
            "office": office,
            "idle": obligations.idle_enterprises(session, desk.actor, now=desk.now) if office else [],
        }

    return desk.show("complaints/service-records.html", **desk.database.read(read))
