"""An agreement in force between a bank and a merchant, people who complain of the bank, and an office."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from talentseal.accounts.roles import Actor
from talentseal.agreements import duties
from talentseal.agreements.duty_models import Breach
from talentseal.agreements.duty_schemas import Allege, CloseBreach, DecideBreach
from talentseal.agreements.duty_schemas import Say as SayOnBreach
from talentseal.agreements.models import AgreementVersion, Stipulation
from talentseal.clock import legal_date
from talentseal.complaints import clockwork, ratings, service
from talentseal.complaints.models import Complaint, Rating
from talentseal.complaints.schemas import DecideComplaint, FileComplaint, Rate, Say
from talentseal.complaints.states import ComplaintKind
from talentseal.redemptions.models import Redemption, RedemptionState
from tests.complaints import shown
from tests.talents.conftest import People, in_force, office
from tests.world import Member, World, clock, sqlite_world, world

__all__ = ["clock", "sqlite_world", "world"]

T = TypeVar("T")
SECRET = "柜台让我白等了两个小时（虚构）"
THIRD = office(3)
"""Who decides what others of the office alleged."""


@dataclass(slots=True)
class Counter:
    """Hands of every side; each call is a transaction of its own.

    promise: the bank's stipulation, "answer within 48 h"; other: the merchant's.
    """

    people: People
    bank: Member
    merchant: Member
    version: AgreementVersion
    promise: str
    other: str

    @property
    def world(self) -> World:
        return self.people.world

    @property
    def now(self) -> datetime:
        return self.world.clock.now()

    def write(self, work: Callable[[Session, datetime], T]) -> T:
        now = self.now
        return self.world.database.write(lambda session: work(session, now))

    def read(self, work: Callable[[Session], T]) -> T:
        return self.world.database.read(work)

    # --------------------------------------------------------------------------------------------- complaints

    def file(self, talent: Actor, **changes: Any) -> Complaint:
        fields = {"organisation": self.bank.id, "kind": ComplaintKind.SLOW, "text": SECRET, **changes}
        command, vault = FileComplaint.model_validate(fields), self.people.vault
        return self.write(lambda session, now: service.file(session, talent, vault, command, now=now))

    def accept(self, row: Complaint, by: Actor | None = None) -> Complaint:
        actor = by or self.bank.actor
        return self.write(lambda session, now: service.accept(session, actor, row.id, now=now))

    def process(self, row: Complaint, by: Actor | None = None) -> Complaint:
        actor = by or self.bank.actor
        return self.write(lambda session, now: service.process(session, actor, row.id, now=now))

    def answer(self, row: Complaint, by: Actor | None = None) -> Complaint:
        actor, vault = by or self.bank.actor, self.people.vault
        command = Say(text="已加派人手（虚构）")
        return self.write(
            lambda session, now: service.answer(session, actor, vault, row.id, command, now=now)
        )

    def answered(self, talent: Actor, **changes: Any) -> Complaint:
        """A complaint that the bank has answered in time."""
        row = self.accept(self.file(talent, **changes))
        return self.answer(self.process(row))

    def close(self, talent: Actor, row: Complaint) -> Complaint:
        return self.write(lambda session, now: service.close(session, talent, row.id, now=now))

    def reopen(self, talent: Actor, row: Complaint) -> Complaint:
        vault, command = self.people.vault, Say(text="并未解决（虚构）")
        return self.write(
            lambda session, now: service.reopen(session, talent, vault, row.id, command, now=now)
        )

    def escalate(self, row: Complaint, by: Actor | None = None) -> Complaint:
        return self.write(lambda session, now: service.escalate(session, by or office(), row.id, now=now))

    def decide(self, row: Complaint, *, uphold: bool = True, by: Actor | None = None) -> Complaint:
        vault, command = self.people.vault, DecideComplaint(uphold=uphold, reason="查明属实（虚构）")
        return self.write(
            lambda session, now: service.decide(session, by or office(), vault, row.id, command, now=now)
        )

    def tick(self) -> int:
        return self.write(clockwork.tick)

    def night(self) -> int:
        return self.write(lambda session, now: clockwork.apply_day(session, legal_date(now), now))

    def complaint(self, row: Complaint) -> Complaint:
        return self.read(lambda session: session.get_one(Complaint, row.id))

    # ----------------------------------------------------------------------------------------------- breaches

    def allege(self, by: Actor | None = None, position: int = 0, reference: str = "虚构-1") -> Breach:
        actor, vault = by or self.merchant.actor, self.people.vault
        command = Allege(
            agreement=self.version.agreement_id,
            version=self.version.version,
            position=position,
            reference=reference,
            text="三日未答复（虚构）",
        )
        return self.write(lambda session, now: duties.allege(session, actor, vault, command, now=now))

    def judge(self, row: Breach, *, confirm: bool = True, by: Actor | None = None) -> Breach:
        vault, command = self.people.vault, DecideBreach(confirm=confirm, reason="核实（虚构）")
        return self.write(
            lambda session, now: duties.decide(session, by or THIRD, vault, row.id, command, now=now)
        )

    def speak(self, act: Any, row: Breach, by: Actor) -> Breach:
        """A statement, an offer of a cure or its acknowledgement."""
        vault, command = self.people.vault, SayOnBreach(text="情况说明（虚构）")
        done: Breach = self.write(lambda session, now: act(session, by, vault, row.id, command, now=now))
        return done

    def offer(self, row: Breach, by: Actor | None = None) -> Breach:
        return self.speak(duties.offer_cure, row, by or self.bank.actor)

    def acknowledge(self, row: Breach, by: Actor | None = None) -> Breach:
        return self.speak(duties.acknowledge_cure, row, by or self.merchant.actor)

    def end(self, row: Breach, *, cured: bool = True, by: Actor | None = None) -> Breach:
        vault, command = self.people.vault, CloseBreach(cured=cured, reason="核实（虚构）")
        return self.write(
            lambda session, now: duties.close(session, by or THIRD, vault, row.id, command, now=now)
        )

    def breach(self, row: Breach) -> Breach:
        return self.read(lambda session: session.get_one(Breach, row.id))

    def breaches(self) -> list[Breach]:
        """All allegations, the oldest first."""
        query = select(Breach).order_by(Breach.alleged_at, Breach.id)
        return self.read(lambda session: list(session.scalars(query)))

    # -------------------------------------------------------------------------------- redemptions and ratings

    def used(
        self, talent: Actor, state: RedemptionState = RedemptionState.COMPLETED, *, promised: bool = True
    ) -> Redemption:
        """One use of a benefit of the bank, which its promise stands behind."""
        code, bank, done = self.people.code(talent), self.bank.id, state is not RedemptionState.RESERVED
        more: dict[str, Any] = {"record_id": self.version.record_id if done else None}
        benefit: dict[str, Any] = {}
        if promised:
            more["agreement_version_id"] = self.version.id
            benefit = {"agreement_id": self.version.agreement_id, "stipulation_position": 0}
        return self.write(
            lambda session, now: shown.used(session, code, bank, state, now=now, benefit=benefit, **more)
        )

    def rate(self, talent: Actor, used: Redemption, stars: int = 5, text: str | None = None) -> Rating:
        vault, command = self.people.vault, Rate(stars=stars, text=text)
        return self.write(
            lambda session, now: ratings.rate_redemption(session, talent, vault, used.id, command, now=now)
        )


@pytest.fixture
def counter(world: World) -> Counter:
    """On both kinds of database."""
    return make_counter(world)


@pytest.fixture
def sqlite_counter(sqlite_world: World) -> Counter:
    """On SQLite alone, for what does not depend on the database."""
    return make_counter(sqlite_world)


def make_counter(world: World) -> Counter:
    """Bank and merchant with an agreement in force from the first of the month."""
    people = in_force(world)
    bank, merchant = world.member("虚构银行"), world.member("虚构书店")
    version = world.signed(merchant, bank, effective_from=date(2026, 11, 1))
    world.settle()
    version, promise, other = world.database.read(lambda session: _promises(session, version.id))
    return Counter(people, bank, merchant, version, promise, other)


def _promises(session: Session, version_id: str) -> tuple[AgreementVersion, str, str]:
    query = select(Stipulation.id).where(Stipulation.version_id == version_id)
    promise, other = session.scalars(query.order_by(Stipulation.position))
    return session.get_one(AgreementVersion, version_id), promise, other
