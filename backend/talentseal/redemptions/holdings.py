"""What redemptions hold of a person, told to him; what counts for settlements stays under a reference."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from talentseal.accounts.models import Organisation
from talentseal.benefits.models import Benefit, BenefitVersion
from talentseal.redemptions.models import (
    DeclinedProposal,
    Redemption,
    RedemptionRefusal,
    RedemptionState,
    Reversal,
)
from talentseal.talents.holdings import Holding, Told, instant
from talentseal.vault import Vault


def _redemptions(session: Session, _vault: Vault, talent_id: str) -> Told:
    query = (
        select(Redemption, BenefitVersion.title, Organisation.name)
        .join(BenefitVersion, BenefitVersion.id == Redemption.version_id)
        .join(Organisation, Organisation.id == Redemption.organisation_id)
        .where(Redemption.talent_id == talent_id)
        .order_by(Redemption.made_at, Redemption.id)
    )
    return [
        {
            "id": row.id,
            "state": row.state.value,
            "benefit": title,
            "organisation_name": name,
            "outlet": row.outlet_id,
            "tier": row.tier.value,
            "quantity": row.quantity,
            "value_fen": row.value_fen,
            "reversed_units": row.reversed_units,
            "at": instant(row.made_at),
            "record": row.record_id,
        }
        for row, title, name in session.execute(query)
    ]


def _refusals(session: Session, _vault: Vault, talent_id: str) -> Told:
    query = (
        select(RedemptionRefusal, Organisation.name)
        .join(Organisation, Organisation.id == RedemptionRefusal.organisation_id)
        .where(RedemptionRefusal.talent_id == talent_id)
        .order_by(RedemptionRefusal.at, RedemptionRefusal.id)
    )
    return [
        {"organisation_name": name, "refusal": row.refusal.value, "at": instant(row.at)}
        for row, name in session.execute(query)
    ]


def _declined(session: Session, _vault: Vault, talent_id: str) -> Told:
    query = (
        select(DeclinedProposal, Organisation.name)
        .join(Benefit, Benefit.id == DeclinedProposal.benefit_id)
        .join(Organisation, Organisation.id == Benefit.organisation_id)
        .where(DeclinedProposal.talent_id == talent_id)
        .order_by(DeclinedProposal.at, DeclinedProposal.benefit_id)
    )
    return [
        {"organisation_name": name, "benefit": row.benefit_id, "period": row.period, "at": instant(row.at)}
        for row, name in session.execute(query)
    ]


def _records(session: Session, talent_id: str) -> Sequence[str]:
    completed = select(Redemption.record_id).where(
        Redemption.talent_id == talent_id, Redemption.record_id.is_not(None)
    )
    undone = (
        select(Reversal.record_id)
        .join(Redemption, Redemption.id == Reversal.redemption_id)
        .where(Redemption.talent_id == talent_id)
    )
    return [str(each) for query in (completed, undone) for each in session.scalars(query)]


def _is_open(session: Session, talent_id: str, _now: datetime) -> bool:
    open_ = (RedemptionState.RESERVED, RedemptionState.DISPUTED)
    query = select(Redemption.id).where(Redemption.talent_id == talent_id, Redemption.state.in_(open_))
    return session.scalar(query.limit(1)) is not None


HOLDINGS: Final = (
    Holding("redemptions", _redemptions, _records, is_open=_is_open),
    Holding("redemption_refusals", _refusals),
    Holding("declined_proposals", _declined),
)
