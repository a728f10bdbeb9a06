"""What the ledger says: redemptions and reversals themselves, summed by benefit and by who bears the subsidy.

Statements are made from it, and can be held against it at any time.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import BindParameter, ColumnElement, Select, bindparam, func, select
from sqlalchemy.orm import Session

from talentseal.benefits.models import BenefitVersion, Budget
from talentseal.db import Instant, rows
from talentseal.redemptions.models import Redemption, RedemptionState, Reversal


@dataclass(frozen=True, slots=True)
class Sums:
    """Units and fen of what was used and of what came back."""

    units: int = 0
    value_fen: int = 0
    subsidy_fen: int = 0
    reversed_units: int = 0
    reversed_value_fen: int = 0
    reversed_subsidy_fen: int = 0

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(
            self.units + other.units,
            self.value_fen + other.value_fen,
            self.subsidy_fen + other.subsidy_fen,
            self.reversed_units + other.reversed_units,
            self.reversed_value_fen + other.reversed_value_fen,
            self.reversed_subsidy_fen + other.reversed_subsidy_fen,
        )

    @property
    def subsidy_due_fen(self) -> int:
        """What whoever bears the subsidy owes after what came back."""
        return self.subsidy_fen - self.reversed_subsidy_fen


@dataclass(frozen=True, slots=True, order=True)
class Heading:
    """What is summed apart. payer: who bears the subsidy, empty where nobody does."""

    benefit: str
    payer: str


def total(sums: Iterable[Sums]) -> Sums:
    """All of them together."""
    whole = Sums()
    for each in sums:
        whole += each
    return whole


def _used(*conditions: ColumnElement[bool]) -> Select[str, str, int, int, int]:
    return (
        select(
            BenefitVersion.benefit_id,
            Budget.owner_id,
            func.sum(Redemption.quantity),
            func.sum(Redemption.value_fen),
            func.sum(Redemption.subsidy_fen),
        )
        .select_from(Redemption)
        .join(BenefitVersion, BenefitVersion.id == Redemption.version_id)
        .outerjoin(Budget, Budget.id == Redemption.budget_id)
        .where(*conditions)
        .group_by(BenefitVersion.benefit_id, Budget.owner_id)
    )


def _returned(*conditions: ColumnElement[bool]) -> Select[str, str, int, int, int]:
    return (
        select(
            BenefitVersion.benefit_id,
            Budget.owner_id,
            func.sum(Reversal.quantity),
            func.sum(Reversal.value_fen),
            func.sum(Reversal.subsidy_fen),
        )
        .select_from(Reversal)
        .join(Redemption, Redemption.id == Reversal.redemption_id)
        .join(BenefitVersion, BenefitVersion.id == Redemption.version_id)
        .outerjoin(Budget, Budget.id == Redemption.budget_id)
        .where(*conditions)
        .group_by(BenefitVersion.benefit_id, Budget.owner_id)
    )


_OF: Final[BindParameter[str]] = bindparam("settlement")
_USED_IN: Final = _used(Redemption.settlement_id == _OF)
_RETURNED_IN: Final = _returned(Reversal.settlement_id == _OF)

_BEFORE: Final = bindparam("before", type_=Instant())
_WHOSE: Final[BindParameter[str]] = bindparam("organisation")
RIPE: Final = (
    Redemption.completed_at.is_not(None),
    Redemption.settlement_id.is_(None),
    Redemption.state != RedemptionState.DISPUTED,
)
"""What a settlement may take in: not what is disputed, which waits for its decision."""

_USED_OPEN: Final = _used(Redemption.organisation_id == _WHOSE, *RIPE, Redemption.completed_at < _BEFORE)
_RETURNED_OPEN: Final = _returned(
    Reversal.organisation_id == _WHOSE,
    Reversal.settlement_id.is_(None),
    Redemption.state != RedemptionState.DISPUTED,
    Reversal.at < _BEFORE,
)


def of_settlement(session: Session, settlement: str) -> dict[Heading, Sums]:
    """What the acts that lie in a settlement come to."""
    return _together(
        rows(session, _USED_IN, settlement=settlement), rows(session, _RETURNED_IN, settlement=settlement)
    )


def unsettled(session: Session, organisation: str, *, before: datetime) -> dict[Heading, Sums]:
    """What lies in no settlement yet and was before that moment."""
    given = {"organisation": organisation, "before": before}
    return _together(rows(session, _USED_OPEN, **given), rows(session, _RETURNED_OPEN, **given))


def _together(used: Iterable[Any], returned: Iterable[Any]) -> dict[Heading, Sums]:
    found: dict[Heading, Sums] = {}
    for benefit, payer, *amounts in used:
        found[Heading(benefit, payer or "")] = Sums(*(int(each) for each in amounts))
    for benefit, payer, *amounts in returned:
        heading = Heading(benefit, payer or "")
        back = Sums(0, 0, 0, *(int(each) for each in amounts))
        found[heading] = found.get(heading, Sums()) + back
    return found


def _by_partner(what: type[Redemption] | type[Reversal]) -> Select[str, int, int, int]:
    sums = (func.sum(what.quantity), func.sum(what.value_fen), func.sum(what.subsidy_fen))
    return select(what.organisation_id, *sums).group_by(what.organisation_id)


_USED_BY_PARTNER: Final = _by_partner(Redemption).where(*RIPE)
_RETURNED_BY_PARTNER: Final = (
    _by_partner(Reversal)
    .join(Redemption, Redemption.id == Reversal.redemption_id)
    .where(Reversal.settlement_id.is_(None), Redemption.state != RedemptionState.DISPUTED)
)


def open_by_partner(session: Session, *, organisation: str = "") -> dict[str, Sums]:
    """What lies in no settlement yet, by partner; of one partner alone when it is named."""
    used, returned = _USED_BY_PARTNER, _RETURNED_BY_PARTNER
    if organisation:
        used = used.where(Redemption.organisation_id == organisation)
        returned = returned.where(Reversal.organisation_id == organisation)
    found = {partner: Sums(*map(int, amounts)) for partner, *amounts in session.execute(used)}
    for partner, *amounts in session.execute(returned):
        found[partner] = found.get(partner, Sums()) + Sums(0, 0, 0, *map(int, amounts))
    return found
