"""Processes that present tokens together, each with several clients of its own."""

import multiprocessing
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from multiprocessing.connection import Connection

from talentseal.accounts.roles import Actor
from talentseal.credentials import presenting
from talentseal.credentials.presenting import Credentials, Refused, Sent
from talentseal.credentials.refusals import Refusal
from talentseal.db import Database
from talentseal.partners.counter import Place

Answers = Counter[Refusal | None]
"""How often each was answered; None is: established."""


@dataclass(frozen=True, slots=True)
class Post:
    """Where a process presents: one terminal, on a database of its own."""

    url: str
    actor: Actor
    place: Place
    credentials: Credentials
    clients: int


@contextmanager
def processes(posts: list[Post]) -> Iterator[list[Connection]]:
    """A process for each post; what is sent into its connection is presented by all its clients at once."""
    context = multiprocessing.get_context("spawn")
    pipes = [context.Pipe() for _ in posts]
    started = [
        context.Process(target=_serve, args=(post, theirs), daemon=True)
        for post, (_, theirs) in zip(posts, pipes, strict=True)
    ]
    for process in started:
        process.start()
    ours = [own for own, _ in pipes]
    try:
        for each in ours:
            each.recv()
        yield ours
    finally:
        for each in ours:
            each.send(None)
        for process in started:
            process.join(30)


def presented(connections: list[Connection], token: str, now: datetime) -> Answers:
    """What all clients of all processes are answered."""
    for each in connections:
        each.send((token, now))
    return sum((each.recv() for each in connections), Answers())


def _serve(post: Post, connection: Connection) -> None:
    database, ready = Database(post.url), threading.Barrier(post.clients)

    def client(token: str, now: datetime) -> Refusal | None:
        ready.wait()
        met = database.write(
            lambda session: presenting.present(
                session, post.actor, post.credentials, post.place, Sent(token, ""), now=now
            )
        )
        return met.refusal if isinstance(met, Refused) else None

    with ThreadPoolExecutor(post.clients) as threads:
        connection.send("ready")
        while order := connection.recv():
            connection.send(Answers(threads.map(client, *zip(*[order] * post.clients, strict=True))))
    database.close()
