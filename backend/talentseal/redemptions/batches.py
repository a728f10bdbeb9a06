"""Entering what was given without a network, many at a time: each row a transaction and an answer of its own.

The answer of a row is kept under the batch's Idempotency-Key and the row's own key, a refusal as well: a row
sent again is answered as before, and nothing happens twice.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Final, Self

from pydantic import AwareDatetime, BaseModel, Field, StringConstraints, ValidationError
from sqlalchemy.orm import Session

from talentseal.accounts.calls import UnsafeCall
from talentseal.accounts.roles import Permission
from talentseal.accounts.schemas import Command
from talentseal.benefits import sheets
from talentseal.credentials.presenting import Credentials
from talentseal.errors import TalentSealError
from talentseal.partners.schemas import Identifier
from talentseal.redemptions import service
from talentseal.redemptions.schemas import Order, Receipt
from talentseal.redemptions.service import NotRedeemed, Past, Redeemed, until_decided
from talentseal.web import problems

ROWS: Final = 500
"""Rows of a batch at most."""

SIZE_LIMIT: Final = 512 * 1024
"""Bytes of a batch: a row takes a few hundred."""

ROUTE: Final = "POST /redemptions/batch"


class BatchRow(Order):
    """One use that was given without a network."""

    key: Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,64}$")] = Field(
        description="The row's own name within the batch: 1 to 64 visible ASCII characters"
    )
    occurred_at: AwareDatetime = Field(description="When it was given; at most 48 hours ago")
    terminal: Identifier = Field(description="The device's id")
    staff: Identifier = Field(description="Account of the person who served")
    sent: Annotated[str, StringConstraints(max_length=200)] = Field(
        repr=False, description="What was scanned: a code that the phone held for times without a network"
    )

    @property
    def order(self) -> Order:
        return Order.model_validate(self.model_dump(include=set(Order.model_fields)))

    @property
    def past(self) -> Past:
        return Past(self.terminal, self.staff, self.occurred_at, self.sent)


class Batch(Command):
    """Uses that were given without a network."""

    rows: Annotated[tuple[BatchRow, ...], Field(min_length=1, max_length=ROWS)]


class RowRefusal(BaseModel):
    """Why a row was refused: a stable code, and a sentence that says what was met and what to do."""

    code: str
    zh: str
    en: str

    def said(self, *, english: bool) -> str:
        """The sentence in a language."""
        return self.en if english else self.zh

    @classmethod
    def of(cls, error: TalentSealError) -> Self:
        return cls(code=error.code, zh=error.sentence_zh, en=error.sentence_en)


class RowAnswer(BaseModel):
    """What became of a row: the receipt, or the refusal."""

    key: str
    receipt: Receipt | None = None
    refusal: RowRefusal | None = None


class BatchAnswer(BaseModel):
    """What became of each row, in their order."""

    redeemed: int
    refused: int
    rows: list[RowAnswer]


@dataclass(frozen=True, slots=True)
class Entering:
    """Who enters a batch under which key, and how a receipt is written."""

    call: UnsafeCall
    credentials: Credentials
    receipt: Callable[[Redeemed], Receipt]

    def enter(self, rows: Iterable[BatchRow]) -> BatchAnswer:
        """Each row in a transaction of its own. Raises NotPermitted before the first."""
        self.call.actor.require(Permission.OUTLET_MANAGE)
        return answer_of([self._row(row) for row in rows])

    def _row(self, row: BatchRow) -> RowAnswer:
        named = f"{self.call.key}\0{row.key}".encode()
        call = UnsafeCall(
            self.call.database, self.call.actor, hashlib.sha256(named).hexdigest(), self.call.now
        )
        work = partial(self._answer, row=row)
        try:
            made = until_decided(lambda: call.perform(ROUTE, row.model_dump(mode="json"), work))
        except TalentSealError as error:
            return RowAnswer(key=row.key, refusal=RowRefusal.of(error))
        return RowAnswer.model_validate_json(bytes(made.body))

    def _answer(self, session: Session, row: BatchRow) -> RowAnswer:
        met = service.redeem_late(
            session, self.call.actor, self.credentials, row.past, row.order, now=self.call.now
        )
        if isinstance(met, NotRedeemed):
            return RowAnswer(key=row.key, refusal=RowRefusal.of(met.error))
        return RowAnswer(key=row.key, receipt=self.receipt(met))


def answer_of(rows: list[RowAnswer]) -> BatchAnswer:
    redeemed = sum(row.receipt is not None for row in rows)
    return BatchAnswer(redeemed=redeemed, refused=len(rows) - redeemed, rows=rows)


COLUMNS: Final = (
    *("key", "occurred_at", "terminal", "staff", "sent"),
    *("benefit", "quantity", "value_fen", "list_value_fen"),
)
"""Of a batch as a CSV file."""

_WHOLE: Final = frozenset({"quantity", "value_fen", "list_value_fen"})


def read(plain: bytes) -> list[BatchRow | RowAnswer]:
    """What the rows of a CSV or Excel file say; for a row that says it wrongly, its refusal.

    Raises SheetUnreadable.
    """
    if len(plain) > SIZE_LIMIT:
        raise sheets.SheetUnreadable(why=f"{len(plain)} B")
    heading, *lines = sheets.table(plain)
    names = [cell.split()[-1].lower() if cell.split() else "" for cell in heading]
    if len(lines) > ROWS or set(names) - set(COLUMNS) or len(set(names)) != len(names):
        raise sheets.SheetUnreadable(why=f"{len(lines)} / {ROWS}; {', '.join(COLUMNS)}")
    return [
        _read(number, dict(zip(names, cells, strict=False)))
        for number, cells in enumerate(lines, 2)
        if any(cells)
    ]


def _read(number: int, cells: dict[str, str]) -> BatchRow | RowAnswer:
    said: dict[str, Any] = {name: _cell(name, cell) for name, cell in cells.items() if cell}
    try:
        return BatchRow.model_validate(said)
    except ValidationError as error:
        found = problems.field_problems(error.errors())
        zh = " ".join(f"{each.path}：{each.zh}" for each in found)
        en = "; ".join(f"{each.path}: {each.en}" for each in found)
        key = said["key"] if isinstance(said.get("key"), str) else f"#{number}"
        return RowAnswer(key=key, refusal=RowRefusal(code="row-malformed", zh=zh, en=en))


def _cell(name: str, cell: str) -> Any:
    return int(cell) if name in _WHOLE and cell.isascii() and cell.isdigit() and len(cell) < 19 else cell


def enter_file(entering: Entering, plain: bytes) -> BatchAnswer:
    """Enter what a file says, row by row. Raises SheetUnreadable, NotPermitted."""
    read_rows = read(plain)
    good = iter(entering.enter([row for row in read_rows if isinstance(row, BatchRow)]).rows)
    return answer_of([next(good) if isinstance(row, BatchRow) else row for row in read_rows])
