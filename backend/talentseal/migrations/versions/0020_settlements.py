"""Settlements: their statements, lines, signatures and steps; an act lies in one for ever."""

import sqlalchemy as sa
from alembic import op

from talentseal.db import Instant
from talentseal.migrations.append_only import fix_once_set, protect_all_but, protect_rows

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    _settlement()
    _settlement_term()
    _settlement_line()
    _settlement_signature()
    _settlement_statement()
    _settlement_step()
    protect_all_but("settlement", "state", "statement", "paid_on", "payment", "record_id")
    for table in ("settlement_statement", "settlement_line", "settlement_signature", "settlement_step"):
        protect_rows(table)
    fix_once_set("redemption", "settlement_id")
    fix_once_set("reversal", "settlement_id")


def _settlement() -> None:
    op.create_table(
        "settlement",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("organisation_id", sa.String(length=66), nullable=False),
        sa.Column("period", sa.String(length=16), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "OPEN",
                "CLOSED",
                "CONFIRMED",
                "OBJECTED",
                "RECONCILED",
                "PAID_CONFIRMED",
                name="settlementstate",
                native_enum=False,
                length=16,
            ),
            nullable=False,
        ),
        sa.Column("statement", sa.Integer(), nullable=False),
        sa.Column("closed_by", sa.String(length=32), nullable=True),
        sa.Column("closed_at", Instant(), nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=True),
        sa.Column("payment", sa.String(length=100), nullable=True),
        sa.Column("record_id", sa.String(length=32), nullable=True),
        sa.CheckConstraint("starts_on <= ends_on", name=op.f("ck_settlement_term")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_settlement_organisation_id")
        ),
        sa.ForeignKeyConstraint(["record_id"], ["evidence_record.id"], name=op.f("fk_settlement_record_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_settlement")),
        sa.UniqueConstraint("organisation_id", "period", name=op.f("uq_settlement_organisation_id")),
    )
    op.create_index(op.f("ix_settlement_record_id"), "settlement", ["record_id"], unique=False)
    op.create_index("ix_settlement_state", "settlement", ["state", "closed_at"], unique=False)


def _settlement_term() -> None:
    op.create_table(
        "settlement_term",
        sa.Column("organisation_id", sa.String(length=66), nullable=False),
        sa.Column(
            "cycle", sa.Enum("MONTH", "QUARTER", name="cycle", native_enum=False, length=16), nullable=False
        ),
        sa.Column("set_by", sa.String(length=32), nullable=False),
        sa.Column("set_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_settlement_term_organisation_id")
        ),
        sa.PrimaryKeyConstraint("organisation_id", name=op.f("pk_settlement_term")),
    )


def _settlement_line() -> None:
    op.create_table(
        "settlement_line",
        sa.Column("settlement_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("statement", sa.Integer(), nullable=False),
        sa.Column("benefit_id", sa.String(length=32), nullable=True),
        sa.Column("title", sa.String(length=100), nullable=False),
        sa.Column("payer_id", sa.String(length=66), nullable=True),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.Column("value_fen", sa.BigInteger(), nullable=False),
        sa.Column("subsidy_fen", sa.BigInteger(), nullable=False),
        sa.Column("reversed_units", sa.BigInteger(), nullable=False),
        sa.Column("reversed_value_fen", sa.BigInteger(), nullable=False),
        sa.Column("reversed_subsidy_fen", sa.BigInteger(), nullable=False),
        sa.Column("net_fen", sa.BigInteger(), nullable=False),
        sa.Column("corrects", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.CheckConstraint(
            "reason IS NULL OR (units = 0 AND value_fen = 0 AND reversed_units = 0 AND net_fen <> 0)",
            name=op.f("ck_settlement_line_adjustment"),
        ),
        sa.CheckConstraint(
            "units >= 0 AND reversed_units >= 0 AND value_fen >= 0 AND reversed_value_fen >= 0 "
            "AND subsidy_fen BETWEEN 0 AND value_fen "
            "AND reversed_subsidy_fen BETWEEN 0 AND reversed_value_fen",
            name=op.f("ck_settlement_line_amounts"),
        ),
        sa.ForeignKeyConstraint(["benefit_id"], ["benefit.id"], name=op.f("fk_settlement_line_benefit_id")),
        sa.ForeignKeyConstraint(["payer_id"], ["organisation.id"], name=op.f("fk_settlement_line_payer_id")),
        sa.ForeignKeyConstraint(
            ["settlement_id"], ["settlement.id"], name=op.f("fk_settlement_line_settlement_id")
        ),
        sa.PrimaryKeyConstraint("settlement_id", "number", name=op.f("pk_settlement_line")),
    )


def _settlement_signature() -> None:
    op.create_table(
        "settlement_signature",
        sa.Column("settlement_id", sa.String(length=32), nullable=False),
        sa.Column("statement", sa.Integer(), nullable=False),
        sa.Column(
            "side", sa.Enum("PARTNER", "PAYER", name="side", native_enum=False, length=16), nullable=False
        ),
        sa.Column("organisation_id", sa.String(length=66), nullable=False),
        sa.Column("signer", sa.String(length=42), nullable=False),
        sa.Column("signature", sa.String(length=132), nullable=False),
        sa.Column("received_by", sa.String(length=32), nullable=False),
        sa.Column("received_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_settlement_signature_organisation_id")
        ),
        sa.ForeignKeyConstraint(
            ["settlement_id"], ["settlement.id"], name=op.f("fk_settlement_signature_settlement_id")
        ),
        sa.PrimaryKeyConstraint("settlement_id", "statement", "side", name=op.f("pk_settlement_signature")),
    )


def _settlement_statement() -> None:
    op.create_table(
        "settlement_statement",
        sa.Column("settlement_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("net_fen", sa.BigInteger(), nullable=False),
        sa.Column("made_by", sa.String(length=32), nullable=True),
        sa.Column("made_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["settlement_id"], ["settlement.id"], name=op.f("fk_settlement_statement_settlement_id")
        ),
        sa.PrimaryKeyConstraint("settlement_id", "number", name=op.f("pk_settlement_statement")),
    )


def _settlement_step() -> None:
    op.create_table(
        "settlement_step",
        sa.Column("settlement_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "OPEN",
                "CLOSED",
                "CONFIRMED",
                "OBJECTED",
                "RECONCILED",
                "PAID_CONFIRMED",
                name="settlementstate",
                native_enum=False,
                length=16,
            ),
            nullable=False,
        ),
        sa.Column("by", sa.String(length=32), nullable=True),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.Column("lines", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(
            ["settlement_id"], ["settlement.id"], name=op.f("fk_settlement_step_settlement_id")
        ),
        sa.PrimaryKeyConstraint("settlement_id", "number", name=op.f("pk_settlement_step")),
    )
