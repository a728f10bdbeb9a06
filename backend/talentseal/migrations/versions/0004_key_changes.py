"""Which organisation's key a record of kind 90 is about; read back from the registry acts there are."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    change = op.create_table(
        "key_change",
        sa.Column("record_id", sa.String(length=32), nullable=False),
        sa.Column("organisation_id", sa.String(length=66), nullable=False),
        sa.Column("address", sa.String(length=42), nullable=False),
        sa.Column(
            "act",
            sa.Enum("REGISTERED", "REVOKED", name="keyact", native_enum=False, length=16),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_key_change_organisation_id")
        ),
        sa.ForeignKeyConstraint(["record_id"], ["evidence_record.id"], name=op.f("fk_key_change_record_id")),
        sa.PrimaryKeyConstraint("record_id", name=op.f("pk_key_change")),
    )
    op.create_index(op.f("ix_key_change_organisation_id"), "key_change", ["organisation_id"])
    acts = sa.text(
        "SELECT kind, record_id, payload FROM registry_act WHERE kind IN ('SET_KEY', 'REVOKE_KEY')"
    )
    op.bulk_insert(change, [_change(*act) for act in op.get_bind().execute(acts)])


def _change(kind: str, record_id: str, payload: str) -> dict[str, str]:
    named = json.loads(payload)
    return {
        "record_id": record_id,
        "organisation_id": named["organisation"],
        "address": named["signer"],
        "act": "REGISTERED" if kind == "SET_KEY" else "REVOKED",
    }
