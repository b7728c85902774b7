"""The embedded door: a ``JobQueue`` that runs in this event loop."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

import anyio

from actorq.core.commands import Ack, Extend, Fail, Release, Report
from actorq.core.job import Job
from actorq.errors import ActorqError, InvalidInput, LeaseLost, NotFound, NotLeased
from actorq.sdk.door import Draft, Held, Renewal, Renewals, Renewer, Settling, make_all

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator, Sequence

    from actorq.core.results import Claimed, Enqueued, PrunedReplay, Settled
    from actorq.core.schedule import NewSchedule
    from actorq.face import JobQueue
    from actorq.face.post import Extender

I = TypeVar("I", Ack, Fail, Release)  # noqa: E741 - an item

_GONE = (LeaseLost, NotLeased, NotFound)


class EmbeddedDoor:
    """Fits ``Door`` to a queue; two doors to one queue are equal."""

    def __init__(self, queue: JobQueue) -> None:
        """Reach ``queue``, which must be open for as long as the door is used."""
        self._queue = queue

    def __eq__(self, other: object) -> bool:
        return isinstance(other, EmbeddedDoor) and other._queue is self._queue

    def __hash__(self) -> int:
        return id(self._queue)

    # ── jobs ────────────────────────────────────────────────────────────────────────────────────

    async def enqueue_many(
        self, drafts: Sequence[Draft], /
    ) -> list[Enqueued | PrunedReplay | ActorqError]:
        """Make jobs in one step."""
        return await self._queue.enqueue_many(make_all(drafts, self._queue.new_job))

    async def get_job(self, job_id: str, /) -> Job:
        """Return a job."""
        return await self._queue.get_job(job_id)

    async def get_jobs(self, job_ids: Sequence[str], /) -> list[Job | None]:
        """Return jobs in the order asked."""
        return await self._queue.get_jobs(job_ids)

    async def wait_for_change(self, job_id: str, version: int, wait: float, /) -> Job | None:
        """Wait until the job is no longer at ``version``."""
        return await self._queue.wait_for_change(job_id, version, wait)

    async def cancel(self, job_id: str, /) -> Job:
        """Cancel a job, or ask its holder to stop."""
        return await self._queue.cancel(job_id)

    async def declare_schedules(self, news: Sequence[NewSchedule], /) -> None:
        """Say what the program's code holds of its schedules."""
        await self._queue.declare_schedules(news)

    # ── leases ──────────────────────────────────────────────────────────────────────────────────

    async def dequeue(
        self,
        queue_name: str,
        *,
        worker_id: str,
        slots: int,
        visibility_timeout: float | None,
        wait: float,
    ) -> Claimed:
        """Take jobs."""
        return await self._queue.dequeue_many(
            queue_name,
            slots,
            worker_id=worker_id,
            visibility_timeout=visibility_timeout,
            wait=wait,
        )

    async def settle(self, items: Sequence[Settling], /) -> list[ActorqError | None]:
        """Settle jobs: one message for each way to do so, all of them at once."""
        queue = self._queue
        answers: list[ActorqError | None] = [None] * len(items)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_settle, queue.ack_many, Ack, items, answers)
            tasks.start_soon(_settle, queue.fail_many, Fail, items, answers)
            tasks.start_soon(_settle, queue.release_many, Release, items, answers)
        return answers

    async def renew(self, worker_id: str, leases: Sequence[Extend], /) -> Renewals:
        """Renew leases."""
        del worker_id
        return _renewals(await self._queue.extend_many(leases), drain=self._queue.draining)

    @contextmanager
    def renewer(self) -> Generator[Renewer]:
        """Make what renews from another thread, on a connection of its own to the store."""
        extender = self._queue.extender()
        try:
            yield _EmbeddedRenewer(self._queue, extender)
        finally:
            extender.close()

    async def report(self, item: Report, /) -> Job:
        """Record progress."""
        (answer,) = await self._queue.report_many([item])
        if isinstance(answer, ActorqError):
            raise answer
        return answer


class _EmbeddedRenewer:
    """Renews past the event loop, which a handler may be blocking."""

    def __init__(self, queue: JobQueue, extender: Extender) -> None:
        self._queue = queue
        self._extender = extender

    def renew(self, worker_id: str, leases: Sequence[Extend], /) -> Renewals:
        """Renew leases, blocking."""
        del worker_id
        return _renewals(self._extender.extend_many(leases), drain=self._queue.draining)


async def _settle(
    verb: Callable[[Sequence[I]], Awaitable[list[Settled | ActorqError]]],
    kind: type[I],
    items: Sequence[Settling],
    answers: list[ActorqError | None],
) -> None:
    """Settle the items of one kind, and put what is refused in its place."""
    places = [place for place, item in enumerate(items) if isinstance(item, kind)]
    own = [item for item in items if isinstance(item, kind)]
    if not own:
        return
    for place, answer in zip(places, await _answered(verb, own), strict=True):
        answers[place] = answer if isinstance(answer, ActorqError) else None


async def _answered(
    verb: Callable[[Sequence[I]], Awaitable[list[Settled | ActorqError]]], items: Sequence[I]
) -> Sequence[Settled | ActorqError]:
    """Call a verb; an error of the whole call is each item's, and a wrong value that of its own only."""
    try:
        return await verb(items)
    except InvalidInput as error:
        if len(items) == 1:
            return [error]
    except ActorqError as error:
        return [error] * len(items)
    return [(await _answered(verb, [item]))[0] for item in items]


def _renewals(answers: Sequence[Job | ActorqError], *, drain: bool) -> Renewals:
    return Renewals([_renewal(answer) for answer in answers], drain)


def _renewal(answer: Job | ActorqError) -> Renewal:
    """Read one answer; an error that is not about the lease concerns the whole call."""
    if isinstance(answer, _GONE):
        return Renewal(Held.LOST)
    if isinstance(answer, ActorqError):
        raise answer
    seconds = 0.0 if answer.lease is None else answer.lease.visibility_timeout
    return Renewal(Held.CANCEL if answer.cancel_requested else Held.OK, seconds)
