"""The difference between two versions of an agreement, clause by clause, for whoever is about to sign it.

A clause is known by its name. Where a name stands several times the first goes with the first; a clause whose
content is the same is the same clause, wherever it stands and whatever happens around it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from talentseal.agreements.models import Category
from talentseal.agreements.schemas import StipulationInput

FIELDS: Final = (
    "clause",
    "duty_holder",
    "beneficiary_tiers",
    "measure",
    "period",
    "threshold",
    "remedy",
)
"""Of a stipulation, in the order in which they are shown."""


class Change(StrEnum):
    """What became of a clause."""

    ADDED = "ADDED"
    REMOVED = "REMOVED"
    CHANGED = "CHANGED"
    UNCHANGED = "UNCHANGED"


@dataclass(frozen=True, slots=True)
class Head:
    """What a version says besides its stipulations. parties: (organisation, role); document: SHA-256 hex."""

    number: str
    title: str
    category: Category
    effective_from: date
    valid_through: date
    survives_instrument: bool
    parties: tuple[tuple[str, str], ...]
    document: str


@dataclass(frozen=True, slots=True)
class Content:
    """All that is compared of one version."""

    head: Head
    stipulations: tuple[StipulationInput, ...]


@dataclass(frozen=True, slots=True)
class ClauseDifference:
    """One clause. shown: as it now stands, or last stood. before: as it stood; fields: those that differ."""

    change: Change
    shown: StipulationInput
    before: StipulationInput | None = None
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """head: names of the fields of Head that differ. clauses: in the new order, removed ones where they
    stood.
    """

    before: Head
    after: Head
    head: tuple[str, ...]
    clauses: tuple[ClauseDifference, ...]

    @property
    def changed(self) -> tuple[ClauseDifference, ...]:
        """The clauses that are not the same."""
        return tuple(each for each in self.clauses if each.change is not Change.UNCHANGED)

    @property
    def unchanged(self) -> tuple[ClauseDifference, ...]:
        return tuple(each for each in self.clauses if each.change is Change.UNCHANGED)

    @property
    def is_empty(self) -> bool:
        """Whether both say the same, but for the order of clauses."""
        return not self.head and not self.changed


def compare(before: Content, after: Content) -> Difference:
    """What `after` changes in `before`."""
    head = tuple(
        name for name in Head.__dataclass_fields__ if getattr(before.head, name) != getattr(after.head, name)
    )
    return Difference(before.head, after.head, head, tuple(_clauses(before.stipulations, after.stipulations)))


def _clauses(before: Sequence[StipulationInput], after: Sequence[StipulationInput]) -> list[ClauseDifference]:
    partner_of = _pairs(before, after)
    taken = set(partner_of.values())
    found: list[ClauseDifference] = []
    passed = 0
    for place, clause in enumerate(after):
        partner = partner_of.get(place)
        if partner is not None and partner >= passed:
            found += [_removed(before[each]) for each in range(passed, partner) if each not in taken]
            passed = partner + 1
        found.append(_between(None if partner is None else before[partner], clause))
    return found + [_removed(before[each]) for each in range(passed, len(before)) if each not in taken]


def _pairs(before: Sequence[StipulationInput], after: Sequence[StipulationInput]) -> dict[int, int]:
    """Which place of `before` each place of `after` goes with: the same content first, then the same name."""
    pairs: dict[int, int] = {}
    for key_of in (_content, _name):
        free: dict[object, list[int]] = {}
        for place, clause in enumerate(before):
            if place not in pairs.values():
                free.setdefault(key_of(clause), []).append(place)
        for place, clause in enumerate(after):
            if place not in pairs and free.get(key_of(clause)):
                pairs[place] = free[key_of(clause)].pop(0)
    return pairs


def _content(clause: StipulationInput) -> StipulationInput:
    return clause


def _name(clause: StipulationInput) -> str:
    return clause.clause


def _removed(clause: StipulationInput) -> ClauseDifference:
    return ClauseDifference(Change.REMOVED, clause, clause)


def _between(before: StipulationInput | None, after: StipulationInput) -> ClauseDifference:
    if before is None:
        return ClauseDifference(Change.ADDED, after)
    fields = tuple(name for name in FIELDS if getattr(before, name) != getattr(after, name))
    return ClauseDifference(Change.CHANGED if fields else Change.UNCHANGED, after, before, fields)
