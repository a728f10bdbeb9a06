"""Table of the relations that close an earlier record, so that none is closed twice the same way."""

from sqlalchemy import Enum, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from sealproof.entry import Relation
from talentseal.db import Base


class RecordClosure(Base):
    """`record_id` closes `target_id` by `relation`; the primary key admits one such closure."""

    __tablename__ = "record_closure"

    target_id: Mapped[str] = mapped_column(ForeignKey("evidence_record.id"), primary_key=True)
    relation: Mapped[Relation] = mapped_column(Enum(Relation, native_enum=False, length=16), primary_key=True)
    record_id: Mapped[str] = mapped_column(ForeignKey("evidence_record.id"), unique=True)
    signer_class: Mapped[int] = mapped_column()
    """Rank of whoever closed it (`corrections.SignerClass`)."""
    account_id: Mapped[str] = mapped_column(String(32))
