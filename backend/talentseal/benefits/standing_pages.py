"""Pages of what benefits stand on: mandates of the operator, admissions to the modules, measures."""

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.responses import Response

from talentseal.accounts.models import Organisation, OrganisationKind
from talentseal.accounts.roles import Permission
from talentseal.agreements import admission, pausing
from talentseal.agreements.duty_schemas import PauseProposal
from talentseal.errors import NotFound, TalentSealError
from talentseal.partners import access, mandates
from talentseal.partners.access import NEGOTIATED, AccessNotFound
from talentseal.partners.access_schemas import (
    ApplyForFinance,
    Because,
    DraftMandate,
    OpenNegotiation,
    SignAccess,
)
from talentseal.partners.mandates import MandateNotFound
from talentseal.policy import measures
from talentseal.policy.measure_models import MeasureState
from talentseal.policy.measure_schemas import DraftMeasure, MeasureMove, MeasureSummary
from talentseal.policy.measures import MeasureNotFound
from talentseal.sanctions.desk import AtDesk, Desk
from talentseal.web.forms import Form, Typed, command_of, nested, texts
from talentseal.web.pages import see_other

_IDENTIFIER: Final = re.compile(r"[0-9a-f]{32}\Z")

pages = APIRouter(include_in_schema=False)

_PLAIN: Final[Mapping[str, Callable[..., Any]]] = {
    "terms": access.agree_terms,
    "filing": access.file,
    "admission": access.admit,
    "withdrawal": access.withdraw,
}
_REASONED: Final[Mapping[str, Callable[..., Any]]] = {
    "examination": access.examine,
    "abandonment": access.abandon,
    "refusal": access.refuse,
    "pause": access.pause,
    "keeping": access.keep,
}


async def _access(access_id: str) -> str:
    if not _IDENTIFIER.match(access_id):
        raise AccessNotFound
    return access_id


async def _mandate(mandate: str) -> str:
    if not _IDENTIFIER.match(mandate):
        raise MandateNotFound
    return mandate


async def _measure(measure: str) -> str:
    if not _IDENTIFIER.match(measure):
        raise MeasureNotFound
    return measure


AccessId = Annotated[str, Depends(_access)]
MandateId = Annotated[str, Depends(_mandate)]
MeasureId = Annotated[str, Depends(_measure)]


@pages.get("/admissions")
def list_admissions(desk: AtDesk) -> Response:
    """Admissions to the modules."""
    return _admissions(desk)


@pages.post("/admissions/finance")
def apply(desk: AtDesk, form: Form) -> Response:
    """Apply for the finance module."""
    typed = nested(texts(form))

    def work(session: Session) -> str:
        command = command_of(ApplyForFinance, {**typed, "organisation": desk.actor.organisation_id})
        return access.apply(session, desk.actor, command, now=desk.now).id

    return desk.act(
        work,
        lambda made: (f"/admissions/{made}", "access-applied"),
        lambda refusal: _admissions(desk, refusal, typed),
    )


@pages.post("/admissions/consumption")
def open_negotiation(desk: AtDesk, form: Form) -> Response:
    """Open a negotiation."""
    typed = nested(texts(form))

    def work(session: Session) -> str:
        command = command_of(OpenNegotiation, dict(typed))
        return access.open_negotiation(session, desk.actor, command, now=desk.now).id

    return desk.act(
        work,
        lambda made: (f"/admissions/{made}", "negotiation-opened"),
        lambda refusal: _admissions(desk, refusal, typed),
    )


@pages.get("/admissions/{access_id}")
def show_admission(desk: AtDesk, access_id: AccessId) -> Response:
    """One admission, and what may be done with it."""
    return _admission(desk, access_id)


@pages.post("/admissions/{access_id}/{act}")
def act_on_admission(desk: AtDesk, access_id: AccessId, act: str, form: Form) -> Response:
    """One step of an admission."""
    typed = nested(texts(form))

    def work(session: Session) -> Any:
        if act == "signature":
            command = command_of(SignAccess, dict(typed))
            return admission.sign_access(session, desk.actor, access_id, command.agreement, now=desk.now)
        if act in _PLAIN:
            return _PLAIN[act](session, desk.actor, access_id, now=desk.now)
        if act not in _REASONED:
            raise NotFound
        because = command_of(Because, dict(typed))
        return _REASONED[act](session, desk.actor, access_id, because.reason, now=desk.now)

    return desk.act(
        work,
        lambda _row: (f"/admissions/{access_id}", "access-moved"),
        lambda refusal: _admission(desk, access_id, refusal, typed),
    )


@pages.get("/admissions/{access_id}/{_act:path}")
def back_to_admission(access_id: AccessId, _act: str) -> Response:
    """Whoever loads the answer to a form again comes back to where the form is."""
    return see_other(f"/admissions/{access_id}")


@pages.get("/mandates")
def list_mandates(desk: AtDesk) -> Response:
    """The operator's mandates."""
    return _mandates(desk)


@pages.post("/mandates")
def draft_mandate(desk: AtDesk, form: Form) -> Response:
    """Draft one."""
    typed = nested(texts(form), lists=frozenset({"scope"}))

    def work(session: Session) -> Any:
        return mandates.draft(session, desk.actor, command_of(DraftMandate, dict(typed)), now=desk.now)

    return desk.act(
        work, lambda _row: ("/mandates", "mandate-drafted"), lambda refusal: _mandates(desk, refusal, typed)
    )


@pages.post("/mandates/{mandate}/activation")
def activate_mandate(desk: AtDesk, mandate: MandateId) -> Response:
    """Make one live."""
    return desk.act(
        lambda session: mandates.activate(session, desk.actor, mandate, now=desk.now),
        lambda _row: ("/mandates", "mandate-live"),
        lambda refusal: _mandates(desk, refusal),
    )


@pages.post("/mandates/{mandate}/end")
def end_mandate(desk: AtDesk, mandate: MandateId, form: Form) -> Response:
    """End one."""
    typed = nested(texts(form))

    def work(session: Session) -> Any:
        because = command_of(Because, dict(typed))
        return mandates.end(session, desk.actor, mandate, because.reason, now=desk.now)

    return desk.act(
        work, lambda _row: ("/mandates", "mandate-ended"), lambda refusal: _mandates(desk, refusal)
    )


@pages.get("/mandates/{_act:path}")
def back_to_mandates(_act: str) -> Response:
    """Whoever loads the answer to a form again comes back to where the form is."""
    return see_other("/mandates")


@pages.get("/measures")
def list_measures(desk: AtDesk) -> Response:
    """Measures, and the form that drafts one."""
    return _measures(desk)


@pages.post("/measures")
def draft_measure(desk: AtDesk, form: Form) -> Response:
    """Draft one."""
    typed = nested(texts(form))

    def work(session: Session) -> str:
        return measures.draft(session, desk.actor, command_of(DraftMeasure, dict(typed)), now=desk.now).id

    return desk.act(
        work,
        lambda made: (f"/measures/{made}", "measure-drafted"),
        lambda refusal: _measures(desk, refusal, typed),
    )


@pages.get("/measures/{measure}")
def show_measure(desk: AtDesk, measure: MeasureId) -> Response:
    """One version, and what may be done with it."""
    return _one_measure(desk, measure)


@pages.post("/measures/{measure}/steps")
def move_measure(desk: AtDesk, measure: MeasureId, form: Form) -> Response:
    """Take it a step further."""
    typed = nested(texts(form))

    def work(session: Session) -> Any:
        return measures.move(session, desk.actor, measure, command_of(MeasureMove, dict(typed)), now=desk.now)

    return desk.act(
        work,
        lambda _row: (f"/measures/{measure}", "measure-moved"),
        lambda refusal: _one_measure(desk, measure, refusal, typed),
    )


@pages.post("/measures/{measure}/versions")
def redraft_measure(desk: AtDesk, measure: MeasureId, form: Form) -> Response:
    """Draft the next version of one that was returned."""
    typed = nested(texts(form))

    def work(session: Session) -> str:
        command = command_of(DraftMeasure, dict(typed))
        return measures.redraft(session, desk.actor, measure, command, now=desk.now).id

    return desk.act(
        work,
        lambda made: (f"/measures/{made}", "measure-drafted"),
        lambda refusal: _one_measure(desk, measure, refusal, typed),
    )


@pages.get("/measures/{measure}/{_act:path}")
def back_to_measure(measure: MeasureId, _act: str) -> Response:
    """Whoever loads the answer to a form again comes back to where the form is."""
    return see_other(f"/measures/{measure}")


def _organisations(session: Session, kinds: frozenset[OrganisationKind]) -> list[Organisation]:
    query = select(Organisation).where(Organisation.kind.in_(kinds))
    return list(session.scalars(query.order_by(Organisation.name, Organisation.id)))


def _admissions(desk: Desk, refusal: TalentSealError | None = None, typed: Typed | None = None) -> Response:
    def read(session: Session) -> dict[str, Any]:
        negotiates = desk.actor.may(Permission.ACCESS_NEGOTIATE)
        own = session.get(Organisation, desk.actor.organisation_id)
        return {
            "found": access.listed(session, desk.actor),
            "proposed": _proposed(session, desk),
            "partners": _organisations(session, NEGOTIATED) if negotiates else [],
            "may_apply": desk.actor.may(Permission.ACCESS_OWN)
            and own is not None
            and own.kind is OrganisationKind.FINANCIAL,
        }

    values = desk.database.read(read)
    return desk.show("benefits/admissions.html", refusal, typed=typed or Typed(), **values)


def _admission(
    desk: Desk, access_id: str, refusal: TalentSealError | None = None, typed: Typed | None = None
) -> Response:
    def read(session: Session) -> dict[str, Any]:
        met = access.view(session, desk.actor, access_id)
        return {
            "met": met,
            "is_mine": met.organisation == desk.actor.organisation_id,
            "is_proposed": access_id in {each.access for each in _proposed(session, desk)},
        }

    return desk.show("benefits/admission.html", refusal, typed=typed or Typed(), **desk.database.read(read))


def _proposed(session: Session, desk: Desk) -> list[PauseProposal]:
    """What is proposed to be paused, for whoever decides."""
    decides = desk.actor.may(Permission.ACCESS_DECIDE)
    return pausing.pause_proposals(session, desk.actor, now=desk.now) if decides else []


def _mandates(desk: Desk, refusal: TalentSealError | None = None, typed: Typed | None = None) -> Response:
    def read(session: Session) -> dict[str, Any]:
        return {
            "found": mandates.views(session, desk.actor),
            "operators": _organisations(session, frozenset({OrganisationKind.OPERATOR})),
        }

    kinds = [each.value for each in OrganisationKind if each in NEGOTIATED]
    values = desk.database.read(read)
    return desk.show("benefits/mandates.html", refusal, typed=typed or Typed(), kinds=kinds, **values)


def _measures(desk: Desk, refusal: TalentSealError | None = None, typed: Typed | None = None) -> Response:
    def read(session: Session) -> dict[str, Any]:
        found = [MeasureSummary.of(row) for row in measures.listed(session, desk.actor)]
        return {"found": found, "bodies": _organisations(session, _BODIES)}

    return desk.show("benefits/measures.html", refusal, typed=typed or Typed(), **desk.database.read(read))


_BODIES: Final = frozenset({OrganisationKind.GOVERNMENT})


def _one_measure(
    desk: Desk, measure: str, refusal: TalentSealError | None = None, typed: Typed | None = None
) -> Response:
    def read(session: Session) -> dict[str, Any]:
        met = measures.view(session, desk.actor, measure)
        may = {
            each.value
            for each in measures.MEASURE.table[met.state]
            if each is not MeasureState.IN_FORCE and desk.actor.may(measures.DECISIONS[each])
        }
        return {"met": met, "bodies": _organisations(session, _BODIES), "may": may}

    return desk.show("benefits/measure.html", refusal, typed=typed or Typed(), **desk.database.read(read))
