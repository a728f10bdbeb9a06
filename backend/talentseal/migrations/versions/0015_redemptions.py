"""Benefits with their versions, budgets and counters; redemptions and their reversals."""

import sqlalchemy as sa
from alembic import op

from talentseal.db import Instant
from talentseal.migrations.append_only import protect_rows

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    _benefit()
    _benefit_version()
    _budget()
    _benefit_outlet()
    _benefit_step()
    _benefit_tier()
    _budget_alarm()
    _exclusion_use()
    _quota_use()
    _redemption_refusal()
    _static_use()
    _redemption()
    _reversal()
    protect_rows("benefit_step")
    op.add_column(
        "agreement_version",
        sa.Column("survives_instrument", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.add_column("presentation", sa.Column("token_digest", sa.LargeBinary(length=32), nullable=True))


def _benefit() -> None:
    op.create_table(
        "benefit",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("organisation_id", sa.String(length=66), nullable=False),
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column(
            "category",
            sa.Enum("GOVERNMENT", "FINANCIAL", "CONSUMPTION", name="category", native_enum=False, length=16),
            nullable=False,
        ),
        sa.Column("created_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_benefit_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_benefit")),
        sa.UniqueConstraint("organisation_id", "number", name=op.f("uq_benefit_organisation_id")),
    )


def _benefit_version() -> None:
    op.create_table(
        "benefit_version",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("benefit_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "DRAFT",
                "REVIEW",
                "PUBLISHED",
                "PAUSED",
                "EXHAUSTED",
                "WITHDRAWN",
                "EXPIRED",
                name="benefitstate",
                native_enum=False,
                length=16,
            ),
            nullable=False,
        ),
        sa.Column("title", sa.String(length=100), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("showings", sa.String(length=64), nullable=False),
        sa.Column(
            "quota_period",
            sa.Enum(
                "DAY",
                "WEEK",
                "MONTH",
                "QUARTER",
                "YEAR",
                "TERM",
                name="quotaperiod",
                native_enum=False,
                length=16,
            ),
            nullable=False,
        ),
        sa.Column("value_fen", sa.BigInteger(), nullable=True),
        sa.Column("value_limit_fen", sa.BigInteger(), nullable=True),
        sa.Column("subsidy_bp", sa.Integer(), nullable=False),
        sa.Column("low_risk", sa.Boolean(), nullable=False),
        sa.Column("exclusion_group", sa.String(length=64), nullable=True),
        sa.Column("agreement_id", sa.String(length=66), nullable=True),
        sa.Column("stipulation_position", sa.Integer(), nullable=True),
        sa.Column("measure_id", sa.String(length=32), nullable=True),
        sa.Column("reversal_minutes", sa.Integer(), nullable=False),
        sa.Column("proposed_by", sa.String(length=32), nullable=False),
        sa.Column("proposed_at", Instant(), nullable=False),
        sa.Column("decided_by", sa.String(length=32), nullable=True),
        sa.Column("published_at", Instant(), nullable=True),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.CheckConstraint("starts_on <= ends_on", name=op.f("ck_benefit_version_term")),
        sa.ForeignKeyConstraint(["benefit_id"], ["benefit.id"], name=op.f("fk_benefit_version_benefit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_benefit_version")),
        sa.UniqueConstraint("benefit_id", "number", name=op.f("uq_benefit_version_benefit_id")),
    )
    op.create_index("ix_benefit_version_state", "benefit_version", ["state", "starts_on"], unique=False)


def _budget() -> None:
    op.create_table(
        "budget",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("benefit_id", sa.String(length=32), nullable=False),
        sa.Column("owner_id", sa.String(length=66), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("limit_units", sa.BigInteger(), nullable=True),
        sa.Column("limit_fen", sa.BigInteger(), nullable=True),
        sa.Column("used_units", sa.BigInteger(), nullable=False),
        sa.Column("used_fen", sa.BigInteger(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.CheckConstraint(
            "used_fen >= 0 AND (limit_fen IS NULL OR used_fen <= limit_fen)", name=op.f("ck_budget_fen")
        ),
        sa.CheckConstraint(
            "used_units >= 0 AND (limit_units IS NULL OR used_units <= limit_units)",
            name=op.f("ck_budget_units"),
        ),
        sa.ForeignKeyConstraint(["benefit_id"], ["benefit.id"], name=op.f("fk_budget_benefit_id")),
        sa.ForeignKeyConstraint(["owner_id"], ["organisation.id"], name=op.f("fk_budget_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_budget")),
        sa.UniqueConstraint("benefit_id", "starts_on", name=op.f("uq_budget_benefit_id")),
    )


def _benefit_outlet() -> None:
    op.create_table(
        "benefit_outlet",
        sa.Column("version_id", sa.String(length=32), nullable=False),
        sa.Column("outlet_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["outlet_id"], ["outlet.id"], name=op.f("fk_benefit_outlet_outlet_id")),
        sa.ForeignKeyConstraint(
            ["version_id"], ["benefit_version.id"], name=op.f("fk_benefit_outlet_version_id")
        ),
        sa.PrimaryKeyConstraint("version_id", "outlet_id", name=op.f("pk_benefit_outlet")),
    )


def _benefit_step() -> None:
    op.create_table(
        "benefit_step",
        sa.Column("version_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "DRAFT",
                "REVIEW",
                "PUBLISHED",
                "PAUSED",
                "EXHAUSTED",
                "WITHDRAWN",
                "EXPIRED",
                name="benefitstate",
                native_enum=False,
                length=16,
            ),
            nullable=False,
        ),
        sa.Column("by", sa.String(length=32), nullable=True),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.ForeignKeyConstraint(
            ["version_id"], ["benefit_version.id"], name=op.f("fk_benefit_step_version_id")
        ),
        sa.PrimaryKeyConstraint("version_id", "number", name=op.f("pk_benefit_step")),
    )


def _benefit_tier() -> None:
    op.create_table(
        "benefit_tier",
        sa.Column("version_id", sa.String(length=32), nullable=False),
        sa.Column(
            "tier",
            sa.Enum(
                "HIGH_A",
                "HIGH_B",
                "HIGH_C",
                "HIGH_D",
                "HIGH_E",
                "YOUTH",
                "SOCIALISED",
                "RESERVE",
                name="tier",
                native_enum=False,
                length=16,
            ),
            nullable=False,
        ),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("quota", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["version_id"], ["benefit_version.id"], name=op.f("fk_benefit_tier_version_id")
        ),
        sa.PrimaryKeyConstraint("version_id", "tier", "starts_on", name=op.f("pk_benefit_tier")),
    )


def _budget_alarm() -> None:
    op.create_table(
        "budget_alarm",
        sa.Column("budget_id", sa.String(length=32), nullable=False),
        sa.Column("percent", sa.Integer(), nullable=False),
        sa.Column("reached_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["budget_id"], ["budget.id"], name=op.f("fk_budget_alarm_budget_id")),
        sa.PrimaryKeyConstraint("budget_id", "percent", name=op.f("pk_budget_alarm")),
    )


def _exclusion_use() -> None:
    op.create_table(
        "exclusion_use",
        sa.Column("talent_id", sa.String(length=32), nullable=False),
        sa.Column("exclusion_group", sa.String(length=64), nullable=False),
        sa.Column("period", sa.String(length=16), nullable=False),
        sa.Column("benefit_id", sa.String(length=32), nullable=False),
        sa.Column("used", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("used >= 0", name=op.f("ck_exclusion_use_used")),
        sa.ForeignKeyConstraint(["benefit_id"], ["benefit.id"], name=op.f("fk_exclusion_use_benefit_id")),
        sa.ForeignKeyConstraint(["talent_id"], ["talent.id"], name=op.f("fk_exclusion_use_talent_id")),
        sa.PrimaryKeyConstraint("talent_id", "exclusion_group", "period", name=op.f("pk_exclusion_use")),
    )


def _quota_use() -> None:
    op.create_table(
        "quota_use",
        sa.Column("talent_id", sa.String(length=32), nullable=False),
        sa.Column("benefit_id", sa.String(length=32), nullable=False),
        sa.Column("period", sa.String(length=16), nullable=False),
        sa.Column("used", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("used >= 0", name=op.f("ck_quota_use_used")),
        sa.ForeignKeyConstraint(["benefit_id"], ["benefit.id"], name=op.f("fk_quota_use_benefit_id")),
        sa.ForeignKeyConstraint(["talent_id"], ["talent.id"], name=op.f("fk_quota_use_talent_id")),
        sa.PrimaryKeyConstraint("talent_id", "benefit_id", "period", name=op.f("pk_quota_use")),
    )


def _redemption_refusal() -> None:
    op.create_table(
        "redemption_refusal",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("talent_id", sa.String(length=32), nullable=False),
        sa.Column("benefit_id", sa.String(length=32), nullable=False),
        sa.Column("version_id", sa.String(length=32), nullable=True),
        sa.Column("organisation_id", sa.String(length=66), nullable=False),
        sa.Column("outlet_id", sa.String(length=32), nullable=False),
        sa.Column(
            "refusal",
            sa.Enum(
                "CODE_SUSPENDED",
                "CODE_TERMINATED",
                "REVIEW_OVERDUE",
                "CARD_FROZEN",
                "INSTRUMENT_EXPIRED",
                "AGREEMENT_NOT_IN_FORCE",
                "BENEFIT_NOT_PUBLISHED",
                "OUTLET_NOT_COVERED",
                "TIER_NOT_ELIGIBLE",
                "CHANNEL_NOT_ALLOWED",
                "CONSENT_MISSING",
                "EXCLUSION_CONFLICT",
                "QUOTA_EXHAUSTED",
                "BUDGET_EXHAUSTED",
                "VALUE_OVER_LIMIT",
                "SECOND_FACTOR_REQUIRED",
                name="refusal",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_redemption_refusal_organisation_id")
        ),
        sa.ForeignKeyConstraint(["outlet_id"], ["outlet.id"], name=op.f("fk_redemption_refusal_outlet_id")),
        sa.ForeignKeyConstraint(["talent_id"], ["talent.id"], name=op.f("fk_redemption_refusal_talent_id")),
        sa.ForeignKeyConstraint(
            ["version_id"], ["benefit_version.id"], name=op.f("fk_redemption_refusal_version_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_redemption_refusal")),
    )
    op.create_index("ix_redemption_refusal_talent", "redemption_refusal", ["talent_id", "at"], unique=False)


def _static_use() -> None:
    op.create_table(
        "static_use",
        sa.Column("talent_id", sa.String(length=32), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("used_fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("used_fen >= 0", name=op.f("ck_static_use_used")),
        sa.ForeignKeyConstraint(["talent_id"], ["talent.id"], name=op.f("fk_static_use_talent_id")),
        sa.PrimaryKeyConstraint("talent_id", "day", name=op.f("pk_static_use")),
    )


def _redemption() -> None:
    op.create_table(
        "redemption",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("version_id", sa.String(length=32), nullable=False),
        sa.Column("talent_id", sa.String(length=32), nullable=False),
        sa.Column("talent_ref", sa.String(length=32), nullable=False),
        sa.Column("code_id", sa.String(length=32), nullable=False),
        sa.Column("presentation_id", sa.String(length=32), nullable=True),
        sa.Column("organisation_id", sa.String(length=66), nullable=False),
        sa.Column("outlet_id", sa.String(length=32), nullable=True),
        sa.Column("terminal_id", sa.String(length=32), nullable=True),
        sa.Column("staff_id", sa.String(length=32), nullable=True),
        sa.Column(
            "channel",
            sa.Enum("SCAN", "NUMERIC", "SWIPE", name="channel", native_enum=False, length=16),
            nullable=True,
        ),
        sa.Column(
            "tier",
            sa.Enum(
                "HIGH_A",
                "HIGH_B",
                "HIGH_C",
                "HIGH_D",
                "HIGH_E",
                "YOUTH",
                "SOCIALISED",
                "RESERVE",
                name="tier",
                native_enum=False,
                length=16,
            ),
            nullable=False,
        ),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("list_value_fen", sa.BigInteger(), nullable=True),
        sa.Column("value_fen", sa.BigInteger(), nullable=False),
        sa.Column("subsidy_fen", sa.BigInteger(), nullable=False),
        sa.Column("period", sa.String(length=16), nullable=False),
        sa.Column("budget_id", sa.String(length=32), nullable=True),
        sa.Column("agreement_version_id", sa.String(length=32), nullable=True),
        sa.Column("instrument_version_id", sa.String(length=32), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "RESERVED",
                "COMPLETED",
                "PARTIALLY_REVERSED",
                "REVERSED",
                "RELEASED",
                "DISPUTED",
                "SETTLED",
                name="redemptionstate",
                native_enum=False,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("reserved_until", Instant(), nullable=True),
        sa.Column("completed_at", Instant(), nullable=True),
        sa.Column("released_at", Instant(), nullable=True),
        sa.Column(
            "release",
            sa.Enum("CANCELLED", "LAPSED", "CODE_ENDED", name="release", native_enum=False, length=16),
            nullable=True,
        ),
        sa.Column("reversed_units", sa.Integer(), nullable=False),
        sa.Column("reversed_fen", sa.BigInteger(), nullable=False),
        sa.Column("record_id", sa.String(length=32), nullable=True),
        sa.Column("settlement_id", sa.String(length=32), nullable=True),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_redemption_quantity")),
        sa.CheckConstraint(
            "reversed_units BETWEEN 0 AND quantity AND reversed_fen BETWEEN 0 AND value_fen",
            name=op.f("ck_redemption_reversed"),
        ),
        sa.CheckConstraint(
            "value_fen >= 0 AND subsidy_fen BETWEEN 0 AND value_fen", name=op.f("ck_redemption_value")
        ),
        sa.ForeignKeyConstraint(
            ["agreement_version_id"],
            ["agreement_version.id"],
            name=op.f("fk_redemption_agreement_version_id"),
        ),
        sa.ForeignKeyConstraint(["budget_id"], ["budget.id"], name=op.f("fk_redemption_budget_id")),
        sa.ForeignKeyConstraint(["code_id"], ["talent_code.id"], name=op.f("fk_redemption_code_id")),
        sa.ForeignKeyConstraint(
            ["instrument_version_id"],
            ["instrument_version.id"],
            name=op.f("fk_redemption_instrument_version_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_redemption_organisation_id")
        ),
        sa.ForeignKeyConstraint(["outlet_id"], ["outlet.id"], name=op.f("fk_redemption_outlet_id")),
        sa.ForeignKeyConstraint(
            ["presentation_id"], ["presentation.id"], name=op.f("fk_redemption_presentation_id")
        ),
        sa.ForeignKeyConstraint(["record_id"], ["evidence_record.id"], name=op.f("fk_redemption_record_id")),
        sa.ForeignKeyConstraint(["talent_id"], ["talent.id"], name=op.f("fk_redemption_talent_id")),
        sa.ForeignKeyConstraint(["terminal_id"], ["terminal.id"], name=op.f("fk_redemption_terminal_id")),
        sa.ForeignKeyConstraint(
            ["version_id"], ["benefit_version.id"], name=op.f("fk_redemption_version_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_redemption")),
    )
    op.create_index("ix_redemption_organisation", "redemption", ["organisation_id", "made_at"], unique=False)
    op.create_index(op.f("ix_redemption_presentation_id"), "redemption", ["presentation_id"], unique=False)
    op.create_index(
        "ix_redemption_reserved",
        "redemption",
        ["reserved_until"],
        unique=False,
        sqlite_where=sa.text("state = 'RESERVED'"),
        postgresql_where=sa.text("state = 'RESERVED'"),
    )
    op.create_index(op.f("ix_redemption_settlement_id"), "redemption", ["settlement_id"], unique=False)
    op.create_index("ix_redemption_talent", "redemption", ["talent_id", "made_at"], unique=False)
    op.create_index(
        "ix_redemption_unsettled",
        "redemption",
        ["organisation_id", "completed_at"],
        unique=False,
        sqlite_where=sa.text("completed_at IS NOT NULL AND settlement_id IS NULL"),
        postgresql_where=sa.text("completed_at IS NOT NULL AND settlement_id IS NULL"),
    )


def _reversal() -> None:
    op.create_table(
        "reversal",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("redemption_id", sa.String(length=32), nullable=False),
        sa.Column("organisation_id", sa.String(length=66), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("value_fen", sa.BigInteger(), nullable=False),
        sa.Column("subsidy_fen", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("by", sa.String(length=32), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("record_id", sa.String(length=32), nullable=False),
        sa.Column("settlement_id", sa.String(length=32), nullable=True),
        sa.CheckConstraint("quantity > 0 AND value_fen >= 0", name=op.f("ck_reversal_value")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_reversal_organisation_id")
        ),
        sa.ForeignKeyConstraint(["record_id"], ["evidence_record.id"], name=op.f("fk_reversal_record_id")),
        sa.ForeignKeyConstraint(["redemption_id"], ["redemption.id"], name=op.f("fk_reversal_redemption_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reversal")),
    )
    op.create_index(op.f("ix_reversal_redemption_id"), "reversal", ["redemption_id"], unique=False)
    op.create_index(op.f("ix_reversal_settlement_id"), "reversal", ["settlement_id"], unique=False)
    op.create_index(
        "ix_reversal_unsettled",
        "reversal",
        ["organisation_id", "at"],
        unique=False,
        sqlite_where=sa.text("settlement_id IS NULL"),
        postgresql_where=sa.text("settlement_id IS NULL"),
    )
