"""What the date brings: steps that features add, run once a day after midnight in Shanghai, or by command.

A step is safe to repeat for any day that has come, and leaves the same whatever ran before it. Who runs a
day is settled in its row: a worker claims it for a while, and another takes it up if that one dies.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Final

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from talentseal.clock import SHANGHAI, legal_date
from talentseal.db import Base, Database, Instant, is_sqlite
from talentseal.errors import Invalid

CLAIM: Final = timedelta(minutes=10)
"""How long a worker has for a day before another one takes it up."""

LOOK_EVERY: Final = 600.0
"""Seconds between two looks whether a day has come, at most."""

Work = Callable[[Session, date, datetime], int]
"""One step for a day: session, day, now; answers how much it found to do."""


@dataclass(frozen=True, slots=True)
class Part:
    """What a walk did of a day. next: from where it goes on, None at the end."""

    done: int
    next: str | None


@dataclass(frozen=True, slots=True)
class Walk:
    """A step over many rows in parts, each in a transaction of its own: neither memory nor anybody who waits
    to write has to hold them all.

    part: session, day, now, from where (empty at first). A day that breaks off is walked again from the
    start, and finds nothing more to do where it has been.
    """

    part: Callable[[Session, date, datetime, str], Part]


class DayAhead(Invalid):
    code = "day-ahead"
    zh = "{day} 尚未到来，不能办理当日事项。请选择今日或以前的日期。"
    en = "{day} is still to come, and nothing can be said of it; choose today or an earlier day."


class NightlyRun(Base):
    """One day's work, from its claim on."""

    __tablename__ = "nightly_run"

    day: Mapped[date] = mapped_column(primary_key=True)
    claimed_until: Mapped[datetime] = mapped_column(Instant)
    finished_at: Mapped[datetime | None] = mapped_column(Instant)
    """None while a worker is at it, or after it died."""


@dataclass(frozen=True, slots=True)
class Nightly:
    """The steps in their order, by name."""

    database: Database
    steps: Mapping[str, Work | Walk]

    def run(self, day: date, *, now: datetime) -> dict[str, int]:
        """Run every step for `day`, each in a transaction of its own or in several; what each found to do.

        Raises DayAhead.
        """
        if day > legal_date(now):
            raise DayAhead(day=day.isoformat())
        return {name: self._step(work, day, now) for name, work in self.steps.items()}

    def run_due(self, *, now: datetime) -> float:
        """Run today unless that is done or being done; seconds until the next look."""
        today = legal_date(now)
        if self.database.write(lambda session: _claim(session, today, now)):
            self.run(today, now=now)
            self.database.write(lambda session: _finish(session, today, now))
        midnight = datetime.combine(today + timedelta(days=1), time(), SHANGHAI)
        return min(LOOK_EVERY, (midnight - now).total_seconds())

    def _step(self, work: Work | Walk, day: date, now: datetime) -> int:
        if not isinstance(work, Walk):
            return self.database.write(lambda session: work(session, day, now))
        done, place, walk = 0, "", work.part
        while True:
            part = self.database.write(partial(_one_part, walk, day, now, place))
            done += part.done
            if part.next is None:
                return done
            place = part.next


def _one_part(
    walk: Callable[[Session, date, datetime, str], Part],
    day: date,
    now: datetime,
    place: str,
    session: Session,
) -> Part:
    return walk(session, day, now, place)


def _claim(session: Session, day: date, now: datetime) -> bool:
    """Whether the day is ours to run: of several that ask at once, one is told so."""
    insert = insert_sqlite if is_sqlite(session) else insert_postgresql
    claim = insert(NightlyRun).values(day=day, claimed_until=now + CLAIM)
    ours = claim.on_conflict_do_update(
        index_elements=["day"],
        set_={"claimed_until": claim.excluded.claimed_until},
        where=NightlyRun.finished_at.is_(None) & (NightlyRun.claimed_until <= now),
    ).returning(NightlyRun.day)
    return session.execute(ours).first() is not None


def _finish(session: Session, day: date, now: datetime) -> None:
    session.execute(update(NightlyRun).where(NightlyRun.day == day).values(finished_at=now))
