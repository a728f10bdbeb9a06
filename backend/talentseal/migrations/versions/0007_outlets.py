"""Outlets of organisations, their terminals, and who serves at them."""

import sqlalchemy as sa
from alembic import op

from talentseal.db import Instant

revision = "0007"
down_revision = "0006"

_KIND = sa.Enum("BROWSER", "DEVICE", name="terminalkind", native_enum=False, length=16)


def upgrade() -> None:
    op.create_table(
        "outlet",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("organisation_id", sa.String(length=66), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("address", sa.String(length=300), nullable=False),
        sa.Column("opened_at", Instant(), nullable=False),
        sa.Column("opened_by", sa.String(length=32), nullable=False),
        sa.Column("closed_at", Instant(), nullable=True),
        sa.Column("closed_by", sa.String(length=32), nullable=True),
        _refers("outlet", "organisation"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outlet")),
    )
    op.create_index(op.f("ix_outlet_organisation_id"), "outlet", ["organisation_id"])
    _one_at_a_time("outlet", ["organisation_id", "name"], "closed_at IS NULL")
    op.create_table(
        "terminal",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("outlet_id", sa.String(length=32), nullable=False),
        sa.Column("kind", _KIND, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("account_id", sa.String(length=32), nullable=True),
        sa.Column("added_at", Instant(), nullable=False),
        sa.Column("added_by", sa.String(length=32), nullable=False),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.Column("revoked_by", sa.String(length=32), nullable=True),
        _refers("terminal", "outlet"),
        _refers("terminal", "account"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_terminal")),
        sa.UniqueConstraint("account_id", name=op.f("uq_terminal_account_id")),
    )
    op.create_index(op.f("ix_terminal_outlet_id"), "terminal", ["outlet_id"])
    _one_at_a_time("terminal", ["outlet_id", "name"], "revoked_at IS NULL")
    op.create_table(
        "outlet_staff",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("outlet_id", sa.String(length=32), nullable=False),
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("bound_at", Instant(), nullable=False),
        sa.Column("bound_by", sa.String(length=32), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("ended_by", sa.String(length=32), nullable=True),
        _refers("outlet_staff", "outlet"),
        _refers("outlet_staff", "account"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outlet_staff")),
    )
    op.create_index(op.f("ix_outlet_staff_outlet_id"), "outlet_staff", ["outlet_id"])
    op.create_index(op.f("ix_outlet_staff_account_id"), "outlet_staff", ["account_id"])
    _one_at_a_time("outlet_staff", ["outlet_id", "account_id"], "ended_at IS NULL")


def _refers(table: str, to: str) -> sa.ForeignKeyConstraint:
    column = f"{to}_id"
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=op.f(f"fk_{table}_{column}"))


def _one_at_a_time(table: str, columns: list[str], while_: str) -> None:
    """Of the rows that still count, one alone has these values."""
    condition = sa.text(while_)
    op.create_index(
        f"uq_{table}_{columns[0]}",
        table,
        columns,
        unique=True,
        sqlite_where=condition,
        postgresql_where=condition,
    )
