"""The app: the tasks and resources of a program, and the queue that it is connected to."""

from __future__ import annotations

import signal
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, ParamSpec, Protocol, TypeVar, Unpack, overload

import anyio

from actorq.errors import ActorqError
from actorq.sdk import injection
from actorq.sdk.codec import Codecs
from actorq.sdk.connecting import open_door
from actorq.sdk.defining import define
from actorq.sdk.door import MOST_ITEMS
from actorq.sdk.errors import NotConnected, TaskError
from actorq.sdk.scheduling import plan
from actorq.sdk.task import AsyncTask, SyncTask, Task
from actorq.sdk.worker import Worker, WorkerOptions

if TYPE_CHECKING:
    from collections.abc import (
        AsyncGenerator,
        Callable,
        Coroutine,
        Generator,
        Iterable,
        Iterator,
        Mapping,
        Sequence,
    )

    from actorq.core.schedule import NewSchedule
    from actorq.sdk.codec import Codec
    from actorq.sdk.connecting import Where
    from actorq.sdk.door import Door
    from actorq.sdk.handle import JobHandle
    from actorq.sdk.injection import Per
    from actorq.sdk.options import TaskOptions
    from actorq.sdk.scheduling import ScheduleOptions
    from actorq.sdk.task import Call

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T", bound="Task[..., Any]")
F = TypeVar("F", bound="Callable[..., object]")

DECLARE_AGAIN_S: Final = 1.0
"""Seconds before schedules are declared again to a queue that is away."""

_MOST_CHARACTERS: Final = 4 * 1024 * 1024
"""Of the payloads of one call: a server refuses bodies beyond 16 MiB by default."""


class Decorator(Protocol):
    """What ``@app.task(...)`` does to a function."""

    # An async function is also a plain one that returns a coroutine: the first that fits counts.
    @overload
    def __call__(  # type: ignore[overload-overlap]  # the comment above
        self, function: Callable[P, Coroutine[Any, Any, R]], /
    ) -> AsyncTask[P, R]: ...

    @overload
    def __call__(self, function: Callable[P, R], /) -> SyncTask[P, R]: ...


class App:
    """Tasks by their names, and what they need.

    It is made once, at the top of a module, and knows no queue by itself: ``connect`` is for whoever
    enqueues, ``worker`` for whoever works.
    """

    def __init__(self, *, codecs: Sequence[Codec] = ()) -> None:
        """Start without tasks. The first of ``codecs`` writes arguments and results; all of them read."""
        self.codecs = Codecs(codecs)
        self.resources = injection.Resources()
        self._tasks: dict[str, Task[..., Any]] = {}
        self._schedules: dict[str, NewSchedule] = {}
        self._doors: list[Door] = []

    # ── what there is ───────────────────────────────────────────────────────────────────────────

    @overload
    def task(  # type: ignore[overload-overlap]  # as with the decorator
        self, function: Callable[P, Coroutine[Any, Any, R]], /
    ) -> AsyncTask[P, R]: ...

    @overload
    def task(self, function: Callable[P, R], /) -> SyncTask[P, R]: ...

    @overload
    def task(self, **options: Unpack[TaskOptions]) -> Decorator: ...

    def task(self, *function: Callable[..., Any], **options: Unpack[TaskOptions]) -> object:
        """Make a task of a function: ``@app.task``, or ``@app.task(queue="mail", ...)``.

        ``TaskOptions`` tells the options. Raises ``TaskError`` for a function that cannot be one: its
        arguments and its result must have types that have a form in JSON.
        """
        return self._add(options, *function) if function else partial(self._add, options)

    def _add(self, options: TaskOptions, function: Callable[..., Any]) -> Task[..., Any]:
        definition = define(function, options)
        if definition.name in self._tasks:
            raise TaskError(f"task {definition.name}: the app has one already; give it a name=")
        task: Task[..., Any]
        if definition.is_async:
            task = AsyncTask(self, definition)
        else:
            task = SyncTask(self, definition)
        self._tasks[definition.name] = task
        return task

    def schedule(self, **options: Unpack[ScheduleOptions]) -> Callable[[T], T]:
        """Make a call of a task again and again: ``@app.schedule(cron="0 3 * * *")`` above its ``@app.task``.

        ``ScheduleOptions`` tells the options. The task is called without arguments; for others, and
        for options of the call, see ``schedule_call``. Workers declare what was scheduled when they begin.
        """

        def add(task: T) -> T:
            try:
                call = task.call()
            except (TypeError, ActorqError) as error:
                raise TaskError(f"the schedule of task {task.name}: {error}") from None
            self.schedule_call(call, **options)
            return task

        return add

    def schedule_call(self, call: Call[Any], **options: Unpack[ScheduleOptions]) -> None:
        """Make ``call`` again and again: ``app.schedule_call(send.call("all"), every="1h", name="all")``.

        It is the same call each time, written once, with the options of its task and of ``with_options``;
        raises ``TaskError`` for one with a time of its own.
        """
        new = plan(call, options)
        if new.name in self._schedules:
            raise TaskError(f"schedule {new.name}: the app has one already; give it a name=")
        self._schedules[new.name] = new

    @property
    def schedules(self) -> Mapping[str, NewSchedule]:
        """The schedules by their names, as the code declares them."""
        return MappingProxyType(self._schedules)

    def resource(self, *, per: Per = "worker") -> Callable[[F], F]:
        """Make a resource of a function: what it returns, or yields once, is injected by that type.

        It lives as long as the worker, or as the one job that needs it (``per="job"``), and what stands
        behind its ``yield`` ends it. It may be async or not, and need others: ``injected``.
        """

        def add(function: F) -> F:
            self.resources.add(injection.read(function, per))
            return function

        return add

    @property
    def tasks(self) -> Mapping[str, Task[..., Any]]:
        """The tasks by their names."""
        return MappingProxyType(self._tasks)

    # ── for who enqueues ────────────────────────────────────────────────────────────────────────

    @asynccontextmanager
    async def connect(self, where: Where) -> AsyncGenerator[Door]:
        """Connect the tasks to a queue, for the block: now they can be enqueued.

        ``where`` is the URL of a server or of a store, or an open ``JobQueue``. Of several connections at a
        time, the first is the one that is used.
        """
        async with open_door(where) as door:
            with self.connected(door):
                yield door

    @contextmanager
    def connected(self, door: Door) -> Generator[None]:
        """Do the same with a door that is open already."""
        self._doors.append(door)
        try:
            yield
        finally:
            # By identity: another connection to the same queue may go on.
            self._doors = [each for each in self._doors if each is not door]

    @property
    def door(self) -> Door:
        """The queue that the app is connected to; raises ``NotConnected``."""
        if not self._doors:
            raise NotConnected
        return self._doors[0]

    async def enqueue_many(self, calls: Iterable[Call[R]]) -> list[JobHandle[R] | ActorqError]:
        """Enqueue calls, many at a time; one result each, in order, a refusal being an error value.

        Raises ``NotConnected``, and ``BackendUnavailable`` when the queue cannot be reached: then some
        of them may have been enqueued.
        """
        door = self.door
        handles: list[JobHandle[R] | ActorqError] = []
        for part in _parts(calls):
            answers = await door.enqueue_many([call.draft for call in part])
            handles += [call.handle(one) for call, one in zip(part, answers, strict=True)]
        return handles

    # ── for who works ───────────────────────────────────────────────────────────────────────────

    @asynccontextmanager
    async def worker(
        self, where: Where, **options: Unpack[WorkerOptions]
    ) -> AsyncGenerator[Worker]:
        """Run a worker on the queue at ``where``, in the caller's event loop, for the block.

        ``WorkerOptions`` tells the options. Leaving the block, also by being cancelled, stops the worker
        in order: it takes nothing new, hands back what it has not started, lets handlers run for most of
        its ``grace``, cancels the others, and hands their jobs back. The app is connected meanwhile.
        Before it begins the app's schedules are declared, which waits for a queue that is away.
        """
        async with open_door(where) as door:
            with self.connected(door):
                await self.declare_schedules()
                worker = Worker(self, door, options)
                async with worker.running():
                    yield worker

    async def declare_schedules(self) -> None:
        """Say what this program's code holds of its schedules to the queue that the app is connected to.

        What was edited since the code said so last stays, until the code says something else. A queue that
        is away is asked again. Raises ``NotConnected``, and what the server refuses for good.
        """
        if not self._schedules:
            return
        while True:
            try:
                await self.door.declare_schedules(list(self._schedules.values()))
            except ActorqError as error:
                if not error.retryable:
                    raise
                await anyio.sleep(DECLARE_AGAIN_S)
            else:
                return

    async def run_worker(
        self, where: Where, *, signals: bool = False, **options: Unpack[WorkerOptions]
    ) -> None:
        """Run a worker until it is cancelled; with ``signals`` until SIGTERM or SIGINT.

        A second signal ends the handlers at once. Only the program's main thread may ask for signals.
        """
        if not signals:
            async with self.worker(where, **options) as worker:
                await worker.asked_to_stop()
            return
        # Listened to before anything is opened: an early signal is not lost, and does not kill.
        with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as received:
            async with self.worker(where, **options) as worker:
                await worker.heed(received)


def _parts(calls: Iterable[Call[R]]) -> Iterator[list[Call[R]]]:
    """Cut many calls into what one request takes."""
    part: list[Call[R]] = []
    size = 0
    for call in calls:
        length = len(call.draft.payload)
        if part and (len(part) == MOST_ITEMS or size + length > _MOST_CHARACTERS):
            yield part
            part, size = [], 0
        part.append(call)
        size += length
    if part:
        yield part
