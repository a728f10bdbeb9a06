"""The working-day calendar: importing the State Council's holiday notices, and counting by them.

A notice is imported whole. A later one for the same year takes its place and leaves it where it is.
"""

import secrets
import tomllib
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from itertools import groupby
from pathlib import Path
from typing import Final

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from talentseal.accounts.roles import Actor, Permission
from talentseal.clock import legal_date
from talentseal.errors import Conflict, Invalid
from talentseal.policy.calendar_schemas import (
    CalendarView,
    HolidayView,
    ImportNotice,
    NoticeView,
    YearView,
)
from talentseal.policy.models import HolidayDay, HolidayNotice
from talentseal.policy.service import IssuedAhead
from talentseal.policy.working_days import Calendar, DayKind, Deadline, missing_years
from talentseal.web.problems import FieldProblem, field_problems

SHIPPED: Final = tuple(sorted(Path(__file__).parent.glob("holidays-*.toml")))
"""The notices that come with the release, oldest first."""

EXAMPLE: Final = SHIPPED[-1].read_text("utf-8").partition("\n\n")[2]
"""How a notice is written down: the newest one, without the words above it."""

LONGEST_FILE: Final = 64 * 1024
"""Bytes; a year's notice takes one or two thousand."""


class NoticeFileRefused(Invalid):
    """`findings`: what is wrong, each at its place."""

    code = "holiday-notice-refused"
    zh = "放假安排文件有 {count} 处不符合要求，没有录入。请按所列逐处更正后重新录入。"
    en = "The file of the holiday notice has {count} faults and was not imported; correct them and try again."

    def __init__(self, findings: Sequence[FieldProblem]) -> None:
        super().__init__(count=len(findings))
        self.findings = tuple(findings)


class NoticeOlder(Conflict):
    code = "holiday-notice-older"
    zh = "{year} 年已录入 {issued_on} 印发的安排，不能由更早印发的取代。请核对印发日期。"
    en = "{year} has a notice issued on {issued_on}, which an older one cannot replace; check that date."


class NoticeAtOnce(Conflict):
    code = "holiday-notice-at-once"
    zh = "另有人刚录入了 {year} 年的安排。请刷新核对后再办。"
    en = "Someone else has just imported a notice for {year}; reload, look, and decide again."


def read_notice(content: bytes) -> ImportNotice:
    """A notice as its TOML file has it. Raises NoticeFileRefused, which names every place at fault."""
    if len(content) > LONGEST_FILE:
        raise NoticeFileRefused([_unreadable(f"over {LONGEST_FILE} bytes")])
    try:
        return ImportNotice.model_validate(tomllib.loads(content.decode("utf-8")))
    except ValidationError as error:
        raise NoticeFileRefused(field_problems(error.errors())) from None
    except tomllib.TOMLDecodeError as error:
        raise NoticeFileRefused([_unreadable(str(error))]) from None
    except ValueError as error:
        raise NoticeFileRefused([_unreadable(type(error).__name__)]) from None


def _unreadable(reason: str) -> FieldProblem:
    zh = f"不是可以读取的 TOML 文件（{reason}）。"
    return FieldProblem(
        path="TOML", code="toml_invalid", zh=zh, en=f"No TOML file that can be read ({reason})"
    )


def import_notice(
    session: Session, actor: Actor, command: ImportNotice, *, now: datetime
) -> tuple[HolidayNotice, bool]:
    """Let a notice count for its year; the one that counts already changes nothing.

    Answers whether it is new. Raises NotPermitted, IssuedAhead, NoticeOlder, NoticeAtOnce.
    """
    actor.require(Permission.CALENDAR_IMPORT)
    if command.issued_on > legal_date(now):
        raise IssuedAhead(issued_on=command.issued_on.isoformat())
    ordered = select(HolidayNotice).where(HolidayNotice.year == command.year)
    newest = session.scalars(ordered.order_by(HolidayNotice.number.desc()).limit(1)).first()
    if newest is not None and newest.text_sha256 == command.text_sha256():
        return newest, False
    if newest is not None and command.issued_on < newest.issued_on:
        raise NoticeOlder(year=command.year, issued_on=newest.issued_on.isoformat())
    return _insert(session, actor, command, newest.number + 1 if newest else 1, now), True


def _insert(
    session: Session, actor: Actor, command: ImportNotice, number: int, now: datetime
) -> HolidayNotice:
    notice = HolidayNotice(
        id=secrets.token_hex(16),
        number=number,
        text_sha256=command.text_sha256(),
        imported_by=actor.account_id,
        imported_at=now,
        **command.model_dump(exclude={"holidays"}),
    )
    try:
        with session.begin_nested():
            session.add(notice)
    except IntegrityError:
        raise NoticeAtOnce(year=command.year) from None
    for holiday in command.holidays:
        named = {DayKind.OFF: holiday.days_off(), DayKind.WORKED: holiday.worked}
        session.add_all(
            HolidayDay(notice_id=notice.id, day=day, kind=kind, holiday=holiday.name)
            for kind, days in named.items()
            for day in days
        )
    session.flush()
    return notice


def imported(session: Session) -> Calendar:
    """What the notices that count say. Read it once where many days are to be counted."""
    notices = session.scalars(select(HolidayNotice).order_by(HolidayNotice.year, HolidayNotice.number))
    counting = {notice.year: notice.id for notice in notices}
    query = (
        select(HolidayDay.day, HolidayDay.kind)
        .join(HolidayNotice)
        .where(HolidayNotice.id.in_(counting.values()))
    )
    # A day in December that two years' notices name is as the later year's has it, which came after it.
    rows = session.execute(query.order_by(HolidayNotice.year))
    return Calendar({each.day: each.kind for each in rows}, frozenset(counting))


def is_working_day(session: Session, day: date) -> bool:
    """Whether `day` is worked, as far as the notices tell; else by weekends."""
    return imported(session).is_working_day(day)


def working_days_after(session: Session, day: date, count: int) -> Deadline:
    """The `count`-th working day after `day`, which is not counted itself (Civil Code, Art. 201)."""
    return imported(session).working_days_after(day, count)


def years_missing(session: Session, *, now: datetime) -> list[int]:
    """The years whose notice should have been imported by now and has not."""
    return missing_years(set(session.scalars(select(HolidayNotice.year))), legal_date(now))


def overview(session: Session, *, now: datetime) -> CalendarView:
    """Every notice there is, and the years that lack one."""
    days: dict[str, list[HolidayDay]] = {}
    for each in session.scalars(select(HolidayDay).order_by(HolidayDay.day)):
        days.setdefault(each.notice_id, []).append(each)
    rows = session.scalars(
        select(HolidayNotice).order_by(HolidayNotice.year.desc(), HolidayNotice.number.desc())
    )
    views = [_notice(row, days[row.id]) for row in rows]
    years = [
        YearView(year=year, counts=notices[0], earlier=notices[1:])
        for year, group in groupby(views, lambda view: view.year)
        if (notices := list(group))
    ]
    missing = missing_years({each.year for each in years}, legal_date(now))
    return CalendarView(day=legal_date(now), years=years, missing=missing)


def _notice(row: HolidayNotice, days: Iterable[HolidayDay]) -> NoticeView:
    named: dict[str, dict[DayKind, list[date]]] = {}
    for each in days:
        named.setdefault(each.holiday, {kind: [] for kind in DayKind})[each.kind].append(each.day)
    holidays = [
        HolidayView(name=name, first=of[DayKind.OFF][0], last=of[DayKind.OFF][-1], worked=of[DayKind.WORKED])
        for name, of in named.items()
    ]
    return NoticeView(
        year=row.year,
        version=row.number,
        document_number=row.document_number,
        issued_on=row.issued_on,
        source=row.source,
        imported_at=row.imported_at,
        holidays=sorted(holidays, key=lambda holiday: holiday.first),
    )
