"""Who opened a person's data, accepted notices, steps of recognitions, numbers that other offices share."""

import sqlalchemy as sa
from alembic import op

from talentseal.db import Instant
from talentseal.migrations.append_only import protect_rows

revision = "0009"
down_revision = "0008"

ROLES = (
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
)


def upgrade() -> None:
    op.add_column("tier_recognition", sa.Column("application_id", sa.String(length=32), nullable=True))
    _people()
    _recognition_steps()
    op.create_table(
        "shared_register",
        sa.Column(
            "kind",
            sa.Enum("GRADUATION_CERTIFICATE", name="registerkind", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("number_digest", sa.String(length=64), nullable=False),
        sa.Column("imported_at", Instant(), nullable=False),
        sa.Column("imported_by", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("kind", "number_digest", name=op.f("pk_shared_register")),
    )
    for table in ("talent_access", "notice_acceptance", "recognition_step"):
        protect_rows(table)


def _people() -> None:
    op.create_table(
        "notice_acceptance",
        sa.Column("talent_id", sa.String(length=32), nullable=False),
        sa.Column("notice_version", sa.String(length=16), nullable=False),
        sa.Column("accepted_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["talent_id"], ["talent.id"], name=op.f("fk_notice_acceptance_talent_id")),
        sa.PrimaryKeyConstraint("talent_id", "notice_version", name=op.f("pk_notice_acceptance")),
    )
    op.create_table(
        "talent_access",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("talent_id", sa.String(length=32), nullable=False),
        sa.Column("opened_at", Instant(), nullable=False),
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("organisation_id", sa.String(length=66), nullable=False),
        sa.Column("role", sa.Enum(*ROLES, name="role", native_enum=False, length=32), nullable=False),
        sa.Column(
            "purpose",
            sa.Enum(
                "APPLICATION_REVIEW",
                "RECOGNITION_CONFIRMATION",
                name="accesspurpose",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("field_groups", sa.String(length=200), nullable=False),
        sa.Column("application_id", sa.String(length=32), nullable=True),
        sa.Column("document_id", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(["talent_id"], ["talent.id"], name=op.f("fk_talent_access_talent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_talent_access")),
    )
    op.create_index("ix_talent_access_of_talent", "talent_access", ["talent_id", "opened_at"], unique=False)


def _recognition_steps() -> None:
    op.create_table(
        "recognition_step",
        sa.Column("recognition_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
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
        sa.Column("account_id", sa.String(length=32), nullable=True),
        sa.Column("taken_at", Instant(), nullable=False),
        sa.Column("version_id", sa.String(length=32), nullable=True),
        sa.Column("article", sa.Integer(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["recognition_id"], ["tier_recognition.id"], name=op.f("fk_recognition_step_recognition_id")
        ),
        sa.ForeignKeyConstraint(
            ["version_id"], ["instrument_version.id"], name=op.f("fk_recognition_step_version_id")
        ),
        sa.PrimaryKeyConstraint("recognition_id", "number", name=op.f("pk_recognition_step")),
    )
