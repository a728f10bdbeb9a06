"""A settlement as CSV, Excel and PDF: the same sums, no formula, what was signed inside."""

import csv
import io
from functools import partial

import openpyxl
import pytest

from talentseal.benefits.sheets import Format
from talentseal.redemptions import confirming, settlement_reading, settlement_sheets
from talentseal.redemptions.settlement_models import Settlement
from talentseal.redemptions.settlement_refusals import SettlementNotFound
from talentseal.redemptions.settlement_schemas import Adjustment, Reconcile
from talentseal.web import typesetting
from tests.redemptions.clearing import Clearing
from tests.redemptions.market import Market

FORMULA = '=HYPERLINK("https://example.invalid")'


@pytest.fixture
def clearing(sqlite_market: Market) -> Clearing:
    return Clearing(sqlite_market)


@pytest.fixture
def row(clearing: Clearing) -> Settlement:
    """November, with a reversal and an adjustment whose reason would be a formula."""
    used = clearing.use(clearing.subsidised, quantity=2, value_fen=1_000)
    clearing.market.reverse(used, clearing.till)
    clearing.at("2026-12-01T09:00")
    row = clearing.close("2026-11")
    clearing.object(row)
    added = (Adjustment(amount_fen=-5, reason=FORMULA, line=1),)
    clearing.do(
        confirming.reconcile, clearing.closer, row.id, Reconcile(reason="已核对（虚构）", adjustments=added)
    )
    clearing.sign(row, clearing.merchant)
    clearing.sign(row, clearing.operator)
    return row


def test_a_csv_file_has_the_sums_and_no_formula(clearing: Clearing, row: Settlement) -> None:
    made = clearing.read(
        lambda session: settlement_sheets.sheet(session, clearing.merchant.actor, row.id, Format.CSV)
    )

    lines = list(csv.reader(io.StringIO(made.content.decode("utf-8-sig"))))
    net = lines[0].index("应付（分）")
    assert [line[net] for line in lines[1:]] == ["167", "-5", "162"]
    assert lines[2][-1] == "'" + FORMULA


def test_an_excel_file_has_every_act_on_a_second_sheet(clearing: Clearing, row: Settlement) -> None:
    made = clearing.read(
        lambda session: settlement_sheets.sheet(session, clearing.operator.actor, row.id, Format.XLSX)
    )

    book = openpyxl.load_workbook(io.BytesIO(made.content))
    lines, acts = book["结算单"], book["明细"]
    assert [line[11].value for line in lines.iter_rows(min_row=2)] == [167, -5, 162]
    reason = lines.cell(3, 14)
    assert (reason.value, reason.data_type) == (FORMULA, "s")
    assert sorted(act[5].value for act in acts.iter_rows(min_row=2)) == [-500, 1_000]


def test_acts_come_in_pages_and_together_are_the_sums(clearing: Clearing, row: Settlement) -> None:
    actor = clearing.merchant.actor
    first = clearing.read(lambda session: settlement_reading.acts(session, actor, row.id, limit=1))
    second = clearing.read(
        lambda session: settlement_reading.acts(session, actor, row.id, limit=1, after=first.next or "")
    )

    view = clearing.read(lambda session: settlement_reading.view(session, actor, row.id))
    found = [*first.items, *second.items]
    assert (len(found), second.next) == (2, None)
    assert sum(each.subsidy_fen for each in found) == view.sums.subsidy_fen - view.sums.reversed_subsidy_fen
    listed = clearing.read(lambda session: settlement_sheets.acts_csv(session, actor, row.id))
    assert len(listed.content.decode("utf-8-sig").splitlines()) == 3


def test_a_paper_has_the_signed_text_inside(clearing: Clearing, row: Settlement) -> None:
    actor = clearing.merchant.actor
    made = clearing.read(lambda session: settlement_sheets.paper(session, actor, row.id))

    assert typesetting.attached(made.content) == [clearing.statement(row, 2).text.encode()]
    assert made.name.endswith("-v2.pdf")


def test_what_is_signed_is_whole_or_is_not_signed(clearing: Clearing, row: Settlement) -> None:
    met = clearing.read(
        lambda session: settlement_reading.statement(
            session, clearing.merchant.actor, row.id, now=clearing.market.now
        )
    )

    assert met.is_whole()
    assert met.signers == [clearing.merchant.address]
    assert not met.model_copy(update={"text": met.text + " "}).is_whole()
    assert not met.model_copy(update={"statement": met.statement + " "}).is_whole()


def test_only_who_has_a_part_reads_it(clearing: Clearing, row: Settlement) -> None:
    stranger, bureau = clearing.market.shelf.bank.actor, clearing.market.shelf.bureau.actor

    with pytest.raises(SettlementNotFound):
        clearing.read(lambda session: settlement_reading.view(session, stranger, row.id))
    assert clearing.read(lambda session: settlement_reading.listed(session, stranger)).items == []
    for actor in (bureau, clearing.merchant.actor, clearing.operator.actor):
        (line,) = clearing.read(partial(settlement_reading.listed, actor=actor)).items
        assert (line.id, line.net_fen) == (row.id, 162)


@pytest.mark.usefixtures("row")
def test_open_periods_name_what_can_be_closed(clearing: Clearing) -> None:
    clearing.use(clearing.own)
    now = clearing.at("2027-01-01T00:00")

    (found,) = clearing.read(
        lambda session: settlement_reading.open_periods(session, clearing.operator.actor, now=now)
    )

    assert (found.organisation, found.units, found.closable) == (clearing.merchant.id, 1, "2026-12")
    assert (
        clearing.read(
            lambda session: settlement_reading.open_periods(
                session, clearing.market.shelf.bank.actor, now=now
            )
        )
        == []
    )
