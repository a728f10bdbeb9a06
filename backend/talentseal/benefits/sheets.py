"""The catalogue as a sheet, CSV or Excel: one row a line of the matrix, read strictly and written harmlessly.

Rows of one number are one benefit: what belongs to the version stands on its first row, and again or blank on
the others. Whatever a row says wrongly is named by row, column and what was expected.
"""

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

import openpyxl
from openpyxl.cell import WriteOnlyCell
from pydantic import ValidationError

from talentseal.benefits.models import Benefit, BenefitVersion
from talentseal.benefits.schemas import DraftBenefit, SheetProblem, TierLineView
from talentseal.errors import Invalid
from talentseal.web import problems

SIZE_LIMIT: Final = 2 * 1024 * 1024
"""Bytes of a file."""
UNPACKED_LIMIT: Final = 32 * 1024 * 1024
"""Bytes of an Excel file's parts, unpacked."""
ROWS: Final = 2000
"""Rows of a sheet at most, its heading not counted."""
PROBLEMS: Final = 200
"""Problems that are named at most."""

TITLES: Final[Mapping[str, str]] = {
    "number": "权益编号",
    "category": "类别",
    "title": "名称",
    "text": "说明",
    "starts_on": "首日",
    "ends_on": "末日",
    "tier": "人才层次",
    "tier_starts_on": "层次首日",
    "tier_ends_on": "层次末日",
    "quota": "每期额度",
    "quota_period": "额度周期",
    "value_fen": "价值（分）",
    "value_limit_fen": "单次上限（分）",
    "subsidy_bp": "补贴（万分比）",
    "showings": "出示方式",
    "outlets": "网点",
    "low_risk": "低风险",
    "regulated": "须持牌",
    "proactive": "免申即享",
    "exclusion_group": "互斥组",
    "agreement": "协议",
    "stipulation": "约定序号",
    "measure": "措施",
    "reversal_minutes": "冲正时限（分钟）",
}
"""Columns by name. A heading is read by its last word, so that `首日 starts_on` and `starts_on` are one."""

_OF_LINE: Final = ("tier", "tier_starts_on", "tier_ends_on", "quota")
_WHOLE: Final = frozenset(
    {"quota", "value_fen", "value_limit_fen", "subsidy_bp", "stipulation", "reversal_minutes"}
)
_LISTS: Final = frozenset({"showings", "outlets"})
_TRUTH: Final[Mapping[str, bool]] = {
    **dict.fromkeys(("是", "true", "1"), True),
    **dict.fromkeys(("否", "false", "0"), False),
}
_NUMBER: Final = re.compile(r"-?[0-9]{1,18}\Z")
_PERILOUS: Final = ("=", "+", "-", "@", "\t", "\r", "|", "%")
"""What makes a spreadsheet take a text for a formula."""


class Format(StrEnum):
    """What a sheet comes as."""

    CSV = "csv"
    XLSX = "xlsx"


class SheetUnreadable(Invalid):
    code = "sheet-unreadable"
    zh = "无法读取该文件（{why}）。请使用 UTF-8 编码的 CSV 或 .xlsx 文件，首行为列名，不超过 2 MB。"
    en = "The file cannot be read ({why}); send UTF-8 CSV or .xlsx with a heading row, up to 2 MB."


@dataclass(frozen=True, slots=True)
class Read:
    """A benefit as a sheet has it. row: of its first line, as a spreadsheet counts them."""

    row: int
    command: DraftBenefit


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a file says: benefits, or what is wrong with it."""

    benefits: tuple[Read, ...]
    problems: tuple[SheetProblem, ...]


@dataclass(frozen=True, slots=True)
class _Row:
    number: int
    cells: Mapping[str, str]


def read(plain: bytes) -> Sheet:
    """What a CSV or Excel file says. Raises SheetUnreadable for one that is neither."""
    heading, *lines = table(plain)
    names, found = _headings(heading)
    if found:
        return Sheet((), tuple(found))
    rows = []
    for number, cells in enumerate(lines, 2):
        if len(cells) > len(names) and any(cells[len(names) :]):
            found.append(_problem(number, "", "单元格多于列名", "no more cells than the heading names"))
        elif any(cells):
            rows.append(_Row(number, dict(zip(names, [*cells, *[""] * len(names)], strict=False))))
    if not rows and not found:
        found.append(_problem(2, "number", "至少一行", "at least one row"))
    benefits = [read for group in _groups(rows) for read in _benefit(group, found)]
    return Sheet(tuple(benefits) if not found else (), tuple(found[:PROBLEMS]))


def table(plain: bytes) -> list[list[str]]:
    """The cells of a CSV or Excel file, at least one row. Raises SheetUnreadable for one that is neither."""
    if len(plain) > SIZE_LIMIT:
        raise SheetUnreadable(why=f"{len(plain)} B")
    found = list(_limited(_xlsx_rows(plain) if plain.startswith(b"PK") else _csv_rows(plain)))
    if not found:
        raise SheetUnreadable(why="0")
    return found


def write(
    lines: Iterable[tuple[BenefitVersion, Benefit, Sequence[TierLineView], Sequence[str]]], form: Format
) -> bytes:
    """A file with these versions, whose texts no spreadsheet takes for formulas."""
    rows: list[list[str | int]] = [[f"{title} {name}" for name, title in TITLES.items()]]
    for version, benefit, matrix, outlets in lines:
        whole = _cells(version, benefit, outlets)
        each = [{**whole, **_line_cells(version, line)} for line in matrix]
        rows.extend([cells[name] for name in TITLES] for cells in each)
    return as_csv(rows) if form is Format.CSV else as_xlsx({"权益目录": rows})


def _headings(cells: Sequence[str]) -> tuple[list[str], list[SheetProblem]]:
    names = [cell.split()[-1].lower() if cell.split() else "" for cell in cells]
    while names and not names[-1]:
        names.pop()
    wrong = [
        _problem(1, name, "列名应为：" + "、".join(TITLES), "one of the columns " + ", ".join(TITLES))
        for place, name in enumerate(names)
        if name not in TITLES or name in names[:place]
    ]
    wrong += [
        _problem(1, name, "缺少此列", "this column")
        for name in ("number", "category", "title", "text", "starts_on", "ends_on", "tier")
        if name not in names
    ]
    return names, wrong


def _groups(rows: Sequence[_Row]) -> list[list[_Row]]:
    groups: dict[str, list[_Row]] = {}
    for row in rows:
        groups.setdefault(row.cells["number"], []).append(row)
    return list(groups.values())


def _benefit(rows: Sequence[_Row], found: list[SheetProblem]) -> list[Read]:
    """The benefit of these rows; none, and its problems to `found`, when they do not say one."""
    before, first = len(found), rows[0]
    for row in rows[1:]:
        for name, cell in row.cells.items():
            if name not in _OF_LINE and cell not in {"", first.cells[name]}:
                found.append(_problem(row.number, name, "空白或与首行相同", "blank, or as on its first row"))
    version = _values(first, (name for name in TITLES if name not in _OF_LINE), found)
    number, category = version.pop("number", None), version.pop("category", None)
    tiers = []
    for row in rows:
        line = _values(row, _OF_LINE, found)
        tiers.append({name.removeprefix("tier_"): value for name, value in line.items()})
    if len(found) > before:
        return []
    content = {"number": number, "category": category, "version": {**version, "tiers": tiers}}
    try:
        return [Read(first.number, DraftBenefit.model_validate(content))]
    except ValidationError as error:
        found.extend(_placed(each, rows) for each in problems.field_problems(error.errors()))
        return []


def _placed(problem: Any, rows: Sequence[_Row]) -> SheetProblem:
    """A finding of the command's model at its row and column."""
    path = problem.path.removeprefix("version.").split(".")
    row, column = rows[0], path[0]
    if path[0] == "tiers" and len(path) > 2 and path[1].isdigit():
        row = rows[int(path[1])]
        column = (
            path[2] if path[2] in TITLES and path[2] not in {"starts_on", "ends_on"} else f"tier_{path[2]}"
        )
    elif column not in TITLES:
        column = ""
    return SheetProblem(row=row.number, column=column, zh=problem.zh, en=problem.en)


def _values(row: _Row, names: Iterable[str], found: list[SheetProblem]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name in names:
        if cell := row.cells.get(name, ""):
            try:
                values[name] = _value(name, cell)
            except ValueError as error:
                zh, en = error.args
                found.append(_problem(row.number, name, zh, en))
    return values


def _value(name: str, cell: str) -> Any:
    """What stands in a cell. Raises ValueError with what was expected, in Chinese and English."""
    if name in _WHOLE:
        if not _NUMBER.match(cell):
            raise ValueError("整数", "a whole number")
        return int(cell)
    if name.endswith("_on"):
        try:
            return date.fromisoformat(cell)
        except ValueError:
            raise ValueError("日期，如 2026-11-26", "a date like 2026-11-26") from None
    if name in {"low_risk", "regulated", "proactive"}:
        if cell.lower() not in _TRUTH:
            raise ValueError("“是”或“否”", "是/true/1 or 否/false/0")
        return _TRUTH[cell.lower()]
    if name in _LISTS:
        return tuple(cell.split())
    return cell


def _problem(row: int, column: str, zh: str, en: str) -> SheetProblem:
    return SheetProblem(row=row, column=column, zh=f"应为{zh}", en=f"expected {en}")


def _limited(rows: Iterator[list[str]]) -> Iterator[list[str]]:
    for number, row in enumerate(rows):
        if number > ROWS or len(row) > 4 * len(TITLES):
            raise SheetUnreadable(why=f"> {ROWS} × {len(TITLES)}")
        yield row


def _csv_rows(plain: bytes) -> Iterator[list[str]]:
    try:
        text = plain.decode("utf-8-sig")
        if "\0" in text:
            raise SheetUnreadable(why="NUL")
        for row in csv.reader(io.StringIO(text, newline=""), strict=True):
            yield [_unquoted(cell) for cell in row]
    except UnicodeDecodeError as error:
        raise SheetUnreadable(why=f"UTF-8, {error.start}") from None
    except csv.Error as error:
        raise SheetUnreadable(why=str(error)) from None


def _xlsx_rows(plain: bytes) -> Iterator[list[str]]:
    try:
        _check_unpacked(plain)
        book = openpyxl.load_workbook(io.BytesIO(plain), read_only=True, data_only=False)
        try:
            for row in book.worksheets[0].iter_rows():
                yield [_text(cell.value, getattr(cell, "data_type", "n")) for cell in row]
        finally:
            book.close()
    except SheetUnreadable:
        raise
    except Exception:  # noqa: BLE001 - a damaged file fails in the ZIP, the XML or openpyxl with nearly any
        raise SheetUnreadable(why=".xlsx") from None


def _check_unpacked(plain: bytes) -> None:
    """Raises SheetUnreadable for a file that would unpack to too much."""
    with zipfile.ZipFile(io.BytesIO(plain)) as archive:
        if sum(each.file_size for each in archive.infolist()) > UNPACKED_LIMIT:
            raise SheetUnreadable(why=f"> {UNPACKED_LIMIT} B")


def _text(value: Any, data_type: str) -> str:
    if value is None:
        return ""
    if data_type == "f":
        raise SheetUnreadable(why="=")
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == datetime.min.time() else value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return _unquoted(str(value))


def _unquoted(cell: str) -> str:
    """A cell without surrounding blanks and without the quote that `_harmless` puts before."""
    cell = cell.strip()
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_PERILOUS) else cell


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_PERILOUS) else cell


def _cells(version: BenefitVersion, benefit: Benefit, outlets: Sequence[str]) -> dict[str, str]:
    said: dict[str, Any] = {
        "number": benefit.number,
        "category": benefit.category.value,
        "title": version.title,
        "text": version.text,
        "starts_on": version.starts_on.isoformat(),
        "ends_on": version.ends_on.isoformat(),
        "quota_period": version.quota_period.value,
        "value_fen": version.value_fen,
        "value_limit_fen": version.value_limit_fen,
        "subsidy_bp": version.subsidy_bp,
        "showings": version.showings,
        "outlets": " ".join(outlets),
        "low_risk": "是" if version.low_risk else "否",
        "regulated": "是" if version.regulated else "否",
        "proactive": "是" if version.proactive else "否",
        "exclusion_group": version.exclusion_group,
        "agreement": version.agreement_id,
        "stipulation": version.stipulation_position,
        "measure": version.measure_id,
        "reversal_minutes": version.reversal_minutes,
    }
    return {name: "" if value is None else str(value) for name, value in said.items()}


def _line_cells(version: BenefitVersion, line: TierLineView) -> dict[str, str]:
    whole = (line.starts_on, line.ends_on) == (version.starts_on, version.ends_on)
    return {
        "tier": line.tier.value,
        "tier_starts_on": "" if whole else line.starts_on.isoformat(),
        "tier_ends_on": "" if whole else line.ends_on.isoformat(),
        "quota": "" if line.quota is None else str(line.quota),
    }


def as_csv(rows: Iterable[Sequence[str | int]]) -> bytes:
    """A file of these rows. Texts are made harmless; whole numbers stay numbers."""
    file = io.StringIO(newline="")
    csv.writer(file).writerows([_inert(cell) for cell in row] for row in rows)
    # With the mark of UTF-8: without it a Chinese Excel shows garbage.
    return file.getvalue().encode("utf-8-sig")


def as_xlsx(sheets: Mapping[str, Iterable[Sequence[str | int]]]) -> bytes:
    """An Excel file of these sheets by their names, whose texts are no formulas."""
    book = openpyxl.Workbook(write_only=True)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            cells = []
            for value in row:
                cell = WriteOnlyCell(sheet, value=value)
                if isinstance(value, str):
                    cell.data_type = "s"  # Or a text that begins with = were a formula.
                cells.append(cell)
            sheet.append(cells)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _inert(cell: str | int) -> str | int:
    return _harmless(cell) if isinstance(cell, str) else cell
