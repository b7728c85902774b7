"""A queue for tests: the real one, on a memory store, in virtual time, with faults to order."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import anyio.to_thread

from actorq.backends.memory import MemoryStore
from actorq.core.commands import ListJobs
from actorq.core.instants import to_datetime, to_us
from actorq.core.intake import MAX_LIST
from actorq.core.policy import Policy
from actorq.core.transitions import Status
from actorq.face import JobQueue
from actorq.runtime import Options, running
from actorq.sdk.durations import seconds
from actorq.testing import matching
from actorq.testing.clock import START_US
from actorq.testing.faults import Faults
from actorq.testing.faulty_store import FaultyStore
from actorq.testing.virtual_time import current_time, settle

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from contextlib import AbstractContextManager
    from datetime import datetime

    from actorq.backends.backend import Backend
    from actorq.core.job import Job
    from actorq.sdk.durations import Duration
    from actorq.testing.virtual_time import VirtualTime

BEAT_S: Final = 60.0
"""A slow beat: nothing here depends on it but how soon faults are got over, and a day costs less."""

_ACTIVE: Final = (Status.PENDING, Status.RUNNING)


class QueueUnderTest(JobQueue):
    """A ``JobQueue`` with more: its time, its faults, and what is in it.

    The system behind it is the real one, and so are encoding, leases, retries and dead letters. What looks
    into it (``jobs``, ``assert_enqueued``) looks past all faults.
    """

    def __init__(
        self, queue: JobQueue, *, time: VirtualTime, faults: Faults, backend: Backend
    ) -> None:
        """Be ``queue``, and look into its store through ``backend``."""
        super().__init__(queue._post)  # noqa: SLF001 - the same object, with more to it
        self.time = time
        self.faults = faults
        self._backend = backend

    # ── time ────────────────────────────────────────────────────────────────────────────────────

    def now(self) -> datetime:
        """Return the store's clock; it starts at the beginning of 2026."""
        return to_datetime(self._backend.check().now)

    async def advance(self, duration: Duration) -> None:
        """Let time pass: seconds, text such as ``"1h"``, or a ``timedelta``; what is due happens in order."""
        length = seconds(duration, "/duration")
        self.time.allow(length)
        await anyio.sleep(length)
        await settle()

    def hold_time(self) -> AbstractContextManager[None]:
        """Let no virtual time pass in the block: it waits for something real, such as a socket."""
        return self.time.standing_still()

    # ── what is in it ───────────────────────────────────────────────────────────────────────────

    def jobs(self, queue_name: str | None = None) -> list[Job]:
        """Return all jobs of a queue, or of all, whatever became of them: oldest first."""
        found: list[Job] = []
        before: str | None = None
        while True:
            page = self._backend.list_jobs(
                ListJobs(queue_name=queue_name, before=before, limit=MAX_LIST)
            )
            found += page.jobs
            before = page.next_before
            if before is None:
                return found[::-1]

    def assert_enqueued(self, queue_name: str | None = None, **wanted: object) -> Job:
        """Return the newest job of a queue whose fields are as ``wanted``; raises ``AssertionError``.

        The fields are those of a ``Job``: ``payload``, ``priority``, ``task``, ``metadata`` (of which the
        named entries count), ``status`` and so on.
        """
        return matching.find(self.jobs(queue_name), wanted)

    def assert_nothing_enqueued(self, queue_name: str | None = None) -> None:
        """Raise ``AssertionError`` if there is a job, whatever became of it."""
        if jobs := self.jobs(queue_name):
            raise AssertionError(f"jobs were enqueued; {matching.describe(jobs)}")

    # ── its work ────────────────────────────────────────────────────────────────────────────────

    async def drain(self, *, delayed: bool = False) -> None:
        """Wait until no job is pending or running; somebody has to work on them.

        With ``delayed`` also until none is to come later: time passes up to their due times. A paused
        queue is not waited for, nor is a job that waits for one in it.
        """
        while self._is_busy(delayed=delayed):
            change = self.faults.change
            await change.wait()
        await settle()

    def _is_busy(self, *, delayed: bool) -> bool:
        figures = [stats for stats in self._backend.list_queues() if not stats.settings.paused]
        if any(stats.counts.get(status) for stats in figures for status in _ACTIVE):
            return True
        if not delayed:
            return False
        now = self._backend.check().now
        dues = [
            job.available_at
            for stats in figures
            if stats.counts.get(Status.DELAYED)
            for job in self.jobs(stats.name)
            if job.status is Status.DELAYED and not job.waits_for_others
        ]
        if dues:
            self.time.allow((min(dues) - now) / 1e6)
        return bool(dues)


@asynccontextmanager
async def open_queue_under_test(policy: Policy | None = None) -> AsyncGenerator[QueueUnderTest]:
    """Open a queue for a test, which must run in virtual time: ``actorq.testing.run``, or the fixtures.

    An error inside actorq that would be logged and mended elsewhere is raised at the end of the block.
    """
    time = current_time()
    begin = time.now()

    def clock() -> int:
        return START_US + to_us(time.now() - begin)

    bounds = policy or Policy()
    memory = MemoryStore(bounds, clock)
    faults = Faults(time)
    crashes: list[Exception] = []

    def on_crash(actor: str, error: Exception) -> None:
        error.add_note(f"in {actor}")
        crashes.append(error)

    options = Options(policy=bounds, clock=clock, beat=BEAT_S, make_runner=lambda: faults.run)
    threads = anyio.to_thread.current_default_thread_limiter()
    with time.standing_still(lambda: threads.borrowed_tokens > 0):
        async with running(FaultyStore(memory, faults), options, on_crash) as runtime:
            yield QueueUnderTest(runtime.queue, time=time, faults=faults, backend=memory.connect())
    if crashes:
        raise crashes[0]
