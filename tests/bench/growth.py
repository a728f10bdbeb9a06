"""What one redemption costs after a million, against what it costs after a thousand (see `past`).

Two databases in one process take turns, each with an application, a till and people of its own. Both are made
in the same way; only the length of their past differs. A million takes some 6 GB of disk and three minutes to
make.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from typing import Final

from talentseal.db import Database, microseconds
from talentseal.policy.tiers import Tier
from tests.api.conftest import Api
from tests.bench import past
from tests.bench.figures import Budget, Figure, against, interleaved, say
from tests.bench.places import KINDS, Databases, databases
from tests.bench.redemptions import Stage
from tests.redemptions.market import Market
from tests.world import SetClock, make_world

SHORT: Final = 1_000
LONG: Final = 1_000_000
BOUND: Final = Budget("ratio", "<=", 1.3)


def measure(tiny: bool) -> list[Figure]:
    """Both databases."""
    return [figure for kind in KINDS for figure in _measure(kind, tiny)]


def _measure(kind: str, tiny: bool) -> Iterator[Figure]:
    short, long, rounds, phones = (10, 100, 1, 2) if tiny else (SHORT, LONG, 21, 24)
    with databases(kind) as place, ExitStack() as stack:
        first = _opened(place, phones, stack)
        url = first.api.world.database.url
        few = _grown(place, first, place.copy(url), short, stack)
        many = _grown(place, first, url, long, stack)
        for what, clock in (("processor", time.process_time), ("one after the other", time.perf_counter)):
            say(f"  {kind}: {rounds} rounds of {phones} redemptions, {what}")
            met = interleaved(rounds + 1, own=partial(many.redeem, clock), bare=partial(few.redeem, clock))
            for times in met.values():
                del times[0]
            name = f"a redemption after {long}, {what}, {kind}"
            yield against(name, "ms", met["own"], f"after {short}", met["bare"], BOUND)


def _opened(place: Databases, phones: int, stack: ExitStack) -> Stage:
    """A till at which one redemption has been made, and whose database is closed."""
    with contextmanager(make_world)(place.make(), SetClock(), place.folder) as world:
        market = Market.of(world)
        version = market.shelf.published(
            tiers={Tier.RESERVE: None}, budget_units=10**9, exclusion_group="XG-GROWTH"
        )
        guests = [market.guest(version) for _ in range(phones)]
        stage = Stage(Api(world, place.folder), version, market.till(version), guests)
        stack.callback(stage.runner.close)
        before = past.counts(world.database)
        replace(stage, phones=guests[:1]).redeem(time.perf_counter)
        past.check(before, past.counts(world.database))
        return stage


def _grown(place: Databases, first: Stage, url: str, count: int, stack: ExitStack) -> Stage:
    """The same till on its database or a copy, with `count` redemptions before."""
    before, begun = first.api.world, time.perf_counter()
    past.give(url, count, now=microseconds(before.clock.now()))
    say(f"  {place.kind}: a past of {count} in {time.perf_counter() - begun:.0f} s")
    world = replace(before, database=Database(url))
    stack.callback(world.database.close)
    till, phones = replace(first.till, world=world), [replace(each, world=world) for each in first.phones]
    stage = Stage(Api(world, place.folder), first.version, till, phones)
    stack.callback(stage.runner.close)
    return stage
