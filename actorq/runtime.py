"""The wiring: opens the store, makes mailboxes, starts actors, stops them in order.

The only module that knows everyone. What it builds:

    JobQueue ─► dispatcher ─► lease managers ─► returner ─► writing lanes ─► store
                    ├─► renewing lane, reading lane, upkeep lane
    scheduler, reaper, watcher, timekeeper (each with a metronome), listener
"""

from __future__ import annotations

from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

import anyio
import anyio.to_thread
import msgspec

from actorq.actors import messages as m
from actorq.actors.actor import Actor, Alarm, OnCrash, metronome, serve
from actorq.actors.extender import Extender
from actorq.actors.hints import Hints
from actorq.actors.mailbox import Mailbox, MailboxClosed
from actorq.actors.patience import BEATS
from actorq.actors.runners import Runner, ThreadRunner, run_inline
from actorq.cast import Cast
from actorq.clock import mint_token, random_bits, wall_clock
from actorq.core.ids import IdMint
from actorq.core.policy import Policy
from actorq.errors import ConfigurationError
from actorq.face import JobQueue
from actorq.face.post import Post
from actorq.stages import Stages

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence

    from actorq.backends.backend import Store
    from actorq.core.commands import Release

M = TypeVar("M")

BEAT_S: Final = 2.0
"""Seconds of a beat."""

TIMEKEEPING_S: Final = 30.0
"""Seconds between two measures of the store's clock."""

CLOSING_S: Final = 0.5
"""Seconds for letting connections go when the grace is over, and for the store's own end."""

DOORS, TIMERS, MANAGERS, RETURNS, LANES = range(5)
"""The stages of stopping, upstream first."""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How one runtime is built; ``grace`` is the seconds that stopping may take.

    ``patience`` is the seconds that a caller waits for the store before it leaves, the outcome unknown;
    ``beat`` the seconds between two looks at the store when nothing is known to be due earlier.
    Blocking calls run in threads, unless ``make_runner`` gives each lane another place for them; ``cast``
    says which classes play the actors.
    """

    policy: Policy = Policy()
    pool_size: int = 4
    mailbox_capacity: int = 10_000
    grace: float = 10.0
    patience: float = 30.0
    beat: float = BEAT_S
    clock: Callable[[], int] = wall_clock
    random_bits: Callable[[int], int] = random_bits
    mint_token: Callable[[], str] = mint_token
    make_runner: Callable[[], Runner] | None = None
    cast: Cast = Cast()

    def __post_init__(self) -> None:
        if self.pool_size < 1 or self.mailbox_capacity < 1:
            raise ConfigurationError("pool_size and mailbox_capacity must be at least 1")
        if not (self.grace >= 0.0 and self.patience > 0.0 and self.beat > 0.0):
            raise ConfigurationError("grace must be 0 seconds or more, patience and beat above 0")


class Runtime:
    """One running system."""

    def __init__(self, store: Store, options: Options, on_crash: OnCrash) -> None:
        """Make the mailboxes; nothing runs before ``alive``."""
        self._store = store
        self._options = options
        self._on_crash = on_crash
        self._stages = Stages(LANES + 1)
        self.ids = IdMint(options.clock, options.random_bits, store.id_tail)
        capacity = options.mailbox_capacity
        self._dispatcher: Mailbox[m.DispatcherMessage] = Mailbox(capacity)
        self._scheduler: Mailbox[m.SchedulerMessage] = Mailbox(capacity)
        self._reaper: Mailbox[m.ReaperMessage] = Mailbox(capacity)
        self._watcher: Mailbox[m.WatcherMessage] = Mailbox(capacity)
        self._returner: Mailbox[m.ReturnerMessage] = Mailbox(capacity)
        self._hints = Hints(
            dispatcher=self._dispatcher,
            scheduler=self._scheduler,
            reaper=self._reaper,
            watcher=self._watcher,
        )
        writers = min(options.pool_size, store.max_writers or options.pool_size)
        lanes: list[Mailbox[m.StorageMessage]] = [Mailbox(capacity) for _ in range(writers + 3)]
        self._renewals, self._reader, self._upkeep, *self._writers = lanes
        self._lanes: list[Actor[m.StorageMessage]] = []
        self._spawned = 0
        self._draining = False
        self._cast = options.cast
        self._patience = self._cast.patience()
        self.queue = JobQueue(
            Post(
                self._dispatcher,
                self.ids.mint_for,
                options.policy,
                self._patience.get,
                lambda: self._draining,
                self._hand_back,
                partial(Extender, store.connect, on_crash),
            )
        )

    # ── starting ────────────────────────────────────────────────────────────────────────────────

    @asynccontextmanager
    async def alive(self) -> AsyncGenerator[None]:
        """Run every actor for as long as the block lasts, and stop them in order at its end."""
        try:
            async with self._stages.around(self._start, self.stop):
                yield
        finally:
            with anyio.move_on_after(CLOSING_S, shield=True):
                await self._disconnect()

    def _start(self) -> None:
        lanes = [*self._writers, self._renewals, self._reader, self._upkeep]
        for number, mailbox in enumerate(lanes):
            self._serve(LANES, f"storage-{number}", self._make_lane, mailbox)
        self._serve(DOORS, "dispatcher", self._make_dispatcher, self._dispatcher)
        self._serve(
            RETURNS,
            "returner",
            lambda: self._cast.returner(lane=self._writers[0]),
            self._returner,
            Alarm(self._options.beat, self._returner.offer),
        )
        self._serve(
            TIMERS,
            "watcher",
            lambda: self._cast.watcher(lane=self._reader),
            self._watcher,
            Alarm(self._options.beat, self._watcher.offer),
        )
        scheduling = Alarm(self._options.beat, self._scheduler.offer)
        self._serve(
            TIMERS,
            "scheduler",
            lambda: self._cast.scheduler(lane=self._upkeep, alarm=scheduling),
            self._scheduler,
            scheduling,
        )
        reaping = Alarm(self._options.beat, self._reaper.offer)
        make_reaper = partial(self._cast.reaper, lane=self._upkeep, alarm=reaping)
        self._serve(TIMERS, "reaper", make_reaper, self._reaper, reaping)
        beats: Mailbox[m.TimekeeperMessage] = Mailbox(1)
        timekeeping = Alarm(TIMEKEEPING_S, beats.offer)
        self._serve(TIMERS, "timekeeper", self._make_timekeeper, beats, timekeeping)
        ticks: Mailbox[m.PatienceMessage] = Mailbox(1)
        pace = Alarm(self._options.patience / BEATS, ticks.offer)
        self._serve(TIMERS, "patience", lambda: self._patience, ticks, pace)
        news = self._cast.listener(
            listen=self._store.listen,
            run=self._runner(),
            dispatcher=self._dispatcher,
            on_crash=self._on_crash,
        )
        self._stages.start(DOORS, "listener", news.run, news.stop)

    def _serve(
        self,
        stage: int,
        name: str,
        make: Callable[[], Actor[M]],
        mailbox: Mailbox[M],
        alarm: Alarm | None = None,
    ) -> None:
        async def run() -> None:
            async with anyio.create_task_group() as tasks:
                if alarm is not None:
                    tasks.start_soon(metronome, alarm)
                await serve(name, make, mailbox, self._on_crash)
                tasks.cancel_scope.cancel()

        self._stages.start(stage, name, run, mailbox.close)

    def _make_lane(self) -> Actor[m.StorageMessage]:
        lane = self._cast.storage_lane(
            connect=self._store.connect,
            run=self._runner(),
            hints=self._hints,
            on_crash=self._on_crash,
        )
        self._lanes.append(lane)
        return lane

    def _runner(self) -> Runner:
        make = self._options.make_runner or ThreadRunner
        return run_inline if self._store.inline else make()

    def _make_timekeeper(self) -> Actor[m.TimekeeperMessage]:
        return self._cast.timekeeper(
            lane=self._renewals, clock=self._options.clock, correct=self.ids.correct
        )

    def _make_dispatcher(self) -> Actor[m.DispatcherMessage]:
        return self._cast.dispatcher(
            writers=self._writers,
            renewals=self._renewals,
            reader=self._reader,
            upkeep=self._upkeep,
            watcher=self._watcher,
            spawn=self._spawn_lease_manager,
            draining=lambda: self._draining,
        )

    def _spawn_lease_manager(self, queue_name: str) -> Mailbox[m.LeaseManagerMessage]:
        mailbox: Mailbox[m.LeaseManagerMessage] = Mailbox(self._options.mailbox_capacity)
        self._spawned += 1
        lane = self._writers[self._spawned % len(self._writers)]

        def make() -> Actor[m.LeaseManagerMessage]:
            return self._cast.lease_manager(
                queue_name,
                lane=lane,
                returner=self._returner,
                mint_token=self._options.mint_token,
                retire=mailbox.close_if_empty,
            )

        alarm = Alarm(self._options.beat, mailbox.offer)
        self._serve(MANAGERS, f"lease-manager:{queue_name}", make, mailbox, alarm)
        return mailbox

    def _hand_back(self, items: Sequence[Release]) -> None:
        # With ten thousand of them waiting already, the store is away: these leases run out.
        self._returner.offer(m.HandBack(tuple(items)))

    # ── stopping ────────────────────────────────────────────────────────────────────────────────

    def drain(self) -> None:
        """Answer whoever waits at once, and give out nothing more; settling goes on."""
        self._draining = True
        if not self._dispatcher.offer(m.Drain()) and self._dispatcher.open:
            self._stages.start(DOORS, "drain", self._tell_drain, lambda: None)

    async def _tell_drain(self) -> None:
        with suppress(MailboxClosed):
            await self._dispatcher.tell(m.Drain())

    async def stop(self) -> None:
        """Close upstream first; each stage finishes what it has before the next is closed.

        What has not ended within the grace is cancelled. What was not settled by then is in the store,
        under its lease.
        """
        self.drain()
        with anyio.move_on_after(self._options.grace, shield=True):
            await self._stages.close()
        self._stages.give_up()

    async def _disconnect(self) -> None:
        """Let go of the connections that their lanes could not, because they were cancelled."""
        async with anyio.create_task_group() as tasks:
            for lane in self._lanes:
                tasks.start_soon(lane.stop)


@asynccontextmanager
async def running(store: Store, options: Options, on_crash: OnCrash) -> AsyncGenerator[Runtime]:
    """Open ``store``, run a whole system on it in a task group, and stop it in order at the end.

    Stopping has its order and its grace also when the caller is cancelled. What the body raises leaves
    as it is; an error that the system cannot mend cancels the body, and leaves as an exception group.
    """
    # Not abandoned when cancelled, as a lane's calls are: what was opened is to be closed.
    make = options.make_runner or (lambda: anyio.to_thread.run_sync)
    run: Runner = run_inline if store.inline else make()
    try:
        check = await run(store.open)
        runtime = Runtime(store, options, on_crash)
        runtime.ids.correct(check.now - options.clock())
        async with runtime.alive():
            yield runtime
    finally:
        with anyio.move_on_after(CLOSING_S, shield=True):
            await run(store.close)
