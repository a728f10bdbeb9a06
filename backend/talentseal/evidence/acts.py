"""Asking the registry contract for something, from inside a feature's own transaction.

Features never talk to a chain: they leave an act here, anchoring carries it, and its state is read from here.
"""

import json
import secrets
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Session

from talentseal.db import is_sqlite
from talentseal.evidence.models import ActKind, ActState, RegistryAct


def enqueue(
    session: Session,
    kind: ActKind,
    *,
    digest: str,
    payload: dict[str, Any],
    now: datetime,
    record_id: str | None = None,
) -> RegistryAct:
    """Leave an act for the contract; asking again for the same `digest` returns the act already there.

    digest: `0x` and 64 hex digits, what makes the act the same act. payload: JSON as `RegistryAct.payload`
    says.
    """
    insert = insert_sqlite if is_sqlite(session) else insert_postgresql
    session.execute(
        insert(RegistryAct)
        .values(
            id=secrets.token_hex(16),
            kind=kind,
            digest=digest,
            payload=json.dumps(payload, sort_keys=True, separators=(",", ":")),
            record_id=record_id,
            created_at=now,
            updated_at=now,
            state=ActState.QUEUED,
            reason="",
        )
        .on_conflict_do_nothing(index_elements=["digest"])
    )
    return session.scalars(select(RegistryAct).where(RegistryAct.digest == digest)).one()


def act_of(session: Session, digest: str) -> RegistryAct | None:
    """The act with that digest; None when nobody has asked for it."""
    return session.scalars(select(RegistryAct).where(RegistryAct.digest == digest)).one_or_none()
