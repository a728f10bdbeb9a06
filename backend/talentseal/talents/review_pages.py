"""Pages of reviews: the holder's, the office's work list with one decision a page, the terms, reports."""

from typing import Annotated, Final

from fastapi import APIRouter, Path, Query
from sqlalchemy.orm import Session
from starlette.responses import Response

from talentseal.accounts.roles import Permission
from talentseal.errors import TalentSealError
from talentseal.policy.tiers import Tier
from talentseal.talents import review_reading, review_terms, reviews
from talentseal.talents.desk import (
    UPLOAD_LIMIT,
    AtDesk,
    Desk,
    Identifier,
    documents_in,
    paper_answer,
)
from talentseal.talents.review_models import ReviewState
from talentseal.talents.review_schemas import (
    AnswerReview,
    DecideReview,
    Happening,
    ProposeTerms,
    ReportHappening,
    Verdict,
)
from talentseal.talents.schemas import IdentityDocument, ScopeGround
from talentseal.web.forms import WHOLE, Form, Typed, command_of, nested, texts
from talentseal.web.pages import see_other

pages = APIRouter(include_in_schema=False)

_STATES: Final = [each.value for each in ReviewState]


@pages.get("/me/reviews")
def show_own(desk: AtDesk) -> Response:
    """My reviews, and when the next one is due."""
    found = desk.database.read(lambda session: review_reading.own(session, desk.actor, desk.vault))
    return desk.show("reviews/own.html", found=found)


@pages.get("/me/reviews/{review}")
def show_own_one(desk: AtDesk, review: Identifier) -> Response:
    """One of my reviews, to be answered."""
    return _own_one(desk, review)


def _own_one(
    desk: Desk, review: str, refusal: TalentSealError | None = None, typed: Typed | None = None
) -> Response:
    view = desk.database.read(lambda session: review_reading.own_one(session, desk.actor, desk.vault, review))
    return desk.show(
        "reviews/answer.html",
        refusal=refusal,
        view=view,
        values=Typed() if typed is None else typed,
        blank=Typed(),
        grounds=[each.value for each in ScopeGround],
    )


@pages.post("/me/reviews/{review}", max_body_size=UPLOAD_LIMIT)
def answer(desk: AtDesk, review: Identifier, form: Form) -> Response:
    """Confirm my fields, or say what has changed."""
    typed, proofs = nested(texts(form)), documents_in(form, "documents")

    def work(session: Session) -> None:
        said = command_of(AnswerReview, dict(typed))
        reviews.answer(session, desk.actor, desk.vault, review, said, proofs=proofs, now=desk.now)

    return desk.act(
        work,
        lambda: see_other("/me/reviews", "review-answered"),
        lambda refusal: _own_one(desk, review, refusal, typed),
    )


@pages.get("/me/reviews/{review}/papers/{paper}")
def open_own_paper(desk: AtDesk, review: Identifier, paper: Identifier) -> Response:
    """A document that I added."""
    return _paper(desk, review, paper)


@pages.get("/reviews")
def list_reviews(
    desk: AtDesk,
    state: str = "",
    after: Annotated[str, Query(pattern=r"^[0-9]{0,6}$")] = "",
) -> Response:
    """What was answered and waits for a decision; or what stands in another state."""
    wanted = ReviewState(state) if state in _STATES else ReviewState.SUBMITTED
    found = desk.database.read(
        lambda session: review_reading.work_list(session, desk.actor, state=wanted, after=after)
    )
    return desk.show("reviews/list.html", found=found, state=wanted.value, states=_STATES)


@pages.get("/reviews/terms")
def show_terms(desk: AtDesk) -> Response:
    """How often is reviewed: what counts, what is proposed, what was."""
    return _terms(desk)


def _terms(desk: Desk, refusal: TalentSealError | None = None, typed: Typed | None = None) -> Response:
    book = desk.database.read(lambda session: review_reading.terms_book(session, desk.actor))
    counting = next(each for each in book.items if each.in_force)
    values = Typed() if typed is None else typed
    return desk.show(
        "reviews/terms.html",
        refusal=refusal,
        book=book,
        values=values,
        months=values["months"] or {tier.value: str(n) for tier, n in counting.months.items()},
        grace=values["grace_days"] or str(counting.grace_days),
        tiers=[tier.value for tier in Tier],
    )


@pages.post("/reviews/terms")
def propose_terms(desk: AtDesk, form: Form) -> Response:
    """Propose how often is reviewed from now on."""
    typed = nested(texts(form))

    def work(session: Session) -> None:
        values = dict(typed)
        values["months"] = {tier: _whole(text) for tier, text in (typed["months"] or {}).items()}
        values["grace_days"] = _whole(typed["grace_days"])
        review_terms.propose(session, desk.actor, command_of(ProposeTerms, values), now=desk.now)

    return desk.act(
        work,
        lambda: see_other("/reviews/terms", "review-terms-proposed"),
        lambda refusal: _terms(desk, refusal, typed),
    )


def _whole(text: str) -> int | str:
    """The number that stands in a field; what is none is left to the command's own refusal."""
    return int(text) if WHOLE.match(text) else text


@pages.post("/reviews/terms/{number}/approval")
def approve_terms(desk: AtDesk, number: Annotated[int, Path(ge=1, le=10**6)]) -> Response:
    """Let a proposal count."""
    return desk.act(
        lambda session: review_terms.approve(session, desk.actor, number, now=desk.now),
        lambda: see_other("/reviews/terms", "review-terms-approved"),
        lambda refusal: _terms(desk, refusal),
    )


@pages.get("/reviews/report")
def show_report(desk: AtDesk) -> Response:
    """What may be reported of a holder."""
    desk.actor.require(Permission.REVIEW_REPORT)
    return _report(desk)


def _report(desk: Desk, refusal: TalentSealError | None = None, typed: Typed | None = None) -> Response:
    return desk.show(
        "reviews/report.html",
        refusal=refusal,
        values=Typed() if typed is None else typed,
        happenings=[each.value for each in Happening],
        documents=[each.value for each in IdentityDocument],
    )


@pages.post("/reviews/report")
def report(desk: AtDesk, form: Form) -> Response:
    """Report what happened: a review opens, and nothing is said of whether the person is known."""
    typed = nested(texts(form))

    def work(session: Session) -> None:
        said = command_of(ReportHappening, dict(typed))
        reviews.report(session, desk.actor, desk.vault, said, now=desk.now)

    return desk.act(
        work,
        lambda: see_other("/reviews/report", "happening-reported"),
        lambda refusal: _report(desk, refusal, typed),
    )


@pages.get("/reviews/{review}")
def show_review(desk: AtDesk, review: Identifier) -> Response:
    """One review with what is known; that it was opened is kept."""
    return _decision(desk, review)


def _decision(
    desk: Desk, review: str, refusal: TalentSealError | None = None, typed: Typed | None = None
) -> Response:
    view = desk.database.write(
        lambda session: review_reading.for_decision(session, desk.actor, desk.vault, review, now=desk.now)
    )
    return desk.show(
        "reviews/decision.html",
        refusal=refusal,
        view=view,
        values=Typed() if typed is None else typed,
        verdicts=[each.value for each in Verdict],
    )


@pages.post("/reviews/{review}/decision")
def decide(desk: AtDesk, review: Identifier, form: Form) -> Response:
    """Decide it, for a reason."""
    typed = nested(texts(form))

    def work(session: Session) -> None:
        said = command_of(DecideReview, dict(typed))
        reviews.decide(session, desk.actor, desk.vault, review, said, now=desk.now)

    return desk.act(
        work,
        lambda: see_other("/reviews", "review-decided"),
        lambda refusal: _decision(desk, review, refusal, typed),
    )


@pages.get("/reviews/{review}/papers/{paper}")
def open_paper(desk: AtDesk, review: Identifier, paper: Identifier) -> Response:
    """A document of a review; that it was opened is kept."""
    return _paper(desk, review, paper)


def _paper(desk: Desk, review: str, paper: str) -> Response:
    row, content = desk.database.write(
        lambda session: review_reading.open_paper(
            session, desk.actor, desk.vault, review, paper, now=desk.now
        )
    )
    return paper_answer(row, content)
