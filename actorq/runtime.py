"""The wiring: opens the store, makes mailboxes, starts actors, stops them in order.

The only module that knows everyone. What it builds:

    JobQueue ─► dispatcher ─► lease managers ─► writing lanes ─► store
                    ├─► renewing lane, reading lane, upkeep lane
    scheduler, reaper, watcher, timekeeper (each with a metronome), listener
"""

from __future__ import annotations

from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final, TypeVar

import anyio
import anyio.abc
import anyio.to_thread
import msgspec

from actorq.actors import messages as m
from actorq.actors.actor import Actor, Alarm, OnCrash, metronome, serve
from actorq.actors.dispatcher import Dispatcher
from actorq.actors.hints import Hints
from actorq.actors.lease_manager import LeaseManager
from actorq.actors.listener import NewsLoop
from actorq.actors.mailbox import Mailbox, MailboxClosed
from actorq.actors.reaper import Reaper
from actorq.actors.scheduler import Scheduler
from actorq.actors.storage import Runner, StorageLane
from actorq.actors.timekeeper import Timekeeper
from actorq.actors.watcher import Watcher
from actorq.clock import mint_token, random_bits, wall_clock
from actorq.core.ids import IdMint
from actorq.core.policy import Policy
from actorq.face import JobQueue
from actorq.face.post import Post

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from actorq.backends.backend import Store

T = TypeVar("T")
M = TypeVar("M")

BEAT_S: Final = 2.0
"""Seconds between two looks at the store when nothing is known to be due earlier."""

TIMEKEEPING_S: Final = 30.0
"""Seconds between two measures of the store's clock."""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How one runtime is built; ``grace`` is the seconds that stopping may take."""

    policy: Policy = Policy()
    pool_size: int = 4
    mailbox_capacity: int = 10_000
    grace: float = 10.0
    clock: Callable[[], int] = wall_clock
    random_bits: Callable[[int], int] = random_bits
    mint_token: Callable[[], str] = mint_token


async def run_inline(function: Callable[[], T]) -> T:
    """Run a call that never blocks right here."""
    return function()


class ThreadRunner:
    """Runs calls in a worker thread, one at a time; cancelling the caller never reaches the call."""

    def __init__(self) -> None:
        """Own one thread's worth of room: no other lane can take it."""
        self._limiter = anyio.CapacityLimiter(1)

    async def __call__(self, function: Callable[[], T]) -> T:
        """Run ``function`` to its end in the thread."""
        return await anyio.to_thread.run_sync(function, limiter=self._limiter)


class _Served:
    """A mailbox with an actor behind it, and the moment at which that actor has stopped."""

    def __init__(self, close: Callable[[], None]) -> None:
        self.close = close
        self.done = anyio.Event()


class Runtime:
    """One running system inside a caller's task group."""

    def __init__(
        self, store: Store, options: Options, tasks: anyio.abc.TaskGroup, on_crash: OnCrash
    ) -> None:
        """Make the mailboxes; nothing runs before ``start``."""
        self._store = store
        self._options = options
        self._tasks = tasks
        self._on_crash = on_crash
        self.ids = IdMint(options.clock, options.random_bits)
        capacity = options.mailbox_capacity
        self._dispatcher: Mailbox[m.DispatcherMessage] = Mailbox(capacity)
        self._scheduler: Mailbox[m.SchedulerMessage] = Mailbox(capacity)
        self._reaper: Mailbox[m.ReaperMessage] = Mailbox(capacity)
        self._watcher: Mailbox[m.WatcherMessage] = Mailbox(capacity)
        self._hints = Hints(
            dispatcher=self._dispatcher,
            scheduler=self._scheduler,
            reaper=self._reaper,
            watcher=self._watcher,
        )
        writers = min(options.pool_size, store.max_writers or options.pool_size)
        lanes: list[Mailbox[m.StorageMessage]] = [Mailbox(capacity) for _ in range(writers + 3)]
        self._renewals, self._reader, self._upkeep, *self._writers = lanes
        self._spawned = 0
        self._stages: list[list[_Served]] = [[], [], [], []]
        self._draining = False
        self._news = NewsLoop(listen=store.listen, run=self._runner(), dispatcher=self._dispatcher)
        self.queue = JobQueue(
            Post(
                self._dispatcher,
                self.ids.mint,
                options.policy,
                lambda: self._draining,
                self._in_background,
            )
        )

    # ── starting ────────────────────────────────────────────────────────────────────────────────

    def start(self) -> None:
        """Start every actor. The stages are stopped in order: doors are the caller's business."""
        lanes = [*self._writers, self._renewals, self._reader, self._upkeep]
        for number, mailbox in enumerate(lanes):
            self._serve(3, f"storage-{number}", self._lane, mailbox)
        self._serve(0, "dispatcher", self._make_dispatcher, self._dispatcher)
        self._serve(
            1,
            "scheduler",
            lambda: Scheduler(lane=self._upkeep, alarm=scheduling),
            self._scheduler,
            scheduling := Alarm(BEAT_S, self._scheduler.offer),
        )
        self._serve(
            1,
            "reaper",
            lambda: Reaper(lane=self._upkeep, alarm=reaping),
            self._reaper,
            reaping := Alarm(BEAT_S, self._reaper.offer),
        )
        self._serve(
            1,
            "watcher",
            lambda: Watcher(lane=self._reader),
            self._watcher,
            Alarm(BEAT_S, self._watcher.offer),
        )
        clock: Mailbox[m.TimekeeperMessage] = Mailbox(1)
        self._serve(
            1,
            "timekeeper",
            lambda: Timekeeper(
                lane=self._renewals, clock=self._options.clock, correct=self.ids.correct
            ),
            clock,
            Alarm(TIMEKEEPING_S, clock.offer),
        )
        self._tasks.start_soon(self._news.run)

    def _serve(
        self,
        stage: int,
        name: str,
        make: Callable[[], Actor[M]],
        mailbox: Mailbox[M],
        alarm: Alarm | None = None,
    ) -> None:
        served = _Served(mailbox.close)
        self._stages[stage].append(served)

        async def run() -> None:
            async with anyio.create_task_group() as tasks:
                if alarm is not None:
                    tasks.start_soon(metronome, alarm)
                await serve(name, make, mailbox, self._on_crash)
                tasks.cancel_scope.cancel()
            served.done.set()
            # Lease managers come and go: the list must not grow with them (I18).
            self._stages[stage].remove(served)

        self._tasks.start_soon(run, name=name)

    # ── making actors ───────────────────────────────────────────────────────────────────────────

    def _lane(self) -> StorageLane:
        return StorageLane(
            connect=self._store.connect,
            run=self._runner(),
            hints=self._hints,
            on_crash=self._on_crash,
        )

    def _runner(self) -> Runner:
        return run_inline if self._store.inline else ThreadRunner()

    def _make_dispatcher(self) -> Dispatcher:
        return Dispatcher(
            writers=self._writers,
            renewals=self._renewals,
            reader=self._reader,
            upkeep=self._upkeep,
            watcher=self._watcher,
            spawn=self._spawn_lease_manager,
        )

    def _spawn_lease_manager(self, queue_name: str) -> Mailbox[m.LeaseManagerMessage]:
        mailbox: Mailbox[m.LeaseManagerMessage] = Mailbox(self._options.mailbox_capacity)
        self._spawned += 1
        lane = self._writers[self._spawned % len(self._writers)]

        def make() -> LeaseManager:
            return LeaseManager(
                queue_name,
                lane=lane,
                mint_token=self._options.mint_token,
                retire=mailbox.close_if_empty,
            )

        alarm = Alarm(BEAT_S, mailbox.offer)
        self._serve(2, f"lease-manager:{queue_name}", make, mailbox, alarm)
        return mailbox

    def _in_background(self, message: m.DispatcherMessage) -> None:
        async def tell() -> None:
            with suppress(MailboxClosed):
                await self._dispatcher.tell(message)

        self._tasks.start_soon(tell, name="hand-back")

    # ── stopping ────────────────────────────────────────────────────────────────────────────────

    def drain(self) -> None:
        """Answer every waiting consumer at once, and give out nothing more; settling goes on."""
        self._draining = True
        self._dispatcher.offer(m.Drain())

    async def stop(self) -> None:
        """Close upstream first; each stage finishes what it has before the next is closed."""
        self.drain()
        self._news.stop()
        for stage in self._stages:
            closing = list(stage)
            for served in closing:
                served.close()
            for served in closing:
                await served.done.wait()
        self._store.close()


@asynccontextmanager
async def running(store: Store, options: Options, on_crash: OnCrash) -> AsyncIterator[Runtime]:
    """Open ``store``, run a whole system on it in a task group, and stop it in order at the end.

    Stopping takes at most ``options.grace`` seconds; then what still runs is cancelled. What was
    not settled by then is in the store, under its lease.
    """
    prepare: Runner = run_inline if store.inline else ThreadRunner()
    check = await prepare(store.open)
    async with anyio.create_task_group() as tasks:
        runtime = Runtime(store, options, tasks, on_crash)
        runtime.ids.correct(check.now - options.clock())
        runtime.start()
        try:
            yield runtime
        finally:
            with anyio.move_on_after(options.grace, shield=True):
                await runtime.stop()
            tasks.cancel_scope.cancel()
