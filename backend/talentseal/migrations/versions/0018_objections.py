"""Objections to a decision; terminations for a failed review; which bureau an organisation is."""

import sqlalchemy as sa
from alembic import op

from talentseal.db import Instant

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.create_table(
        "objection",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("talent_id", sa.String(length=32), nullable=False),
        sa.Column("application_id", sa.String(length=32), nullable=True),
        sa.Column("recognition_id", sa.String(length=32), nullable=True),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("made_by", sa.String(length=32), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "FILED",
                "STANDS",
                "SET_ASIDE",
                "WITHDRAWN",
                name="objectionstate",
                native_enum=False,
                length=16,
            ),
            nullable=False,
        ),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("filed_at", Instant(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("answered_at", Instant(), nullable=True),
        sa.Column("answered_by", sa.String(length=32), nullable=True),
        sa.CheckConstraint(
            "(application_id IS NULL) <> (recognition_id IS NULL)", name=op.f("ck_objection_of_one_decision")
        ),
        sa.ForeignKeyConstraint(
            ["application_id"], ["application.id"], name=op.f("fk_objection_application_id")
        ),
        sa.ForeignKeyConstraint(
            ["recognition_id"], ["tier_recognition.id"], name=op.f("fk_objection_recognition_id")
        ),
        sa.ForeignKeyConstraint(["talent_id"], ["talent.id"], name=op.f("fk_objection_talent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_objection")),
        sa.UniqueConstraint("application_id", "step", name=op.f("uq_objection_application_id")),
        sa.UniqueConstraint("recognition_id", "step", name=op.f("uq_objection_recognition_id")),
    )
    op.create_index(op.f("ix_objection_talent_id"), "objection", ["talent_id"], unique=False)
    op.create_index("ix_objection_worklist", "objection", ["state", "due_on"], unique=False)
    op.add_column("termination_case", sa.Column("review_id", sa.String(length=32), nullable=True))
    op.create_index("uq_termination_case_review", "termination_case", ["review_id"], unique=True)
    op.add_column("organisation", sa.Column("bureau_code", sa.String(length=32), nullable=True))
