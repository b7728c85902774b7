"""A private Redis server, with the append-only file on, in a temporary folder."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from tests.servers.processes import ServerProcess, find_program, free_port, temporary_folder

if TYPE_CHECKING:
    from collections.abc import Sequence


class RedisServer:
    """One server on a free port of the loopback interface; it can be killed and started again."""

    def __init__(self, *options: str, port: int | None = None) -> None:
        """Start it; ``options`` are words of its command line, such as ``--maxmemory``, ``10mb``."""
        self.port = port or free_port()
        self.folder = temporary_folder("redis")
        self._options: Sequence[str] = options
        self._processes: list[ServerProcess] = []
        self.start()

    @property
    def url(self) -> str:
        """Return where it is."""
        return f"redis://127.0.0.1:{self.port}"

    @property
    def process(self) -> ServerProcess:
        """Return the process that runs now, or ran last."""
        return self._processes[-1]

    def start(self) -> None:
        """Start it, and wait until it answers; after a kill it finds its append-only file."""
        # A sentinel keeps what it knows in its configuration file, and does not start without one.
        configuration = self.folder / "redis.conf"
        configuration.touch()
        command = [
            find_program("redis-server", "redis-server"),
            str(configuration),
            *("--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder)),
            *("--appendonly", "yes", "--save", "", "--daemonize", "no"),
            *("--repl-diskless-sync-delay", "0"),
            *self._options,
        ]
        folder = None if self._processes else self.folder
        process = ServerProcess(command, log=self.folder / "log", folder=folder)
        self._processes.append(process)
        process.wait_until(self._answers)

    def kill(self) -> None:
        """Kill it at once, as a crash would; ``start`` brings it back with what it had written."""
        self.process.kill()

    def close(self) -> None:
        """End it and remove its folder; safe to call twice."""
        while self._processes:
            self._processes.pop().close()

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1.0) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(64).startswith(b"+PONG")
        except OSError:
            return False
