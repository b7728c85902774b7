"""A private PostgreSQL server in a temporary folder, and stores on it whose clock a test can move."""

from __future__ import annotations

import atexit
import os
import pwd
import secrets
import shutil
import subprocess
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import psycopg
from psycopg import sql

from actorq.backends.postgres import PostgresStore
from actorq.clock import wall_clock
from tests.servers.processes import ServerProcess, find_program, free_port, temporary_folder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import LiteralString

    from actorq.backends.backend import Store
    from actorq.core.policy import Policy
    from actorq.core.results import Check

GIVEN: Final = "TEST_POSTGRES_DSN"
"""The environment variable that names a server to be used instead of a private one."""

_USER: Final = "actorq"
_CLOCK: Final = """
CREATE OR REPLACE FUNCTION {schema}.now_us() RETURNS bigint LANGUAGE sql VOLATILE AS $$
    SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint
        + (SELECT microseconds FROM {clock}.ahead)
$$
"""


_DROP: Final = "DROP SCHEMA IF EXISTS {name} CASCADE"


class PostgresServer:
    """One server on a free port of the loopback interface; it can be killed and started again.

    It runs as an unprivileged user, for it refuses to run as root. Nothing of it survives a power
    failure: it does not wait for the disk.
    """

    def __init__(self, *options: str) -> None:
        """Make a cluster and start it; ``options`` are settings, such as ``max_connections=20``."""
        self.port = free_port()
        self.folder = temporary_folder("postgres")
        self._options = options
        self._processes: list[ServerProcess] = []
        self._as_user = unprivileged(self.folder)
        initdb = ["--pgdata", str(self.folder / "data"), "--username", _USER, "--auth", "trust"]
        subprocess.run(  # noqa: S603 - the words are ours
            [*self._as_user, _program("initdb"), *initdb, "--encoding", "UTF8", "--no-sync"],
            check=True,
            capture_output=True,
            cwd=self.folder,
        )
        self.start()

    @property
    def dsn(self) -> str:
        """Return where it is."""
        return f"postgres://{_USER}@127.0.0.1:{self.port}/postgres?sslmode=disable"

    @property
    def process(self) -> ServerProcess:
        """Return the process that runs now, or ran last."""
        return self._processes[-1]

    def start(self) -> None:
        """Start it, and wait until it answers; after a kill it recovers what was committed."""
        settings = (
            f"port={self.port}",
            "listen_addresses=127.0.0.1",
            f"unix_socket_directories={self.folder}",
            "fsync=off",
            # A crash of the machine need not be survived, and schemas come and go.
            "full_page_writes=off",
            "wal_level=minimal",
            "max_wal_senders=0",
            "autovacuum_naptime=5",
            "max_connections=200",
            *self._options,
        )
        command = [*self._as_user, _program("postgres"), "-D", str(self.folder / "data")]
        for setting in settings:
            command += ["-c", setting]
        folder = None if self._processes else self.folder
        process = ServerProcess(command, log=self.folder / "log", folder=folder)
        self._processes.append(process)
        process.wait_until(self._answers)

    def wait(self) -> None:
        """Wait until it answers: after a crash of one of its processes it recovers by itself."""
        self.process.wait_until(self._answers)

    def kill(self) -> None:
        """Kill it at once, as a crash would."""
        self.process.kill()

    def execute(self, query: LiteralString, *values: object) -> list[tuple[object, ...]]:
        """Run one statement as an operator would, on a connection of its own."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            cursor = connection.execute(query, values)
            return cursor.fetchall() if cursor.description is not None else []

    def pids(self, application: str) -> list[int]:
        """Return the processes of the server that serve the connections of an application."""
        query = "SELECT pid FROM pg_stat_activity WHERE application_name = %s ORDER BY pid"
        return [cast("int", pid) for (pid,) in self.execute(query, application)]

    def close(self) -> None:
        """End it and remove its folder; safe to call twice."""
        while self._processes:
            self._processes.pop().close()

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.dsn, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


@cache
def shared_server() -> PostgresServer:
    """Return the private server of this process, started once; it ends when the process does."""
    server = PostgresServer()
    atexit.register(server.close)
    return server


def shared_dsn() -> str:
    """Return where the tests' server is: the given one, or the private one."""
    return os.environ.get(GIVEN) or shared_server().dsn


class ClockedStore(PostgresStore):
    """A store whose clock is ahead of the server's by what a schema beside it says."""

    def __init__(
        self, dsn: str, namespace: str, policy: Policy, clock: str, listen_dsn: str
    ) -> None:
        super().__init__(dsn, namespace, policy, listen_dsn=listen_dsn)
        self._address = listen_dsn
        self._names = {"schema": sql.Identifier(namespace), "clock": sql.Identifier(clock)}

    def open(self) -> Check:
        """Open, and put the movable clock in the place of the server's."""
        super().open()
        with psycopg.connect(self._address) as connection:
            # Two at once would be in each other's way.
            connection.execute("SELECT pg_advisory_xact_lock(1)")
            connection.execute(sql.SQL(_CLOCK).format(**self._names))
        return super().open()


class PostgresHarness:
    """Stores on one server, each a schema of its own; the clock of all of them is a schema, too.

    The stores' connections lead to ``pooled_dsn``, but for those that listen.
    """

    shared_by_processes = True

    def __init__(self, dsn: str, pooled_dsn: str | None = None) -> None:
        self.dsn = dsn
        self._pooled_dsn = pooled_dsn or dsn
        self._clock = f"clock_{secrets.token_hex(8)}"
        self._recipes: list[tuple[Store, partial[ClockedStore]]] = []
        self._connection = psycopg.connect(dsn, autocommit=True)
        self._ahead = 0
        self._is_local = self._connection.info.host in {"127.0.0.1", "localhost"}
        self._run("CREATE SCHEMA {clock}")
        self._run("CREATE TABLE {clock}.ahead AS SELECT 0::bigint AS microseconds")

    def make(self, policy: Policy) -> Store:
        """Return a store over a schema that is not there yet."""
        namespace = f"Test {secrets.token_hex(8)}"
        words = (self._pooled_dsn, namespace, policy, self._clock, self.dsn)
        return self._made(partial(ClockedStore, *words))

    def reopen(self, store: Store) -> Store:
        """Return another store over the same schema."""
        return self._made(self.recipe(store))

    def recipe(self, store: Store) -> partial[ClockedStore]:
        """Return what makes the store in another process."""
        return next(recipe for made, recipe in self._recipes if made is store)

    def namespace(self, store: Store) -> str:
        """Return the schema of a store."""
        return cast("str", self.recipe(store).args[1])

    def advance(self, seconds: float) -> None:
        """Move the clock of all stores on."""
        self._ahead += round(seconds * 1_000_000)
        self._run("UPDATE {clock}.ahead SET microseconds = {ahead}", ahead=sql.Literal(self._ahead))

    def now(self) -> int:
        """Return the clock of the stores: a server on this machine goes by this machine's clock."""
        if self._is_local:
            return wall_clock() + self._ahead
        cursor = self._run("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint")
        (now,) = cast("tuple[int]", cursor.fetchone())
        return now + self._ahead

    def close(self) -> None:
        """Leave nothing behind on the server."""
        names = {self.namespace(store) for store, _ in self._recipes}
        for name in (*names, self._clock):
            self._run(_DROP, name=sql.Identifier(name))
        self._connection.close()

    def _made(self, recipe: partial[ClockedStore]) -> Store:
        store = recipe()
        self._recipes.append((store, recipe))
        return store

    def _run(
        self, query: LiteralString, **names: sql.Composable
    ) -> psycopg.Cursor[tuple[object, ...]]:
        clock = sql.Identifier(self._clock)
        try:
            self._connection.execute("SELECT 1")
        except psycopg.OperationalError:
            # A test ended it, or its server.
            self._connection.close()
            self._connection = psycopg.connect(self.dsn, autocommit=True)
        return self._connection.execute(sql.SQL(query).format(clock=clock, **names))


def _program(name: str) -> str:
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return find_program(name, "postgresql", [str(folder) for folder in folders])


def unprivileged(folder: Path) -> Sequence[str]:
    """Return the words before a command that run it as a user who may own ``folder`` and no more."""
    if os.geteuid() != 0:
        return ()
    names = {entry.pw_name for entry in pwd.getpwall()}
    user = "postgres" if "postgres" in names else "nobody"
    shutil.chown(folder, user)
    return (
        find_program("setpriv", "util-linux"),
        f"--reuid={user}",
        "--regid=nogroup",
        "--clear-groups",
    )
