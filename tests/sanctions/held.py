"""What pages of rules, cases and terminations are to show, entered once for a whole run."""

from datetime import datetime
from functools import partial
from typing import Any, Final

from talentseal.accounts.roles import Actor
from talentseal.clock import Clock
from talentseal.sanctions.states import Ground
from talentseal.sanctions.triggers import Trigger
from tests.sanctions.conftest import Court, sides_of
from tests.talents.conftest import People
from tests.world import World

_NUMBERS: Final = iter(range(5_000, 9_000))
"""For credit codes, of which a service that runs for a whole session lets each organisation have its own."""


class GoingOn:
    """The time of a service that runs, which no test can move."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def now(self) -> datetime:
        return self._clock.now()

    def advance(self, **_delta: float) -> datetime:
        return self._clock.now()


def court_beside(people: People) -> Court:
    """A court of its own in the database of a service that runs, whose `people` have hands there."""
    world: Any = people.world
    world.clock, world.numbers = GoingOn(world.clock), _NUMBERS
    for name in ("joined", "register", "member"):
        setattr(world, name, partial(getattr(World, name), world))
    return sides_of(people)


def held(court: Court, partner: str, holder: Actor) -> dict[str, str]:
    """Names that addresses are filled with.

    rule, rule_version: one that waits for the partner; case: of the holder, who may still be heard, about
    nothing that he uses; end: a termination of his that is not decided.
    """
    waiting = court.draft(court.text(partner_set=(partner,)))
    court.sign(court.office, waiting)
    scope = {"reach": "CATEGORY", "value": "虚构类别"}
    today = court.world.clock.now().date()
    court.rule(trigger=Trigger.QUOTA_ABUSE, scope=scope, title="滥用额度（虚构）", effective_from=today)
    court.report(holder, Trigger.QUOTA_ABUSE, note="短时间内多次核销（虚构）")
    court.tick()
    case = court.cases(holder)[-1]
    court.state_case(holder, case)
    end = court.propose(holder, Ground.SERIOUS_MISCONDUCT)
    court.attach(end)
    return {
        "rule": waiting.rule,
        "rule_version": str(waiting.number),
        "case": case.id,
        "end": end.id,
    }
