"""The client that blocks: for programs and threads without an event loop."""

from __future__ import annotations

import time
from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from msgspec.structs import replace

from actorq.sdk.client.calls import Calls, making
from actorq.sdk.client.errors import missing
from actorq.sdk.client.exchange import Pause
from actorq.sdk.client.jobs import ALL_JOBS
from actorq.sdk.client.options import ClientOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import TracebackType
    from typing import Self

    import httpx2

    from actorq.core.commands import ListJobs
    from actorq.core.job import Job
    from actorq.sdk.client.exchange import Conversation, Outcome

P = ParamSpec("P")
T = TypeVar("T")


def _blocking(
    call: Callable[Concatenate[Calls, P], Conversation[T]],
) -> Callable[Concatenate[Client, P], T]:
    """Make a method that carries out one call."""

    @wraps(call)
    def method(self: Client, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self.carry(call(self.calls, *args, **kwargs))

    return method


class Client:
    """A queue on a server, for code that blocks: ``with Client("http://…") as client``.

    Its calls are those of a ``JobQueue``, and answer with the same types. It may be used from
    several threads at once.

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
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        """Talk to the server at ``url``, which may have a path; nothing is sent yet."""
        try:
            from actorq.sdk.client.blocking_wire import BlockingWire
            from actorq.sdk.client.wire import Origin
        except ImportError as error:
            raise missing(error) from error
        chosen = options or ClientOptions()
        self.calls = Calls(chosen)
        self._wire = BlockingWire(Origin(url, headers or {}, chosen), transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._wire.close()

    def carry(self, conversation: Conversation[T]) -> T:
        """Carry a conversation to its end, and return what it came to."""
        outcome: Outcome = None
        while True:
            try:
                step = conversation.send(outcome)
            except StopIteration as end:
                result: T = end.value
                return result
            if isinstance(step, Pause):
                time.sleep(step.seconds)
                outcome = None
            else:
                outcome = self._wire.exchange(step)

    def jobs(self, query: ListJobs = ALL_JOBS) -> Iterator[Job]:
        """Yield all jobs that ``query`` asks for, newest first; its ``limit`` is the size of a page."""
        while True:
            page = self.list_jobs(query)
            yield from page.jobs
            if page.next_before is None:
                return
            query = replace(query, before=page.next_before)

    new_job = making(Calls.new_job)
    enqueue = _blocking(Calls.enqueue)
    enqueue_call = _blocking(Calls.enqueue_call)
    enqueue_many = _blocking(Calls.enqueue_many)
    get_job = _blocking(Calls.get_job)
    wait_for_change = _blocking(Calls.wait_for_change)
    update_job = _blocking(Calls.update_job)
    cancel = _blocking(Calls.cancel)
    redrive = _blocking(Calls.redrive)
    redrive_many = _blocking(Calls.redrive_many)
    delete = _blocking(Calls.delete)
    list_jobs = _blocking(Calls.list_jobs)

    dequeue = _blocking(Calls.dequeue)
    dequeue_many = _blocking(Calls.dequeue_many)
    ack = _blocking(Calls.ack)
    fail = _blocking(Calls.fail)
    release = _blocking(Calls.release)
    settle = _blocking(Calls.settle)
    extend = _blocking(Calls.extend)
    renew = _blocking(Calls.renew)
    report = _blocking(Calls.report)
    send_report = _blocking(Calls.send_report)

    list_queues = _blocking(Calls.list_queues)
    get_queue = _blocking(Calls.get_queue)
    get_queue_length = _blocking(Calls.get_queue_length)
    get_settings = _blocking(Calls.get_settings)
    update_queue = _blocking(Calls.update_queue)
    pause = _blocking(Calls.pause)
    resume = _blocking(Calls.resume)
    purge = _blocking(Calls.purge)
    redrive_dead = _blocking(Calls.redrive_dead)
    check = _blocking(Calls.check)

    new_schedule = making(Calls.new_schedule)
    put_schedule = _blocking(Calls.put_schedule)
    declare_schedule = _blocking(Calls.declare_schedule)
    get_schedule = _blocking(Calls.get_schedule)
    list_schedules = _blocking(Calls.list_schedules)
    pause_schedule = _blocking(Calls.pause_schedule)
    resume_schedule = _blocking(Calls.resume_schedule)
    delete_schedule = _blocking(Calls.delete_schedule)
    run_schedule = _blocking(Calls.run_schedule)
    preview_ticks = _blocking(Calls.preview_ticks)
