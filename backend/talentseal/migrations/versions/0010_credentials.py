"""Devices that show codes, tokens and their burns, presentations and refusals at the counter."""

import sqlalchemy as sa
from alembic import op

from talentseal.db import Instant
from talentseal.migrations.append_only import protect_rows

revision = "0010"
down_revision = "0009"

_REFUSAL = sa.Enum(
    "TERMINAL_UNKNOWN",
    "TOKEN_MALFORMED",
    "TOKEN_FORGED",
    "TOKEN_EXPIRED",
    "TOKEN_USED",
    "CODE_SUSPENDED",
    "CODE_TERMINATED",
    "REVIEW_OVERDUE",
    "CARD_FROZEN",
    "SECOND_FACTOR_REQUIRED",
    name="refusal",
    native_enum=False,
    length=32,
)
_HISTORY = ("token_burn", "presentation", "presentation_refusal")


def upgrade() -> None:
    _minting()
    _presenting()
    for table in _HISTORY:
        protect_rows(table)


def _minting() -> None:
    op.create_table(
        "device",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("talent_id", sa.String(length=32), nullable=False),
        sa.Column("place", sa.SmallInteger(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("bound_at", Instant(), nullable=False),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.Column("current", sa.LargeBinary(length=32), nullable=True),
        sa.CheckConstraint("place BETWEEN 1 AND 3", name=op.f("ck_device_place")),
        sa.ForeignKeyConstraint(["talent_id"], ["talent.id"], name=op.f("fk_device_talent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_device_token_hash")),
    )
    op.create_index(op.f("ix_device_talent_id"), "device", ["talent_id"], unique=False)
    op.create_index(
        "uq_device_place",
        "device",
        ["talent_id", "place"],
        unique=True,
        sqlite_where=sa.text("revoked_at IS NULL"),
        postgresql_where=sa.text("revoked_at IS NULL"),
    )
    op.create_table(
        "minted_token",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("number_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("device_id", sa.String(length=32), nullable=False),
        sa.Column("code_id", sa.String(length=32), nullable=False),
        sa.Column("session_id", sa.String(length=32), nullable=False),
        sa.Column("minted_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["code_id"], ["talent_code.id"], name=op.f("fk_minted_token_code_id")),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_minted_token_device_id")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_minted_token")),
        sa.UniqueConstraint("number_digest", name=op.f("uq_minted_token_number_digest")),
    )
    op.create_index("ix_minted_token_device", "minted_token", ["device_id", "minted_at"], unique=False)
    op.create_index(op.f("ix_minted_token_minted_at"), "minted_token", ["minted_at"], unique=False)


def _presenting() -> None:
    op.create_table(
        "token_burn",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("terminal_id", sa.String(length=32), nullable=False),
        sa.Column("request", sa.String(length=64), nullable=False),
        sa.Column("presentation_id", sa.String(length=32), nullable=True),
        sa.Column("refusal", _REFUSAL, nullable=True),
        sa.Column("burnt_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_token_burn")),
    )
    op.create_table(
        "presentation",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("code_id", sa.String(length=32), nullable=False),
        sa.Column(
            "channel",
            sa.Enum("SCAN", "NUMERIC", "SWIPE", name="channel", native_enum=False, length=16),
            nullable=False,
        ),
        sa.Column("organisation_id", sa.String(length=66), nullable=False),
        sa.Column("outlet_id", sa.String(length=32), nullable=False),
        sa.Column("terminal_id", sa.String(length=32), nullable=False),
        sa.Column("staff_id", sa.String(length=32), nullable=False),
        sa.Column("presented_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column(
            "tier",
            sa.Enum(
                "HIGH_A",
                "HIGH_B",
                "HIGH_C",
                "HIGH_D",
                "HIGH_E",
                "YOUTH",
                "SOCIALISED",
                "RESERVE",
                name="tier",
                native_enum=False,
                length=16,
            ),
            nullable=False,
        ),
        sa.Column("card_id", sa.String(length=32), nullable=True),
        sa.Column("second_factor_required", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["code_id"], ["talent_code.id"], name=op.f("fk_presentation_code_id")),
        sa.ForeignKeyConstraint(["outlet_id"], ["outlet.id"], name=op.f("fk_presentation_outlet_id")),
        sa.ForeignKeyConstraint(["terminal_id"], ["terminal.id"], name=op.f("fk_presentation_terminal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_presentation")),
    )
    op.create_index("ix_presentation_code", "presentation", ["code_id", "presented_at"], unique=False)
    op.create_table(
        "presentation_refusal",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("terminal_id", sa.String(length=32), nullable=False),
        sa.Column("code_id", sa.String(length=32), nullable=True),
        sa.Column("refusal", _REFUSAL, nullable=False),
        sa.Column("refused_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["code_id"], ["talent_code.id"], name=op.f("fk_presentation_refusal_code_id")
        ),
        sa.ForeignKeyConstraint(
            ["terminal_id"], ["terminal.id"], name=op.f("fk_presentation_refusal_terminal_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_presentation_refusal")),
    )
    op.create_index(
        "ix_presentation_refusal_code", "presentation_refusal", ["code_id", "refused_at"], unique=False
    )
