"""Commands and read models of settlements. Amounts are whole fen."""

import hashlib
from datetime import date, datetime
from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from talentseal.accounts.schemas import Command, OrganisationId, Signature
from talentseal.policy.schemas import Reference, Sentence
from talentseal.redemptions.settlement_models import Cycle, SettlementState, Side

PeriodKey = Annotated[
    str,
    StringConstraints(pattern=r"^2[0-9]{3}-(0[1-9]|1[0-2]|Q[1-4])$"),
    Field(description="A month (2026-11) or a quarter (2026-Q4) of Asia/Shanghai"),
]
StatementNumber = Annotated[int, Field(ge=1, le=999)]
LineNumber = Annotated[int, Field(ge=1, le=9_999)]
SignedFen = Annotated[int, Field(ge=-(10**12), le=10**12, strict=True)]


def signed_text(settlement: str, number: int, text_sha256: str, organisation: str) -> str:
    """What an organisation signs (EIP-191): which statement, the hash of its text, and for whom."""
    return "\n".join(
        (
            "TalentSeal 人才存证: confirmation of a settlement statement 确认结算单",
            f"settlement: {settlement}",
            f"statement: {number}",
            f"sha256: {text_sha256}",
            f"organisation: {organisation}",
        )
    )


class CloseSettlement(Command):
    """Close a period of a partner."""

    organisation: OrganisationId
    period: PeriodKey


class SetCycle(Command):
    """Say how often a partner is settled with."""

    cycle: Cycle


class SignStatement(Command):
    """Confirm a statement by a signature over its text (EIP-191)."""

    statement: StatementNumber = Field(description="Number of the statement; the newest alone is signed")
    signature: Signature


class Object(Command):
    """Say why the newest statement is not confirmed."""

    reason: Sentence
    lines: Annotated[tuple[LineNumber, ...], Field(max_length=40)] = Field(
        default=(), description="Lines that it is about; none: the statement as a whole"
    )


class Adjustment(Command):
    """One amount that is added to what the partner is paid, or taken from it."""

    amount_fen: SignedFen = Field(description="Negative: taken from it; never 0")
    reason: Sentence
    line: LineNumber | None = Field(default=None, description="The line that it corrects, if one")


class Reconcile(Command):
    """Answer an objection. Without adjustments the sums stay as they were."""

    reason: Sentence
    adjustments: Annotated[tuple[Adjustment, ...], Field(max_length=100)] = ()


class ConfirmPayment(Command):
    """Say that the money came, outside this service."""

    reference: Reference
    paid_on: date


class SettlementReceipt(BaseModel):
    """Answer to an unsafe request about a settlement."""

    id: str
    organisation: str
    period: str
    state: SettlementState
    statement: int


class CycleView(BaseModel):
    """How often a partner is settled with."""

    organisation: str
    cycle: Cycle


class SumsView(BaseModel):
    """What lies in a settlement. partner_fen: the partner's own share. net_fen: what he is paid, adjustments
    among it; what he pays when negative.
    """

    units: int
    value_fen: int
    partner_fen: int
    subsidy_fen: int
    reversed_units: int
    reversed_value_fen: int
    reversed_partner_fen: int
    reversed_subsidy_fen: int
    adjusted_fen: int
    net_fen: int


class LineView(BaseModel):
    """One line of a statement. reason, corrects: of an adjustment alone."""

    number: int
    statement: int
    benefit: str | None
    title: str
    payer: str | None
    payer_name: str | None
    units: int
    value_fen: int
    partner_fen: int
    subsidy_fen: int
    reversed_units: int
    reversed_value_fen: int
    reversed_partner_fen: int
    reversed_subsidy_fen: int
    net_fen: int
    corrects: int | None
    reason: str | None


class SignatureView(BaseModel):
    """One side's signature over the newest statement."""

    side: Side
    organisation: str
    name: str
    signer: str
    signature: str
    received_at: datetime


class SettlementStepView(BaseModel):
    """What happened to it. lines: those that an objection names."""

    state: SettlementState
    at: datetime
    reason: str | None
    lines: list[int]


class SettlementLineUp(BaseModel):
    """One settlement in a list. next: what the reader's side is waited for, if anything."""

    id: str
    organisation: str
    name: str
    period: str
    starts_on: date
    ends_on: date
    state: SettlementState
    statement: int
    net_fen: int
    closed_at: datetime
    record: str | None
    signed: list[Side]


class OpenPeriod(BaseModel):
    """What no settlement of a partner has taken in yet.

    closable: the newest period that is over, unless it is closed.
    """

    organisation: str
    name: str
    cycle: Cycle
    units: int
    value_fen: int
    subsidy_fen: int
    reversed_units: int
    reversed_value_fen: int
    closable: str | None


class SettlementPage(BaseModel):
    """A page of a list, the newest first. next: id after which the following page begins."""

    items: list[SettlementLineUp]
    next: str | None


class SettlementView(SettlementLineUp):
    """One settlement in full. sha256: of the newest statement's text. mine: the reader's side."""

    sha256: str
    sums: SumsView
    lines: list[LineView]
    signatures: list[SignatureView]
    steps: list[SettlementStepView]
    paid_on: date | None
    payment: str | None
    mine: Side | None
    may_sign: bool


class ActView(BaseModel):
    """A redemption or a reversal in a settlement, without the person. A reversal's amounts are negative."""

    id: str
    redemption: str
    reversal: bool
    at: datetime
    benefit_title: str
    outlet: str | None
    quantity: int
    value_fen: int
    partner_fen: int
    subsidy_fen: int
    record: str


class ActPage(BaseModel):
    """A page of acts in their order. next: what to ask the following page with."""

    items: list[ActView]
    next: str | None


class SettlementStatementView(BaseModel):
    """What an organisation signs, and by which keys it can. text: canonical JSON, whose SHA-256 is signed."""

    settlement: str
    number: int
    period: str
    text: str
    text_sha256: str
    organisation: str
    statement: str
    signers: list[str]

    def is_whole(self) -> bool:
        """Whether what is signed is the one over this very text; to be asked before it is signed."""
        digest = hashlib.sha256(self.text.encode()).hexdigest()
        made = signed_text(self.settlement, self.number, digest, self.organisation)
        return self.statement == made and self.text_sha256 == digest
