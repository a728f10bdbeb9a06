"""Mandates of the operator, admissions to the modules, measures; regulated benefits."""

import sqlalchemy as sa
from alembic import op

from talentseal.db import Instant
from talentseal.migrations.append_only import protect_rows

revision = "0016"
down_revision = "0015"

_MEASURE = sa.Enum(
    "DRAFT",
    "ON_AGENDA",
    "PASSED_BY_JOINT_MEETING",
    "SUBMITTED",
    "APPROVED",
    "RETURNED",
    "REJECTED",
    "IN_FORCE",
    name="measurestate",
    native_enum=False,
    length=24,
)
_MANDATE = sa.Enum("DRAFT", "LIVE", "EXPIRED", "ENDED", name="mandatestate", native_enum=False, length=16)
_ACCESS = sa.Enum(
    "APPLIED",
    "RETURNED",
    "EXAMINED",
    "NEGOTIATION_OPENED",
    "TERMS_AGREED",
    "SIGNED",
    "FILED",
    "ABANDONED",
    "ADMITTED",
    "REFUSED",
    "PAUSED",
    "WITHDRAWN",
    name="accessstate",
    native_enum=False,
    length=24,
)


def upgrade() -> None:
    _measure()
    _operator_mandate()
    _mandate_step()
    _measure_step()
    _module_access()
    _access_step()
    for table in ("measure_step", "mandate_step", "access_step"):
        protect_rows(table)
    op.add_column(
        "benefit_version",
        sa.Column("regulated", sa.Boolean(), nullable=False, server_default=sa.false()),
    )


def _measure() -> None:
    op.create_table(
        "measure",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("measure", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", _MEASURE, nullable=False),
        sa.Column("organisation_id", sa.String(length=66), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("drafted_by", sa.String(length=32), nullable=False),
        sa.Column("drafted_at", Instant(), nullable=False),
        sa.Column("decided_at", Instant(), nullable=True),
        sa.Column("record_id", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_measure_organisation_id")
        ),
        sa.ForeignKeyConstraint(["record_id"], ["evidence_record.id"], name=op.f("fk_measure_record_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_measure")),
        sa.UniqueConstraint("measure", "number", name=op.f("uq_measure_measure")),
    )
    op.create_index(op.f("ix_measure_record_id"), "measure", ["record_id"], unique=False)
    op.create_index("ix_measure_state", "measure", ["state", "effective_from"], unique=False)


def _operator_mandate() -> None:
    op.create_table(
        "operator_mandate",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("operator_id", sa.String(length=66), nullable=False),
        sa.Column("state", _MANDATE, nullable=False),
        sa.Column("reference", sa.String(length=100), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("scope", sa.String(length=200), nullable=False),
        sa.Column("drafted_by", sa.String(length=32), nullable=False),
        sa.Column("drafted_at", Instant(), nullable=False),
        sa.CheckConstraint("starts_on <= ends_on", name=op.f("ck_operator_mandate_term")),
        sa.ForeignKeyConstraint(
            ["operator_id"], ["organisation.id"], name=op.f("fk_operator_mandate_operator_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operator_mandate")),
    )


def _mandate_step() -> None:
    op.create_table(
        "mandate_step",
        sa.Column("mandate_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", _MANDATE, nullable=False),
        sa.Column("by", sa.String(length=32), nullable=True),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.ForeignKeyConstraint(
            ["mandate_id"], ["operator_mandate.id"], name=op.f("fk_mandate_step_mandate_id")
        ),
        sa.PrimaryKeyConstraint("mandate_id", "number", name=op.f("pk_mandate_step")),
    )


def _measure_step() -> None:
    op.create_table(
        "measure_step",
        sa.Column("measure_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", _MEASURE, nullable=False),
        sa.Column("by", sa.String(length=32), nullable=True),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("reference", sa.String(length=100), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.ForeignKeyConstraint(["measure_id"], ["measure.id"], name=op.f("fk_measure_step_measure_id")),
        sa.PrimaryKeyConstraint("measure_id", "number", name=op.f("pk_measure_step")),
    )


def _module_access() -> None:
    op.create_table(
        "module_access",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column(
            "module",
            sa.Enum("FINANCE", "CONSUMPTION", name="module", native_enum=False, length=16),
            nullable=False,
        ),
        sa.Column("organisation_id", sa.String(length=66), nullable=False),
        sa.Column("state", _ACCESS, nullable=False),
        sa.Column("licence_type", sa.String(length=100), nullable=True),
        sa.Column("licence_number", sa.String(length=64), nullable=True),
        sa.Column("mandate_id", sa.String(length=32), nullable=True),
        sa.Column("agreement_id", sa.String(length=66), nullable=True),
        sa.Column("opened_by", sa.String(length=32), nullable=False),
        sa.Column("opened_at", Instant(), nullable=False),
        sa.Column("record_id", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(
            ["mandate_id"], ["operator_mandate.id"], name=op.f("fk_module_access_mandate_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_module_access_organisation_id")
        ),
        sa.ForeignKeyConstraint(
            ["record_id"], ["evidence_record.id"], name=op.f("fk_module_access_record_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_module_access")),
    )
    op.create_index(op.f("ix_module_access_record_id"), "module_access", ["record_id"], unique=False)
    op.create_index(
        "uq_module_access_open",
        "module_access",
        ["organisation_id", "module"],
        unique=True,
        sqlite_where=sa.text("state NOT IN ('ABANDONED', 'REFUSED', 'WITHDRAWN')"),
        postgresql_where=sa.text("state NOT IN ('ABANDONED', 'REFUSED', 'WITHDRAWN')"),
    )


def _access_step() -> None:
    op.create_table(
        "access_step",
        sa.Column("access_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", _ACCESS, nullable=False),
        sa.Column("by", sa.String(length=32), nullable=True),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.ForeignKeyConstraint(["access_id"], ["module_access.id"], name=op.f("fk_access_step_access_id")),
        sa.PrimaryKeyConstraint("access_id", "number", name=op.f("pk_access_step")),
    )
