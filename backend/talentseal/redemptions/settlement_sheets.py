"""A settlement on paper and as a sheet: CSV, Excel, and a PDF that has the signed text inside.

Amounts in sheets are whole numbers of fen, on paper yuan; no text of a sheet is a formula to a spreadsheet.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy.orm import Session

from talentseal.accounts.roles import Actor
from talentseal.benefits.sheets import Format, as_csv, as_xlsx
from talentseal.clock import SHANGHAI
from talentseal.redemptions import confirming, settlement_reading
from talentseal.redemptions.settlement_models import Side
from talentseal.redemptions.settlement_schemas import ActView, LineView, SettlementView, SignatureView
from talentseal.web.typesetting import Attachment, typeset

SOURCE: Final = Path(__file__).parent / "statement.typ"

_COLUMNS: Final = (
    ("行号", "number"),
    ("权益", "title"),
    ("补贴承担方", "payer_name"),
    ("份数", "units"),
    ("权益价值（分）", "value_fen"),
    ("单位承担（分）", "partner_fen"),
    ("补贴（分）", "subsidy_fen"),
    ("冲正份数", "reversed_units"),
    ("冲正价值（分）", "reversed_value_fen"),
    ("冲正单位承担（分）", "reversed_partner_fen"),
    ("冲正补贴（分）", "reversed_subsidy_fen"),
    ("应付（分）", "net_fen"),
    ("调整对应行", "corrects"),
    ("调整理由", "reason"),
)
_ACT_COLUMNS: Final = (
    ("类别", "kind"),
    ("时间（北京时间）", "time"),
    ("权益", "benefit_title"),
    ("网点", "outlet"),
    ("份数", "quantity"),
    ("权益价值（分）", "value_fen"),
    ("单位承担（分）", "partner_fen"),
    ("补贴（分）", "subsidy_fen"),
    ("核销编号", "redemption"),
    ("存证编号", "record"),
)
SIDES: Final = {Side.PARTNER: "合作单位", Side.PAYER: "付款方"}

Row = list[str | int]


@dataclass(frozen=True, slots=True)
class File:
    """What is downloaded."""

    name: str
    content: bytes


def sheet(session: Session, actor: Actor, settlement: str, form: Format) -> File:
    """The lines with their sums; in Excel all acts on a second sheet.

    Raises NotPermitted, SettlementNotFound.
    """
    view = settlement_reading.view(session, actor, settlement)
    name = f"settlement-{view.period}-{view.id[:8]}-v{view.statement}.{form.value}"
    rows = _rows(view)
    if form is Format.CSV:
        return File(name, as_csv(rows))
    return File(name, as_xlsx({"结算单": rows, "明细": _act_rows(session, actor, settlement)}))


def acts_csv(session: Session, actor: Actor, settlement: str) -> File:
    """Every act in it. Raises NotPermitted, SettlementNotFound."""
    rows = list(_act_rows(session, actor, settlement))
    return File(f"settlement-{settlement[:8]}-acts.csv", as_csv(rows))


def paper(session: Session, actor: Actor, settlement: str) -> File:
    """The statement with its sums and signatures; what was signed is attached byte for byte.

    Raises NotPermitted, SettlementNotFound, GlyphMissing.
    """
    view = settlement_reading.view(session, actor, settlement)
    statement = confirming.current(session, confirming.find(session, actor, settlement))
    attachment = Attachment(
        f"settlement-{view.id}-v{view.statement}.json",
        statement.text,
        "application/json",
        "双方签署的结算单文本，其 SHA-256 即签署的摘要",
    )
    pdf = typeset(SOURCE, _values(view), at=statement.made_at, attachments=[attachment])
    return File(f"settlement-{view.period}-{view.id[:8]}-v{view.statement}.pdf", pdf)


def yuan(fen: int) -> str:
    """An amount as people read it."""
    return f"{'-' if fen < 0 else ''}{abs(fen) // 100:,}.{abs(fen) % 100:02}"


def _rows(view: SettlementView) -> list[Row]:
    rows: list[Row] = [[title for title, _ in _COLUMNS]]
    rows += [[_cell(getattr(line, name)) for _, name in _COLUMNS] for line in view.lines]
    summed = {**view.sums.model_dump(), "number": "合计"}
    return [*rows, [_cell(summed.get(name)) for _, name in _COLUMNS]]


def _cell(value: Any) -> str | int:
    return value if isinstance(value, int) else value or ""


def _act_rows(session: Session, actor: Actor, settlement: str) -> Iterator[Sequence[str | int]]:
    yield [title for title, _ in _ACT_COLUMNS]
    after: str | None = ""
    while after is not None:
        page = settlement_reading.acts(session, actor, settlement, after=after)
        for act in page.items:
            shown = {**act.model_dump(), "kind": "冲正" if act.reversal else "核销", "time": _time(act)}
            yield [_cell(shown[name]) for _, name in _ACT_COLUMNS]
        after = page.next


def _time(act: ActView) -> str:
    return f"{act.at.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}"


def _values(view: SettlementView) -> dict[str, Any]:
    sums = view.sums
    return {
        "name": view.name,
        "organisation": view.organisation,
        "period": view.period,
        "days": f"{view.starts_on} 至 {view.ends_on}",
        "settlement": view.id,
        "statement": str(view.statement),
        "sha256": view.sha256,
        "record": view.record or "",
        "lines": [_paper_line(each) for each in view.lines],
        "units": str(sums.units),
        "value": yuan(sums.value_fen),
        "partner": yuan(sums.partner_fen),
        "subsidy": yuan(sums.subsidy_fen),
        "reversed_units": str(sums.reversed_units),
        "reversed_value": yuan(sums.reversed_value_fen),
        "reversed_subsidy": yuan(sums.reversed_subsidy_fen),
        "adjusted": yuan(sums.adjusted_fen),
        "net": yuan(sums.net_fen),
        "signatures": [_paper_signature(each) for each in view.signatures],
    }


def _paper_line(line: LineView) -> dict[str, str]:
    return {
        "number": str(line.number),
        "title": line.title,
        "payer": line.payer_name or "—",
        "units": str(line.units),
        "value": yuan(line.value_fen),
        "subsidy": yuan(line.subsidy_fen),
        "reversed_units": str(line.reversed_units),
        "reversed_subsidy": yuan(line.reversed_subsidy_fen),
        "net": yuan(line.net_fen),
        "reason": line.reason or "",
        "corrects": str(line.corrects or ""),
    }


def _paper_signature(signature: SignatureView) -> dict[str, str]:
    return {
        "side": SIDES[signature.side],
        "name": signature.name,
        "signer": signature.signer,
        "signature": signature.signature,
        "at": f"{signature.received_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S} 北京时间",
    }
