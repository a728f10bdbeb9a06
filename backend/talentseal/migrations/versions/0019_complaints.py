"""Breaches of stipulations, complaints, marks for service."""

import sqlalchemy as sa
from alembic import op

from talentseal.db import Instant
from talentseal.migrations.append_only import protect_all_but_sealed

revision = "0019"
down_revision = "0018"

_BREACH_STATE = sa.Enum(
    "BREACH_ALLEGED",
    "BREACH_CONFIRMED",
    "DISMISSED",
    "CURED",
    "WAIVED",
    name="breachstate",
    native_enum=False,
    length=16,
)
_SOURCE = sa.Enum("PARTY", "COMPLAINT", "MEASURED", name="breachsource", native_enum=False, length=16)
_BREACH_ACT = sa.Enum(
    "ALLEGED",
    "STATED",
    "CONFIRMED",
    "DISMISSED",
    "CURE_OFFERED",
    "CURE_ACKNOWLEDGED",
    "CURED",
    "WAIVED",
    name="breachact",
    native_enum=False,
    length=24,
)
_ROLE = sa.Enum(
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
)
_KIND = sa.Enum(
    "SERVICE_REFUSED", "SLOW", "QUALITY", "OTHER", name="complaintkind", native_enum=False, length=16
)
_STATE = sa.Enum(
    "FILED",
    "ACCEPTED",
    "PROCESSING",
    "ANSWERED",
    "CLOSED",
    "REOPENED",
    "ESCALATED",
    "DECIDED",
    name="complaintstate",
    native_enum=False,
    length=16,
)
_ACT = sa.Enum(
    "FILED",
    "ACCEPTED",
    "PROCESSING",
    "TIME_MISSED",
    "ANSWERED",
    "CLOSED",
    "CLOSED_BY_DATE",
    "REOPENED",
    "ESCALATED",
    "UPHELD",
    "DISMISSED",
    name="complaintact",
    native_enum=False,
    length=16,
)
_UNANSWERED = sa.text("state IN ('FILED', 'ACCEPTED', 'PROCESSING')")


def upgrade() -> None:
    _breach()
    _breach_step()
    _complaint()
    _complaint_step()
    _rating()
    for table in ("breach_step", "complaint_step"):
        protect_all_but_sealed(table)


def _breach() -> None:
    op.create_table(
        "breach",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("stipulation_id", sa.String(length=32), nullable=False),
        sa.Column("organisation_id", sa.String(length=66), nullable=False),
        sa.Column("state", _BREACH_STATE, nullable=False),
        sa.Column("source", _SOURCE, nullable=False),
        sa.Column("reference", sa.String(length=200), nullable=False),
        sa.Column("alleged_by", sa.String(length=32), nullable=True),
        sa.Column("alleged_for", sa.String(length=66), nullable=True),
        sa.Column("alleged_at", Instant(), nullable=False),
        sa.Column("decided_by", sa.String(length=32), nullable=True),
        sa.Column("decided_at", Instant(), nullable=True),
        sa.Column("cure_offered_at", Instant(), nullable=True),
        sa.Column("cure_acknowledged_by", sa.String(length=32), nullable=True),
        sa.Column("cure_acknowledged_for", sa.String(length=66), nullable=True),
        sa.Column("closed_at", Instant(), nullable=True),
        sa.Column("record_id", sa.String(length=32), nullable=False),
        sa.Column("decision_record_id", sa.String(length=32), nullable=True),
        sa.Column("closing_record_id", sa.String(length=32), nullable=True),
        sa.Column("finding", sa.String(length=66), nullable=True),
        sa.Column("ending", sa.String(length=66), nullable=True),
        sa.ForeignKeyConstraint(
            ["closing_record_id"], ["evidence_record.id"], name=op.f("fk_breach_closing_record_id")
        ),
        sa.ForeignKeyConstraint(
            ["decision_record_id"], ["evidence_record.id"], name=op.f("fk_breach_decision_record_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_breach_organisation_id")
        ),
        sa.ForeignKeyConstraint(["record_id"], ["evidence_record.id"], name=op.f("fk_breach_record_id")),
        sa.ForeignKeyConstraint(
            ["stipulation_id"], ["stipulation.id"], name=op.f("fk_breach_stipulation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_breach")),
        sa.UniqueConstraint("stipulation_id", "reference", name=op.f("uq_breach_stipulation_id")),
    )
    op.create_index("ix_breach_alleged_at", "breach", ["alleged_at", "id"], unique=False)
    op.create_index(op.f("ix_breach_closing_record_id"), "breach", ["closing_record_id"], unique=False)
    op.create_index(op.f("ix_breach_decision_record_id"), "breach", ["decision_record_id"], unique=False)
    op.create_index(
        "ix_breach_organisation", "breach", ["organisation_id", "state", "decided_at"], unique=False
    )
    op.create_index(op.f("ix_breach_record_id"), "breach", ["record_id"], unique=False)


def _breach_step() -> None:
    op.create_table(
        "breach_step",
        sa.Column("breach_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("act", _BREACH_ACT, nullable=False),
        sa.Column("state", _BREACH_STATE, nullable=False),
        sa.Column("taken_at", Instant(), nullable=False),
        sa.Column("account_id", sa.String(length=32), nullable=True),
        sa.Column("organisation_id", sa.String(length=66), nullable=True),
        sa.Column("role", _ROLE, nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["breach_id"], ["breach.id"], name=op.f("fk_breach_step_breach_id")),
        sa.PrimaryKeyConstraint("breach_id", "number", name=op.f("pk_breach_step")),
    )


def _complaint() -> None:
    op.create_table(
        "complaint",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("talent_id", sa.String(length=32), nullable=False),
        sa.Column("organisation_id", sa.String(length=66), nullable=False),
        sa.Column("kind", _KIND, nullable=False),
        sa.Column("state", _STATE, nullable=False),
        sa.Column("redemption_id", sa.String(length=32), nullable=True),
        sa.Column("benefit_version_id", sa.String(length=32), nullable=True),
        sa.Column("stipulation_id", sa.String(length=32), nullable=True),
        sa.Column("filed_at", Instant(), nullable=False),
        sa.Column("answer_due", Instant(), nullable=False),
        sa.Column("missed_at", Instant(), nullable=True),
        sa.Column("answered_at", Instant(), nullable=True),
        sa.Column("reopened_at", Instant(), nullable=True),
        sa.Column("decide_through", sa.Date(), nullable=True),
        sa.Column("closed_at", Instant(), nullable=True),
        sa.Column("upheld", sa.Boolean(), nullable=True),
        sa.Column("refusal_record_id", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(
            ["benefit_version_id"], ["benefit_version.id"], name=op.f("fk_complaint_benefit_version_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_complaint_organisation_id")
        ),
        sa.ForeignKeyConstraint(
            ["redemption_id"], ["redemption.id"], name=op.f("fk_complaint_redemption_id")
        ),
        sa.ForeignKeyConstraint(
            ["refusal_record_id"], ["evidence_record.id"], name=op.f("fk_complaint_refusal_record_id")
        ),
        sa.ForeignKeyConstraint(
            ["stipulation_id"], ["stipulation.id"], name=op.f("fk_complaint_stipulation_id")
        ),
        sa.ForeignKeyConstraint(["talent_id"], ["talent.id"], name=op.f("fk_complaint_talent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_complaint")),
    )
    op.create_index(op.f("ix_complaint_decide_through"), "complaint", ["decide_through"], unique=False)
    op.create_index("ix_complaint_filed", "complaint", ["filed_at", "id"], unique=False)
    op.create_index("ix_complaint_organisation", "complaint", ["organisation_id", "filed_at"], unique=False)
    op.create_index(op.f("ix_complaint_redemption_id"), "complaint", ["redemption_id"], unique=False)
    op.create_index(op.f("ix_complaint_refusal_record_id"), "complaint", ["refusal_record_id"], unique=False)
    op.create_index("ix_complaint_talent", "complaint", ["talent_id", "filed_at"], unique=False)
    op.create_index(
        "ix_complaint_unanswered",
        "complaint",
        ["answer_due"],
        unique=False,
        sqlite_where=_UNANSWERED,
        postgresql_where=_UNANSWERED,
    )


def _complaint_step() -> None:
    op.create_table(
        "complaint_step",
        sa.Column("complaint_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("act", _ACT, nullable=False),
        sa.Column("state", _STATE, nullable=False),
        sa.Column("taken_at", Instant(), nullable=False),
        sa.Column("account_id", sa.String(length=32), nullable=True),
        sa.Column("role", _ROLE, nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["complaint_id"], ["complaint.id"], name=op.f("fk_complaint_step_complaint_id")
        ),
        sa.PrimaryKeyConstraint("complaint_id", "number", name=op.f("pk_complaint_step")),
    )


def _rating() -> None:
    op.create_table(
        "rating",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("talent_id", sa.String(length=32), nullable=False),
        sa.Column("organisation_id", sa.String(length=66), nullable=False),
        sa.Column("redemption_id", sa.String(length=32), nullable=True),
        sa.Column("complaint_id", sa.String(length=32), nullable=True),
        sa.Column("stars", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("rated_at", Instant(), nullable=False),
        sa.Column("changed_at", Instant(), nullable=True),
        sa.Column("changeable_until", Instant(), nullable=False),
        sa.CheckConstraint(
            "(redemption_id IS NULL) <> (complaint_id IS NULL)", name=op.f("ck_rating_about_one")
        ),
        sa.CheckConstraint("stars BETWEEN 1 AND 5", name=op.f("ck_rating_stars")),
        sa.ForeignKeyConstraint(["complaint_id"], ["complaint.id"], name=op.f("fk_rating_complaint_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_rating_organisation_id")
        ),
        sa.ForeignKeyConstraint(["redemption_id"], ["redemption.id"], name=op.f("fk_rating_redemption_id")),
        sa.ForeignKeyConstraint(["talent_id"], ["talent.id"], name=op.f("fk_rating_talent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rating")),
        sa.UniqueConstraint("complaint_id", name=op.f("uq_rating_complaint_id")),
        sa.UniqueConstraint("redemption_id", name=op.f("uq_rating_redemption_id")),
    )
    op.create_index("ix_rating_organisation", "rating", ["organisation_id", "rated_at"], unique=False)
    op.create_index(op.f("ix_rating_talent_id"), "rating", ["talent_id"], unique=False)
