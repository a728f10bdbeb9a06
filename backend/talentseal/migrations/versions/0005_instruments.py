"""Policy instruments: versions, articles, acts and interpretations; and the days that the nightly job ran."""

import sqlalchemy as sa
from alembic import op

from talentseal.db import Instant
from talentseal.migrations.append_only import protect_rows

revision = "0005"
down_revision = "0004"

_STEP = sa.Enum(
    "PASSED",
    "APPROVED",
    "ISSUED",
    "ENTERED",
    "REPEALED",
    "IN_FORCE",
    "EXPIRED",
    "SUPERSEDED",
    name="step",
    native_enum=False,
    length=16,
)
_DEED = sa.Enum(
    "NEW_CODE",
    "NEW_TIER",
    "GOVERNMENT_BENEFIT",
    "GOVERNMENT_REDEMPTION",
    "NEW_SUSPENSION_RULE",
    "FINANCIAL_REDEMPTION",
    "CONSUMPTION_REDEMPTION",
    "READING",
    "VERIFICATION",
    "EVIDENCE",
    "COMPLAINT",
    "CORRECTION",
    "SETTLEMENT",
    "DATA_SUBJECT_RIGHTS",
    "FALSE_MATERIALS_TERMINATION",
    name="deed",
    native_enum=False,
    length=32,
)
_ROLE = sa.Enum(
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
)


def upgrade() -> None:
    op.create_table(
        "instrument_version",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("instrument", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("issuer", sa.String(length=200), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("valid_through", sa.Date(), nullable=False),
        sa.Column("legal_basis", sa.Text(), nullable=False),
        sa.Column("text_sha256", sa.String(length=64), nullable=False),
        sa.Column("drafted_by", sa.String(length=32), nullable=False),
        sa.Column("drafted_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_instrument_version")),
        sa.UniqueConstraint("instrument", "number", name=op.f("uq_instrument_version_instrument")),
        sa.UniqueConstraint("text_sha256", name=op.f("uq_instrument_version_text_sha256")),
    )
    op.create_table(
        "instrument_article",
        sa.Column("version_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("chapter", sa.String(length=100), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("gloss", sa.Text(), nullable=False),
        _version("instrument_article"),
        sa.PrimaryKeyConstraint("version_id", "number", name=op.f("pk_instrument_article")),
    )
    op.create_table(
        "instrument_basis",
        sa.Column("version_id", sa.String(length=32), nullable=False),
        sa.Column("deed", _DEED, nullable=False),
        sa.Column("article", sa.Integer(), nullable=False),
        _article("instrument_basis"),
        sa.PrimaryKeyConstraint("version_id", "deed", name=op.f("pk_instrument_basis")),
    )
    _acts()
    _interpretations()
    op.create_table(
        "nightly_run",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("claimed_until", Instant(), nullable=False),
        sa.Column("finished_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_nightly_run")),
    )
    for table in ("instrument_version", "instrument_article", "instrument_basis", "instrument_act"):
        protect_rows(table)


def _acts() -> None:
    op.create_table(
        "instrument_act",
        sa.Column("version_id", sa.String(length=32), nullable=False),
        sa.Column("step", _STEP, nullable=False),
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column("reference", sa.String(length=100), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.Column("account_id", sa.String(length=32), nullable=True),
        sa.Column("organisation_id", sa.String(length=66), nullable=True),
        sa.Column("role", _ROLE, nullable=True),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("record_id", sa.String(length=32), nullable=False),
        _version("instrument_act"),
        _record("instrument_act"),
        sa.PrimaryKeyConstraint("version_id", "step", name=op.f("pk_instrument_act")),
    )
    op.create_index(op.f("ix_instrument_act_record_id"), "instrument_act", ["record_id"])
    by_document = sa.text("step IN ('ISSUED', 'ENTERED')")
    op.create_index(
        "uq_instrument_act_document",
        "instrument_act",
        ["reference"],
        unique=True,
        sqlite_where=by_document,
        postgresql_where=by_document,
    )


def _interpretations() -> None:
    op.create_table(
        "instrument_interpretation",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("version_id", sa.String(length=32), nullable=False),
        sa.Column("article", sa.Integer(), nullable=False),
        sa.Column("question", sa.String(length=500), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("gloss", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("proposed_by", sa.String(length=32), nullable=False),
        sa.Column("proposed_at", Instant(), nullable=False),
        sa.Column("issued_by", sa.String(length=32), nullable=True),
        sa.Column("issued_at", Instant(), nullable=True),
        sa.Column("record_id", sa.String(length=32), nullable=True),
        _article("instrument_interpretation"),
        _record("instrument_interpretation"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_instrument_interpretation")),
        sa.UniqueConstraint(
            "version_id", "article", "question", name=op.f("uq_instrument_interpretation_version_id")
        ),
    )
    op.create_index(
        op.f("ix_instrument_interpretation_record_id"), "instrument_interpretation", ["record_id"]
    )


def _version(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_version_id")
    return sa.ForeignKeyConstraint(["version_id"], ["instrument_version.id"], name=name)


def _article(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["version_id", "article"],
        ["instrument_article.version_id", "instrument_article.number"],
        name=op.f(f"fk_{table}_version_id"),
    )


def _record(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["record_id"], ["evidence_record.id"], name=op.f(f"fk_{table}_record_id"))
