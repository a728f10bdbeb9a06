"""Photos of holders, and tokens that were minted to be shown without a network."""

import sqlalchemy as sa
from alembic import op

from talentseal.db import Instant

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.create_table(
        "talent_photo",
        sa.Column("talent_id", sa.String(length=32), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("put_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["talent_id"], ["talent.id"], name=op.f("fk_talent_photo_talent_id")),
        sa.PrimaryKeyConstraint("talent_id", name=op.f("pk_talent_photo")),
    )
    for table in ("minted_token", "presentation"):
        op.add_column(table, sa.Column("offline", sa.Boolean(), server_default=sa.false(), nullable=False))
