"""Redemptions over sockets: how many a second beside a bare insert, how late under an even load, and what
becomes of the service under ten times what it can bear.
"""

import gc
import json
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain, cycle, islice
from statistics import median
from typing import Any, Final

from sqlalchemy import select

from talentseal.benefits.models import BenefitVersion
from talentseal.commands.running import settle
from talentseal.policy.tiers import Tier
from talentseal.redemptions.models import Redemption
from tests.bench import bare
from tests.bench.figures import Budget, Figure, Reference, against, interleaved, say
from tests.bench.places import KINDS, Databases, databases
from tests.bench.presentations import BARE, make_bare_rows
from tests.bench.redemptions import REDEEM, THRICE
from tests.bench.serving import (
    Answer,
    Request,
    Served,
    at_a_rate,
    one_after_the_other,
    run,
    serve_all,
    serving,
)
from tests.credentials.counters import Phone, Till
from tests.redemptions.market import Market
from tests.world import SharedClock, make_world

APP: Final = "a bare FastAPI and SQLAlchemy application"
AT_ONCE: Final = 32
PROCESSES: Final = {"sqlite": 1, "postgresql": 4}
RATES: Final = {"sqlite": 100, "postgresql": 300}
"""Redemptions a second that must be borne."""

CORES: Final = 2
"""On so many they must be, and a process for each of them serves: four take a tenth more for a redemption."""

SEGMENT: Final = 2.0
"""Seconds of even load between two times that the phones fetch fresh codes."""

TIMES: Final = 10
"""What the service cannot bear, in what it can."""

STEADY_RATE: Final = 50
STEADY_SPAN: Final = 20.0
"""Redemptions a second, and seconds between two looks at the memory."""

STEADY_SECONDS: Final = float(os.environ.get("TALENTSEAL_STEADY_SECONDS", "60"))

FLAT: Final = Budget("ratio", "<=", 1.05)
THROUGHPUT: Final = Budget("ratio", ">=", 0.4)
LATE: Final = Budget("value", "<=", 100.0)
NONE: Final = Budget("value", "<=", 0.0)
GOODPUT: Final = Budget("ratio", ">=", 0.8)
RECOVERY: Final = Budget("value", "<=", 30.0)


@dataclass(slots=True)
class Street:
    """A benefit without limits, counters that give it, people with phones, and processes that serve."""

    market: Market
    version: BenefitVersion
    tills: list[Till]
    phones: list[Phone]
    served: Served
    bare: Served
    """The floor's processes."""

    def by_codes(self) -> list[Request]:
        """A redemption of each phone's fresh code, in one step."""
        self.market.world.clock.advance(seconds=30)
        dealt = zip(self.phones, cycle(self.tills), strict=False)
        return [self._request(till, {"sent": phone.mint().text}) for phone, till in dealt]

    def by_presentations(self, count: int) -> list[Request]:
        """That many redemptions for people who were presented before, one at each counter."""
        self.market.world.clock.advance(seconds=30)
        dealt = zip(cycle(self.phones), self.tills, strict=False)
        shown = [(till, self.market.shown(till, phone)) for phone, till in dealt]
        return [self._request(till, {"presentation": met}) for till, met in islice(cycle(shown), count)]

    def rows(self, path: str) -> list[Request]:
        """As many rows as there are phones."""
        dealt = islice(cycle(self.tills), len(self.phones))
        return [self._posted(path, till, {"sent": "0" * 46}) for till in dealt]

    def lost(self, answers: Sequence[Answer]) -> int:
        """How many that were acknowledged are not there."""
        told = {json.loads(answer.body)["id"] for answer in answers if answer.status == 201}
        kept = self.market.read(lambda session: set(session.scalars(select(Redemption.id))))
        return len(told - kept)

    def _request(self, till: Till, shown: dict[str, str]) -> Request:
        return self._posted(REDEEM, till, {**shown, "benefit": self.version.benefit_id, "quantity": 1})

    def _posted(self, path: str, till: Till, body: dict[str, Any]) -> Request:
        return Request.of(path, {"staff": till.clerk.account_id, **body}, till.device.key.text)


@contextmanager
def street(place: Databases, phones: int, processes: int) -> Iterator[Street]:
    """Everything that is loaded."""
    clock, url = SharedClock(), place.make()
    with contextmanager(make_world)(url, clock, place.folder) as world:
        market = Market.of(world)
        version = market.shelf.published(tiers={Tier.RESERVE: None}, budget_units=10**9)
        tills = market.tills(market.provider(version), AT_ONCE)
        guests = [market.guest(version) for _ in range(phones)]
        floor = place.make()
        bare.prepare(floor)
        make_bare_rows(world.database)
        serve = partial(serve_all, url, place.folder, clock)
        with (
            _without_pauses(),
            serving(processes, serve) as served,
            serving(processes, partial(bare.serve, floor)) as alone,
        ):
            yield Street(market, version, tills, guests, served, alone)


@contextmanager
def _without_pauses() -> Iterator[None]:
    """Settled until the end of the block: the clients' own pauses would count as the service's."""
    settle()
    try:
        yield
    finally:
        gc.unfreeze()


def measure(tiny: bool) -> list[Figure]:
    """Both databases."""
    return [figure for kind in KINDS for figure in _measure(kind, tiny)]


def _measure(kind: str, tiny: bool) -> Iterator[Figure]:
    phones = 4 if tiny else int(RATES[kind] * SEGMENT)
    with databases(kind) as place, street(place, phones, 1 if tiny else PROCESSES[kind]) as stage:
        yield from _throughput(stage, kind, 1 if tiny else 8)
        yield from _latency(stage, kind, 1 if tiny else 12)
        yield from _overload(stage, kind, tiny)


def measure_steady(tiny: bool) -> list[Figure]:
    """Memory under an even load for TALENTSEAL_STEADY_SECONDS; an hour in `scripts/test --full steady`."""
    return [figure for kind in KINDS for figure in _steady(kind, tiny)]


def _steady(kind: str, tiny: bool) -> Iterator[Figure]:
    looks, span = (3, 0.2) if tiny else (max(3, int(STEADY_SECONDS / STEADY_SPAN)), STEADY_SPAN)
    with databases(kind) as place, street(place, 8, 1) as stage:
        say(f"  {kind}: {STEADY_RATE} a second for {looks * span:.0f} s")
        resident, met = [], []
        for _ in range(looks):
            answers, _ = _rush(stage, STEADY_RATE, span)
            met += [answer.status for answer in answers]
            resident.append(stage.served.resident)
    third = len(resident) // 3
    first, last = median(resident[:third]), median(resident[-third:])
    yield Figure(
        f"memory in the last third of {looks * span:.0f} s at {STEADY_RATE}/s, {kind}",
        round(last, 1),
        "MiB",
        floor=Reference("in the first", round(first, 1)),
        ratio=round(last / first, 3),
        spread=(round(min(resident), 1), round(max(resident), 1)),
        budget=FLAT,
    )
    failed = sum(status != 201 for status in met)
    yield Figure(f"of {len(met)} redemptions that failed, {kind}", failed, "", budget=NONE)


def _throughput(stage: Street, kind: str, rounds: int) -> Iterator[Figure]:
    """Redemptions a second of 32 clients, each by a code shown fresh, and what the service's processes work
    for one: beside an application that inserts one row, and beside an insert through the same stack.
    """
    say(f"  {kind}: {rounds} rounds of {len(stage.phones)} by {AT_ONCE} clients")
    worked: dict[str, dict[int, float]] = {"own": {}, "floor": {}, "same": {}}

    def spell(name: str, served: Served, requests: Sequence[Request]) -> float:
        before = served.processor
        rate = a_second(served, requests)
        worked[name][len(worked[name])] = (served.processor - before) * 1000 / len(requests)
        return rate

    met = interleaved(
        rounds + 1,
        own=lambda: spell("own", stage.served, stage.by_codes()),
        floor=lambda: spell("floor", stage.bare, stage.rows(bare.ROWS)),
        same=lambda: spell("same", stage.served, stage.rows(BARE)),
    )
    for each in (*met.values(), *worked.values()):
        del each[0]
    name = f"redemptions, {AT_ONCE} clients, {kind}"
    yield against(name, "/s", met["own"], APP, met["floor"], THROUGHPUT)
    yield against(f"{name}, processor of the service", "ms", worked["own"], APP, worked["floor"], THRICE)
    yield against(
        f"{name}, the same again", "/s", met["own"], "inserts through the same stack", met["same"], None
    )


def a_second(served: Served, requests: Sequence[Request]) -> float:
    """How many a second are answered with success. Raises RuntimeError when one is not."""
    begun = time.perf_counter()
    answers = run(partial(one_after_the_other, requests=requests, at_once=AT_ONCE), served.ports)
    _require_success(answers)
    return len(requests) / (time.perf_counter() - begun)


def _latency(stage: Street, kind: str, segments: int) -> Iterator[Figure]:
    """The 99th percentile under an even load, from when each was due, over all and in the median segment, in
    which no disk stood still; and that of the bare application in between, which says what the machine makes
    of such a load just then.
    """
    rate, own, floor = RATES[kind], list[list[Answer]](), list[list[Answer]]()
    ports, its_ports = stage.served.ports[:CORES], stage.bare.ports[:CORES]
    say(f"  {kind}: {segments} times {len(stage.phones)} redemptions, {rate} a second, {len(ports)} serving")
    for _ in range(segments):
        own.append(run(partial(at_a_rate, requests=stage.by_codes(), rate=rate), ports))
        floor.append(run(partial(at_a_rate, requests=stage.rows(bare.ROWS), rate=rate), its_ports))
    name = f"a redemption at {rate}/s, {len(ports)} serving, 99 of 100 within"
    late = _milliseconds(chain(*own))
    spread = (_at(late, 0.5), _at(late, 1))
    yield _late(f"{name}, {kind}", _at(late, 0.99), _at(_milliseconds(chain(*floor)), 0.99), spread, LATE)
    each, its = ([_at(_milliseconds(part), 0.99) for part in parts] for parts in (own, floor))
    spread = (min(each), max(each))
    yield _late(f"{name}, the median of {SEGMENT:g} s, {kind}", median(each), median(its), spread, None)
    failed = sum(answer.status != 201 for answer in chain(*own))
    yield Figure(f"redemptions at {rate}/s that failed, {kind}", failed, "", budget=NONE)


def _late(name: str, own: float, floor: float, spread: tuple[float, float], budget: Budget | None) -> Figure:
    ratio = round(own / floor, 2)
    return Figure(
        name, round(own, 1), "ms", floor=Reference(APP, floor), ratio=ratio, spread=spread, budget=budget
    )


def _overload(stage: Street, kind: str, tiny: bool) -> Iterator[Figure]:
    """Goodput under ten times the peak, what the others are told, and how soon it is over."""
    count, seconds = (8, 0.2) if tiny else (1500, 10.0)
    a_second(stage.served, stage.by_presentations(count))
    peak = a_second(stage.served, stage.by_presentations(count))
    say(f"  {kind}: {TIMES * peak:.0f} a second for {seconds:g} s, the peak being {peak:.0f}")
    met, lasted = _rush(stage, TIMES * peak, seconds)
    recovered = _recovers_in(stage, peak / 2, 0.2 if tiny else 1.0)
    # Before and after: a machine is not equally quick throughout.
    around = (peak + a_second(stage.served, stage.by_presentations(count))) / 2
    good = [answer for answer in met if answer.status == 201]
    taken = len(good) / lasted
    yield Figure(
        f"redemptions under {TIMES} times the peak, {kind}",
        round(taken, 1),
        "/s",
        floor=Reference("at the peak, before and after", round(around, 1)),
        ratio=round(taken / around, 3),
        budget=GOODPUT,
    )
    told = sum(answer.status in {429, 503} and answer.says_when for answer in met)
    silent = len(met) - len(good) - told
    yield Figure(f"neither served nor told when to come back, {kind}", silent, "", budget=NONE)
    yield Figure(f"acknowledged and lost, {kind}", stage.lost(met), "", budget=NONE)
    yield Figure(f"until all is as before, {kind}", recovered, "s", budget=RECOVERY)


def _rush(stage: Street, rate: float, seconds: float) -> tuple[list[Answer], float]:
    """An even load for so long, and the seconds until the last of it was answered."""
    requests = stage.by_presentations(max(1, int(rate * seconds)))
    begun = time.perf_counter()
    answers = run(partial(at_a_rate, requests=requests, rate=rate), stage.served.ports)
    lasted = time.perf_counter() - begun
    say(f"    {len(answers) / lasted:.0f} a second were asked")
    return answers, lasted


def _recovers_in(stage: Street, rate: float, span: float) -> float:
    """Seconds after the rush until `span` of half the peak passes without refusal, within the budget."""
    begun = time.perf_counter()
    while time.perf_counter() - begun < 2 * RECOVERY.bound:
        at = time.perf_counter() - begun
        answers, _ = _rush(stage, rate, span)
        late = _milliseconds(answers)
        if all(answer.status == 201 for answer in answers) and _at(late, 0.99) <= LATE.bound:
            return round(at, 1)
    return 2 * RECOVERY.bound


def _require_success(answers: Sequence[Answer]) -> None:
    for answer in answers:
        if answer.status != 201:
            raise RuntimeError(f"expected 201, met {answer.status}: {answer.body[:200]!r}")


def _milliseconds(answers: Iterable[Answer]) -> list[float]:
    """How long each took, the shortest first."""
    return sorted(answer.seconds * 1000 for answer in answers)


def _at(ordered: Sequence[float], share: float) -> float:
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1)
