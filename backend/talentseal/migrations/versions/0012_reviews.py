"""Reviews of holders; what is sealed in an append-only row can be sealed anew, and erased."""

import sqlalchemy as sa
from alembic import op

from talentseal.db import Instant
from talentseal.migrations.append_only import protect_all_but_sealed, protect_rows, release_rows

revision = "0012"
down_revision = "0011"

_STATE = sa.Enum(
    "SCHEDULED",
    "DUE",
    "OVERDUE",
    "SUBMITTED",
    "CHANGES_REQUIRED",
    "CONFIRMED",
    "FAILED",
    name="reviewstate",
    native_enum=False,
    length=24,
)
_CAUSE = sa.Enum(
    "PERIODIC",
    "JOB_CHANGE",
    "INSURANCE_GAP",
    "GRADUATION_LIMIT",
    "COMPLAINT",
    name="reviewcause",
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
_OPEN = sa.text("state IN ('SCHEDULED', 'DUE', 'OVERDUE', 'SUBMITTED', 'CHANGES_REQUIRED')")


def upgrade() -> None:
    _terms()
    _tasks()
    _steps()
    for table in ("application_step", "recognition_step"):
        release_rows(table)
    for table in ("application_step", "recognition_step", "review_step"):
        protect_all_but_sealed(table)
    protect_rows("review_reminder")


def _terms() -> None:
    op.create_table(
        "review_terms",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("months", sa.Text(), nullable=False),
        sa.Column("grace_days", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.String(length=32), nullable=False),
        sa.Column("proposed_at", Instant(), nullable=False),
        sa.Column("approved_by", sa.String(length=32), nullable=True),
        sa.Column("approved_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_review_terms")),
    )


def _tasks() -> None:
    op.create_table(
        "review_task",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("talent_id", sa.String(length=32), nullable=False),
        sa.Column("code_id", sa.String(length=32), nullable=False),
        sa.Column("cause", _CAUSE, nullable=False),
        sa.Column("occasion", sa.String(length=32), nullable=False),
        sa.Column("state", _STATE, nullable=False),
        sa.Column("steps", sa.Integer(), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("opened_by", sa.String(length=32), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("answer_by", sa.Date(), nullable=False),
        sa.Column("lapsed_on", sa.Date(), nullable=True),
        sa.Column("concluded_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["code_id"], ["talent_code.id"], name=op.f("fk_review_task_code_id")),
        sa.ForeignKeyConstraint(["talent_id"], ["talent.id"], name=op.f("fk_review_task_talent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_task")),
        sa.UniqueConstraint("code_id", "cause", "occasion", name=op.f("uq_review_task_code_id")),
    )
    op.create_index(op.f("ix_review_task_talent_id"), "review_task", ["talent_id"], unique=False)
    op.create_index("ix_review_task_worklist", "review_task", ["state", "due_on", "id"], unique=False)
    op.create_index(
        "uq_review_task_open",
        "review_task",
        ["code_id", "cause"],
        unique=True,
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )


def _steps() -> None:
    op.create_table(
        "review_reminder",
        sa.Column("review_id", sa.String(length=32), nullable=False),
        sa.Column("remind_on", sa.Date(), nullable=False),
        sa.Column("days_left", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["review_id"], ["review_task.id"], name=op.f("fk_review_reminder_review_id")),
        sa.PrimaryKeyConstraint("review_id", "remind_on", name=op.f("pk_review_reminder")),
    )
    op.create_table(
        "review_step",
        sa.Column("review_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("state", _STATE, nullable=False),
        sa.Column("taken_at", Instant(), nullable=False),
        sa.Column("account_id", sa.String(length=32), nullable=True),
        sa.Column("organisation_id", sa.String(length=66), nullable=True),
        sa.Column("role", _ROLE, nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["review_id"], ["review_task.id"], name=op.f("fk_review_step_review_id")),
        sa.PrimaryKeyConstraint("review_id", "number", name=op.f("pk_review_step")),
    )
