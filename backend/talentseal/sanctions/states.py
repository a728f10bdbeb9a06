"""States of rules, cases and terminations, and what may follow what (domain specification §1.2)."""

from enum import StrEnum
from typing import Final

from talentseal.states import Transitions


class RuleState(StrEnum):
    """Where a version of a rule stands."""

    DRAFT = "DRAFT"
    PARTLY_APPROVED = "PARTLY_APPROVED"
    APPROVED = "APPROVED"
    IN_FORCE = "IN_FORCE"
    SUPERSEDED = "SUPERSEDED"
    REFUSED = "REFUSED"


RULE: Final = Transitions(
    {
        RuleState.DRAFT: frozenset({RuleState.PARTLY_APPROVED, RuleState.REFUSED}),
        RuleState.PARTLY_APPROVED: frozenset(
            {RuleState.PARTLY_APPROVED, RuleState.APPROVED, RuleState.REFUSED}
        ),
        RuleState.APPROVED: frozenset({RuleState.IN_FORCE}),
        RuleState.IN_FORCE: frozenset({RuleState.SUPERSEDED}),
        RuleState.SUPERSEDED: frozenset(),
        RuleState.REFUSED: frozenset(),
    }
)
"""The last two steps are the clock's."""


class CaseState(StrEnum):
    """Where a suspension case stands. PROVISIONAL: suspended at once, for 72 hours at most, and heard."""

    DETECTED = "DETECTED"
    PROVISIONAL = "PROVISIONAL"
    NOTIFIED = "NOTIFIED"
    STATEMENT_OPEN = "STATEMENT_OPEN"
    SUSPENDED = "SUSPENDED"
    DISMISSED = "DISMISSED"
    APPEALED = "APPEALED"
    UPHELD = "UPHELD"
    LIFTED = "LIFTED"
    REFERRED_FOR_TERMINATION = "REFERRED_FOR_TERMINATION"


_C = CaseState
CASE: Final = Transitions(
    {
        _C.DETECTED: frozenset({_C.NOTIFIED, _C.PROVISIONAL}),
        _C.PROVISIONAL: frozenset({_C.STATEMENT_OPEN, _C.SUSPENDED, _C.DISMISSED}),
        _C.NOTIFIED: frozenset({_C.STATEMENT_OPEN, _C.DISMISSED}),
        _C.STATEMENT_OPEN: frozenset({_C.SUSPENDED, _C.DISMISSED}),
        _C.SUSPENDED: frozenset({_C.APPEALED, _C.LIFTED, _C.REFERRED_FOR_TERMINATION}),
        _C.DISMISSED: frozenset(),
        _C.APPEALED: frozenset({_C.UPHELD, _C.LIFTED}),
        _C.UPHELD: frozenset({_C.LIFTED, _C.REFERRED_FOR_TERMINATION}),
        _C.LIFTED: frozenset(),
        _C.REFERRED_FOR_TERMINATION: frozenset({_C.LIFTED}),
    }
)
"""Whatever is suspended ends by the clock, an appeal under way and a referral included."""

UNDECIDED: Final = frozenset({_C.DETECTED, _C.PROVISIONAL, _C.NOTIFIED, _C.STATEMENT_OPEN})
RESTING: Final = frozenset({_C.SUSPENDED, _C.APPEALED, _C.UPHELD, _C.REFERRED_FOR_TERMINATION})
"""A person has decided that something rests."""


class TerminationState(StrEnum):
    """Where a termination stands."""

    PROPOSED = "PROPOSED"
    NOTIFIED = "NOTIFIED"
    STATEMENT_OPEN = "STATEMENT_OPEN"
    DECIDED = "DECIDED"
    DISMISSED = "DISMISSED"
    APPEALED = "APPEALED"
    UPHELD = "UPHELD"
    ANNULLED = "ANNULLED"


_T = TerminationState
TERMINATION: Final = Transitions(
    {
        _T.PROPOSED: frozenset({_T.NOTIFIED, _T.DISMISSED}),
        _T.NOTIFIED: frozenset({_T.STATEMENT_OPEN, _T.DISMISSED}),
        _T.STATEMENT_OPEN: frozenset({_T.DECIDED, _T.DISMISSED}),
        _T.DECIDED: frozenset({_T.APPEALED}),
        _T.DISMISSED: frozenset(),
        _T.APPEALED: frozenset({_T.UPHELD, _T.ANNULLED}),
        _T.UPHELD: frozenset(),
        _T.ANNULLED: frozenset(),
    }
)
"""DISMISSED: the office found that the ground is not met, which the specification's table leaves out."""


class Ground(StrEnum):
    """Why a code is terminated (Article 14; the last one Article 13)."""

    LEFT_AREA = "LEFT_AREA"
    FALSE_MATERIALS = "FALSE_MATERIALS"
    SERIOUS_MISCONDUCT = "SERIOUS_MISCONDUCT"
    OTHER_UNSUITABLE = "OTHER_UNSUITABLE"
    PERSONAL_USE_BREACH = "PERSONAL_USE_BREACH"

    @property
    def article(self) -> int:
        return 13 if self is Ground.PERSONAL_USE_BREACH else 14
