"""The keeper: renews leases where no handler can hold it up."""

from __future__ import annotations

import logging
import socket
import threading
from typing import TYPE_CHECKING, Final

import anyio

from actorq.errors import ActorqError
from actorq.sdk.worker.pulse import BEAT_S

if TYPE_CHECKING:
    from actorq.sdk.door import Door, Renewals, Renewer
    from actorq.sdk.worker.book import LeaseBook, Round
    from actorq.sdk.worker.pulse import Pulse

_PIECE: Final = 4_096
_log = logging.getLogger("actorq.worker")


class _Rounds:
    """What both keepers have in common: how a round ends, and who hears of it."""

    def __init__(self, book: LeaseBook) -> None:
        self._book = book
        self._is_away = False

    def made(self, made: Round, answer: Renewals) -> None:
        """Write down an answer."""
        if self._is_away:
            self._is_away = False
            _log.info("leases are renewed again", extra={"leases": len(made.holds)})
        self._book.renewed(made, answer)

    def failed(self, made: Round, error: Exception) -> None:
        """Take note that there was none, and tell it once."""
        if not self._is_away:
            self._is_away = True
            expected = isinstance(error, ActorqError)
            _log.warning(
                "leases cannot be renewed: %s",
                error,
                exc_info=None if expected else error,
                extra={"leases": len(made.holds)},
            )
        self._book.failed(made)

    def deliver(self) -> None:
        """Stop the handlers of leases that are not ours any more; called in the event loop."""
        for hold in self._book.stopped():
            assert hold.stopping is not None
            _log.info(
                "stopping a handler: %s",
                hold.stopping.value,
                extra={"job_id": hold.job.id, "attempt": hold.job.attempt},
            )
            hold.stop(hold.stopping)


class LoopKeeper:
    """Renews from the event loop: on its clock, and held up by whatever holds up the loop."""

    def __init__(self, book: LeaseBook, door: Door, worker_id: str) -> None:
        """Renew what stands in ``book``."""
        self._book = book
        self._door = door
        self._worker_id = worker_id
        self._rounds = _Rounds(book)
        self._changed = anyio.Event()
        self._is_closed = False

    def close(self) -> None:
        """End soon."""
        self._is_closed = True
        self._changed.set()

    async def run(self) -> None:
        """Renew until closed."""
        self._book.wake = lambda: self._changed.set()
        while not self._is_closed:
            if made := self._book.due():
                await self._renew(made)
            self._rounds.deliver()
            due = self._book.next_due()
            if self._changed.is_set() and not self._is_closed:
                self._changed = anyio.Event()
            with anyio.move_on_after(None if due is None else due - self._book.clock()):
                await self._changed.wait()

    async def _renew(self, made: Round) -> None:
        try:
            self._rounds.made(made, await self._door.renew(self._worker_id, made.leases))
        except ActorqError as error:
            self._rounds.failed(made, error)


class ThreadKeeper:
    """Renews from a thread of its own, with its own connection, whatever the event loop is doing.

    The thread never waits for the loop: it marks the holds and rings a bell, a pair of sockets, and goes on.
    """

    def __init__(self, book: LeaseBook, door: Door, worker_id: str, pulse: Pulse) -> None:
        """Renew what stands in ``book``, and feel ``pulse`` meanwhile."""
        self._book = book
        self._door = door
        self._worker_id = worker_id
        self._pulse = pulse
        self._rounds = _Rounds(book)
        self._woken = threading.Event()
        self._is_closed = False
        self._has_ended = False
        self._ear, self._bell = socket.socketpair()
        for end in (self._ear, self._bell):
            end.setblocking(False)

    def close(self) -> None:
        """Let the thread end, after the call that it is making."""
        self._is_closed = True
        self._woken.set()

    async def run(self) -> None:
        """Stop handlers as the thread finds out about their leases, until it has ended."""
        self._book.wake = self._woken.set
        # Not waited for at the program's end: a store that hangs cannot keep it from ending.
        threading.Thread(target=self._live, name="actorq-renewals", daemon=True).start()
        try:
            while not self._has_ended:
                await anyio.wait_readable(self._ear)
                self._ear.recv(_PIECE)
                self._rounds.deliver()
        finally:
            self.close()
            self._ear.close()

    # ── in the thread ───────────────────────────────────────────────────────────────────────────

    def _live(self) -> None:
        try:
            while not self._is_closed:
                try:
                    with self._door.renewer() as renewer:
                        self._renew_with(renewer)
                except Exception:  # noqa: BLE001 - the comment below
                    # A bug in a door. Nobody may go without renewals because of it.
                    _log.exception("the renewal of leases failed; it starts anew")
                    self._woken.wait(1.0)
        finally:
            self._has_ended = True
            self._ring()
            self._bell.close()

    def _renew_with(self, renewer: Renewer) -> None:
        while not self._is_closed:
            self._woken.clear()
            made = self._book.due()
            if made is not None:
                self._round(renewer, made)
            if self._book.has_stopped:
                self._ring()
            if not self._is_closed:
                self._woken.wait(self._pause())

    def _round(self, renewer: Renewer, made: Round) -> None:
        try:
            self._rounds.made(made, renewer.renew(self._worker_id, made.leases))
        except Exception as error:  # noqa: BLE001 - a lease goes on until its time is over
            self._rounds.failed(made, error)

    def _pause(self) -> float | None:
        """Return how long nothing is due: for ever while nothing is held."""
        due, lease = self._book.next_due(), self._book.shortest()
        if due is None or lease is None:
            return None
        self._pulse.feel(lease)
        return min(max(0.0, due - self._book.clock()), BEAT_S)

    def _ring(self) -> None:
        """Wake the loop. A full bell has rung already, and a loop that has gone needs none."""
        try:
            self._bell.send(b"!")
        except OSError:
            return
