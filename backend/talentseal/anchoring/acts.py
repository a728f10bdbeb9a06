"""What the lanes of acts want: the registry acts that features left in their outbox, in order."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from sealproof.eip712 import AgreementStatement, Party, TerminationStatement
from sealproof.errors import ProofError
from talentseal.anchoring.models import Lane
from talentseal.anchoring.policy import Job
from talentseal.chain.port import AbiValue, Call
from talentseal.evidence.models import ActKind, ActState, RegistryAct

LOOKAHEAD = 20
"""Queued acts looked at in one round: one that has to wait for its time does not hold up those behind it."""

REASON_LIMIT = 500


class PayloadMalformed(Exception):
    """An act's payload is not what its kind needs."""


BREACHES: Final = frozenset({ActKind.RECORD_BREACH, ActKind.RESOLVE_BREACH})
CARRIED: Final[Mapping[Lane, frozenset[ActKind]]] = MappingProxyType(
    {Lane.REGISTRAR: frozenset(ActKind) - BREACHES, Lane.ARBITER: BREACHES}
)
"""Which acts each lane's key carries."""

_UNDER_WAY: Final = (ActState.QUEUED, ActState.SUBMITTED)


def queued(session: Session, lane: Lane) -> list[RegistryAct]:
    """The lane's oldest queued acts, in the order in which they were asked for; at one time, new keys go
    first.

    An agreement carried before the key that signed it would be refused for good, and so would a breach before
    its agreement, which another lane carries, or its end before it: what an act builds on goes first,
    whatever the clocks of those who asked said.
    """
    order = (RegistryAct.created_at, RegistryAct.kind != ActKind.SET_KEY, RegistryAct.id)
    query = select(RegistryAct).where(
        RegistryAct.state == ActState.QUEUED, RegistryAct.kind.in_(CARRIED[lane])
    )
    found = list(session.scalars(query.order_by(*order).limit(LOOKAHEAD)))
    return _ripe(session, found) if lane is Lane.ARBITER else found


def _ripe(session: Session, found: Sequence[RegistryAct]) -> list[RegistryAct]:
    """Without those whose agreement or breach is still under way to the contract."""
    wanted = {act.id: _awaited(act) for act in found}
    coming = frozenset(
        session.scalars(
            select(RegistryAct.digest).where(
                RegistryAct.digest.in_(frozenset().union(*wanted.values())),
                RegistryAct.state.in_(_UNDER_WAY),
            )
        )
    )
    return [act for act in found if wanted[act.id].isdisjoint(coming)]


def _awaited(act: RegistryAct) -> frozenset[str]:
    """Digests of the acts that a finding on a breach builds on; none in a payload that is refused anyway."""
    try:
        payload = json.loads(act.payload)
        return frozenset(str(payload[name]) for name in ("agreement", "breach") if name in payload)
    except (ValueError, TypeError):
        return frozenset()


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


def _record_breach(payload: Mapping[str, Any]) -> _Arguments:
    path: list[AbiValue] = [_bytes(each) for each in payload["path"]]
    return "recordBreach", (
        _agreement(payload["statement"]),
        _bytes(payload["stipulation"]),
        int(payload["index"]),
        path,
        _bytes(payload["commitment"]),
    )


def _resolve_breach(payload: Mapping[str, Any]) -> _Arguments:
    return "resolveBreach", (
        _bytes(payload["breach"]),
        int(payload["resolution"]),
        _bytes(payload["commitment"]),
    )


_CALLS: dict[ActKind, Callable[[Mapping[str, Any]], _Arguments]] = {
    ActKind.SET_KEY: _set_key,
    ActKind.REVOKE_KEY: _revoke_key,
    ActKind.CONCLUDE: _conclude,
    ActKind.AMEND: _amend,
    ActKind.TERMINATE: _terminate,
    ActKind.RECORD_BREACH: _record_breach,
    ActKind.RESOLVE_BREACH: _resolve_breach,
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
