"""The partner's desk: the list, the page of a version, and the acts upon it."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request
from pydantic import ValidationError
from sqlalchemy.orm import Session
from starlette.responses import Response

from talentseal.accounts.access import Db, Now, WebActor
from talentseal.accounts.roles import Actor, Permission
from talentseal.agreements import forms, reading, sheets, signing, submission, termination
from talentseal.agreements.api import AgreementDesk, Desk, document_answer
from talentseal.agreements.models import AgreementVersion
from talentseal.agreements.reading import AgreementNotFound, TerminationNotFound, Wanted
from talentseal.agreements.schemas import ReturnInput, SignatureInput, TypedData
from talentseal.agreements.sheets import Sheet
from talentseal.agreements.states import AgreementState
from talentseal.db import Database
from talentseal.errors import TalentSealError
from talentseal.web.forms import (
    SHOWN_ELSEWHERE,
    Form,
    FormRefused,
    Typed,
    errors_of,
    named,
    nested,
    said,
    texts,
)
from talentseal.web.pages import Pages, see_other

PAGE_LENGTH: Final = 20
LARGEST_NUMBER: Final = 2**31 - 1
AWAITS: Final = "AWAITS_ME"
"""Value of the list's filter for what waits for the visitor's signature."""

_AGREEMENT: Final = re.compile(r"0x[0-9a-f]{64}\Z")
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,9}\Z")
_CURSOR: Final = re.compile(r"[0-9a-f]{32}\Z")

_VERSION: Final = "/agreements/{agreement_id}/{version}"

pages = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Visit:
    """One request for a page about one version, by one person."""

    request: Request
    database: Database
    desk: AgreementDesk
    actor: Actor
    now: datetime
    agreement: str
    number: int

    @property
    def address(self) -> str:
        """Path of the version's page."""
        return f"/agreements/{self.agreement}/{self.number}"

    def sheet(self) -> Sheet:
        """The version as the visitor may see it. Raises AgreementNotFound."""
        return self.database.read(
            lambda session: sheets.sheet(session, self.actor, self.agreement, self.number, now=self.now)
        )

    def show(
        self, template: str, sheet: Sheet, *, refusal: TalentSealError | None = None, **values: Any
    ) -> Response:
        """A page about the version; after a refusal with its sentence, its status and what was typed."""
        site: Pages = self.request.app.state.pages
        return site.render(
            self.request,
            template,
            status=refusal.status if refusal else 200,
            refusal=named(said(refusal, self.request), sheet.names) if refusal else "",
            errors=errors_of(refusal, self.request),
            sheet=sheet,
            **values,
        )

    def act(self, work: Callable[[Session], Any]) -> None:
        """One act in a transaction of its own."""
        self.database.write(work)


async def _visit(
    request: Request, database: Db, desk: Desk, actor: WebActor, now: Now, *, agreement_id: str, version: str
) -> Visit:
    if not _AGREEMENT.match(agreement_id) or not _NUMBER.match(version) or int(version) > LARGEST_NUMBER:
        raise AgreementNotFound
    return Visit(request, database, desk, actor, now, agreement_id, int(version))


AtVersion = Annotated[Visit, Depends(_visit)]


@pages.get("/agreements")
def list_agreements(
    request: Request,
    actor: WebActor,
    database: Db,
    now: Now,
    *,
    state: str = "",
    q: str = "",
    after: str = "",
) -> Response:
    """The versions one may see, newest first."""
    text, after = q.strip()[:200], after if _CURSOR.match(after) else ""
    wanted = Wanted(
        AgreementState(state) if state in set(AgreementState) else None, text, awaits_actor=state == AWAITS
    )

    def find(session: Session) -> tuple[reading.Found, frozenset[str]]:
        found = reading.page_of(session, actor, after=after, limit=PAGE_LENGTH, now=now, wanted=wanted)
        versions = [each.version for each in found.standings]
        return found, reading.awaiting(session, actor, versions, now=now)

    found, awaiting = database.read(find)
    site: Pages = request.app.state.pages
    return site.render(
        request,
        "agreements/list.html",
        found=found,
        awaiting=awaiting,
        states=[each.value for each in AgreementState],
        state=state if wanted != Wanted(None, text) else "",
        q=text,
        after=after,
    )


@pages.get(_VERSION)
def show_version(visit: AtVersion) -> Response:
    """One version: where it stands, who has signed, what is to be done."""
    return visit.show("agreements/version.html", visit.sheet())


@pages.get(_VERSION + "/standing")
def show_standing(visit: AtVersion, mark: str = "") -> Response:
    """The moving part of a version's page; 204 while there is nothing new since `mark`."""
    sheet = visit.sheet()
    if sheet.mark == mark:
        return Response(status_code=204)
    site: Pages = visit.request.app.state.pages
    return site.fragment(visit.request, "agreements/version.html", "standing", sheet=sheet)


@pages.get(_VERSION + "/sign")
def show_signing(visit: AtVersion) -> Response:
    """What is signed, in plain words, and the ways to sign it."""
    return _signing_page(visit)


@pages.post(_VERSION + "/sign")
def sign(visit: AtVersion, form: Form) -> Response:
    """Take one's organisation's signature."""

    def work(session: Session, signature: str) -> AgreementVersion:
        domain = visit.desk.domain(session)
        return signing.sign(
            session, visit.actor, visit.agreement, visit.number, signature, now=visit.now, domain=domain
        )

    return _take_signature(visit, form, work, _signing_page)


def _signing_page(visit: Visit, refusal: TalentSealError | None = None, signature: str = "") -> Response:
    sheet = visit.sheet()
    return _show_signing(visit, sheet, reading.typed_data(sheet.row), refusal, signature, ending=False)


def _row(session: Session, visit: Visit) -> AgreementVersion:
    return reading.version_of(session, visit.actor, visit.agreement, visit.number)


def _show_signing(
    visit: Visit,
    sheet: Sheet,
    typed: TypedData,
    refusal: TalentSealError | None,
    signature: str,
    *,
    ending: bool,
) -> Response:
    return visit.show(
        "agreements/sign.html",
        sheet,
        refusal=refusal,
        typed=typed.typed_data,
        digest=typed.digest,
        signature=signature,
        ending=ending,
    )


def _take_signature(
    visit: Visit,
    form: Form,
    work: Callable[[Session, str], AgreementVersion],
    again: Callable[[Visit, TalentSealError, str], Response],
) -> Response:
    typed = forms.signature_of(form)
    try:
        signature = _valid_signature(typed)
        visit.act(lambda session: work(session, signature))
    except TalentSealError as refusal:
        if refusal.status in SHOWN_ELSEWHERE:
            raise
        return again(visit, refusal, typed)
    return see_other(visit.address, "signed")


def _valid_signature(typed: str) -> str:
    try:
        return SignatureInput(signature=typed).signature
    except ValidationError:
        raise FormRefused({"signature": _NO_SIGNATURE}) from None


_NO_SIGNATURE: Final = (
    "这不是签名：应为 0x 开头的 132 个字符，或 talentseal sign-file 写出的文件。",
    "This is no signature: expected 132 characters beginning with 0x, or what talentseal sign-file wrote.",
)


@pages.get(_VERSION + "/sign/typed-data.json")
def download_typed_data(visit: AtVersion) -> Response:
    """What is signed, for any tool that signs EIP-712 typed data."""
    return _typed_data(visit, visit.database.read(lambda session: reading.typed_data(_row(session, visit))))


@pages.get(_VERSION + "/terminate/sign/typed-data.json")
def download_ending_typed_data(visit: AtVersion) -> Response:
    """What is signed to terminate, likewise."""
    return _typed_data(
        visit,
        visit.database.read(lambda session: reading.termination_typed_data(session, _row(session, visit))),
    )


def _typed_data(visit: Visit, typed: TypedData) -> Response:
    content = json.dumps(typed.typed_data, ensure_ascii=False, indent=1).encode()
    return _download(content, f"typed-data-{visit.agreement[2:18]}-v{visit.number}.json")


@pages.get(_VERSION + "/agreement.json")
def download_agreement(visit: AtVersion) -> Response:
    """All that `talentseal sign-file` checks before it signs."""
    view = visit.database.read(lambda session: reading.view(session, _row(session, visit), now=visit.now))
    return _download(
        view.model_dump_json(indent=1).encode(), f"agreement-{visit.agreement[2:18]}-v{visit.number}.json"
    )


def _download(content: bytes, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type="application/json", headers=headers)


@pages.get(_VERSION + "/document")
def download_document(visit: AtVersion) -> Response:
    """The kept document, for parties."""
    return visit.database.read(
        lambda session: document_answer(session, visit.actor, _row(session, visit), visit.desk)
    )


@pages.post(_VERSION + "/submission")
def submit_draft(visit: AtVersion) -> Response:
    """Open a draft to its parties for signing."""
    visit.act(
        lambda session: submission.submit_draft(
            session, visit.actor, visit.agreement, visit.number, now=visit.now
        )
    )
    return see_other(visit.address, "agreement-submitted")


@pages.post(_VERSION + "/discard")
def discard_draft(visit: AtVersion) -> Response:
    """Delete a draft as if it had never been."""
    visit.act(
        lambda session: submission.discard_draft(
            session, visit.actor, visit.agreement, visit.number, now=visit.now
        )
    )
    return see_other("/agreements", "draft-discarded")


@pages.get(_VERSION + "/return")
def show_return(visit: AtVersion) -> Response:
    """Why is it declined, or returned?"""
    return visit.show("agreements/return.html", visit.sheet(), reason="")


@pages.post(_VERSION + "/return")
def return_version(visit: AtVersion, form: Form) -> Response:
    """Decline (a party) or return (operator, talent office) before all have signed."""
    typed = dict(texts(form)).get("reason", "")
    try:
        command = _reason(typed)
        visit.act(
            lambda session: submission.return_version(
                session, visit.actor, visit.agreement, visit.number, command.reason, now=visit.now
            )
        )
    except TalentSealError as refusal:
        if refusal.status in SHOWN_ELSEWHERE:
            raise
        return visit.show("agreements/return.html", visit.sheet(), refusal=refusal, reason=typed)
    return see_other(visit.address, "returned")


def _reason(typed: str) -> ReturnInput:
    try:
        return ReturnInput(reason=typed)
    except ValidationError as error:
        raise FormRefused.of(error) from None


@pages.get(_VERSION + "/terminate")
def show_termination(visit: AtVersion) -> Response:
    """Why, with what notice and when does it end?"""
    visit.actor.require(Permission.AGREEMENT_SUBMIT)
    return visit.show("agreements/terminate.html", visit.sheet(), values=Typed())


@pages.post(_VERSION + "/terminate")
def terminate(visit: AtVersion, form: Form) -> Response:
    """Draw up the version's termination for all parties to sign."""
    values = nested(texts(form))

    def work(session: Session) -> AgreementVersion:
        domain = visit.desk.domain(session)
        return termination.propose(
            session, visit.actor, visit.agreement, visit.number, command, now=visit.now, domain=domain
        )

    try:
        command = forms.termination_of(values)
        visit.act(work)
    except TalentSealError as refusal:
        if refusal.status in SHOWN_ELSEWHERE:
            raise
        return visit.show("agreements/terminate.html", visit.sheet(), refusal=refusal, values=values)
    return see_other(visit.address + "/terminate/sign", "termination-proposed")


@pages.get(_VERSION + "/terminate/sign")
def show_signing_termination(visit: AtVersion) -> Response:
    """What is signed to terminate, and the ways to sign it."""
    return _termination_signing_page(visit)


@pages.post(_VERSION + "/terminate/sign")
def sign_termination(visit: AtVersion, form: Form) -> Response:
    """Take one's organisation's signature over the termination."""

    def work(session: Session, signature: str) -> AgreementVersion:
        domain = visit.desk.domain(session)
        return termination.sign(
            session, visit.actor, visit.agreement, visit.number, signature, now=visit.now, domain=domain
        )

    return _take_signature(visit, form, work, _termination_signing_page)


def _termination_signing_page(
    visit: Visit, refusal: TalentSealError | None = None, signature: str = ""
) -> Response:
    sheet = visit.sheet()
    if sheet.ending is None:
        raise TerminationNotFound
    typed = reading.ending_typed_data(sheet.row, sheet.ending.digest, sheet.ending.statement)
    return _show_signing(visit, sheet, typed, refusal, signature, ending=True)
