"""The catalogue as CSV and Excel: read again as written, and what is wrong named by row and column."""

import csv
import io
import zipfile

import openpyxl
import pytest

from talentseal.benefits import importing, reading, sheets
from talentseal.benefits.importing import SheetRefused
from talentseal.benefits.models import Category
from talentseal.benefits.schemas import ImportReceipt, TierLine
from talentseal.benefits.sheets import Format, SheetUnreadable
from talentseal.policy.tiers import Tier
from tests.benefits.conftest import Shelf

HEADING = "number,category,title,text,starts_on,ends_on,tier,quota,value_fen,low_risk"
ROW = "XG-1,CONSUMPTION,虚构权益,凭码办理,2026-12-01,2027-01-31,YOUTH,2,500,否"


def sheet(*rows: str, heading: str = HEADING) -> bytes:
    return "\n".join((heading, *rows)).encode()


def taken(shelf: Shelf, plain: bytes) -> ImportReceipt:
    return shelf.do(importing.take_in, shelf.merchant.actor, plain)


def exported(shelf: Shelf, form: Format) -> bytes:
    return shelf.act(lambda session, _now: importing.export(session, shelf.merchant.actor, form))


def count(shelf: Shelf) -> int:
    return len(shelf.act(lambda session, _now: reading.newest_own(session, shelf.merchant.actor)))


def found(plain: bytes) -> list[tuple[int, str]]:
    """Row and column of every problem."""
    return [(each.row, each.column) for each in sheets.read(plain).problems]


def test_rows_of_one_number_are_one_benefit(sqlite_shelf: Shelf) -> None:
    other = "XG-1,,,,,,HIGH_E,,,"

    assert taken(sqlite_shelf, sheet(ROW, other)) == ImportReceipt(drafted=1)
    ((version, _benefit),) = sqlite_shelf.act(
        lambda session, _now: reading.newest_own(session, sqlite_shelf.merchant.actor)
    )
    matrix = sqlite_shelf.act(lambda session, _now: reading.matrix_of(session, [version.id]))
    assert {line.tier: line.quota for line in matrix[version.id]} == {Tier.YOUTH: 2, Tier.HIGH_E: None}


@pytest.mark.parametrize("form", Format)
def test_what_was_exported_changes_nothing_when_it_comes_back(sqlite_shelf: Shelf, form: Format) -> None:
    merchant = sqlite_shelf.merchant
    lines = (
        TierLine(tier=Tier.YOUTH, quota=1, ends_on=sqlite_shelf.today),
        TierLine(tier=Tier.HIGH_A),
    )
    given = {"agreement": None, "text": "=SUM(A1)\n第二行", "exclusion_group": "XG/组"[:3]}
    sqlite_shelf.drafted(Category.CONSUMPTION, provider=merchant, tiers=lines, **given)

    plain = exported(sqlite_shelf, form)

    assert taken(sqlite_shelf, plain) == ImportReceipt(unchanged=1)


def test_a_changed_row_makes_the_next_draft(sqlite_shelf: Shelf) -> None:
    taken(sqlite_shelf, sheet(ROW))

    assert taken(sqlite_shelf, sheet(ROW.replace("500", "600"))) == ImportReceipt(revised=1)
    assert count(sqlite_shelf) == 1


@pytest.mark.parametrize(
    ("row", "place"),
    [
        (ROW.replace("2026-12-01", "1.12.2026"), (2, "starts_on")),
        (ROW.replace("CONSUMPTION", "消费"), (2, "category")),
        (ROW.replace("YOUTH", "青年"), (2, "tier")),
        (ROW.replace(",2,500", ",两,500"), (2, "quota")),
        (ROW.replace(",2,500", ",0,500"), (2, "quota")),
        (ROW.replace("500", "5.00"), (2, "value_fen")),
        (ROW.replace("500", "-1"), (2, "value_fen")),
        (ROW.replace("否", "也许"), (2, "low_risk")),
        (ROW.replace("虚构权益", ""), (2, "title")),
        (ROW.replace("2027-01-31", "2026-11-30"), (2, "")),
        (f"{ROW},多", (2, "")),
    ],
)
def test_what_a_row_says_wrongly_is_named(row: str, place: tuple[int, str]) -> None:
    assert place in found(sheet(row))


def test_a_row_that_contradicts_the_first_of_its_benefit_is_named() -> None:
    assert found(sheet(ROW, ROW.replace("虚构权益", "别的权益").replace("YOUTH", "HIGH_E"))) == [(3, "title")]


def test_the_heading_names_known_columns_once() -> None:
    assert found(sheet(ROW, heading=HEADING.replace("text", "文字"))) == [(1, "文字"), (1, "text")]
    assert (1, "title") in found(sheet(ROW, heading=HEADING.replace("text", "title")))


def test_a_sheet_with_one_wrong_row_changes_nothing(shelf: Shelf) -> None:
    wrong = ROW.replace("XG-1", "XG-2").replace("CONSUMPTION", "GOVERNMENT")

    with pytest.raises(SheetRefused) as refused:
        taken(shelf, sheet(ROW, wrong))
    assert [(each.row, each.column) for each in refused.value.problems] == [(3, "")]
    assert count(shelf) == 0


def test_a_known_benefit_keeps_its_category(sqlite_shelf: Shelf) -> None:
    taken(sqlite_shelf, sheet(ROW))

    with pytest.raises(SheetRefused) as refused:
        taken(sqlite_shelf, sheet(ROW.replace("CONSUMPTION", "FINANCIAL")))
    assert "CONSUMPTION" in refused.value.problems[0].en


def packed(**parts: bytes) -> bytes:
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return raw.getvalue()


def workbook(cell: str) -> bytes:
    book, raw = openpyxl.Workbook(), io.BytesIO()
    for row in (HEADING.split(","), [cell, *ROW.split(",")[1:]]):
        book.worksheets[0].append(row)
    book.save(raw)
    return raw.getvalue()


@pytest.mark.parametrize(
    "plain",
    [
        b"",
        "编号".encode("gb18030"),
        b"number\0",
        b'number,"open',
        b"x" * (sheets.SIZE_LIMIT + 1),
        b"number\n" * (sheets.ROWS + 2),
        b"PK\x03\x04 no archive",
        packed(nothing=b"here"),
        packed(bomb=b"0" * (sheets.UNPACKED_LIMIT + 1)),
        workbook("=1+1"),
    ],
    ids=["empty", "encoding", "NUL", "quote", "size", "length", "ZIP", "Excel", "bomb", "formula"],
)
def test_what_is_no_sheet_is_refused(plain: bytes) -> None:
    with pytest.raises(SheetUnreadable):
        sheets.read(plain)


def test_excel_numbers_and_dates_are_read_as_what_they_are(sqlite_shelf: Shelf) -> None:
    assert taken(sqlite_shelf, workbook("XG-1")) == ImportReceipt(drafted=1)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "|", "%"])
def test_no_exported_text_is_a_formula(sqlite_shelf: Shelf, start: str) -> None:
    peril = f"{start}cmd"
    sqlite_shelf.drafted(Category.CONSUMPTION, provider=sqlite_shelf.merchant, agreement=None, title=peril)

    rows = list(csv.reader(io.StringIO(exported(sqlite_shelf, Format.CSV).decode("utf-8-sig"))))
    assert rows[1][2] == f"'{peril}"
    book = openpyxl.load_workbook(io.BytesIO(exported(sqlite_shelf, Format.XLSX)))
    cell = book.worksheets[0].cell(2, 3)
    assert (cell.value, cell.data_type) == (peril, "s")
