"""What people have asked about their data and the office has to answer."""

from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from talentseal.accounts.roles import Actor, Permission
from talentseal.clock import legal_date
from talentseal.talents.privacy_models import TalentCorrection, TalentErasure, WishState
from talentseal.talents.privacy_schemas import WishList, WishRow


def waiting(session: Session, actor: Actor, *, now: datetime) -> WishList:
    """Wishes that await an answer, the most urgent first; nothing of who asks. Raises NotPermitted."""
    actor.require(Permission.WISH_DECIDE)
    day = legal_date(now)
    corrections = select(TalentCorrection).where(TalentCorrection.state == WishState.ASKED)
    erasures = select(TalentErasure).where(TalentErasure.state == WishState.ASKED)
    return WishList(
        corrections=[
            _row(row, day)
            for row in session.scalars(
                corrections.order_by(TalentCorrection.due_on, TalentCorrection.asked_at)
            )
        ],
        erasures=[
            _row(row, day)
            for row in session.scalars(erasures.order_by(TalentErasure.due_on, TalentErasure.asked_at))
        ],
    )


def _row(row: TalentCorrection | TalentErasure, day: date) -> WishRow:
    return WishRow(
        id=row.id,
        state=row.state,
        group=row.group if isinstance(row, TalentCorrection) else None,
        asked_at=row.asked_at,
        due_on=row.due_on,
        overdue=row.due_on < day,
    )
