"""The trust file: read strictly, written to be read again."""

import dataclasses
import json
from typing import Any

import pytest

from sealproof import trust
from sealproof.errors import DecodeError, OutOfRange
from sealproof.trust import Finality, FinalityPolicy
from tests.sealproof import altering
from tests.sealproof.samples import IDENTITY, TRUST


@pytest.mark.parametrize(
    "given",
    [
        TRUST,
        dataclasses.replace(TRUST, chain=None),
        dataclasses.replace(TRUST, finality=Finality(FinalityPolicy.DEPTH, 12), label="郑州 · 联盟链"),
        dataclasses.replace(TRUST, finality=Finality(FinalityPolicy.TAG)),
    ],
)
def test_it_reads_back(given: trust.Trust) -> None:
    assert trust.load(given.dump()) == given
    assert trust.load(given.dump()).dump() == given.dump()


def reading(raw: bytes) -> trust.Trust | None:
    try:
        return trust.load(raw)
    except DecodeError:
        return None


def test_each_value_altered_is_refused_or_another_trust() -> None:
    value: Any = json.loads(TRUST.dump())
    for place, old in altering.places(value):
        for new in altering.other_values(old):
            if new == old and type(new) is type(old):
                continue
            raw = json.dumps(altering.replaced(value, place, new)).encode()
            assert reading(raw) != TRUST


def test_each_field_removed_or_added_is_refused() -> None:
    value: Any = json.loads(TRUST.dump())
    for place, container in altering.places(value):
        if isinstance(container, dict):
            with pytest.raises(DecodeError, match="extra"):
                trust.load(json.dumps(altering.replaced(value, (*place, "extra"), 1)).encode())
            for key in container:
                with pytest.raises(DecodeError):
                    trust.load(json.dumps(altering.removed(value, (*place, key))).encode())


@pytest.mark.parametrize(("policy", "depth"), [("instant", 1), ("tag", 3), ("depth", 0), ("depth", -1)])
def test_a_depth_goes_with_its_policy_only(policy: str, depth: int) -> None:
    with pytest.raises(OutOfRange, match="depth"):
        Finality(FinalityPolicy(policy), depth)


def test_differences_are_named() -> None:
    other = dataclasses.replace(IDENTITY, chain_id=1, deployment_id="0x" + "00" * 32)
    assert IDENTITY.differences(other) == ("chain_id", "deployment_id")
    assert not IDENTITY.differences(IDENTITY)
