"""Commands and read models of the evidence API."""

from datetime import datetime

from pydantic import BaseModel, Field

from sealproof.entry import Relation
from talentseal.accounts.schemas import Command
from talentseal.agreements.schemas import LongText
from talentseal.audit.events import CorrectionReason
from talentseal.audit.trail import Line
from talentseal.evidence.records import ErasureReason
from talentseal.evidence.status import RecordState


class CloseRecord(Command):
    """Correct or retract an earlier record."""

    reason: CorrectionReason
    explanation: LongText = Field(description="What is right, in words; salted and erasable like any content")


class EraseContent(Command):
    """Destroy the content behind a record's digests."""

    reason: ErasureReason


class Closure(BaseModel):
    """A later record that closes this one."""

    relation: Relation
    record: str


class RecordView(BaseModel):
    """A record without its content: what can be shown to whoever may know that it is there."""

    record: str
    kind: int
    state: RecordState
    recorded_at: datetime
    leaf_hash: str = Field(description="64 hex digits")
    index: int | None = Field(description="Place in the log; null until numbered")
    relation: Relation | None
    refers_to: str | None
    closed_by: list[Closure]
    content_kept: bool
    deadline: datetime = Field(description="By when a signed checkpoint covers the record")
    promise: str = Field(description="The same as a signed note")


class EvidenceLine(BaseModel):
    """One record of an organisation's trail, and the agreement's version or the key that it is about."""

    record: str
    kind: int
    state: RecordState
    recorded_at: datetime
    leaf_hash: str = Field(description="64 hex digits")
    index: int | None = Field(description="Place in the log; null until sealed")
    relation: str | None
    refers_to: str | None
    agreement: str | None
    version: int | None
    address: str | None = Field(description="Signing key, for records of kind 90")

    @classmethod
    def of(cls, line: Line) -> "EvidenceLine":
        subject = line.subject
        return cls(
            record=line.record,
            kind=line.kind,
            state=line.state,
            recorded_at=line.recorded_at,
            leaf_hash=line.leaf_hash,
            index=line.index,
            relation=line.relation,
            refers_to=line.refers_to,
            agreement=subject.agreement if subject else None,
            version=subject.version if subject else None,
            address=subject.address if subject else None,
        )


class EvidencePage(BaseModel):
    """A page of a trail. next: cursor of the following page, null on the last."""

    items: list[EvidenceLine]
    next: str | None


class RecordReceipt(BaseModel):
    """Answer to an unsafe request about a record."""

    record: str
    promise: str


class ErasureReceipt(BaseModel):
    """The record whose content is no more."""

    record: str
    content_kept: bool
