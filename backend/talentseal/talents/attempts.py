"""What somebody tried with a thing that is not his: refused as if there were none, and noted."""

import structlog

from talentseal.accounts.roles import Actor

log = structlog.get_logger(__name__)


def note(actor: Actor, what: str, identifier: str) -> None:
    """Leave a line for the operator. what: kind of the thing; identifier: its random id."""
    log.warning("access.not-yours", account=actor.account_id, role=actor.role.value, what=what, id=identifier)
