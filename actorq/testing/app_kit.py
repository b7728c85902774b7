"""An app for tests: its tasks enqueue to a queue for tests, and its workers run in virtual time."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, Unpack

import msgspec

from actorq.core.instants import from_datetime
from actorq.core.job import ErrorKind, JobError
from actorq.sdk.injection import Resource
from actorq.testing import matching
from actorq.testing.queue_kit import QueueUnderTest

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator, Mapping
    from contextlib import AbstractContextManager

    from actorq.core.job import Job
    from actorq.sdk.app import App
    from actorq.sdk.durations import Duration
    from actorq.sdk.task import Task
    from actorq.sdk.worker import Worker, WorkerOptions
    from actorq.testing.faults import Faults

P = ParamSpec("P")
R = TypeVar("R")


class Drained(msgspec.Struct, frozen=True, kw_only=True):
    """What a drain did: how many handlers came to which end, and the failures among them."""

    completed: int
    failed: int
    released: int
    failures: tuple[tuple[Job, JobError], ...] = ()


class AppUnderTest:
    """An app whose tasks are connected to ``queue``, with what a test needs beside them."""

    def __init__(self, app: App, queue: QueueUnderTest) -> None:
        """Speak of ``app``, which is connected to ``queue``."""
        self.app = app
        self.queue = queue

    @property
    def faults(self) -> Faults:
        """What goes wrong with the queue's store."""
        return self.queue.faults

    async def advance(self, duration: Duration) -> None:
        """Let time pass: seconds, text such as ``"1h"``, or a ``timedelta``; what is due happens in order."""
        await self.queue.advance(duration)

    def replace(self, value: object, of_type: object = None) -> AbstractContextManager[None]:
        """Let handlers get ``value`` in this block, wherever they are given its type, or ``of_type``."""
        key = type(value) if of_type is None else of_type
        return self.app.resources.replaced(Resource(key, lambda: value, {}, "worker"))

    # ── what was enqueued ───────────────────────────────────────────────────────────────────────

    def jobs(self, task: Task[..., Any] | None = None) -> list[Job]:
        """Return all jobs of a task, or of all, whatever became of them: oldest first."""
        jobs = self.queue.jobs()
        return jobs if task is None else [job for job in jobs if job.task == task.name]

    def arguments(self, job: Job) -> Mapping[str, object]:
        """Return the arguments of a job by their names, as its handler gets them, with all defaults."""
        task = self.app.tasks[job.task or ""]
        return self._whole(task, self.app.codecs.arguments(job.payload))

    def assert_enqueued(self, task: Task[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Job:
        """Return the newest job of a task with these arguments; raises ``AssertionError``."""
        arguments = task.definition.signature.arguments
        wanted = self._whole(task, arguments.write(arguments.bind(args, kwargs)))
        jobs = self.jobs(task)
        for job in reversed(jobs):
            if self.arguments(job) == wanted:
                return job
        there = [f"\n  {_call(task.name, self.arguments(job))}" for job in jobs]
        raise AssertionError(
            f"{_call(task.name, wanted)} was not enqueued; "
            + (f"what was:{''.join(there)}" if there else matching.describe(self.jobs()))
        )

    def assert_not_enqueued(self, task: Task[..., Any]) -> None:
        """Raise ``AssertionError`` if the task was enqueued, with whatever arguments."""
        if jobs := self.jobs(task):
            calls = [f"\n  {_call(task.name, self.arguments(job))}" for job in jobs]
            raise AssertionError(f"{task.name} was enqueued:{''.join(calls)}")

    @staticmethod
    def _whole(task: Task[..., Any], data: bytes | str) -> dict[str, object]:
        arguments = task.definition.signature.arguments
        bound = arguments.read(data)
        return arguments.with_defaults(arguments.bind(bound.args, bound.kwargs))

    # ── its work ────────────────────────────────────────────────────────────────────────────────

    @asynccontextmanager
    async def worker(self, **options: Unpack[WorkerOptions]) -> AsyncGenerator[Worker]:
        """Run a worker in this block, in virtual time: the real one, but for where it renews leases.

        Time stands still while a plain function is at work in a thread or a process.
        """
        options.setdefault("renewal", "loop")
        workers: list[Worker] = []
        # Until the worker has stopped: then it may still wait for a thread, or for the end of a process.
        with self.queue.time.standing_still(lambda: any(worker.outside for worker in workers)):
            async with self.app.worker(self.queue, **options) as worker:
                workers.append(worker)
                yield worker

    async def drain(
        self, *, delayed: bool = False, may_fail: bool = False, **options: Unpack[WorkerOptions]
    ) -> Drained:
        """Run a worker until no job is pending or running, those included that handlers enqueue.

        With ``delayed`` also until none is to come later: retries, and what is scheduled; time passes up to
        their due times. Raises ``AssertionError`` when a handler failed, unless it ``may_fail``, and when a
        job names a task that the app has not.
        """
        begin = from_datetime(self.queue.now())
        earlier = {job.id: job.errors for job in self.queue.jobs()}
        async with self.worker(**options) as worker:
            await self.queue.drain(delayed=delayed)
            figures = worker.figures
        self._refuse_unknown()
        failures = tuple(
            (job, error)
            for job in self.queue.jobs()
            for error in job.errors
            if error.kind is ErrorKind.FAILURE
            and error.time >= begin
            and error not in earlier.get(job.id, ())
        )
        if failures and not may_fail:
            raise AssertionError("".join(self._failed(failures)))
        return Drained(
            completed=figures.completed,
            failed=figures.failed,
            released=figures.released,
            failures=failures,
        )

    def _refuse_unknown(self) -> None:
        for job in self.queue.jobs():
            if job.completed_at is None and job.task not in self.app.tasks:
                raise AssertionError(
                    f"job {job.id} in queue {job.queue_name} names task {job.task!r}, which the app has not"
                )

    def _failed(self, failures: tuple[tuple[Job, JobError], ...]) -> Generator[str]:
        yield f"{len(failures)} attempts failed (drain(may_fail=True) lets them):"
        for job, error in failures:
            yield f"\n{_call(job.task or '', self.arguments(job))}, attempt {error.attempt}: {error.message}"


def _call(name: str, arguments: Mapping[str, object]) -> str:
    return f"{name}({', '.join(f'{key}={value!r}' for key, value in arguments.items())})"


@asynccontextmanager
async def connected(app: App, queue: QueueUnderTest) -> AsyncGenerator[AppUnderTest]:
    """Connect an app to a queue for tests, for the block."""
    async with app.connect(queue):
        yield AppUnderTest(app, queue)
