"""Stopping a server: what signals mean, and the bound that holds whatever hangs."""

from __future__ import annotations

import logging
import math
import os
import signal
import threading
from typing import Final

import anyio
import anyio.abc

CRASHED: Final = 1
"""The exit code of a server that could not go on, or could not stop in time."""

LAST_S: Final = 0.7
"""Seconds after the end of the grace at which the process is ended from outside its event loop."""

AT_ONCE_S: Final = 0.7
"""Seconds that a second signal leaves to whatever still runs."""

_NOTE_S: Final = 0.2
_log = logging.getLogger("actorq")


class Watchdog:
    """Ends the process at a set time from a thread of its own, whatever the event loop is doing."""

    def arm(self, seconds: float, code: int) -> None:
        """End the process with ``code`` in ``seconds``, unless it has ended by then.

        There is no way back: whoever arms it is on the way out. Of two times the earlier holds.
        """
        timer = threading.Timer(seconds, self._end, [code])
        # Not waited for at exit: a server that stops in order must not wait for its watchdog.
        timer.daemon = True
        timer.start()

    @staticmethod
    def _end(code: int) -> None:
        # Logging takes a lock and writes to a pipe, and either may be what hangs.
        note = threading.Thread(
            target=_log.error, args=("did not stop in time; ending the process",), daemon=True
        )
        note.start()
        note.join(_NOTE_S)
        # Not sys.exit, which raises in this thread only; and the interpreter's own end would join
        # the very threads that hang: a store's driver in the middle of a call cannot be
        # interrupted. Dropping it is safe: a store survives a process that is killed at any
        # instruction, and leases end by themselves.
        os._exit(code)


class Stopping:
    """Turns SIGTERM and SIGINT into an orderly stop, and a second one into its end.

    ``grace`` is in seconds, counted from the first signal.
    """

    def __init__(self, grace: float) -> None:
        """Wait for signals once ``watch`` runs."""
        self._grace = grace
        self._end = math.inf
        self._asked = anyio.Event()
        self._watchdog = Watchdog()
        self.door = anyio.CancelScope()
        """To be put around what takes requests: actors and store still stop in order after it."""
        self.exit_code = 0
        """128 + the number of the second signal, 1 after a stop that took too long, or 0."""

    def has_ended(self) -> None:
        """Take note that all has stopped; beyond the grace that was not in order, and is told so."""
        if self.exit_code == 0 and anyio.current_time() > self._end:
            _log.error("did not stop in time; something was given up")
            self.exit_code = CRASHED

    def is_asked(self) -> bool:
        """Whether the stop has begun."""
        return self._asked.is_set()

    async def asked(self) -> None:
        """Wait for the first signal."""
        await self._asked.wait()

    def crashing(self) -> None:
        """Bound the time of a stop that no signal asked for."""
        self._watchdog.arm(self._grace + LAST_S, CRASHED)

    def ask(self, by: str) -> None:
        """Begin the stop, unless it has begun; the name of what asks for it is logged."""
        if self._asked.is_set():
            return
        _log.info("stopping", extra={"signal": by, "grace": self._grace})
        self._watchdog.arm(self._grace + LAST_S, CRASHED)
        self._end = anyio.current_time() + self._grace
        self._asked.set()

    def hasten(self, by: str, number: int) -> None:
        """Cancel ``door``, and end the process soon, with 128 + ``number``."""
        _log.warning("stopping at once", extra={"signal": by})
        self.exit_code = 128 + number
        self._watchdog.arm(AT_ONCE_S, self.exit_code)
        self.door.cancel()

    async def watch(
        self, *, task_status: anyio.abc.TaskStatus[None] = anyio.TASK_STATUS_IGNORED
    ) -> None:
        """Listen for signals; the second one cancels ``door``, and a third one kills."""
        with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
            task_status.started()
            async for number in signals:
                name = signal.Signals(number).name
                if self._asked.is_set():
                    self.hasten(name, number)
                    return
                self.ask(name)
