"""Pages of redemptions: a holder's benefits and receipts, and what a partner has given."""

import json
import secrets
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy.orm import Session
from starlette.datastructures import UploadFile
from starlette.responses import Response

from talentseal.accounts.calls import UnsafeCall
from talentseal.credentials import qr
from talentseal.credentials.profiles import Profile
from talentseal.errors import TalentSealError
from talentseal.redemptions import batches, proposing, reading, reversing, visiting
from talentseal.redemptions.api import Acting, WithDesk
from talentseal.redemptions.batches import BatchAnswer
from talentseal.redemptions.reversing import Part
from talentseal.redemptions.schemas import Correct
from talentseal.talents.desk import AtDesk, Desk, Identifier
from talentseal.web.forms import SHOWN_ELSEWHERE, Form, Typed, command_of, nested, texts, whole_of
from talentseal.web.language import Language, language_of
from talentseal.web.pages import see_other

pages = APIRouter(include_in_schema=False)

After = Annotated[str, Query(pattern=r"^[0-9a-f]{0,32}$")]


@pages.get("/me/benefits")
def show_own_benefits(desk: AtDesk) -> Response:
    """What I may use, what remains of it, and why not."""
    return _own_benefits(desk)


@pages.post("/me/benefits/{benefit}/take")
def take_proposed(desk: AtDesk, redemptions: WithDesk, benefit: Identifier, form: Form) -> Response:
    """Take what is proposed to me, once however often the form is sent."""
    key = str(nested(texts(form))["key"])[:64] or secrets.token_hex(16)
    acting = Acting(UnsafeCall(desk.database, desk.actor, key, desk.now), redemptions)
    confirm = partial(proposing.confirm, actor=desk.actor, credentials=redemptions.credentials)
    try:
        made = acting.once(
            "POST /me/benefits/take",
            {"benefit": benefit},
            lambda session: confirm(session, benefit=benefit, now=desk.now),
        )
    except TalentSealError as refusal:
        if refusal.status in SHOWN_ELSEWHERE:
            raise
        return _own_benefits(desk, refusal)
    return see_other(f"/me/receipts/{json.loads(bytes(made.body))['id']}", "proposal-taken")


@pages.post("/me/benefits/{benefit}/decline")
def decline_proposed(desk: AtDesk, benefit: Identifier) -> Response:
    """Do not propose it to me again in this period."""
    return desk.act(
        lambda session: proposing.decline(session, desk.actor, benefit, now=desk.now),
        lambda: see_other("/me/benefits", "proposal-declined"),
        lambda refusal: _own_benefits(desk, refusal),
    )


def _own_benefits(desk: Desk, refusal: TalentSealError | None = None) -> Response:
    wallet = desk.database.read(lambda session: visiting.own(session, desk.actor, now=desk.now))
    return desk.show("redemptions/benefits.html", refusal=refusal, wallet=wallet, key=secrets.token_hex(16))


@pages.get("/me/receipts")
def show_own_receipts(desk: AtDesk, after: After = "") -> Response:
    """What I used, the newest first."""
    found, more = desk.database.read(lambda session: reading.own(session, desk.actor, after=after))
    return desk.show("redemptions/receipts.html", found=found, more=more)


@pages.get("/me/receipts/{redemption}")
def show_own_receipt(desk: AtDesk, redemption: Identifier) -> Response:
    """One of them: how far its evidence is, what to show of it, what came back."""
    receipt, undone = desk.database.read(lambda session: reading.own_one(session, desk.actor, redemption))
    return desk.show("redemptions/receipt.html", receipt=receipt, undone=undone, fields=reading.DISCLOSABLE)


@pages.get("/me/receipts/{redemption}/code.png")
def draw_own_receipt(desk: AtDesk, redemption: Identifier) -> Response:
    """Its TCR as a picture: by it anybody finds the record, and nothing of its content."""
    text = desk.database.read(lambda session: reading.own_check(session, desk.actor, redemption))
    return Response(qr.png(Profile.TCR, text), media_type="image/png")


@pages.get("/redemptions")
def show_redemptions(desk: AtDesk, after: After = "") -> Response:
    """What was given at our counters."""
    found = desk.database.read(lambda session: reading.of_partner(session, desk.actor, after=after))
    return desk.show("redemptions/list.html", found=found)


@pages.get("/redemptions/batch")
def show_batch(desk: AtDesk) -> Response:
    """Where what was given without a network is entered."""
    return _batch(desk)


@pages.post("/redemptions/batch", max_body_size=batches.SIZE_LIMIT + 64 * 1024)
def enter_batch(desk: AtDesk, redemptions: WithDesk, form: Form) -> Response:
    """Enter a file, row by row; the form's key answers one that is sent twice as before."""
    file, typed = form.get("file"), nested(texts(form))
    plain = file.file.read(batches.SIZE_LIMIT + 1) if isinstance(file, UploadFile) else b""
    call = UnsafeCall(desk.database, desk.actor, str(typed["key"])[:64] or secrets.token_hex(16), desk.now)
    try:
        answer = batches.enter_file(Acting(call, redemptions).entering, plain)
    except TalentSealError as refusal:
        if refusal.status in SHOWN_ELSEWHERE:
            raise
        return _batch(desk, refusal)
    return _batch(desk, answer=answer)


def _batch(desk: Desk, refusal: TalentSealError | None = None, answer: BatchAnswer | None = None) -> Response:
    english = language_of(desk.request) is Language.EN
    rows = [
        (
            row.key,
            row.receipt,
            row.refusal and row.refusal.code,
            row.refusal and row.refusal.said(english=english),
        )
        for row in (answer.rows if answer else ())
    ]
    return desk.show(
        "redemptions/batch.html",
        refusal=refusal,
        rows=rows,
        redeemed=answer.redeemed if answer else 0,
        refused=answer.refused if answer else 0,
        columns=batches.COLUMNS,
        key=secrets.token_hex(16),
    )


@pages.get("/redemptions/{redemption}")
def show_redemption(desk: AtDesk, redemption: Identifier) -> Response:
    """One of them."""
    return _redemption(desk, redemption)


@pages.post("/redemptions/{redemption}/correction")
def correct_here(desk: AtDesk, redemption: Identifier, form: Form) -> Response:
    """Undo units that the counter can no longer reverse."""
    typed = nested(texts(form))

    def work(session: Session) -> None:
        command = command_of(Correct, {"quantity": whole_of(typed["quantity"]), "reason": typed["reason"]})
        part = Part(command.quantity, command.reason)
        reversing.correct(session, desk.actor, redemption, part, now=desk.now)

    return desk.act(
        work,
        lambda: see_other(f"/redemptions/{redemption}", "reversed"),
        lambda refusal: _redemption(desk, redemption, refusal, typed),
    )


def _redemption(
    desk: Desk, redemption: str, refusal: TalentSealError | None = None, typed: Typed | None = None
) -> Response:
    met = desk.database.read(lambda session: reading.one_of_partner(session, desk.actor, redemption))
    return desk.show("redemptions/one.html", refusal=refusal, met=met, typed=typed or Typed())
