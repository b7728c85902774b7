"""The fleet: several worker processes, kept running, and stopped together."""

from __future__ import annotations

import logging
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import anyio
import anyio.abc

from actorq.cli.leash import HURRY, STOP
from actorq.cli.stopping import CRASHED, Stopping
from actorq.cli.verdict import WRONG_SETTINGS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actorq.settings import Settings

SOON_S: Final = 10.0
"""A process that ends within so many seconds of its start has crashed at the start."""

MOST_CRASHES: Final = 5
"""How many crashes at the start may follow each other before all is given up."""

LAST_S: Final = 0.4
"""Seconds after the grace at which processes are killed that have not ended."""

_FIRST_PAUSE_S: Final = 0.2
_log = logging.getLogger("actorq")


def run(arguments: Sequence[str], count: int, settings: Settings) -> int:
    """Run ``actorq`` with ``arguments`` in ``count`` processes until a signal comes; return the exit code."""
    fleet = Fleet([sys.executable, "-m", "actorq", *arguments], count, settings.grace)
    anyio.run(fleet.run, backend=settings.event_loop)
    return fleet.exit_code


class Fleet:
    """Processes that are all alike. One that crashes is started anew; its jobs come back by their leases."""

    def __init__(self, command: Sequence[str], count: int, grace: float) -> None:
        """Run ``command``, whose standard input is a leash; ``grace`` is seconds."""
        self._command = command
        self._count = count
        self._grace = grace
        self._running: set[anyio.abc.Process] = set()
        self._crashes = 0
        self.exit_code = 0

    async def run(self) -> None:
        """Keep all processes running until told to stop."""
        self._stopping = Stopping(self._grace)
        async with anyio.create_task_group() as tasks:
            await tasks.start(self._stopping.watch)
            tasks.start_soon(self._hurry)
            async with anyio.create_task_group() as keeping:
                for _ in range(self._count):
                    keeping.start_soon(self._keep)
                await self._stopping.asked()
                await self._tell(STOP)
                # To be cancelled kills what a keeper waits for.
                keeping.cancel_scope.deadline = anyio.current_time() + self._grace + LAST_S
            if keeping.cancel_scope.cancelled_caught:
                _log.error("worker processes did not stop in time; they were killed")
                self.exit_code = CRASHED
            tasks.cancel_scope.cancel()
        self.exit_code = self._stopping.exit_code or self.exit_code

    async def _keep(self) -> None:
        """Start a process, and another whenever it crashes."""
        failures = 0
        while not self._stopping.is_asked():
            started = anyio.current_time()
            code = await self._live()
            if self._stopping.is_asked():
                self.exit_code = self.exit_code or (CRASHED if code else 0)
                return
            _log.error("a worker process ended; starting another", extra={"exit_code": code})
            is_soon = anyio.current_time() - started < SOON_S
            failures = self._crashes = self._crashes + 1 if is_soon else 0
            if code == WRONG_SETTINGS or self._crashes > MOST_CRASHES:
                self.exit_code = WRONG_SETTINGS if code == WRONG_SETTINGS else CRASHED
                self._stopping.ask("crash")
                return
            with anyio.move_on_after(_FIRST_PAUSE_S * 2**failures):
                await self._stopping.asked()

    async def _live(self) -> int:
        """Run one process to its end; return its exit code."""
        # In a session of its own: a terminal's Control-C is for the fleet, which passes it on once.
        process = await anyio.open_process(
            self._command, stdin=subprocess.PIPE, stdout=None, stderr=None, start_new_session=True
        )
        self._running.add(process)
        try:
            if self._stopping.is_asked():
                await self._tell(STOP)
            return await process.wait()
        finally:
            self._running.discard(process)
            with anyio.CancelScope(shield=True):
                await process.aclose()

    async def _hurry(self) -> None:
        """Pass on that there is no more time."""
        with self._stopping.door:
            await anyio.sleep_forever()
        await self._tell(HURRY)

    async def _tell(self, word: bytes) -> None:
        for process in list(self._running):
            with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
                assert process.stdin is not None
                await process.stdin.send(word)
