"""Where the jobs are: a private store of each kind, and what can be done to it."""

from __future__ import annotations

import signal
import sqlite3
from typing import TYPE_CHECKING, Final, Protocol

from benchmarks.chaos.places_redis import ClusterPlace, FailoverPlace
from tests.e2e.victims import Victim
from tests.servers.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from benchmarks.chaos.plan import Plan


class Place(Protocol):
    """A store: the settings that lead servers to it."""

    @property
    def settings(self) -> Mapping[str, str]:
        """The settings of a server that keeps its jobs there."""
        ...

    def close(self) -> None:
        """End what was started, and leave nothing behind."""
        ...


class SqlitePlace:
    """A file that all servers share. It dies with the servers, all at once."""

    def __init__(self, folder: Path) -> None:
        """Have the file in ``folder``; the first server makes it."""
        self._path = folder / "jobs.db"
        self._holder: sqlite3.Connection | None = None

    @property
    def settings(self) -> Mapping[str, str]:
        """The settings of a server that keeps its jobs there."""
        return {"BACKEND": "sqlite", "SQLITE_PATH": str(self._path)}

    def freeze(self) -> None:
        """Hold the lock of the only writer, as a process does that was stopped at a bad moment."""
        # Whoever thaws it may be another thread.
        self._holder = sqlite3.connect(self._path, timeout=60.0, check_same_thread=False)
        self._holder.execute("BEGIN IMMEDIATE")

    def thaw(self) -> None:
        """Let the lock go."""
        if self._holder is not None:
            self._holder.close()
            self._holder = None

    def close(self) -> None:
        """Hold nothing; the file stays with what else the run leaves."""
        self.thaw()


class ServedPlace:
    """PostgreSQL or Redis: a server of its own, behind a proxy that can lose its replies."""

    def __init__(self, store: str) -> None:
        """Start it."""
        self._store = store
        self._victim = Victim(store)
        self._network = Proxy(self._victim.port)
        self._stops = 0

    @property
    def settings(self) -> Mapping[str, str]:
        """The settings of a server that keeps its jobs there."""
        address = self._victim.through(self._network.port)
        return {"BACKEND": self._store, _ADDRESS[self._store]: address}

    def kill(self) -> None:
        """Kill it, with all its processes."""
        self._victim.kill()

    def stop(self) -> None:
        """Stop it as an operator does: PostgreSQL fast and, every other time, immediately."""
        ways = _WAYS[self._store]
        self._victim.stop(ways[self._stops % len(ways)])
        self._stops += 1

    def start(self) -> None:
        """Start it again, and wait until it answers."""
        self._victim.start()

    def freeze(self) -> None:
        """Stop all its processes as they are."""
        self._victim.freeze()

    def thaw(self) -> None:
        """Let them go on."""
        self._victim.thaw()

    def cut(self) -> None:
        """Let it end every connection that it has."""
        self._victim.cut()

    def lose_replies(self, count: int) -> None:
        """Lose its next replies, and their connections."""
        self._network.lose_replies(count)

    @property
    def lost(self) -> int:
        """How many of its replies were lost so far."""
        return self._network.lost

    def close(self) -> None:
        """End it."""
        self._network.close()
        self._victim.close()


_ADDRESS: Final = {"postgres": "POSTGRES_DSN", "redis": "REDIS_URL"}
_WAYS: Final = {
    "postgres": (signal.SIGINT, signal.SIGQUIT),
    "redis": (signal.SIGTERM,),
}


def open_place(plan: Plan) -> Place:
    """Start the store of a run."""
    match plan.faults:
        case "failover":
            return FailoverPlace(wait_replicas=0)
        case "failover-wait":
            return FailoverPlace(wait_replicas=1)
        case "cluster":
            return ClusterPlace()
        case "usual":
            return SqlitePlace(plan.out) if plan.store == "sqlite" else ServedPlace(plan.store)
