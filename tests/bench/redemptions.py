"""A complete redemption over HTTP, from the code that is shown to the receipt with its promise, against a
bare transaction over the same stack and database (see `presentations`).
"""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from talentseal.benefits.models import BenefitVersion
from talentseal.policy.tiers import Tier
from tests.api.conftest import Api
from tests.bench.figures import Budget, Figure, against, interleaved, say
from tests.bench.places import KINDS, Databases, databases
from tests.bench.presentations import BARE, make_bare_rows, posted, serve_a_bare_insert
from tests.credentials.counters import Phone, Till
from tests.redemptions.market import Market
from tests.world import SetClock, make_world

THRICE: Final = Budget("ratio", "<=", 3.0)
WALL: Final = Budget("ratio", "<=", 2.5)
REDEEM: Final = "/api/v1/redemptions"


def measure(tiny: bool) -> list[Figure]:
    """Both databases."""
    return [figure for kind in KINDS for figure in _measure(kind, tiny)]


def _measure(kind: str, tiny: bool) -> Iterator[Figure]:
    rounds, phones = (1, 2) if tiny else (15, 24)
    with databases(kind) as place, _stage(place, phones) as stage:
        for what, clock, budget in (
            ("processor", time.process_time, THRICE),
            ("one after the other", time.perf_counter, WALL),
        ):
            say(f"  {kind}: {rounds} rounds of {phones} redemptions, {what}")
            met = interleaved(rounds + 1, own=partial(stage.redeem, clock), bare=partial(stage.rows, clock))
            for times in met.values():
                del times[0]
            name = f"a redemption, {what}, {kind}"
            yield against(name, "ms", met["own"], "a bare insert", met["bare"], budget)


@dataclass(slots=True)
class Stage:
    """An application with a till, a benefit, and people who may use it."""

    api: Api
    version: BenefitVersion
    till: Till
    phones: list[Phone]
    runner: asyncio.Runner = field(default_factory=asyncio.Runner)

    def redeem(self, clock: Callable[[], float]) -> float:
        """Milliseconds that each phone's redemption takes."""
        self.api.world.clock.advance(seconds=5)
        order = {"benefit": self.version.benefit_id, "quantity": 1}
        return self._timed(REDEEM, [{"sent": phone.mint().text, **order} for phone in self.phones], clock)

    def rows(self, clock: Callable[[], float]) -> float:
        """Milliseconds that a bare row takes."""
        return self._timed(BARE, [{"sent": "0" * 46} for _ in self.phones], clock)

    def _timed(self, path: str, bodies: list[dict[str, Any]], clock: Callable[[], float]) -> float:
        staff, key = {"staff": self.till.clerk.account_id}, self.till.device.key.text
        sent = [json.dumps({**staff, **body}).encode() for body in bodies]
        begun = clock()
        for body in sent:
            status = self.runner.run(posted(self.api.app, path, body, key))
            if status != 201:
                raise RuntimeError(f"{path} answered {status}")
        return (clock() - begun) * 1000 / len(sent)


@contextmanager
def _stage(place: Databases, phones: int) -> Iterator[Stage]:
    with contextmanager(make_world)(place.make(), SetClock(), place.folder) as world:
        market = Market.of(world)
        version = market.shelf.published(tiers={Tier.RESERVE: None}, budget_units=10**9)
        api = Api(world, place.folder)
        make_bare_rows(world.database)
        serve_a_bare_insert(api)
        guests = [market.guest(version) for _ in range(phones)]
        stage = Stage(api, version, market.till(version), guests)
        yield stage
        stage.runner.close()
