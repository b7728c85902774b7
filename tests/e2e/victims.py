"""Servers of stores that a test may kill, freeze and cut off: PostgreSQL and Redis, private ones."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

import psycopg

from actorq.backends.redis.address import ServerAddress
from actorq.backends.redis.link import Link
from tests.e2e.places import on_postgres, on_redis
from tests.e2e.server_process import ACTORQ
from tests.servers.postgres import PostgresServer
from tests.servers.processes import PATIENCE_S, ServerProcess
from tests.servers.redis import RedisServer

if TYPE_CHECKING:
    from collections.abc import Mapping

QUICK_S: Final = 1.0
"""Seconds of silence after which a server of ours gives up a store that owes it an answer."""

_IMPATIENT: Final = f"""
import runpy, sys
from actorq.backends.postgres import connection
connection.SILENCE_S = {QUICK_S}
sys.argv[1:] = ["serve"]
runpy.run_module("actorq", run_name="__main__")
"""
QUICK: Final = {"postgres": ("-c", _IMPATIENT), "redis": ACTORQ}
"""How a server is started that has little patience; for Redis its URL says so."""


class StoreServer(Protocol):
    """What the servers of the stores have in common."""

    port: int

    @property
    def process(self) -> ServerProcess:
        """Return the process that runs now, or ran last."""
        ...

    def start(self) -> None:
        """Start it, and wait until it answers."""
        ...

    def kill(self) -> None:
        """Kill it at once."""
        ...

    def close(self) -> None:
        """End it and remove its folder."""
        ...


class Victim:
    """One private server of a store, with whatever processes it consists of."""

    def __init__(self, store: str, *options: str) -> None:
        """Start it; ``options`` are the server's own."""
        self.store = store
        self._server: StoreServer
        if store == "postgres":
            postgres = PostgresServer(*options)
            self._server = postgres
            self._address = postgres.dsn
        else:
            redis = RedisServer(*options)
            self._server = redis
            self._address = redis.url

    def settings(self, namespace: str) -> Mapping[str, str]:
        """Return the settings of a place that may lose its server again and again."""
        patient = {"MAX_EXPIRIES": "1000"}
        if self.store == "postgres":
            return {**on_postgres(f"{self._address}&connect_timeout=2", namespace), **patient}
        quick = f"{self._address}?socket_timeout={QUICK_S}&socket_connect_timeout={QUICK_S}"
        return {**on_redis(quick, namespace), **patient}

    @property
    def port(self) -> int:
        """Return the port of the loopback interface on which it listens."""
        return self._server.port

    def through(self, port: int) -> str:
        """Return its address for those who reach it through a proxy at ``port``."""
        return self._address.replace(f":{self.port}", f":{port}")

    def kill(self) -> None:
        """Kill it with SIGKILL, and wait until nothing of it is left."""
        family = self._family()
        self._server.kill()
        self._wait_for_the_end(family)

    def stop(self, number: signal.Signals) -> None:
        """Let it stop by itself, in the way that this signal asks for."""
        family = self._family()
        self._server.process.signal(number)
        self._wait_for_the_end(family)

    def start(self) -> None:
        """Start it again, with what it had written."""
        self._server.start()

    def freeze(self) -> None:
        """Stop every process of it, as they are."""
        for pid in self._family():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        for pid in self._family():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def cut(self) -> None:
        """End every connection to it but this one."""
        if self.store == "postgres":
            with psycopg.connect(self._address, autocommit=True) as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
                )
            return
        link = Link(ServerAddress(self._address, 5.0))
        for kind in (b"normal", b"pubsub"):
            link.call(b"CLIENT", b"KILL", b"TYPE", kind, b"SKIPME", b"yes")
        link.close()

    def close(self) -> None:
        """End it; safe to call when it is dead already."""
        self.thaw()
        self._server.close()

    def _wait_for_the_end(self, family: list[int]) -> None:
        end = time.monotonic() + PATIENCE_S
        # PostgreSQL's other processes end by themselves, and none may start before that.
        while any(_stat(pid)[:1] not in ([], ["Z"]) for pid in family):
            assert time.monotonic() < end, "a server does not go away"
            time.sleep(0.01)

    def _family(self) -> list[int]:
        """Return the process and its children."""
        parent = self._server.process.pid
        return [parent, *(pid for pid in _processes() if _stat(pid)[1:2] == [str(parent)])]


def _processes() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _stat(pid: int) -> list[str]:
    """Return what the kernel tells of a process, from its state on; nothing if there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return []
    return stat.rsplit(")", 1)[1].split()
