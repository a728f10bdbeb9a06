"""A use that its holder denies waits for the decision of his complaint, outside every settlement."""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from sealproof.entry import Relation
from talentseal.accounts.roles import Actor
from talentseal.complaints import clockwork, service
from talentseal.complaints.models import Complaint
from talentseal.complaints.schemas import DecideComplaint, FileComplaint, Say
from talentseal.complaints.service import UseUnnamed
from talentseal.complaints.states import ComplaintKind
from talentseal.evidence.models import EvidenceRecord
from talentseal.redemptions.disputing import UPHELD
from talentseal.redemptions.models import Redemption, RedemptionState, Reversal
from talentseal.states import TransitionRefused
from tests.credentials.counters import CREDENTIALS, Phone
from tests.redemptions.clearing import Clearing
from tests.redemptions.market import Market
from tests.talents.conftest import office
from tests.world import World

_S = RedemptionState
T = TypeVar("T")
SAID = "我没有在那里买过（虚构）"


class Denial:
    """A holder who used a benefit, the merchant who gave it, and the talent office."""

    def __init__(self, world: World) -> None:
        self.clearing = Clearing(Market.of(world))
        self.market = self.clearing.market

    def use(self, units: int = 2) -> tuple[Phone, Redemption]:
        phone = self.clearing.customer()
        return phone, self.clearing.use(self.clearing.subsidised, quantity=units, value_fen=900)

    def file(self, by: Phone, use: Redemption | None, **changes: Any) -> Complaint:
        fields = {
            "organisation": self.clearing.merchant.id,
            "kind": ComplaintKind.WRONG_RECEIPT,
            "text": SAID,
            "redemption": use.id if use else None,
        }
        command = FileComplaint.model_validate(fields | changes)
        return self.act(partial(service.file, actor=by.talent, vault=CREDENTIALS.vault, command=command))

    def answered(self, complaint: Complaint) -> None:
        merchant, say = self.clearing.merchant.actor, Say(text="已核对（虚构）")
        for act in (service.accept, service.process):
            self.act(partial(act, actor=merchant, complaint_id=complaint.id))
        self.act(
            partial(
                service.answer,
                actor=merchant,
                vault=CREDENTIALS.vault,
                complaint_id=complaint.id,
                command=say,
            )
        )

    def content(self, by: Phone, complaint: Complaint) -> None:
        self.act(partial(service.close, actor=by.talent, complaint_id=complaint.id))

    def decided(self, by: Phone, complaint: Complaint, *, uphold: bool) -> None:
        vault, named = CREDENTIALS.vault, complaint.id
        again, decision = Say(text=SAID), DecideComplaint(uphold=uphold, reason="已调查（虚构）")
        self.act(partial(service.reopen, actor=by.talent, vault=vault, complaint_id=named, command=again))
        self.act(partial(service.escalate, actor=OFFICE, complaint_id=named))
        self.act(partial(service.decide, actor=OFFICE, vault=vault, complaint_id=named, command=decision))

    def act(self, work: Callable[..., T]) -> T:
        now = self.market.now
        return self.market.write(lambda session: work(session, now=now))

    def state(self, use: Redemption) -> RedemptionState:
        return self.market.read(lambda session: session.get_one(Redemption, use.id)).state

    def settled_units(self, period: str) -> int:
        row = self.clearing.close(period)
        query = select(Redemption.quantity).where(Redemption.settlement_id == row.id)
        return sum(self.market.read(lambda session: list(session.scalars(query))))


OFFICE: Actor = office(1)


@pytest.fixture
def denial(world: World) -> Denial:
    return Denial(world)


def test_a_denied_use_waits_and_counts_again_when_its_holder_is_content(denial: Denial) -> None:
    phone, use = denial.use()
    complaint = denial.file(phone, use)
    denial.clearing.use(denial.clearing.own)
    assert denial.state(use) is _S.DISPUTED
    denial.clearing.at("2026-12-01T09:00")
    assert denial.settled_units("2026-11") == 1

    denial.answered(complaint)
    denial.content(phone, complaint)

    assert denial.state(use) is _S.COMPLETED
    denial.clearing.at("2027-01-01T09:00")
    assert denial.settled_units("2026-12") == 2


def test_what_the_office_upholds_comes_back_with_evidence_that_reverses_the_use(denial: Denial) -> None:
    phone, use = denial.use()
    complaint = denial.file(phone, use)
    denial.answered(complaint)

    denial.decided(phone, complaint, uphold=True)

    assert denial.state(use) is _S.REVERSED
    (back,) = denial.market.read(lambda session: list(session.scalars(select(Reversal))))
    assert (back.quantity, back.value_fen, back.reason, back.by) == (2, 900, UPHELD, OFFICE.account_id)
    record = denial.market.read(lambda session: session.get_one(EvidenceRecord, back.record_id))
    assert (record.kind, record.relation, record.refers_to) == (31, Relation.REVERSES, use.record_id)
    assert denial.market.used(denial.clearing.subsidised, phone) == 0
    assert denial.market.spent(denial.clearing.subsidised) == (0, 0)


@pytest.mark.parametrize(
    ("back", "after"), [(0, _S.COMPLETED), (1, _S.PARTIALLY_REVERSED)], ids=["whole", "in part"]
)
def test_what_the_office_dismisses_stands_as_it_did(
    denial: Denial, back: int, after: RedemptionState
) -> None:
    phone, use = denial.use()
    for _ in range(back):
        denial.market.reverse(use, denial.clearing.till)
    complaint = denial.file(phone, use)
    denial.answered(complaint)

    denial.decided(phone, complaint, uphold=False)

    assert denial.state(use) is after


def test_an_answer_that_nobody_contests_lets_the_use_stand(denial: Denial) -> None:
    phone, use = denial.use()
    denial.answered(denial.file(phone, use))
    denial.clearing.at("2026-12-20T09:00")

    denial.act(lambda session, now: clockwork.apply_day(session, now.date(), now))

    assert denial.state(use) is _S.COMPLETED


def test_a_partner_who_gives_in_corrects_it_in_part_or_whole(denial: Denial) -> None:
    phone, use = denial.use()
    complaint = denial.file(phone, use)

    denial.market.correct(use, denial.clearing.merchant)
    assert denial.state(use) is _S.DISPUTED
    denial.market.correct(use, denial.clearing.merchant)
    assert denial.state(use) is _S.REVERSED

    denial.answered(complaint)
    denial.decided(phone, complaint, uphold=True)
    assert denial.state(use) is _S.REVERSED
    assert denial.market.spent(denial.clearing.subsidised) == (0, 0)


def test_what_lies_in_a_settlement_stays_there_and_comes_back_in_the_next(denial: Denial) -> None:
    phone, use = denial.use()
    denial.clearing.at("2026-12-01T09:00")
    november = denial.clearing.close("2026-11")
    complaint = denial.file(phone, use)
    assert denial.state(use) is _S.SETTLED

    denial.answered(complaint)
    denial.decided(phone, complaint, uphold=True)
    denial.clearing.at("2027-01-01T09:00")
    december = denial.clearing.close("2026-12")

    assert denial.state(use) is _S.REVERSED
    assert denial.clearing.fits(november)
    assert denial.clearing.fits(december)
    assert denial.clearing.statement(december, 1).net_fen < 0


def test_what_cannot_be_denied_is_refused_and_nothing_is_filed(denial: Denial) -> None:
    phone, use = denial.use(1)

    with pytest.raises(UseUnnamed):
        denial.file(phone, None)
    denial.market.reverse(use, denial.clearing.till)
    with pytest.raises(TransitionRefused):
        denial.file(phone, use)
    _, other = denial.use()
    denial.file(phone, other)
    with pytest.raises(TransitionRefused):
        denial.file(phone, other)

    assert (denial.state(use), denial.state(other)) == (_S.REVERSED, _S.DISPUTED)
    assert len(denial.market.read(complaints)) == 1


def test_another_complaint_of_a_use_leaves_it_as_it_is(denial: Denial) -> None:
    phone, use = denial.use()
    complaint = denial.file(phone, use, kind=ComplaintKind.QUALITY)
    denial.answered(complaint)

    denial.decided(phone, complaint, uphold=True)

    assert denial.state(use) is _S.COMPLETED


def complaints(session: Session) -> list[Complaint]:
    return list(session.scalars(select(Complaint)))
