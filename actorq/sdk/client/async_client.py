"""The client that awaits, on asyncio and trio."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

import anyio
from msgspec.structs import replace

from actorq.sdk.client.calls import Calls, making
from actorq.sdk.client.errors import missing
from actorq.sdk.client.exchange import Pause
from actorq.sdk.client.jobs import ALL_JOBS
from actorq.sdk.client.options import ClientOptions

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
    from types import TracebackType
    from typing import Self

    import httpx2

    from actorq.core.commands import ListJobs
    from actorq.core.job import Job
    from actorq.sdk.client.exchange import Conversation, Outcome

P = ParamSpec("P")
T = TypeVar("T")


def _awaited(
    call: Callable[Concatenate[Calls, P], Conversation[T]],
) -> Callable[Concatenate[AsyncClient, P], Coroutine[Any, Any, T]]:
    """Make a method that carries out one call."""

    @wraps(call)
    async def method(self: AsyncClient, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self.carry(call(self.calls, *args, **kwargs))

    return method


class AsyncClient:
    """A queue on a server: ``async with AsyncClient("http://…") as client``.

    Its calls are those of a ``JobQueue``, and answer with the same types. It is used on one
    event loop, from any number of tasks; a call that is cancelled gives back the jobs that were on their
    way to it.

    Every call raises what the server refuses, and ``ServerUnreachable`` when no answer came within the
    patience of ``options``. ``headers`` go with every request (an ``Authorization``, for example);
    ``transport`` is one of the library httpx2, for TLS or proxies of your own. Needs the extra ``client``.
    """

    def __init__(
        self,
        url: str,
        *,
        options: ClientOptions | None = None,
        headers: Mapping[str, str] | None = None,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        """Talk to the server at ``url``, which may have a path; nothing is sent yet."""
        try:
            from actorq.sdk.client.async_wire import AsyncWire
            from actorq.sdk.client.wire import Origin
        except ImportError as error:
            raise missing(error) from error
        chosen = options or ClientOptions()
        self.calls = Calls(chosen)
        self._wire = AsyncWire(Origin(url, headers or {}, chosen), transport)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        await self._wire.close()

    async def carry(self, conversation: Conversation[T]) -> T:
        """Carry a conversation to its end, and return what it came to."""
        outcome: Outcome = None
        while True:
            try:
                step = conversation.send(outcome)
            except StopIteration as end:
                result: T = end.value
                return result
            if isinstance(step, Pause):
                await anyio.sleep(step.seconds)
                outcome = None
            else:
                outcome = await self._wire.exchange(step)

    async def jobs(self, query: ListJobs = ALL_JOBS) -> AsyncIterator[Job]:
        """Yield all jobs that ``query`` asks for, newest first; its ``limit`` is the size of a page."""
        while True:
            page = await self.list_jobs(query)
            for job in page.jobs:
                yield job
            if page.next_before is None:
                return
            query = replace(query, before=page.next_before)

    new_job = making(Calls.new_job)
    enqueue = _awaited(Calls.enqueue)
    enqueue_call = _awaited(Calls.enqueue_call)
    enqueue_many = _awaited(Calls.enqueue_many)
    get_job = _awaited(Calls.get_job)
    wait_for_change = _awaited(Calls.wait_for_change)
    update_job = _awaited(Calls.update_job)
    cancel = _awaited(Calls.cancel)
    redrive = _awaited(Calls.redrive)
    redrive_many = _awaited(Calls.redrive_many)
    delete = _awaited(Calls.delete)
    list_jobs = _awaited(Calls.list_jobs)

    dequeue = _awaited(Calls.dequeue)
    dequeue_many = _awaited(Calls.dequeue_many)
    ack = _awaited(Calls.ack)
    fail = _awaited(Calls.fail)
    release = _awaited(Calls.release)
    settle = _awaited(Calls.settle)
    extend = _awaited(Calls.extend)
    renew = _awaited(Calls.renew)
    report = _awaited(Calls.report)
    send_report = _awaited(Calls.send_report)

    list_queues = _awaited(Calls.list_queues)
    get_queue = _awaited(Calls.get_queue)
    get_queue_length = _awaited(Calls.get_queue_length)
    get_settings = _awaited(Calls.get_settings)
    update_queue = _awaited(Calls.update_queue)
    pause = _awaited(Calls.pause)
    resume = _awaited(Calls.resume)
    purge = _awaited(Calls.purge)
    redrive_dead = _awaited(Calls.redrive_dead)
    check = _awaited(Calls.check)

    new_schedule = making(Calls.new_schedule)
    put_schedule = _awaited(Calls.put_schedule)
    declare_schedule = _awaited(Calls.declare_schedule)
    get_schedule = _awaited(Calls.get_schedule)
    list_schedules = _awaited(Calls.list_schedules)
    pause_schedule = _awaited(Calls.pause_schedule)
    resume_schedule = _awaited(Calls.resume_schedule)
    delete_schedule = _awaited(Calls.delete_schedule)
    run_schedule = _awaited(Calls.run_schedule)
    preview_ticks = _awaited(Calls.preview_ticks)
