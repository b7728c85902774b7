"""The listener: hears of other processes' work and passes it on as a hint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import anyio

from actorq.actors import messages as m
from actorq.errors import BackendUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from actorq.actors.actor import OnCrash
    from actorq.actors.mailbox import Mailbox
    from actorq.actors.runners import Runner
    from actorq.backends.backend import Listener

WAIT_S: Final = 5.0
"""Seconds that one blocking wait lasts at most."""

RETRY_S: Final = 1.0
"""Seconds before a dead connection for news is replaced."""


class NewsLoop:
    """Waits for news in a thread of its own, and offers it to the dispatcher.

    After a lost connection every queue is looked at once: what was said meanwhile is not known. A bug
    in here is reported and costs its news; the beats of the lease managers do without them.
    """

    def __init__(
        self,
        *,
        listen: Callable[[], Listener | None],
        run: Runner,
        dispatcher: Mailbox[m.DispatcherMessage],
        on_crash: OnCrash,
    ) -> None:
        """Open connections with ``listen`` (None: this store has no news)."""
        self._listen = listen
        self._run = run
        self._dispatcher = dispatcher
        self._on_crash = on_crash
        self._listener: Listener | None = None
        self._stopped = anyio.Event()

    async def run(self) -> None:
        """Listen until ``stop``."""
        while not self._stopped.is_set():
            try:
                self._listener = await self._run(self._listen)
                if self._listener is None:
                    return
                self._dispatcher.offer(m.JobsReady(None))
                await self._pass_on(self._listener)
            except BackendUnavailable:
                await self._pause()
            except Exception as error:  # noqa: BLE001 - a bug; the next connection starts anew
                self._on_crash("listener", error)
                await self._pause()
            finally:
                await self._close()

    def stop(self) -> None:
        """Make ``run`` return soon."""
        self._stopped.set()
        if self._listener is not None:
            self._listener.interrupt()

    async def _pass_on(self, listener: Listener) -> None:
        while not self._stopped.is_set():
            news = await self._run(lambda: listener.wait(WAIT_S))
            if news is None or news:
                self._dispatcher.offer(m.JobsReady(news))

    async def _pause(self) -> None:
        with anyio.move_on_after(RETRY_S):
            await self._stopped.wait()

    async def _close(self) -> None:
        """Let the connection go, also when cancelled; a wait that still lasts is over first."""
        if self._listener is not None:
            listener = self._listener
            with anyio.move_on_after(WAIT_S, shield=True):
                listener.interrupt()
                await self._run(listener.close)
            self._listener = None
