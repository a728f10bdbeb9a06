"""Every stored vector gets the verdict it states, and the vectors are what their generator writes."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from sealproof import canonical, checkpoint, disclosure, entry, merkle, note, promise, tiles, tlogproof
from sealproof.errors import DisclosureFalse, ProofError
from tests.vectors import make
from tests.vectors.case import Case

Given = dict[str, Any]


def _load(topic: str) -> list[Case]:
    cases: list[Case] = json.loads(make.FOLDER.joinpath(f"{topic}.json").read_text(encoding="ascii"))
    return cases


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _all(texts: list[str]) -> list[bytes]:
    return [_bytes(text) for text in texts]


def _text(given: Given) -> str:
    """The text of a vector; long ones are stored as pieces, each with the number of times it is repeated."""
    return (
        "".join(piece * times for piece, times in given["pieces"])
        if "pieces" in given
        else str(given["text"])
    )


def _tree(given: Given) -> None:
    leaf_hashes, root = merkle.leaf_hashes_of(_all(given["entries"])), _bytes(given["root"])
    grown = merkle.CompactRange.empty()
    grown.extend(leaf_hashes)
    merkle.check_consistency(grown.size, grown.root(), grown.size, merkle.root_of(leaf_hashes), [])
    merkle.check_consistency(grown.size, grown.root(), grown.size, root, [])


def _inclusion(given: Given) -> None:
    leaf, root = _bytes(given["leaf"]), _bytes(given["root"])
    merkle.check_inclusion(leaf, given["index"], given["size"], _all(given["path"]), root)


def _consistency(given: Given) -> None:
    old_root, new_root = _bytes(given["old_root"]), _bytes(given["new_root"])
    merkle.check_consistency(given["old_size"], old_root, given["new_size"], new_root, _all(given["path"]))


def _canonical(given: Given) -> None:
    raw = _bytes(given["base64"]) if "base64" in given else _text(given).encode()
    assert canonical.encode(canonical.decode(raw, limit=65_535)) == raw


def _disclosure(given: Given) -> None:
    text = _text(given)
    shown = disclosure.read(text)
    assert disclosure.make(shown.name, shown.value, shown.salt) == text
    if disclosure.digest(text) != given["digest"]:
        raise DisclosureFalse("another digest")


def _entry(given: Given) -> None:
    raw = _text(given).encode()
    assert entry.decode(raw).encode() == raw
    assert merkle.leaf_hash(raw) == _bytes(given["leaf"])


def _note(given: Given) -> None:
    keys = [note.VerifierKey.parse(key) for key in given["keys"]]
    opened = note.open_note(given["note"], keys)
    assert opened.text == given["text"]
    assert set(opened.verified) <= set(keys)


def _checkpoint(given: Given) -> None:
    head = checkpoint.open_checkpoint(given["note"], [note.VerifierKey.parse(given["key"])])
    assert (head.size, head.root) == (given["size"], _bytes(given["root"]))
    assert given["note"].startswith(head.encode() + "\n")


def _promise(given: Given) -> None:
    word = promise.open_promise(given["note"], [note.VerifierKey.parse(given["key"])])
    assert word.deadline == datetime(2026, 11, 23, 8, tzinfo=UTC)
    assert given["note"].startswith(word.encode() + "\n")


def _tile_path(given: Given) -> None:
    tile = tiles.parse_path(given["path"])
    assert tile == tiles.Tile(given["level"], given["number"], given["width"])
    assert tile.path() == given["path"]


def _tlog_proof(given: Given) -> None:
    tlogproof.open_proof(given["proof"], _bytes(given["leaf"]), [note.VerifierKey.parse(given["key"])])
    proof = tlogproof.parse(given["proof"])
    assert tlogproof.encode(proof.index, proof.path, proof.checkpoint, proof.extra) == given["proof"]


CHECKS: dict[str, Callable[[Given], None]] = {
    "trees": _tree,
    "inclusion": _inclusion,
    "consistency": _consistency,
    "canonical": _canonical,
    "disclosures": _disclosure,
    "entries": _entry,
    "notes": _note,
    "checkpoints": _checkpoint,
    "promises": _promise,
    "tile-paths": _tile_path,
    "tlog-proofs": _tlog_proof,
}


def _verdict(topic: str, given: Given) -> str:
    try:
        CHECKS[topic](given)
    except ProofError as error:
        return error.code
    return "accept"


@pytest.mark.parametrize(
    ("topic", "case"),
    [
        pytest.param(topic, case, id=f"{topic}: {case['why']}")
        for topic in make.TOPICS
        for case in _load(topic)
    ],
)
def test_vector(topic: str, case: Case) -> None:
    assert _verdict(topic, case["input"]) == case["verdict"]


@pytest.mark.parametrize("topic", make.TOPICS)
def test_the_generator_writes_the_stored_bytes(topic: str) -> None:
    stored = make.FOLDER.joinpath(f"{topic}.json").read_bytes()

    assert make.contents(topic).encode("ascii") == stored
    assert len(stored) < 200_000


def test_there_are_enough_vectors_and_most_must_be_refused() -> None:
    cases = [case for topic in make.TOPICS for case in _load(topic)]
    refused = [case for case in cases if case["verdict"] != "accept"]

    assert len(cases) >= 250
    assert 2 * len(refused) >= len(cases)
    assert all(case["why"] for case in cases)


def test_no_vector_stands_twice() -> None:
    inputs = [
        (topic, json.dumps(case["input"], sort_keys=True)) for topic in make.TOPICS for case in _load(topic)
    ]

    assert len(set(inputs)) == len(inputs)
