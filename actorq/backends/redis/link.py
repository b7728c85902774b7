"""One connection to one server: commands and scripts out, replies in, errors sorted.

The driver's own retries are off: it would send again what may have run already, knowing nothing of it.
After any doubt about what was read the connection is dropped, so that no reply meets another question.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, cast

from redis.exceptions import (
    AskError,
    AuthenticationError,
    ClusterDownError,
    ConnectionError,  # noqa: A004 - the driver's name for it
    MovedError,
    NoPermissionError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    ResponseError,
    TimeoutError,  # noqa: A004 - the driver's name for it
    TryAgainError,
)

from actorq.backends.redis.address import packed
from actorq.errors import BackendUnavailable, ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actorq.backends.redis.address import Address, Connection
    from actorq.backends.redis.scripting import Script


_PASSING: Final = (ReadOnlyError, OutOfMemoryError, ClusterDownError)
"""The driver's classes of errors that say: not now, or not here."""

_PASSING_TEXT: Final = re.compile(
    r"(?:^|-)(?:READONLY|LOADING|MASTERDOWN|CLUSTERDOWN|OOM|MISCONF|NOREPLICAS|BUSY|UNBLOCKED)\b"
)
"""The same in words: where the driver has no class, and where a script's error holds a command's."""


class Wait(NamedTuple):
    """How many replicas must have a write before it counts, and for how long to wait for them."""

    replicas: int
    milliseconds: int


class Redirected(BackendUnavailable):
    """A node of a cluster says that the slot is another's; ``for_now`` when it is just moving."""

    def __init__(self, slot: int, host: str, port: int, *, for_now: bool) -> None:
        """Name the slot, and the node that has it."""
        super().__init__(
            f"this Redis is part of a cluster, and slot {slot} is at {host}:{port}: "
            "the URL of a cluster begins with redis+cluster://"
        )
        self.slot = slot
        self.host = host
        self.port = port
        self.for_now = for_now


class Unsettled(BackendUnavailable):
    """A slot is moving, and its keys are partly here and partly there."""


class Wire(Protocol):
    """A way to one server or to several: commands go to whichever has their keys."""

    def run(
        self,
        script: Script,
        keys: Sequence[bytes],
        arguments: Sequence[bytes],
        wait: Wait | None = None,
    ) -> bytes | int | list[bytes]:
        """Run a script on keys of one slot; with ``wait``, see to it that replicas have the outcome."""
        ...

    def call(self, *command: bytes) -> object:
        """Send one command, whose first argument is a key, and read its reply."""
        ...

    def nodes(self) -> list[Link]:
        """Return a connection to each server that takes writes."""
        ...

    def one_per_node(self, keys: Sequence[bytes]) -> list[bytes]:
        """Return one of ``keys`` for each server that has any of them."""
        ...

    def close(self) -> None:
        """Let all connections go; safe to call twice."""
        ...


class Link:
    """One connection to one server. One caller at a time."""

    def __init__(self, address: Address) -> None:
        """Connect on first use."""
        self._address = address
        self._connection: Connection | None = None

    def run(
        self,
        script: Script,
        keys: Sequence[bytes],
        arguments: Sequence[bytes],
        wait: Wait | None = None,
        *,
        asking: bool = False,
    ) -> bytes | int | list[bytes]:
        """Run a script, loading it first into a server that does not know it.

        ``asking`` tells a node of a cluster that the slot is on its way here.
        """
        count = b"%d" % len(keys)
        try:
            reply = self._run((b"EVALSHA", script.digest, count, *keys, *arguments), wait, asking)
        except NoScriptError:
            # The server was flushed, restarted or replaced: nothing has run yet.
            try:
                reply = self._run((b"EVAL", script.text, count, *keys, *arguments), wait, asking)
            except NoScriptError as error:
                raise BackendUnavailable(f"Redis at {self._address}: {error}") from error
        return cast("bytes | int | list[bytes]", reply)

    def _run(self, command: Sequence[bytes], wait: Wait | None, asking: bool) -> object:  # noqa: FBT001 - private
        commands = [(b"ASKING",), command] if asking else [command]
        if wait is not None:
            commands.append((b"WAIT", b"%d" % wait.replicas, b"%d" % wait.milliseconds))
        replies = self.call_many(commands)
        if wait is not None and cast("int", replies[-1]) < wait.replicas:
            raise BackendUnavailable(
                f"Redis has written, but only {replies[-1]} of {wait.replicas} replicas have confirmed it"
            )
        return replies[int(asking)]

    def call(self, *command: bytes) -> object:
        """Send one command and read its reply."""
        (reply,) = self.call_many([command])
        return reply

    def call_many(self, commands: Sequence[Sequence[bytes]]) -> list[object]:
        """Send commands in one go, and read a reply to each; the first error among them is raised."""
        try:
            connection = self._opened()
            connection.send_packed_command([packed(command) for command in commands])
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

    def nodes(self) -> list[Link]:
        """Return this very connection."""
        return [self]

    def one_per_node(self, keys: Sequence[bytes]) -> list[bytes]:
        """Return the first key: all are here."""
        return list(keys[:1])

    def send(self, *command: bytes) -> None:
        """Send a command whose replies are read one by one."""
        try:
            self._opened().send_packed_command([packed(command)])
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

    def _opened(self) -> Connection:
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
        match error:
            case AskError():
                for_now = not isinstance(error, MovedError)
                host = cast("str", error.host)  # pyright: ignore[reportUnknownMemberType] - untyped
                return Redirected(error.slot_id, host, error.port, for_now=for_now)
            case TryAgainError():
                return Unsettled(f"Redis at {self._address}: {error}")
            case NoPermissionError():
                return ConfigurationError(f"Redis at {self._address} does not allow it: {error}")
            case _ if isinstance(error, _PASSING) or _PASSING_TEXT.search(str(error)):
                # It may not be the primary any more: the next connect asks where that is.
                self.close()
                return BackendUnavailable(f"Redis at {self._address} refuses for now: {error}")
            case _:
                return error


def _reply(connection: Connection) -> object:
    try:
        return connection.read_response()
    except ResponseError as error:
        return error
