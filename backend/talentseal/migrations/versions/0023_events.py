"""Events for partners: what they are told, webhooks, deliveries; and how what happened is found."""

import sqlalchemy as sa
from alembic import op

from talentseal.db import Instant
from talentseal.migrations.append_only import protect_rows

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    _event_progress()
    _partner_event()
    _webhook()
    _webhook_delivery()
    _webhook_secret()
    _sources()
    protect_rows("partner_event")


def _event_progress() -> None:
    op.create_table(
        "event_progress",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("through", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event_progress")),
    )


def _partner_event() -> None:
    op.create_table(
        "partner_event",
        sa.Column("organisation_id", sa.String(length=66), nullable=False),
        sa.Column("cursor", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "REDEMPTION_COMPLETED",
                "REDEMPTION_RELEASED",
                "REDEMPTION_REVERSED",
                "BENEFIT_PUBLISHED",
                "BENEFIT_PAUSED",
                "BENEFIT_EXHAUSTED",
                "BENEFIT_WITHDRAWN",
                "BENEFIT_EXPIRED",
                "SETTLEMENT_CLOSED",
                "COMPLAINT_FILED",
                "COMPLAINT_ESCALATED",
                "COMPLAINT_DECIDED",
                "BREACH_ALLEGED",
                "BREACH_CONFIRMED",
                "BREACH_DISMISSED",
                "BREACH_CURED",
                "BREACH_WAIVED",
                name="eventkind",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("subject_id", sa.String(length=48), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_partner_event_organisation_id")
        ),
        sa.PrimaryKeyConstraint("organisation_id", "cursor", name=op.f("pk_partner_event")),
        sa.UniqueConstraint(
            "organisation_id", "kind", "subject_id", name=op.f("uq_partner_event_organisation_id")
        ),
    )


def _webhook() -> None:
    op.create_table(
        "webhook",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("organisation_id", sa.String(length=66), nullable=False),
        sa.Column("url", sa.String(length=500), nullable=False),
        sa.Column(
            "state",
            sa.Enum("ACTIVE", "DISABLED", "REMOVED", name="hookstate", native_enum=False, length=16),
            nullable=False,
        ),
        sa.Column("created_by", sa.String(length=32), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("failing_since", Instant(), nullable=True),
        sa.Column("resting_until", Instant(), nullable=True),
        sa.Column("claimed_until", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_webhook_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook")),
    )
    op.create_index(
        "uq_webhook_organisation_standing",
        "webhook",
        ["organisation_id"],
        unique=True,
        sqlite_where=sa.text("state <> 'REMOVED'"),
        postgresql_where=sa.text("state <> 'REMOVED'"),
    )


def _webhook_delivery() -> None:
    op.create_table(
        "webhook_delivery",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("webhook_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("cursor", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("DUE", "DELIVERED", "DEAD", name="deliverystate", native_enum=False, length=16),
            nullable=False,
        ),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_since", Instant(), nullable=False),
        sa.Column("next_at", Instant(), nullable=False),
        sa.Column("tried_at", Instant(), nullable=True),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column(
            "failure",
            sa.Enum(
                "ADDRESS_REFUSED",
                "UNREACHABLE",
                "TIMEOUT",
                "REDIRECTED",
                "STATUS",
                "HOOK_ENDED",
                name="failure",
                native_enum=False,
                length=16,
            ),
            nullable=True,
        ),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["webhook_id"], ["webhook.id"], name=op.f("fk_webhook_delivery_webhook_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_delivery")),
        sa.UniqueConstraint("webhook_id", "number", name=op.f("uq_webhook_delivery_webhook_id")),
    )
    op.create_index(
        "ix_webhook_delivery_due",
        "webhook_delivery",
        ["webhook_id", "number"],
        unique=False,
        sqlite_where=sa.text("state = 'DUE'"),
        postgresql_where=sa.text("state = 'DUE'"),
    )
    op.create_index("ix_webhook_delivery_ended", "webhook_delivery", ["ended_at"], unique=False)


def _webhook_secret() -> None:
    op.create_table(
        "webhook_secret",
        sa.Column("webhook_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("retires_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["webhook_id"], ["webhook.id"], name=op.f("fk_webhook_secret_webhook_id")),
        sa.PrimaryKeyConstraint("webhook_id", "number", name=op.f("pk_webhook_secret")),
    )


def _sources() -> None:
    """Indexes by which it is found what has happened since."""
    op.create_index("ix_benefit_step_at", "benefit_step", ["at"], unique=False)
    op.create_index("ix_breach_step_taken_at", "breach_step", ["taken_at"], unique=False)
    op.create_index("ix_complaint_step_taken_at", "complaint_step", ["taken_at"], unique=False)
    op.create_index(
        "ix_redemption_released",
        "redemption",
        ["released_at"],
        unique=False,
        sqlite_where=sa.text("released_at IS NOT NULL"),
        postgresql_where=sa.text("released_at IS NOT NULL"),
    )
    op.create_index("ix_reversal_at", "reversal", ["at"], unique=False)
