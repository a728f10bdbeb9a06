"""The desk's one form for an agreement: a new one, a draft or a returned one once more, an amendment."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from sqlalchemy.orm import Session
from starlette.responses import Response

from talentseal.accounts import service as accounts
from talentseal.accounts.access import Db, Now, WebActor
from talentseal.accounts.roles import Actor, Permission
from talentseal.agreements import forms, reading, submission
from talentseal.agreements.api import UPLOAD_LIMIT, AgreementDesk, Desk
from talentseal.agreements.comparing import Content, Difference, Head, compare
from talentseal.agreements.forms import Directory, Values
from talentseal.agreements.models import AgreementVersion, Category
from talentseal.agreements.pages import AtVersion, Visit
from talentseal.agreements.schemas import Period, Submission
from talentseal.agreements.sheets import Sheet
from talentseal.agreements.states import AgreementState
from talentseal.agreements.submission import AgreementExists, Intake, Submitted
from talentseal.db import Database
from talentseal.errors import TalentSealError
from talentseal.partners import service as partners
from talentseal.policy.tiers import Tier
from talentseal.web.forms import SHOWN_ELSEWHERE, Form, Typed, errors_of, named, said
from talentseal.web.pages import Pages, see_other

pages = APIRouter(include_in_schema=False)

_ROLES: Final = ("甲方", "乙方")
"""What the parties of a new agreement are called until somebody calls them otherwise."""

Work = Callable[[Session, Intake], Submitted]


class Purpose(StrEnum):
    """What the form is filled in for."""

    NEW = "new"
    AGAIN = "again"
    AMEND = "amend"


@dataclass(frozen=True, slots=True)
class Desktop:
    """What lies beside the form. signers: addresses by organisation's label, where there is a choice.

    keyless: labels of the organisations that cannot sign yet.
    """

    directory: Directory
    own: str
    signers: Mapping[str, list[str]]
    keyless: frozenset[str]

    @classmethod
    def read(cls, session: Session, actor: Actor, now: datetime) -> "Desktop":
        """As the database has it. Raises NotPermitted."""
        directory = Directory.of(accounts.everyone(session, actor))
        valid = partners.valid_addresses(session, now=now)
        labels = directory.labels
        return cls(
            directory,
            labels.get(actor.organisation_id, ""),
            {labels[owner]: each for owner, each in valid.items() if len(each) > 1},
            frozenset(label for owner, label in labels.items() if owner not in valid),
        )


@dataclass(frozen=True, slots=True)
class Filing:
    """One request about the form. base: the version it starts from; address: where it is sent."""

    request: Request
    database: Database
    desk: AgreementDesk
    actor: Actor
    now: datetime
    purpose: Purpose
    address: str
    base: Sheet | None = None

    @classmethod
    def at(cls, visit: Visit, purpose: Purpose, base: Sheet) -> "Filing":
        """About a version there is. Raises NotPermitted."""
        visit.actor.require(Permission.AGREEMENT_SUBMIT)
        address = f"{visit.address}/{purpose.value}"
        return cls(visit.request, visit.database, visit.desk, visit.actor, visit.now, purpose, address, base)

    def desktop(self) -> Desktop:
        return self.database.read(lambda session: Desktop.read(session, self.actor, self.now))

    def show(
        self,
        values: Values,
        beside: Desktop,
        *,
        refusal: TalentSealError | None = None,
        difference: Difference | None = None,
    ) -> Response:
        """The form with `values`; after a refusal with its sentence and its status."""
        existing = refusal.params if isinstance(refusal, AgreementExists) else {}
        site: Pages = self.request.app.state.pages
        return site.render(
            self.request,
            "agreements/form.html",
            status=refusal.status if refusal else 200,
            refusal=named(said(refusal, self.request), beside.directory.labels) if refusal else "",
            errors=errors_of(refusal, self.request),
            existing=f"/agreements/{existing['agreement']}/{existing['version']}" if existing else "",
            purpose=self.purpose.value,
            address=self.address,
            base=self.base,
            values=values,
            blank=Typed(),
            beside=beside,
            difference=difference,
            categories=[each.value for each in Category],
            tiers=[each.value for each in Tier],
            periods=[each.value for each in Period],
        )

    def take(self, form: Form, work: Work, notice: str) -> Response:
        """Take the form in, or show it again with what is wrong."""
        values, beside = forms.values_of(form), self.desktop()
        if values.get("do") == "compare":
            return self.show(values, beside, difference=self.difference(values, beside.directory))
        try:
            intake = forms.intake_of(values, form, beside.directory, self.desk.cipher)
            done = self.database.write(lambda session: work(session, intake))
        except TalentSealError as refusal:
            if refusal.status in SHOWN_ELSEWHERE:
                raise
            difference = self.difference(values, beside.directory)
            return self.show(values, beside, refusal=refusal, difference=difference)
        version = done.version
        told = "agreement-drafted" if version.submitted_at is None else notice
        return see_other(f"/agreements/{version.agreement_id}/{version.version}", told)

    def difference(self, values: Values, directory: Directory) -> Difference | None:
        """What the form as it stands changes in the version that it amends; None while it has gaps."""
        if self.base is None or self.purpose is not Purpose.AMEND:
            return None
        before = self.base.content
        if before is None:
            return None
        try:
            terms = forms.terms_of(values, directory)
        except TalentSealError:
            return None
        document = values["document"]
        digest = document["sha256"] if isinstance(document, Typed) else ""
        return compare(before, _content(terms, digest or before.head.document))


def _content(terms: Submission, document: str) -> Content:
    ordered = sorted(terms.parties, key=lambda party: party.organisation)
    head = Head(
        terms.number,
        terms.title,
        terms.category,
        terms.effective_from,
        terms.valid_through,
        terms.survives_instrument,
        tuple((party.organisation, party.role) for party in ordered),
        document,
    )
    return Content(head, terms.stipulations)


async def _new(request: Request, database: Db, desk: Desk, actor: WebActor, now: Now) -> Filing:
    actor.require(Permission.AGREEMENT_SUBMIT)
    return Filing(request, database, desk, actor, now, Purpose.NEW, "/agreements/new")


New = Annotated[Filing, Depends(_new)]


@pages.get("/agreements/new")
def show_new(filing: New) -> Response:
    """An empty form, one's own organisation first."""
    beside = filing.desktop()
    parties = [Typed(role=role) for role in _ROLES]
    parties[0]["organisation"] = beside.own
    return filing.show(Typed(parties=parties), beside)


@pages.post("/agreements/new", max_body_size=UPLOAD_LIMIT)
def submit_new(filing: New, form: Form) -> Response:
    """Take in version 1 of an agreement."""

    def work(session: Session, intake: Intake) -> Submitted:
        domain = filing.desk.domain(session)
        return submission.submit(session, filing.actor, intake, now=filing.now, domain=domain)

    return filing.take(form, work, "agreement-submitted")


@pages.get("/agreements/{agreement_id}/{version}/again")
def show_again(visit: AtVersion) -> Response:
    """A draft, or a version that came back, to be corrected."""
    base = visit.sheet()
    filing = Filing.at(visit, Purpose.AGAIN, base)
    beside = filing.desktop()
    return filing.show(_filled(base, Purpose.AGAIN, beside), beside)


@pages.post("/agreements/{agreement_id}/{version}/again", max_body_size=UPLOAD_LIMIT)
def submit_again(visit: AtVersion, form: Form) -> Response:
    """Take in the corrected version in the draft's or the returned one's place."""

    def work(session: Session, intake: Intake) -> Submitted:
        domain = visit.desk.domain(session)
        row = reading.version_of(session, visit.actor, visit.agreement, visit.number)
        former = session.get(AgreementVersion, row.previous_id) if row.previous_id else None
        if row.submitted_at is None and row.returned_at is None:
            submission.discard_draft(session, visit.actor, visit.agreement, visit.number, now=visit.now)
        if former is None:
            return submission.submit(session, visit.actor, intake, now=visit.now, domain=domain)
        return submission.amend(
            session, visit.actor, visit.agreement, former.version, intake, now=visit.now, domain=domain
        )

    return Filing.at(visit, Purpose.AGAIN, visit.sheet()).take(form, work, "agreement-submitted")


@pages.get("/agreements/{agreement_id}/{version}/amend")
def show_amendment(visit: AtVersion) -> Response:
    """The version in force, to be changed."""
    base = visit.sheet()
    filing = Filing.at(visit, Purpose.AMEND, base)
    beside = filing.desktop()
    values = _filled(base, Purpose.AMEND, beside)
    return filing.show(values, beside, difference=filing.difference(values, beside.directory))


@pages.post("/agreements/{agreement_id}/{version}/amend", max_body_size=UPLOAD_LIMIT)
def submit_amendment(visit: AtVersion, form: Form) -> Response:
    """Take in the version that amends this one."""

    def work(session: Session, intake: Intake) -> Submitted:
        domain = visit.desk.domain(session)
        return submission.amend(
            session, visit.actor, visit.agreement, visit.number, intake, now=visit.now, domain=domain
        )

    return Filing.at(visit, Purpose.AMEND, visit.sheet()).take(form, work, "amendment-submitted")


@pages.post("/agreements/{agreement_id}/{version}/amend/difference")
def show_difference(visit: AtVersion, form: Form) -> Response:
    """What the form as it stands changes, to be shown before it is sent."""
    filing = Filing.at(visit, Purpose.AMEND, visit.sheet())
    difference = filing.difference(forms.values_of(form), filing.desktop().directory)
    site: Pages = visit.request.app.state.pages
    return site.fragment(
        visit.request, "agreements/form.html", "difference", difference=difference, base=filing.base
    )


def _filled(base: Sheet, purpose: Purpose, beside: Desktop) -> Values:
    """The form as the base version says it; once more, its document's digests too."""
    values = forms.filled(base, beside.directory)
    if purpose is Purpose.AGAIN:
        digests = base.digests
        values["document"] = Typed(
            sha256=digests.sha256,
            sm3=digests.sm3,
            size=str(digests.size),
            media_type=digests.media_type.value,
        )
    if base.state is AgreementState.DRAFT and base.document_kept:
        values["keep"] = "deposit"
    return values
