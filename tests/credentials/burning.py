"""Processes that act together at counters, each with several clients of its own."""

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
from talentseal.db import Database
from talentseal.partners.counter import Place

Answers = Counter[str | None]
"""How often each refusal was answered; None is: established."""


@dataclass(frozen=True, slots=True)
class Post:
    """Where a process presents: one terminal, on a database of its own."""

    url: str
    actor: Actor
    place: Place
    credentials: Credentials
    clients: int

    def act(self, database: Database, shown: str, now: datetime) -> str | None:
        """One client's request: present what is shown. Why it was refused, None when it was not."""
        met = database.write(
            lambda session: presenting.present(
                session, self.actor, self.credentials, self.place, Sent(shown, ""), now=now
            )
        )
        return met.refusal if isinstance(met, Refused) else None


@contextmanager
def processes(posts: list[Post]) -> Iterator[list[Connection]]:
    """A process for each post; what is sent into its connection is what its clients show, all at once."""
    context = multiprocessing.get_context("spawn")
    pipes = [context.Pipe() for _ in posts]
    started = [
        context.Process(target=_serve, args=(post, theirs), daemon=True)
        for post, (_, theirs) in zip(posts, pipes, strict=True)
    ]
    for process in started:
        process.start()
    for _, theirs in pipes:
        # So that a process that has ended is met as the end of its connection, not waited for.
        theirs.close()
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


def answered(connections: list[Connection], shown: list[str], now: datetime) -> Answers:
    """What the clients of all processes are answered. shown: by each client of a process, in turn."""
    for each in connections:
        each.send((shown, now))
    return sum((each.recv() for each in connections), Answers())


def _serve(post: Post, connection: Connection) -> None:
    database, ready = Database(post.url), threading.Barrier(post.clients)

    def client(shown: str, now: datetime) -> str | None:
        ready.wait()
        return post.act(database, shown, now)

    with ThreadPoolExecutor(post.clients) as threads:
        connection.send("ready")
        while order := connection.recv():
            shown, now = order
            connection.send(Answers(threads.map(client, shown, [now] * post.clients)))
    database.close()
