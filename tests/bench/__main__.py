"""`python -m tests.bench [PART…] [--json] [--tiny]`: measure, print, and end with 1 when a budget is
broken.
"""

import argparse
import json
import logging
import sys
from collections.abc import Callable, Sequence

import structlog

from tests.bench import (
    audit,
    gas,
    growth,
    latency,
    load,
    nightly,
    pages,
    presentations,
    recording,
    redemptions,
    sealing,
    tokens,
    verifying,
)
from tests.bench.figures import Figure, say

PARTS: dict[str, Callable[[bool], list[Figure]]] = {
    "gas": gas.measure,
    "recording": recording.measure,
    "sealing": sealing.measure,
    "audit": audit.measure,
    "latency": latency.measure,
    "verifying": verifying.measure,
    "tokens": tokens.measure,
    "presentations": presentations.measure,
    "redemptions": redemptions.measure,
    "load": load.measure,
    "steady": load.measure_steady,
    "growth": growth.measure,
    "nightly": nightly.measure,
    "pages": pages.measure,
}


def main(arguments: Sequence[str]) -> int:
    """Measure the named parts, or all of them; 0 when every figure is within its budget."""
    options = _parser().parse_args(arguments)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    figures: list[Figure] = []
    for part in options.parts or PARTS:
        say(f"{part} …")
        measured = PARTS[part](options.tiny)
        figures += measured
        for figure in measured:
            say("  " + line(figure))
    if options.json:
        print(json.dumps([figure.to_json() for figure in figures], indent=1))
    else:
        print("\n".join(line(figure) for figure in figures))
    return 0 if all(figure.within for figure in figures) else 1


def line(figure: Figure) -> str:
    """One figure for people."""
    parts = [f"{figure.name}: {figure.value:g} {figure.unit}"]
    if figure.ratio is not None and figure.floor is not None:
        parts.append(f"{figure.ratio:g} × {figure.floor.name} ({figure.floor.value:g})")
    elif figure.floor is not None:
        parts.append(f"floor {figure.floor.name} {figure.floor.value:g}")
    if figure.spread is not None:
        parts.append(f"spread {figure.spread[0]:g} to {figure.spread[1]:g}")
    if figure.peer is not None:
        parts.append(f"{figure.peer.name} {figure.peer.value:g}")
    if figure.budget is not None:
        parts.append(f"{'within' if figure.within else 'BEYOND'} the budget {figure.budget}")
    return ", ".join(parts)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Measures what TalentSeal costs.")
    parser.add_argument("parts", nargs="*", metavar="PART", choices=[*PARTS, []], help=", ".join(PARTS))
    parser.add_argument("--json", action="store_true", help="the figures as JSON on standard output")
    parser.add_argument(
        "--tiny", action="store_true", help="so little of everything that no figure means anything"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
