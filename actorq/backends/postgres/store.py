"""The store: one schema of a database, opened once, and the connections to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from actorq.backends.postgres import schema
from actorq.backends.postgres.backend import PostgresBackend
from actorq.backends.postgres.connection import SILENCE_S, Connection, Statement, complete
from actorq.backends.postgres.faults import ServerError, is_for_good, unavailable
from actorq.backends.postgres.listener import PostgresListener
from actorq.backends.postgres.shared import Shared
from actorq.core.results import Check
from actorq.errors import BackendUnavailable, ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from actorq.core.place import Durability
    from actorq.core.policy import Policy

OLDEST_SERVER: Final = 150_000
"""PostgreSQL 15, as libpq counts."""

NEWS_S: Final = 1.0
"""Seconds that a notification may take before it counts as one that never arrives."""

_NO_NEWS: Final = (
    "notifications do not arrive, as behind a pooler in transaction mode: other servers' jobs are found "
    "by looking every now and then; a DSN of its own for listening cures it"
)

_SETTINGS: Final = Statement(
    b"SELECT current_setting('server_encoding'), current_setting('synchronous_commit'),"
    b" current_setting('fsync'), current_setting('full_page_writes')"
)


class PostgresStore:
    """One schema; the ``Store`` of ``actorq.backends.backend``.

    ``namespace`` is the schema's name. The notifications of other servers need a connection that nobody
    shares: when ``dsn`` leads to a pooler in transaction mode, ``listen_dsn`` must go around it. A server
    that owes an answer counts as gone after ``silence`` seconds.
    """

    inline = False
    max_writers: int | None = None
    id_tail = None

    def __init__(
        self,
        dsn: str,
        namespace: str,
        policy: Policy,
        *,
        listen_dsn: str | None = None,
        durability: Durability = "relaxed",
        silence: float = SILENCE_S,
    ) -> None:
        """Name the database; nothing is reached before ``open``.

        ``durability``: ``strict`` refuses a server that may lose what it has confirmed, ``relaxed`` warns.
        """
        schema.check_namespace(namespace)
        self._dsn = _checked(dsn)
        self._listen_dsn = self._dsn if listen_dsn is None else _checked(listen_dsn)
        self._durability: Durability = durability
        self._silence = silence
        self._namespace = namespace
        self._shared = Shared(namespace, policy)
        self._has_news = True

    def open(self) -> Check:
        """Check what the database promises, and bring the schema up to date."""
        try:
            connection = Connection(self._dsn, self._silence)
        except BackendUnavailable as error:
            if is_for_good(str(error)):
                raise ConfigurationError(str(error)) from error
            raise
        try:
            warnings = _check_server(connection, self._durability)
            schema.migrate(connection, self._namespace)
            self._shared.forget()
            warnings += self._check_news(connection)
            backend = PostgresBackend(connection, self._shared)
            return Check(backend.check().now, warnings)
        except ServerError as error:
            raise unavailable(error) or ConfigurationError(f"PostgreSQL: {error}") from error
        finally:
            connection.close()

    def connect(self) -> PostgresBackend:
        """Open one more connection."""
        return PostgresBackend(Connection(self._dsn, self._silence), self._shared)

    def listen(self) -> PostgresListener | None:
        """Open a connection for news; None if ``open`` found out that none would arrive."""
        if not self._has_news:
            return None
        return PostgresListener(Connection(self._listen_dsn, self._silence), self._shared)

    def _check_news(self, speaker: Connection) -> tuple[str, ...]:
        """Find out whether notifications arrive, and return what to say if they do not."""
        try:
            listener = PostgresListener(Connection(self._listen_dsn, self._silence), self._shared)
        except BackendUnavailable as error:
            return (f"no connection for notifications yet: {error}",)
        try:
            self._has_news = listener.hears(speaker, NEWS_S)
        finally:
            listener.close()
        if self._has_news:
            return ()
        return (_NO_NEWS,)

    def close(self) -> None:
        """Nothing is held here beyond the connections."""


def _checked(dsn: str) -> str:
    try:
        return complete(dsn)
    except ValueError as error:
        raise ConfigurationError(
            f"this is no address of a PostgreSQL database, such as "
            f"postgres://user:password@host/database: {error}"
        ) from None


def _check_server(connection: Connection, durability: Durability) -> tuple[str, ...]:
    """Return what an operator should know; raise ``ConfigurationError`` for what cannot work."""
    if connection.server_version < OLDEST_SERVER:
        found = connection.server_version // 10_000
        raise ConfigurationError(f"this server is PostgreSQL {found}; at least 15 is needed")
    (result,) = connection.exchange([_SETTINGS])
    encoding, commit, fsync, pages = result.row(_texts)
    if encoding != "UTF8":
        raise ConfigurationError(f"the database must have the encoding UTF8, not {encoding}")
    warnings: list[str] = []
    if commit == "off":
        warnings.append("synchronous_commit is off: a crash of the server may lose the last jobs")
    if fsync == "off" or pages == "off":
        warnings.append("fsync or full_page_writes is off: a power failure may lose every job")
    if warnings and durability == "strict":
        raise ConfigurationError(
            f"with durability strict, this PostgreSQL cannot be used: {warnings[0]}"
        )
    return tuple(warnings)


def _texts(row: Sequence[Any]) -> tuple[str, str, str, str]:
    encoding, commit, fsync, pages = row
    return encoding, commit, fsync, pages
