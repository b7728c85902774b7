"""The pulse of an event loop: whether it turns, and what holds it up when it does not."""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from typing import TYPE_CHECKING, Final

import anyio

if TYPE_CHECKING:
    from collections.abc import Callable

BEAT_S: Final = 0.25
"""Seconds between two beats."""

SHARE: Final = 0.1
"""The share of a lease that the loop may stand still before it is told."""

LEAST_S: Final = 0.5
_FRAMES: Final = 6

_log = logging.getLogger("actorq.worker")


class Pulse:
    """Beats in the loop, and is felt from the keeper's thread.

    A handler that blocks the loop delays all others, and claims and settlements with them. It is caught in
    the act: the warning shows where the loop stands at that moment.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        """Measure on ``clock``."""
        self._clock = clock
        self._last = clock()
        self._has_warned = False
        self._thread = threading.get_ident()
        self.longest = 0.0
        """The longest lag so far, in seconds."""

    async def run(self) -> None:
        """Beat for ever."""
        self._last = self._clock()
        while True:
            await anyio.sleep(BEAT_S)
            now = self._clock()
            lag = max(0.0, now - self._last - BEAT_S)
            self.longest = max(self.longest, lag)
            self._last = now
            if self._has_warned:
                self._has_warned = False
                _log.warning("the event loop turns again", extra={"lag": round(lag, 3)})

    def feel(self, lease: float) -> None:
        """Warn, from another thread, once for each time that the loop stands still too long.

        ``lease`` is the seconds of the shortest lease at stake.
        """
        lag = self._clock() - self._last - BEAT_S
        if lag < max(LEAST_S, lease * SHARE) or self._has_warned:
            return
        self._has_warned = True
        _log.warning(
            "a handler blocks the event loop: make it a plain function, or await what it waits for",
            extra={"lag": round(lag, 3), "lease": lease, "where": self._where()},
        )

    def _where(self) -> str:
        # There is no public way to see the stack of another thread.
        frames = sys._current_frames()  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - see above
        frame = frames.get(self._thread)
        if frame is None:
            return ""
        # Taken while it runs: what is shown may be a line away from what it does now.
        lines = traceback.format_list(traceback.extract_stack(frame)[-_FRAMES:])
        return "".join(lines).strip()
