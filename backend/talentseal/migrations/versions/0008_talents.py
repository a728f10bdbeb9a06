"""Talents: their sealed fields, applications, recognitions and codes; an account without an organisation."""

import sqlalchemy as sa
from alembic import op

from talentseal.db import Instant
from talentseal.migrations.append_only import protect_rows

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    with op.batch_alter_table("account") as account:
        account.alter_column("organisation_id", existing_type=sa.String(length=66), nullable=True)
        account.create_check_constraint(
            "organisation_unless_talent", "(organisation_id IS NULL) = (role = 'TALENT')"
        )
    _talents()
    _applications()
    _codes()
    _recognitions()
    for table in ("application_step", "code_step", "tier_change"):
        protect_rows(table)


def _talents() -> None:
    op.create_table(
        "talent",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("registered_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_talent_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_talent")),
        sa.UniqueConstraint("account_id", name=op.f("uq_talent_account_id")),
    )
    op.create_table(
        "talent_fields",
        sa.Column("talent_id", sa.String(length=32), nullable=False),
        sa.Column(
            "field_group",
            sa.Enum(
                "BASIC",
                "ACADEMIC",
                "RESEARCH",
                "HONOUR",
                "ORG_PROJECT",
                "ORG_COOPERATION",
                name="fieldgroup",
                native_enum=False,
                length=16,
            ),
            nullable=False,
        ),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column(
            "source",
            sa.Enum("SUBMITTED", "SHARED", "OFFICE", name="source", native_enum=False, length=16),
            nullable=False,
        ),
        sa.Column("entered_at", Instant(), nullable=False),
        sa.Column("verified_by", sa.String(length=32), nullable=True),
        sa.Column("verified_at", Instant(), nullable=True),
        sa.Column("organisation_agreed_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["talent_id"], ["talent.id"], name=op.f("fk_talent_fields_talent_id")),
        sa.PrimaryKeyConstraint("talent_id", "field_group", name=op.f("pk_talent_fields")),
    )
    op.create_table(
        "identity_bar",
        sa.Column("identity_digest", sa.String(length=64), nullable=False),
        sa.Column("until_day", sa.Date(), nullable=False),
        sa.Column("cause", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("identity_digest", "cause", name=op.f("pk_identity_bar")),
    )


def _applications() -> None:
    op.create_table(
        "application",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("talent_id", sa.String(length=32), nullable=False),
        sa.Column(
            "purpose", sa.Enum("CODE", "TIER", name="purpose", native_enum=False, length=8), nullable=False
        ),
        sa.Column(
            "state",
            sa.Enum(
                "DRAFT",
                "SUBMITTED",
                "UNDER_REVIEW",
                "RETURNED",
                "APPROVED",
                "REJECTED",
                "WITHDRAWN",
                name="applicationstate",
                native_enum=False,
                length=16,
            ),
            nullable=False,
        ),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("identity_digest", sa.String(length=64), nullable=True),
        sa.Column("begun_at", Instant(), nullable=False),
        sa.Column("submitted_at", Instant(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("reviewer_id", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(["talent_id"], ["talent.id"], name=op.f("fk_application_talent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_application")),
    )
    op.create_index(op.f("ix_application_talent_id"), "application", ["talent_id"], unique=False)
    op.create_index("ix_application_worklist", "application", ["state", "submitted_at"], unique=False)
    op.create_index(
        "uq_application_identity",
        "application",
        ["identity_digest"],
        unique=True,
        sqlite_where=sa.text("state IN ('SUBMITTED', 'UNDER_REVIEW', 'RETURNED')"),
        postgresql_where=sa.text("state IN ('SUBMITTED', 'UNDER_REVIEW', 'RETURNED')"),
    )
    op.create_index(
        "uq_application_undecided",
        "application",
        ["talent_id"],
        unique=True,
        sqlite_where=sa.text("state IN ('DRAFT', 'SUBMITTED', 'UNDER_REVIEW', 'RETURNED')"),
        postgresql_where=sa.text("state IN ('DRAFT', 'SUBMITTED', 'UNDER_REVIEW', 'RETURNED')"),
    )
    op.create_table(
        "application_step",
        sa.Column("application_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "DRAFT",
                "SUBMITTED",
                "UNDER_REVIEW",
                "RETURNED",
                "APPROVED",
                "REJECTED",
                "WITHDRAWN",
                name="applicationstate",
                native_enum=False,
                length=16,
            ),
            nullable=False,
        ),
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("organisation_id", sa.String(length=66), nullable=False),
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
            nullable=False,
        ),
        sa.Column("taken_at", Instant(), nullable=False),
        sa.Column("version_id", sa.String(length=32), nullable=True),
        sa.Column("article", sa.Integer(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["application_id"], ["application.id"], name=op.f("fk_application_step_application_id")
        ),
        sa.ForeignKeyConstraint(
            ["version_id"], ["instrument_version.id"], name=op.f("fk_application_step_version_id")
        ),
        sa.PrimaryKeyConstraint("application_id", "number", name=op.f("pk_application_step")),
    )
    op.create_table(
        "application_document",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("application_id", sa.String(length=32), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "IDENTITY",
                "WORK_IN_AREA",
                "GRADUATION",
                "RECOGNITION",
                "ECONOMIC_CONTRIBUTION",
                "INNOVATION",
                name="documentkind",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("added_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"], ["application.id"], name=op.f("fk_application_document_application_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_application_document")),
    )
    op.create_index(
        op.f("ix_application_document_application_id"),
        "application_document",
        ["application_id"],
        unique=False,
    )


def _codes() -> None:
    op.create_table(
        "talent_code",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("talent_id", sa.String(length=32), nullable=False),
        sa.Column("code_ref", sa.LargeBinary(length=8), nullable=False),
        sa.Column("identity_digest", sa.String(length=64), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "ACTIVE",
                "SUSPENDED",
                "REVIEW_OVERDUE",
                "TERMINATED",
                "CANCELLED",
                name="codestate",
                native_enum=False,
                length=16,
            ),
            nullable=False,
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
        sa.Column("issued_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["talent_id"], ["talent.id"], name=op.f("fk_talent_code_talent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_talent_code")),
        sa.UniqueConstraint("code_ref", name=op.f("uq_talent_code_code_ref")),
    )
    op.create_index(op.f("ix_talent_code_talent_id"), "talent_code", ["talent_id"], unique=False)
    op.create_index(
        "uq_talent_code_identity",
        "talent_code",
        ["identity_digest"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(
        "uq_talent_code_talent",
        "talent_code",
        ["talent_id"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "code_step",
        sa.Column("code_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "ACTIVE",
                "SUSPENDED",
                "REVIEW_OVERDUE",
                "TERMINATED",
                "CANCELLED",
                name="codestate",
                native_enum=False,
                length=16,
            ),
            nullable=False,
        ),
        sa.Column("taken_at", Instant(), nullable=False),
        sa.Column("account_id", sa.String(length=32), nullable=True),
        sa.Column("cause", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(["code_id"], ["talent_code.id"], name=op.f("fk_code_step_code_id")),
        sa.PrimaryKeyConstraint("code_id", "number", name=op.f("pk_code_step")),
    )
    op.create_table(
        "tier_change",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("code_id", sa.String(length=32), nullable=False),
        sa.Column(
            "tier_before",
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
            nullable=True,
        ),
        sa.Column(
            "tier_after",
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
        sa.Column("changed_at", Instant(), nullable=False),
        sa.Column("record_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["code_id"], ["talent_code.id"], name=op.f("fk_tier_change_code_id")),
        sa.ForeignKeyConstraint(["record_id"], ["evidence_record.id"], name=op.f("fk_tier_change_record_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tier_change")),
    )
    op.create_index(op.f("ix_tier_change_code_id"), "tier_change", ["code_id"], unique=False)
    op.create_index(op.f("ix_tier_change_record_id"), "tier_change", ["record_id"], unique=False)


def _recognitions() -> None:
    op.create_table(
        "tier_recognition",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("talent_id", sa.String(length=32), nullable=False),
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
        sa.Column(
            "state",
            sa.Enum(
                "CLAIMED",
                "VERIFIED",
                "CONFIRMED",
                "ADJUSTED",
                "EXPIRED",
                "REVOKED",
                name="recognitionstate",
                native_enum=False,
                length=16,
            ),
            nullable=False,
        ),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("valid_through", sa.Date(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("claimed_at", Instant(), nullable=False),
        sa.Column("verified_by", sa.String(length=32), nullable=True),
        sa.Column("verified_at", Instant(), nullable=True),
        sa.Column("confirmed_by", sa.String(length=32), nullable=True),
        sa.Column("confirmed_at", Instant(), nullable=True),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["talent_id"], ["talent.id"], name=op.f("fk_tier_recognition_talent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tier_recognition")),
    )
    op.create_index(op.f("ix_tier_recognition_talent_id"), "tier_recognition", ["talent_id"], unique=False)
    op.create_index(
        op.f("ix_tier_recognition_valid_through"), "tier_recognition", ["valid_through"], unique=False
    )
