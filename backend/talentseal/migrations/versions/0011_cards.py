"""Talent cards, what issuers offer, challenges for chip cards, and notices of changed tiers."""

import sqlalchemy as sa
from alembic import op

from talentseal.db import Instant
from talentseal.migrations.append_only import protect_rows

revision = "0011"
down_revision = "0010"

_STATES = (
    "REQUESTED",
    "ISSUER_REVIEW",
    "APPROVED",
    "DECLINED",
    "PERSONALISED",
    "DELIVERED",
    "ACTIVE",
    "FROZEN",
    "REPLACED",
    "EXPIRED",
    "CLOSED",
)
_STATE = sa.Enum(*_STATES, name="cardstate", native_enum=False, length=16)
_PROOF = sa.Enum("STATIC", "CHIP", name="cardproof", native_enum=False, length=16)
_TIERS = ("HIGH_A", "HIGH_B", "HIGH_C", "HIGH_D", "HIGH_E", "YOUTH", "SOCIALISED", "RESERVE")


def upgrade() -> None:
    op.create_table(
        "card_offer",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.String(length=66), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("form", sa.Enum("PHYSICAL", name="cardform", native_enum=False, length=16), nullable=False),
        sa.Column("proof", _PROOF, nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("serials", sa.Integer(), nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.Column("changed_by", sa.String(length=32), nullable=False),
        _refers("card_offer", "organisation"),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_card_offer")),
        sa.UniqueConstraint("organisation_id", name=op.f("uq_card_offer_organisation_id")),
    )
    _cards()
    _steps()
    _challenges()
    _notices()
    for table in ("card_step", "card_notice"):
        protect_rows(table)


def _cards() -> None:
    op.create_table(
        "talent_card",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("code_id", sa.String(length=32), nullable=False),
        sa.Column("organisation_id", sa.String(length=66), nullable=False),
        sa.Column("state", _STATE, nullable=False),
        sa.Column("requested_at", Instant(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.Column("replaces_id", sa.String(length=32), nullable=True),
        sa.Column("issuer", sa.Integer(), nullable=True),
        sa.Column("serial", sa.Integer(), nullable=True),
        sa.Column("card_ref", sa.LargeBinary(length=8), nullable=True),
        sa.Column("sealed_secret", sa.LargeBinary(), nullable=True),
        sa.Column("proof", _PROOF, nullable=True),
        sa.Column("printed_tier", sa.Enum(*_TIERS, name="tier", native_enum=False, length=16), nullable=True),
        sa.Column("valid_through", sa.Date(), nullable=True),
        sa.Column("reference", sa.String(length=64), nullable=True),
        sa.Column(
            "delivery",
            sa.Enum("AT_OUTLET", "BY_MAIL", name="deliveryway", native_enum=False, length=16),
            nullable=True,
        ),
        sa.Column("outlet_id", sa.String(length=32), nullable=True),
        sa.Column("mail_reference", sa.String(length=64), nullable=True),
        _refers("talent_card", "talent_code", "code_id"),
        _refers("talent_card", "organisation"),
        _refers("talent_card", "outlet"),
        _refers("talent_card", "talent_card", "replaces_id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_talent_card")),
        sa.UniqueConstraint("card_ref", name=op.f("uq_talent_card_card_ref")),
        sa.UniqueConstraint("issuer", "serial", name=op.f("uq_talent_card_issuer")),
    )
    op.create_index(op.f("ix_talent_card_code_id"), "talent_card", ["code_id"])
    op.create_index("ix_talent_card_valid_through", "talent_card", ["valid_through"])
    op.create_index("ix_talent_card_worklist", "talent_card", ["organisation_id", "state", "changed_at"])
    _one_at_a_time("uq_talent_card_in_use", "state IN ('ACTIVE', 'FROZEN')")
    _one_at_a_time(
        "uq_talent_card_making",
        "state IN ('REQUESTED', 'ISSUER_REVIEW', 'APPROVED', 'PERSONALISED', 'DELIVERED')",
    )


def _steps() -> None:
    categories = ("IDENTITY_NOT_CONFIRMED", "TERMS_NOT_MET", "NOT_REACHED", "ISSUING_PAUSED", "OTHER")
    op.create_table(
        "card_step",
        sa.Column("card_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("state", _STATE, nullable=False),
        sa.Column("taken_at", Instant(), nullable=False),
        sa.Column("account_id", sa.String(length=32), nullable=True),
        sa.Column(
            "category",
            sa.Enum(*categories, name="declinecategory", native_enum=False, length=32),
            nullable=True,
        ),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        _refers("card_step", "talent_card", "card_id"),
        sa.PrimaryKeyConstraint("card_id", "number", name=op.f("pk_card_step")),
    )


def _challenges() -> None:
    op.create_table(
        "card_challenge",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("card_id", sa.String(length=32), nullable=False),
        sa.Column("terminal_id", sa.String(length=32), nullable=False),
        sa.Column("challenge", sa.LargeBinary(length=16), nullable=False),
        sa.Column("issued_at", Instant(), nullable=False),
        sa.Column("answered_at", Instant(), nullable=True),
        _refers("card_challenge", "talent_card", "card_id"),
        _refers("card_challenge", "terminal"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_card_challenge")),
    )
    op.create_index(op.f("ix_card_challenge_issued_at"), "card_challenge", ["issued_at"])


def _notices() -> None:
    op.create_table(
        "card_notice",
        sa.Column("card_id", sa.String(length=32), nullable=False),
        sa.Column("tier_change_id", sa.String(length=32), nullable=False),
        sa.Column("told_at", Instant(), nullable=False),
        _refers("card_notice", "talent_card", "card_id"),
        _refers("card_notice", "tier_change"),
        sa.PrimaryKeyConstraint("card_id", "tier_change_id", name=op.f("pk_card_notice")),
    )


def _refers(table: str, to: str, column: str = "") -> sa.ForeignKeyConstraint:
    named = column or f"{to}_id"
    return sa.ForeignKeyConstraint([named], [f"{to}.id"], name=op.f(f"fk_{table}_{named}"))


def _one_at_a_time(name: str, while_: str) -> None:
    """Of the cards in these states, a code has one of each issuer."""
    op.create_index(
        name,
        "talent_card",
        ["code_id", "organisation_id"],
        unique=True,
        sqlite_where=sa.text(while_),
        postgresql_where=sa.text(while_),
    )
