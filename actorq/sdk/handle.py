"""Handles: the results of jobs awaited, their progress watched, by whoever has their ids."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Generic, TypeAlias, TypeVar

import anyio
import msgspec

from actorq.core.transitions import ENDED, Status
from actorq.errors import ActorqError, IllegalTransition, NotFound
from actorq.sdk.door import LONGEST_WAIT_S
from actorq.sdk.durations import seconds
from actorq.sdk.errors import JobCancelled, JobFailed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
    from typing import Self

    from actorq.core.intake import JsonValue
    from actorq.core.job import Job
    from actorq.sdk.door import Door
    from actorq.sdk.durations import Duration

R_co = TypeVar("R_co", covariant=True)
T = TypeVar("T")

AGAIN_S: Final = 0.5
"""Seconds before a queue is asked again that is away, or going away."""


class JobHandle(Generic[R_co]):
    """One job of a task that returns an ``R_co``.

    ``is_duplicate`` tells that an earlier job held the dedupe key: this is that job's handle. Waiting goes on
    while the queue is away, and ends early by ``timeout`` or by cancelling.
    """

    def __init__(
        self,
        job_id: str,
        door: Callable[[], Door],
        read: Callable[[str], R_co],
        *,
        is_duplicate: bool = False,
    ) -> None:
        """Speak of the job ``job_id``; ``read`` turns a stored result into a value."""
        self.id = job_id
        self.is_duplicate = is_duplicate
        self._door = door
        self._read = read

    def __repr__(self) -> str:
        return f"JobHandle({self.id!r})"

    @property
    def jobs(self) -> tuple[JobHandle[Any], ...]:
        """The handles of all jobs that this one speaks of."""
        return (self,)

    async def job(self) -> Job:
        """Return the job as it stands; raises ``NotFound`` once it is pruned."""
        return await self._door().get_job(self.id)

    async def status(self) -> Status:
        """Return the job's status."""
        return (await self.job()).status

    async def cancel(self) -> Job:
        """Cancel the job if it waits; ask its handler to stop if it runs."""
        return await self._door().cancel(self.id)

    async def wait(
        self,
        *,
        timeout: Duration | None = None,  # noqa: ASYNC109 - what users of results expect
    ) -> Job:
        """Wait until the job has ended, however it did; raises ``TimeoutError`` and ``NotFound``."""
        limit = None if timeout is None else seconds(timeout, "/timeout")
        with anyio.move_on_after(limit):
            job = await self._after(None)
            while job.status not in ENDED:
                job = await self._after(job)
            return job
        raise TimeoutError(f"job {self.id} did not end within {limit} seconds")

    async def result(
        self,
        *,
        timeout: Duration | None = None,  # noqa: ASYNC109 - what users of results expect
    ) -> R_co:
        """Wait for the job to complete, and return what its handler returned.

        Raises ``JobFailed`` when it is dead, ``JobCancelled``, ``TimeoutError`` after ``timeout``, and
        ``NotFound`` once the job is pruned (an hour after its completion by default).
        """
        job = await self.wait(timeout=timeout)
        if job.status is Status.DEAD:
            raise JobFailed(job)
        if job.status is Status.CANCELLED:
            raise JobCancelled(self.id)
        return self._read("null" if job.result is None else job.result)

    def progress(self) -> AsyncIterator[JsonValue]:
        """Go through the reports of the job's handler as they are seen, until the job ends.

        Reports which follow each other faster than they can be fetched are passed over, but for the last.
        Raises ``NotFound`` once the job is pruned.
        """
        return _Progress(self._after)

    async def _after(self, job: Job | None) -> Job:
        """Wait until the job is no longer as it was; None: return it as it stands."""
        while True:
            asked_at = anyio.current_time()
            found: Job | None = None
            try:
                if job is None:
                    found = await self.job()
                else:
                    found = await self._door().wait_for_change(self.id, job.version, LONGEST_WAIT_S)
            except ActorqError as error:
                if not error.retryable:
                    raise
            if found is not None:
                return found
            if anyio.current_time() - asked_at < AGAIN_S:
                await anyio.sleep(AGAIN_S)


class ChainHandle(JobHandle[R_co]):
    """The last job of a chain, with ``parts``: the handles of all its parts, in order.

    ``jobs`` are the handles of all its jobs, each behind those that it waits for.
    """

    def __init__(self, before: Sequence[AnyHandle], last: JobHandle[R_co]) -> None:
        """Be ``last``, with more to it."""
        door, read = last._door, last._read  # noqa: SLF001 - the same object, with more to it
        super().__init__(last.id, door, read, is_duplicate=last.is_duplicate)
        self.parts: tuple[AnyHandle, ...] = (*before, last)

    @property
    def jobs(self) -> tuple[JobHandle[Any], ...]:
        """The handles of all its jobs."""
        return tuple(job for part in self.parts for job in part.jobs)

    async def cancel(self) -> Job:
        """Cancel all its jobs, from the last to the first, but those that have ended; return the last."""
        await cancel_all(self.jobs)
        return await self.job()


class GroupHandle(Generic[R_co]):
    """The jobs of a group: ``members`` are their handles, in the order of its calls.

    ``jobs`` are the handles of all its jobs: of members that are chains, all of theirs.
    """

    def __init__(self, members: Sequence[JobHandle[R_co]]) -> None:
        """Speak of them all."""
        self.members = tuple(members)

    @property
    def jobs(self) -> tuple[JobHandle[Any], ...]:
        """The handles of all its jobs."""
        return tuple(job for member in self.members for job in member.jobs)

    async def wait(
        self,
        *,
        timeout: Duration | None = None,  # noqa: ASYNC109 - as with one job
    ) -> list[Job]:
        """Wait until all members have ended, however they did; raises as ``JobHandle.wait``."""
        return await _within(timeout, self._wait)

    async def results(
        self,
        *,
        timeout: Duration | None = None,  # noqa: ASYNC109 - as with one job
    ) -> list[R_co]:
        """Wait for all members to complete, and return their results; raises as ``JobHandle.result``."""
        return await _within(timeout, self._results)

    async def cancel(self) -> None:
        """Cancel all its jobs but those that have ended."""
        await cancel_all(self.jobs)

    async def _wait(self) -> list[Job]:
        return [await member.wait() for member in self.members]

    async def _results(self) -> list[R_co]:
        return [await member.result() for member in self.members]


AnyHandle: TypeAlias = JobHandle[Any] | GroupHandle[Any]


async def cancel_all(jobs: Sequence[JobHandle[Any]]) -> None:
    """Cancel jobs that have not ended, the last first, so that none is let go by the end of another."""
    for job in reversed(jobs):
        with suppress(IllegalTransition, NotFound):
            await job.cancel()


async def _within(limit: Duration | None, wait: Callable[[], Awaitable[list[T]]]) -> list[T]:
    left = None if limit is None else seconds(limit, "/timeout")
    with anyio.move_on_after(left):
        return await wait()
    raise TimeoutError(f"the group did not end within {left} seconds")


class _Progress:
    """Reports, one after the other. No generator: trio wants those closed, and nobody closes this."""

    def __init__(self, after: Callable[[Job | None], Awaitable[Job]]) -> None:
        self._after = after
        self._job: Job | None = None
        self._last: str | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> JsonValue:
        while self._job is None or self._job.status not in ENDED:
            self._job = await self._after(self._job)
            if self._job.progress is not None and self._job.progress != self._last:
                self._last = self._job.progress
                value: JsonValue = msgspec.json.decode(self._last)
                return value
        raise StopAsyncIteration
