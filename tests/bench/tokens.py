"""What a code costs: minting one with its QR code, and refusing one, which must take the same whatever is
wrong with it.
"""

import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from statistics import median

from talentseal.credentials import qr, tc1
from talentseal.credentials.profiles import Profile
from tests.bench.figures import Budget, Figure, against, interleaved, say
from tests.credentials import reference
from tests.credentials.reference import CODE_REF, KEYS, NOON

EVEN = Budget("ratio", "<=", 1.15)
"""How much more the dearest refusal may cost than the cheapest: what is left is the machine's noise."""

QR_BUDGET = Budget("value", "<=", 5)


def measure(tiny: bool) -> list[Figure]:
    """Processor time, since the machine's other work is no part of the answer."""
    rounds, each = (1, 1) if tiny else (41, 100)
    say(f"  {rounds} rounds of {each} refusals for each cause")
    causes = _causes()
    met = interleaved(rounds, **{name: partial(_micros, refuse, each) for name, refuse in causes.items()})
    return [_evenness(met), _minting(rounds, max(1, each // 10))]


def _evenness(met: Mapping[str, Mapping[int, float]]) -> Figure:
    """The dearest cause against the cheapest, by the medians of the whole run."""
    ranked = sorted(met, key=lambda name: median(met[name].values()))
    return against(f"refusing TC1: {ranked[-1]}", "us", met[ranked[-1]], ranked[0], met[ranked[0]], EVEN)


def _minting(rounds: int, each: int) -> Figure:
    def shown() -> str:
        return qr.svg(Profile.TC1, tc1.mint(KEYS, CODE_REF, now=NOON).text, "人才码")

    met = interleaved(
        rounds,
        own=lambda: _micros(shown, each) / 1000,
        bare=lambda: _micros(lambda: tc1.mint(KEYS, CODE_REF, now=NOON), each) / 1000,
    )
    return against(
        "a code minted, with its QR code", "ms", met["own"], "minting alone", met["bare"], QR_BUDGET
    )


def _causes() -> dict[str, Callable[[], object]]:
    genuine = reference.tc1(CODE_REF, NOON)
    texts = {
        "wrong MAC": genuine[:-1] + bytes([genuine[-1] ^ 1]),
        "first byte of the MAC wrong": genuine[:16] + bytes([genuine[16] ^ 1]) + genuine[17:],
        "unknown code": genuine[:1] + bytes(8) + genuine[9:],
        "unknown slot": bytes([genuine[0] ^ 0x80]) + genuine[1:],
        "yesterday's slot": bytes([genuine[0] - 1]) + genuine[1:],
        "another time": genuine[:12] + bytes([genuine[12] ^ 1]) + genuine[13:],
        "expired": reference.tc1(CODE_REF, NOON - timedelta(hours=1)),
        "of yesterday": reference.tc1(CODE_REF, NOON - timedelta(days=1)),
    }
    written = {name: reference.as_text("TC1", octets) for name, octets in texts.items()}
    whole = reference.as_text("TC1", genuine)
    written |= {
        "malformed": whole[:-3] + ":::",
        "foreign character": whole[:4] + "=" + whole[5:],
        "empty": "",
    }
    return {name: partial(tc1.verify, KEYS, text, now=NOON) for name, text in written.items()}


def _micros(work: Callable[[], object], each: int) -> float:
    begun = time.process_time_ns()
    for _ in range(each):
        work()
    return (time.process_time_ns() - begun) / each / 1000
