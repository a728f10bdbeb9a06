"""How far a record has come: RECORDED → SEALED → ANCHORED → FINAL, derived, never stored twice."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from talentseal.db import only_row, rows
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


_PROGRESS: Final = select(
    LogProgress.anchored_size, LogProgress.final_size, LogProgress.sealer, LogProgress.sealer_reason
).where(LogProgress.id == 1)
_NEWEST: Final = (
    select(CheckpointRow.size, CheckpointRow.signed_at).order_by(CheckpointRow.size.desc()).limit(1)
)
_UNNUMBERED: Final = select(func.count(), func.min(EvidenceRecord.recorded_at)).where(
    EvidenceRecord.log_index.is_(None)
)
_RECORDED_AT: Final = select(EvidenceRecord.recorded_at).where(EvidenceRecord.log_index == bindparam("index"))


def log_status(session: Session) -> LogStatus:
    """Read where the log stands."""
    progress = only_row(session, _PROGRESS)
    newest = only_row(session, _NEWEST)
    anchored = progress.anchored_size if progress else 0
    unanchored = only_row(session, _RECORDED_AT, index=anchored)
    ((pending, oldest_pending),) = rows(session, _UNNUMBERED)
    return LogStatus(
        pending=pending,
        oldest_pending=oldest_pending,
        signed_size=newest.size if newest else 0,
        signed_at=newest.signed_at if newest else None,
        anchored_size=anchored,
        final_size=progress.final_size if progress else 0,
        oldest_unanchored=unanchored.recorded_at if unanchored else None,
        sealer=progress.sealer if progress else SealerCondition.RUNNING,
        sealer_reason=progress.sealer_reason if progress else "",
    )


def state_of(session: Session, row: EvidenceRecord) -> RecordState:
    """The one state in which a record is shown."""
    return log_sizes(session).state_at(row.log_index)
