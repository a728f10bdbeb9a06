"""What the REGISTRAR lane wants: the registry acts that features left in their outbox, in order."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from sealproof.eip712 import AgreementStatement, Party, TerminationStatement
from sealproof.errors import ProofError
from talentseal.anchoring.policy import Job
from talentseal.chain.port import AbiValue, Call
from talentseal.evidence.models import ActKind, ActState, RegistryAct

LOOKAHEAD = 20
"""Queued acts looked at in one round: one that has to wait for its time does not hold up those behind it."""

REASON_LIMIT = 500


class PayloadMalformed(Exception):
    """An act's payload is not what its kind needs."""


def queued(session: Session) -> list[RegistryAct]:
    """The oldest queued acts, in the order in which they were asked for; at one time, new keys go first.

    An agreement carried before the key that signed it would be refused for good.
    """
    order = (RegistryAct.created_at, RegistryAct.kind != ActKind.SET_KEY, RegistryAct.id)
    query = select(RegistryAct).where(RegistryAct.state == ActState.QUEUED)
    return list(session.scalars(query.order_by(*order).limit(LOOKAHEAD)))


def job_of(act: RegistryAct) -> Job:
    """The call that carries an act. Raises PayloadMalformed."""
    try:
        payload = json.loads(act.payload)
        function, arguments = _CALLS[act.kind](payload)
    except (ProofError, ValueError, KeyError, TypeError) as error:
        raise PayloadMalformed(f"{type(error).__name__}: {error}") from None
    return Job(Call(function, arguments), act_id=act.id)


def refuse(session: Session, act_id: str, reason: str, *, now: datetime) -> None:
    """The contract will not have it: `reason` is its error with values. Only a queued act can be refused."""
    session.execute(
        update(RegistryAct)
        .where(RegistryAct.id == act_id, RegistryAct.state == ActState.QUEUED)
        .values(state=ActState.REFUSED, reason=reason[:REASON_LIMIT], updated_at=now)
    )


_Arguments = tuple[str, tuple[AbiValue, ...]]


def _set_key(payload: Mapping[str, Any]) -> _Arguments:
    organisation, signer = _key(payload)
    return "setKey", (organisation, signer, int(payload["valid_from"]), int(payload["valid_until"]))


def _revoke_key(payload: Mapping[str, Any]) -> _Arguments:
    return "revokeKey", _key(payload)


def _conclude(payload: Mapping[str, Any]) -> _Arguments:
    return "conclude", (_agreement(payload["statement"]), _signatures(payload))


def _amend(payload: Mapping[str, Any]) -> _Arguments:
    return "amend", (_agreement(payload["current"]), _agreement(payload["next"]), _signatures(payload))


def _terminate(payload: Mapping[str, Any]) -> _Arguments:
    return "terminate", (
        _agreement(payload["current"]),
        _ending(payload["termination"]),
        _signatures(payload),
    )


_CALLS: dict[ActKind, Callable[[Mapping[str, Any]], _Arguments]] = {
    ActKind.SET_KEY: _set_key,
    ActKind.REVOKE_KEY: _revoke_key,
    ActKind.CONCLUDE: _conclude,
    ActKind.AMEND: _amend,
    ActKind.TERMINATE: _terminate,
}


def _key(payload: Mapping[str, Any]) -> tuple[bytes, str]:
    return _bytes(payload["organisation"]), str(payload["signer"])


def _signatures(payload: Mapping[str, Any]) -> list[AbiValue]:
    return [_bytes(signature) for signature in payload["signatures"]]


def _bytes(text: Any) -> bytes:
    return bytes.fromhex(str(text).removeprefix("0x"))


def _agreement(statement: Any) -> tuple[AbiValue, ...]:
    read = AgreementStatement.from_json(statement)
    return (
        read.agreement_id,
        read.version,
        read.previous,
        read.commitment,
        read.stipulations_root,
        read.stipulation_count,
        read.effective_from,
        read.valid_through,
        read.deadline,
        _parties(read.parties),
    )


def _ending(statement: Any) -> tuple[AbiValue, ...]:
    read = TerminationStatement.from_json(statement)
    return (read.agreement, read.commitment, read.effective_at, read.deadline, _parties(read.parties))


def _parties(parties: tuple[Party, ...]) -> list[AbiValue]:
    return [(party.organisation, party.signer, party.nonce) for party in parties]
