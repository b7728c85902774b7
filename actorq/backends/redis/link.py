"""One connection to one server: commands and scripts out, replies in, errors sorted.

The driver's own retries are off: it would send again what may have run already, knowing nothing of it.
After any doubt about what was read the connection is dropped, so that no reply meets another question.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Protocol, cast

from redis.backoff import NoBackoff
from redis.connection import ConnectionPool
from redis.exceptions import (
    AskError,
    AuthenticationError,
    ClusterDownError,
    ConnectionError,  # noqa: A004 - the driver's name for it
    NoPermissionError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    ResponseError,
    TimeoutError,  # noqa: A004 - the driver's name for it
    TryAgainError,
)
from redis.retry import Retry

from actorq.errors import BackendUnavailable, ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actorq.backends.redis.scripting import Script


class _Connection(Protocol):
    """The driver's connection, as far as it is used here; the driver's own types are incomplete."""

    def connect(self) -> None: ...
    def disconnect(self) -> None: ...
    def send_packed_command(self, command: Sequence[bytes]) -> None: ...
    def can_read(self, timeout: float) -> bool: ...
    def read_response(self) -> object: ...


_PASSING: Final = (ReadOnlyError, OutOfMemoryError, ClusterDownError, TryAgainError, AskError)
"""The driver's classes of errors that say: not now, or not here."""

_PASSING_TEXT: Final = re.compile(
    r"(?:^|-)(?:READONLY|LOADING|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|OOM|MISCONF|NOREPLICAS|BUSY|UNBLOCKED)\b"
)
"""The same in words: where the driver has no class, and where a script's error holds a command's."""


class Address:
    """Where a server is and how it wants to be spoken to, from a URL."""

    def __init__(self, url: str, timeout: float) -> None:
        """Read ``url``; ``timeout`` (seconds) bounds each connect, send and receive."""
        try:
            pool = ConnectionPool.from_url(  # pyright: ignore[reportUnknownMemberType] - **kwargs
                url,
                socket_timeout=timeout,
                socket_connect_timeout=timeout,
                socket_keepalive=True,
                socket_read_size=262_144,
                retry=Retry(NoBackoff(), 0),
                protocol=2,
            )
        except ValueError as error:
            raise ConfigurationError(f"the Redis URL cannot be read: {error}") from None
        self._class = pool.connection_class
        self._options = pool.connection_kwargs
        self.timeout = timeout

    def connection(self) -> _Connection:
        """Return a connection that is not open yet."""
        return cast("_Connection", self._class(**self._options))

    def __str__(self) -> str:
        """Tell where it is, without the password."""
        options = self._options
        if "path" in options:
            return f"unix:{options['path']}"
        return f"{options.get('host', 'localhost')}:{options.get('port', 6379)}"


class Link:
    """One connection. One caller at a time."""

    def __init__(self, address: Address) -> None:
        """Connect on first use."""
        self._address = address
        self._connection: _Connection | None = None

    def run(
        self, script: Script, keys: Sequence[bytes], arguments: Sequence[bytes]
    ) -> bytes | int | list[bytes]:
        """Run a script, loading it first into a server that does not know it."""
        count = b"%d" % len(keys)
        try:
            reply = self.call(b"EVALSHA", script.digest, count, *keys, *arguments)
        except NoScriptError:
            # The server was flushed, restarted or replaced: nothing has run yet.
            try:
                reply = self.call(b"EVAL", script.text, count, *keys, *arguments)
            except NoScriptError as error:
                raise BackendUnavailable(f"Redis at {self._address}: {error}") from error
        return cast("bytes | int | list[bytes]", reply)

    def call(self, *command: bytes) -> object:
        """Send one command and read its reply."""
        (reply,) = self.call_many([command])
        return reply

    def call_many(self, commands: Sequence[Sequence[bytes]]) -> list[object]:
        """Send commands in one go, and read a reply to each; the first error among them is raised."""
        try:
            connection = self._opened()
            connection.send_packed_command([_packed(command) for command in commands])
            replies = [_reply(connection) for _ in commands]
        except (ConnectionError, TimeoutError, OSError) as error:
            self.close()
            raise self._unavailable(error) from error
        except BaseException:
            # Whatever it is, a reply may still be on its way.
            self.close()
            raise
        for reply in replies:
            if isinstance(reply, NoScriptError):
                raise reply
            if isinstance(reply, Exception):
                raise self._sorted(reply) from reply
        return replies

    def send(self, *command: bytes) -> None:
        """Send a command whose replies are read one by one."""
        try:
            self._opened().send_packed_command([_packed(command)])
        except (ConnectionError, TimeoutError, OSError) as error:
            self.close()
            raise self._unavailable(error) from error

    def receive(self, timeout: float) -> object:
        """Return what the server says next; None if it says nothing for ``timeout`` seconds."""
        try:
            connection = self._opened()
            if not connection.can_read(timeout):
                return None
            return connection.read_response()
        except (ConnectionError, TimeoutError, OSError) as error:
            self.close()
            raise self._unavailable(error) from error

    def close(self) -> None:
        """Let the connection go; safe to call twice."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            connection.disconnect()

    def _opened(self) -> _Connection:
        if self._connection is None:
            connection = self._address.connection()
            try:
                connection.connect()
            except AuthenticationError as error:
                raise ConfigurationError(
                    f"Redis at {self._address} refuses the user or password of the URL: {error}"
                ) from error
            self._connection = connection
        return self._connection

    def _unavailable(self, error: Exception) -> BackendUnavailable:
        return BackendUnavailable(f"Redis at {self._address} does not answer: {error}")

    def _sorted(self, error: Exception) -> Exception:
        """Tell what passes from what has to be changed, and both from a bug of ours."""
        if isinstance(error, _PASSING) or _PASSING_TEXT.search(str(error)):
            return BackendUnavailable(f"Redis at {self._address} refuses for now: {error}")
        if isinstance(error, NoPermissionError):
            return ConfigurationError(f"Redis at {self._address} does not allow it: {error}")
        return error


_LENGTHS: Final = [b"$%d\r\n" % length for length in range(1_024)]


def _packed(command: Sequence[bytes]) -> bytes:
    """Write a command in the server's protocol; many times faster than the driver's own writer."""
    parts = [b"*%d\r\n" % len(command)]
    add = parts.append
    for argument in command:
        length = len(argument)
        add(_LENGTHS[length] if length < len(_LENGTHS) else b"$%d\r\n" % length)
        add(argument)
        add(b"\r\n")
    return b"".join(parts)


def _reply(connection: _Connection) -> object:
    try:
        return connection.read_response()
    except ResponseError as error:
        return error
