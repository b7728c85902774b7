"""The listener: hears which queues have news, and tells the others (rule 8: news is a hint)."""

from __future__ import annotations

import os
import select
from secrets import token_hex
from time import monotonic
from typing import TYPE_CHECKING, Final

from actorq.backends.postgres import arrays
from actorq.backends.postgres.connection import Statement
from actorq.backends.postgres.faults import ServerError, unavailable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from actorq.backends.postgres.connection import Connection
    from actorq.backends.postgres.shared import Shared

WINDOW_S: Final = 0.05
"""Seconds between two words of this process to the others, at least: notifications are not free."""

PROOF_S: Final = 10.0
"""Seconds of silence after which the server has to show that it still answers."""

_NO_QUEUE: Final = "?"
"""How a word begins that is no queue's name, and means nothing to anybody else."""

_PROOF: Final = Statement(b"SELECT 1")


class PostgresListener:
    """A connection that listens. Its channel is named after the namespace; a word is a queue's name."""

    def __init__(self, connection: Connection, shared: Shared) -> None:
        """Listen on ``connection``, which is this listener's from now on."""
        self._shared = shared
        self._connection = connection
        try:
            self._exchange(shared.statements("queues.listen"))
        except BaseException:
            self._connection.close()
            raise
        self._bulletin = shared.bulletin
        self._bell, self._rope = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._poll = select.poll()
        self._poll.register(self._connection.socket, select.POLLIN)
        self._poll.register(self._bell, select.POLLIN)
        self._interrupted = False
        self._told_at = 0.0
        self._heard_at = monotonic()
        self._closed = False

    def hears(self, speaker: Connection, patience: float) -> bool:
        """Tell whether what ``speaker`` says arrives here: behind a pooler it does not."""
        word = f"{_NO_QUEUE}{token_hex(8)}"
        names = arrays.texts([word])
        speaker.exchange((self._shared.statements("queues.notify", self._shared.channel, names),))
        deadline = monotonic() + patience
        while monotonic() < deadline:
            if any(said == word for _, said in self._connection.notifications()):
                return True
            self._sleep(deadline)
        return False

    def wait(self, timeout: float) -> frozenset[str] | None:
        """Wait up to ``timeout`` seconds for news of other processes; tell them ours meanwhile."""
        self._bulletin.attend(self._ring)
        deadline = monotonic() + timeout
        waiting: set[str] = set()
        while True:
            waiting |= self._bulletin.take()
            if waiting and monotonic() - self._told_at >= WINDOW_S:
                self._tell(waiting)
                waiting = set()
            news = self._news()
            if news or self._interrupted or monotonic() >= deadline:
                self._interrupted = False
                self._bulletin.post(waiting)
                return frozenset(news)
            until = deadline if not waiting else min(deadline, self._told_at + WINDOW_S)
            self._sleep(until)

    def interrupt(self) -> None:
        """Make a ``wait`` in another thread return soon."""
        self._interrupted = True
        if not self._closed:
            self._ring()

    def close(self) -> None:
        """Let the connection go; safe to call twice."""
        if not self._closed:
            self._closed = True
            self._bulletin.leave(self._ring)
            self._connection.close()
            os.close(self._bell)
            os.close(self._rope)

    # ── the wire ────────────────────────────────────────────────────────────────────────────────

    def _tell(self, queues: Iterable[str]) -> None:
        names = arrays.texts(sorted(queues))
        self._exchange(self._shared.statements("queues.notify", self._shared.channel, names))
        self._told_at = monotonic()

    def _news(self) -> set[str]:
        heard = self._connection.notifications()
        if heard:
            self._heard_at = monotonic()
        return {
            word
            for pid, word in heard
            if pid != self._connection.pid and not word.startswith(_NO_QUEUE)
        }

    def _sleep(self, until: float) -> None:
        """Wait until the instant, for something to read, or for the bell."""
        now = monotonic()
        proof_at = self._heard_at + PROOF_S
        if now >= proof_at:
            # A server that froze, or is no longer at the other end, says nothing by itself.
            self._exchange(_PROOF)
            return
        for descriptor, _ in self._poll.poll(max(0.0, min(until, proof_at) - now) * 1_000):
            if descriptor == self._bell:
                os.read(self._bell, 4_096)

    def _exchange(self, statement: Statement) -> None:
        try:
            self._connection.exchange((statement,))
        except ServerError as error:
            raise unavailable(error) or error from error
        self._heard_at = monotonic()

    def _ring(self) -> None:
        try:
            os.write(self._rope, b"!")
        except BlockingIOError:
            # It rings already.
            return
