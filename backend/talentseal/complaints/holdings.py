"""What complaints and marks hold of a person, told to him and destroyed when he leaves (`talents.holdings`).

While a complaint is under way he cannot be forgotten: the organisation and the office still owe him.
"""

from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from talentseal.complaints import ratings, service
from talentseal.complaints.models import Complaint, ComplaintStep, Rating
from talentseal.complaints.states import OVER
from talentseal.talents.holdings import Holding, Told, instant, unsealed
from talentseal.vault import Vault


def _complaints(session: Session, vault: Vault, talent_id: str) -> Told:
    query = select(Complaint).where(Complaint.talent_id == talent_id).order_by(Complaint.filed_at)
    return [
        {
            "id": row.id,
            "organisation": row.organisation_id,
            "kind": row.kind.value,
            "state": row.state.value,
            "redemption": row.redemption_id,
            "filed_at": instant(row.filed_at),
            "answer_due": instant(row.answer_due),
            "upheld": row.upheld,
            "steps": [
                {"act": step.act.value, "at": instant(step.at), "said": service.said_in(vault, step)}
                for step in service.steps_of(session, row.id)
            ],
        }
        for row in session.scalars(query).all()
    ]


def _records(session: Session, talent_id: str) -> list[str]:
    query = select(Complaint.refusal_record_id).where(
        Complaint.talent_id == talent_id, Complaint.refusal_record_id.is_not(None)
    )
    return [number for number in session.scalars(query) if number is not None]


def _destroy_complaints(session: Session, _vault: Vault, talent_id: str, _now: datetime) -> int:
    mine = select(Complaint.id).where(Complaint.talent_id == talent_id)
    return unsealed(session, ComplaintStep, ComplaintStep.complaint_id.in_(mine))


def _is_open(session: Session, talent_id: str, _now: datetime) -> bool:
    query = select(Complaint.id).where(Complaint.talent_id == talent_id, Complaint.state.not_in(OVER))
    return session.scalar(query.limit(1)) is not None


def _ratings(session: Session, vault: Vault, talent_id: str) -> Told:
    query = select(Rating).where(Rating.talent_id == talent_id).order_by(Rating.rated_at)
    return [
        {
            "organisation": row.organisation_id,
            "redemption": row.redemption_id,
            "complaint": row.complaint_id,
            "stars": row.stars,
            "text": ratings.words_of(vault, row),
            "rated_at": instant(row.rated_at),
            "changed_at": instant(row.changed_at),
        }
        for row in session.scalars(query)
    ]


def _destroy_ratings(session: Session, _vault: Vault, talent_id: str, _now: datetime) -> int:
    return unsealed(session, Rating, Rating.talent_id == talent_id)


HOLDINGS: Final = (
    Holding("complaints", _complaints, records=_records, destroy=_destroy_complaints, is_open=_is_open),
    Holding("ratings", _ratings, destroy=_destroy_ratings),
)
