"""How people sign in: sessions, passwords, second factors, invitations, challenges for keys."""

import sqlalchemy as sa
from alembic import op

from talentseal.db import Instant

revision = "0002"
down_revision = "0001"

_METHOD = sa.Enum(
    "PASSWORD", "KEY", "INVITATION", "DEMONSTRATION", name="signinmethod", native_enum=False, length=16
)


def _account_key() -> sa.Column[str]:
    return sa.Column("account_id", sa.String(length=32), nullable=False)


def _account(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f(f"fk_{table}_account_id"))


def upgrade() -> None:
    for name, length in (("sign_in_name", 64), ("signing_address", 42)):
        op.add_column("account", sa.Column(name, sa.String(length=length), nullable=True))
        op.create_index(op.f(f"ix_account_{name}"), "account", [name], unique=True)
    op.create_table(
        "web_session",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        _account_key(),
        sa.Column("method", _METHOD, nullable=False),
        sa.Column("browser", sa.String(length=40), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("last_seen_at", Instant(), nullable=False),
        _account("web_session"),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_web_session")),
        sa.UniqueConstraint("id", name=op.f("uq_web_session_id")),
    )
    op.create_index(op.f("ix_web_session_account_id"), "web_session", ["account_id"])
    op.create_table(
        "half_sign_in",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        _account_key(),
        sa.Column("method", _METHOD, nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        _account("half_sign_in"),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_half_sign_in")),
    )
    op.create_index(op.f("ix_half_sign_in_account_id"), "half_sign_in", ["account_id"])
    op.create_table(
        "key_challenge",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("address", sa.String(length=42), nullable=False),
        sa.Column("typed_data", sa.Text(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_key_challenge")),
    )
    _secrets()


def _secrets() -> None:
    op.create_table(
        "credential",
        _account_key(),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("password_set_at", Instant(), nullable=False),
        sa.Column("totp_secret", sa.LargeBinary(), nullable=True),
        sa.Column("next_totp_secret", sa.LargeBinary(), nullable=True),
        sa.Column("totp_step", sa.BigInteger(), nullable=False),
        _account("credential"),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_credential")),
    )
    op.create_table(
        "recovery_code",
        _account_key(),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        _account("recovery_code"),
        sa.PrimaryKeyConstraint("account_id", "code_hash", name=op.f("pk_recovery_code")),
    )
    op.create_table(
        "invitation",
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        _account_key(),
        sa.Column("totp_secret", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        _account("invitation"),
        sa.PrimaryKeyConstraint("code_hash", name=op.f("pk_invitation")),
        sa.UniqueConstraint("account_id", name=op.f("uq_invitation_account_id")),
    )
    op.create_table(
        "demonstration_person",
        _account_key(),
        sa.Column("position", sa.Integer(), nullable=False),
        _account("demonstration_person"),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_demonstration_person")),
    )
