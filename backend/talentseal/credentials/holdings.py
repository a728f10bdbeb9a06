"""What codes and cards hold of a person, told to him and destroyed when he leaves (`talents.holdings`)."""

from datetime import datetime
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from talentseal.accounts.models import Organisation
from talentseal.credentials import cards
from talentseal.credentials.card_models import CardStep, TalentCard
from talentseal.credentials.models import Device, Presentation
from talentseal.talents.holdings import Holding, Told, codes_of, instant, unsealed
from talentseal.vault import Vault


def _devices(session: Session, _vault: Vault, talent_id: str) -> Told:
    rows = session.scalars(select(Device).where(Device.talent_id == talent_id).order_by(Device.bound_at))
    return [
        {"name": row.name, "bound_at": instant(row.bound_at), "revoked_at": instant(row.revoked_at)}
        for row in rows
    ]


def _destroy_devices(session: Session, _vault: Vault, talent_id: str, now: datetime) -> int:
    """A name tells little and is no sealed content; the browser can show nothing any more."""
    live = (Device.talent_id == talent_id) & Device.revoked_at.is_(None)
    session.execute(update(Device).where(live).values(revoked_at=now, current=None))
    session.execute(update(Device).where(Device.talent_id == talent_id).values(name=""))
    return 0


def _presentations(session: Session, _vault: Vault, talent_id: str) -> Told:
    query = (
        select(Presentation, Organisation.name)
        .outerjoin(Organisation, Organisation.id == Presentation.organisation_id)
        .where(Presentation.code_id.in_(codes_of(talent_id)))
    )
    return [
        {
            "organisation": name or "",
            "outlet": row.outlet_id,
            "channel": row.channel.value,
            "at": instant(row.presented_at),
            "tier_shown": row.tier.value,
        }
        for row, name in session.execute(query.order_by(Presentation.presented_at))
    ]


def _cards(session: Session, vault: Vault, talent_id: str) -> Told:
    query = (
        select(TalentCard, Organisation.name)
        .join(Organisation, Organisation.id == TalentCard.organisation_id)
        .where(TalentCard.code_id.in_(codes_of(talent_id)))
    )
    return [
        {
            "id": row.id,
            "issuer": name,
            "state": row.state.value,
            "number": str(number) if (number := cards.number_of(row)) else None,
            "requested_at": instant(row.requested_at),
            "valid_through": row.valid_through.isoformat() if row.valid_through else None,
            "delivery": row.delivery.value if row.delivery else None,
            "steps": [_step(vault, row, step) for step in _steps_of(session, row.id)],
        }
        for row, name in session.execute(query.order_by(TalentCard.requested_at))
    ]


def _destroy_cards(session: Session, _vault: Vault, talent_id: str, _now: datetime) -> int:
    mine = TalentCard.code_id.in_(codes_of(talent_id))
    rows = session.scalars(select(TalentCard).where(mine)).all()
    destroyed = sum(row.sealed_secret is not None for row in rows)
    for row in rows:
        row.sealed_secret = row.reference = row.mail_reference = None
    session.flush()
    return destroyed + unsealed(session, CardStep, CardStep.card_id.in_([row.id for row in rows]))


def _steps_of(session: Session, card_id: str) -> list[CardStep]:
    query = select(CardStep).where(CardStep.card_id == card_id)
    return list(session.scalars(query.order_by(CardStep.number)))


def _step(vault: Vault, card: TalentCard, step: CardStep) -> dict[str, str | None]:
    said = vault.open(cards.reason_place(card.id), step.sealed).decode() if step.sealed else None
    return {"state": step.state.value, "at": instant(step.at), "said": said}


HOLDINGS: Final = (
    Holding("devices", _devices, destroy=_destroy_devices),
    Holding("presentations", _presentations),
    Holding("cards", _cards, destroy=_destroy_cards),
)
"""Presentations stay: they hang on a code that leads to nobody any more, and settlements stand on them."""
