"""What is entered after it was given; benefits that are proposed, and who did not want them."""

import sqlalchemy as sa
from alembic import op

from talentseal.db import Instant

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    op.add_column("redemption", sa.Column("occurred_at", Instant(), nullable=True))
    op.add_column(
        "benefit_version",
        sa.Column("proactive", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.create_table(
        "declined_proposal",
        sa.Column("talent_id", sa.String(length=32), nullable=False),
        sa.Column("benefit_id", sa.String(length=32), nullable=False),
        sa.Column("period", sa.String(length=16), nullable=False),
        sa.Column("declined_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["benefit_id"], ["benefit.id"], name=op.f("fk_declined_proposal_benefit_id")),
        sa.ForeignKeyConstraint(["talent_id"], ["talent.id"], name=op.f("fk_declined_proposal_talent_id")),
        sa.PrimaryKeyConstraint("talent_id", "benefit_id", "period", name=op.f("pk_declined_proposal")),
    )
