"""Every small way to alter a JSON value once: each leaf changed, each key removed, doubled or added."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

Place = tuple[str | int, ...]


def places(value: Any, here: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Every value inside, with its place, containers before their members."""
    yield here, value
    if isinstance(value, Mapping):
        for key in value:
            yield from places(value[key], (*here, key))
    elif isinstance(value, list | tuple):
        for index, member in enumerate(value):
            yield from places(member, (*here, index))


def name_of(place: Place) -> str:
    """`agreement.statement.parties[0].nonce`"""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).removeprefix(".")


def other_values(value: Any) -> Iterator[Any]:
    """Values near to this one, and values of other types."""
    if isinstance(value, str):
        yield from _other_strings(value)
        yield from (None, 0, True, [], {}, [value])
    elif isinstance(value, bool) or value is None:
        yield from (0, "", [], {}, "null")
    elif isinstance(value, int):
        yield from (value + 1, max(value - 1, 0) if value else 2, value + 256, -1, 2**53 - 1, 2**53, 2**64)
        yield from (str(value), True, None, value + 0.5, [value], hex(value))
    elif isinstance(value, Mapping):
        yield from ([], "", 0, True)
    else:
        yield from ({}, "", 0, True)


def _other_strings(value: str) -> Iterator[str]:
    for at in sorted({0, 2, len(value) // 2, max(len(value) - 1, 0)}):
        if at < len(value):
            old = value[at]
            yield value[:at] + ("1" if old == "0" else "0") + value[at + 1 :]
            yield value[:at] + value[at + 1 :]
    yield from (value + "0", value + "A", value + "\n", " " + value, "", "é" + value, "\x00", value + value)
    if value.swapcase() != value:
        yield value.swapcase()


def replaced(root: Any, place: Place, new: Any) -> Any:
    """A copy of `root` with `new` at that place."""
    if not place:
        return new
    copy = deepcopy(root)
    container = copy
    for part in place[:-1]:
        container = container[part]
    container[place[-1]] = new
    return copy


def removed(root: Any, place: Place) -> Any:
    """A copy of `root` without the key or element of that place."""
    copy = deepcopy(root)
    container = copy
    for part in place[:-1]:
        container = container[part]
    del container[place[-1]]
    return copy


def doubled(root: Any, place: Place) -> Any:
    """A copy of `root` with the element of that place, which is in an array, there twice."""
    copy = deepcopy(root)
    container = copy
    for part in place[:-1]:
        container = container[part]
    container.insert(place[-1], deepcopy(container[place[-1]]))
    return copy
