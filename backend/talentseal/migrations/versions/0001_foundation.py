"""The tables of the evidence core, of organisations, accounts and agreements, and of anchoring."""

import sqlalchemy as sa
from alembic import op

from talentseal.db import Instant
from talentseal.migrations.append_only import protect_records, protect_rows

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "agreement_document",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("sm3", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("nonce", sa.LargeBinary(length=12), nullable=True),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agreement_document")),
    )
    op.create_table(
        "chain_state",
        sa.Column(
            "scope",
            sa.Enum("CHAIN", "ANCHOR", "REGISTRAR", name="scope", native_enum=False, length=16),
            nullable=False,
        ),
        sa.Column(
            "condition",
            sa.Enum(
                "OK",
                "UNREACHABLE",
                "PAUSED",
                "CHAIN_RESET",
                "FORKED",
                "STOPPED",
                name="condition",
                native_enum=False,
                length=16,
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("scope", name=op.f("pk_chain_state")),
    )
    op.create_table(
        "checkpoint",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("previous_size", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("signed_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_checkpoint")),
    )
    op.create_table(
        "evidence_record",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("entry", sa.LargeBinary(), nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("relation", sa.String(length=16), nullable=True),
        sa.Column("refers_to", sa.String(length=32), nullable=True),
        sa.Column("deadline", Instant(), nullable=False),
        sa.Column("log_index", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["refers_to"],
            ["evidence_record.id"],
            name=op.f("fk_evidence_record_refers_to"),
            initially="IMMEDIATE",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence_record")),
        sa.UniqueConstraint("log_index", name=op.f("uq_evidence_record_log_index")),
    )
    with op.batch_alter_table("evidence_record", schema=None) as batch_op:
        batch_op.create_index(
            "ix_evidence_record_pending",
            ["recorded_at", "id"],
            unique=False,
            sqlite_where=sa.text("log_index IS NULL"),
            postgresql_where=sa.text("log_index IS NULL"),
        )
        batch_op.create_index(batch_op.f("ix_evidence_record_refers_to"), ["refers_to"], unique=False)

    op.create_table(
        "idempotent_answer",
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("route", sa.String(length=200), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "route", "key", name=op.f("pk_idempotent_answer")),
    )
    with op.batch_alter_table("idempotent_answer", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_idempotent_answer_created_at"), ["created_at"], unique=False)

    op.create_table(
        "lease",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("holder", sa.String(length=64), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_lease")),
    )
    op.create_table(
        "log_progress",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("anchored_size", sa.BigInteger(), nullable=False),
        sa.Column("final_size", sa.BigInteger(), nullable=False),
        sa.Column(
            "sealer",
            sa.Enum(
                "RUNNING",
                "REWOUND",
                "FORKED",
                "CORRUPT",
                "CLOCK_BEHIND",
                name="sealercondition",
                native_enum=False,
                length=16,
            ),
            nullable=False,
        ),
        sa.Column("sealer_reason", sa.Text(), nullable=False),
        sa.Column("sealer_since", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_log_progress")),
    )
    op.create_table(
        "organisation",
        sa.Column("id", sa.String(length=66), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("credit_code", sa.String(length=18), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "FINANCIAL",
                "UTILITY",
                "STATE_OWNED",
                "STRATEGIC",
                "MERCHANT",
                "THIRD_PARTY",
                "OPERATOR",
                "GOVERNMENT",
                "AUDITOR",
                name="organisationkind",
                native_enum=False,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisation")),
        sa.UniqueConstraint("credit_code", name=op.f("uq_organisation_credit_code")),
    )
    op.create_table(
        "tile",
        sa.Column("level", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hashes", sa.LargeBinary(length=8192), nullable=False),
        sa.PrimaryKeyConstraint("level", "number", name=op.f("pk_tile")),
    )
    op.create_table(
        "account",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("organisation_id", sa.String(length=66), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
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
            ),
            nullable=False,
        ),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("disabled_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_account_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
    )
    with op.batch_alter_table("account", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_account_organisation_id"), ["organisation_id"], unique=False)

    op.create_table(
        "agreement_version",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("agreement_id", sa.String(length=66), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("previous_id", sa.String(length=32), nullable=True),
        sa.Column("submission_key", sa.String(length=64), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("submitter_id", sa.String(length=66), nullable=False),
        sa.Column("submitted_by", sa.String(length=32), nullable=False),
        sa.Column("number", sa.String(length=100), nullable=True),
        sa.Column("title", sa.String(length=200), nullable=True),
        sa.Column(
            "category",
            sa.Enum(
                "FINANCIAL_BENEFIT",
                "CONSUMPTION_BENEFIT",
                "SCENARIO",
                "HOST_BANK",
                "OPERATOR_MANDATE",
                "CONCESSION",
                "OTHER",
                name="category",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("valid_through", sa.Date(), nullable=False),
        sa.Column("document_id", sa.String(length=32), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("terms_disclosures", sa.Text(), nullable=True),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=66), nullable=False),
        sa.Column("chain_id", sa.BigInteger(), nullable=False),
        sa.Column("contract", sa.String(length=42), nullable=False),
        sa.Column("deadline", Instant(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("submitted_at", Instant(), nullable=True),
        sa.Column("signed_at", Instant(), nullable=True),
        sa.Column("returned_at", Instant(), nullable=True),
        sa.Column("return_reason", sa.String(length=500), nullable=True),
        sa.Column("record_id", sa.String(length=32), nullable=True),
        sa.Column("erased_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["document_id"], ["agreement_document.id"], name=op.f("fk_agreement_version_document_id")
        ),
        sa.ForeignKeyConstraint(
            ["previous_id"],
            ["agreement_version.id"],
            name=op.f("fk_agreement_version_previous_id"),
            initially="IMMEDIATE",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["record_id"], ["evidence_record.id"], name=op.f("fk_agreement_version_record_id")
        ),
        sa.ForeignKeyConstraint(
            ["submitter_id"], ["organisation.id"], name=op.f("fk_agreement_version_submitter_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agreement_version")),
        sa.UniqueConstraint("digest", name=op.f("uq_agreement_version_digest")),
        sa.UniqueConstraint("submission_key", name=op.f("uq_agreement_version_submission_key")),
    )
    with op.batch_alter_table("agreement_version", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_agreement_version_agreement_id"), ["agreement_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_agreement_version_record_id"), ["record_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_agreement_version_submitter_id"), ["submitter_id"], unique=False)
        batch_op.create_index(
            "uq_agreement_version_live",
            ["agreement_id", "version"],
            unique=True,
            sqlite_where=sa.text("returned_at IS NULL"),
            postgresql_where=sa.text("returned_at IS NULL"),
        )

    op.create_table(
        "chain_epoch",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("chain_id", sa.BigInteger(), nullable=False),
        sa.Column("genesis_hash", sa.String(length=66), nullable=False),
        sa.Column("contract", sa.String(length=42), nullable=False),
        sa.Column("code_hash", sa.String(length=66), nullable=False),
        sa.Column("deployment_id", sa.String(length=66), nullable=False),
        sa.Column("deployment_block_hash", sa.String(length=66), nullable=False),
        sa.Column("deployment_block_number", sa.BigInteger(), nullable=False),
        sa.Column("predecessor", sa.String(length=66), nullable=False),
        sa.Column("opened_at", Instant(), nullable=False),
        sa.Column("opened_by", sa.String(length=64), nullable=False),
        sa.Column("closed_at", Instant(), nullable=True),
        sa.Column("record_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["record_id"], ["evidence_record.id"], name=op.f("fk_chain_epoch_record_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chain_epoch")),
    )
    op.create_table(
        "evidence_disclosure",
        sa.Column("record_id", sa.String(length=32), nullable=False),
        sa.Column("disclosures", sa.Text(), nullable=True),
        sa.Column("erased_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["record_id"], ["evidence_record.id"], name=op.f("fk_evidence_disclosure_record_id")
        ),
        sa.PrimaryKeyConstraint("record_id", name=op.f("pk_evidence_disclosure")),
    )
    op.create_table(
        "organisation_key",
        sa.Column("organisation_id", sa.String(length=66), nullable=False),
        sa.Column("address", sa.String(length=42), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "REQUESTED",
                "PROVEN",
                "REGISTERED",
                "REFUSED",
                "REVOKED",
                name="keystate",
                native_enum=False,
                length=16,
            ),
            nullable=False,
        ),
        sa.Column("challenge", sa.String(length=500), nullable=False),
        sa.Column("challenge_expires_at", Instant(), nullable=False),
        sa.Column("proof", sa.String(length=132), nullable=True),
        sa.Column("valid_from", Instant(), nullable=False),
        sa.Column("valid_until", Instant(), nullable=False),
        sa.Column("nonce", sa.BigInteger(), nullable=False),
        sa.Column("requested_by", sa.String(length=32), nullable=False),
        sa.Column("requested_at", Instant(), nullable=False),
        sa.Column("decided_by", sa.String(length=32), nullable=True),
        sa.Column("decided_at", Instant(), nullable=True),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_organisation_key_organisation_id")
        ),
        sa.PrimaryKeyConstraint("organisation_id", "address", name=op.f("pk_organisation_key")),
    )
    op.create_table(
        "record_closure",
        sa.Column("target_id", sa.String(length=32), nullable=False),
        sa.Column(
            "relation",
            sa.Enum(
                "AMENDS",
                "SUPERSEDES",
                "CORRECTS",
                "RETRACTS",
                "REVERSES",
                "CURES",
                "RESOLVES",
                "DECLARES",
                "ERASES",
                name="relation",
                native_enum=False,
                length=16,
            ),
            nullable=False,
        ),
        sa.Column("record_id", sa.String(length=32), nullable=False),
        sa.Column("signer_class", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["record_id"], ["evidence_record.id"], name=op.f("fk_record_closure_record_id")
        ),
        sa.ForeignKeyConstraint(
            ["target_id"], ["evidence_record.id"], name=op.f("fk_record_closure_target_id")
        ),
        sa.PrimaryKeyConstraint("target_id", "relation", name=op.f("pk_record_closure")),
        sa.UniqueConstraint("record_id", name=op.f("uq_record_closure_record_id")),
    )
    op.create_table(
        "registry_act",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "SET_KEY",
                "REVOKE_KEY",
                "CONCLUDE",
                "AMEND",
                "TERMINATE",
                name="actkind",
                native_enum=False,
                length=16,
            ),
            nullable=False,
        ),
        sa.Column("digest", sa.String(length=66), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("record_id", sa.String(length=32), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "QUEUED",
                "SUBMITTED",
                "MINED",
                "FINAL",
                "REFUSED",
                name="actstate",
                native_enum=False,
                length=16,
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("transaction_hash", sa.String(length=66), nullable=True),
        sa.Column("block_number", sa.BigInteger(), nullable=True),
        sa.Column("block_hash", sa.String(length=66), nullable=True),
        sa.ForeignKeyConstraint(
            ["record_id"], ["evidence_record.id"], name=op.f("fk_registry_act_record_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registry_act")),
        sa.UniqueConstraint("digest", name=op.f("uq_registry_act_digest")),
    )
    with op.batch_alter_table("registry_act", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_registry_act_state"), ["state"], unique=False)

    op.create_table(
        "statement_signature",
        sa.Column("digest", sa.String(length=66), nullable=False),
        sa.Column("organisation_id", sa.String(length=66), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("AGREEMENT", "TERMINATION", name="statementkind", native_enum=False, length=16),
            nullable=False,
        ),
        sa.Column("signer", sa.String(length=42), nullable=False),
        sa.Column("signature", sa.String(length=132), nullable=False),
        sa.Column("received_by", sa.String(length=32), nullable=False),
        sa.Column("received_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_statement_signature_organisation_id")
        ),
        sa.PrimaryKeyConstraint("digest", "organisation_id", name=op.f("pk_statement_signature")),
    )
    op.create_table(
        "agreement_party",
        sa.Column("version_id", sa.String(length=32), nullable=False),
        sa.Column("organisation_id", sa.String(length=66), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("signatory_role", sa.String(length=100), nullable=False),
        sa.Column("signer", sa.String(length=42), nullable=False),
        sa.Column("nonce", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_agreement_party_organisation_id")
        ),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["agreement_version.id"],
            name=op.f("fk_agreement_party_version_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("version_id", "organisation_id", name=op.f("pk_agreement_party")),
    )
    with op.batch_alter_table("agreement_party", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_agreement_party_organisation_id"), ["organisation_id"], unique=False
        )

    op.create_table(
        "agreement_termination",
        sa.Column("version_id", sa.String(length=32), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("terms_disclosures", sa.Text(), nullable=True),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=66), nullable=False),
        sa.Column("effective_at", Instant(), nullable=False),
        sa.Column("deadline", Instant(), nullable=False),
        sa.Column("proposed_by", sa.String(length=32), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("signed_at", Instant(), nullable=True),
        sa.Column("record_id", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(
            ["record_id"], ["evidence_record.id"], name=op.f("fk_agreement_termination_record_id")
        ),
        sa.ForeignKeyConstraint(
            ["version_id"], ["agreement_version.id"], name=op.f("fk_agreement_termination_version_id")
        ),
        sa.PrimaryKeyConstraint("version_id", name=op.f("pk_agreement_termination")),
        sa.UniqueConstraint("digest", name=op.f("uq_agreement_termination_digest")),
    )
    with op.batch_alter_table("agreement_termination", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_agreement_termination_record_id"), ["record_id"], unique=False)

    op.create_table(
        "api_key",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("secret_hash", sa.String(length=200), nullable=False),
        sa.Column("scopes", sa.String(length=1000), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("last_used_at", Instant(), nullable=True),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_api_key_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_key")),
    )
    with op.batch_alter_table("api_key", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_api_key_account_id"), ["account_id"], unique=False)

    op.create_table(
        "chain_transaction",
        sa.Column("epoch_id", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(length=66), nullable=False),
        sa.Column(
            "lane", sa.Enum("ANCHOR", "REGISTRAR", name="lane", native_enum=False, length=16), nullable=False
        ),
        sa.Column("sender", sa.String(length=42), nullable=False),
        sa.Column("nonce", sa.BigInteger(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("gas", sa.BigInteger(), nullable=False),
        sa.Column("max_fee_wei", sa.BigInteger(), nullable=False),
        sa.Column("priority_fee_wei", sa.BigInteger(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("root", sa.LargeBinary(length=32), nullable=True),
        sa.Column("act_id", sa.String(length=32), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "SIGNED",
                "MINED",
                "REVERTED",
                "FINAL",
                "SUPERSEDED",
                "ABANDONED",
                name="transactionstate",
                native_enum=False,
                length=16,
            ),
            nullable=False,
        ),
        sa.Column("signed_at", Instant(), nullable=False),
        sa.Column("sends", sa.Integer(), nullable=False),
        sa.Column("next_send_at", Instant(), nullable=False),
        sa.Column("last_reply", sa.Text(), nullable=False),
        sa.Column("surprised_at", Instant(), nullable=True),
        sa.Column("block_number", sa.BigInteger(), nullable=True),
        sa.Column("block_hash", sa.String(length=66), nullable=True),
        sa.Column("mined_at", Instant(), nullable=True),
        sa.Column("final_at", Instant(), nullable=True),
        sa.Column("reorganisations", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["act_id"], ["registry_act.id"], name=op.f("fk_chain_transaction_act_id")),
        sa.ForeignKeyConstraint(["epoch_id"], ["chain_epoch.id"], name=op.f("fk_chain_transaction_epoch_id")),
        sa.PrimaryKeyConstraint("epoch_id", "hash", name=op.f("pk_chain_transaction")),
        sa.UniqueConstraint("epoch_id", "sender", "nonce", "attempt", name="uq_chain_transaction_candidate"),
    )
    with op.batch_alter_table("chain_transaction", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_chain_transaction_act_id"), ["act_id"], unique=False)
        batch_op.create_index("ix_chain_transaction_block", ["epoch_id", "block_number"], unique=False)
        batch_op.create_index("ix_chain_transaction_head", ["epoch_id", "size"], unique=False)
        batch_op.create_index("ix_chain_transaction_state", ["epoch_id", "state", "lane"], unique=False)

    op.create_table(
        "stipulation",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("version_id", sa.String(length=32), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("disclosure", sa.Text(), nullable=True),
        sa.Column("leaf_hash", sa.String(length=64), nullable=False),
        sa.Column("record_id", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(["record_id"], ["evidence_record.id"], name=op.f("fk_stipulation_record_id")),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["agreement_version.id"],
            name=op.f("fk_stipulation_version_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stipulation")),
        sa.UniqueConstraint("version_id", "position", name=op.f("uq_stipulation_version_id")),
    )
    with op.batch_alter_table("stipulation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_stipulation_record_id"), ["record_id"], unique=False)
    op.execute(
        "INSERT INTO log_progress (id, anchored_size, final_size, sealer, sealer_reason) "
        "VALUES (1, 0, 0, 'RUNNING', '')"
    )
    protect_records()
    protect_rows("checkpoint")
