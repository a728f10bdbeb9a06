"""Bugs to plant, one of each kind that the harness exists to catch. Each patches the service in a child."""

from collections.abc import Callable
from typing import Any, cast

from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.responses import Response

from sealproof import merkle
from sealproof.rpc import Block
from talentseal.anchoring import ledger, service, watching
from talentseal.anchoring.lanes import LaneRun
from talentseal.anchoring.models import ChainTransaction
from talentseal.chain.port import Fees
from talentseal.db import Database
from talentseal.evidence import sealing
from talentseal.evidence.headstore import Head, HeadStore, _encode
from talentseal.evidence.models import EvidenceRecord
from talentseal.evidence.sealing import Sealer
from talentseal.failpoints import reach
from talentseal.web import idempotency
from tests.crash.life import Life, Receipt
from tests.crash.line import Tried


def no_bug() -> None:
    """The service as it is."""


def acknowledge_before_commit() -> None:
    """The client has its answer while the transaction is still open."""

    def request(life: Life, key: str) -> None:
        life.line.tell(Tried(key))
        effect = life.effect(key)

        def answer_inside(session: Session) -> None:
            life.acknowledge(key, cast("Receipt", effect(session).body))

        life.database.write(answer_inside)

    _patch(Life, "request", request)


def forget_idempotency() -> None:
    """A repeated request is carried out again."""

    def perform(database: Database, _once: Any, effect: Callable[[Session], Any], *, now: Any) -> Any:
        del now
        answer = database.write(effect)
        return Response(answer.body.model_dump_json(), answer.status)

    _patch(idempotency, "perform", perform)


def overwrite_the_head() -> None:
    """The head store takes any head, without comparing it with the one that is there."""

    def swap(store: HeadStore, _expected: Head, following: Head) -> None:
        store.path.parent.mkdir(parents=True, exist_ok=True)
        store._replace(_encode(following))

    _patch(HeadStore, "swap", swap)


def publish_before_the_swap() -> None:
    """The checkpoint is shown first and the head kept afterwards."""
    swap = HeadStore.swap

    def publish_first(sealer: Sealer, head: Head, held: Any, now: Any) -> Any:
        size = sealer._database.write(lambda session: sealing._number(session, held))
        following = sealer._sign(head, size, now)
        sealer._publish(following)
        reach("seal.signed")
        swap(sealer._head_store, head, following)
        return sealing.Round(sealing.Outcome.SEALED, size, sealed=size - head.size)

    _patch(Sealer, "_seal", publish_first)


def sign_without_rereading() -> None:
    """The stored leaf hashes are believed instead of being computed anew from the entries."""

    def stored_hashes(session: Session, first: int, last: int) -> list[bytes]:
        inside = (EvidenceRecord.log_index >= first, EvidenceRecord.log_index < last)
        return list(
            session.scalars(
                select(EvidenceRecord.leaf_hash).where(*inside).order_by(EvidenceRecord.log_index)
            )
        )

    _patch(sealing, "reread", stored_hashes)


def sign_without_the_previous_head() -> None:
    """Whatever the database holds is signed, without a look at what was signed before."""

    def whole_tree(sealer: Sealer, head: Head, size: int, now: Any) -> Head:
        tree = merkle.CompactRange.empty()
        tree.extend(sealing._reread(sealer._database, 0, size))
        root = tree.root()
        note = sealer._signer.sign_checkpoint(size, root, now.replace(microsecond=0))
        return Head(size, head.size, root, tree.nodes, note, now.replace(microsecond=0))

    _patch(sealing, "check_extends", lambda session, _head: sealing.numbered_size(session))
    _patch(Sealer, "_sign", whole_tree)


def sign_again_with_a_new_nonce() -> None:
    """After a doubtful send the payload is signed again with the next nonce; the stored bytes are left."""
    send = LaneRun._send

    def send_anew(run: LaneRun, row: ChainTransaction) -> None:
        if row.signed_at == run.now:
            send(run, row)
            return
        fees = Fees(row.max_fee_wei, row.priority_fee_wei)
        signed = run.chain.sign(run.sender, bytes(row.payload), nonce=row.nonce + 1, gas=row.gas, fees=fees)
        run.chain.send(signed.raw)

    _patch(LaneRun, "_send", send_anew)


def send_before_storing() -> None:
    """The signed bytes go out first and into the database afterwards."""
    store = ledger.store

    def send_and_store(database: Database, prepared: Any, *, now: Any) -> bool:
        SENDING[0].send(prepared.signed.raw)
        reach("anchor.signed")
        return store(database, prepared, now=now)

    make = LaneRun._sign_and_store

    def remember_chain(run: LaneRun, *arguments: Any) -> bool:
        SENDING[:] = [run.chain]
        return make(run, *arguments)

    _patch(ledger, "store", send_and_store)
    _patch(LaneRun, "_sign_and_store", remember_chain)


SENDING: list[Any] = []


def believe_the_first_block() -> None:
    """What was once in a block counts as final some blocks later, without a look at whether it still is."""

    def by_height_alone(_round: Any, row: ChainTransaction, latest: Block) -> bool:
        return latest.number - (row.block_number or 0) >= 2

    _patch(watching, "look", lambda *_arguments: watching.Intact())
    _patch(service.Round, "_is_deep", by_height_alone)
    _patch(service.Round, "_lost_its_block", lambda *_arguments: False)


def _patch(target: Any, name: str, replacement: Any) -> None:
    getattr(target, name)  # a bug in code that is not there any more would be caught by nobody
    setattr(target, name, replacement)


BUGS: dict[str, Callable[[], None]] = {
    bug.__name__.replace("_", "-"): bug
    for bug in (
        acknowledge_before_commit,
        forget_idempotency,
        overwrite_the_head,
        publish_before_the_swap,
        sign_without_rereading,
        sign_without_the_previous_head,
        sign_again_with_a_new_nonce,
        send_before_storing,
        believe_the_first_block,
    )
}
