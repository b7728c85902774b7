"""The listener: news of other processes becomes hints, and no trouble of its own is anybody's."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import anyio
import pytest
from trio.testing import MockClock

from actorq.actors import messages as m
from actorq.actors.listener import RETRY_S, NewsLoop
from actorq.actors.mailbox import Mailbox
from actorq.actors.runners import ThreadRunner, run_inline
from actorq.errors import BackendUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from actorq.actors.runners import Runner
    from actorq.backends.backend import Listener

News = frozenset[str] | None | Exception


class Script:
    """A listener that says what it is told, then has nothing more to say."""

    def __init__(self, *news: News, then: Callable[[], None]) -> None:
        self._news = list(news)
        self._then = then
        self.closed = 0
        self.interrupted = 0

    def wait(self, timeout: float) -> frozenset[str] | None:
        assert timeout > 0
        if not self._news:
            self._then()
            return frozenset()
        news = self._news.pop(0)
        if isinstance(news, Exception):
            raise news
        return news

    def interrupt(self) -> None:
        self.interrupted += 1

    def close(self) -> None:
        self.closed += 1


class Bench:
    """A news loop over listeners that the test provides, one after another."""

    def __init__(self, run: Runner = run_inline) -> None:
        self.dispatcher: Mailbox[m.DispatcherMessage] = Mailbox(100)
        self.crashes: list[str] = []
        self.listeners: list[Listener | Exception | None] = []
        self.loop = NewsLoop(
            listen=self._listen,
            run=run,
            dispatcher=self.dispatcher,
            on_crash=lambda actor, error: self.crashes.append(f"{actor}: {error}"),
        )

    def _listen(self) -> Listener | None:
        listener = self.listeners.pop(0)
        if isinstance(listener, Exception):
            raise listener
        return listener

    async def hints(self) -> list[m.DispatcherMessage]:
        """Return what the dispatcher was offered."""
        self.dispatcher.close()
        return await self.dispatcher.take(100)


async def test_news_is_passed_on_and_silence_is_not() -> None:
    """Queues with news become one hint each time; a wait without news becomes none (rule 8)."""
    bench = Bench()
    news = frozenset({"a"})
    script = Script(news, frozenset(), None, then=bench.loop.stop)
    bench.listeners = [script]
    await bench.loop.run()
    # The first: what was said before the connection was there is not known.
    assert await bench.hints() == [m.JobsReady(None), m.JobsReady(news), m.JobsReady(None)]
    assert script.closed == 1


async def test_a_store_without_news_needs_no_loop() -> None:
    """The memory store has no other process: the loop ends at once."""
    bench = Bench()
    bench.listeners = [None]
    await bench.loop.run()
    assert await bench.hints() == []


@pytest.mark.parametrize(
    "anyio_backend", [("trio", {"clock": MockClock(autojump_threshold=0)})], ids=["virtual"]
)
async def test_a_lost_connection_is_replaced() -> None:
    """After a pause the next one is opened, and every queue is looked at once (fault C3)."""
    bench = Bench()
    away, bug = BackendUnavailable("away"), ValueError("bug")
    first, second = Script(away, then=bench.loop.stop), Script(bug, then=bench.loop.stop)
    bench.listeners = [first, away, second, Script(then=bench.loop.stop)]
    start = anyio.current_time()
    await bench.loop.run()
    assert anyio.current_time() - start == pytest.approx(3 * RETRY_S)
    assert await bench.hints() == [m.JobsReady(None)] * 3
    assert (first.closed, second.closed) == (1, 1)
    assert bench.crashes == ["listener: bug"]


class Blocking:
    """A listener whose wait blocks its thread until it is interrupted, as a real one does."""

    def __init__(self) -> None:
        self.waiting = threading.Event()
        self._interrupted = threading.Event()
        self.closed = threading.Event()

    def wait(self, timeout: float) -> frozenset[str] | None:
        self.waiting.set()
        self._interrupted.wait(timeout)
        return frozenset()

    def interrupt(self) -> None:
        self._interrupted.set()

    def close(self) -> None:
        self.closed.set()


@pytest.mark.parametrize("how", ["stop", "cancel"])
async def test_a_wait_in_its_thread_is_ended_at_once(how: str) -> None:
    """Neither a stop nor a cancellation waits out the five seconds of a wait (rule 10)."""
    bench = Bench(ThreadRunner())
    listener = Blocking()
    bench.listeners = [listener]
    with anyio.fail_after(3):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(bench.loop.run)
            await anyio.to_thread.run_sync(listener.waiting.wait)
            if how == "stop":
                bench.loop.stop()
            else:
                tasks.cancel_scope.cancel()
    assert listener.closed.is_set()
