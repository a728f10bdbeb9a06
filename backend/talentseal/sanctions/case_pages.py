"""Pages of cases and terminations: the office's lists and decisions, and what is held against a talent."""

import re
from collections.abc import Callable
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends
from sqlalchemy.orm import Session
from starlette.datastructures import FormData, UploadFile
from starlette.responses import Response

from talentseal.accounts.roles import Permission
from talentseal.errors import TalentSealError
from talentseal.sanctions import cases, reading, terminations
from talentseal.sanctions.api import FINDING_UPLOAD_LIMIT
from talentseal.sanctions.cases import CaseNotFound
from talentseal.sanctions.desk import AtDesk, Desk
from talentseal.sanctions.schemas import Attach, Confirm, Decide, Hear, Propose, Say
from talentseal.sanctions.states import CaseState, Ground, TerminationState
from talentseal.sanctions.terminations import FindingNotFound, TerminationNotFound
from talentseal.talents.desk import bytes_answer
from talentseal.talents.review_models import ReviewState
from talentseal.talents.reviews import ReviewNotFound
from talentseal.web.forms import Form, Typed, command_of, nested, texts
from talentseal.web.pages import see_other

PAGE_LENGTH: Final = 30

_IDENTIFIER: Final = re.compile(r"[0-9a-f]{32}\Z")

pages = APIRouter(include_in_schema=False)


async def _case(case: str) -> str:
    if not _IDENTIFIER.match(case):
        raise CaseNotFound
    return case


async def _termination(termination: str) -> str:
    if not _IDENTIFIER.match(termination):
        raise TerminationNotFound
    return termination


async def _review(review: str) -> str:
    if not _IDENTIFIER.match(review):
        raise ReviewNotFound
    return review


async def _finding_of(finding: str) -> str:
    if not _IDENTIFIER.match(finding):
        raise FindingNotFound
    return finding


FindingId = Annotated[str, Depends(_finding_of)]
ReviewId = Annotated[str, Depends(_review)]
CaseId = Annotated[str, Depends(_case)]
TerminationId = Annotated[str, Depends(_termination)]
Again = Callable[[TalentSealError], Response]
Decided = Callable[[Session], Any]


@pages.get("/cases")
def list_cases(desk: AtDesk, state: str = "", after: str = "") -> Response:
    """The office's cases, the newest first."""
    wanted = CaseState(state) if state in set(CaseState) else None
    last = after if _IDENTIFIER.match(after) else ""
    met = desk.database.read(
        lambda session: reading.case_list(session, desk.actor, state=wanted, after=last, limit=PAGE_LENGTH)
    )
    states = [each.value for each in CaseState]
    shown = wanted.value if wanted else ""
    return desk.show("sanctions/cases.html", met=met, states=states, state=shown, after=last)


@pages.get("/cases/{case}")
def show_case(desk: AtDesk, case: CaseId) -> Response:
    """One case, and the one decision that it waits for."""
    return _show_case(desk, case)


@pages.post("/cases/{case}/decision")
def decide_case(desk: AtDesk, case: CaseId, form: Form) -> Response:
    """Suspend or dismiss."""
    typed = nested(texts(form))

    def work(session: Session) -> Any:
        return cases.decide(
            session, desk.actor, desk.vault, case, command_of(Decide, dict(typed)), now=desk.now
        )

    return _on_case(desk, case, work, "case-decided", typed)


@pages.post("/cases/{case}/appeal-decision")
def hear_case(desk: AtDesk, case: CaseId, form: Form) -> Response:
    """Uphold or lift."""
    typed = nested(texts(form))

    def work(session: Session) -> Any:
        return cases.hear(session, desk.actor, desk.vault, case, command_of(Hear, dict(typed)), now=desk.now)

    return _on_case(desk, case, work, "appeal-decided", typed)


@pages.post("/cases/{case}/referral")
def refer_case(desk: AtDesk, case: CaseId, form: Form) -> Response:
    """Propose to terminate, and go on to that."""
    typed = nested(texts(form))

    def work(session: Session) -> str:
        command = command_of(Say, dict(typed))
        return cases.refer(session, desk.actor, desk.vault, case, command, now=desk.now).id

    return desk.act(
        work,
        lambda row: (f"/terminations/{row}", "termination-opened"),
        lambda refusal: _show_case(desk, case, refusal, typed),
    )


@pages.get("/cases/{case}/{_act:path}")
def back_to_case(case: CaseId, _act: str) -> Response:
    """Whoever loads the answer to a form again comes back to where the form is."""
    return see_other(f"/cases/{case}")


def _on_case(desk: Desk, case: str, work: Decided, notice: str, typed: Typed) -> Response:
    return desk.act(
        work,
        lambda _row: (f"/cases/{case}", notice),
        lambda refusal: _show_case(desk, case, refusal, typed),
    )


def _show_case(
    desk: Desk, case: str, refusal: TalentSealError | None = None, typed: Typed | None = None
) -> Response:
    met = desk.database.write(
        lambda session: reading.case_view(session, desk.actor, desk.vault, case, now=desk.now)
    )
    return desk.show("sanctions/case.html", refusal, met=met, typed=typed or Typed())


@pages.get("/terminations")
def list_terminations(desk: AtDesk, state: str = "", after: str = "") -> Response:
    """The terminations, the newest first."""
    wanted = TerminationState(state) if state in set(TerminationState) else None
    last = after if _IDENTIFIER.match(after) else ""
    met = desk.database.read(
        lambda session: reading.termination_list(
            session, desk.actor, state=wanted, after=last, limit=PAGE_LENGTH
        )
    )
    states = [each.value for each in TerminationState]
    shown = wanted.value if wanted else ""
    return desk.show("sanctions/terminations.html", met=met, states=states, state=shown, after=last)


@pages.get("/terminations/new")
def show_proposal(desk: AtDesk) -> Response:
    """Whose code, and why?"""
    desk.actor.require(Permission.TERMINATION_PROPOSE)
    return _proposal(desk, Typed())


@pages.post("/terminations/new")
def propose(desk: AtDesk, form: Form) -> Response:
    """Propose it, and go on to its page."""
    typed = nested(texts(form))

    def work(session: Session) -> str:
        command = command_of(Propose, dict(typed))
        return terminations.propose(session, desk.actor, desk.vault, command, now=desk.now).id

    return desk.act(
        work,
        lambda row: (f"/terminations/{row}", "termination-opened"),
        lambda refusal: _proposal(desk, typed, refusal),
    )


def _proposal(desk: Desk, typed: Typed, refusal: TalentSealError | None = None) -> Response:
    grounds = [each.value for each in Ground if each is not Ground.PERSONAL_USE_BREACH]
    return desk.show("sanctions/propose.html", refusal, typed=typed, grounds=grounds)


@pages.get("/terminations/{termination}")
def show_termination(desk: AtDesk, termination: TerminationId) -> Response:
    """One termination, and the one decision that it waits for."""
    return _show_termination(desk, termination)


@pages.post("/terminations/{termination}/notice")
def notify(desk: AtDesk, termination: TerminationId) -> Response:
    """Let the holder know."""

    def work(session: Session) -> Any:
        return terminations.notify(session, desk.actor, desk.vault, termination, now=desk.now)

    return _on_termination(desk, termination, work, "holder-notified", Typed())


@pages.post("/terminations/{termination}/findings", max_body_size=FINDING_UPLOAD_LIMIT)
def attach(desk: AtDesk, termination: TerminationId, form: Form) -> Response:
    """Attach an external finding."""
    desk.actor.require(Permission.TERMINATION_PROPOSE)
    typed, plain = nested(texts(form)), _content(form)

    def work(session: Session) -> Any:
        about = command_of(Attach, dict(typed))
        return terminations.attach(
            session, desk.actor, desk.vault, termination, about, plain=plain, now=desk.now
        )

    return _on_termination(desk, termination, work, "finding-attached", typed)


@pages.post("/terminations/{termination}/confirmation")
def confirm(desk: AtDesk, termination: TerminationId, form: Form) -> Response:
    """The leading group's confirmation."""
    typed = nested(texts(form))

    def work(session: Session) -> Any:
        command = command_of(Confirm, dict(typed))
        return terminations.confirm(session, desk.actor, desk.vault, termination, command, now=desk.now)

    return _on_termination(desk, termination, work, "termination-confirmed", typed)


@pages.post("/terminations/{termination}/decision")
def decide_termination(desk: AtDesk, termination: TerminationId, form: Form) -> Response:
    """Decide to terminate, or dismiss."""
    typed = nested(texts(form))

    def work(session: Session) -> Any:
        command = command_of(Decide, dict(typed))
        return terminations.decide(session, desk.actor, desk.vault, termination, command, now=desk.now)

    return _on_termination(desk, termination, work, "termination-decided", typed)


@pages.post("/terminations/{termination}/appeal-decision")
def hear_termination(desk: AtDesk, termination: TerminationId, form: Form) -> Response:
    """Uphold or annul."""
    typed = nested(texts(form))

    def work(session: Session) -> Any:
        command = command_of(Hear, dict(typed))
        return terminations.hear(session, desk.actor, desk.vault, termination, command, now=desk.now)

    return _on_termination(desk, termination, work, "appeal-decided", typed)


@pages.get("/terminations/{termination}/findings/{finding}")
def open_finding(desk: AtDesk, termination: TerminationId, finding: FindingId) -> Response:
    """The PDF of a finding; that it was opened is kept."""
    return _finding(desk, termination, finding)


@pages.get("/me/terminations/{termination}/findings/{finding}")
def open_own_finding(desk: AtDesk, termination: TerminationId, finding: FindingId) -> Response:
    """The PDF of a finding about me."""
    return _finding(desk, termination, finding)


def _finding(desk: Desk, termination: str, finding: str) -> Response:
    content = desk.database.write(
        lambda session: reading.finding(session, desk.actor, desk.vault, termination, finding, now=desk.now)
    )
    return bytes_answer("application/pdf", f"finding-{finding[:8]}", content)


@pages.get("/reviews/{review}/termination")
def show_for_review(desk: AtDesk, review: ReviewId) -> Response:
    """Propose to end the code of somebody whose review failed because he has left."""
    return _for_review(desk, review)


@pages.post("/reviews/{review}/termination")
def propose_for_review(desk: AtDesk, review: ReviewId, form: Form) -> Response:
    """Propose it, and go on to its page."""
    typed = nested(texts(form))

    def work(session: Session) -> str:
        command = command_of(Say, dict(typed))
        return terminations.of_review(session, desk.actor, desk.vault, review, command, now=desk.now).id

    return desk.act(
        work,
        lambda row: (f"/terminations/{row}", "termination-opened"),
        lambda refusal: _for_review(desk, review, refusal, typed),
    )


def _for_review(
    desk: Desk, review: str, refusal: TalentSealError | None = None, typed: Typed | None = None
) -> Response:
    state, made = desk.database.read(lambda session: reading.proposed_for(session, desk.actor, review))
    shown = {"review": review, "failed": state is ReviewState.FAILED, "made": made}
    return desk.show("sanctions/propose-for-review.html", refusal, typed=typed or Typed(), **shown)


@pages.get("/terminations/{termination}/{_act:path}")
def back_to_termination(termination: TerminationId, _act: str) -> Response:
    """Whoever loads the answer to a form again comes back to where the form is."""
    return see_other(f"/terminations/{termination}")


def _content(form: FormData) -> bytes:
    """What stands in the file, as far as a finding may be long; nothing when none was chosen."""
    file = form.get("document")
    return file.file.read(terminations.FINDING_LIMIT + 1) if isinstance(file, UploadFile) else b""


def _on_termination(desk: Desk, termination: str, work: Decided, notice: str, typed: Typed) -> Response:
    return desk.act(
        work,
        lambda _row: (f"/terminations/{termination}", notice),
        lambda refusal: _show_termination(desk, termination, refusal, typed),
    )


def _show_termination(
    desk: Desk, termination: str, refusal: TalentSealError | None = None, typed: Typed | None = None
) -> Response:
    met = desk.database.write(
        lambda session: reading.termination_view(session, desk.actor, desk.vault, termination, now=desk.now)
    )
    return desk.show("sanctions/termination.html", refusal, met=met, typed=typed or Typed())


@pages.get("/me/cases")
def show_own(desk: AtDesk) -> Response:
    """What is held against me."""

    def read(session: Session) -> dict[str, Any]:
        return {
            "cases": reading.own_cases(session, desk.actor),
            "terminations": reading.own_terminations(session, desk.actor),
        }

    return desk.show("sanctions/mine.html", **desk.database.read(read))


@pages.get("/me/cases/{case}")
def show_own_case(desk: AtDesk, case: CaseId) -> Response:
    """One case: what, until when, and what I can do."""
    return _own_case(desk, case)


@pages.post("/me/cases/{case}/statement")
def make_statement(desk: AtDesk, case: CaseId, form: Form) -> Response:
    """Be heard."""
    typed = nested(texts(form))

    def work(session: Session) -> Any:
        command = command_of(Say, dict(typed))
        return cases.make_statement(session, desk.actor, desk.vault, case, command, now=desk.now)

    return _on_own_case(desk, case, work, "statement-taken", typed)


@pages.post("/me/cases/{case}/appeal")
def appeal(desk: AtDesk, case: CaseId, form: Form) -> Response:
    """Appeal."""
    typed = nested(texts(form))

    def work(session: Session) -> Any:
        command = command_of(Say, dict(typed))
        return cases.appeal(session, desk.actor, desk.vault, case, command, now=desk.now)

    return _on_own_case(desk, case, work, "appeal-taken", typed)


@pages.get("/me/cases/{case}/{_act:path}")
def back_to_own_case(case: CaseId, _act: str) -> Response:
    """Whoever loads the answer to a form again comes back to where the form is."""
    return see_other(f"/me/cases/{case}")


def _on_own_case(desk: Desk, case: str, work: Decided, notice: str, typed: Typed) -> Response:
    return desk.act(
        work,
        lambda _row: (f"/me/cases/{case}", notice),
        lambda refusal: _own_case(desk, case, refusal, typed),
    )


def _own_case(
    desk: Desk, case: str, refusal: TalentSealError | None = None, typed: Typed | None = None
) -> Response:
    met = desk.database.read(lambda session: reading.own_case(session, desk.actor, desk.vault, case))
    return desk.show("sanctions/my-case.html", refusal, met=met, typed=typed or Typed())


@pages.get("/me/terminations/{termination}")
def show_own_termination(desk: AtDesk, termination: TerminationId) -> Response:
    """One termination: why, when it takes effect, and what I can do."""
    return _own_termination(desk, termination)


@pages.post("/me/terminations/{termination}/statement")
def make_statement_on_end(desk: AtDesk, termination: TerminationId, form: Form) -> Response:
    """Be heard."""
    typed = nested(texts(form))

    def work(session: Session) -> Any:
        command = command_of(Say, dict(typed))
        return terminations.make_statement(
            session, desk.actor, desk.vault, termination, command, now=desk.now
        )

    return _on_own_termination(desk, termination, work, "statement-taken", typed)


@pages.post("/me/terminations/{termination}/appeal")
def appeal_against_end(desk: AtDesk, termination: TerminationId, form: Form) -> Response:
    """Appeal."""
    typed = nested(texts(form))

    def work(session: Session) -> Any:
        command = command_of(Say, dict(typed))
        return terminations.appeal(session, desk.actor, desk.vault, termination, command, now=desk.now)

    return _on_own_termination(desk, termination, work, "appeal-taken", typed)


@pages.get("/me/terminations/{termination}/{_act:path}")
def back_to_own_termination(termination: TerminationId, _act: str) -> Response:
    """Whoever loads the answer to a form again comes back to where the form is."""
    return see_other(f"/me/terminations/{termination}")


def _on_own_termination(desk: Desk, termination: str, work: Decided, notice: str, typed: Typed) -> Response:
    return desk.act(
        work,
        lambda _row: (f"/me/terminations/{termination}", notice),
        lambda refusal: _own_termination(desk, termination, refusal, typed),
    )


def _own_termination(
    desk: Desk, termination: str, refusal: TalentSealError | None = None, typed: Typed | None = None
) -> Response:
    met = desk.database.read(
        lambda session: reading.own_termination(session, desk.actor, desk.vault, termination)
    )
    return desk.show("sanctions/my-termination.html", refusal, met=met, typed=typed or Typed())
