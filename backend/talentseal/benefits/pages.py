"""Pages of the catalogue: a provider's benefits, one of them, its form, what waits for review, budgets."""

import re
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query
from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session
from starlette.datastructures import UploadFile
from starlette.responses import Response

from sealproof import disclosure
from talentseal.accounts.roles import Permission
from talentseal.agreements import reading as agreements
from talentseal.agreements.reading import Wanted as WantedAgreements
from talentseal.agreements.states import AgreementState
from talentseal.benefits import budgeting, guards, importing, reading, service, sheets
from talentseal.benefits.api import IMPORT_LIMIT, MEDIA_TYPES
from talentseal.benefits.models import BenefitVersion, Category, QuotaPeriod, Showing
from talentseal.benefits.refusals import BenefitNotFound, BudgetNotFound
from talentseal.benefits.schemas import (
    Because,
    BudgetInput,
    BudgetLimits,
    DraftBenefit,
    VersionInput,
    VersionView,
    Wanted,
)
from talentseal.clock import legal_date
from talentseal.db import rows
from talentseal.errors import NotFound, TalentSealError
from talentseal.partners.models import Outlet
from talentseal.policy import measures
from talentseal.policy.tiers import Tier
from talentseal.sanctions.desk import AtDesk, Desk
from talentseal.web.forms import Form, Typed, command_of, fen_of, nested, texts, whole_of
from talentseal.web.language import Language, language_of
from talentseal.web.pages import see_other

PAGE_LENGTH: Final = 50

_IDENTIFIER: Final = re.compile(r"[0-9a-f]{32}\Z")
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,4}\Z")
_MONEY: Final = ("value_fen", "value_limit_fen", "limit_fen")
_LISTS: Final = frozenset({"showings", "outlets"})

pages = APIRouter(include_in_schema=False)

_ACTS: Final = {
    "review": (service.send_to_review, "benefit-in-review"),
    "publication": (service.publish, "benefit-published"),
    "resumption": (service.resume, "benefit-resumed"),
}
_REASONED: Final = {
    "return": (service.give_back, "benefit-returned"),
    "pause": (service.pause, "benefit-paused"),
    "withdrawal": (service.withdraw, "benefit-withdrawn"),
}


async def _benefit(benefit: str) -> str:
    if not _IDENTIFIER.match(benefit):
        raise BenefitNotFound
    return benefit


async def _number(number: str) -> int:
    if not _NUMBER.match(number):
        raise BenefitNotFound
    return int(number)


BenefitId = Annotated[str, Depends(_benefit)]
VersionNumber = Annotated[int, Depends(_number)]


@pages.get("/catalogue")
def list_benefits(desk: AtDesk, after: str = "") -> Response:
    """My organisation's benefits, and those that I may see as their reviewer."""
    return _list(desk, Wanted(after=_place(after), limit=PAGE_LENGTH), "/catalogue")


@pages.get("/catalogue/reviews")
def list_reviews(desk: AtDesk, after: str = "") -> Response:
    """What waits for my review."""
    desk.actor.require(Permission.BENEFIT_REVIEW)
    wanted = Wanted(awaits_review=True, after=_place(after), limit=PAGE_LENGTH)
    return _list(desk, wanted, "/catalogue/reviews")


@pages.get("/catalogue/new")
def show_new(desk: AtDesk) -> Response:
    """A benefit to be drafted."""
    desk.actor.require(Permission.BENEFIT_OWN)
    return _form(desk, _blank(desk))


@pages.post("/catalogue/new")
def draft(desk: AtDesk, form: Form) -> Response:
    """Draft it, and go on to its page."""
    typed = _typed(form)

    def work(session: Session) -> str:
        values = _values(typed)
        number, category = values.pop("number", None), values.pop("category", None)
        version = command_of(VersionInput, values)
        content = {"number": number, "category": category, "version": version}
        command = command_of(DraftBenefit, {name: each for name, each in content.items() if each is not None})
        return service.draft(session, desk.actor, command, now=desk.now).benefit_id

    return desk.act(
        work,
        lambda benefit: (f"/catalogue/{benefit}/1", "benefit-drafted"),
        lambda refusal: _form(desk, typed, refusal),
    )


@pages.get("/catalogue/sheet")
def export(desk: AtDesk, form: Annotated[str, Query(alias="format")] = "") -> Response:
    """My benefits as a file: CSV unless Excel is asked for."""
    wanted = sheets.Format.XLSX if form == sheets.Format.XLSX.value else sheets.Format.CSV
    content = desk.database.read(lambda session: importing.export(session, desk.actor, wanted))
    headers = {"Content-Disposition": f'attachment; filename="benefits.{wanted.value}"'}
    return Response(content, media_type=MEDIA_TYPES[wanted], headers=headers)


@pages.post("/catalogue/sheet", max_body_size=IMPORT_LIMIT)
def take_in(desk: AtDesk, form: Form) -> Response:
    """Draft what a file says, or say what is wrong with each row of it."""
    file = form.get("file")
    plain = file.file.read(sheets.SIZE_LIMIT + 1) if isinstance(file, UploadFile) else b""

    def again(refusal: TalentSealError) -> Response:
        found = refusal.problems if isinstance(refusal, importing.SheetRefused) else ()
        wanted = Wanted(limit=PAGE_LENGTH)
        return _list(desk, wanted, "/catalogue", refusal, problems=found)

    return desk.act(
        lambda session: importing.take_in(session, desk.actor, plain, now=desk.now),
        lambda _receipt: ("/catalogue", "benefits-imported"),
        again,
    )


@pages.get("/catalogue/{benefit}/{number}")
def show_benefit(desk: AtDesk, benefit: BenefitId, number: VersionNumber) -> Response:
    """One version, and what may be done with it."""
    return _show(desk, benefit, number)


@pages.get("/catalogue/{benefit}/{number}/amend")
def show_amend(desk: AtDesk, benefit: BenefitId, number: VersionNumber) -> Response:
    """The form with what a version says: of the draft itself, or of the next version."""
    desk.actor.require(Permission.BENEFIT_OWN)

    def read(session: Session) -> tuple[VersionView, dict[str, Any]]:
        met = reading.version_view(session, desk.actor, benefit, number)
        if met.provider != desk.actor.organisation_id:
            raise BenefitNotFound
        return met, _offered(session, desk)

    met, offered = desk.database.read(read)
    return _form(desk, _filled(met), address=f"/catalogue/{benefit}/{number}", offered=offered)


@pages.post("/catalogue/{benefit}/{number}/amend")
def amend(desk: AtDesk, benefit: BenefitId, number: VersionNumber, form: Form) -> Response:
    """Draft the next version, or write the draft anew."""
    typed = _typed(form)

    def work(session: Session) -> int:
        values = {name: each for name, each in _values(typed).items() if name not in {"number", "category"}}
        command = command_of(VersionInput, values)
        return service.revise(session, desk.actor, benefit, command, now=desk.now).number

    return desk.act(
        work,
        lambda made: (f"/catalogue/{benefit}/{made}", "benefit-drafted"),
        lambda refusal: _form(desk, typed, refusal, address=f"/catalogue/{benefit}/{number}"),
    )


@pages.post("/catalogue/{benefit}/{number}/budgets")
def set_budget(desk: AtDesk, benefit: BenefitId, number: VersionNumber, form: Form) -> Response:
    """Set a budget of the benefit."""
    typed = _typed(form)

    def work(session: Session) -> Any:
        command = command_of(BudgetInput, _values(typed))
        return budgeting.set_budget(session, desk.actor, benefit, command, now=desk.now)

    return desk.act(
        work,
        lambda _row: (f"/catalogue/{benefit}/{number}", "budget-set"),
        lambda refusal: _show(desk, benefit, number, refusal, typed),
    )


@pages.post("/catalogue/{benefit}/{number}/{act}")
def act_on_benefit(desk: AtDesk, benefit: BenefitId, number: VersionNumber, act: str, form: Form) -> Response:
    """Send to review, publish, give back, pause, resume, withdraw."""
    typed = _typed(form)

    def work(session: Session) -> str:
        if act in _ACTS:
            plain, notice = _ACTS[act]
            plain(session, desk.actor, benefit, number, now=desk.now)
            return notice
        if act not in _REASONED:
            raise NotFound
        reasoned, notice = _REASONED[act]
        because = command_of(Because, dict(typed))
        reasoned(session, desk.actor, benefit, number, because.reason, now=desk.now)
        return notice

    return desk.act(
        work,
        lambda notice: (f"/catalogue/{benefit}/{number}", notice),
        lambda refusal: _show(desk, benefit, number, refusal, typed),
    )


@pages.get("/catalogue/{benefit}/{number}/{_act:path}")
def back_to_benefit(benefit: BenefitId, number: VersionNumber, _act: str) -> Response:
    """Whoever loads the answer to a form again comes back to where the form is."""
    return see_other(f"/catalogue/{benefit}/{number}")


@pages.get("/budgets")
def list_budgets(desk: AtDesk) -> Response:
    """Budgets with what is used of them, and which have reached a threshold."""
    return _budgets(desk)


@pages.post("/budgets/{budget}/limits")
def change_budget(desk: AtDesk, budget: str, form: Form) -> Response:
    """Raise or lower one."""
    if not _IDENTIFIER.match(budget):
        raise BudgetNotFound
    typed = _typed(form)

    def work(session: Session) -> Any:
        command = command_of(BudgetLimits, _values(typed))
        return budgeting.change(session, desk.actor, budget, command, now=desk.now)

    return desk.act(
        work, lambda _row: ("/budgets", "budget-changed"), lambda refusal: _budgets(desk, refusal, budget)
    )


@pages.get("/budgets/{_act:path}")
def back_to_budgets(_act: str) -> Response:
    """Whoever loads the answer to a form again comes back to where the form is."""
    return see_other("/budgets")


def _place(after: str) -> str:
    if after and not _IDENTIFIER.match(after):
        raise BenefitNotFound
    return after


def _list(
    desk: Desk,
    wanted: Wanted,
    address: str,
    refusal: TalentSealError | None = None,
    *,
    problems: Any = (),
) -> Response:
    items, following = desk.database.read(lambda session: reading.page_of(session, desk.actor, wanted))
    english = language_of(desk.request) is Language.EN
    return desk.show(
        "benefits/catalogue.html",
        refusal,
        items=items,
        next=following or "",
        after=wanted.after,
        address=address,
        own=desk.actor.organisation_id,
        problems=[(each.row, each.column, each.en if english else each.zh) for each in problems],
        titles=sheets.TITLES,
    )


_NAMED_OUTLETS: Final = select(Outlet.id, Outlet.name).where(
    Outlet.id.in_(bindparam("outlets", expanding=True))
)


def _show(
    desk: Desk,
    benefit: str,
    number: int,
    refusal: TalentSealError | None = None,
    typed: Typed | None = None,
) -> Response:
    def read(session: Session) -> dict[str, Any]:
        met, versions = reading.history(session, desk.actor, benefit, number)
        named = rows(session, _NAMED_OUTLETS, outlets=met.outlets) if met.outlets else ()
        return {
            "met": met,
            "versions": versions,
            "budgets": budgeting.of_benefit(session, benefit, versions[0].title),
            "outlets": dict(named),
            "is_mine": met.provider == desk.actor.organisation_id,
            "is_reviewer": desk.actor.may(Permission.BENEFIT_REVIEW)
            and guards.reviews(session, desk.actor, service.found(session, benefit))
            and desk.actor.account_id
            not in service.proposers(session, session.get_one(BenefitVersion, met.id)),
        }

    return desk.show("benefits/benefit.html", refusal, typed=typed or Typed(), **desk.database.read(read))


def _budgets(desk: Desk, refusal: TalentSealError | None = None, budget: str = "") -> Response:
    def read(session: Session) -> dict[str, Any]:
        found = budgeting.listed(session, desk.actor)
        return {"budgets": found, "changeable": budgeting.changeable(session, desk.actor, found)}

    return desk.show("benefits/budgets.html", refusal, refused=budget, **desk.database.read(read))


def _form(
    desk: Desk,
    typed: Typed,
    refusal: TalentSealError | None = None,
    *,
    address: str = "",
    offered: dict[str, Any] | None = None,
) -> Response:
    categories = [each.value for each in Category if desk.actor.role in guards.PROVIDERS[each]]
    return desk.show(
        "benefits/form.html",
        refusal,
        typed=typed,
        address=address,
        lines=_lines(typed),
        categories=categories,
        periods=[each.value for each in QuotaPeriod],
        showings=[each.value for each in Showing],
        **(offered or desk.database.read(lambda session: _offered(session, desk))),
    )


_OPEN_OUTLETS: Final = (
    select(Outlet.id, Outlet.name)
    .where(Outlet.organisation_id == bindparam("organisation"), Outlet.closed_at.is_(None))
    .order_by(Outlet.name)
)


def _offered(session: Session, desk: Desk) -> dict[str, Any]:
    """What the form lets choose from: my outlets, and what a benefit of mine can stand on."""
    mine = desk.actor.organisation_id
    return {
        "outlets": rows(session, _OPEN_OUTLETS, organisation=mine),
        "bases": _bases(session, desk),
        "measures": [row for row in measures.listed(session, desk.actor) if row.organisation_id == mine],
    }


def _bases(session: Session, desk: Desk) -> list[tuple[str, str]]:
    """(agreement and position, words) of every stipulation that a benefit of mine can stand on."""
    wanted = WantedAgreements(state=AgreementState.IN_FORCE)
    found = agreements.page_of(session, desk.actor, after=None, limit=50, now=desk.now, wanted=wanted)
    versions = [standing.version for standing in found.standings]
    promised = agreements.disclosures_of(session, versions)
    bases = []
    for version in versions:
        for position, stored in promised[version.id]:
            content = disclosure.read(stored).value if stored else {}
            clause = content.get("clause", "") if isinstance(content, dict) else ""
            bases.append((f"{version.agreement_id}:{position}", f"{version.title} · {clause}"))
    return bases


def _blank(desk: Desk) -> Typed:
    """A form with what is usual."""
    return Typed(
        starts_on=legal_date(desk.now).isoformat(),
        showings=[Showing.CODE.value, Showing.CARD.value],
        outlets=[],
        quota_period=QuotaPeriod.MONTH.value,
        subsidy_bp=0,
        reversal_minutes=60,
    )


def _filled(met: VersionView) -> Typed:
    """The form that says what a version says."""
    values = met.model_dump(mode="json")
    basis = f"{met.agreement}:{met.stipulation}" if met.agreement else ""
    for name in ("value_fen", "value_limit_fen"):
        values[name] = _yuan(values[name])
    return Typed({name: "" if each is None else each for name, each in values.items()}, basis=basis)


def _yuan(fen: int | None) -> str:
    return "" if fen is None else f"{fen // 100}.{fen % 100:02}"


def _lines(typed: Typed) -> list[dict[str, Any]]:
    """The rows of the matrix: the tiers that have a right, then those that have none."""
    given = [Typed(line) for line in typed.get("tiers", []) if isinstance(line, dict)]
    named = {line["tier"] for line in given}
    return [*given, *(Typed(unset=each.value) for each in Tier if each.value not in named)]


def _typed(form: Any) -> Typed:
    """What a form says; rows of the matrix that are not ticked are none."""
    typed = nested(texts(form), lists=_LISTS)
    rows = typed.get("tiers")
    if isinstance(rows, list):
        typed["tiers"] = [row for row in rows if isinstance(row, dict) and "tier" in row]
    return typed


def _values(typed: Typed) -> dict[str, Any]:
    """What a form says as its command takes it: whole numbers, fen for yuan, the basis in two."""
    values = {name: _whole(name, each) for name, each in typed.items() if name != "basis"}
    if isinstance(values.get("tiers"), list):
        values["tiers"] = [
            {name: _whole(name, each) for name, each in row.items()} for row in values["tiers"]
        ]
    agreement, _, position = str(typed["basis"]).partition(":")
    if agreement:
        values |= {"agreement": agreement, "stipulation": _whole("stipulation", position)}
    return values


def _whole(name: str, given: Any) -> Any:
    if name in _MONEY:
        return fen_of(given)
    counted = name in {"quota", "subsidy_bp", "stipulation", "reversal_minutes", "limit_units"}
    return whole_of(given) if counted else given
