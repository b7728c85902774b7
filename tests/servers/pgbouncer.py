"""A private PgBouncer in transaction mode, in front of a PostgreSQL server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import psycopg
from psycopg.conninfo import conninfo_to_dict

from tests.servers.postgres import unprivileged
from tests.servers.processes import ServerProcess, find_program, free_port, temporary_folder

if TYPE_CHECKING:
    from pathlib import Path

_SETTINGS: Final = """
[databases]
postgres = host={host} port={port} dbname={database}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {own_port}
unix_socket_dir =
auth_type = trust
auth_file = {folder}/users
pool_mode = transaction
default_pool_size = 20
max_client_conn = 500
server_reset_query = DISCARD ALL
server_reset_query_always = 1
"""


class Pooler:
    """One pooler on a free port of the loopback interface. It resets a session after each transaction."""

    def __init__(self, dsn: str) -> None:
        """Start it in front of the server that ``dsn`` names, and wait until it answers."""
        given = {key: str(value) for key, value in conninfo_to_dict(dsn).items()}
        self.port = free_port()
        self.folder = temporary_folder("pgbouncer")
        self._user = given["user"]
        self._write_settings(given, self.folder)
        command = [*unprivileged(self.folder), find_program("pgbouncer", "pgbouncer")]
        command.append(str(self.folder / "pgbouncer.ini"))
        self._process = ServerProcess(command, log=self.folder / "log", folder=self.folder)
        self._process.wait_until(self._answers)

    @property
    def dsn(self) -> str:
        """Return where it is."""
        return f"postgres://{self._user}@127.0.0.1:{self.port}/postgres?sslmode=disable"

    def close(self) -> None:
        """End it and remove its folder; safe to call twice."""
        self._process.close()

    def _write_settings(self, given: dict[str, str], folder: Path) -> None:
        password = given.get("password", "")
        (folder / "users").write_text(f'"{self._user}" "{password}"\n', encoding="utf-8")
        settings = _SETTINGS.format(
            host=given.get("host", "127.0.0.1"),
            port=given.get("port", "5432"),
            database=given.get("dbname", self._user),
            own_port=self.port,
            folder=folder,
        )
        (folder / "pgbouncer.ini").write_text(settings, encoding="utf-8")

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.dsn, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True
