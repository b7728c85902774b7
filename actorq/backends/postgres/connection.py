"""A connection to PostgreSQL: statements go out together, results come back together, in time.

Built on libpq's pipeline mode as the driver offers it. A cursor per statement would cost five times
as much, and would wait for ever for a server that is frozen.
"""

from __future__ import annotations

import select
from time import monotonic
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

import psycopg
from psycopg import conninfo, pq
from psycopg.adapt import Transformer as DriverTransformer

from actorq.backends.postgres.faults import ServerError
from actorq.errors import BackendUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from psycopg.abc import Transformer
    from psycopg.pq.abc import PGconn, PGresult

T = TypeVar("T")

CONNECT_S: Final = 5
"""Seconds that connecting may take, per address."""

SILENCE_S: Final = 15.0
"""Seconds of silence after which a server that owes an answer counts as gone: longer than a statement may
take, so that it is the server that ends a slow one, and says so."""

_DEFAULTS: Final[dict[str, str | int]] = {
    "application_name": "actorq",
    "client_encoding": "UTF8",
    "connect_timeout": CONNECT_S,
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}
"""What a connection is opened with, unless its DSN says otherwise."""

_BINARY: Final = pq.Format.BINARY
_GOOD: Final = frozenset({pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK})
_ERROR_EVENTS: Final = select.POLLERR | select.POLLHUP | select.POLLNVAL


class Statement(NamedTuple):
    """One statement and its parameters, which are in PostgreSQL's binary format."""

    sql: bytes
    values: tuple[bytes | None, ...] = ()


class Result:
    """The rows of one statement."""

    __slots__ = ("_result", "_transformer")

    def __init__(self, result: PGresult, transformer: Transformer) -> None:
        """Hold what libpq gave; nothing is decoded yet."""
        self._result = result
        self._transformer = transformer

    @property
    def changed(self) -> int:
        """Return how many rows the statement wrote or gave."""
        return self._result.command_tuples or 0

    def rows(self, make: Callable[[Sequence[Any]], T]) -> list[T]:
        """Decode every row, each through ``make``."""
        count = self._result.ntuples
        if not count:
            return []
        self._transformer.set_pgresult(self._result)
        return self._transformer.load_rows(0, count, make)

    def row(self, make: Callable[[Sequence[Any]], T]) -> T:
        """Decode the one row that there is."""
        (row,) = self.rows(make)
        return row


def complete(dsn: str) -> str:
    """Return ``dsn`` with what it leaves open. Raises ``ValueError`` if it is none."""
    try:
        given = conninfo.conninfo_to_dict(dsn)
        return conninfo.make_conninfo(dsn, **{k: v for k, v in _DEFAULTS.items() if k not in given})
    except psycopg.ProgrammingError as error:
        raise ValueError(str(error).strip()) from None


class Connection:
    """One connection. One caller at a time, in whatever thread."""

    def __init__(self, dsn: str, silence: float = SILENCE_S) -> None:
        """Connect; after ``silence`` seconds of it a server that owes an answer counts as gone."""
        self._silence = silence
        try:
            self._psycopg = psycopg.connect(dsn, autocommit=True, prepare_threshold=None)
        except psycopg.Error as error:
            reason = f"PostgreSQL cannot be reached: {error}"
            raise BackendUnavailable(" ".join(reason.split())) from error
        self._pgconn: PGconn = self._psycopg.pgconn
        self._transformer: Transformer = DriverTransformer(self._psycopg)
        self._pgconn.nonblocking = 1
        self._pgconn.enter_pipeline_mode()
        self._poll = select.poll()
        self.server_version = self._pgconn.server_version
        self.pid = self._pgconn.backend_pid
        self.closed = False

    @property
    def socket(self) -> int:
        """Return the file descriptor that becomes readable when the server says something."""
        return self._pgconn.socket

    def exchange(self, statements: Sequence[Statement]) -> list[Result]:
        """Send statements in one go, and return their results.

        They are one transaction if none of them says otherwise. Raises ``ServerError`` for the first
        that fails, ``BackendUnavailable`` when the connection is lost or the server is silent.
        """
        if self.closed:
            raise BackendUnavailable("PostgreSQL: the connection is closed")
        try:
            for sql, values in statements:
                formats = [_BINARY] * len(values)
                self._pgconn.send_query_params(sql, values, None, formats, _BINARY)
            self._pgconn.pipeline_sync()
            self._send()
            return self._receive()
        except psycopg.Error as error:
            self.close()
            raise BackendUnavailable(f"PostgreSQL: the connection was lost: {error}") from error
        except ServerError:
            raise
        except BaseException:
            # Whatever it was, what the server still says would be taken for the next answer.
            self.close()
            raise

    def notifications(self) -> list[tuple[int, str]]:
        """Return what was notified, as far as it has arrived: who (a process id) and what."""
        try:
            self._pgconn.consume_input()
            heard: list[tuple[int, str]] = []
            while (notify := self._pgconn.notifies()) is not None:
                heard.append((notify.be_pid, notify.extra.decode()))
        except psycopg.Error as error:
            self.close()
            raise BackendUnavailable(f"PostgreSQL: the connection was lost: {error}") from error
        return heard

    def close(self) -> None:
        """Let the connection go; safe to call twice."""
        self.closed = True
        self._psycopg.close()

    # ── the wire ────────────────────────────────────────────────────────────────────────────────

    def _send(self) -> None:
        while self._pgconn.flush():
            # What the server says meanwhile must be read, or both sides wait for each other.
            if self._wait(select.POLLIN | select.POLLOUT) & select.POLLIN:
                self._pgconn.consume_input()

    def _receive(self) -> list[Result]:
        results: list[Result] = []
        failure: PGresult | None = None
        while True:
            while self._pgconn.is_busy():
                self._wait(select.POLLIN)
                self._pgconn.consume_input()
            result = self._pgconn.get_result()
            if result is None:
                continue
            if result.status in _GOOD:
                results.append(Result(result, self._transformer))
            elif result.status == pq.ExecStatus.PIPELINE_SYNC:
                break
            elif failure is None:
                failure = result
        if failure is not None:
            raise self._refusal(failure)
        return results

    def _wait(self, events: int) -> int:
        self._poll.register(self._pgconn.socket, events)
        deadline = monotonic() + self._silence
        while not (ready := self._poll.poll(max(0.0, deadline - monotonic()) * 1_000)):
            if monotonic() >= deadline:
                self.close()
                raise BackendUnavailable(f"PostgreSQL: no answer for {self._silence:g} seconds")
        return ready[0][1]

    def _refusal(self, result: PGresult) -> ServerError:
        code = result.error_field(pq.DiagnosticField.SQLSTATE) or b""
        error = ServerError(code.decode(), result.get_error_message())
        if self._pgconn.status != pq.ConnStatus.OK:
            self.close()
        return error
