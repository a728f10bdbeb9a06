"""Triggers that make the database itself refuse to alter or delete recorded evidence.

They stop mistakes and careless tools. Whoever may drop triggers can get round them; that is what the log's
proofs, fsck and the head store are for.
"""

import sqlalchemy as sa
from alembic import op

RECORD_COLUMNS = ("id", "kind", "entry", "leaf_hash", "recorded_at", "relation", "refers_to", "deadline")


def protect_records() -> None:
    """A record may receive its index once; nothing else about it changes, and it is never deleted."""
    unchanged = " AND ".join(f"NEW.{column} IS {{same}} OLD.{column}" for column in RECORD_COLUMNS)
    numbering = f"OLD.log_index IS NULL AND NEW.log_index IS NOT NULL AND {unchanged}"
    _refuse("evidence_record", "UPDATE", allowed=numbering)
    _refuse("evidence_record", "DELETE")


def protect_rows(table: str) -> None:
    """No row of `table` changes or goes."""
    _refuse(table, "UPDATE")
    _refuse(table, "DELETE")


def protect_all_but_sealed(table: str) -> None:
    """No row of `table` goes, nor changes but for what is sealed: that is sealed anew, or erased."""
    columns = [column["name"] for column in sa.inspect(op.get_bind()).get_columns(table)]
    same = " AND ".join(
        f"NEW.{name} IS {{same}} OLD.{name}" for name in columns if not name.startswith("sealed")
    )
    _refuse(table, "UPDATE", allowed=same)
    _refuse(table, "DELETE")


def protect_all_but(table: str, *moving: str) -> None:
    """No row of `table` goes, nor changes but in the columns named."""
    columns = [column["name"] for column in sa.inspect(op.get_bind()).get_columns(table)]
    same = " AND ".join(f"NEW.{name} IS {{same}} OLD.{name}" for name in columns if name not in moving)
    _refuse(table, "UPDATE", allowed=same)
    _refuse(table, "DELETE")


def fix_once_set(table: str, column: str) -> None:
    """What `column` says once, it says for ever; no other statement pays for it."""
    name, message = f"{table}_keeps_{column}", f"{table}.{column} is set once: another value refused"
    change = f"BEFORE UPDATE OF {column} ON {table}"
    moved = f"OLD.{column} IS NOT NULL AND NEW.{column}"
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            f"CREATE TRIGGER {name} {change} WHEN {moved} IS NOT OLD.{column} "
            f"BEGIN SELECT RAISE(ABORT, '{message}'); END"
        )
        return
    op.execute(
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{message}'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {name} {change} FOR EACH ROW WHEN ({moved} IS DISTINCT FROM OLD.{column}) "
        f"EXECUTE FUNCTION {name}()"
    )


def release_rows(table: str) -> None:
    """Undo `protect_rows`, so that the table can be protected otherwise."""
    postgres = op.get_bind().dialect.name != "sqlite"
    for action in ("update", "delete"):
        name = f"{table}_refuses_{action}"
        op.execute(f"DROP TRIGGER {name} ON {table}" if postgres else f"DROP TRIGGER {name}")
        if postgres:
            op.execute(f"DROP FUNCTION {name}()")


def _refuse(table: str, action: str, allowed: str = "") -> None:
    name = f"{table}_refuses_{action.lower()}"
    message = f"{table} is append-only: {action} refused"
    if op.get_bind().dialect.name == "sqlite":
        when = f"WHEN NOT ({allowed.format(same='')})" if allowed else ""
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {action} ON {table} {when} "
            f"BEGIN SELECT RAISE(ABORT, '{message}'); END"
        )
        return
    when = f"WHEN (NOT ({allowed.format(same='NOT DISTINCT FROM')}))" if allowed else ""
    op.execute(
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{message}'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {name} BEFORE {action} ON {table} FOR EACH ROW {when} EXECUTE FUNCTION {name}()"
    )
