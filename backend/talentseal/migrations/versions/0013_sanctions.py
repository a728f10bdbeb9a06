"""Suspension rules and their signatures, facts, cases, restrictions, terminations."""

import sqlalchemy as sa
from alembic import op

from talentseal.db import Instant
from talentseal.migrations.append_only import protect_rows

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    _rules()
    _facts()
    _cases()
    _terminations()
    op.create_index(
        "ix_presentation_refusal_replays",
        "presentation_refusal",
        ["refused_at"],
        unique=False,
        sqlite_where=sa.text("refusal = 'TOKEN_USED'"),
        postgresql_where=sa.text("refusal = 'TOKEN_USED'"),
    )
    for table in ("rule_signature", "case_fact", "case_step", "termination_decision", "termination_step"):
        protect_rows(table)


def _rules() -> None:
    op.create_table(
        "suspension_rule",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("rule", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column(
            "trigger_kind",
            sa.Enum(
                "CREDENTIAL_SHARED",
                "CREDENTIAL_TAMPERED",
                "TOKEN_REPLAY_GE_N",
                "PRESENTER_MISMATCH",
                "DEVICE_COUNT_GE_N",
                "QUOTA_ABUSE",
                "NO_SHOW_GE_N",
                "REVIEW_OVERDUE",
                "UNVERIFIED_DATA",
                name="trigger",
                native_enum=False,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("drafted_by", sa.String(length=32), nullable=False),
        sa.Column("drafted_at", Instant(), nullable=False),
        sa.Column("refused_by", sa.String(length=66), nullable=True),
        sa.Column("refused_at", Instant(), nullable=True),
        sa.Column("refusal", sa.String(length=500), nullable=True),
        sa.Column("approved_at", Instant(), nullable=True),
        sa.Column("in_force_from", Instant(), nullable=True),
        sa.Column("superseded_from", Instant(), nullable=True),
        sa.Column("version_id", sa.String(length=32), nullable=True),
        sa.Column("article", sa.Integer(), nullable=True),
        sa.Column("record_id", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(
            ["record_id"], ["evidence_record.id"], name=op.f("fk_suspension_rule_record_id")
        ),
        sa.ForeignKeyConstraint(
            ["refused_by"], ["organisation.id"], name=op.f("fk_suspension_rule_refused_by")
        ),
        sa.ForeignKeyConstraint(
            ["version_id"], ["instrument_version.id"], name=op.f("fk_suspension_rule_version_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suspension_rule")),
        sa.UniqueConstraint("rule", "number", name=op.f("uq_suspension_rule_rule")),
    )
    op.create_index(op.f("ix_suspension_rule_record_id"), "suspension_rule", ["record_id"], unique=False)
    op.create_index(
        "ix_suspension_rule_trigger", "suspension_rule", ["trigger_kind", "in_force_from"], unique=False
    )
    op.create_table(
        "rule_signature",
        sa.Column("rule_version_id", sa.String(length=32), nullable=False),
        sa.Column("side", sa.String(length=66), nullable=False),
        sa.Column("organisation_id", sa.String(length=66), nullable=False),
        sa.Column("signer", sa.String(length=42), nullable=False),
        sa.Column("signature", sa.String(length=132), nullable=False),
        sa.Column("received_by", sa.String(length=32), nullable=False),
        sa.Column("received_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_rule_signature_organisation_id")
        ),
        sa.ForeignKeyConstraint(
            ["rule_version_id"], ["suspension_rule.id"], name=op.f("fk_rule_signature_rule_version_id")
        ),
        sa.PrimaryKeyConstraint("rule_version_id", "side", name=op.f("pk_rule_signature")),
    )


def _facts() -> None:
    op.create_table(
        "sanction_fact",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column(
            "trigger_kind",
            sa.Enum(
                "CREDENTIAL_SHARED",
                "CREDENTIAL_TAMPERED",
                "TOKEN_REPLAY_GE_N",
                "PRESENTER_MISMATCH",
                "DEVICE_COUNT_GE_N",
                "QUOTA_ABUSE",
                "NO_SHOW_GE_N",
                "REVIEW_OVERDUE",
                "UNVERIFIED_DATA",
                name="trigger",
                native_enum=False,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("code_id", sa.String(length=32), nullable=False),
        sa.Column("organisation_id", sa.String(length=66), nullable=True),
        sa.Column("occurred_at", Instant(), nullable=False),
        sa.Column("noted_at", Instant(), nullable=False),
        sa.Column(
            "source",
            sa.Enum("RECORDS", "REPORT", name="factsource", native_enum=False, length=16),
            nullable=False,
        ),
        sa.Column("reference", sa.String(length=200), nullable=False),
        sa.Column("noted_by", sa.String(length=32), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("cured_at", Instant(), nullable=True),
        sa.Column("examined_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["code_id"], ["talent_code.id"], name=op.f("fk_sanction_fact_code_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_sanction_fact_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sanction_fact")),
        sa.UniqueConstraint("trigger_kind", "reference", name=op.f("uq_sanction_fact_trigger_kind")),
    )
    op.create_index(
        "ix_sanction_fact_of_code", "sanction_fact", ["code_id", "trigger_kind", "occurred_at"], unique=False
    )
    op.create_index(
        "ix_sanction_fact_unexamined",
        "sanction_fact",
        ["noted_at"],
        unique=False,
        sqlite_where=sa.text("examined_at IS NULL"),
        postgresql_where=sa.text("examined_at IS NULL"),
    )


def _cases() -> None:
    op.create_table(
        "suspension_case",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("rule_version_id", sa.String(length=32), nullable=False),
        sa.Column("code_id", sa.String(length=32), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "DETECTED",
                "PROVISIONAL",
                "NOTIFIED",
                "STATEMENT_OPEN",
                "SUSPENDED",
                "DISMISSED",
                "APPEALED",
                "UPHELD",
                "LIFTED",
                "REFERRED_FOR_TERMINATION",
                name="casestate",
                native_enum=False,
            ),
            nullable=False,
        ),
        sa.Column("opened_at", Instant(), nullable=False),
        sa.Column("statement_from", sa.Date(), nullable=False),
        sa.Column("statement_through", sa.Date(), nullable=False),
        sa.Column("stated_at", Instant(), nullable=True),
        sa.Column("provisional_until", Instant(), nullable=True),
        sa.Column("decided_by", sa.String(length=32), nullable=True),
        sa.Column("decided_at", Instant(), nullable=True),
        sa.Column("suspended_through", sa.Date(), nullable=True),
        sa.Column("until_cured", sa.Boolean(), nullable=False),
        sa.Column("appeal_through", sa.Date(), nullable=True),
        sa.Column("closed_at", Instant(), nullable=True),
        sa.Column("record_id", sa.String(length=32), nullable=True),
        sa.Column("lifting_record_id", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(["code_id"], ["talent_code.id"], name=op.f("fk_suspension_case_code_id")),
        sa.ForeignKeyConstraint(
            ["lifting_record_id"], ["evidence_record.id"], name=op.f("fk_suspension_case_lifting_record_id")
        ),
        sa.ForeignKeyConstraint(
            ["record_id"], ["evidence_record.id"], name=op.f("fk_suspension_case_record_id")
        ),
        sa.ForeignKeyConstraint(
            ["rule_version_id"], ["suspension_rule.id"], name=op.f("fk_suspension_case_rule_version_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suspension_case")),
    )
    op.create_index(op.f("ix_suspension_case_code_id"), "suspension_case", ["code_id"], unique=False)
    op.create_index(
        op.f("ix_suspension_case_lifting_record_id"), "suspension_case", ["lifting_record_id"], unique=False
    )
    op.create_index(op.f("ix_suspension_case_record_id"), "suspension_case", ["record_id"], unique=False)
    op.create_index(
        op.f("ix_suspension_case_suspended_through"), "suspension_case", ["suspended_through"], unique=False
    )
    op.create_index("ix_suspension_case_worklist", "suspension_case", ["state", "opened_at"], unique=False)
    op.create_index(
        "uq_suspension_case_open",
        "suspension_case",
        ["rule_version_id", "code_id"],
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "case_fact",
        sa.Column("fact_id", sa.String(length=32), nullable=False),
        sa.Column("rule_version_id", sa.String(length=32), nullable=False),
        sa.Column("case_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["suspension_case.id"], name=op.f("fk_case_fact_case_id")),
        sa.ForeignKeyConstraint(["fact_id"], ["sanction_fact.id"], name=op.f("fk_case_fact_fact_id")),
        sa.ForeignKeyConstraint(
            ["rule_version_id"], ["suspension_rule.id"], name=op.f("fk_case_fact_rule_version_id")
        ),
        sa.PrimaryKeyConstraint("fact_id", "rule_version_id", name=op.f("pk_case_fact")),
    )
    op.create_index(op.f("ix_case_fact_case_id"), "case_fact", ["case_id"], unique=False)
    op.create_table(
        "case_step",
        sa.Column("case_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(
            "act",
            sa.Enum(
                "DETECTED",
                "NOTIFIED",
                "SUSPENDED_PROVISIONALLY",
                "PROVISION_LAPSED",
                "HEARING_OPENED",
                "STATED",
                "SUSPENDED",
                "DISMISSED",
                "APPEALED",
                "UPHELD",
                "LIFTED_ON_APPEAL",
                "LIFTED_BY_DATE",
                "LIFTED_AS_CURED",
                "REFERRED",
                name="caseact",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "DETECTED",
                "PROVISIONAL",
                "NOTIFIED",
                "STATEMENT_OPEN",
                "SUSPENDED",
                "DISMISSED",
                "APPEALED",
                "UPHELD",
                "LIFTED",
                "REFERRED_FOR_TERMINATION",
                name="casestate",
                native_enum=False,
            ),
            nullable=False,
        ),
        sa.Column("taken_at", Instant(), nullable=False),
        sa.Column("account_id", sa.String(length=32), nullable=True),
        sa.Column(
            "role",
            sa.Enum(
                "TALENT",
                "PARTNER",
                "THIRD_PARTY",
                "OPERATOR",
                "TALENT_OFFICE",
                "BIG_DATA_BUREAU",
                "FINANCIAL_AFFAIRS_BUREAU",
                "BUREAU",
                "LEADING_GROUP",
                "MANAGEMENT_COMMITTEE",
                "AUDITOR",
                name="role",
                native_enum=False,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["suspension_case.id"], name=op.f("fk_case_step_case_id")),
        sa.PrimaryKeyConstraint("case_id", "number", name=op.f("pk_case_step")),
    )
    op.create_table(
        "restriction",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("code_id", sa.String(length=32), nullable=False),
        sa.Column("case_id", sa.String(length=32), nullable=False),
        sa.Column(
            "reach",
            sa.Enum("ALL", "CATEGORY", "PARTNER", "BENEFIT", name="reach", native_enum=False, length=16),
            nullable=False,
        ),
        sa.Column("value", sa.String(length=200), nullable=True),
        sa.Column("from_at", Instant(), nullable=False),
        sa.Column("until_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["suspension_case.id"], name=op.f("fk_restriction_case_id")),
        sa.ForeignKeyConstraint(["code_id"], ["talent_code.id"], name=op.f("fk_restriction_code_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_restriction")),
    )
    op.create_index(op.f("ix_restriction_case_id"), "restriction", ["case_id"], unique=False)
    op.create_index(
        "ix_restriction_code_id",
        "restriction",
        ["code_id"],
        unique=False,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )


def _terminations() -> None:
    op.create_table(
        "termination_case",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("code_id", sa.String(length=32), nullable=False),
        sa.Column(
            "ground",
            sa.Enum(
                "LEFT_AREA",
                "FALSE_MATERIALS",
                "SERIOUS_MISCONDUCT",
                "OTHER_UNSUITABLE",
                "PERSONAL_USE_BREACH",
                name="ground",
                native_enum=False,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "PROPOSED",
                "NOTIFIED",
                "STATEMENT_OPEN",
                "DECIDED",
                "DISMISSED",
                "APPEALED",
                "UPHELD",
                "ANNULLED",
                name="terminationstate",
                native_enum=False,
                length=16,
            ),
            nullable=False,
        ),
        sa.Column("proposed_by", sa.String(length=32), nullable=False),
        sa.Column("proposed_for", sa.String(length=66), nullable=False),
        sa.Column("proposed_at", Instant(), nullable=False),
        sa.Column("case_id", sa.String(length=32), nullable=True),
        sa.Column("resolution", sa.String(length=100), nullable=True),
        sa.Column("confirmed_by", sa.String(length=32), nullable=True),
        sa.Column("confirmed_at", Instant(), nullable=True),
        sa.Column("confirmation", sa.String(length=100), nullable=True),
        sa.Column("statement_from", sa.Date(), nullable=True),
        sa.Column("statement_through", sa.Date(), nullable=True),
        sa.Column("stated_at", Instant(), nullable=True),
        sa.Column("decided_at", Instant(), nullable=True),
        sa.Column("effective_on", sa.Date(), nullable=True),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("appeal_through", sa.Date(), nullable=True),
        sa.Column("closed_at", Instant(), nullable=True),
        sa.Column("record_id", sa.String(length=32), nullable=True),
        sa.Column("annulment_record_id", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(
            ["annulment_record_id"],
            ["evidence_record.id"],
            name=op.f("fk_termination_case_annulment_record_id"),
        ),
        sa.ForeignKeyConstraint(
            ["case_id"], ["suspension_case.id"], name=op.f("fk_termination_case_case_id")
        ),
        sa.ForeignKeyConstraint(["code_id"], ["talent_code.id"], name=op.f("fk_termination_case_code_id")),
        sa.ForeignKeyConstraint(
            ["record_id"], ["evidence_record.id"], name=op.f("fk_termination_case_record_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_termination_case")),
        sa.UniqueConstraint("case_id", name=op.f("uq_termination_case_case_id")),
    )
    op.create_index(
        op.f("ix_termination_case_annulment_record_id"),
        "termination_case",
        ["annulment_record_id"],
        unique=False,
    )
    op.create_index(op.f("ix_termination_case_code_id"), "termination_case", ["code_id"], unique=False)
    op.create_index(
        op.f("ix_termination_case_effective_on"), "termination_case", ["effective_on"], unique=False
    )
    op.create_index(op.f("ix_termination_case_record_id"), "termination_case", ["record_id"], unique=False)
    op.create_index(
        "ix_termination_case_worklist", "termination_case", ["state", "proposed_at"], unique=False
    )
    op.create_index(
        "uq_termination_case_open",
        "termination_case",
        ["code_id", "ground"],
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "termination_decision",
        sa.Column("termination_id", sa.String(length=32), nullable=False),
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("decided_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["termination_id"], ["termination_case.id"], name=op.f("fk_termination_decision_termination_id")
        ),
        sa.PrimaryKeyConstraint("termination_id", "account_id", name=op.f("pk_termination_decision")),
    )
    op.create_table(
        "termination_step",
        sa.Column("termination_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(
            "act",
            sa.Enum(
                "PROPOSED",
                "NOTIFIED",
                "HEARING_OPENED",
                "STATED",
                "FINDING_ATTACHED",
                "CONFIRMED",
                "DECIDED_BY_FIRST",
                "DECIDED",
                "CODE_ENDED",
                "DISMISSED",
                "APPEALED",
                "UPHELD",
                "ANNULLED",
                name="terminationact",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "PROPOSED",
                "NOTIFIED",
                "STATEMENT_OPEN",
                "DECIDED",
                "DISMISSED",
                "APPEALED",
                "UPHELD",
                "ANNULLED",
                name="terminationstate",
                native_enum=False,
                length=16,
            ),
            nullable=False,
        ),
        sa.Column("taken_at", Instant(), nullable=False),
        sa.Column("account_id", sa.String(length=32), nullable=True),
        sa.Column(
            "role",
            sa.Enum(
                "TALENT",
                "PARTNER",
                "THIRD_PARTY",
                "OPERATOR",
                "TALENT_OFFICE",
                "BIG_DATA_BUREAU",
                "FINANCIAL_AFFAIRS_BUREAU",
                "BUREAU",
                "LEADING_GROUP",
                "MANAGEMENT_COMMITTEE",
                "AUDITOR",
                name="role",
                native_enum=False,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["termination_id"], ["termination_case.id"], name=op.f("fk_termination_step_termination_id")
        ),
        sa.PrimaryKeyConstraint("termination_id", "number", name=op.f("pk_termination_step")),
    )
    op.create_table(
        "termination_finding",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("termination_id", sa.String(length=32), nullable=False),
        sa.Column("sealed_about", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("added_by", sa.String(length=32), nullable=False),
        sa.Column("added_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["termination_id"], ["termination_case.id"], name=op.f("fk_termination_finding_termination_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_termination_finding")),
    )
    op.create_index(
        op.f("ix_termination_finding_termination_id"), "termination_finding", ["termination_id"], unique=False
    )
