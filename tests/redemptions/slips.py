"""Faults to plant in a life of the service, each of a kind that the programme exists to catch."""

import threading
import time
from collections.abc import Callable
from typing import Any, Final

from sqlalchemy.orm import Session
from starlette.responses import Response

from talentseal.accounts import calls
from talentseal.db import Database
from talentseal.web import idempotency
from talentseal.web.idempotency import Answer, Declined, Once
from tests.crash.bugs import _patch

Effect = Callable[[Session], Answer | Declined]


def no_slip() -> None:
    """The service as it is."""


def acknowledge_before_commit() -> None:
    """The client has its answer while the transaction is still open."""

    def perform(database: Database, once: Once, effect: Effect, **rest: Any) -> Response:
        answers: list[Answer | Response | Exception] = []
        told = threading.Event()

        def first(session: Session) -> Answer | Declined:
            met = effect(session)
            if isinstance(met, Answer):
                answers.append(met)
                told.set()
                time.sleep(0.004)
            return met

        def write() -> None:
            try:
                answers.append(idempotency.perform(database, once, first, **rest))
            except Exception as error:  # noqa: BLE001 - told to whoever waits
                answers.append(error)
            told.set()

        threading.Thread(target=write, daemon=True).start()
        told.wait()
        match answers[0]:
            case Answer() as met:
                body = met.body.model_dump_json()
                return Response(body, met.status, media_type="application/json")
            case Response() as whole:
                return whole
            case error:
                raise error

    _patch(calls, "perform", perform)


def forget_idempotency() -> None:
    """A repeated request is carried out again."""

    def perform(database: Database, _once: Once, effect: Effect, **_: object) -> Response:
        met = database.write(effect)
        if isinstance(met, Declined):
            raise met.error
        return Response(met.body.model_dump_json(), met.status, media_type="application/json")

    _patch(calls, "perform", perform)


SLIPS: Final[dict[str, Callable[[], None]]] = {
    slip.__name__.replace("_", "-"): slip for slip in (acknowledge_before_commit, forget_idempotency)
}
