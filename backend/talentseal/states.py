"""Tables of transitions: which state of a thing may follow which, and one refusal for all others."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from talentseal.errors import Conflict

S = TypeVar("S", bound=StrEnum)


class TransitionRefused(Conflict):
    code = "transition-refused"
    zh = "当前状态为 {before}，不能变更为 {after}。请刷新后按现状重新办理。"
    en = "The state is {before}, which {after} does not follow; reload and decide again."


@dataclass(frozen=True, slots=True)
class Transitions(Generic[S]):
    """What may follow each state. table: every state there is; the final ones with nothing after them."""

    table: Mapping[S, AbstractSet[S]]

    def __post_init__(self) -> None:
        states = set(type(next(iter(self.table))))
        if self.table.keys() != states:
            raise ValueError("expected a line for each state")

    def allows(self, before: S, after: S) -> bool:
        return after in self.table[before]

    def require(self, before: S, after: S) -> None:
        """Raises TransitionRefused unless `after` may follow `before`."""
        if not self.allows(before, after):
            raise TransitionRefused(before=before.value, after=after.value)
