"""Holiday notices: imported whole or not at all, every fault at its place, replaced and never altered."""

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from talentseal.accounts.roles import PERMISSIONS, Actor, Permission, Role
from talentseal.errors import NotPermitted
from talentseal.policy import calendar
from talentseal.policy.calendar_schemas import CalendarView, ImportNotice
from talentseal.policy.models import HolidayDay, HolidayNotice
from talentseal.policy.service import IssuedAhead
from talentseal.policy.working_days import Deadline
from tests.api.conftest import Api
from tests.policy.conftest import actor_of
from tests.world import World

PAGE = {"Accept": "text/html"}


def notice(**changes: Any) -> dict[str, Any]:
    """An invented notice for 2026 as JSON: one holiday, Thursday to Sunday, and a Saturday worked for it."""
    holiday = {"name": "虚构节", "first": "2026-12-10", "last": "2026-12-13", "worked": ["2026-12-05"]}
    return {
        "year": 2026,
        "document_number": "虚构〔2025〕1号",
        "issued_on": "2025-11-04",
        "source": "",
        "holidays": [holiday],
        **changes,
    }


def imports(world: World, by: Actor | None = None, **changes: Any) -> tuple[HolidayNotice, bool]:
    command, now = ImportNotice.model_validate(notice(**changes)), world.clock.now()
    actor = by or actor_of(Role.TALENT_OFFICE)
    return world.database.write(lambda session: calendar.import_notice(session, actor, command, now=now))


def shown(world: World) -> CalendarView:
    now = world.clock.now()
    return world.database.read(lambda session: calendar.overview(session, now=now))


def counted(world: World, day: date, count: int) -> Deadline:
    return world.database.read(lambda session: calendar.working_days_after(session, day, count))


def rows_of(world: World) -> tuple[int, int]:
    """How many notices and days there are."""

    def read(session: Session) -> tuple[int, int]:
        notices, days = (
            session.scalars(select(func.count()).select_from(table)).one()
            for table in (HolidayNotice, HolidayDay)
        )
        return notices, days

    return world.database.read(read)


def test_a_notice_counts_from_its_import_on(world: World) -> None:
    day = date(2026, 12, 4)
    before = counted(world, day, 1)

    imports(world)

    assert before == Deadline(date(2026, 12, 7), date(2026, 12, 5))
    assert [counted(world, day, each).day.day for each in (1, 2, 4, 5)] == [5, 7, 9, 14]
    is_worked = world.database.read(
        lambda session: [calendar.is_working_day(session, date(2026, 12, each)) for each in (5, 6, 10, 14)]
    )
    assert is_worked == [True, False, False, True]


def test_the_same_notice_once_more_changes_nothing(world: World) -> None:
    first, new = imports(world)
    before = rows_of(world)

    second, again = imports(world)

    assert (new, again, second.id) == (True, False, first.id)
    assert rows_of(world) == before == (1, 5)


def test_a_later_notice_takes_the_years_place_and_the_earlier_one_stays(world: World) -> None:
    imports(world)
    moved = {"name": "虚构节", "first": "2026-12-17", "last": "2026-12-17"}

    imports(world, document_number="虚构〔2026〕2号", issued_on="2026-03-22", holidays=[moved])

    year = shown(world).years[0]
    assert (year.counts.version, year.counts.document_number) == (2, "虚构〔2026〕2号")
    assert [(each.version, each.holidays[0].worked) for each in year.earlier] == [(1, [date(2026, 12, 5)])]
    assert counted(world, date(2026, 12, 9), 1).day == date(2026, 12, 10)
    assert counted(world, date(2026, 12, 16), 1).day == date(2026, 12, 18)


def test_an_earlier_notice_comes_back_only_under_a_date_that_is_not_older(world: World) -> None:
    imports(world)
    imports(world, issued_on="2026-03-22")
    before = rows_of(world)

    with pytest.raises(calendar.NoticeOlder):
        imports(world)
    assert rows_of(world) == before
    assert imports(world, issued_on="2026-03-22", document_number="虚构〔2026〕3号")[1]


def test_a_notice_is_issued_before_it_is_imported(world: World) -> None:
    with pytest.raises(IssuedAhead):
        imports(world, issued_on="2026-11-24")
    assert rows_of(world) == (0, 0)


def test_december_is_as_next_years_notice_has_it(world: World) -> None:
    """As in 2018, when the notice for 2019 had 29 December worked and 31 December off."""
    new_year = {"name": "元旦", "first": "2026-12-30", "last": "2027-01-01", "worked": ["2026-12-26"]}
    imports(world, holidays=[{"name": "虚构节", "first": "2026-12-25", "last": "2026-12-26"}])

    imports(world, year=2027, document_number="虚构〔2026〕9号", holidays=[new_year])

    assert [counted(world, date(2026, 12, 24), each).day.isoformat() for each in (1, 2, 4)] == [
        "2026-12-26",
        "2026-12-28",
        "2027-01-04",
    ]


@pytest.mark.parametrize("role", Role)
def test_a_notice_is_imported_by_those_who_may(world: World, role: Role) -> None:
    actor = Actor("somebody", "0x" + "1" * 64, role, frozenset(Permission))

    if Permission.CALENDAR_IMPORT in PERMISSIONS[role]:
        assert role in {Role.OPERATOR, Role.TALENT_OFFICE}
        assert imports(world, actor)[1]
        return
    with pytest.raises(NotPermitted):
        imports(world, actor)
    assert rows_of(world) == (0, 0)


def test_of_two_that_come_at_once_one_is_told_so(world: World) -> None:
    """The second reads before the first has written, and meets its number at the constraint."""
    imports(world)
    row = shown(world).years[0].counts

    def write(session: Session) -> None:
        command = ImportNotice.model_validate(notice(document_number="虚构〔2025〕2号"))
        calendar._insert(session, actor_of(Role.OPERATOR), command, row.version, world.clock.now())

    with pytest.raises(calendar.NoticeAtOnce):
        world.database.write(write)
    assert rows_of(world) == (1, 5)


@pytest.mark.parametrize("table", [HolidayNotice, HolidayDay])
def test_the_database_refuses_to_alter_what_was_imported(
    world: World, table: type[HolidayNotice | HolidayDay]
) -> None:
    imports(world)
    values = {"source": "https://example.invalid/"} if table is HolidayNotice else {"holiday": "改"}

    with pytest.raises((DBAPIError, IntegrityError), match="append-only"):
        world.database.write(lambda session: session.execute(update(table).values(**values)))


FILE = """
year = 2026
document_number = "虚构〔2025〕1号"
issued_on = 2025-11-04
"""
ROW = '[[holidays]]\nname = "{}"\nfirst = {}\nlast = {}\nworked = [{}]\n'


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        (
            [("甲", '"2026-02-30"', "2026-03-01", ""), ("乙", "2026-03-02", "2026-03-02", "")],
            [("holidays.0.first", "date_from_datetime_parsing")],
        ),
        ([("甲", "2026-03-02", "2026-03-01", "")], [("holidays.0.last", "dates_reversed")]),
        ([("甲", "2025-11-30", "2025-12-01", "")], [("holidays.0.first", "day_outside_year")]),
        ([("甲", "2026-12-31", "2027-01-01", "")], [("holidays.0.first", "day_outside_year")]),
        ([("甲", "2026-03-02", "2026-03-02", "2027-03-06")], [("holidays.0.worked.0", "day_outside_year")]),
        ([("甲", "2026-03-02", "2026-03-02", "2026-03-04")], [("holidays.0.worked.0", "weekday_worked")]),
        ([("甲", "2026-03-02", "2026-03-08", "2026-03-07")], [("holidays.0.worked.0", "day_repeated")]),
        ([("甲", "2026-03-02", "2026-04-02", "")], [("holidays.0.last", "holiday_too_long")]),
        (
            [
                ("甲", "2026-03-02", "2026-03-03", "2026-03-07, 2026-03-07"),
                ("甲", "2026-03-03", "2026-03-04", ""),
                ("乙", "2026-05-02", "2026-05-01", ""),
            ],
            [
                ("holidays.0.worked.1", "day_repeated"),
                ("holidays.1.name", "name_repeated"),
                ("holidays.1.first", "day_repeated"),
                ("holidays.2.last", "dates_reversed"),
            ],
        ),
        ([], [("holidays", "missing")]),
    ],
)
def test_every_fault_of_a_file_is_found_at_its_place(
    rows: list[tuple[str, str, str, str]], found: list[tuple[str, str]]
) -> None:
    content = FILE + "".join(ROW.format(*row) for row in rows)

    with pytest.raises(calendar.NoticeFileRefused) as refused:
        calendar.read_notice(content.encode())

    assert [(each.path, each.code) for each in refused.value.findings] == found
    assert all(each.zh != "取值不符合要求。" for each in refused.value.findings)


@pytest.mark.parametrize(
    "content", [b"", b"year = ", b"\xff\xfe", b"x" * 70_000, b"[[holidays]]\nfirst = 2026-02-30"]
)
def test_what_is_no_notice_is_refused(content: bytes) -> None:
    with pytest.raises(calendar.NoticeFileRefused):
        calendar.read_notice(content)


def test_a_weekend_within_a_holiday_and_a_holiday_at_a_weekend_are_days_off() -> None:
    content = FILE + ROW.format("甲", "2026-03-07", "2026-03-08", "")

    assert len(calendar.read_notice(content.encode()).holidays[0].days_off()) == 2


def test_the_api_imports_shows_and_counts(world: World, tmp_path: Path) -> None:
    api = Api(world, tmp_path)
    office, bank = world.member("人才办", role=Role.TALENT_OFFICE), world.member("虚构银行")

    answers = [api.call(office, "POST", "/calendar/notices", json=notice()) for _ in range(2)]
    refused = api.call(bank, "POST", "/calendar/notices", json=notice())
    wrong = api.call(office, "POST", "/calendar/notices", json=notice(year=2024))

    assert [answer.json() for answer in answers] == [
        {"year": 2026, "version": 1, "new": True},
        {"year": 2026, "version": 1, "new": False},
    ]
    assert (refused.status_code, refused.json()["code"]) == (403, "not-permitted")
    assert {each["path"] for each in wrong.json()["errors"]} == {
        "body.holidays.0.first",
        "body.holidays.0.worked.0",
    }
    met = api.call(None, "GET", "/calendar").json()
    assert (met["years"][0]["counts"]["holidays"][0]["name"], met["missing"]) == ("虚构节", [])
    query = "/calendar/deadline?after=2026-12-31&working_days=1"
    assert api.call(None, "GET", query).json() == {
        "after": "2026-12-31",
        "working_days": 1,
        "day": "2027-01-01",
        "assumed_from": "2027-01-01",
    }


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_the_office_imports_on_the_page_and_everyone_reads_it(
    sqlite_world: World, tmp_path: Path, language: str
) -> None:
    api = Api(sqlite_world, tmp_path)
    headers = PAGE | {"Accept-Language": language}
    empty = api.http.get("/policy/calendar", headers=headers).text
    api.sign_in(sqlite_world.member("人才办", role=Role.TALENT_OFFICE))
    file = calendar.SHIPPED[-1].read_bytes()

    def send(content: bytes) -> Any:
        return api.http.post(
            "/policy/calendar",
            files={"file": ("notice.toml", content)},
            headers=headers,
            follow_redirects=False,
        )

    wrong = send(file.replace(b"worked = [2026-05-09]", b"worked = [2026-05-08]"))
    targets = [send(file).headers["location"] for _ in range(2)]
    page = api.http.get(targets[0], headers=headers).text

    assert "2026" in empty
    assert "<form class=" not in empty
    assert wrong.status_code == 422
    assert "holidays.3.worked.0: " in wrong.text
    assert targets == [f"/policy/calendar?notice=holidays-{each}" for each in ("imported", "unchanged")]
    assert "国办发明电〔2025〕7号" in page
    assert re.search(r"2026-02-15.*2026-02-23", page)


def test_who_may_not_import_has_no_form_and_is_refused(sqlite_world: World, tmp_path: Path) -> None:
    api = Api(sqlite_world, tmp_path)
    api.sign_in(sqlite_world.member("虚构银行"))

    page = api.http.get("/policy/calendar", headers=PAGE)
    sent = api.http.post("/policy/calendar", files={"file": ("notice.toml", b"")}, headers=PAGE)

    assert 'action="/policy/calendar"' not in page.text
    assert sent.status_code == 403
    assert rows_of(sqlite_world) == (0, 0)
