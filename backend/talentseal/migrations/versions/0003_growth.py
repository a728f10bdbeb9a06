"""How far the log had come at any time is found without reading every checkpoint."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_index("ix_checkpoint_signed_at", "checkpoint", ["signed_at", "size"])
