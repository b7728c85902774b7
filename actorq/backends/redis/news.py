"""News: a connection that hears which queues other servers have given ready jobs."""

from __future__ import annotations

import secrets
from threading import Event
from time import monotonic
from typing import TYPE_CHECKING, Final, cast

from actorq.errors import BackendUnavailable

if TYPE_CHECKING:
    from actorq.backends.redis.link import Link

SLICE_S: Final = 0.2
"""Seconds after which an interrupted wait looks up."""

QUIET_S: Final = 0.05
"""Seconds between two hints about a queue whose jobs wait already."""

_KNOWN_QUEUES: Final = 10_000
"""Of how many queues it is remembered when they were told of."""

SILENCE_S: Final = 10.0
"""Seconds of silence after which the server is asked whether it is still there."""


class Herald:
    """How a process tells the others of ready jobs: on which channel, under what name, how often.

    A queue that was empty is told of at once, for somebody may be waiting at it. Whoever waits at one
    that is not empty was told before, or is held back by a bound: now and then is enough.
    """

    def __init__(self, namespace: str) -> None:
        """Start with no queue told of."""
        self.channel = f"{namespace}:news".encode()
        self.sender = secrets.token_hex(8).encode()
        self._told_at: dict[str, float] = {}

    def is_due(self, queue_name: str) -> bool:
        """Tell whether it is time for another hint, which is then taken as given."""
        now = monotonic()
        if now - self._told_at.get(queue_name, 0.0) < QUIET_S:
            return False
        if len(self._told_at) >= _KNOWN_QUEUES:
            self._told_at.clear()
        self._told_at[queue_name] = now
        return True


class RedisListener:
    """Listens on the channel of a namespace; what this very process said itself is left out.

    A connection that died without a word looks like one on which nothing happens. So after some silence
    the listener sends a ping, and gives the connection up if no answer comes.
    """

    def __init__(
        self, link: Link, herald: Herald, patience: float, silence: float = SILENCE_S
    ) -> None:
        """Subscribe over ``link``; ``patience`` (seconds) is how long an answer may take.

        After ``silence`` seconds without a word the listener asks for one.
        """
        self._link = link
        self._sender = herald.sender
        self._patience = patience
        self._silence = silence
        self._interrupted = Event()
        self._heard_at = monotonic()
        self._asked_at: float | None = None
        link.send(b"SUBSCRIBE", herald.channel)
        self._expect_answer()

    def wait(self, timeout: float) -> frozenset[str] | None:
        """Wait up to ``timeout`` seconds for news."""
        until = monotonic() + timeout
        while not self._interrupted.is_set():
            left = until - monotonic()
            if left <= 0.0:
                break
            queues = self._hear(min(left, SLICE_S))
            if queues:
                return queues
            self._check_pulse()
        self._interrupted.clear()
        return frozenset()

    def interrupt(self) -> None:
        """Make a ``wait`` in another thread return soon."""
        self._interrupted.set()

    def close(self) -> None:
        """Let the connection go; safe to call twice."""
        self._link.close()

    def _hear(self, timeout: float) -> frozenset[str]:
        """Return what has been said, all of it that is here already."""
        queues: set[str] = set()
        message = self._link.receive(timeout)
        while message is not None:
            self._heard_at, self._asked_at = monotonic(), None
            queues.update(self._queues_in(message))
            message = self._link.receive(0.0)
        return frozenset(queues)

    def _queues_in(self, message: object) -> list[str]:
        if not isinstance(message, list):
            return []
        kind, *rest = cast("list[bytes]", message)
        if kind != b"message":
            return []
        sender, *names = rest[-1].split(b" ")
        return [] if sender == self._sender else [name.decode() for name in names]

    def _check_pulse(self) -> None:
        now = monotonic()
        if self._asked_at is not None:
            if now - self._asked_at > self._patience:
                self.close()
                raise BackendUnavailable("the Redis connection for news has died without a word")
        elif now - self._heard_at > self._silence:
            self._link.send(b"PING")
            self._asked_at = now

    def _expect_answer(self) -> None:
        if self._link.receive(self._patience) is None:
            self.close()
            raise BackendUnavailable("Redis does not answer a subscription")
