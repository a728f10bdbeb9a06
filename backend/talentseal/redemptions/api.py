"""JSON API of redemptions: for terminals, and for whoever manages an organisation's outlets."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import APIRouter, Depends, File, Path, Query, Request, UploadFile
from sqlalchemy.orm import Session
from starlette.responses import Response

from talentseal.accounts.access import ApiActor, Db, Now
from talentseal.accounts.calls import PromptCall, UnsafeCall
from talentseal.credentials import presenting
from talentseal.credentials.api import named_request
from talentseal.credentials.presenting import Credentials, Sent
from talentseal.db import Ahead
from talentseal.evidence.records import Recorded
from talentseal.partners.counter import AtDevice
from talentseal.partners.schemas import Identifier
from talentseal.redemptions import batches, obligations, reading, reversing, service
from talentseal.redemptions.batches import Batch, BatchAnswer, Entering
from talentseal.redemptions.facts import Facts
from talentseal.redemptions.models import Redemption
from talentseal.redemptions.refusals import ARTICLES, Refusal
from talentseal.redemptions.reversing import Part, Reversed
from talentseal.redemptions.schemas import (
    AtPost,
    Correct,
    DryRun,
    IdleEnterpriseList,
    Order,
    Receipt,
    Redeem,
    RedemptionPage,
    RedemptionView,
    ReversalReceipt,
    Reverse,
)
from talentseal.redemptions.service import NotRedeemed, Redeemed, Terms, Visit, until_decided
from talentseal.web.idempotency import Declined

api = APIRouter(tags=["redemptions"])

RedemptionPath = Annotated[Identifier, Path()]


@dataclass(frozen=True, slots=True)
class RedemptionDesk:
    """Set as `app.state.redemptions`. promise: signs for the log."""

    credentials: Credentials = field(repr=False)
    promise: Callable[[Recorded], str]


async def _desk(request: Request) -> RedemptionDesk:
    desk: RedemptionDesk = request.app.state.redemptions
    return desk


WithDesk = Annotated[RedemptionDesk, Depends(_desk)]


@dataclass(frozen=True, slots=True)
class Acting:
    """One unsafe request at a counter, and what it is answered with."""

    call: UnsafeCall
    desk: RedemptionDesk

    def receipt(self, row: Redemption, terms: Terms, recorded: Recorded | None) -> Receipt:
        return Receipt(
            id=row.id,
            state=row.state,
            benefit=str(terms.row.benefit_id),
            benefit_version=terms.row.number,
            quantity=row.quantity,
            value_fen=row.value_fen,
            partner_fen=row.value_fen - row.subsidy_fen,
            subsidy_fen=row.subsidy_fen,
            reversed_units=row.reversed_units,
            reserved_until=row.reserved_until,
            completed_at=row.completed_at,
            record=row.record_id,
            promise=self.desk.promise(recorded) if recorded else None,
        )

    @property
    def entering(self) -> Entering:
        """For a batch under the call's key."""
        return Entering(
            self.call,
            self.desk.credentials,
            lambda met: self.receipt(met.row, met.terms, met.recorded),
        )

    def once(
        self,
        route: str,
        meaning: Any,
        work: Callable[[Session], Redeemed | NotRedeemed | Reversed],
        *,
        status: int = 200,
        ahead: Sequence[Ahead] = (),
    ) -> Response:
        """The act in one transaction, decided anew when outrun. Raises its refusal once that is kept."""

        def answer(session: Session) -> Receipt | ReversalReceipt | Declined:
            met = work(session)
            if isinstance(met, NotRedeemed):
                return Declined(met.error)
            if isinstance(met, Redeemed):
                return self.receipt(met.row, met.terms, met.recorded)
            return self.reversal(met)

        return until_decided(lambda: self.call.perform(route, meaning, answer, status=status, ahead=ahead))

    def reversal(self, met: Reversed) -> ReversalReceipt:
        return ReversalReceipt(
            id=met.reversal.id,
            quantity=met.reversal.quantity,
            value_fen=met.reversal.value_fen,
            record=met.recorded.id,
            promise=self.desk.promise(met.recorded),
            redemption=self.receipt(met.row, met.terms, None),
        )


async def _acting(request: Request, call: PromptCall) -> Acting:
    return Acting(call, await _desk(request))


Act = Annotated[Acting, Depends(_acting)]


@api.post("/redemptions", status_code=201, response_model=Receipt | DryRun)
def create_redemption(command: Redeem, acting: Act) -> Response | DryRun:
    """Use a benefit for whoever was established, in one step or as a reservation to be completed.

    A refusal's code says why, its text what to tell the customer; what was shown with it is used up.
    """
    call = acting.call
    credentials, sent = acting.desk.credentials, None
    if command.sent is not None:
        sent = presenting.verified(credentials, Sent(command.sent, named_request(call.key)), now=call.now)
    visit = Visit(credentials, AtDevice(command.staff), command.presentation or "", sent)
    order = Order.model_validate(command.model_dump(include=set(Order.model_fields)))
    if command.dry_run:
        return _tried_out(acting, visit, order)
    return acting.once(
        "POST /redemptions",
        command.model_dump(mode="json"),
        lambda session: service.redeem(
            session, call.actor, visit, order, reserve=command.reserve, now=call.now
        ),
        status=201,
        ahead=visit.ahead(call.actor, order, now=call.now),
    )


def _tried_out(acting: Acting, visit: Visit, order: Order) -> DryRun:
    call = acting.call
    met = call.database.write(
        lambda session: service.try_out(session, call.actor, visit, order, now=call.now)
    )
    if isinstance(met, NotRedeemed):
        raise met.error
    return _dry_run(*met)


def _dry_run(known: Facts, refusal: Refusal | None) -> DryRun:
    offer = known.offer
    return DryRun(
        refusal=refusal,
        article=ARTICLES[refusal] if refusal else None,
        benefit_version=offer.row.number if offer else None,
        remaining_units=offer.remaining if offer else None,
    )


@api.post("/redemptions/batch", response_model=BatchAnswer, max_body_size=batches.SIZE_LIMIT)
def enter_batch(command: Batch, acting: Act) -> BatchAnswer:
    """Enter what was given without a network, at most 500 rows, each answered on its own.

    Only benefits of low risk, for codes that the phone held for times without a network.
    """
    return acting.entering.enter(command.rows)


@api.post(
    "/redemptions/batch/sheet",
    response_model=BatchAnswer,
    max_body_size=batches.SIZE_LIMIT + 64 * 1024,
    form_limits={"max_files": 1, "max_fields": 1, "max_part_size": 1024},
)
def enter_batch_file(file: Annotated[UploadFile, File()], acting: Act) -> BatchAnswer:
    """The same as a CSV or Excel file, a column for each field."""
    return batches.enter_file(acting.entering, file.file.read(batches.SIZE_LIMIT + 1))


@api.post("/redemptions/{redemption_id}/completion", response_model=Receipt)
def complete_redemption(redemption_id: RedemptionPath, command: AtPost, acting: Act) -> Response:
    """Complete a reservation, at the tier at which it was made."""
    call, place = acting.call, AtDevice(command.staff)
    return acting.once(
        "POST /redemptions/completion",
        {"redemption": redemption_id, **command.model_dump()},
        lambda session: service.complete(session, call.actor, place, redemption_id, now=call.now),
    )


@api.post("/redemptions/{redemption_id}/cancellation", response_model=Receipt)
def cancel_redemption(redemption_id: RedemptionPath, command: AtPost, acting: Act) -> Response:
    """Give a reservation up; quota and budget come back."""
    call, place = acting.call, AtDevice(command.staff)
    return acting.once(
        "POST /redemptions/cancellation",
        {"redemption": redemption_id, **command.model_dump()},
        lambda session: service.cancel(session, call.actor, place, redemption_id, now=call.now),
    )


@api.post("/redemptions/{redemption_id}/reversals", status_code=201, response_model=ReversalReceipt)
def reverse_redemption(redemption_id: RedemptionPath, command: Reverse, acting: Act) -> Response:
    """Undo units, within the benefit's window and before the settlement is closed."""
    call, place = acting.call, AtDevice(command.staff)
    part = Part(command.quantity, command.reason)
    return acting.once(
        "POST /redemptions/reversals",
        {"redemption": redemption_id, **command.model_dump()},
        lambda session: reversing.reverse(session, call.actor, place, redemption_id, part, now=call.now),
        status=201,
    )


@api.post("/redemptions/{redemption_id}/corrections", status_code=201, response_model=ReversalReceipt)
def correct_redemption(redemption_id: RedemptionPath, command: Correct, acting: Act) -> Response:
    """Undo units later than the counter may; after the settlement it counts in the next one."""
    call, part = acting.call, Part(command.quantity, command.reason)
    return acting.once(
        "POST /redemptions/corrections",
        {"redemption": redemption_id, **command.model_dump()},
        lambda session: reversing.correct(session, call.actor, redemption_id, part, now=call.now),
        status=201,
    )


@api.get("/redemptions")
def list_redemptions(
    actor: ApiActor, database: Db, after: Annotated[str, Query(pattern=r"^[0-9a-f]{0,32}$")] = ""
) -> RedemptionPage:
    """The redemptions at your organisation's counters, the newest first."""
    return database.read(lambda session: reading.of_partner(session, actor, after=after))


@api.get("/redemptions/{redemption_id}")
def get_redemption(redemption_id: RedemptionPath, actor: ApiActor, database: Db) -> RedemptionView:
    """One of them."""
    return database.read(lambda session: reading.one_of_partner(session, actor, redemption_id))


@api.get("/idle-enterprises")
def list_idle_enterprises(actor: ApiActor, database: Db, now: Now) -> IdleEnterpriseList:
    """State-owned enterprises that owe talents a scenario and give none now (talent office, operator)."""
    return database.read(
        lambda session: IdleEnterpriseList(items=obligations.idle_enterprises(session, actor, now=now))
    )
