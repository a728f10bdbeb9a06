"""Writes the vectors of this folder, always the same bytes: `python -m tests.vectors.make`.

Nothing here imports sealproof: the expected verdicts are stated, not computed by the code that they test.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.vectors import notes, texts, trees
from tests.vectors.case import Case

FOLDER = Path(__file__).parent

TOPICS: dict[str, Callable[[], Iterator[Case]]] = {
    "trees": trees.trees,
    "inclusion": trees.inclusion,
    "consistency": trees.consistency,
    "canonical": texts.canonical,
    "disclosures": texts.disclosures,
    "entries": texts.entries,
    "notes": notes.notes,
    "checkpoints": notes.checkpoints,
    "promises": notes.promises,
    "tile-paths": notes.tile_paths,
    "tlog-proofs": notes.tlog_proofs,
}


def contents(topic: str) -> str:
    """Text of one topic's file: a JSON array, one vector a line."""
    lines = [json.dumps(case, ensure_ascii=True, sort_keys=True) for case in TOPICS[topic]()]
    return "[\n" + ",\n".join(lines) + "\n]\n"


def main() -> None:
    for topic in TOPICS:
        FOLDER.joinpath(f"{topic}.json").write_text(contents(topic), encoding="ascii")


if __name__ == "__main__":
    main()
