"""Hands for tests of reviews: the date, the offices that report, the holder who answers, the office."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from talentseal.accounts.roles import PERMISSIONS, Actor, Role
from talentseal.clock import legal_date
from talentseal.nightly import Nightly, Walk
from talentseal.talents import reviews
from talentseal.talents.models import CodeState
from talentseal.talents.review_days import apply_day
from talentseal.talents.review_models import ReviewTask
from talentseal.talents.review_schemas import AnswerReview, DecideReview, Happening, ReportHappening, Verdict
from talentseal.talents.schemas import Basic, IdentityDocument
from tests.talents.conftest import People, office

BUREAU = Actor("bureau-1", "0x" + "3" * 64, Role.BUREAU, PERMISSIONS[Role.BUREAU])


@dataclass(slots=True)
class Reviewing:
    """Every call is a transaction of its own."""

    people: People

    def night(self) -> int:
        """Run the day's step of reviews; how much it found to do."""
        world = self.people.world
        steps = Nightly(world.database, {"reviews": Walk(apply_day)})
        return steps.run(legal_date(world.clock.now()), now=world.clock.now())["reviews"]

    def after(self, days: int) -> int:
        """Let so many days pass at once, and run the last one's step."""
        self.people.world.clock.advance(days=days)
        return self.night()

    def of(self, holder: Actor) -> list[ReviewTask]:
        code = self.people.code(holder)
        return self.people.world.database.read(lambda session: reviews.of_code(session, code.id))

    def one(self, holder: Actor) -> ReviewTask:
        (only,) = self.of(holder)
        return only

    def state(self, holder: Actor) -> CodeState:
        return self.people.code(holder).state

    def report(self, who: Basic, happening: Happening, reference: str = "1", by: Actor = BUREAU) -> None:
        world, now = self.people.world, self.people.world.clock.now()
        told = ReportHappening(
            happening=happening,
            document=IdentityDocument(who.document),
            document_number=who.document_number,
            reference=reference,
            note="虚构的参保中断记录",
        )
        world.database.write(lambda session: reviews.report(session, by, self.people.vault, told, now=now))

    def answer(self, holder: Actor, task: ReviewTask, **changes: Any) -> ReviewTask:
        now, said = self.people.world.clock.now(), AnswerReview(**changes)

        def write(session: Session) -> ReviewTask:
            return reviews.answer(session, holder, self.people.vault, task.id, said, now=now)

        return self.people.world.database.write(write)

    def decide(self, task: ReviewTask, verdict: Verdict, by: Actor | None = None) -> ReviewTask:
        now, said = self.people.world.clock.now(), DecideReview(verdict=verdict, reason="已核对（虚构）")

        def write(session: Session) -> ReviewTask:
            return reviews.decide(session, by or office(), self.people.vault, task.id, said, now=now)

        return self.people.world.database.write(write)


def days_until(task: ReviewTask, people: People) -> int:
    """How many days from now until the first day after the grace."""
    return (task.answer_by + timedelta(days=1) - legal_date(people.world.clock.now())).days
