"""How far a record has come: RECORDED → SEALED → ANCHORED → FINAL, derived, never stored twice."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from talentseal.db import rows
from talentseal.evidence.models import CheckpointRow, EvidenceRecord, LogProgress, SealerCondition


class RecordState(StrEnum):
    RECORDED = "RECORDED"
    SEALED = "SEALED"
    ANCHORED = "ANCHORED"
    FINAL = "FINAL"


@dataclass(frozen=True, slots=True)
class LogSizes:
    """How many entries lie under a signed, an anchored and a final head."""

    signed_size: int
    anchored_size: int
    final_size: int

    def state_at(self, log_index: int | None) -> RecordState:
        """The state of the record with that index; None is a record not yet numbered."""
        if log_index is None or log_index >= self.signed_size:
            return RecordState.RECORDED
        if log_index < self.final_size:
            return RecordState.FINAL
        return RecordState.ANCHORED if log_index < self.anchored_size else RecordState.SEALED


@dataclass(frozen=True, slots=True)
class LogStatus(LogSizes):
    """The log at one moment. oldest_pending: when the oldest unsealed record was made."""

    pending: int
    oldest_pending: datetime | None
    signed_at: datetime | None
    oldest_unanchored: datetime | None
    sealer: SealerCondition
    sealer_reason: str


_SIZES: Final = select(
    select(func.max(CheckpointRow.size)).scalar_subquery(),
    select(LogProgress.anchored_size).where(LogProgress.id == 1).scalar_subquery(),
    select(LogProgress.final_size).where(LogProgress.id == 1).scalar_subquery(),
)


def log_sizes(session: Session) -> LogSizes:
    """Read how far the log has come, in one query."""
    (sizes,) = rows(session, _SIZES)
    return LogSizes(*(size or 0 for size in sizes))


def log_status(session: Session) -> LogStatus:
    """Read where the log stands."""
    progress = session.get(LogProgress, 1) or LogProgress(
        anchored_size=0, final_size=0, sealer=SealerCondition.RUNNING, sealer_reason=""
    )
    newest = session.scalars(select(CheckpointRow).order_by(CheckpointRow.size.desc()).limit(1)).one_or_none()
    unnumbered = session.execute(
        select(func.count(), func.min(EvidenceRecord.recorded_at)).where(EvidenceRecord.log_index.is_(None))
    ).one()
    return LogStatus(
        pending=unnumbered[0],
        oldest_pending=unnumbered[1],
        signed_size=newest.size if newest else 0,
        signed_at=newest.signed_at if newest else None,
        anchored_size=progress.anchored_size,
        final_size=progress.final_size,
        oldest_unanchored=session.scalar(
            select(EvidenceRecord.recorded_at).where(EvidenceRecord.log_index == progress.anchored_size)
        ),
        sealer=SealerCondition(progress.sealer),
        sealer_reason=progress.sealer_reason,
    )


def state_of(session: Session, row: EvidenceRecord) -> RecordState:
    """The one state in which a record is shown."""
    return log_sizes(session).state_at(row.log_index)
