"""An instrument on its way through the bodies, in a small world."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from sqlalchemy.orm import Session

from talentseal.accounts.roles import PERMISSIONS, Actor, Role
from talentseal.policy import reading, service
from talentseal.policy.effects import Deed
from talentseal.policy.models import InstrumentAct, InstrumentVersion
from talentseal.policy.schemas import (
    Decide,
    DraftVersion,
    EnterVersion,
    ProposeInterpretation,
    VersionSummary,
    VersionView,
)
from talentseal.policy.states import Step
from tests.world import World, clock, sqlite_world, world

__all__ = ["clock", "sqlite_world", "world"]

NAME = "invented-measures"
BODIES = {
    Step.PASSED: Role.TALENT_OFFICE,
    Step.APPROVED: Role.LEADING_GROUP,
    Step.ISSUED: Role.MANAGEMENT_COMMITTEE,
    Step.REPEALED: Role.MANAGEMENT_COMMITTEE,
}
"""Who takes each step."""


def text(**changes: Any) -> dict[str, Any]:
    """A version of two articles, in force from 1 December 2026 to 30 November 2028."""
    return {
        "instrument": NAME,
        "title": "虚构办法（试行）",
        "issuer": "虚构管理委员会",
        "effective_from": date(2026, 12, 1),
        "valid_through": date(2028, 11, 30),
        "articles": (
            {"number": 1, "text": "人才可以申领人才码。", "deeds": (Deed.NEW_CODE, Deed.NEW_TIER)},
            {"number": 2, "text": "合作单位提供权益。", "deeds": (Deed.FINANCIAL_REDEMPTION,)},
        ),
        **changes,
    }


def entered(**changes: Any) -> EnterVersion:
    """The same as published: issued on 20 November 2026, which is past."""
    return EnterVersion(
        **{"document_number": "虚构〔2026〕1号", "issued_on": date(2026, 11, 20), **text(), **changes}
    )


def question(**changes: Any) -> ProposeInterpretation:
    """A proposal about Article 1."""
    fields = {
        "article": 1,
        "question": "何谓人才？",
        "answer": "以认定为准。",
        "valid_from": date(2026, 12, 1),
    }
    return ProposeInterpretation(**{**fields, **changes})


def actor_of(role: Role) -> Actor:
    """Somebody of that role, always the same."""
    return Actor(f"account-of-{role}"[:32], "0x" + "1" * 64, role, PERMISSIONS[role])


@dataclass(slots=True)
class Office:
    """Hands of every body that has a part in instruments; each step is taken by another account."""

    world: World

    def write(self, work: Callable[[Session], Any]) -> Any:
        return self.world.database.write(work)

    def draft(self, **changes: Any) -> InstrumentVersion:
        by = Actor("drafter", "0x" + "2" * 64, Role.TALENT_OFFICE, PERMISSIONS[Role.TALENT_OFFICE])
        now = self.world.clock.now()
        command = DraftVersion(**text(**changes))
        row: InstrumentVersion = self.write(lambda session: service.draft(session, by, command, now=now))
        return row

    def decide(self, row: InstrumentVersion, step: Step, by: Actor | None = None, **changes: Any) -> Any:
        actor, now = by or actor_of(BODIES[step]), self.world.clock.now()
        if step is Step.REPEALED:
            changes.setdefault("last_day", date(2027, 6, 30))
        reference = f"虚构〔2026〕{step.value}-{row.number}"
        command = Decide(**{"step": step, "reference": reference, "reason": "虚构的理由", **changes})
        act: InstrumentAct = self.write(
            lambda session: service.decide(session, actor, row.instrument, row.number, command, now=now)
        )
        return act

    def issued(self, **changes: Any) -> InstrumentVersion:
        """A version that all three bodies have agreed to."""
        row = self.draft(**changes)
        for step in (Step.PASSED, Step.APPROVED, Step.ISSUED):
            self.decide(row, step)
        return row

    def taken_to(self, step: Step) -> InstrumentVersion:
        """A version to which `step` is the next one that may be taken."""
        if step is Step.REPEALED:
            return self.issued(effective_from=date(2026, 11, 23))
        row = self.draft()
        for earlier in (Step.PASSED, Step.APPROVED, Step.ISSUED):
            if earlier is step:
                break
            self.decide(row, earlier)
        return row

    def view(self, row: InstrumentVersion) -> VersionView:
        now = self.world.clock.now()
        return self.world.database.read(
            lambda session: reading.version(session, row.instrument, row.number, now=now)
        )

    def versions(self) -> list[VersionSummary]:
        now = self.world.clock.now()
        return self.world.database.read(lambda session: reading.overview(session, now=now)).versions


@pytest.fixture
def office(world: World) -> Office:
    return Office(world)
