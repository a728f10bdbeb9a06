"""Table of the answers kept for Idempotency-Key."""

from datetime import datetime

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from talentseal.db import Base, Instant


class IdempotentAnswer(Base):
    """The answer given to one (account, route, key), stored in the transaction of its effect."""

    __tablename__ = "idempotent_answer"

    account_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    route: Mapped[str] = mapped_column(String(200), primary_key=True)
    """Method and path template."""
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    """SHA-256 over the path and the request's meaning."""
    status: Mapped[int] = mapped_column()
    body: Mapped[str] = mapped_column(Text)
    """The JSON answered; answers to unsafe requests carry identifiers and states, never content."""
    created_at: Mapped[datetime] = mapped_column(Instant, index=True)
