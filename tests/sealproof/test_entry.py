"""An entry has one form, and a changed byte is another entry or none."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealproof import disclosure, entry
from sealproof.entry import Entry, Relation
from sealproof.errors import DecodeError, MissingField, NotCanonical, OutOfRange, Oversized

ids = st.binary(min_size=16, max_size=16).map(bytes.hex)
digests = st.binary(max_size=4).map(lambda name: disclosure.digest(name.hex()))
links = st.one_of(st.just((None, None)), st.tuples(st.sampled_from(Relation), ids))


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    relation, refers_to = draw(links)
    return Entry(
        kind=draw(st.integers(1, entry.MAX_KIND)),
        id=draw(ids),
        recorded_at=draw(st.datetimes(timezones=st.just(UTC))),
        relation=relation,
        refers_to=refers_to,
        digests=tuple(sorted(draw(st.sets(digests, max_size=5)))),
    )


GOOD = Entry(10, "0" * 32, datetime(2026, 11, 23, 8, tzinfo=UTC), None, None, (disclosure.digest("a"),))


@given(entries())
def test_an_entry_is_read_back(given_entry: Entry) -> None:
    raw = given_entry.encode()

    assert entry.decode(raw) == given_entry
    assert len(raw) <= entry.ENTRY_LIMIT


@given(entries(), st.data())
def test_an_entry_with_one_byte_changed_is_another_or_none(given_entry: Entry, data: st.DataObject) -> None:
    raw = bytearray(given_entry.encode())
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))

    try:
        changed = entry.decode(bytes(raw))
    except DecodeError:
        return
    assert changed != given_entry


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"kind": 0}, OutOfRange),
        ({"kind": 65_536}, OutOfRange),
        ({"id": "0" * 31}, DecodeError),
        ({"recorded_at": datetime(2026, 11, 23, 8, tzinfo=timezone(timedelta(hours=8)))}, OutOfRange),
        ({"recorded_at": GOOD.recorded_at.replace(tzinfo=None)}, OutOfRange),
        ({"relation": Relation.AMENDS}, MissingField),
        ({"refers_to": "0" * 32}, MissingField),
        ({"digests": GOOD.digests * 2}, NotCanonical),
        ({"digests": ("short",)}, DecodeError),
    ],
)
def test_an_entry_that_could_not_be_read_back_cannot_be_built(
    change: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        replace(GOOD, **change)


def test_an_entry_of_too_many_fields_is_refused() -> None:
    many = tuple(sorted(disclosure.digest(str(number)) for number in range(1_500)))

    with pytest.raises(Oversized):
        replace(GOOD, digests=many).encode()
