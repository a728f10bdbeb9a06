"""Each field of a bundle altered once: the report names the step that fails, or says what is malformed."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from sealproof.report import ALL_PASSED, MALFORMED, NOT_ALL_CHECKED, SOMETHING_FAILED, Report, Verdict
from sealproof.verify import verify
from tests.sealproof import altering
from tests.sealproof.samples import Sample, agreement_sample, plain_sample, termination_sample, value_of

GUARDS: tuple[tuple[str, int], ...] = (
    (r"entry", 4),
    (r"disclosures\b", 3),
    (r"(index|path)\b", 4),
    (r"size", 6),
    (r"checkpoint", 5),
    (r"anchor\.(chain_id|genesis_hash|contract|code_hash|deployment_id|deployment_block_hash)", 11),
    (r"anchor\.(block_number|block_hash|transaction_hash)", 12),
    (r"agreement\.(terms|disclosures)\b", 8),
    (r"agreement\.stipulations\b", 9),
    (r"agreement\.(statement|termination|signatures)\b", 10),
    (r"agreement\.transaction_hash", 14),
)
"""Which step guards which field."""

SAMPLES: dict[str, Callable[[], Sample]] = {
    "plain": plain_sample,
    "agreement": agreement_sample,
    "amendment": lambda: agreement_sample(7, version=2),
    "termination": termination_sample,
}


def guard(name: str) -> int | None:
    return next((step for pattern, step in GUARDS if re.match(pattern, name)), None)


def report(sample: Sample, value: Any) -> Report:
    raw = json.dumps(value, ensure_ascii=False).encode("utf-8", errors="surrogatepass")
    return verify(raw, trust=sample.trust, document=sample.document, chain=sample.chain)


def caught(found: Report, name: str) -> bool:
    """Whether the report is of a malformed bundle, or the step that guards this field failed."""
    if found.exit_code == MALFORMED:
        return found.steps[0].verdict is Verdict.FAILED and len(found.steps) == 1
    number = guard(name)
    step = None if number is None else found.step(number)
    return found.exit_code == SOMETHING_FAILED and step is not None and step.verdict is Verdict.FAILED


@pytest.mark.parametrize("kind", SAMPLES)
def test_the_unaltered_bundle_fails_nowhere(kind: str) -> None:
    sample = SAMPLES[kind]()
    assert report(sample, value_of(sample.raw)).exit_code in (ALL_PASSED, NOT_ALL_CHECKED)


@pytest.mark.parametrize("kind", SAMPLES)
def test_each_value_altered_is_caught_by_the_step_that_guards_it(kind: str) -> None:
    sample = SAMPLES[kind]()
    value = value_of(sample.raw)
    altered = 0
    for place, old in altering.places(value):
        if kind in ("amendment", "termination") and place[:1] != ("agreement",):
            continue  # the other two samples went through these
        name = altering.name_of(place)
        for new in altering.other_values(old):
            if new == old and type(new) is type(old):
                continue
            if name == "agreement.transaction_hash" and new is None:
                continue  # left out, which is allowed: the registry itself is asked
            assert caught(report(sample, altering.replaced(value, place, new)), name), (name, new)
            altered += 1
    assert altered > 250


@pytest.mark.parametrize("kind", SAMPLES)
def test_each_field_removed_added_or_given_twice_is_malformed(kind: str) -> None:
    sample = SAMPLES[kind]()
    value = value_of(sample.raw)
    for place, container in altering.places(value):
        if not isinstance(container, dict):
            continue
        added = report(sample, altering.replaced(value, (*place, "extra"), 1))
        assert added.exit_code == MALFORMED
        assert "extra" in added.steps[0].why
        for key in container:
            assert report(sample, altering.removed(value, (*place, key))).exit_code == MALFORMED
    for key in value:
        text = json.dumps(value)
        twice = "{" + json.dumps(key) + ":" + json.dumps(value[key]) + "," + text[1:]
        found = verify(twice.encode(), trust=sample.trust)
        assert found.exit_code == MALFORMED
        assert "each key once" in found.steps[0].why


@pytest.mark.parametrize("kind", SAMPLES)
def test_each_array_element_removed_or_doubled_is_caught(kind: str) -> None:
    """A disclosure may be left out, that is its purpose; it then is not shown, and nothing fails."""
    sample = SAMPLES[kind]()
    value = value_of(sample.raw)
    for place, _ in altering.places(value):
        if not place or not isinstance(place[-1], int):
            continue
        name = altering.name_of(place)
        assert caught(report(sample, altering.doubled(value, place)), name), name
        fewer = report(sample, altering.removed(value, place))
        if "disclosures" in place:
            assert fewer.exit_code in (ALL_PASSED, NOT_ALL_CHECKED), name
        else:
            assert caught(fewer, name), name


def test_parts_left_out_are_reported_as_not_checked() -> None:
    sample = agreement_sample()
    value = value_of(sample.raw)
    for part, steps in (("anchor", (12, 13)), ("agreement", (8, 9, 10, 14))):
        found = report(sample, value | {part: None})
        assert found.exit_code == NOT_ALL_CHECKED
        for number in steps:
            step = found.step(number)
            assert step is not None
            assert step.verdict is Verdict.NOT_CHECKED


def test_parts_of_two_good_bundles_do_not_mix() -> None:
    one, other = agreement_sample(2), agreement_sample(5)
    mine: Any = value_of(one.raw)
    theirs: Any = value_of(other.raw)
    for key in ("entry", "disclosures", "path", "checkpoint", "agreement"):
        assert report(one, mine | {key: theirs[key]}).exit_code == SOMETHING_FAILED, key
    for key in ("terms", "disclosures", "stipulations", "statement", "signatures"):
        mixed = mine["agreement"] | {key: theirs["agreement"][key]}
        assert report(one, mine | {"agreement": mixed}).exit_code == SOMETHING_FAILED, key


def test_two_swapped_elements_are_caught_where_order_counts() -> None:
    sample = agreement_sample(withheld=frozenset())
    value = value_of(sample.raw)
    for name, place in (
        ("path", ("path",)),
        ("agreement.stipulations", ("agreement", "stipulations")),
        ("agreement.signatures", ("agreement", "signatures")),
        ("agreement.statement.parties", ("agreement", "statement", "parties")),
    ):
        container: Any = value
        for part in place:
            container = container[part]
        swapped = [container[1], container[0], *container[2:]]
        assert caught(report(sample, altering.replaced(value, place, swapped)), name), name
