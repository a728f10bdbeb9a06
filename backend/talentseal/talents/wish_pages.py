"""Pages of the office for what people ask about their data, one decision a page; and auditors' grants."""

from fastapi import APIRouter
from sqlalchemy.orm import Session
from starlette.responses import Response

from talentseal.accounts.roles import Permission
from talentseal.errors import TalentSealError
from talentseal.talents import correcting, erasing, grants, wishes
from talentseal.talents.desk import AtDesk, Desk, Identifier, paper_answer
from talentseal.talents.models import FieldGroup
from talentseal.talents.privacy_pages import Privacy
from talentseal.talents.privacy_schemas import DecideWish, GiveGrant
from talentseal.web.forms import WHOLE, Form, Typed, command_of, nested, texts
from talentseal.web.pages import see_other

pages = APIRouter(include_in_schema=False)


@pages.get("/wishes")
def list_wishes(desk: AtDesk) -> Response:
    """Corrections and erasures that await an answer."""
    found = desk.database.read(lambda session: wishes.waiting(session, desk.actor, now=desk.now))
    return desk.show("privacy/wishes.html", found=found)


@pages.get("/corrections/{correction}")
def show_correction(desk: AtDesk, correction: Identifier) -> Response:
    """One correction; that it was opened is kept."""
    return _correction(desk, correction)


def _correction(
    desk: Desk, correction: str, refusal: TalentSealError | None = None, typed: Typed | None = None
) -> Response:
    view = desk.database.write(
        lambda session: correcting.for_decision(session, desk.actor, desk.vault, correction, now=desk.now)
    )
    values = Typed() if typed is None else typed
    return desk.show("privacy/correction.html", refusal=refusal, view=view, values=values)


@pages.post("/corrections/{correction}/decision")
def decide_correction(desk: AtDesk, correction: Identifier, form: Form, privacy: Privacy) -> Response:
    """Grant or refuse it."""
    typed = nested(texts(form))

    def work(session: Session) -> None:
        correcting.decide(
            session,
            desk.actor,
            desk.vault,
            correction,
            _decision(typed),
            correct_record=privacy.correct_record,
            now=desk.now,
        )

    return desk.act(
        work,
        lambda: see_other("/wishes", "wish-decided"),
        lambda refusal: _correction(desk, correction, refusal, typed),
    )


@pages.get("/corrections/{correction}/papers/{paper}")
def open_paper(desk: AtDesk, correction: Identifier, paper: Identifier) -> Response:
    """A document of a correction; that it was opened is kept."""
    row, content = desk.database.write(
        lambda session: correcting.open_paper(
            session, desk.actor, desk.vault, correction, paper, now=desk.now
        )
    )
    return paper_answer(row, content)


@pages.get("/erasures/{erasure}")
def show_erasure(desk: AtDesk, erasure: Identifier) -> Response:
    """One wish for erasure: nothing of who asks."""
    return _erasure(desk, erasure)


def _erasure(
    desk: Desk, erasure: str, refusal: TalentSealError | None = None, typed: Typed | None = None
) -> Response:
    view = desk.database.read(lambda session: erasing.for_decision(session, desk.actor, desk.vault, erasure))
    values = Typed() if typed is None else typed
    return desk.show("privacy/erasure-decision.html", refusal=refusal, view=view, values=values)


@pages.post("/erasures/{erasure}/decision")
def decide_erasure(desk: AtDesk, erasure: Identifier, form: Form, privacy: Privacy) -> Response:
    """Grant or refuse it; granted, everything is destroyed now."""
    typed = nested(texts(form))

    def work(session: Session) -> None:
        erasing.decide(
            session,
            desk.actor,
            desk.vault,
            erasure,
            _decision(typed),
            holdings=privacy.holdings,
            now=desk.now,
        )

    return desk.act(
        work,
        lambda: see_other("/wishes", "wish-decided"),
        lambda refusal: _erasure(desk, erasure, refusal, typed),
    )


def _decision(typed: Typed) -> DecideWish:
    granted = {"yes": True, "no": False}.get(typed["granted"])
    said = {"granted": granted, "organisation_agreed": typed["organisation_agreed"] == "yes"}
    return command_of(DecideWish, {**said, "reason": typed["reason"]})


@pages.get("/grants")
def list_grants(desk: AtDesk) -> Response:
    """Auditors' grants; an auditor sees his own."""
    return _grants(desk)


def _grants(desk: Desk, refusal: TalentSealError | None = None, typed: Typed | None = None) -> Response:
    found = desk.database.read(lambda session: grants.every(session, desk.actor, desk.vault, now=desk.now))
    return desk.show(
        "privacy/grants.html",
        refusal=refusal,
        found=found,
        gives=desk.actor.may(Permission.GRANT_GIVE),
        groups=[each.value for each in FieldGroup],
        values=Typed() if typed is None else typed,
    )


@pages.post("/grants")
def give_grant(desk: AtDesk, form: Form) -> Response:
    """Let an auditor read some groups of one person for some days."""
    typed = nested(texts(form), lists=frozenset({"groups"}))

    def work(session: Session) -> None:
        days = typed["days"]
        said = {**typed, "days": int(days) if WHOLE.match(days) else days}
        grants.give(session, desk.actor, desk.vault, command_of(GiveGrant, said), now=desk.now)

    return desk.act(
        work,
        lambda: see_other("/grants", "grant-given"),
        lambda refusal: _grants(desk, refusal, typed),
    )


@pages.post("/grants/{grant}/revocation")
def revoke_grant(desk: AtDesk, grant: Identifier) -> Response:
    """End it at once."""
    return desk.act(
        lambda session: grants.revoke(session, desk.actor, grant, now=desk.now),
        lambda: see_other("/grants", "grant-revoked"),
        lambda refusal: _grants(desk, refusal),
    )


@pages.get("/grants/{grant}")
def use_grant(desk: AtDesk, grant: Identifier) -> Response:
    """What the grant opens; that it was opened is kept."""
    sight = desk.database.write(
        lambda session: grants.use(session, desk.actor, desk.vault, grant, now=desk.now)
    )
    return desk.show("privacy/granted.html", sight=sight)
