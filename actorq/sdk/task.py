"""Tasks: functions that are called now, and run later by a worker."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, Protocol, TypeVar, Unpack, cast

import msgspec

from actorq.core.results import Outcome, PrunedReplay
from actorq.core.transitions import Status
from actorq.errors import ActorqError, NotFound
from actorq.face import EnqueueOptions
from actorq.sdk.arguments import Signature
from actorq.sdk.door import Draft
from actorq.sdk.handle import JobHandle
from actorq.sdk.json_types import write
from actorq.sdk.options import to_enqueue
from actorq.sdk.step import Places, Plan, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
    from typing import Self

    from actorq.core.job import Job
    from actorq.core.results import Enqueued
    from actorq.sdk.codec import Codecs
    from actorq.sdk.door import Door
    from actorq.sdk.options import CallOptions

P = ParamSpec("P")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)

_DIGEST: int = 32
"""Hexadecimal digits of a unique key: 128 bits, which do not meet by chance."""


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """What a task is, however it is called. ``unique`` are names of arguments; None: not unique."""

    name: str
    function: Callable[..., Any]
    is_async: bool
    signature: Signature
    queue_name: str
    options: EnqueueOptions
    unique: tuple[str, ...] | None = None
    concurrency: int | None = None
    processes: bool = False


class Home(Protocol):
    """What a task needs of its app."""

    @property
    def door(self) -> Door:
        """The queue that the app is connected to; raises ``NotConnected``."""
        ...

    @property
    def codecs(self) -> Codecs:
        """What turns arguments into payloads."""
        ...


class Task(Generic[P, R]):
    """A function as a task; ``@app.task`` makes it. Calling it calls the function, here and now."""

    def __init__(
        self, home: Home, definition: Definition, options: Mapping[str, object] | None = None
    ) -> None:
        """Belong to ``home``; ``options`` are those of ``with_options``."""
        self._home = home
        self.definition = definition
        self._options = dict(options or {})
        self._queue_name = str(self._options.get("queue", definition.queue_name))
        self._enqueue = cast("EnqueueOptions", {**definition.options, **to_enqueue(self._options)})
        self.__name__ = definition.name
        self.__doc__ = definition.function.__doc__
        self.__wrapped__ = definition.function

    def __repr__(self) -> str:
        return f"<task {self.name}>"

    @property
    def name(self) -> str:
        """The name by which a worker finds the function."""
        return self.definition.name

    @property
    def door(self) -> Door:
        """The queue that its app is connected to; raises ``NotConnected``."""
        return self._home.door

    def with_options(self, **options: Unpack[CallOptions]) -> Self:
        """Return the same task, whose calls have these options: ``CallOptions`` tells them.

        Raises ``InvalidInput`` for a time that is none; what else is wrong is refused by the enqueue.
        """
        return type(self)(self._home, self.definition, {**self._options, **options})

    def call(self, *args: P.args, **kwargs: P.kwargs) -> Call[R]:
        """Return a call that is not made yet: for ``app.enqueue_many``, ``chain`` and ``group``.

        Raises ``TypeError`` and ``InvalidInput`` for arguments that do not fit the signature.
        """
        arguments = self.definition.signature.arguments
        given = arguments.bind(args, kwargs)
        data = arguments.write(given)
        options = self._enqueue
        unique = self.definition.unique
        if unique is not None and "dedupe_key" not in options:
            options = cast("EnqueueOptions", {**options, "dedupe_key": self._key(unique, given)})
        payload = self._home.codecs.payload(data)
        return Call(self, Draft(queue_name=self._queue_name, payload=payload, options=options))

    async def enqueue(self, *args: P.args, **kwargs: P.kwargs) -> JobHandle[R]:
        """Enqueue the call, durably, and return the handle of its job.

        Raises what ``call`` does, ``NotConnected``, and what ``JobQueue.enqueue`` raises.
        """
        return await self.call(*args, **kwargs).enqueue()

    def handle(self, job_id: str, *, is_duplicate: bool = False) -> JobHandle[R]:
        """Return the handle of a job of this task that was enqueued before, or elsewhere."""
        return JobHandle(
            job_id, lambda: self._home.door, self._read_result, is_duplicate=is_duplicate
        )

    def results(self, jobs: Iterable[Job]) -> list[R]:
        """Return what the handlers of those ``jobs`` returned that are this task's, and completed."""
        return [
            self._read_result("null" if job.result is None else job.result)
            for job in jobs
            if job.task == self.name and job.status is Status.COMPLETED
        ]

    def _read_result(self, text: str) -> R:
        value = self.definition.signature.result.read(self._home.codecs.value(text))
        return cast("R", value)

    def _key(self, names: Sequence[str], given: Mapping[str, object]) -> str:
        """Return the key of all calls with the same arguments of these names."""
        whole = self.definition.signature.arguments.with_defaults(given)
        chosen = {name: whole[name] for name in names or whole}
        digest = hashlib.sha256(write(chosen)).hexdigest()
        return f"{self.name}:{digest[:_DIGEST]}"


class AsyncTask(Task[P, R]):
    """A task whose function is ``async``."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, R]:
        """Call the function."""
        return cast("Coroutine[Any, Any, R]", self.definition.function(*args, **kwargs))


class SyncTask(Task[P, R]):
    """A task whose function is a plain one: a worker runs it in a thread, or a process."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function."""
        return cast("R", self.definition.function(*args, **kwargs))


class Call(Step[R_co]):
    """A call of a task, not made yet. ``draft`` is what every door takes."""

    def __init__(self, task: Task[..., R_co], draft: Draft) -> None:
        """Call ``task`` by ``draft``."""
        self.task = task
        self.draft = draft

    async def enqueue(self) -> JobHandle[R_co]:
        """Make the call: the same as ``enqueue`` of its task."""
        (answer,) = await self.task.door.enqueue_many([self.draft])
        handle = self.handle(answer)
        if isinstance(handle, ActorqError):
            raise handle
        return handle

    def lay(self, plan: Plan, after: Places, /) -> Places:
        """Add its job to the plan of a workflow."""
        return plan.add(self, after)

    def take(self, made: Iterator[JobHandle[Any]], /) -> JobHandle[R_co]:
        """Take the handle of its job."""
        return next(made)

    def handle(
        self, answer: Enqueued | PrunedReplay | ActorqError
    ) -> JobHandle[R_co] | ActorqError:
        """Return the handle of what a door made of the draft, or why it made nothing."""
        if isinstance(answer, PrunedReplay):
            return NotFound(answer.id)
        if isinstance(answer, ActorqError):
            return answer
        is_duplicate = answer.outcome is not Outcome.CREATED
        return self.task.handle(answer.job.id, is_duplicate=is_duplicate)
