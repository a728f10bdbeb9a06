"""Contribution value: formulas, ratings, the ledger, closed quarters, rewards."""

import sqlalchemy as sa
from alembic import op

from talentseal.db import Instant
from talentseal.migrations.append_only import fix_once_set, protect_all_but, protect_rows

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    _contribution_period()
    _contribution_rating()
    _contribution_formula()
    _contribution_standing()
    _reward_decision()
    _contribution_entry()
    protect_all_but("contribution_entry", "period")
    fix_once_set("contribution_entry", "period")
    for table in (
        "contribution_formula",
        "contribution_rating",
        "contribution_period",
        "contribution_standing",
    ):
        protect_rows(table)


def _contribution_period() -> None:
    op.create_table(
        "contribution_period",
        sa.Column("period", sa.String(length=16), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("closed_by", sa.String(length=32), nullable=False),
        sa.Column("closed_at", Instant(), nullable=False),
        sa.Column("record_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["record_id"], ["evidence_record.id"], name=op.f("fk_contribution_period_record_id")
        ),
        sa.PrimaryKeyConstraint("period", name=op.f("pk_contribution_period")),
    )
    op.create_index(
        op.f("ix_contribution_period_record_id"), "contribution_period", ["record_id"], unique=False
    )


def _contribution_rating() -> None:
    op.create_table(
        "contribution_rating",
        sa.Column("organisation_id", sa.String(length=66), nullable=False),
        sa.Column("period", sa.String(length=16), nullable=False),
        sa.Column("stars", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("rated_by", sa.String(length=32), nullable=False),
        sa.Column("rated_at", Instant(), nullable=False),
        sa.CheckConstraint("stars BETWEEN 1 AND 5", name=op.f("ck_contribution_rating_stars")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_contribution_rating_organisation_id")
        ),
        sa.PrimaryKeyConstraint("organisation_id", "period", name=op.f("pk_contribution_rating")),
    )


def _contribution_formula() -> None:
    op.create_table(
        "contribution_formula",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("measure_id", sa.String(length=32), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("entered_by", sa.String(length=32), nullable=False),
        sa.Column("entered_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["measure_id"], ["measure.id"], name=op.f("fk_contribution_formula_measure_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contribution_formula")),
        sa.UniqueConstraint("measure_id", name=op.f("uq_contribution_formula_measure_id")),
        sa.UniqueConstraint("number", name=op.f("uq_contribution_formula_number")),
    )


def _contribution_standing() -> None:
    op.create_table(
        "contribution_standing",
        sa.Column("period", sa.String(length=16), nullable=False),
        sa.Column("organisation_id", sa.String(length=66), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("entries", sa.BigInteger(), nullable=False),
        sa.Column("concession_fen", sa.BigInteger(), nullable=False),
        sa.Column("contribution", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_contribution_standing_organisation_id")
        ),
        sa.ForeignKeyConstraint(
            ["period"], ["contribution_period.period"], name=op.f("fk_contribution_standing_period")
        ),
        sa.PrimaryKeyConstraint("period", "organisation_id", name=op.f("pk_contribution_standing")),
    )


def _reward_decision() -> None:
    op.create_table(
        "reward_decision",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("organisation_id", sa.String(length=66), nullable=False),
        sa.Column("period", sa.String(length=16), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("MATERIAL", "MORAL", name="rewardkind", native_enum=False, length=16),
            nullable=False,
        ),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column(
            "state",
            sa.Enum("PROPOSED", "GRANTED", "DECLINED", name="rewardstate", native_enum=False, length=16),
            nullable=False,
        ),
        sa.Column("proposed_by", sa.String(length=32), nullable=False),
        sa.Column("proposed_at", Instant(), nullable=False),
        sa.Column("decided_by", sa.String(length=32), nullable=True),
        sa.Column("decided_at", Instant(), nullable=True),
        sa.Column("decision", sa.String(length=500), nullable=True),
        sa.Column("record_id", sa.String(length=32), nullable=True),
        sa.CheckConstraint(
            "(kind = 'MATERIAL') = (amount_fen IS NOT NULL)", name=op.f("ck_reward_decision_amount")
        ),
        sa.CheckConstraint(
            "decided_by IS NULL OR decided_by <> proposed_by", name=op.f("ck_reward_decision_persons")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_reward_decision_organisation_id")
        ),
        sa.ForeignKeyConstraint(
            ["period"], ["contribution_period.period"], name=op.f("fk_reward_decision_period")
        ),
        sa.ForeignKeyConstraint(
            ["record_id"], ["evidence_record.id"], name=op.f("fk_reward_decision_record_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reward_decision")),
    )
    op.create_index(
        "ix_reward_decision_organisation", "reward_decision", ["organisation_id", "proposed_at"], unique=False
    )
    op.create_index(op.f("ix_reward_decision_record_id"), "reward_decision", ["record_id"], unique=False)


def _contribution_entry() -> None:
    op.create_table(
        "contribution_entry",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("organisation_id", sa.String(length=66), nullable=False),
        sa.Column("redemption_id", sa.String(length=32), nullable=False),
        sa.Column("reversal_id", sa.String(length=32), nullable=True),
        sa.Column("formula_id", sa.String(length=32), nullable=False),
        sa.Column(
            "category",
            sa.Enum("GOVERNMENT", "FINANCIAL", "CONSUMPTION", name="category", native_enum=False, length=16),
            nullable=False,
        ),
        sa.Column("concession_fen", sa.BigInteger(), nullable=False),
        sa.Column("weight_bp", sa.Integer(), nullable=False),
        sa.Column("rating_bp", sa.Integer(), nullable=False),
        sa.Column("contribution", sa.BigInteger(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("posted_at", Instant(), nullable=False),
        sa.Column("period", sa.String(length=16), nullable=True),
        sa.CheckConstraint(
            "(reversal_id IS NULL AND concession_fen >= 0 AND contribution >= 0) "
            "OR (reversal_id IS NOT NULL AND concession_fen <= 0 AND contribution <= 0)",
            name=op.f("ck_contribution_entry_sign"),
        ),
        sa.ForeignKeyConstraint(
            ["formula_id"], ["contribution_formula.id"], name=op.f("fk_contribution_entry_formula_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_contribution_entry_organisation_id")
        ),
        sa.ForeignKeyConstraint(
            ["redemption_id"], ["redemption.id"], name=op.f("fk_contribution_entry_redemption_id")
        ),
        sa.ForeignKeyConstraint(
            ["reversal_id"], ["reversal.id"], name=op.f("fk_contribution_entry_reversal_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contribution_entry")),
        sa.UniqueConstraint("reversal_id", name=op.f("uq_contribution_entry_reversal_id")),
    )
    op.create_index(
        "ix_contribution_entry_open",
        "contribution_entry",
        ["at"],
        unique=False,
        sqlite_where=sa.text("period IS NULL"),
        postgresql_where=sa.text("period IS NULL"),
    )
    op.create_index(
        "ix_contribution_entry_organisation", "contribution_entry", ["organisation_id", "at"], unique=False
    )
    op.create_index(
        "ix_contribution_entry_period", "contribution_entry", ["period", "organisation_id"], unique=False
    )
    op.create_index(
        op.f("ix_contribution_entry_redemption_id"), "contribution_entry", ["redemption_id"], unique=False
    )
    op.create_index(
        "uq_contribution_entry_given",
        "contribution_entry",
        ["redemption_id"],
        unique=True,
        sqlite_where=sa.text("reversal_id IS NULL"),
        postgresql_where=sa.text("reversal_id IS NULL"),
    )
