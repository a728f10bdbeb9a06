"""Canonical JSON equals the RFC 8785 oracle inside its profile, and everything outside is refused by name."""

import json
import math
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from sealproof import canonical
from sealproof.errors import BadNumber, BadText, NotCanonical, Oversized, ProofError, TooDeep, WrongType

LIMIT = 1_000_000

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-canonical.MAX_INTEGER, canonical.MAX_INTEGER),
    st.text(),
    st.text(st.characters(min_codepoint=0xE000, max_codepoint=0x10FFFF)),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(st.text(), inner, max_size=5)),
    max_leaves=20,
)


@given(values)
def test_it_writes_what_the_oracle_writes_and_reads_it_back(value: Any) -> None:
    raw = canonical.encode(value)

    assert raw == rfc8785.dumps(value)
    assert canonical.decode(raw, limit=LIMIT) == value


@given(values)
def test_other_spellings_are_read_but_are_not_canonical(value: Any) -> None:
    raw = json.dumps([value], indent=1, ensure_ascii=True).encode()

    assert canonical.parse(raw, limit=LIMIT) == [value]
    with pytest.raises(NotCanonical):
        canonical.decode(raw, limit=LIMIT)


@given(st.binary(max_size=60) | st.text(max_size=40).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_read_or_refused_by_name(raw: bytes) -> None:
    try:
        value = canonical.decode(raw, limit=LIMIT)
    except ProofError:
        return
    assert canonical.encode(value) == raw


@given(values, st.data())
def test_a_text_cut_short_is_refused_or_another_value(value: Any, data: st.DataObject) -> None:
    raw = canonical.encode([value])
    cut = data.draw(st.integers(0, len(raw) - 1))

    with pytest.raises(ProofError):
        canonical.decode(raw[:cut], limit=LIMIT)


@pytest.mark.parametrize("number", [0.5, 1.0, -0.0, math.nan, math.inf, 2**53, -(2**53), 10**400])
def test_numbers_outside_the_profile_are_not_written(number: Any) -> None:
    with pytest.raises(BadNumber):
        canonical.encode([number])


@pytest.mark.parametrize("value", [b"bytes", {1: "number"}, {None: 1}, {"set"}, object()])
def test_values_that_json_has_not_are_not_written(value: Any) -> None:
    with pytest.raises(WrongType):
        canonical.encode(value)


@pytest.mark.parametrize("value", ["\ud800", ["a\udfff"], {"\ud800": 1}, {"a": {"b": "\udc00"}}])
def test_lone_surrogates_are_not_written(value: Any) -> None:
    with pytest.raises(BadText):
        canonical.encode(value)


def test_depth_has_one_limit_for_writer_and_reader() -> None:
    deep: Any = "end"
    for _ in range(canonical.MAX_DEPTH):
        deep = {"deeper": deep}

    assert canonical.decode(canonical.encode(deep), limit=LIMIT) == deep
    with pytest.raises(TooDeep):
        canonical.encode([deep])
    with pytest.raises(TooDeep):
        canonical.parse(json.dumps([deep]).encode(), limit=LIMIT)


@pytest.mark.parametrize("bracket", [b"[", b'{"a":'])
def test_a_hundred_thousand_levels_are_refused_without_a_crash(bracket: bytes) -> None:
    with pytest.raises(TooDeep):
        canonical.parse(bracket * 100_000, limit=LIMIT)


def test_the_limit_counts_bytes_not_characters() -> None:
    assert canonical.parse('"人"'.encode(), limit=5) == "人"
    with pytest.raises(Oversized):
        canonical.parse('"人"'.encode(), limit=4)
