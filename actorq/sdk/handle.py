"""The handle of a job: its result awaited, its progress watched, by whoever has its id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Generic, TypeVar

import anyio
import msgspec

from actorq.core.transitions import ENDED, Status
from actorq.errors import ActorqError
from actorq.sdk.door import LONGEST_WAIT_S
from actorq.sdk.durations import seconds
from actorq.sdk.errors import JobCancelled, JobFailed

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from actorq.core.intake import JsonValue
    from actorq.core.job import Job
    from actorq.sdk.door import Door
    from actorq.sdk.durations import Duration

R = TypeVar("R")

AGAIN_S: Final = 0.5
"""Seconds before a queue is asked again that is away, or going away."""


class JobHandle(Generic[R]):
    """One job of a task that returns an ``R``.

    ``is_duplicate`` tells that an earlier job held the dedupe key: this is that job's handle. Waiting goes on
    while the queue is away, and ends early by ``timeout`` or by cancelling.
    """

    def __init__(
        self,
        job_id: str,
        door: Callable[[], Door],
        read: Callable[[str], R],
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
            async for job in self._changes():
                if job.status in ENDED:
                    return job
        raise TimeoutError(f"job {self.id} did not end within {limit} seconds")

    async def result(
        self,
        *,
        timeout: Duration | None = None,  # noqa: ASYNC109 - what users of results expect
    ) -> R:
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

    async def progress(self) -> AsyncGenerator[JsonValue]:
        """Yield each report of the job's handler that is seen, until the job ends.

        Reports which follow each other faster than they can be fetched are passed over, but for the last.
        """
        last: str | None = None
        async for job in self._changes():
            if job.progress is not None and job.progress != last:
                last = job.progress
                value: JsonValue = msgspec.json.decode(last)
                yield value

    async def _changes(self) -> AsyncGenerator[Job]:
        """Yield the job as it stands, and again after each change, up to its end."""
        job: Job | None = None
        while job is None or job.status not in ENDED:
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
                job = found
                yield job
            elif anyio.current_time() - asked_at < AGAIN_S:
                await anyio.sleep(AGAIN_S)
