"""The State Council's holiday notices, by which working days are counted."""

import sqlalchemy as sa
from alembic import op

from talentseal.db import Instant
from talentseal.migrations.append_only import protect_rows

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "holiday_notice",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("document_number", sa.String(length=100), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("source", sa.String(length=300), nullable=False),
        sa.Column("text_sha256", sa.String(length=64), nullable=False),
        sa.Column("imported_by", sa.String(length=32), nullable=False),
        sa.Column("imported_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holiday_notice")),
        sa.UniqueConstraint("year", "number", name=op.f("uq_holiday_notice_year")),
    )
    op.create_table(
        "holiday_day",
        sa.Column("notice_id", sa.String(length=32), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column(
            "kind", sa.Enum("OFF", "WORKED", name="daykind", native_enum=False, length=16), nullable=False
        ),
        sa.Column("holiday", sa.String(length=100), nullable=False),
        sa.ForeignKeyConstraint(["notice_id"], ["holiday_notice.id"], name=op.f("fk_holiday_day_notice_id")),
        sa.PrimaryKeyConstraint("notice_id", "day", name=op.f("pk_holiday_day")),
    )
    for table in ("holiday_notice", "holiday_day"):
        protect_rows(table)
