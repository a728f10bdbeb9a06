"""What a feature declares to have its acts recorded: one frozen dataclass per kind of evidence.

    @dataclass(frozen=True, slots=True)
    class BenefitRedeemed(Event):
        kind: ClassVar[int] = 30
        benefit: str
        quantity: int

Every field becomes one separately salted disclosure (RFC 9901); a field that is None is left out. Nothing
else has to be registered anywhere.
"""

from dataclasses import dataclass, fields
from datetime import date, datetime
from enum import Enum
from functools import cache
from typing import Any, ClassVar, cast

from sealproof import disclosure, encoding
from sealproof.canonical import Json

SALT_BYTES = 16
_PLAIN = frozenset({str, int})
"""Nearly every field's type: such a value is its own JSON form."""


@dataclass(frozen=True, slots=True)
class Event:
    """Base of all evidence kinds. `kind` is the number of `spec` §2.1 (10 to 91)."""

    kind: ClassVar[int]

    def salt_bytes(self) -> int:
        """How many random bytes `disclose` takes: 16 for each field."""
        return SALT_BYTES * len(_names(self))

    def disclose(self, salts: bytes) -> dict[str, str]:
        """One RFC 9901 disclosure a field by its digest, in the order of the digests, each with its own
        128-bit salt.

        That order is the entry's, so that a stored set of disclosures can be held against it one by one.

        salts: `salt_bytes` from a cryptographic source, used once. Raises TypeError for a value that has no
        canonical form (a float, a naive time, an unknown class).
        """
        made: list[tuple[str, str]] = []
        for position, name in enumerate(_names(self)):
            value = getattr(self, name)
            if value is not None:
                own = salts[position * SALT_BYTES : (position + 1) * SALT_BYTES]
                text = disclosure.make(name, canonical_value(value), own)
                made.append((disclosure.digest(text), text))
        made.sort()
        return dict(made)


def _names(event: Event) -> tuple[str, ...]:
    return _names_of(cast("Any", type(event)))


@cache
def _names_of(kind: type[Event]) -> tuple[str, ...]:
    return tuple(item.name for item in fields(kind))


def canonical_value(value: Any) -> Json:
    """The JSON form of a field: times as RFC 3339 UTC with microseconds, dates as ISO, enums by value.

    Raises TypeError for anything whose form would be ambiguous, floats among them; OutOfRange for a time that
    is not UTC.
    """
    if type(value) in _PLAIN:
        return cast("Json", value)
    if isinstance(value, Enum):
        return canonical_value(value.value)
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, datetime):
        return encoding.instant_encode(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return [canonical_value(item) for item in value]
    if isinstance(value, dict):
        return {str(key): canonical_value(item) for key, item in value.items()}
    raise TypeError(
        f"expected text, integer, time, date, enum, list or dict in an event, met {type(value).__name__}"
    )
