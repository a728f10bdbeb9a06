"""Consents, corrections with their documents, erasures, auditors' grants."""

import sqlalchemy as sa
from alembic import op

from talentseal.db import Instant
from talentseal.migrations.append_only import protect_all_but_sealed, release_rows

revision = "0014"
down_revision = "0013"

_WISH = sa.Enum("ASKED", "GRANTED", "REFUSED", "WITHDRAWN", name="wishstate", native_enum=False, length=16)
_GROUP = sa.Enum(
    "BASIC",
    "ACADEMIC",
    "RESEARCH",
    "HONOUR",
    "ORG_PROJECT",
    "ORG_COOPERATION",
    name="fieldgroup",
    native_enum=False,
    length=16,
)
_ASKED = sa.text("state = 'ASKED'")
_STANDING = sa.text("withdrawn_at IS NULL")


def upgrade() -> None:
    _consents()
    _corrections()
    _papers()
    _erasures()
    _grants()
    for table in ("card_step", "case_step", "termination_step"):
        release_rows(table)
        protect_all_but_sealed(table)
    op.add_column("talent_access", sa.Column("grant_id", sa.String(length=32), nullable=True))


def _consents() -> None:
    op.create_table(
        "talent_consent",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("talent_id", sa.String(length=32), nullable=False),
        sa.Column("organisation_id", sa.String(length=66), nullable=False),
        sa.Column(
            "scope",
            sa.Enum(
                "SERVICE",
                "PHOTO",
                "ACADEMIC",
                "RESEARCH",
                "HONOUR",
                "ORG_PROJECT",
                "ORG_COOPERATION",
                name="consentscope",
                native_enum=False,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("notice_version", sa.String(length=16), nullable=False),
        sa.Column("given_at", Instant(), nullable=False),
        sa.Column("withdrawn_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_talent_consent_organisation_id")
        ),
        sa.ForeignKeyConstraint(["talent_id"], ["talent.id"], name=op.f("fk_talent_consent_talent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_talent_consent")),
    )
    op.create_index(
        op.f("ix_talent_consent_organisation_id"), "talent_consent", ["organisation_id"], unique=False
    )
    op.create_index(
        "uq_talent_consent_standing",
        "talent_consent",
        ["talent_id", "organisation_id", "scope"],
        unique=True,
        sqlite_where=_STANDING,
        postgresql_where=_STANDING,
    )


def _corrections() -> None:
    op.create_table(
        "talent_correction",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("talent_id", sa.String(length=32), nullable=False),
        sa.Column("field_group", _GROUP, nullable=False),
        sa.Column("state", _WISH, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("asked_at", Instant(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("decided_at", Instant(), nullable=True),
        sa.Column("decided_by", sa.String(length=32), nullable=True),
        sa.Column("record_id", sa.String(length=32), nullable=True),
        sa.Column("corrected_by_record", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(
            ["corrected_by_record"],
            ["evidence_record.id"],
            name=op.f("fk_talent_correction_corrected_by_record"),
        ),
        sa.ForeignKeyConstraint(
            ["record_id"], ["evidence_record.id"], name=op.f("fk_talent_correction_record_id")
        ),
        sa.ForeignKeyConstraint(["talent_id"], ["talent.id"], name=op.f("fk_talent_correction_talent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_talent_correction")),
    )
    op.create_index(op.f("ix_talent_correction_talent_id"), "talent_correction", ["talent_id"], unique=False)
    op.create_index("ix_talent_correction_worklist", "talent_correction", ["state", "due_on"], unique=False)
    op.create_index(
        "uq_talent_correction_asked",
        "talent_correction",
        ["talent_id", "field_group"],
        unique=True,
        sqlite_where=_ASKED,
        postgresql_where=_ASKED,
    )


def _papers() -> None:
    op.create_table(
        "talent_paper",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("talent_id", sa.String(length=32), nullable=False),
        sa.Column("review_id", sa.String(length=32), nullable=True),
        sa.Column("correction_id", sa.String(length=32), nullable=True),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("added_at", Instant(), nullable=False),
        sa.CheckConstraint(
            "(review_id IS NULL) <> (correction_id IS NULL)", name=op.f("ck_talent_paper_of_one_thing")
        ),
        sa.ForeignKeyConstraint(
            ["correction_id"], ["talent_correction.id"], name=op.f("fk_talent_paper_correction_id")
        ),
        sa.ForeignKeyConstraint(["review_id"], ["review_task.id"], name=op.f("fk_talent_paper_review_id")),
        sa.ForeignKeyConstraint(["talent_id"], ["talent.id"], name=op.f("fk_talent_paper_talent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_talent_paper")),
    )
    op.create_index(op.f("ix_talent_paper_correction_id"), "talent_paper", ["correction_id"], unique=False)
    op.create_index(op.f("ix_talent_paper_review_id"), "talent_paper", ["review_id"], unique=False)
    op.create_index(op.f("ix_talent_paper_talent_id"), "talent_paper", ["talent_id"], unique=False)


def _erasures() -> None:
    op.create_table(
        "talent_erasure",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("talent_id", sa.String(length=32), nullable=False),
        sa.Column("state", _WISH, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("asked_at", Instant(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("decided_at", Instant(), nullable=True),
        sa.Column("decided_by", sa.String(length=32), nullable=True),
        sa.Column("payloads", sa.Integer(), nullable=True),
        sa.Column("records", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["talent_id"], ["talent.id"], name=op.f("fk_talent_erasure_talent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_talent_erasure")),
    )
    op.create_index(op.f("ix_talent_erasure_talent_id"), "talent_erasure", ["talent_id"], unique=False)
    op.create_index("ix_talent_erasure_worklist", "talent_erasure", ["state", "due_on"], unique=False)
    op.create_index(
        "uq_talent_erasure_asked",
        "talent_erasure",
        ["talent_id"],
        unique=True,
        sqlite_where=_ASKED,
        postgresql_where=_ASKED,
    )


def _grants() -> None:
    op.create_table(
        "access_grant",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("talent_id", sa.String(length=32), nullable=False),
        sa.Column("auditor_id", sa.String(length=32), nullable=False),
        sa.Column("field_groups", sa.String(length=200), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("given_by", sa.String(length=32), nullable=False),
        sa.Column("given_at", Instant(), nullable=False),
        sa.Column("valid_until", Instant(), nullable=False),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.Column("revoked_by", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(["auditor_id"], ["account.id"], name=op.f("fk_access_grant_auditor_id")),
        sa.ForeignKeyConstraint(["talent_id"], ["talent.id"], name=op.f("fk_access_grant_talent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_grant")),
    )
    op.create_index(op.f("ix_access_grant_auditor_id"), "access_grant", ["auditor_id"], unique=False)
    op.create_index(op.f("ix_access_grant_talent_id"), "access_grant", ["talent_id"], unique=False)
