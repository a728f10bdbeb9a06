"""What one trial does: a function of its seed alone.

Rounds of requests, sealing and anchoring, the chain's weather in each, and where which fault strikes. In
rounds that run `together` the threads' interleaving is the machine's; everything else is the same for the
same seed.
"""

import random
from dataclasses import dataclass
from enum import StrEnum

LANE_STEPS = (
    "job", "nonce", "signed", "persisted", "sent", "reply", "mined", "recorded", "final", "announced",
)  # fmt: skip

REQUEST_POINTS = ("request.begin", "request.inside", "request.reply")
"""Before BEGIN; inside the transaction, the rows inserted; committed, and the answer not given yet."""

SERVICE_POINTS = (
    "write.before-commit",
    "write.committed",
    "seal.numbered",
    "seal.checked",
    "seal.signed",
    "head.before-swap",
    "head.swapped",
    "seal.swapped",
    "seal.published",
    *(f"anchor.{step}" for step in LANE_STEPS),
    *(f"act.{step}" for step in LANE_STEPS),
)

POINTS = (*REQUEST_POINTS, *SERVICE_POINTS)


class Mode(StrEnum):
    """What happens at the point."""

    KILL = "kill"
    """SIGKILL, from inside."""
    BEFORE = "before"
    """The step that follows the point fails and has no effect."""
    AFTER = "after"
    """The step that follows has its effect, and an error is reported all the same."""
    TAKEOVER = "takeover"
    """The worker stands still there while a second one takes over and does whole rounds; then it goes on."""


def modes_of(point: str) -> tuple[Mode, ...]:
    """The faults that make sense at a point: nobody takes over inside a transaction or the head's lock."""
    if point.startswith(("seal.", "anchor.", "act.")):
        return tuple(Mode)
    return (Mode.KILL, Mode.BEFORE, Mode.AFTER)


class Weather(StrEnum):
    """How the chain is while a round anchors."""

    CALM = "calm"
    DOWN = "down"
    LOSES_REQUESTS = "loses requests"
    LOSES_REPLIES = "loses replies"
    SLOW = "slow"
    """Blocks come later than the send."""
    FORGETS = "forgets"
    """What was sent is accepted and never heard of again."""
    REORGANISES = "reorganises"
    """Before it is calm again, all blocks that are not final are replaced, what was in them forgotten."""


@dataclass(frozen=True, slots=True)
class Round:
    """One round: `requests` records, the first of them with an act for the registry."""

    requests: int
    together: bool
    weather: Weather


@dataclass(frozen=True, slots=True)
class Strike:
    """A fault at the nth time that the point is reached."""

    point: str
    mode: Mode
    nth: int


@dataclass(frozen=True, slots=True)
class Plan:
    """One trial. Each life is a process: its rounds and the fault that strikes; a last one recovers."""

    seed: int
    lives: tuple[tuple[Strike, tuple[Round, ...]], ...]


def plan_of(point: str, mode: Mode, seed: int) -> Plan:
    """The trial of that seed: a fault at `point`; in one of three a second fault in the life that follows."""
    rng = random.Random(f"{point} {mode} {seed}")
    lives = [(Strike(point, mode, rng.choice((1, 1, 2))), _rounds(rng, 3))]
    if rng.randrange(3) == 0:
        second = rng.choice(POINTS)
        lives.append((Strike(second, rng.choice(modes_of(second)), 1), _rounds(rng, 1)))
    return Plan(seed, tuple(lives))


def _rounds(rng: random.Random, count: int) -> tuple[Round, ...]:
    return tuple(
        Round(rng.randint(1, 4), rng.randrange(4) == 0, rng.choice((Weather.CALM, Weather.CALM, *Weather)))
        for _ in range(count)
    )
