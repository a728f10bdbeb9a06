"""JSON API of the working-day calendar: reading and counting for everyone, importing for the offices."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel
from sqlalchemy.orm import Session
from starlette.responses import Response

from talentseal.accounts.access import Db, Now
from talentseal.accounts.calls import Call
from talentseal.policy import calendar
from talentseal.policy.calendar_schemas import CalendarView, DeadlineView, ImportNotice
from talentseal.policy.schemas import Day

api = APIRouter(tags=["calendar"], prefix="/calendar")


class NoticeReceipt(BaseModel):
    """Which notice counts for the year now. new: false when it did before."""

    year: int
    version: int
    new: bool


@api.get("")
def get_calendar(database: Db, now: Now) -> CalendarView:
    """Every year's holiday notice, those that were replaced as well, and which years lack one."""
    return database.read(lambda session: calendar.overview(session, now=now))


@api.get("/deadline")
def get_deadline(
    database: Db,
    after: Annotated[Day, Query(description="Day from which the term runs; not counted itself")],
    working_days: Annotated[int, Query(ge=1, le=366)],
) -> DeadlineView:
    """The last day of a term of working days, and from when on it had to be assumed."""
    met = database.read(lambda session: calendar.working_days_after(session, after, working_days))
    return DeadlineView(after=after, working_days=working_days, day=met.day, assumed_from=met.assumed_from)


@api.post("/notices", response_model=NoticeReceipt)
def import_notice(command: ImportNotice, call: Call) -> Response:
    """Import a year's holiday notice (talent office, operator); the one that counts changes nothing."""

    def work(session: Session) -> NoticeReceipt:
        row, new = calendar.import_notice(session, call.actor, command, now=call.now)
        return NoticeReceipt(year=row.year, version=row.number, new=new)

    return call.perform("POST holiday notice", command.model_dump(mode="json"), work, status=200)
